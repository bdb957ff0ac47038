//! Verifying an export with nothing but the public key.
//!
//! One pass, one line in memory at a time: each leaf is hashed onto the right edge of the tree, and at every size that
//! was signed the root must be the one that was signed. The key is the reader's own; the one that the export names is
//! only compared with it. What is found first is reported as the [`Break`], so an export with several faults has one
//! after the other.

use std::collections::BTreeMap;
use std::io::BufRead;

use serde::{Deserialize, Serialize};

use super::checkpoint::SignedCheckpoint;
use super::export::{EXPORT_FORMAT, Header, Line, LineError, Lines};
use super::note::VerifierKey;
use super::tree::{Hash, leaf_hash};
use super::verdict::{Break, Report, UNKNOWN_LISTED_MAX};

mod archive;
mod heads;
mod rows;

pub use archive::Archive;

use heads::{Heads, Source};
use rows::Rows;

/// What an answer says about its audit entry. The next checkpoint proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The origin of the log.
    pub origin: String,
    /// The number of the entry.
    pub seq: u64,
    /// The hash of its leaf.
    pub leaf_hash: Hash,
}

/// What the reader has from elsewhere and holds against the export: the only thing that shows a cut tail or a rollback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Checkpoints of the same log, such as a witness keeps them.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// Receipts of the same log.
    pub receipts: Vec<Receipt>,
}

/// Verifies an export against the public key and what else the reader has.
///
/// # Errors
/// The first [`Break`]. Reading stops there, except that after a missing number the rest is searched for it, to tell
/// a deletion from another order.
pub fn verify(export: impl BufRead, key: &VerifierKey, evidence: &Evidence) -> Result<Report, Break> {
    Archive::new(key, evidence).verify(export)
}

/// Everything remembered between two lines.
struct Audit<'key> {
    header: Header,
    key: &'key VerifierKey,
    receipts: BTreeMap<u64, Hash>,
    heads: Heads,
    rows: Rows,
    /// So many leaves at the beginning were shown by segments.
    given: u64,
}

impl<'key> Audit<'key> {
    fn begin(lines: &mut Lines<impl BufRead>, key: &'key VerifierKey, evidence: &Evidence) -> Result<Self, Break> {
        let header: Header = read(lines)?.ok_or(Break::Malformed { line: 1 })?;
        if header.format != EXPORT_FORMAT {
            return Err(Break::Malformed { line: 1 });
        }
        if header.verifier_key != key.to_string() {
            return Err(Break::OtherKey { named: header.verifier_key });
        }
        Self::of(header, key, Heads::default(), evidence)
    }

    /// An audit of what `heads` goes on from, held against the evidence about what follows.
    fn of(header: Header, key: &'key VerifierKey, heads: Heads, evidence: &Evidence) -> Result<Self, Break> {
        let start = heads.size();
        let rows = Rows::new(header.writer.clone(), header.tenant.clone(), header.archived);
        let mut audit = Self { header, key, receipts: BTreeMap::new(), heads, rows, given: 0 };
        for (number, checkpoint) in (1..).zip(&evidence.checkpoints) {
            let checkpoint = checkpoint.verify(key).map_err(|source| Break::BadEvidence { number, source })?;
            audit.same_log(&checkpoint.origin)?;
            if checkpoint.size >= start {
                audit.heads.claim(&checkpoint, Source::Outside)?;
            }
        }
        for Receipt { origin, seq, leaf_hash } in &evidence.receipts {
            audit.same_log(origin)?;
            if audit.receipts.insert(*seq, *leaf_hash).is_some_and(|other| other != *leaf_hash) {
                return Err(Break::ReceiptMismatch { seq: *seq });
            }
        }
        Ok(audit)
    }

