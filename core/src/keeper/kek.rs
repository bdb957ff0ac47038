//! Tenants' KEKs as rows, and the MAC that ties a blob to its tenant.

use serde::{Deserialize, Serialize};

use crate::id::TenantId;
use crate::token::{KekBlob, MacKey, Token, TokenError};

/// Where a KEK comes from. An imported one can never take a generated one's place, because the row MAC covers this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KekOrigin {
    /// Made inside the token.
    Generated,
    /// Brought by the tenant, wrapped for the token.
    Imported,
}

/// That a tenant has taken its own KEK away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    /// The tenant.
    pub tenant: TenantId,
    /// Who did it.
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// A tenant's KEK of one version, as stored. Only the keeper makes and checks its MAC.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KekRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its version, from 1.
    pub version: u32,
    /// Where it comes from.
    pub origin: KekOrigin,
    /// The key, wrapped.
    pub blob: KekBlob,
    /// HMAC by the token over all of the above.
    pub mac: [u8; 32],
}

impl KekRow {
    /// Makes a KEK in the token and a row of it.
    pub(super) fn generate(token: &mut impl Token, tenant: TenantId, version: u32) -> Result<Self, TokenError> {
        let blob = token.generate_kek()?;
        let mut row = Self { tenant, version, origin: KekOrigin::Generated, blob, mac: [0; 32] };
        row.mac = token.mac(MacKey::Row, &row.authenticated())?;
        Ok(row)
    }

    /// Takes a tenant's own KEK into the token, and makes a row of it; with `known`, only if it opens that canary.
    pub(super) fn import(
        token: &mut impl Token,
        (tenant, version): (TenantId, u32),
        wrapped: &[u8],
        known: Option<&[u8]>,
    ) -> Result<Self, TokenError> {
        let blob = token.import_kek(wrapped, known)?;
        let mut row = Self { tenant, version, origin: KekOrigin::Imported, blob, mac: [0; 32] };
        row.mac = token.mac(MacKey::Row, &row.authenticated())?;
        Ok(row)
    }

    /// Whether it is to be followed by one under this root key.
    pub(crate) fn is_behind(&self, root: u32) -> bool {
        self.origin == KekOrigin::Generated && self.blob.root < root
    }

    /// Whether the tenant has taken the key away: what is under it waits for it.
    pub fn is_withdrawn(&self) -> bool {
        self.blob.wrapped.is_empty()
    }

    /// The same without the key: its canary tells whether another is the same.
    #[must_use]
    pub fn withdrawn(self) -> Self {
        Self { blob: KekBlob { wrapped: Vec::new(), ..self.blob }, mac: [0; 32], ..self }
    }

    /// Whether the token made this row's MAC.
    pub(super) fn is_genuine(&self, token: &mut impl Token) -> Result<bool, TokenError> {
        let mac = token.mac(MacKey::Row, &self.authenticated())?;
        Ok(crate::identity::same_hash(&mac, &self.mac))
    }

    fn authenticated(&self) -> Vec<u8> {
        let mut out = b"claviger-kek-row/v1\n".to_vec();
        out.extend_from_slice(self.tenant.as_bytes());
        out.extend_from_slice(&self.version.to_be_bytes());
        out.push(match self.origin {
            KekOrigin::Generated => 1,
            KekOrigin::Imported => 2,
        });
        out.extend_from_slice(&self.blob.root.to_be_bytes());
        for part in [&self.blob.wrapped, &self.blob.canary] {
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}
