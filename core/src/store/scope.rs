//! What can be stopped as a whole, and how far.

use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};

use super::{OpenIntent, Receipt};
use crate::id::{AppId, CredentialId, GrantId, TenantId, VirtualKeyId};

/// Something that can be stopped as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Everything: the kill switch.
    All,
    /// A tenant.
    Tenant(TenantId),
    /// All credentials of one owner of a tenant.
    Owner(TenantId, String),
    /// A venue.
    Venue(VenueId),
    /// An app.
    App(AppId),
    /// A grant.
    Grant(GrantId),
    /// A credential.
    Credential(CredentialId),
    /// A virtual key.
    VirtualKey(VirtualKeyId),
}

/// How far a scope is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stop {
    /// Cancels, closing orders and reads go on.
    ReduceOnly,
    /// Nothing goes on, until it is resumed.
    Frozen,
    /// Nothing goes on, ever again.
    Revoked,
}

impl Stop {
    /// The word used in API, command line and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReduceOnly => "reduce-only",
            Self::Frozen => "frozen",
            Self::Revoked => "revoked",
        }
    }
}

/// All scopes that one intent lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// The tenant.
    pub tenant: TenantId,
    /// The credential's owner; none for market data.
    pub owner: Option<String>,
    /// The venue.
    pub venue: VenueId,
    /// The app; none for the system's own probes.
    pub app: Option<AppId>,
    /// The grant that allows it.
    pub grant: Option<GrantId>,
    /// The credential; none for market data.
    pub credential: Option<CredentialId>,
    /// The virtual key that a client at the gateway signed with.
    pub virtual_key: Option<VirtualKeyId>,
}

impl Scopes {
    /// Every scope, widest first.
    pub fn each(&self) -> impl Iterator<Item = Scope> + '_ {
        [
            Some(Scope::All),
            Some(Scope::Tenant(self.tenant)),
            self.owner.as_ref().map(|o| Scope::Owner(self.tenant, o.clone())),
            Some(Scope::Venue(self.venue)),
            self.app.map(Scope::App),
            self.grant.map(Scope::Grant),
            self.credential.map(Scope::Credential),
            self.virtual_key.map(Scope::VirtualKey),
        ]
        .into_iter()
        .flatten()
    }
}

/// What a stop did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The highest intent number allotted before the stop.
    pub up_to: u64,
    /// Intents in the scope that were granted before it and have no outcome yet.
    pub open: Vec<OpenIntent>,
    /// The audit entry.
    pub receipt: Receipt,
}
