//! Proofs from the audit log, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::ProvenEntry;

/// What was asked to be proven of the log. Whoever has the log's key checks it with any RFC 6962 library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// The log.
    pub origin: String,
    /// The entry, and the proof that it is in the tree of `checkpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<ProvenEntry>,
    /// The signed checkpoint that covers the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<String>,
    /// That one tree begins with another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistency: Option<ConsistencyView>,
}

/// The proof that the tree of `to` leaves begins with the tree of `from` leaves (RFC 6962 section 2.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyView {
    /// Leaves of the smaller tree.
    pub from: u64,
    /// Its root, hexadecimal.
    pub from_root: String,
    /// Leaves of the larger tree.
    pub to: u64,
    /// Its root, hexadecimal.
    pub to_root: String,
    /// The proof, hexadecimal.
    pub proof: Vec<String>,
}
