//! The writer thread: whatever waits goes into one commit.

use std::sync::{Arc, PoisonError};

use redb::{Database, ReadableDatabase, TableError, TableHandle, WriteTransaction};
use tokio::sync::mpsc;

use super::super::StoreError;
use super::apply::{self, Apply, Failed};
use super::job::Job;
use super::log::Log;
use super::{Opener, Shelf, Trouble, read, tables};
use crate::clock::Clock;

/// Jobs in one commit at most.
const BATCH: usize = 512;

pub(super) struct Writer {
    opener: Opener,
    shelf: Shelf,
    trouble: Arc<Trouble>,
    origin: String,
    clock: Arc<dyn Clock>,
    /// What is true of the last durable commit.
    durable: Log,
}

/// Why an attempt to commit came to nothing, or may have.
enum Abort {
    /// One job cannot be done. Certainly nothing is stored.
    Job(usize, StoreError),
    /// The engine failed before the commit: certainly nothing is stored.
    Before(String),
    /// The engine failed in the commit: the file must say.
    InCommit(String, Log),
}

impl Writer {
    pub(super) fn new(
        opener: Opener,
        shelf: Shelf,
        trouble: Arc<Trouble>,
        origin: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { opener, shelf, trouble, origin, clock, durable: Log::default() }
    }

    /// Opens the file, anew if it was open, and reads where it stands.
    pub(super) fn open(&mut self) -> Result<(), StoreError> {
        let mut held = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        // The old handle holds the file's lock.
        held.take();
        let database = (self.opener)().map_err(StoreError::NotApplied)?;
        self.durable = Log::load(&database, &self.origin)?;
        *held = Some(database);
        Ok(())
    }

    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = queue.blocking_recv() {
            let mut batch = vec![first];
            while batch.len() < BATCH
                && let Ok(job) = queue.try_recv()
            {
                batch.push(job);
            }
            self.commit(batch);
        }
        self.shelf.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn commit(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let result = self.try_commit(&mut batch);
        let why = result.as_ref().err().map(ToString::to_string);
        self.trouble.report(why.as_deref());
        for job in batch {
            job.settle(result.clone());
        }
    }

    /// Commits the batch. Jobs that cannot be done are answered and taken out of it, and the others start over.
    fn try_commit(&mut self, batch: &mut Vec<Box<dyn Job>>) -> Result<(), StoreError> {
        // After an I/O error redb refuses everything until the file is opened anew.
        if self.trouble.is_some() {
            self.open()?;
        }
        loop {
            match self.attempt(batch) {
                Ok(log) => {
                    self.durable = log;
                    return Ok(());
                }
                Err(Abort::Job(place, error)) => {
                    tracing::error!(%error, "a write cannot be done; the others go on without it");
                    batch.remove(place).settle(Err(error));
                }
                Err(Abort::Before(why)) => {
                    // At once, so that reads go on.
                    let _ = self.open();
                    return Err(StoreError::NotApplied(why));
                }
                Err(Abort::InCommit(why, attempted)) => return self.settle_doubt(why, &attempted),
            }
        }
    }

    /// The commit itself failed: the file says whether it counts. See the top of [`super`] for why that can be relied on.
    fn settle_doubt(&mut self, why: String, attempted: &Log) -> Result<(), StoreError> {
        match self.open() {
            Ok(()) if self.durable.commits == attempted.commits => Ok(()),
            Ok(()) => Err(StoreError::NotApplied(why)),
            Err(_) => Err(StoreError::Unknown(why)),
        }
    }

    fn attempt(&self, batch: &mut [Box<dyn Job>]) -> Result<Log, Abort> {
        let before = |e: &dyn std::fmt::Display| Abort::Before(e.to_string());
        let held = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        let database = held.as_ref().ok_or_else(|| before(&"the store is closed"))?;
        let mut log = self.durable.clone();
        log.commits = log.commits.saturating_add(1);
        let transaction = begin(database).map_err(|e| before(&e))?;
        let mut apply = Apply::open(&transaction, &mut log, self.clock.as_ref()).map_err(|e| before(&e))?;
        for (place, job) in batch.iter_mut().enumerate() {
            job.apply(&mut apply).map_err(|failed| match failed {
                Failed::Refused(error) | Failed::Spoiled(error) => Abort::Job(place, error),
                Failed::Engine(why) => Abort::Before(why),
            })?;
        }
        apply.finish().map_err(|e| before(&e))?;
        match transaction.commit() {
            Ok(()) => Ok(log),
            Err(e) => Err(Abort::InCommit(e.to_string(), log)),
        }
    }
}

/// Every commit goes through here: durable at once, in two phases, with the allocator's state for a quick repair.
fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

impl Log {
    /// Reads where the file stands. A new file gets all its tables, so that readers find them.
    fn load(database: &Database, origin: &str) -> Result<Self, StoreError> {
        if is_new(database)? {
            fill(database).map_err(|e| StoreError::NotApplied(e.to_string()))?;
        }
        let transaction = database.begin_read().map_err(|e| StoreError::NotApplied(e.to_string()))?;
        let format = read::meta(&transaction, tables::FORMAT)?;
        if format != tables::FORMAT_NOW {
            return Err(StoreError::NotApplied(format!(
                "the store has format {format}, and this version reads {}",
                tables::FORMAT_NOW
            )));
        }
        Ok(Self {
            frontier: read::frontier(&transaction)?,
            commits: read::meta(&transaction, tables::COMMITS)?,
            intents: read::meta(&transaction, tables::INTENTS)?,
            changes: read::meta(&transaction, tables::CHANGES)?,
            origin: origin.to_owned(),
        })
    }
}

/// Whether the file has no tables at all. Only that it could not be read is never taken for new.
fn is_new(database: &Database) -> Result<bool, StoreError> {
    let unreadable = |e: &dyn std::fmt::Display| StoreError::NotApplied(e.to_string());
    let transaction = database.begin_read().map_err(|e| unreadable(&e))?;
    match transaction.open_table(tables::META) {
        Ok(_) => Ok(false),
        Err(TableError::TableDoesNotExist(_)) => match transaction.list_tables().map_err(|e| unreadable(&e))?.next() {
            None => Ok(true),
            Some(other) => {
                let other = other.name().to_owned();
                Err(StoreError::NotApplied(format!("not a store: it has a table `{other}` and no `meta`")))
            }
        },
        Err(e) => Err(unreadable(&e)),
    }
}

fn fill(database: &Database) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    apply::make_tables(&transaction)?;
    transaction.commit()?;
    Ok(())
}
