//! Backups of a store that is written to, and what is deleted for good.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use claviger_core::audit::{AuditKey, Subject};
use claviger_core::backup::Sink;
use claviger_core::credential::State;
use claviger_core::store::redb::{RedbStore, restore};
use claviger_core::store::{AuditRange, Change, Key, Range, Row, Store, StoreError};

use super::fixtures::{
    ManualClock, ORIGIN, credential, credential_key, credential_row, draft, owner, personal_draft, tenant, tenant_row,
};
use super::log;

/// A file of one test, removed with it.
struct TestFile(PathBuf);

impl TestFile {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("backup-{}-{}.redb", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    fn open(&self) -> RedbStore {
        RedbStore::open(&self.0, ORIGIN, ManualClock::new()).unwrap()
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Keeps what it is given, or takes nothing.
#[derive(Clone, Default)]
struct Memory {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_full: bool,
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.bytes.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Memory {
    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_backup_is_one_moment_of_a_store_that_goes_on() {
    let (file, other) = (TestFile::new(), TestFile::new());
    let store = file.open();
    let rows = vec![
        Change::create(Key::Tenant(tenant(0)), tenant_row(0, "a")),
        Change::create(credential_key(0, 0), Row::Credential(credential_row(0, 0, State::Active, 1))),
        Change::create(Key::Sealed(credential(0)), Row::Sealed(vec![7; 300])),
    ];
    store.put_cas(rows, vec![personal_draft(0, "x", &owner(0))]).await.unwrap();
    store.put_checkpoint(1, "note".to_owned()).await.unwrap();

    let sink = Memory::default();
    let writing = async {
        for n in 0..50 {
            store.append(vec![draft(0, &n.to_string())]).await.unwrap();
        }
    };
    let (snapshot, ()) = tokio::join!(store.backup(Box::new(sink.clone())), writing);
    let (snapshot, bytes) = (snapshot.unwrap(), sink.bytes.lock().unwrap().clone());
    assert_eq!((snapshot.origin.as_str(), snapshot.checkpoint.as_deref()), (ORIGIN, Some("note")));

    assert_eq!(restore(&other.0, &mut bytes.as_slice()).unwrap(), snapshot);
    let restored = other.open();
    assert_eq!(restored.tree_head().await.unwrap().size, snapshot.entries);
    log::verified(&restored).await;
    for key in [Key::Tenant(tenant(0)), credential_key(0, 0), Key::Sealed(credential(0))] {
        assert_eq!(restored.get(key.clone()).await.unwrap(), store.get(key).await.unwrap());
    }
    let key = async |store: &RedbStore| -> Option<AuditKey> { store.audit_key(tenant(0), owner(0)).await.unwrap() };
    assert_eq!(key(&restored).await.map(|k| *k.as_bytes()), key(&store).await.map(|k| *k.as_bytes()));
    restored.append(vec![draft(0, "on")]).await.unwrap();
    let leaves = restored.audit_scan(AuditRange { tenant: None, from: 0, limit: 1_000 }).await.unwrap();
    assert_eq!(leaves.len() as u64, snapshot.entries + 1, "it goes on where it was");
}

#[tokio::test]
async fn a_sink_that_is_full_costs_the_backup_and_nothing_else() {
    let file = TestFile::new();
    let store = file.open();
    store.append(vec![draft(0, "x")]).await.unwrap();
    let full = Memory { is_full: true, ..Memory::default() };
    let refused = store.backup(Box::new(full)).await.unwrap_err();
    assert!(matches!(refused, StoreError::NotApplied(_)), "{refused}");
    store.append(vec![draft(0, "y")]).await.unwrap();
    store.health().await.unwrap();
}

#[tokio::test]
async fn what_was_deleted_leaves_a_tombstone_and_never_comes_back() {
    let file = TestFile::new();
    let store = file.open();
    let row = Row::Credential(credential_row(0, 0, State::Active, 1));
    store.put_cas(vec![Change::create(credential_key(0, 0), row.clone())], vec![]).await.unwrap();
    store.put_cas(vec![Change::remove(credential_key(0, 1))], vec![]).await.unwrap();
    assert!(pending(&store).await.is_empty(), "nothing was there");

    store.put_cas(vec![Change::remove(credential_key(0, 0))], vec![]).await.unwrap();

    let subject = Subject::Credential(tenant(0), credential(0));
    assert_eq!(pending(&store).await, [subject]);
    let again = store.put_cas(vec![Change::create(credential_key(0, 0), row)], vec![]).await;
    assert_eq!(again, Err(StoreError::Conflict(Box::new(Key::Tombstone(subject)))));
}

#[tokio::test]
async fn an_erased_owner_waits_for_a_tombstone_that_does_not_name_him() {
    let file = TestFile::new();
    let store = file.open();
    store.append(vec![personal_draft(0, "x", &owner(0))]).await.unwrap();
    assert_eq!(store.owners(tenant(0)).await.unwrap(), [owner(0)]);
    store.erase_owner(tenant(0), owner(0), draft(0, "erase")).await.unwrap();
    assert!(store.owners(tenant(0)).await.unwrap().is_empty());

    let [Subject::Owner(of, hash)] = pending(&store).await[..] else { panic!("one owner") };
    assert!(hash.is(of, &owner(0)) && !hash.is(of, &owner(1)));
}

/// Tombstones that are in no file yet.
async fn pending(store: &RedbStore) -> Vec<Subject> {
    let page = store.scan(Range::Unengraved, None, 10).await.unwrap();
    page.rows
        .into_iter()
        .map(|row| if let Row::Tombstone(subject) = row.row { subject } else { panic!("{row:?}") })
        .collect()
}
