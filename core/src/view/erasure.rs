//! What a deletion took along, as it leaves.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{InFlightView, at_venue};
use crate::audit::timestamp;
use crate::service::Erasure;

/// What a deletion took along.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureView {
    /// Credentials that were deleted.
    pub credentials: Vec<String>,
    /// Virtual keys that were revoked with them.
    pub virtual_keys: u64,
    /// Requests that were granted before and have no outcome yet, and signatures that were released and are still
    /// valid. They may still be answered by the venue; none is signed after this answer.
    pub in_flight: Vec<InFlightView>,
    /// What is left to do elsewhere: the keys still exist at their venues.
    pub at_venue: Vec<String>,
    /// From when on it opens from no backup, RFC 3339; absent if backups are kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrecoverable_after: Option<String>,
}

impl From<&Erasure> for ErasureView {
    fn from(erasure: &Erasure) -> Self {
        let mut at_venue: Vec<String> = erasure.credentials.iter().map(|row| at_venue(row.venue)).collect();
        at_venue.sort();
        at_venue.dedup();
        Self {
            credentials: erasure.credentials.iter().map(|row| row.id.to_string()).collect(),
            virtual_keys: erasure.virtual_keys,
            in_flight: erasure.in_flight.iter().map(InFlightView::from).collect(),
            at_venue,
            unrecoverable_after: erasure.unrecoverable_ms.map(timestamp),
        }
    }
}
