//! Retention: old entries leave the store for segments on disk, and never without one that verifies.
//!
//! The order is what makes a crash harmless: a segment is written under another name, made durable, read back and
//! verified, and only then named; entries leave the store, a bounded number a commit, while a named segment has them.
//! Whatever was interrupted, the next run finds the named segment, verifies it again and goes on.

use std::io::{self, BufReader, Read, Write};
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

use super::{Service, ServiceError};
use crate::audit::export::{checkpoint_line, leaf_line};
use crate::audit::segment::file_name;
use crate::audit::{
    Archive, Break, Draft, Entry, EntryOutcome, Evidence, SegmentHeader, SignedCheckpoint, VerifierKey, timestamp,
};
use crate::clock::Clock;
use crate::execution::Origin;
use crate::store::{AuditRange, Segment, Store, StoreError};

mod folder;

pub use folder::{Folder, Shelf};

/// Entries of one segment at most, unless checkpoints are further apart.
const ENTRIES_MAX: u64 = 100_000;

/// Entries per read of the store.
const CHUNK: u64 = 1_000;

/// Entries leave by whole days, so that a quiet log does not make a file every hour.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What retention works on.
pub struct Retention<'a> {
    /// Where entries leave from.
    pub store: &'a dyn Store,
    /// What tells their age.
    pub clock: &'a dyn Clock,
    /// The key of the log.
    pub key: &'a VerifierKey,
    /// Where segments are kept.
    pub shelf: &'a dyn Shelf,
    /// Entries of one segment at most, unless checkpoints are further apart.
    pub entries_max: u64,
}

/// Why entries that are old enough are still in the store. Those that a segment does not have all are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The segment cannot be written or read.
    #[error("the segment cannot be written or read: {0}")]
    Io(#[from] io::Error),
    /// A segment does not verify.
    #[error("the segment {name} does not verify, and no further entry leaves the store: put it back as it was ({why})")]
    Broken {
        /// Its file.
        name: String,
        /// What is wrong.
        #[source]
        why: Break,
    },
    /// A segment verifies, and is not of these entries.
    #[error("the segment {0} is not of the entries in the store: move it away; no entry leaves the store until then")]
    Other(String),
}

impl Service {
    /// Moves entries that are older than `keep`, and covered by a signed checkpoint, to segments. Says how many left the
    /// store; none while the log's key is not known.
    ///
    /// Reads and writes files in the calling thread.
    ///
    /// # Errors
    /// [`RetentionError`]; the next call goes on where this one ended.
    pub async fn retain(&self, keep: Duration, segments: &dyn Shelf) -> Result<u64, RetentionError> {
        let key = match self.log_key().await {
            Ok(key) => key,
            Err(ServiceError::NotFound(_)) => return Ok(0),
            Err(error) => return Err(StoreError::NotApplied(error.to_string()).into()),
        };
        let (store, clock) = (self.store.as_ref(), self.clock.as_ref());
        Retention { store, clock, key: &key, shelf: segments, entries_max: ENTRIES_MAX }.run(keep).await
    }
}

