//! What a stop did, as it leaves.

use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::execution::valid_at_most_until;
use crate::store::{OpenIntent, Scope};

/// What a stop did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StopView {
    /// What is stopped, such as `credential cred_…`.
    pub scope: String,
    /// `reduce-only`, `frozen`, `revoked`, `deleted`, or `withdrawn` with the tenant's own KEK.
    pub state: String,
    /// Requests that were granted before the stop and have no outcome yet, and signatures that were released and are
    /// still valid. They may still be answered by the venue; none is signed after this answer.
    pub in_flight: Vec<InFlightView>,
    /// What is left to do elsewhere: the key still exists at the venue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_venue: Option<String>,
}

/// A request without an outcome, or a signature that an app may still use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InFlightView {
    /// `exec_…`, if an app asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// RFC 3339.
    pub at: String,
    /// Until when the venue takes a signature that was released or is just being released, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
}

impl From<&OpenIntent> for InFlightView {
    fn from(open: &OpenIntent) -> Self {
        let last = || valid_at_most_until(open.scopes.venue, open.at_ms);
        let valid_until = open.valid_until_ms.or_else(|| open.release.then(last)).map(timestamp);
        Self { execution: open.execution.map(|id| id.to_string()), at: timestamp(open.at_ms), valid_until }
    }
}

/// A scope in words.
#[must_use]
pub fn scope_words(scope: &Scope) -> (&'static str, String) {
    match scope {
        Scope::All => ("everything", String::new()),
        Scope::Tenant(id) => ("tenant", id.to_string()),
        Scope::Owner(tenant, owner) => ("owner", format!("{tenant}/{owner}")),
        Scope::Venue(venue) => ("venue", venue.to_string()),
        Scope::App(id) => ("app", id.to_string()),
        Scope::Grant(id) => ("grant", id.to_string()),
        Scope::VirtualKey(id) => ("virtual-key", id.to_string()),
        Scope::Credential(id) => ("credential", id.to_string()),
    }
}

/// What the owner still has to do at the venue after a stop that is for good.
#[must_use]
pub fn at_venue(venue: VenueId) -> String {
    deleted_there("the key", venue)
}

/// What the owner still has to do at the venue after a rotation.
#[must_use]
pub fn old_key_at_venue(venue: VenueId) -> String {
    deleted_there("the old key", venue)
}

fn deleted_there(what: &str, venue: VenueId) -> String {
    format!("{what} still exists at {venue}: its owner deletes it at {}", claviger_venues::manage_url(venue))
}
