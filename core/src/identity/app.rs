//! Apps: programs with grants.

use serde::{Deserialize, Serialize};

use crate::id::{AppId, TenantId};

/// An app: a program with grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// A name for people.
    pub name: String,
    /// SHA-256 of its secret. The secret has 256 random bits, so no slow hash is needed.
    pub secret_hash: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}
