//! What each job does inside the one write transaction.

use redb::{StorageError, Table, WriteTransaction};

use super::super::StoreError;
use super::log::Log;
use super::tables::{self, Bytes, Id};
use crate::clock::{Clock, SystemClock};

mod archive;
mod audit;
mod changes;
mod erase;
mod intents;
mod keks;
mod tenants;
mod tombstones;
mod wraps;

pub(super) use erase::owner_hash;
pub(super) use wraps::wraps_under_taken;

/// About what a commit writes that many callers share.
const PROBE_BYTES: usize = 256 * 1024;

/// Why a job came to nothing.
#[derive(Debug)]
pub(super) enum Failed {
    /// It is refused. INVARIANT: it has written nothing, so the transaction goes on without it.
    Refused(StoreError),
    /// It cannot be done, and may have written; the transaction must be given up. The other jobs can be run again.
    Spoiled(StoreError),
    /// The engine failed; so would every other job.
    Engine(String),
}

impl From<StorageError> for Failed {
    fn from(error: StorageError) -> Self {
        if matches!(error, StorageError::Corrupted(_)) {
            // Of all that is in the file the job touches little; others may not need what it met.
            Self::Spoiled(StoreError::Corrupt(error.to_string()))
        } else {
            Self::Engine(error.to_string())
        }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Spoiled(error)
    }
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Refused(error) | Failed::Spoiled(error) => error,
            Failed::Engine(why) => Self::NotApplied(why),
        }
    }
}

/// The tables of one write transaction, and what the log comes to in it.
pub(super) struct Apply<'tx> {
    records: Table<'tx, Bytes, Bytes>,
    sealed_under: Table<'tx, (Id, u32, Bytes), ()>,
    sealed_counts: Table<'tx, (Id, u32), u64>,
    executions: Table<'tx, Id, Bytes>,
    tenant_executions: Table<'tx, (Id, Id), ()>,
    idempotency: Table<'tx, Bytes, Bytes>,
    due: Table<'tx, (u64, u64), Id>,
    nonces: Table<'tx, Id, u64>,
    open: Table<'tx, u64, Bytes>,
    unknown: Table<'tx, u64, Bytes>,
    released: Table<'tx, (u64, u64), Bytes>,
    leaves: Table<'tx, u64, Bytes>,
    nodes: Table<'tx, (u8, u64), [u8; 32]>,
    tenant_leaves: Table<'tx, (&'static str, u64), u64>,
    tenant_counts: Table<'tx, &'static str, u64>,
    outcomes: Table<'tx, (u64, u64), ()>,
    audit_keys: Table<'tx, (&'static str, &'static str), [u8; 32]>,
    erased: Table<'tx, Bytes, Bytes>,
    checkpoints: Table<'tx, u64, &'static str>,
    segments: Table<'tx, u64, (u64, [u8; 32])>,
    wraps: Table<'tx, [u8; 32], Bytes>,
    probe: Table<'tx, (), Bytes>,
    meta: Table<'tx, &'static str, u64>,
    log: &'tx mut Log,
    clock: &'tx dyn Clock,
}

/// Makes all tables, and says which format they have.
pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut log = Log::default();
    let mut apply = Apply::open(transaction, &mut log, &SystemClock)?;
    apply.meta.insert(tables::FORMAT, tables::FORMAT_NOW)?;
    apply.finish()?;
    Ok(())
}

/// Writes as much as a commit that many share: on a full disk a small one may still find room in the file.
pub(super) fn probe(apply: &mut Apply<'_>) -> Result<(), Failed> {
    apply.probe.insert((), vec![0; PROBE_BYTES].as_slice())?;
    Ok(())
}

impl<'tx> Apply<'tx> {
    pub(super) fn open(
        tx: &'tx WriteTransaction,
        log: &'tx mut Log,
        clock: &'tx dyn Clock,
    ) -> Result<Self, redb::TableError> {
        Ok(Self {
            records: tx.open_table(tables::RECORDS)?,
            sealed_under: tx.open_table(tables::SEALED_UNDER)?,
            sealed_counts: tx.open_table(tables::SEALED_COUNTS)?,
            executions: tx.open_table(tables::EXECUTIONS)?,
            tenant_executions: tx.open_table(tables::TENANT_EXECUTIONS)?,
            idempotency: tx.open_table(tables::IDEMPOTENCY)?,
            due: tx.open_table(tables::DUE)?,
            nonces: tx.open_table(tables::NONCES)?,
            open: tx.open_table(tables::OPEN)?,
            unknown: tx.open_table(tables::UNKNOWN)?,
            released: tx.open_table(tables::RELEASED)?,
            leaves: tx.open_table(tables::LEAVES)?,
            nodes: tx.open_table(tables::NODES)?,
            tenant_leaves: tx.open_table(tables::TENANT_LEAVES)?,
            tenant_counts: tx.open_table(tables::TENANT_COUNTS)?,
            outcomes: tx.open_table(tables::OUTCOMES)?,
            audit_keys: tx.open_table(tables::AUDIT_KEYS)?,
            erased: tx.open_table(tables::ERASED)?,
            checkpoints: tx.open_table(tables::CHECKPOINTS)?,
            segments: tx.open_table(tables::SEGMENTS)?,
            wraps: tx.open_table(tables::WRAPS)?,
            probe: tx.open_table(tables::PROBE)?,
            meta: tx.open_table(tables::META)?,
            log,
            clock,
        })
    }

    /// Writes the counters; the last thing before the commit.
    pub(super) fn finish(mut self) -> Result<(), StorageError> {
        let counters = [
            (tables::INTENTS, self.log.intents),
            (tables::LEAF_COUNT, self.log.frontier.size()),
            (tables::COMMITS, self.log.commits),
            (tables::CHANGES, self.log.changes),
        ];
        for (name, value) in counters {
            self.meta.insert(name, value)?;
        }
        Ok(())
    }
}
