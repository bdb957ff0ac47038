//! Decoys: keys in a venue's own form that nobody uses, left where only a thief looks. Whoever tries one tells where it
//! was taken from.
//!
//! **Architecture invariant.** A decoy is no virtual key: it has no app, no credential, and of its secret nothing is
//! stored. Nothing can be signed with it, because there is nothing to sign with.

use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};

use crate::hash::hash_of;
use crate::id::{DecoyId, TenantId};

/// A decoy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decoy {
    /// Its id.
    pub id: DecoyId,
    /// The tenant that planted it.
    pub tenant: TenantId,
    /// The venue whose form it has.
    pub venue: VenueId,
    /// Where it was planted.
    pub label: String,
    /// The key id; empty for a bearer.
    pub key_id: String,
    /// What it is found by: see `decoy_name`.
    pub name: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// How often it was tried.
    pub uses: u64,
    /// When it was tried first and last, milliseconds since the Unix epoch.
    pub used_ms: Option<(u64, u64)>,
}

/// What a decoy is found by: SHA-256 of its key id or bearer, whichever venue's gateway it is tried at.
pub(crate) fn decoy_name(shown: &str) -> [u8; 32] {
    hash_of([b"decoy".as_slice(), shown.as_bytes()])
}
