//! The redb engine: on files, and what is its own.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Store, StoreError};
use redb::{Database, TableDefinition};

use super::bench::{Bench, Engine};
use super::fixtures::{ManualClock, ORIGIN, credential, credential_key, draft, ordered, tenant};
use super::log;

/// A file of one test, removed with it.
pub(crate) struct TestFile(PathBuf);

impl TestFile {
    pub(crate) fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("store-{}-{}.redb", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Arc::new(Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)))
    }

    fn try_open(&self) -> Result<RedbStore, StoreError> {
        RedbStore::open(&self.0, ORIGIN, ManualClock::new())
    }
}

impl Engine for Arc<TestFile> {
    fn open(&self, clock: Arc<ManualClock>) -> Arc<dyn Store> {
        Arc::new(RedbStore::open(&self.0, ORIGIN, clock).unwrap())
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn a_file_in_use_is_refused() {
    let file = TestFile::new();
    let store = file.try_open().unwrap();
    store.append(vec![draft(0, "x")]).await.unwrap();
    let refused = file.try_open().unwrap_err();
    assert_eq!(refused.to_string(), format!("not stored: {}: in use by another process", file.0.display()));
    store.append(vec![draft(0, "y")]).await.unwrap();
    store.close();
    assert_eq!(log::verified(&file.try_open().unwrap()).await.len(), 2);
}

#[test]
fn another_format_is_refused() {
    const META: TableDefinition<'static, &str, u64> = TableDefinition::new("meta");
    let file = TestFile::new();
    file.try_open().unwrap().close();
    edit(&file, |transaction| drop(transaction.open_table(META).unwrap().insert("format", 2).unwrap()));
    let refused = file.try_open().unwrap_err();
    assert_eq!(refused, StoreError::NotApplied("the store has format 2, and this version reads 1".to_owned()));
}

#[test]
fn a_file_of_something_else_is_refused_untouched() {
    const OTHER: TableDefinition<'static, u64, u64> = TableDefinition::new("other");
    let file = TestFile::new();
    edit(&file, |transaction| drop(transaction.open_table(OTHER).unwrap()));
    let refused = file.try_open().unwrap_err();
    assert_eq!(refused, StoreError::NotApplied("not a store: it has a table `other` and no `meta`".to_owned()));

    std::fs::write(&file.0, "this is no database").unwrap();
    assert!(matches!(file.try_open(), Err(StoreError::NotApplied(_))));
    assert_eq!(std::fs::read(&file.0).unwrap(), b"this is no database");
}

/// Rows that do not decode are told of, and spoil nothing else.
#[tokio::test]
async fn a_row_that_cannot_be_right_is_corrupt_for_its_own_callers_alone() {
    const RECORDS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("records");
    let file = TestFile::new();
    let mut bench = Bench::new(file.clone()).with_credentials().await;
    bench.close();
    let key = [&[7], tenant(0).as_bytes().as_slice(), credential(0).as_bytes()].concat();
    edit(&file, |transaction| {
        let mut records = transaction.open_table(RECORDS).unwrap();
        assert!(records.insert(key.as_slice(), [1, 0xff, 0xff].as_slice()).unwrap().is_some(), "the row is there");
    });
    bench.open();

    let before = log::verified(bench.store()).await.len();
    let callers: Vec<_> = (0..32)
        .map(|n| {
            let store = bench.shared();
            // The good item of a bad batch must not be recorded either.
            let bad = n % 8 == 3;
            let items =
                vec![ordered(1, n, &n.to_string(), 1), ordered(u8::from(!bad), 100 + n, &(100 + n).to_string(), 1)];
            tokio::spawn(async move { (bad, store.commit_intents(items).await) })
        })
        .collect();
    for caller in callers {
        let (bad, answer) = caller.await.unwrap();
        assert_eq!(bad, matches!(answer, Err(StoreError::Corrupt(_))), "{answer:?}");
        assert_eq!(bad, answer.is_err());
    }
    assert_eq!(log::verified(bench.store()).await.len(), before + 28 * 2);
    assert!(matches!(bench.store().get(credential_key(0, 0)).await, Err(StoreError::Corrupt(_))));
    bench.store().health().await.unwrap();
}

#[test]
fn only_its_user_reads_the_file() {
    let file = TestFile::new();
    file.try_open().unwrap().close();
    assert_eq!(std::fs::metadata(&file.0).unwrap().permissions().mode() & 0o777, 0o600);
}

fn edit(file: &TestFile, with: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::create(&file.0).unwrap();
    let transaction = database.begin_write().unwrap();
    with(&transaction);
    transaction.commit().unwrap();
}
