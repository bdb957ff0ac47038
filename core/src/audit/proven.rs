//! An entry with the way to a signed root: what a third party needs to check it without the log.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::entry::{Entry, EntryError};
use super::tree::{Hash, leaf_hash, verify_inclusion};

mod receipt;

pub use receipt::{OUTCOMES_MAX, ProvenReceipt, RECEIPT_FORMAT, ReceiptReport};

/// An entry and the proof that it is in a tree. The checkpoint that signs the tree's root travels beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvenEntry {
    /// Its number.
    pub seq: u64,
    /// The leaf, byte for byte as it was hashed.
    pub leaf: String,
    /// The hash of the leaf (RFC 6962 section 2.1).
    #[schema(value_type = String)]
    pub leaf_hash: Hash,
    /// The inclusion proof (RFC 6962 section 2.1.1), from the leaf upwards.
    #[schema(value_type = Vec<String>)]
    pub proof: Vec<Hash>,
}

/// Why entries are not proven.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// Not the JSON of a receipt.
    #[error("not a receipt of an execution")]
    Json(#[source] serde_json::Error),
    /// Written in a form that this code does not know.
    #[error("receipts of the form `{0}` are not known here")]
    Format(String),
    /// The checkpoint is none, or not of the reader's key.
    #[error("the checkpoint does not verify: {0}")]
    Checkpoint(#[source] CheckpointError),
    /// The checkpoint is about another log.
    #[error("the checkpoint is of the log {found}, the receipt of {expected}")]
    OtherLog {
        /// The log it is about.
        found: String,
        /// The log that the receipt names.
        expected: String,
    },
    /// A leaf is not an entry.
    #[error("entry {seq} is not an entry: {source}")]
    Entry {
        /// Its number.
        seq: u64,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// The stated hash is another leaf's.
    #[error("entry {seq} does not have the hash that is stated")]
    Hash {
        /// Its number.
        seq: u64,
    },
    /// The proof does not lead to the signed root.
    #[error("entry {seq} is not in the log that was signed")]
    NotIncluded {
        /// Its number.
        seq: u64,
    },
    /// A field says that the entry belongs to something else.
    #[error("entry {seq} is about something else: its `{field}` is another")]
    Misplaced {
        /// Its number.
        seq: u64,
        /// The field that disagrees.
        field: &'static str,
    },
    /// More outcomes than a receipt has.
    #[error("more than {OUTCOMES_MAX} outcomes")]
    TooMany,
}

impl ProvenEntry {
    /// Reads the entry, if it is the one at its place in the tree that `checkpoint` states. Whether the checkpoint is
    /// signed is the caller's to know.
    ///
    /// # Errors
    /// [`Unproven::Hash`], [`Unproven::NotIncluded`], [`Unproven::Entry`] or [`Unproven::Misplaced`].
    pub fn entry(&self, checkpoint: &Checkpoint) -> Result<Entry, Unproven> {
        let seq = self.seq;
        let hash = leaf_hash(self.leaf.as_bytes());
        if hash != self.leaf_hash {
            return Err(Unproven::Hash { seq });
        }
        verify_inclusion(&hash, seq, checkpoint.size, &self.proof, &checkpoint.root)
            .map_err(|_| Unproven::NotIncluded { seq })?;
        let entry = Entry::from_leaf(self.leaf.as_bytes()).map_err(|source| Unproven::Entry { seq, source })?;
        if entry.seq == seq { Ok(entry) } else { Err(Unproven::Misplaced { seq, field: "seq" }) }
    }
}

impl Unproven {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Format(_) => "malformed",
            Self::Checkpoint(_) => "bad-checkpoint",
            Self::OtherLog { .. } => "other-log",
            Self::Entry { .. } => "bad-entry",
            Self::Hash { .. } | Self::NotIncluded { .. } => "not-included",
            Self::Misplaced { .. } => "misplaced",
            Self::TooMany => "too-many",
        }
    }
}
