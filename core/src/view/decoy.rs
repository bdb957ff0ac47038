//! Decoys, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::decoy::Decoy;
use crate::service::ShownDecoy;

/// A decoy, without what looks like its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecoyView {
    /// `decoy_…`
    pub id: String,
    /// The venue whose form it has.
    pub venue: String,
    /// Where it was planted.
    pub label: String,
    /// The key id; empty where the venue's clients show a token.
    pub key_id: String,
    /// Where its base URL would point: this path on the `api` listener.
    pub base_path: String,
    /// RFC 3339.
    pub created_at: String,
    /// How often it was tried.
    pub uses: u64,
    /// RFC 3339; absent for one that nobody tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_used_at: Option<String>,
    /// RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<String>,
}

impl From<&Decoy> for DecoyView {
    fn from(row: &Decoy) -> Self {
        Self {
            id: row.id.to_string(),
            venue: row.venue.to_string(),
            label: row.label.clone(),
            key_id: row.key_id.clone(),
            base_path: format!("/gateway/{}", row.venue),
            created_at: timestamp(row.created_ms),
            uses: row.uses,
            first_used_at: row.used_ms.map(|(first, _)| timestamp(first)),
            last_used_at: row.used_ms.map(|(_, last)| timestamp(last)),
        }
    }
}

/// A new decoy, with what looks like its secret: shown once, and kept nowhere.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewDecoyView {
    /// The decoy.
    #[serde(flatten)]
    pub decoy: DecoyView,
    /// What to plant as its secret.
    pub secret: String,
    /// What to plant as its passphrase, where the venue has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

impl From<&ShownDecoy> for NewDecoyView {
    fn from(shown: &ShownDecoy) -> Self {
        let passphrase = shown.passphrase.as_ref().map(|text| text.to_string());
        Self { decoy: (&shown.row).into(), secret: shown.secret.to_string(), passphrase }
    }
}

impl std::fmt::Debug for NewDecoyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewDecoyView").field("decoy", &self.decoy).finish_non_exhaustive()
    }
}
