//! What verifying an export comes to: a [`Report`] if nothing was done to it, or the first [`Break`].

use std::fmt;
use std::io;

use serde::Serialize;

use super::checkpoint::CheckpointError;
use super::entry::EntryError;

/// The most intents without an outcome that a report lists by number; the count is always complete.
pub const UNKNOWN_LISTED_MAX: usize = 1_000;

/// What an export that verified shows, and how far that reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The origin of the checkpoints.
    pub origin: String,
    /// The writer of the log.
    pub writer: String,
    /// The tenant whose rows are shown; `None` if all rows are.
    pub tenant: Option<String>,
    /// The number of leaves, shown or not.
    pub entries: u64,
    /// Leaves whose content is shown.
    pub shown: u64,
    /// Leaves that stand as a hash.
    pub hidden: u64,
    /// Of the leaves, the first so many are in segments that the reader did not give.
    pub archived: u64,
    /// Time of the first entry shown.
    pub from: Option<String>,
    /// Time of the last entry shown.
    pub to: Option<String>,
    /// Leaves that a checkpoint covers.
    pub proven: u64,
    /// Leaves after the last checkpoint.
    pub unproven: u64,
    /// Checkpoints that verified, from the export and from outside.
    pub checkpoints: u64,
    /// When the newest of them was signed, if it says so.
    pub checkpoint_time: Option<String>,
    /// Whether the newest of them came from outside the export.
    pub newer_evidence: bool,
    /// The number of intents without an outcome.
    pub unknown_count: u64,
    /// Their numbers, the first [`UNKNOWN_LISTED_MAX`].
    pub unknown: Vec<u64>,
    /// Outcomes that belong to no intent open at that point.
    pub unmatched_outcomes: u64,
    /// Entries dated before an earlier one.
    pub backward_entries: u64,
    /// Checkpoints dated before a checkpoint of fewer entries.
    pub backward_checkpoints: u64,
    /// Where an older store was put back by a restore, a sentence each.
    pub restored: Vec<String>,
}

