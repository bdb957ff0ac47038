//! Recovery wraps: they come with what they open, and go with it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use claviger_core::backup::Sink;
use claviger_core::envelope::{Envelope, with_wrap};
use claviger_core::id::CredentialId;
use claviger_core::recovery::{WrapId, wrap_id};
use claviger_core::store::{Change, Key, Row, Store, VenueToken};

use super::super::bench::Bench;
use super::super::fixtures::{credential, draft, ordered, tenant};
use super::keks::{bytes, kek_row};
use super::kinds::recovery_key;

/// What a sink took, and whether it was told that this is all.
type Taken = Arc<Mutex<(Vec<u8>, bool)>>;

const WRAP: &[u8] = b"a-wrap-like-no-other";

/// Rows under a KEK that is taken away: more than two commits take.
pub(crate) const MANY: u32 = 2_500;

struct InMemory(Taken);

impl Write for InMemory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink for InMemory {
    fn finish(self: Box<Self>) -> std::io::Result<()> {
        self.0.lock().unwrap().1 = true;
        Ok(())
    }
}

fn id(sealed: &[u8]) -> WrapId {
    wrap_id(&Envelope::from_bytes(sealed).unwrap()).unwrap()
}

async fn put(store: &dyn Store, change: Change) {
    store.put_cas(vec![change], vec![]).await.unwrap();
}

pub(super) async fn a_wrap_comes_with_what_it_opens_and_a_rewrap_keeps_it(mut bench: Bench) {
    let (key, first) = (Key::Sealed(credential(0)), bytes(tenant(0), credential(0), 1));
    let before = bench.store().wraps_changed().await.unwrap();
    put(bench.store(), Change::create(key.clone(), Row::Sealed(with_wrap(&first, b"wrap")))).await;
    bench.reopen();
    let store = bench.store();
    assert_eq!(store.get(key.clone()).await.unwrap().unwrap().row, Row::Sealed(first.clone()), "the two are parted");
    assert_eq!(store.wrap(id(&first)).await, Ok(Some(b"wrap".to_vec())));

    let moved = bytes(tenant(0), credential(0), 2);
    assert_eq!(id(&moved), id(&first));
    put(store, Change::set(key, Row::Sealed(moved.clone()))).await;
    assert_eq!(store.wrap(id(&moved)).await, Ok(Some(b"wrap".to_vec())));
    assert_eq!(store.wraps_changed().await, Ok(before + 1));
}

pub(super) async fn a_wrap_goes_with_what_it_opens(bench: Bench) {
    let store = bench.store();
    let (sealed, token) = (bytes(tenant(0), credential(0), 1), bytes(tenant(0), credential(1), 1));
    put(store, Change::create(Key::Sealed(credential(0)), Row::Sealed(with_wrap(&sealed, b"one")))).await;
    let row = |sealed| Row::Token(VenueToken { sealed, issued_ms: 1, expires_ms: 2 });
    put(store, Change::create(Key::Token(credential(1)), row(with_wrap(&token, b"two")))).await;

    put(store, Change::remove(Key::Sealed(credential(0)))).await;
    assert_eq!(store.wrap(id(&sealed)).await, Ok(None));
    let renewed = bytes(tenant(0), credential(2), 1);
    put(store, Change::set(Key::Token(credential(1)), row(with_wrap(&renewed, b"three")))).await;
    assert_eq!(store.wrap(id(&token)).await, Ok(None), "another took its place");
    assert_eq!(store.wrap(id(&renewed)).await, Ok(Some(b"three".to_vec())));
}

pub(super) async fn wraps_are_in_their_file_and_in_no_backup(bench: Bench) {
    let store = bench.store();
    let sealed = bytes(tenant(0), credential(0), 1);
    put(store, Change::set(Key::Kek(tenant(0), 1), kek_row(tenant(0), 1))).await;
    put(store, Change::create(Key::Sealed(credential(0)), Row::Sealed(with_wrap(&sealed, WRAP)))).await;
    let found = |taken: &Taken| {
        let taken = taken.lock().unwrap();
        assert!(taken.1, "it was finished");
        taken.0.windows(WRAP.len()).any(|part| part == WRAP)
    };

    let none = Taken::default();
    assert_eq!(store.wraps(Box::new(InMemory(none.clone()))).await, Ok(None));
    assert!(none.lock().unwrap().0.is_empty());
    put(store, Change::set(Key::RecoveryKey, Row::RecoveryKey(Box::new(recovery_key())))).await;
    let (file, backup) = (Taken::default(), Taken::default());
    let contents = store.wraps(Box::new(InMemory(file.clone()))).await.unwrap().unwrap();
    store.backup(Box::new(InMemory(backup.clone()))).await.unwrap();

    assert_eq!((contents.key, contents.generation), (recovery_key(), store.wraps_changed().await.unwrap()));
    assert!(found(&file));
    assert!(!found(&backup));
}

