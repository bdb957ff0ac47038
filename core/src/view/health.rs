//! What needs a look, as it leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::agenda::Gap;
use crate::audit::timestamp;
use crate::credential::Credential;

/// A venue that cannot be asked about keys at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GapView {
    /// The venue.
    pub venue: String,
    /// RFC 3339.
    pub since: String,
    /// What was in the way, as a word.
    pub why: String,
}

impl From<&Gap> for GapView {
    fn from(gap: &Gap) -> Self {
        Self { venue: gap.venue.to_string(), since: timestamp(gap.since_ms), why: gap.why.clone() }
    }
}

/// A credential whose key expires soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExpiringView {
    /// `cred_…`
    pub credential: String,
    /// `ten_…`
    pub tenant: String,
    /// A name for people.
    pub label: String,
    /// The venue.
    pub venue: String,
    /// RFC 3339.
    pub expires_at: String,
}

impl From<&Credential> for ExpiringView {
    fn from(row: &Credential) -> Self {
        Self {
            credential: row.id.to_string(),
            tenant: row.tenant.to_string(),
            label: row.label.clone(),
            venue: row.venue.to_string(),
            expires_at: row.expires_ms().map(timestamp).unwrap_or_default(),
        }
    }
}
