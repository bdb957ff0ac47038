//! The tree side of verifying: the leaves so far against every signed size.

use std::collections::BTreeMap;

use super::super::checkpoint::Checkpoint;
use super::super::tree::{Frontier, Hash};
use super::super::verdict::Break;

/// The most checkpoints that may wait for the leaves they cover.
const AHEAD_MAX: usize = 4_096;

/// Where a checkpoint came from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Export,
    Outside,
}

/// How far a checkpoint reaches. Heads are compared by size, then by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) time: Option<String>,
}

/// The growing tree and what was signed about it.
#[derive(Default)]
pub(super) struct Heads {
    frontier: Frontier,
    /// Validly signed, and waiting for the leaf that completes their size.
    ahead: BTreeMap<u64, Vec<Claim>>,
    waiting: usize,
    agreed: u64,
    in_export: Option<Head>,
    outside: Option<Head>,
    /// The latest time so far, and the size it was stated for.
    latest: Option<(String, u64)>,
    backward: u64,
    suspect: Option<Suspect>,
}

/// What the tree side adds to the report.
pub(super) struct Proven {
    /// The newest checkpoint that agreed.
    pub(super) head: Head,
    pub(super) newer_evidence: bool,
    pub(super) checkpoints: u64,
    pub(super) backward: u64,
}

struct Claim {
    root: Hash,
    time: Option<String>,
    source: Source,
}

/// The first disagreement. Whether the leaves or the signer lied shows only later: if a longer history, signed by the
/// same key, agrees with the leaves, there are two histories.
struct Suspect {
    from: u64,
    size: u64,
}

impl Heads {
    /// A tree that goes on from `frontier`.
    pub(super) fn starting(frontier: Frontier) -> Self {
        Self { frontier, ..Self::default() }
    }

    /// The tree so far.
    pub(super) fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Forgets checkpoints of leaves that do not follow: segments are never the whole log.
    pub(super) fn end_here(&mut self) {
        self.ahead.clear();
    }

    /// The number of leaves so far.
    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Takes in a validly signed checkpoint over as many leaves as there are so far, or more.
    pub(super) fn claim(&mut self, checkpoint: &Checkpoint, source: Source) -> Result<(), Break> {
        let time = checkpoint.time().map(str::to_owned);
        let (size, claim) = (checkpoint.size, Claim { root: checkpoint.root, time, source });
        if size == self.size() {
            return self.judge(claim);
        }
        let claims = self.ahead.entry(size).or_default();
        if claims.iter().any(|other| other.root != claim.root) {
            return Err(Break::Fork { size });
        }
        claims.push(claim);
        self.waiting = self.waiting.saturating_add(1);
        if self.waiting > AHEAD_MAX {
            return Err(Break::TooMany { what: "checkpoints wait for their entries", max: AHEAD_MAX });
        }
        Ok(())
    }

    /// Appends a leaf and judges what was signed about the tree that it completes.
    pub(super) fn push(&mut self, leaf: Hash) -> Result<(), Break> {
        self.frontier.push(leaf);
        for claim in self.ahead.remove(&self.frontier.size()).into_iter().flatten() {
            self.waiting = self.waiting.saturating_sub(1);
            self.judge(claim)?;
        }
        Ok(())
    }

    /// Ends the tree. `receipts_end` is one more than the highest leaf that a receipt beyond the end speaks of, or 0.
    pub(super) fn finish(self, receipts_end: u64) -> Result<Proven, Break> {
        let export = self.size();
        let known = self.ahead.keys().next_back().copied().unwrap_or(0).max(receipts_end);
        if known > export {
            return Err(Break::CutTail { export, known });
        }
        if let Some(Suspect { from, size }) = self.suspect {
            return Err(Break::Edited { from, to: size.saturating_sub(1) });
        }
        let newer_evidence = self.outside > self.in_export;
        let head = self.outside.max(self.in_export).ok_or(Break::NoCheckpoint)?;
        Ok(Proven { head, newer_evidence, checkpoints: self.agreed, backward: self.backward })
    }

    /// Compares a claim about the present size with the present root.
    fn judge(&mut self, claim: Claim) -> Result<(), Break> {
        let size = self.size();
        let agreed_to = self.in_export.iter().chain(&self.outside).map(|head| head.size).max();
        if claim.root == self.frontier.root() {
            if let Some(suspect) = &self.suspect {
                return Err(Break::Fork { size: suspect.size });
            }
            self.agree(Head { size, time: claim.time }, claim.source);
        } else if agreed_to == Some(size) {
            return Err(Break::Fork { size });
        } else {
            self.suspect.get_or_insert(Suspect { from: agreed_to.unwrap_or(0), size });
        }
        Ok(())
    }

    fn agree(&mut self, head: Head, source: Source) {
        if let Some(time) = &head.time {
            match &self.latest {
                Some((latest, size)) if time < latest => {
                    let stepped_back = u64::from(*size < head.size);
                    self.backward = self.backward.saturating_add(stepped_back);
                }
                _ => self.latest = Some((time.clone(), head.size)),
            }
        }
        self.agreed = self.agreed.saturating_add(1);
        let newest = match source {
            Source::Export => &mut self.in_export,
            Source::Outside => &mut self.outside,
        };
        *newest = newest.take().max(Some(head));
    }
}
