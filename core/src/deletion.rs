//! The deletion of a tenant: what it has taken along so far, and that it was. The row stays for good, so that nothing is
//! ever stored for the tenant again.

use std::collections::BTreeMap;

use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};

use crate::id::TenantId;

/// The deletion of a tenant, from the moment that it cannot be called off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The tenant.
    pub tenant: TenantId,
    /// Milliseconds since the Unix epoch.
    pub began_ms: u64,
    /// When nothing was left, milliseconds since the Unix epoch; none while it is under way.
    pub ended_ms: Option<u64>,
    /// Credentials that are gone, by venue: their keys still exist there.
    pub credentials: BTreeMap<VenueId, u64>,
    /// Virtual keys that are gone.
    pub virtual_keys: u64,
    /// Apps that are gone, with their grants.
    pub apps: u64,
    /// Operators that were bound to the tenant, and are gone.
    pub operators: u64,
    /// Owners of whom the audit log cannot be read any more.
    pub owners: u64,
}

impl Deletion {
    /// One that begins.
    pub fn new(tenant: TenantId, began_ms: u64) -> Self {
        let (credentials, ended_ms) = (BTreeMap::new(), None);
        Self { tenant, began_ms, ended_ms, credentials, virtual_keys: 0, apps: 0, operators: 0, owners: 0 }
    }

    /// How many credentials are gone, at all venues together.
    pub fn credential_count(&self) -> u64 {
        self.credentials.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// What one step of a deletion did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// So many rows are gone; there may be more.
    Some(u64),
    /// What is left is open: its outcome comes first.
    Waits,
    /// Nothing is left.
    All,
}
