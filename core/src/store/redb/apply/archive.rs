//! Leaves that leave the store for a segment.

use redb::ReadableTable;

use super::super::super::{Draft, Segment, StoreError};
use super::{Apply, Failed};
use crate::audit::Entry;

/// Leaves that one commit removes at most: whoever waits for the same commit does not wait long.
const LEAVES_MAX: usize = 1_000;

impl Apply<'_> {
    pub(in super::super) fn archive(&mut self, segment: Segment, entry: &Draft) -> Result<u64, Failed> {
        let end = segment.last.saturating_add(1);
        if self.checkpoints.get(end)?.is_none() {
            return Err(refused("a segment ends with a signed checkpoint"));
        }
        let mut leaving = Vec::new();
        for row in self.leaves.range(..end)?.take(LEAVES_MAX) {
            let (seq, leaf) = row?;
            leaving.push((seq.value(), parsed(seq.value(), leaf.value())?));
        }
        let Some((oldest, _)) = leaving.first() else { return Ok(0) };
        if *oldest < segment.first {
            return Err(refused("a segment begins with the first entry that is here"));
        }
        if *oldest == segment.first {
            self.segments.insert(segment.first, (segment.last, segment.sha256))?;
            self.append(entry)?;
        }
        for (seq, leaf) in &leaving {
            self.leaves.remove(seq)?;
            self.tenant_leaves.remove((leaf.tenant.as_str(), leaf.tenant_seq))?;
            if let Some(intent) = leaf.intent {
                self.outcomes.remove((intent, *seq))?;
            }
        }
        Ok(u64::try_from(leaving.len()).unwrap_or(u64::MAX))
    }
}

fn parsed(seq: u64, leaf: &[u8]) -> Result<Entry, Failed> {
    let entry = Entry::from_leaf(leaf);
    entry.map_err(|e| Failed::Refused(StoreError::Corrupt(format!("audit entry {seq}: {e}"))))
}

fn refused(why: &str) -> Failed {
    Failed::Refused(StoreError::NotApplied(why.to_owned()))
}