impl Retention<'_> {
    /// Moves entries that are older than `keep`, by whole days, and says how many left the store.
    ///
    /// # Errors
    /// [`RetentionError`]; the next run goes on where this one ended.
    pub async fn run(&self, keep: Duration) -> Result<u64, RetentionError> {
        let keep_ms = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX);
        let before = self.clock.unix_ms().saturating_sub(keep_ms);
        let before = timestamp(before.saturating_sub(before.checked_rem(DAY_MS).unwrap_or(0)));
        let mut left: u64 = 0;
        while let Some(segment) = self.segment(&before).await? {
            loop {
                match self.store.archive(segment, self.entry(&segment)).await? {
                    0 => break,
                    count => left = left.saturating_add(count),
                }
            }
        }
        Ok(left)
    }

    /// The segment, on disk and verified, of the entries that leave next.
    async fn segment(&self, before: &str) -> Result<Option<Segment>, RetentionError> {
        let first = self.store.tree_head().await?.oldest;
        if let Some(begun) = self.store.segment_of(first).await? {
            let found = self.verified(begun.first, begun.last).await?;
            let is_same = found == begun;
            return if is_same { Ok(Some(begun)) } else { Err(RetentionError::Other(name(&begun))) };
        }
        if let Some(last) = self.shelf.find(first)? {
            return self.verified(first, last).await.map(Some);
        }
        match self.end(first, before).await? {
            Some(end) => self.write(first, end).await.map(Some),
            None => Ok(None),
        }
    }

    /// Where the segment ends that begins with `first`: at the last checkpoint over entries written before `before`.
    async fn end(&self, first: u64, before: &str) -> Result<Option<u64>, RetentionError> {
        let full = first.saturating_add(self.entries_max);
        let mut end = self.size_of(self.store.checkpoint_up_to(full).await?)?;
        if end <= first {
            end = self.size_of(self.store.checkpoints(full, 1).await?.pop())?;
        }
        let old = self.old(first, end, before).await?;
        if old < end {
            end = self.size_of(self.store.checkpoint_up_to(old).await?)?;
        }
        Ok((end > first).then_some(end))
    }

    /// The first entry of `first..end` that was not written before `before`, or `end`.
    async fn old(&self, first: u64, end: u64, before: &str) -> Result<u64, StoreError> {
        let mut next = first;
        while next < end {
            for leaf in self.leaves(next, end).await? {
                let entry = Entry::from_leaf(&leaf).map_err(|e| corrupt(next, &e))?;
                if entry.at.as_str() >= before {
                    return Ok(next);
                }
                next = next.saturating_add(1);
            }
        }
        Ok(next)
    }

    /// Writes the segment of the entries `first..end`, and names it once it verifies.
    async fn write(&self, first: u64, end: u64) -> Result<Segment, RetentionError> {
        let last = end.saturating_sub(1);
        let header = SegmentHeader::new(self.key, &self.store.frontier(first).await?, last);
        let mut draft = self.shelf.draft()?;
        draft.write_all(header.line().as_bytes())?;
        if first > 0 {
            draft.write_all(self.checkpoint(first).await?.as_bytes())?;
        }
        let mut next = first;
        while next < end {
            for leaf in self.leaves(next, end).await? {
                draft.write_all(leaf_line(next, &leaf).map_err(|e| corrupt(next, &e))?.as_bytes())?;
                next = next.saturating_add(1);
            }
        }
        draft.write_all(self.checkpoint(end).await?.as_bytes())?;
        draft.flush()?;
        drop(draft);
        self.shelf.sync_draft()?;
        let segment = self.verify(self.shelf.read_draft()?, first, last).await?;
        self.shelf.keep_draft(&name(&segment))?;
        Ok(segment)
    }

    async fn verified(&self, first: u64, last: u64) -> Result<Segment, RetentionError> {
        self.verify(self.shelf.read(&file_name(first, last))?, first, last).await
    }

    /// Verifies a segment as anybody would, and that it is of the entries in the store.
    async fn verify(&self, file: Box<dyn Read + Send>, first: u64, last: u64) -> Result<Segment, RetentionError> {
        let name = file_name(first, last);
        let (before, after) = (self.store.frontier(first).await?, self.store.frontier(last.saturating_add(1)).await?);
        let mut file = BufReader::new(Hashing { file, context: Context::new(&SHA256) });
        let evidence = Evidence::default();
        let read = Archive::new(self.key, &evidence).add(&mut file);
        let (header, end) = read.map_err(|why| RetentionError::Broken { name: name.clone(), why })?;
        if header != SegmentHeader::new(self.key, &before, last) || end.root != after.root() {
            return Err(RetentionError::Other(name));
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(file.into_inner().context.finish().as_ref());
        Ok(Segment { first, last, sha256 })
    }

    /// The leaves from `next` to before `end`, as many as one read gives, and at least one.
    async fn leaves(&self, next: u64, end: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let limit = usize::try_from(end.saturating_sub(next).min(CHUNK)).unwrap_or(usize::MAX);
        let leaves = self.store.audit_scan(AuditRange { tenant: None, from: next, limit }).await?;
        let is_next = !leaves.is_empty() && (next..).zip(&leaves).all(|(seq, leaf)| leaf.seq == seq);
        if !is_next {
            return Err(corrupt(next, &"it is not there"));
        }
        Ok(leaves.into_iter().map(|leaf| leaf.bytes).collect())
    }

    /// The line of the checkpoint over exactly `size` entries.
    async fn checkpoint(&self, size: u64) -> Result<String, StoreError> {
        let note = self.store.checkpoints(size, 1).await?.pop();
        let note = note.ok_or_else(|| StoreError::Corrupt(format!("no checkpoint of {size} entries is stored")))?;
        Ok(checkpoint_line(&SignedCheckpoint::unverified(note)))
    }

    /// How many entries a checkpoint covers; 0 if there is none.
    fn size_of(&self, note: Option<String>) -> Result<u64, StoreError> {
        let Some(note) = note else { return Ok(0) };
        let checkpoint = SignedCheckpoint::unverified(note).verify(self.key);
        Ok(checkpoint.map_err(|e| StoreError::Corrupt(format!("a stored checkpoint: {e}")))?.size)
    }

    fn entry(&self, segment: &Segment) -> Draft {
        let entry = Origin::system(self.clock).draft("audit.archive", EntryOutcome::Allowed);
        entry
            .on("segment", name(segment))
            .detail("first", segment.first.to_string())
            .detail("last", segment.last.to_string())
            .detail("sha256", HEXLOWER.encode(&segment.sha256))
    }
}

impl std::fmt::Debug for Retention<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Retention").field("key", self.key).finish_non_exhaustive()
    }
}

/// Hashes what is read.
struct Hashing {
    file: Box<dyn Read + Send>,
    context: Context,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.context.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

fn name(segment: &Segment) -> String {
    file_name(segment.first, segment.last)
}

fn corrupt(seq: u64, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("audit entry {seq}: {why}"))
}
