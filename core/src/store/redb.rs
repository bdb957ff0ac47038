//! The embedded engine: one redb file, one writer thread that puts whatever waits into one two-phase commit with quick
//! repair, one reader thread.
//!
//! redb's checksums are not cryptographic, so a one-phase commit could be forged by whoever writes the file; two phases
//! and quick repair cost nothing measurable once commits are shared, and make the file open at once after a crash. Two
//! phases are also what makes a failed commit decidable: all pages are on the disk before the header points at them,
//! and opening the file writes the header anew, so what a reopened file shows is what a power cut would leave.

mod apply;
mod file;
mod job;
mod log;
mod read;
mod snapshot;
mod tables;
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use async_trait::async_trait;
use redb::{Database, ReadTransaction, StorageBackend};
use tokio::sync::{mpsc, oneshot};

use super::{
    Admit, AuditRange, Change, Changed, Erased, Execution, Intent, Key, Leaf, OpenIntent, Outcome, Page, Range,
    Receipt, Revoked, Scope, Segment, Stop, Store, StoreError, TreeHead, Versioned,
};
use crate::audit::{AuditKey, Draft, Frontier, Hash};
use crate::backup::{Sink, Snapshot};
use crate::clock::Clock;
use crate::credential::Sought;
use crate::deletion::Cleared;
use crate::id::{CredentialId, ExecutionId, TenantId};
use crate::recovery::WrapId;
use crate::recovery::file::Contents;
use apply::{Apply, Failed};
use job::{Job, Task};
use writer::Writer;

pub use snapshot::{put_wraps, restore};

/// How the error ends when the file is another process's at the moment.
pub const IN_USE: &str = "in use by another process";

/// Jobs that wait at most; whoever comes then waits for room.
const QUEUE: usize = 4_096;

/// How the file is opened, and opened again after an I/O error.
type Opener = Box<dyn Fn() -> Result<Database, String> + Send>;

/// The database, or nothing while it is being opened again.
type Shelf = Arc<RwLock<Option<Database>>>;

type ReadJob = Box<dyn FnOnce(Result<&ReadTransaction, StoreError>) + Send>;

/// The redb engine. Dropping it finishes what was submitted, ends both threads and closes the file.
pub struct RedbStore {
    // The order matters: a thread ends when its queue is closed, and is waited for after that.
    jobs: mpsc::Sender<Box<dyn Job>>,
    reads: mpsc::Sender<ReadJob>,
    trouble: Arc<Trouble>,
    shelf: Shelf,
    origin: String,
    clock: Arc<dyn Clock>,
    _threads: [Thread; 2],
}

impl std::fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedbStore").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl RedbStore {
    /// Opens the file at `path`, or makes it, readable by this user alone.
    ///
    /// `origin` is the origin line of the audit log. After an I/O error the file is opened anew before the next commit.
    ///
    /// # Errors
    /// [`StoreError::NotApplied`] with what to do, when the file cannot be opened, is in use, or is of another format.
    pub fn open(path: &Path, origin: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path = path.to_owned();
        Self::with(Box::new(move || file::open(&path)), origin, clock)
    }

    /// The engine over another backend, with so much memory for pages: what crash tests cut the power of.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn over<B: StorageBackend>(
        backend: impl Fn() -> B + Send + 'static,
        cache_bytes: usize,
        origin: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let opener = move || {
            let opened = Database::builder().set_cache_size(cache_bytes).create_with_backend(backend());
            opened.map_err(|e| format!("backend: {e}"))
        };
        Self::with(Box::new(opener), origin, clock)
    }

    fn with(opener: Opener, origin: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let shelf = Shelf::default();
        let trouble = Arc::new(Trouble::default());
        let (jobs, queue) = mpsc::channel(QUEUE);
        let mut writer = Writer::new(opener, shelf.clone(), trouble.clone(), origin.to_owned(), clock.clone());
        writer.open()?;
        let (reads, mut read_queue) = mpsc::channel::<ReadJob>(QUEUE);
        let read_from = shelf.clone();
        let threads = [
            Thread::spawn("store-writer", move || writer.run(queue))?,
            Thread::spawn("store-reader", move || {
                while let Some(job) = read_queue.blocking_recv() {
                    read_on(&read_from, job);
                }
            })?,
        ];
        Ok(Self { jobs, reads, trouble, shelf, origin: origin.to_owned(), clock, _threads: threads })
    }

    /// Finishes what was submitted and closes the file.
    pub fn close(self) {
        drop(self);
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Apply<'_>) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(Box::new(Task::new(work, answer))).await.map_err(|_| ended())?;
        answered.await.map_err(|_| StoreError::Unknown("the store's writer ended".to_owned()))?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: ReadJob = Box::new(move |transaction| {
            let _ = answer.send(transaction.and_then(read));
        });
        self.reads.send(job).await.map_err(|_| ended())?;
        let result = answered.await.map_err(|_| ended())?;
        if let Err(StoreError::NotApplied(why)) = &result {
            // After one failed read redb refuses everything; the writer must open the file anew.
            self.trouble.report(Some(why));
        }
        result
    }
}

