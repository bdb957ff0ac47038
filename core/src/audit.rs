//! The audit log: who did what, kept so that it cannot lie by omission.
//!
//! Every writer appends [`Entry`] after [`Entry`] as the leaves of one Merkle tree ([`tree`], RFC 6962). A leaf is stored
//! and exported byte for byte as it was hashed. Every second or so the token signs a [`Checkpoint`]: so many leaves, this
//! root. An export ([`export`]) is the leaves and a checkpoint, and can be checked by anyone who has the public key and
//! nothing else ([`verify`](mod@verify)).
//!
//! **What is evident.** Whatever was done to entries that a checkpoint covers: an edit, a deletion, an insertion, a
//! changed order, a second history under the same key. Where a tenant gets only its own rows, the others stand as
//! hashes, and a row of its own that was made one of them leaves a gap in the tenant's counter. With a checkpoint or
//! receipt from outside the export, also a tail that was cut off and a store that was put back. An intent without an
//! outcome is *unknown*, never success.
//!
//! **What is not.** Entries after the last checkpoint; what a broken writer lied about when it wrote; the absence of a
//! tenant's *last* rows, unless a receipt or a later row shows them; and that nothing came after the newest checkpoint
//! that the reader has: "nothing proves what came after T" is then part of the verdict.
//!
//! Old entries leave the store in files ([`segment`]) that can be checked in the same way, by themselves or with what
//! follows.
//!
//! Everything in here is pure. Time, randomness, keys, signatures and stored nodes are arguments.

use serde::Serialize;

pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod note;
pub mod personal;
pub mod proven;
pub mod segment;
pub mod tombstone;
pub mod tree;
pub mod verdict;
pub mod verify;

pub use checkpoint::{Checkpoint, CheckpointError, KeeperCount, SignedCheckpoint};
pub use entry::{Draft, Entry, EntryError, EntryOutcome, Guard, Stamp, UserKind, timestamp};
pub use export::{ExportError, Header, checkpoint_line, hash_line, header_line, leaf_line};
pub use note::{NoteError, VerifierKey};
pub use personal::{AuditKey, Personal, PersonalError};
pub use proven::{ProvenEntry, ProvenReceipt, ReceiptReport, Unproven};
pub use segment::SegmentHeader;
pub use tombstone::{OwnerHash, Subject, Tombstone, TombstoneError};
pub use tree::{Frontier, Hash, Node, Nodes, leaf_hash, node_hash};
pub use verdict::{Break, Report};
pub use verify::{Archive, Evidence, Receipt, verify};

/// Writes a value as JSON on one line.
#[expect(clippy::expect_used, reason = "an empty text in place of an entry would be a lie; see INVARIANT")]
fn to_json(value: &impl Serialize) -> String {
    // INVARIANT: every type given here is plain strings, numbers and maps keyed by strings, which always serialise.
    serde_json::to_string(value).expect("plain data serialises")
}
