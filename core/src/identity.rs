//! Who calls: tenants, apps with their bearers, operators with their logins.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::id::{AppId, CredentialId, GrantId, TenantId, VirtualKeyId};
use crate::policy::{Budget, Hours, Limits};

mod app;
mod code;
mod network;
mod operator;
pub mod role;
mod secret;
mod terms;
pub mod totp;

pub use app::{App, AppKey, AppUse, Authenticator, BadKey, Evidence, KeyAlgorithm, LIVE_MAX};
pub use code::{Code, backup_codes, break_glass_codes, read_code, written_hash};
pub(crate) use code::{letters, read_letters};
pub use network::{BadNetwork, Network, network_of};
pub use operator::{
    Device, Factors, Invitation, Login, LoginKind, LoginMark, Operator, OperatorPrincipal, Passkey, PasswordHash, Totp,
};
pub use secret::{CallerSecret, NoRandom, hash_halves, hash_invitation, hash_secret, same_hash};
pub use terms::Terms;

pub(crate) use secret::random_text;

/// A tenant: one customer organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// A name for people, unique.
    pub name: String,
    /// The newest version of its KEK.
    pub kek_version: u32,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// What one app may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The tenant.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// The credentials it is for.
    pub credentials: Credentials,
    /// Operation names (`order.place`) or classes (`market`, `read`, `trade`); at least one.
    pub operations: Vec<String>,
    /// Networks that requests may come from; empty for any.
    pub networks: Vec<Network>,
    /// When requests may be made, UTC; empty for always.
    pub hours: Vec<Hours>,
    /// What orders must be like.
    pub orders: Limits,
    /// How much may be spent under it.
    pub budget: Budget,
    /// Whether the app may enroll credentials.
    pub enroll: bool,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// Which credentials a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credentials {
    /// All of the tenant's, also those enrolled later.
    All,
    /// These.
    These(Vec<CredentialId>),
}

impl Credentials {
    /// Whether one is among them.
    pub fn has(&self, id: CredentialId) -> bool {
        match self {
            Self::All => true,
            Self::These(ids) => ids.contains(&id),
        }
    }
}

/// An authenticated app.
#[derive(Clone, Debug)]
pub struct AppPrincipal {
    /// The app.
    pub app: AppId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Where the request came from.
    pub address: IpAddr,
    /// The virtual key that it authenticated with, at the gateway.
    pub virtual_key: Option<VirtualKeyId>,
}
