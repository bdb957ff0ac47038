//! What is known of the recovery key, as it leaves.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::recovery::RecoveryKey;
use crate::recovery::file::Contents;
use crate::service::Wrapped;

/// Whether everything could be recovered without the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryView {
    /// Which key it is, hexadecimal.
    pub set: String,
    /// How many shares there are.
    pub shares: usize,
    /// How many are needed.
    pub threshold: u8,
    /// When it was made, RFC 3339.
    pub made_at: String,
    /// How many rows hold something sealed, when all were last looked at.
    pub rows: u64,
    /// How many of them would not come back.
    pub lacking: u64,
    /// These, at most a thousand.
    pub named: Vec<LackingView>,
    /// When all were last looked at, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<String>,
    /// How often wraps were written or removed.
    pub generation: u64,
    /// The generation that the recovery file holds, if one was written since the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_generation: Option<u64>,
    /// When that was written, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written_at: Option<String>,
}

/// What would not come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LackingView {
    /// What it is.
    pub what: String,
    /// Why.
    pub why: String,
}

impl RecoveryView {
    /// The view of what is known.
    pub fn of(key: &RecoveryKey, generation: u64, (found, file): (Wrapped, Option<Contents>)) -> Self {
        Self {
            set: HEXLOWER.encode(&key.set),
            shares: key.commitments.len(),
            threshold: key.threshold,
            made_at: timestamp(key.made_ms),
            rows: found.rows,
            lacking: found.lacking,
            named: found.named.into_iter().map(|(what, why)| LackingView { what, why }).collect(),
            looked_at: (found.at_ms > 0).then(|| timestamp(found.at_ms)),
            generation,
            file_generation: file.as_ref().map(|file| file.generation),
            written_at: file.map(|file| timestamp(file.at_ms)),
        }
    }
}
