//! The deletion of a tenant, as it leaves.

use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::deletion::Deletion;

/// The deletion of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeletionView {
    /// `ten_…`
    pub tenant: String,
    /// `under-way` or `done`.
    pub state: String,
    /// RFC 3339.
    pub began_at: String,
    /// RFC 3339; absent while it is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Credentials that are gone.
    pub credentials: u64,
    /// Virtual keys that are gone.
    pub virtual_keys: u64,
    /// Apps that are gone, with their grants.
    pub apps: u64,
    /// Operators that were bound to the tenant, and are gone.
    pub operators: u64,
    /// Owners of whom the audit log cannot be read any more.
    pub owners: u64,
    /// What is left to do elsewhere.
    pub venues: Vec<LeftAtVenueView>,
    /// From when on it opens from no backup, RFC 3339; absent while it is under way, and if backups are kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrecoverable_after: Option<String>,
}

/// Keys that still exist at a venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeftAtVenueView {
    /// The venue.
    pub venue: String,
    /// How many.
    pub keys: u64,
    /// What their owners do, and where.
    pub at_venue: String,
}

impl DeletionView {
    /// The view of a deletion, and from when on it opens from no backup, milliseconds since the Unix epoch.
    pub fn of(row: &Deletion, unrecoverable_ms: Option<u64>) -> Self {
        let left = |(venue, keys): (&VenueId, &u64)| LeftAtVenueView {
            venue: venue.to_string(),
            keys: *keys,
            at_venue: keys_at_venue(*venue, *keys),
        };
        Self {
            tenant: row.tenant.to_string(),
            state: if row.ended_ms.is_some() { "done" } else { "under-way" }.to_owned(),
            began_at: timestamp(row.began_ms),
            ended_at: row.ended_ms.map(timestamp),
            credentials: row.credential_count(),
            virtual_keys: row.virtual_keys,
            apps: row.apps,
            operators: row.operators,
            owners: row.owners,
            venues: row.credentials.iter().map(left).collect(),
            unrecoverable_after: unrecoverable_ms.map(timestamp),
        }
    }
}

/// What is left to do at a venue where so many keys exist.
pub(crate) fn keys_at_venue(venue: VenueId, keys: u64) -> String {
    let (subject, verb) = if keys == 1 {
        ("key still exists", "its owner deletes it")
    } else {
        ("keys still exist", "their owners delete them")
    };
    format!("{keys} {subject} at {venue}: {verb} at {}", claviger_venues::manage_url(venue))
}
