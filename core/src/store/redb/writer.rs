//! The writer thread: whatever waits goes into one commit.

use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, ReadableDatabase};
use tokio::sync::{mpsc, oneshot};

use super::super::{Admit, Change, Changed, Draft, Intent, Outcome, Receipt, Revoked, Scope, Stop, StoreError};
use super::apply::{Apply, Failed};
use super::log::Log;
use super::{Opener, Shelf, tables};
use crate::clock::Clock;

/// Jobs in one commit at most.
const BATCH: usize = 512;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the writer is asked to do.
pub(super) enum Job {
    Intents(Vec<Intent>, Answer<Vec<Admit>>),
    Outcomes(Vec<Outcome>, Answer<Vec<Receipt>>),
    Revoke(Scope, Stop, Box<Draft>, Answer<Revoked>),
    Put(Vec<Change>, Vec<Draft>, Answer<Changed>),
    Append(Vec<Draft>, Answer<Vec<Receipt>>),
    Checkpoint(u64, String, Answer<()>),
    Expire(u64, Answer<u64>),
    Touch(Answer<()>),
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

/// Sends an answer once it is known whether the commit counts.
type Settle = Box<dyn FnOnce(Result<(), StoreError>)>;

pub(super) struct Writer {
    opener: Opener,
    shelf: Shelf,
    trouble: Arc<Mutex<Option<String>>>,
    clock: Arc<dyn Clock>,
    origin: String,
    /// What is true of the last durable commit.
    durable: Log,
}

impl Writer {
    pub(super) fn new(
        opener: Opener,
        shelf: Shelf,
        trouble: Arc<Mutex<Option<String>>>,
        origin: String,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { opener, shelf, trouble, clock, origin, durable: Log::default() }
    }

    /// Opens the file and reads where it stands.
    pub(super) fn open(&mut self) -> Result<(), StoreError> {
        let mut shelf = self.shelf.write().unwrap_or_else(PoisonError::into_inner);
        // The old handle holds the file's lock.
        shelf.take();
        let database = (self.opener)().map_err(StoreError::NotApplied)?;
        let log = Log::load(&database, &self.origin)?;
        self.durable = log;
        *shelf = Some(database);
        Ok(())
    }

    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Job>) {
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

    fn commit(&mut self, batch: Vec<Job>) {
        let missing = self.shelf.read().unwrap_or_else(PoisonError::into_inner).is_none();
        if missing && let Err(e) = self.open() {
            self.report(Err(&e));
            batch.into_iter().for_each(|job| fail(job, &e));
            return;
        }
        let (settles, result) = self.attempt(batch);
        let result = match result {
            Ok(log) => {
                self.durable = log;
                Ok(())
            }
            Err(Failed::Before(why)) => {
                // After an I/O error redb refuses everything until the file is opened anew.
                let _ = self.open();
                Err(StoreError::NotApplied(why))
            }
            Err(Failed::InCommit(why, log)) => self.settle_doubt(why, &log),
        };
        self.report(result.as_ref().map(drop));
        for settle in settles {
            settle(result.clone());
        }
    }

    /// The commit itself failed: the file says whether it counts.
    fn settle_doubt(&mut self, why: String, attempted: &Log) -> Result<(), StoreError> {
        match self.open() {
            Ok(()) if self.durable.commits == attempted.commits => Ok(()),
            Ok(()) => Err(StoreError::NotApplied(why)),
            Err(_) => Err(StoreError::Unknown(why)),
        }
    }

    fn report(&self, result: Result<(), &StoreError>) {
        let text = result.err().map(ToString::to_string);
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match (&text, trouble.is_some()) {
            (Some(why), false) => tracing::error!(%why, "the store cannot be written; nothing is signed until it can"),
            (None, true) => tracing::warn!("the store can be written again"),
            _ => {}
        }
        *trouble = text;
    }

    fn attempt(&self, batch: Vec<Job>) -> (Vec<Settle>, Result<Log, Failed>) {
        let shelf = self.shelf.read().unwrap_or_else(PoisonError::into_inner);
        let mut settles: Vec<Settle> = Vec::with_capacity(batch.len());
        let Some(database) = shelf.as_ref() else {
            let gone = StoreError::NotApplied("the store is closed".to_owned());
            batch.into_iter().for_each(|job| fail(job, &gone));
            return (settles, Err(Failed::Before("the store is closed".to_owned())));
        };
        let mut log = self.durable.clone();
        let result = self.write(database, batch, &mut settles, &mut log);
        (settles, result.map(|()| log))
    }

    fn write(
        &self,
        database: &Database,
        batch: Vec<Job>,
        settles: &mut Vec<Settle>,
        log: &mut Log,
    ) -> Result<(), Failed> {
        let mut jobs = batch.into_iter();
        let begun = database.begin_write().map_err(Failed::before).and_then(|mut transaction| {
            transaction.set_two_phase_commit(true);
            transaction.set_quick_repair(true);
            Ok(transaction)
        });
        let done = begun.and_then(|transaction| {
            log.commits = log.commits.saturating_add(1);
            {
                let mut apply = Apply::new(&transaction, log, self.clock.as_ref())?;
                for job in jobs.by_ref() {
                    settles.push(run(&mut apply, job)?);
                }
                apply.finish()?;
            }
            transaction.commit().map_err(|e| Failed::InCommit(e.to_string(), Box::new(log.clone())))
        });
        if let Err(failed) = &done {
            let error = StoreError::NotApplied(failed.to_string());
            jobs.for_each(|job| fail(job, &error));
        }
        done
    }
}

/// Applies one job and keeps its answer until the commit counts. A refusal is an answer; only the engine's own errors
/// end the batch.
fn run(apply: &mut Apply<'_>, job: Job) -> Result<Settle, Failed> {
    match job {
        Job::Intents(batch, answer) => settled(apply.intents(batch), answer),
        Job::Outcomes(batch, answer) => settled(apply.outcomes(batch), answer),
        Job::Revoke(scope, stop, entry, answer) => settled(apply.revoke(scope, stop, *entry), answer),
        Job::Put(changes, entries, answer) => settled(apply.put(changes, entries), answer),
        Job::Append(entries, answer) => settled(apply.append_all(entries), answer),
        Job::Checkpoint(size, note, answer) => settled(apply.checkpoint(size, &note), answer),
        Job::Expire(before_ms, answer) => settled(apply.expire(before_ms), answer),
        Job::Touch(answer) => settled(Ok(Ok(())), answer),
    }
}

fn settled<T: 'static>(done: Result<Result<T, StoreError>, Failed>, answer: Answer<T>) -> Result<Settle, Failed> {
    match done {
        Ok(value) => Ok(Box::new(move |committed| {
            let _ = answer.send(committed.and(value));
        })),
        Err(failed) => {
            let _ = answer.send(Err(StoreError::NotApplied(failed.to_string())));
            Err(failed)
        }
    }
}