/// The first thing found wrong with an export.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Break {
    /// The export could not be read.
    #[error("the export could not be read")]
    Io(#[source] io::Error),
    /// A line is longer than any line of an export.
    #[error("line {line} is too long")]
    LineTooLong {
        /// Number of the line, from 1.
        line: u64,
    },
    /// A line is not what an export has there, or is not written as an export writes it.
    #[error("line {line} is not a line of an export")]
    Malformed {
        /// Number of the line, from 1.
        line: u64,
    },
    /// More than a reader is ready to remember.
    #[error("more than {max} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The export says that it was signed by another key than the reader's.
    #[error("the export names the key {named}, not the one given")]
    OtherKey {
        /// The key it names.
        named: String,
    },
    /// A checkpoint in the export is not a checkpoint, or not of the reader's key.
    #[error("the checkpoint in line {line} does not verify")]
    BadCheckpoint {
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
    /// A checkpoint from outside is not a checkpoint, or not of the reader's key.
    #[error("checkpoint {number} of those given does not verify")]
    BadEvidence {
        /// Its position among those given, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: CheckpointError,
    },
    /// A checkpoint or receipt is about another log.
    #[error("a checkpoint or receipt is of the log {found}, the export of {expected}")]
    OtherLog {
        /// The log it is about.
        found: String,
        /// The log of the export.
        expected: String,
    },
    /// A checkpoint stands after leaves that it does not cover.
    #[error("the checkpoint of {size} entries in line {line} stands after {position} entries")]
    LateCheckpoint {
        /// Number of the line, from 1.
        line: u64,
        /// The size it states.
        size: u64,
        /// The number of leaves before it.
        position: u64,
    },
    /// No checkpoint covers anything, so nothing is proven.
    #[error("there is no checkpoint, so nothing is proven")]
    NoCheckpoint,
    /// Numbers are missing.
    #[error("entry {expected} is missing; {found} follows")]
    Deleted {
        /// The first number that is missing.
        expected: u64,
        /// The number in its place.
        found: u64,
    },
    /// A number comes later than its place.
    #[error("entry {found} stands in the place of {expected}, which comes later")]
    Reordered {
        /// The number that belongs here.
        expected: u64,
        /// The number that is here.
        found: u64,
    },
    /// A number is there twice.
    #[error("entry {seq} is there twice")]
    Duplicated {
        /// The number.
        seq: u64,
    },
    /// A leaf is not an entry.
    #[error("entry {seq} is not an entry")]
    BadEntry {
        /// Its number.
        seq: u64,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// An entry says of itself that it belongs elsewhere.
    #[error("entry {seq} belongs elsewhere: its `{field}` is another")]
    Misplaced {
        /// Its number in the export.
        seq: u64,
        /// The field that disagrees.
        field: &'static str,
    },
    /// A tenant's counter does not go on by one: a row of the tenant is missing or hidden.
    #[error("tenant {tenant} has its entry {found} at {seq}, where {expected} was due")]
    TenantGap {
        /// The tenant.
        tenant: String,
        /// Number of the entry where it shows.
        seq: u64,
        /// The counter that was due.
        expected: u64,
        /// The counter that is there.
        found: u64,
    },
    /// A row that must be shown stands as a hash: any row of a full export, or one that the reader has a receipt for.
    #[error("entry {seq} is withheld")]
    Withheld {
        /// Its number.
        seq: u64,
    },
    /// The leaves are not those that were signed.
    #[error("entries {from} to {to} are not those that were signed")]
    Edited {
        /// The first number that no checkpoint vouches for.
        from: u64,
        /// The last number of the checkpoint that disagrees.
        to: u64,
    },
    /// A receipt names another leaf than the export.
    #[error("entry {seq} is not the one that the receipt was given for")]
    ReceiptMismatch {
        /// Its number.
        seq: u64,
    },
    /// The key has signed two histories.
    #[error("two histories were signed: checkpoints disagree about the first {size} entries")]
    Fork {
        /// The size at which they disagree.
        size: u64,
    },
    /// A segment is missing, there twice, or in another place.
    #[error("a segment was due that begins with entry {expected}; what is there begins with {found}")]
    MissingSegment {
        /// The first entry of the segment that was due.
        expected: u64,
        /// The first entry that is there.
        found: u64,
    },
    /// A segment goes on from other entries than those before it.
    #[error("the segment that begins with entry {first} goes on from another history")]
    OtherHistory {
        /// Its first entry.
        first: u64,
    },
    /// A tenant's export cannot follow segments, which hold everybody's entries.
    #[error("a tenant's export does not follow segments: give a full one, or verify it alone")]
    TenantExport,
    /// The log was longer once.
    #[error("the export ends after {export} entries, but the log had {known}")]
    CutTail {
        /// The number of leaves in the export.
        export: u64,
        /// The number of leaves that a checkpoint or receipt shows there were.
        known: u64,
    },
}

impl Break {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::LineTooLong { .. } => "line-too-long",
            Self::Malformed { .. } => "malformed",
            Self::TooMany { .. } => "too-many",
            Self::OtherKey { .. } => "other-key",
            Self::BadCheckpoint { .. } => "bad-checkpoint",
            Self::BadEvidence { .. } => "bad-evidence",
            Self::OtherLog { .. } => "other-log",
            Self::LateCheckpoint { .. } => "late-checkpoint",
            Self::NoCheckpoint => "no-checkpoint",
            Self::Deleted { .. } => "deleted",
            Self::Reordered { .. } => "reordered",
            Self::Duplicated { .. } => "duplicated",
            Self::BadEntry { .. } => "bad-entry",
            Self::Misplaced { .. } => "misplaced",
            Self::TenantGap { .. } => "tenant-gap",
            Self::Withheld { .. } => "withheld",
            Self::Edited { .. } => "edited",
            Self::ReceiptMismatch { .. } => "receipt-mismatch",
            Self::Fork { .. } => "fork",
            Self::MissingSegment { .. } => "missing-segment",
            Self::OtherHistory { .. } => "other-history",
            Self::TenantExport => "tenant-export",
            Self::CutTail { .. } => "cut-tail",
        }
    }
}