    /// Takes in the next line below the header.
    fn take(&mut self, line: Line, rest: &mut Lines<impl BufRead>) -> Result<(), Break> {
        match line {
            Line::Leaf { seq, leaf } => {
                self.in_order(seq, rest)?;
                if seq >= self.given {
                    self.rows.show(seq, &leaf)?;
                }
                let hash = leaf_hash(leaf.as_bytes());
                self.receipt_agrees(seq, &hash)?;
                self.heads.push(hash)
            }
            Line::Hash { seq, hash } => {
                self.in_order(seq, rest)?;
                if seq >= self.given {
                    self.rows.hide(seq)?;
                }
                if self.receipt_agrees(seq, &hash)? && seq >= self.given.max(self.rows.unseen) {
                    return Err(Break::Withheld { seq });
                }
                self.heads.push(hash)
            }
            Line::Checkpoint { checkpoint } => self.checkpoint(&checkpoint, rest.number()),
        }
    }

    fn same_log(&self, origin: &str) -> Result<(), Break> {
        if origin == self.header.origin {
            Ok(())
        } else {
            Err(Break::OtherLog { found: origin.to_owned(), expected: self.header.origin.clone() })
        }
    }

    /// Checks that `seq` is the next number, and otherwise reads on to find out what happened.
    fn in_order(&self, seq: u64, rest: &mut Lines<impl BufRead>) -> Result<(), Break> {
        let expected = self.heads.size();
        if seq == expected {
            return Ok(());
        }
        if seq < expected {
            return Err(Break::Duplicated { seq });
        }
        while let Some(line) = read(rest)? {
            if matches!(line, Line::Leaf { seq, .. } | Line::Hash { seq, .. } if seq == expected) {
                return Err(Break::Reordered { expected, found: seq });
            }
        }
        Err(Break::Deleted { expected, found: seq })
    }

    /// Whether there was a receipt for this leaf, which then agrees.
    fn receipt_agrees(&mut self, seq: u64, hash: &Hash) -> Result<bool, Break> {
        match self.receipts.remove(&seq) {
            Some(receipt) if receipt != *hash => Err(Break::ReceiptMismatch { seq }),
            receipt => Ok(receipt.is_some()),
        }
    }

    fn checkpoint(&mut self, text: &SignedCheckpoint, line: u64) -> Result<(), Break> {
        let checkpoint = self.opened(text, line)?;
        let (size, position) = (checkpoint.size, self.heads.size());
        if size < position {
            return Err(Break::LateCheckpoint { line, size, position });
        }
        self.heads.claim(&checkpoint, Source::Export)
    }

    fn finish(self) -> Result<Report, Break> {
        let entries = self.heads.size();
        let receipts_end = self.receipts.keys().next_back().map_or(0, |seq| seq.saturating_add(1));
        let proven = self.heads.finish(receipts_end)?;
        Ok(Report {
            origin: self.header.origin,
            writer: self.header.writer,
            tenant: self.header.tenant,
            entries,
            shown: self.rows.shown,
            hidden: self.rows.hidden,
            archived: self.rows.unseen,
            from: self.rows.from,
            to: self.rows.to,
            proven: proven.head.size,
            unproven: entries.saturating_sub(proven.head.size),
            checkpoints: proven.checkpoints,
            checkpoint_time: proven.head.time,
            newer_evidence: proven.newer_evidence,
            unknown_count: u64::try_from(self.rows.open.len()).unwrap_or(u64::MAX),
            unknown: self.rows.open.into_iter().take(UNKNOWN_LISTED_MAX).collect(),
            unmatched_outcomes: self.rows.unmatched_outcomes,
            backward_entries: self.rows.backward,
            backward_checkpoints: proven.backward,
            restored: self.rows.restored,
        })
    }
}

fn read<T: Serialize + for<'de> Deserialize<'de>>(lines: &mut Lines<impl BufRead>) -> Result<Option<T>, Break> {
    let line = lines.next();
    line.map_err(|error| match error {
        LineError::Io(error) => Break::Io(error),
        LineError::TooLong => Break::LineTooLong { line: lines.number() },
        LineError::Malformed => Break::Malformed { line: lines.number() },
    })
}
