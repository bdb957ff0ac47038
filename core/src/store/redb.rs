//! The embedded engine: one redb file, one writer thread that puts whatever waits into one two-phase commit with quick
//! repair, one reader thread.
//!
//! redb's checksums are not cryptographic, so a one-phase commit could be forged by whoever writes the file; two phases
//! and quick repair cost nothing measurable once commits are shared, and make the file open at once after a crash.

mod apply;
mod log;
mod read;
mod tables;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use redb::{Database, ReadTransaction, StorageBackend};
use tokio::sync::{mpsc, oneshot};

use super::{
    Admit, AuditRange, Change, Changed, Execution, Intent, Key, Leaf, OpenIntent, Outcome, Page, Range, Receipt,
    Revoked, Scope, Stop, Store, StoreError, TreeHead, Versioned,
};
use crate::audit::{AuditKey, Draft, Hash};
use crate::clock::Clock;
use crate::id::{ExecutionId, TenantId};
use writer::{Answer, Job, Writer};

/// Jobs that wait at most; whoever comes then waits for room.
const QUEUE: usize = 4_096;

/// How the file is opened, and opened again after an I/O error.
pub type Opener = Box<dyn Fn() -> Result<Database, String> + Send>;

/// The redb engine.
#[derive(Debug)]
pub struct RedbStore {
    jobs: mpsc::Sender<Job>,
    reads: mpsc::Sender<ReadJob>,
    database: Shelf,
    /// What the last commit said.
    trouble: Arc<Mutex<Option<String>>>,
}

/// The database, or nothing while it is being opened again.
pub(crate) type Shelf = Arc<RwLock<Option<Database>>>;

type ReadJob = Box<dyn FnOnce(Result<&ReadTransaction, StoreError>) + Send>;

impl RedbStore {
    /// Opens the file at `path`, or makes it.
    ///
    /// `origin` is the origin line of the audit log. After an I/O error the file is opened anew before the next commit.
    ///
    /// # Errors
    /// [`StoreError::NotApplied`] with what to do, when the file cannot be opened, is in use, or is of another format.
    pub fn open(path: &Path, origin: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let path: PathBuf = path.to_owned();
        let opener = Box::new(move || {
            Database::builder()
                .set_cache_size(64 * 1024 * 1024)
                .create(&path)
                .map_err(|e| format!("{}: {e}", path.display()))
        });
        Self::with(opener, origin, clock)
    }

    /// The engine over another backend: what crash tests cut the power of.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn over<B: StorageBackend>(
        backend: impl Fn() -> B + Send + 'static,
        origin: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let opener =
            Box::new(move || Database::builder().create_with_backend(backend()).map_err(|e| format!("backend: {e}")));
        Self::with(opener, origin, clock)
    }

    fn with(opener: Opener, origin: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let database = Shelf::default();
        let trouble = Arc::new(Mutex::new(None));
        let (jobs, queue) = mpsc::channel(QUEUE);
        let mut thread = Writer::new(opener, database.clone(), trouble.clone(), origin.to_owned(), clock);
        thread.open()?;
        spawn("store-writer", move || thread.run(queue))?;
        let (reads, mut waiting) = mpsc::channel::<ReadJob>(QUEUE);
        let shelf = database.clone();
        spawn("store-reader", move || {
            while let Some(job) = waiting.blocking_recv() {
                read_on(&shelf, job);
            }
        })?;
        Ok(Self { jobs, reads, database, trouble })
    }

    /// Ends the threads' work and closes the file.
    pub fn close(self) {
        drop(self.jobs);
        drop(self.reads);
        self.database.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    async fn submit<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| StoreError::Unknown("the writer ended".to_owned()))?
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&ReadTransaction) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: ReadJob = Box::new(move |transaction| {
            let _ = answer.send(transaction.and_then(read));
        });
        self.reads.send(job).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
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

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).map_err(|e| StoreError::NotApplied(format!("no thread: {e}")))
}

fn stopped() -> StoreError {
    StoreError::NotApplied("the store is closed".to_owned())
}

#[async_trait]
impl Store for RedbStore {
    async fn commit_intents(&self, batch: Vec<Intent>) -> Result<Vec<Admit>, StoreError> {
        self.submit(|answer| Job::Intents(batch, answer)).await
    }

    async fn commit_outcomes(&self, batch: Vec<Outcome>) -> Result<Vec<Receipt>, StoreError> {
        self.submit(|answer| Job::Outcomes(batch, answer)).await
    }

    async fn revoke(&self, scope: Scope, stop: Stop, entry: Draft) -> Result<Revoked, StoreError> {
        self.submit(|answer| Job::Revoke(scope, stop, Box::new(entry), answer)).await
    }

    async fn put_cas(&self, changes: Vec<Change>, entries: Vec<Draft>) -> Result<Changed, StoreError> {
        self.submit(|answer| Job::Put(changes, entries, answer)).await
    }

    async fn append(&self, entries: Vec<Draft>) -> Result<Vec<Receipt>, StoreError> {
        self.submit(|answer| Job::Append(entries, answer)).await
    }

    async fn get(&self, key: Key) -> Result<Option<Versioned>, StoreError> {
        self.read(move |tx| read::get(tx, &key)).await
    }

    async fn scan(&self, range: Range, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Versioned>, StoreError> {
        self.read(move |tx| read::scan(tx, &range, after.as_deref(), limit)).await
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

    async fn resolve(&self) -> Result<Vec<OpenIntent>, StoreError> {
        self.read(read::open_intents).await
    }

    async fn highest_intent(&self) -> Result<u64, StoreError> {
        self.read(|tx| read::meta(tx, tables::INTENTS)).await
    }

    async fn audit_scan(&self, range: AuditRange) -> Result<Vec<Leaf>, StoreError> {
        self.read(move |tx| read::leaves(tx, &range)).await
    }

    async fn audit_key(&self, tenant: TenantId, owner: String) -> Result<Option<AuditKey>, StoreError> {
        self.read(move |tx| read::audit_key(tx, tenant, &owner)).await
    }

    async fn tree_head(&self) -> Result<TreeHead, StoreError> {
        self.read(read::tree_head).await
    }

    async fn consistency(&self, size: u64, to: u64) -> Result<(Hash, Vec<Hash>), StoreError> {
        self.read(move |tx| read::consistency(tx, size, to)).await
    }

    async fn put_checkpoint(&self, size: u64, note: String) -> Result<(), StoreError> {
        self.submit(|answer| Job::Checkpoint(size, note, answer)).await
    }

    async fn checkpoints(&self, from: u64, limit: usize) -> Result<Vec<String>, StoreError> {
        self.read(move |tx| read::checkpoints(tx, from, limit)).await
    }

    async fn newest_checkpoint(&self) -> Result<Option<String>, StoreError> {
        self.read(read::newest_checkpoint).await
    }

    async fn expire(&self, before_ms: u64) -> Result<u64, StoreError> {
        self.submit(|answer| Job::Expire(before_ms, answer)).await
    }

    async fn health(&self) -> Result<(), StoreError> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // What failed before may work again: only a commit tells.
        if trouble.is_some() { self.submit(Job::Touch).await } else { Ok(()) }
    }
}