impl Report {
    /// The verdict in words, a line each: what is proven, up to where, and what nothing proves.
    pub fn verdict(&self) -> Vec<String> {
        let mut lines = vec![self.scope(), self.integrity()];
        if self.archived > 0 {
            lines.push(format!("the first {} entries are in segments that were not given", self.archived));
        }
        if self.unproven > 0 {
            let (entries, are) = if self.unproven == 1 { ("entry", "is") } else { ("entries", "are") };
            lines.push(format!("{} {entries} after the last checkpoint {are} not proven", self.unproven));
        }
        let horizon = self.horizon();
        lines.push(if self.newer_evidence {
            format!("complete up to {horizon}, as a checkpoint from outside the export shows")
        } else {
            format!("nothing proves what came after {horizon}")
        });
        if let Some(tenant) = &self.tenant {
            lines.push(format!(
                "{} entries of tenant {tenant} without a gap; only a receipt or a later entry would show that the last \
                 ones were withheld",
                self.shown
            ));
        }
        lines.extend(self.unknown_line());
        lines.extend(self.notes().chain(self.restored.iter().cloned()));
        lines
    }

    fn scope(&self) -> String {
        let span = match (&self.from, &self.to) {
            (Some(from), Some(to)) => format!(", {from} to {to}"),
            _ => String::new(),
        };
        format!("{} by {}: {} entries, {} shown{span}", self.origin, self.writer, self.entries, self.shown)
    }

    fn integrity(&self) -> String {
        format!("the first {} entries are what was signed ({} checkpoints)", self.proven, self.checkpoints)
    }

    /// The point that the newest checkpoint stands for: its time, or failing that its last entry.
    fn horizon(&self) -> String {
        match (&self.checkpoint_time, self.proven.checked_sub(1)) {
            (Some(time), _) => time.clone(),
            (None, Some(last)) => format!("entry {last}"),
            (None, None) => "the beginning".to_owned(),
        }
    }

    fn unknown_line(&self) -> Option<String> {
        let listed: Vec<String> = self.unknown.iter().map(u64::to_string).collect();
        let more = if self.unknown_count > u64::try_from(listed.len()).unwrap_or(u64::MAX) { ", ..." } else { "" };
        (self.unknown_count > 0).then(|| {
            format!("{} intents have no outcome and are unknown: {}{more}", self.unknown_count, listed.join(", "))
        })
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        let counted = [
            (self.unmatched_outcomes, "outcomes belong to no open intent"),
            (self.backward_entries, "entries are dated before an earlier entry"),
            (
                self.backward_checkpoints,
                "checkpoints are dated before one of fewer entries: a clock was set back, or the log was",
            ),
        ];
        counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("note: {count} {what}"))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.verdict().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            origin: "claviger/log_1".to_owned(),
            writer: "node-a".to_owned(),
            tenant: None,
            entries: 12,
            shown: 12,
            hidden: 0,
            archived: 0,
            from: Some("2026-07-29T08:00:00.000Z".to_owned()),
            to: Some("2026-07-29T09:00:00.000Z".to_owned()),
            proven: 10,
            unproven: 2,
            checkpoints: 1,
            checkpoint_time: Some("2026-07-29T08:30:00.000Z".to_owned()),
            newer_evidence: false,
            unknown_count: 0,
            unknown: Vec::new(),
            unmatched_outcomes: 0,
            backward_entries: 0,
            backward_checkpoints: 0,
            restored: Vec::new(),
        }
    }

    #[test]
    fn the_verdict_says_where_it_ends() {
        assert_eq!(
            report().verdict(),
            [
                "claviger/log_1 by node-a: 12 entries, 12 shown, 2026-07-29T08:00:00.000Z to 2026-07-29T09:00:00.000Z",
                "the first 10 entries are what was signed (1 checkpoints)",
                "2 entries after the last checkpoint are not proven",
                "nothing proves what came after 2026-07-29T08:30:00.000Z",
            ]
        );
        let dateless = Report { checkpoint_time: None, ..report() };
        assert_eq!(dateless.verdict()[3], "nothing proves what came after entry 9");
        let newer = Report { newer_evidence: true, ..report() };
        assert!(!newer.to_string().contains("nothing proves"));
    }

    #[test]
    fn unknown_intents_and_notes_are_named() {
        let report = Report { unknown_count: 3, unknown: vec![4, 5], backward_entries: 1, ..report() };
        let verdict = report.verdict();
        assert_eq!(verdict[4], "3 intents have no outcome and are unknown: 4, 5, ...");
        assert_eq!(verdict[5], "note: 1 entries are dated before an earlier entry");
    }
}
