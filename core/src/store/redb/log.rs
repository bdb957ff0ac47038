//! Where the audit log and the counters stand.

use crate::audit::Frontier;

/// What the next commit goes on from. Cloned for each attempt, so that a failed one changes nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// The right edge of the audit tree.
    pub(super) frontier: Frontier,
    /// Commits made.
    pub(super) commits: u64,
    /// The highest intent number allotted.
    pub(super) intents: u64,
    /// Rows written: the version that a row gets is its own for ever.
    pub(super) changes: u64,
    /// The origin line of the log; its last part is the writer's name in every entry.
    pub(super) origin: String,
}
