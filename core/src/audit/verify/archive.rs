//! Verifying segments one after the other, and an export behind them.

use std::fmt;
use std::io::BufRead;

use super::super::checkpoint::{Checkpoint, SignedCheckpoint};
use super::super::export::{Header, Line, Lines};
use super::super::note::VerifierKey;
use super::super::segment::{SEGMENT_FORMAT, SegmentHeader};
use super::super::tree::Frontier;
use super::super::verdict::{Break, Report};
use super::heads::{Heads, Source};
use super::{Audit, Evidence, read};

/// Segments that verified so far, each beginning where the one before ended. The first may begin anywhere.
pub struct Archive<'a> {
    key: &'a VerifierKey,
    evidence: &'a Evidence,
    /// What the segments came to, and the checkpoint that the last one ends with.
    read: Option<(Audit<'a>, Checkpoint)>,
}

impl fmt::Debug for Archive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.read.as_ref().map(|(audit, _)| audit.heads.size());
        f.debug_struct("Archive").field("entries", &entries).finish_non_exhaustive()
    }
}

impl<'a> Archive<'a> {
    /// No segments yet.
    pub fn new(key: &'a VerifierKey, evidence: &'a Evidence) -> Self {
        Self { key, evidence, read: None }
    }

    /// Verifies the next segment: it goes on where the one before ended, its frontier is what was signed for its first
    /// entry, and its entries are what was signed for its last. Gives its header and its last checkpoint.
    ///
    /// # Errors
    /// The first [`Break`]; nothing is proven then.
    pub fn add(&mut self, segment: impl BufRead) -> Result<(SegmentHeader, Checkpoint), Break> {
        let mut lines = Lines::new(segment);
        let header: SegmentHeader = read(&mut lines)?.ok_or(Break::Malformed { line: 1 })?;
        let frontier = self.frontier_of(&header)?;
        let mut audit = match self.read.take() {
            Some((audit, _)) => audit.followed_by(&header, &frontier)?,
            None => self.begin(&header, frontier)?,
        };
        if header.first > 0 {
            let line = read(&mut lines)?;
            audit.border(line, lines.number(), header.first)?;
        }
        for seq in header.first..=header.last {
            match read(&mut lines)? {
                Some(line @ Line::Leaf { .. }) => audit.take(line, &mut lines)?,
                Some(Line::Hash { seq, .. }) => return Err(Break::Withheld { seq }),
                _ => return Err(Break::Deleted { expected: seq, found: header.last.saturating_add(1) }),
            }
        }
        let line = read(&mut lines)?;
        let end = audit.border(line, lines.number(), header.first)?;
        if read::<Line>(&mut lines)?.is_some() {
            return Err(Break::Malformed { line: lines.number() });
        }
        self.read = Some((audit, end.clone()));
        Ok((header, end))
    }

    /// What the segments alone come to.
    ///
    /// # Errors
    /// [`Break::NoCheckpoint`] if there are none; otherwise what the evidence shows.
    pub fn report(self) -> Result<Report, Break> {
        let (mut audit, _) = self.read.ok_or(Break::NoCheckpoint)?;
        audit.heads.end_here();
        audit.receipts.clear();
        audit.finish()
    }

    /// Verifies an export. What the segments have shown may stand as hashes in it.
    ///
    /// # Errors
    /// The first [`Break`]. Reading stops there, except that after a missing number the rest is searched for it, to
    /// tell a deletion from another order.
    pub fn verify(self, export: impl BufRead) -> Result<Report, Break> {
        let mut lines = Lines::new(export);
        let mut audit = Audit::begin(&mut lines, self.key, self.evidence)?;
        if let Some((segments, end)) = self.read {
            audit.follow(segments, &end)?;
        }
        while let Some(line) = read(&mut lines)? {
            audit.take(line, &mut lines)?;
        }
        audit.finish()
    }

    fn frontier_of(&self, header: &SegmentHeader) -> Result<Frontier, Break> {
        if header.format != SEGMENT_FORMAT || header.last < header.first {
            return Err(Break::Malformed { line: 1 });
        }
        if header.verifier_key != self.key.to_string() {
            return Err(Break::OtherKey { named: header.verifier_key.clone() });
        }
        Frontier::from_peaks(header.first, header.frontier.clone()).ok_or(Break::Malformed { line: 1 })
    }

    fn begin(&self, header: &SegmentHeader, frontier: Frontier) -> Result<Audit<'a>, Break> {
        let log = Header::new(header.origin.as_str(), self.key, None, header.writer.as_str()).archived(header.first);
        Audit::of(log, self.key, Heads::starting(frontier), self.evidence)
    }
}

impl Audit<'_> {
    /// The same audit, if a segment goes on where it stands.
    fn followed_by(self, header: &SegmentHeader, frontier: &Frontier) -> Result<Self, Break> {
        self.same_log(&header.origin)?;
        let expected = self.heads.size();
        if header.first != expected {
            return Err(Break::MissingSegment { expected, found: header.first });
        }
        if frontier != self.heads.frontier() || header.writer != self.header.writer {
            return Err(Break::OtherHistory { first: expected });
        }
        Ok(self)
    }

    /// Takes in the checkpoint that must stand here, over exactly the entries so far. `first` is that of the segment.
    fn border(&mut self, line: Option<Line>, number: u64, first: u64) -> Result<Checkpoint, Break> {
        let Some(Line::Checkpoint { checkpoint: text }) = line else {
            return Err(Break::Malformed { line: number });
        };
        let checkpoint = self.opened(&text, number)?;
        let size = self.heads.size();
        if checkpoint.size != size {
            return Err(Break::Malformed { line: number });
        }
        if checkpoint.root != self.heads.frontier().root() {
            let from = if size == first { 0 } else { first };
            return Err(Break::Edited { from, to: size.saturating_sub(1) });
        }
        self.heads.claim(&checkpoint, Source::Export)?;
        Ok(checkpoint)
    }

    /// Goes on from what segments have shown.
    fn follow(&mut self, segments: Audit<'_>, end: &Checkpoint) -> Result<(), Break> {
        self.same_log(&segments.header.origin)?;
        if self.header.tenant.is_some() {
            return Err(Break::TenantExport);
        }
        self.given = segments.heads.size();
        if self.header.archived > self.given {
            return Err(Break::MissingSegment { expected: self.given, found: self.header.archived });
        }
        self.rows = segments.rows;
        self.heads.claim(end, Source::Outside)
    }

    pub(super) fn opened(&self, text: &SignedCheckpoint, line: u64) -> Result<Checkpoint, Break> {
        let checkpoint = text.verify(self.key).map_err(|source| Break::BadCheckpoint { line, source })?;
        self.same_log(&checkpoint.origin)?;
        Ok(checkpoint)
    }
}