pub(super) async fn wraps_go_page_by_page_after_their_kek(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    put(bench.store(), Change::set(Key::RecoveryKey, Row::RecoveryKey(Box::new(recovery_key())))).await;
    let ids = many_wraps(bench.store()).await;
    let others = [(0, 2), (1, 1)].map(|(of, version)| bytes(tenant(of), credential(of), version));
    for (number, sealed) in others.iter().enumerate() {
        put(bench.store(), Change::set(Key::Sealed(credential(number as u8)), Row::Sealed(with_wrap(sealed, WRAP))))
            .await;
    }
    assert_eq!(in_file(bench.store()).await, ids.len() + 2);
    let before = bench.store().wraps_changed().await.unwrap();

    take_away(bench.store()).await;
    assert_ne!(bench.store().wraps_changed().await.unwrap(), before, "the file is to be written anew");
    assert_eq!(in_file(bench.store()).await, 2, "what is to go is in no file from the first commit on");
    assert_eq!(left(bench.store(), &ids).await, ids.len(), "it is a small commit");
    assert_eq!(bench.store().clear_wraps(tenant(0), draft(0, "end")).await, Ok(true));
    let rest = left(bench.store(), &ids).await;
    assert!(rest > 0 && rest < ids.len(), "{rest}");
    assert_eq!(in_file(bench.store()).await, 2);
    bench.passes(ordered(1, 1, "between two pages", 1)).await;
    bench.reopen();
    let entries = bench.store().tree_head().await.unwrap().size;
    assert_eq!(bench.store().clear_wraps(tenant(0), draft(0, "end")).await, Ok(true));
    assert_eq!(bench.store().tree_head().await.unwrap().size, entries, "no page but the last has the entry");
    assert_eq!(bench.store().clear_wraps(tenant(0), draft(0, "end")).await, Ok(false));

    assert_eq!(bench.store().clear_wraps(tenant(0), draft(0, "again")).await, Ok(false));
    assert_eq!(bench.store().tree_head().await.unwrap().size, entries + 1);
    assert_eq!(bench.store().get(Key::WrapsLeft(tenant(0))).await, Ok(None));
    assert_eq!(left(bench.store(), &ids).await, 0);
    assert_eq!(in_file(bench.store()).await, 2);
    for sealed in &others {
        assert_eq!(bench.store().wrap(id(sealed)).await, Ok(Some(WRAP.to_vec())), "another KEK's, or another tenant's");
    }
}

/// Rows of tenant 0 under version 1 of its KEK, each with a wrap; their ids.
pub(crate) async fn many_wraps(store: &dyn Store) -> Vec<WrapId> {
    for (of, version) in [(0, 1), (0, 2), (1, 1)] {
        put(store, Change::set(Key::Kek(tenant(of), version), kek_row(tenant(of), version))).await;
    }
    let sealed = |number: u32| {
        let mut id = [0x33; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        let id = CredentialId::from_bytes(id);
        (id, bytes(tenant(0), id, 1))
    };
    let changes = (0..MANY).map(sealed).map(|(id, sealed)| {
        let row = Row::Sealed(with_wrap(&sealed, WRAP));
        Change::create(Key::Sealed(id), row)
    });
    store.put_cas(changes.collect(), vec![]).await.unwrap();
    (0..MANY).map(|number| id(&sealed(number).1)).collect()
}

/// Tenant 0 takes version 1 of its KEK away.
pub(crate) async fn take_away(store: &dyn Store) {
    let Row::Kek(kek) = kek_row(tenant(0), 1) else { panic!("no KEK") };
    put(store, Change::set(Key::Kek(tenant(0), 1), Row::Kek(kek.withdrawn()))).await;
}

/// How many of these wraps are stored.
pub(crate) async fn left(store: &dyn Store, ids: &[WrapId]) -> usize {
    let mut left = 0;
    for id in ids {
        left += usize::from(store.wrap(*id).await.unwrap().is_some());
    }
    left
}

/// How many wraps are in a recovery file of this moment.
async fn in_file(store: &dyn Store) -> usize {
    let file = Taken::default();
    store.wraps(Box::new(InMemory(file.clone()))).await.unwrap().unwrap();
    let taken = file.lock().unwrap();
    taken.0.windows(WRAP.len()).filter(|part| *part == WRAP).count()
}

pub(super) async fn everything_sealed_is_listed_once(bench: Bench) {
    let store = bench.store();
    let keys: Vec<Key> = (0..5).map(|number| Key::Sealed(credential(number))).collect();
    for (number, key) in keys.iter().enumerate() {
        let number = u8::try_from(number).unwrap();
        let row = Row::Sealed(bytes(tenant(number % 2), credential(number), 1));
        put(store, Change::create(key.clone(), row)).await;
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.sealed(after, 2).await.unwrap();
        assert!(!page.rows.is_empty());
        found.extend(page.rows.into_iter().map(|(key, _)| key));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    found.sort_unstable();
    assert_eq!(found, keys);
}