impl RedbStore {
    /// Reads much, in a thread of its own, which is not waited for: whoever reads or writes goes on meanwhile.
    async fn dumped<T: Send + 'static>(
        &self,
        thread: &str,
        dump: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = self.shelf.clone();
        let (sender, receiver) = oneshot::channel();
        let work = move || {
            let begun = {
                let held = database.read().unwrap_or_else(PoisonError::into_inner);
                held.as_ref().map(redb::ReadableDatabase::begin_read)
            };
            let dumped = match begun {
                Some(Ok(transaction)) => dump(&transaction),
                Some(Err(e)) => Err(StoreError::NotApplied(e.to_string())),
                None => Err(ended()),
            };
            // Whoever asked may have gone.
            let _ = sender.send(dumped);
        };
        let spawned = std::thread::Builder::new().name(thread.to_owned()).spawn(work);
        spawned.map_err(|e| StoreError::NotApplied(format!("no thread: {e}")))?;
        receiver.await.map_err(|_| ended())?
    }
}

fn read_on(shelf: &Shelf, job: ReadJob) {
    let shelf = shelf.read().unwrap_or_else(PoisonError::into_inner);
    match shelf.as_ref().map(redb::ReadableDatabase::begin_read) {
        Some(Ok(transaction)) => job(Ok(&transaction)),
        Some(Err(e)) => job(Err(StoreError::NotApplied(e.to_string()))),
        None => job(Err(StoreError::NotApplied("the store is being opened again".to_owned()))),
    }
}

fn ended() -> StoreError {
    StoreError::NotApplied("a thread of the store ended".to_owned())
}

/// A thread that is waited for when this is dropped.
#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

impl Thread {
    fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<Self, StoreError> {
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
        spawned.map(|handle| Self(Some(handle))).map_err(|e| StoreError::NotApplied(format!("no thread: {e}")))
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // A thread that panicked has told so itself.
        let _ = self.0.take().map(JoinHandle::join);
    }
}

/// What is wrong with the file at the moment, if anything is.
#[derive(Debug, Default)]
struct Trouble(Mutex<Option<String>>);