fn fail(job: Job, error: &StoreError) {
    fn send<T>(answer: Answer<T>, error: &StoreError) {
        let _ = answer.send(Err(error.clone()));
    }
    match job {
        Job::Intents(_, answer) => send(answer, error),
        Job::Outcomes(_, answer) | Job::Append(_, answer) => send(answer, error),
        Job::Revoke(_, _, _, answer) => send(answer, error),
        Job::Put(_, _, answer) => send(answer, error),
        Job::Checkpoint(_, _, answer) | Job::Touch(answer) => send(answer, error),
        Job::Expire(_, answer) => send(answer, error),
    }
}

impl Log {
    /// Reads where the file stands, and makes all tables, so that readers find them.
    fn load(database: &Database, origin: &str) -> Result<Self, StoreError> {
        let broken = |e: &dyn std::fmt::Display| StoreError::NotApplied(e.to_string());
        let fresh = {
            let read = database.begin_read().map_err(|e| broken(&e))?;
            read.open_table(tables::META).is_err()
        };
        if fresh {
            let mut transaction = database.begin_write().map_err(|e| broken(&e))?;
            transaction.set_two_phase_commit(true);
            transaction.set_quick_repair(true);
            super::apply::make_tables(&transaction).map_err(|e| broken(&e))?;
            transaction.commit().map_err(|e| broken(&e))?;
        }
        let read = database.begin_read().map_err(|e| broken(&e))?;
        let format = super::read::meta(&read, tables::FORMAT)?;
        if format != tables::FORMAT_NOW {
            return Err(StoreError::NotApplied(format!(
                "the store has format {format}, and this version reads {}",
                tables::FORMAT_NOW
            )));
        }
        let frontier = super::read::frontier(&read)?;
        Ok(Self {
            frontier,
            commits: super::read::meta(&read, tables::COMMITS)?,
            intents: super::read::meta(&read, tables::INTENTS)?,
            origin: origin.to_owned(),
        })
    }
}
