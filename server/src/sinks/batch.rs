//! What a sink gets at once: a page of leaves, and the checkpoints that cover no more than what was sent by then.

use claviger_core::audit::{Entry, SignedCheckpoint, entry::is_timestamp};
use claviger_core::store::{AuditRange, Leaf, SinkCursor, Store, StoreError};
use serde::Serialize;

/// Leaves in a batch, and checkpoints. It bounds the memory of a sink: a leaf has 64 KiB at most, and normally under one.
const PAGE: usize = 256;

/// Lines for a sink, and where it is when it has taken them.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) lines: Vec<Line>,
    pub(super) cursor: SinkCursor,
    /// Whether there may be more at once.
    pub(super) is_full: bool,
}

/// A leaf as it is stored, or a checkpoint as an export has it. No newline.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: Vec<u8>,
    /// When it was written or signed, RFC 3339.
    pub(super) at: Option<String>,
    /// The leaf's number; none for a checkpoint.
    pub(super) seq: Option<u64>,
}

impl Batch {
    /// Reads what comes next; nothing if the sink has everything.
    pub(super) async fn read(store: &dyn Store, from: SinkCursor) -> Result<Option<Self>, StoreError> {
        let range = AuditRange { tenant: None, from: from.leaf, limit: PAGE };
        let leaves = store.audit_scan(range).await?;
        let notes = store.checkpoints(from.checkpoint, PAGE).await?;
        let is_full = leaves.len() == PAGE || notes.len() == PAGE;
        let (lines, cursor) = merge(leaves, notes, from);
        Ok((!lines.is_empty()).then_some(Self { lines, cursor, is_full }))
    }

    /// The lines as NDJSON.
    pub(super) fn lines(&self) -> Vec<u8> {
        let bytes = self.lines.iter().map(|line| line.text.len().saturating_add(1)).sum();
        let mut text = Vec::with_capacity(bytes);
        for line in &self.lines {
            text.extend_from_slice(&line.text);
            text.push(b'\n');
        }
        text
    }
}

/// Puts each checkpoint behind the leaves that it covers. One that covers more than these is left for later.
fn merge(leaves: Vec<Leaf>, notes: Vec<String>, mut cursor: SinkCursor) -> (Vec<Line>, SinkCursor) {
    let mut notes = notes.into_iter().filter_map(|note| stated_size(&note).map(|size| (size, note))).peekable();
    let mut lines = Vec::with_capacity(leaves.len());
    for leaf in leaves {
        while let Some((size, note)) = notes.next_if(|(size, _)| *size <= leaf.seq) {
            lines.push(Line::of_checkpoint(note));
            cursor.checkpoint = size.saturating_add(1);
        }
        cursor.leaf = leaf.seq.saturating_add(1);
        lines.push(Line::of_leaf(leaf));
    }
    while let Some((size, note)) = notes.next_if(|(size, _)| *size <= cursor.leaf) {
        lines.push(Line::of_checkpoint(note));
        cursor.checkpoint = size.saturating_add(1);
    }
    (lines, cursor)
}

impl Line {
    fn of_leaf(leaf: Leaf) -> Self {
        let at = Entry::from_leaf(&leaf.bytes).ok().map(|entry| entry.at);
        Self { text: leaf.bytes, at, seq: Some(leaf.seq) }
    }

    fn of_checkpoint(note: String) -> Self {
        #[derive(Serialize)]
        struct Wrapped {
            checkpoint: SignedCheckpoint,
        }
        let at = note.lines().find_map(|line| line.strip_prefix("time ")).filter(|at| is_timestamp(at));
        let at = at.map(str::to_owned);
        let wrapped = Wrapped { checkpoint: SignedCheckpoint::unverified(note) };
        // A text in an object always becomes JSON.
        Self { text: serde_json::to_vec(&wrapped).unwrap_or_default(), at, seq: None }
    }
}

/// The second line of a checkpoint. What is stored was signed by this service's own token.
fn stated_size(note: &str) -> Option<u64> {
    note.lines().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(numbers: std::ops::Range<u64>) -> Vec<Leaf> {
        numbers.map(|seq| Leaf { seq, bytes: format!("leaf {seq}").into_bytes() }).collect()
    }

    fn note(size: u64) -> String {
        format!("claviger/x\n{size}\nroot\ntime 2026-07-29T08:00:00.123Z\n\n\u{2014} sig\n")
    }

    fn words(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|line| String::from_utf8(line.text.clone()).unwrap()).collect()
    }

    #[test]
    fn a_checkpoint_comes_behind_the_last_leaf_that_it_covers() {
        let notes = [0, 2, 3, 9].map(note);
        let (lines, cursor) = merge(leaves(1..4), notes.to_vec(), SinkCursor { leaf: 1, checkpoint: 0 });
        let heads: Vec<String> = words(&lines).iter().map(|line| line.chars().take(31).collect()).collect();
        let checkpoint = |size: u64| format!("{{\"checkpoint\":\"claviger/x\\n{size}\\nr");
        assert_eq!(
            heads,
            [
                checkpoint(0),
                "leaf 1".to_owned(),
                checkpoint(2),
                "leaf 2".to_owned(),
                checkpoint(3),
                "leaf 3".to_owned()
            ]
        );
        assert_eq!(cursor, SinkCursor { leaf: 4, checkpoint: 4 });
        assert_eq!(lines[0].at.as_deref(), Some("2026-07-29T08:00:00.123Z"));
        assert!(words(&lines).iter().all(|line| !line.contains('\n')));
    }

    #[test]
    fn a_checkpoint_that_comes_late_is_sent_alone() {
        let (lines, cursor) = merge(Vec::new(), vec![note(4), note(5)], SinkCursor { leaf: 4, checkpoint: 3 });
        assert_eq!(lines.len(), 1);
        assert_eq!(cursor, SinkCursor { leaf: 4, checkpoint: 5 });
        let (lines, again) = merge(Vec::new(), vec![note(5)], cursor);
        assert_eq!((lines.len(), again), (0, cursor));
    }
}