impl Trouble {
    fn report(&self, why: Option<&str>) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (why, now.is_some()) {
            (Some(why), false) => tracing::error!(%why, "the store has failed; nothing is signed until it works again"),
            (None, true) => tracing::warn!("the store works again"),
            _ => {}
        }
        *now = why.map(str::to_owned);
    }

    fn is_some(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

#[async_trait]
impl Store for RedbStore {
    async fn commit_intents(&self, batch: Vec<Intent>) -> Result<Vec<Admit>, StoreError> {
        self.write(move |apply| apply.intents(&batch)).await
    }

    async fn commit_outcomes(&self, batch: Vec<Outcome>) -> Result<Vec<Receipt>, StoreError> {
        self.write(move |apply| apply.outcomes(&batch)).await
    }

    async fn revoke(&self, scope: Scope, stop: Stop, entry: Draft) -> Result<Revoked, StoreError> {
        self.write(move |apply| apply.revoke(&scope, stop, &entry)).await
    }

    async fn put_cas(&self, changes: Vec<Change>, entries: Vec<Draft>) -> Result<Changed, StoreError> {
        self.write(move |apply| apply.put(&changes, &entries)).await
    }

    async fn append(&self, entries: Vec<Draft>) -> Result<Vec<Receipt>, StoreError> {
        self.write(move |apply| apply.append_live(&entries)).await
    }

    async fn get(&self, key: Key) -> Result<Option<Versioned>, StoreError> {
        self.read(move |tx| read::get(tx, &key)).await
    }

    async fn scan(&self, range: Range, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Versioned>, StoreError> {
        self.read(move |tx| read::scan(tx, &range, after.as_deref(), limit)).await
    }

    async fn scan_back(
        &self,
        range: Range,
        before: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Versioned>, StoreError> {
        self.read(move |tx| read::scan_back(tx, &range, before.as_deref(), limit)).await
    }

    async fn credentials(
        &self,
        tenant: TenantId,
        sought: Sought,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Versioned>, StoreError> {
        let seek = move |tx: &ReadTransaction| read::credentials(tx, tenant, &sought, after.as_deref(), limit);
        self.dumped("store-seek", seek).await
    }

    async fn last(&self, range: Range) -> Result<Option<Versioned>, StoreError> {
        self.read(move |tx| read::last(tx, &range)).await
    }

    async fn sealed_before(
        &self,
        tenant: TenantId,
        version: u32,
        limit: usize,
    ) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let Some(newest) = version.checked_sub(1) else { return Ok(Vec::new()) };
        self.read(move |tx| read::sealed_within(tx, tenant, 0..=newest, limit)).await
    }

    async fn sealed_under_version(
        &self,
        tenant: TenantId,
        version: u32,
        limit: usize,
    ) -> Result<Vec<(Key, Versioned)>, StoreError> {
        self.read(move |tx| read::sealed_within(tx, tenant, version..=version, limit)).await
    }

    async fn sealed_under(&self, tenant: TenantId) -> Result<BTreeMap<u32, u64>, StoreError> {
        self.read(move |tx| read::sealed_under(tx, tenant)).await
    }

    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
        self.read(move |tx| read::execution(tx, id)).await
    }

    async fn executions(
        &self,
        tenant: TenantId,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Page<Execution>, StoreError> {
        self.read(move |tx| read::executions(tx, tenant, before, limit)).await
    }

    async fn executions_of(
        &self,
        tenant: TenantId,
        credential: CredentialId,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Page<Execution>, StoreError> {
        let seek = move |tx: &ReadTransaction| read::executions_of(tx, (tenant, credential), before, limit);
        self.dumped("store-seek", seek).await
    }

    async fn resolve(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.read(read::open_intents).await
    }

    async fn lost(&self, after: u64, limit: usize) -> Result<Vec<OpenIntent>, StoreError> {
        self.read(move |tx| read::lost(tx, after, limit)).await
    }

    async fn highest_intent(&self) -> Result<u64, StoreError> {
        self.read(|tx| read::meta(tx, tables::INTENTS)).await
    }

    async fn audit_scan(&self, range: AuditRange) -> Result<Vec<Leaf>, StoreError> {
        self.read(move |tx| read::leaves(tx, &range)).await
    }

    async fn audit_scan_back(
        &self,
        tenant: Option<TenantId>,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Leaf>, StoreError> {
        self.read(move |tx| read::leaves_back(tx, tenant, before, limit)).await
    }

    async fn audit_key(&self, tenant: TenantId, owner: String) -> Result<Option<AuditKey>, StoreError> {
        self.read(move |tx| read::audit_key(tx, tenant, &owner)).await
    }

    async fn erase_owner(&self, tenant: TenantId, owner: String, entry: Draft) -> Result<Erased, StoreError> {
        self.write(move |apply| apply.erase_owner(tenant, &owner, &entry)).await
    }

    async fn owners(&self, tenant: TenantId) -> Result<Vec<String>, StoreError> {
        self.read(move |tx| read::owners(tx, tenant)).await
    }

    async fn clear_tenant(&self, tenant: TenantId) -> Result<Cleared, StoreError> {
        self.write(move |apply| apply.clear_tenant(tenant)).await
    }

    async fn is_erased(&self, tenant: TenantId, owner: String) -> Result<bool, StoreError> {
        self.read(move |tx| read::is_erased(tx, tenant, &owner)).await
    }

    async fn tree_head(&self) -> Result<TreeHead, StoreError> {
        self.read(read::tree_head).await
    }

    async fn consistency(&self, size: u64, to: u64) -> Result<(Hash, Vec<Hash>), StoreError> {
        self.read(move |tx| read::consistency(tx, size, to)).await
    }

    async fn inclusion(&self, seq: u64, size: u64) -> Result<(Leaf, Vec<Hash>), StoreError> {
        self.read(move |tx| read::inclusion(tx, seq, size)).await
    }

    async fn outcomes_of(&self, seq: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
        self.read(move |tx| read::outcomes_of(tx, seq, limit)).await
    }

    async fn put_checkpoint(&self, size: u64, note: String) -> Result<(), StoreError> {
        self.write(move |apply| apply.checkpoint(size, &note)).await
    }

    async fn checkpoints(&self, from: u64, limit: usize) -> Result<Vec<String>, StoreError> {
        self.read(move |tx| read::checkpoints(tx, from, limit)).await
    }

    async fn newest_checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.read(read::newest_checkpoint).await
    }

    async fn checkpoint_up_to(&self, size: u64) -> Result<Option<String>, StoreError> {
        self.read(move |tx| read::checkpoint_up_to(tx, size)).await
    }

    async fn frontier(&self, size: u64) -> Result<Frontier, StoreError> {
        self.read(move |tx| read::frontier_of(tx, size)).await
    }

    async fn leaf_hashes(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
        self.read(move |tx| read::leaf_hashes(tx, from, to)).await
    }

    async fn archive(&self, segment: Segment, entry: Draft) -> Result<u64, StoreError> {
        self.write(move |apply| apply.archive(segment, &entry)).await
    }

    async fn segment_of(&self, seq: u64) -> Result<Option<Segment>, StoreError> {
        self.read(move |tx| read::segment_of(tx, seq)).await
    }

    async fn expire(&self, before_ms: u64) -> Result<u64, StoreError> {
        self.write(move |apply| apply.expire(before_ms)).await
    }

    async fn backup(&self, sink: Box<dyn Sink>) -> Result<Snapshot, StoreError> {
        let now = (self.origin.clone(), self.clock.unix_ms());
        self.dumped("store-backup", move |tx| snapshot::dump(tx, now, sink)).await
    }

    async fn wrap(&self, id: WrapId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(move |tx| read::wrap(tx, &id)).await
    }

    async fn sealed(&self, after: Option<Vec<u8>>, limit: usize) -> Result<Page<(Key, Versioned)>, StoreError> {
        self.read(move |tx| read::sealed(tx, after.as_deref(), limit)).await
    }

    async fn clear_wraps(&self, tenant: TenantId, entry: Draft) -> Result<bool, StoreError> {
        self.write(move |apply| apply.clear_wraps(tenant, &entry)).await
    }

    async fn wraps_changed(&self) -> Result<u64, StoreError> {
        self.read(|tx| read::meta(tx, tables::WRAPS_CHANGED)).await
    }

    async fn wraps(&self, sink: Box<dyn Sink>) -> Result<Option<Contents>, StoreError> {
        let now = (self.origin.clone(), self.clock.unix_ms());
        self.dumped("store-wraps", move |tx| snapshot::dump_wraps(tx, now, sink)).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        if self.jobs.is_closed() || self.reads.is_closed() {
            return Err(ended());
        }
        // What failed before may work again: only a commit tells.
        if self.trouble.is_some() {
            self.write(apply::probe).await.map_err(|e| StoreError::NotApplied(e.to_string()))?;
        }
        Ok(())
    }
}
