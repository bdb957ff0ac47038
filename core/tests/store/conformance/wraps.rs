//! Recovery wraps: they come with what they open, and go with it.

use std::io::Write;
use std::sync::{Arc, Mutex};

use claviger_core::backup::Sink;
use claviger_core::envelope::{Envelope, with_wrap};
use claviger_core::recovery::{WrapId, wrap_id};
use claviger_core::store::{Change, Key, Row, Store, VenueToken};

use super::super::bench::Bench;
use super::super::fixtures::{credential, tenant};
use super::keks::{bytes, kek_row};
use super::kinds::recovery_key;

/// What a sink took, and whether it was told that this is all.
type Taken = Arc<Mutex<(Vec<u8>, bool)>>;

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
    put(store, Change::create(Key::Sealed(credential(0)), Row::Sealed(with_wrap(&sealed, b"a-wrap-like-no-other"))))
        .await;
    let found = |taken: &Taken| {
        let taken = taken.lock().unwrap();
        assert!(taken.1, "it was finished");
        taken.0.windows(20).any(|part| part == b"a-wrap-like-no-other")
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
