//! Apps, and what they authenticate with.

use serde::{Deserialize, Serialize};

use super::same_hash;
use crate::id::{AppId, AuthenticatorId, TenantId};

mod key;

pub use key::{AppKey, BadKey, KeyAlgorithm};

/// Authenticators of one kind that an app may have: two, so that one replaces the other without a gap.
pub const LIVE_MAX: usize = 2;

/// An app: a program with grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// A name for people.
    pub name: String,
    /// What it authenticates with, oldest first; at most [`LIVE_MAX`] of a kind. With none it gets no access token.
    pub authenticators: Vec<Authenticator>,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// One thing that an app authenticates with. An access token names the one that it was given for, and ends with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authenticator {
    /// Its id.
    pub id: AuthenticatorId,
    /// What the app must show.
    pub evidence: Evidence,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// What an app shows to be itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The secret with this SHA-256. It has 256 random bits, so no slow hash is needed.
    Secret([u8; 32]),
    /// An assertion signed by the private half of this key (RFC 7523 section 3).
    Key(AppKey),
    /// A TLS connection that shows the certificate with this SHA-256 over its DER (RFC 8705 section 2.2).
    Certificate([u8; 32]),
}

impl Evidence {
    /// The kind, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret",
            Self::Key(_) => "key",
            Self::Certificate(_) => "certificate",
        }
    }
}

impl App {
    /// The authenticator of this id, if it was not removed.
    pub fn authenticator(&self, id: AuthenticatorId) -> Option<&Authenticator> {
        self.authenticators.iter().find(|one| one.id == id)
    }

    /// How many there are of the kind of `evidence`.
    pub fn live(&self, evidence: &Evidence) -> usize {
        self.authenticators.iter().filter(|one| one.evidence.kind() == evidence.kind()).count()
    }

    /// The authenticator whose secret has this hash. Each one is compared in constant time.
    pub fn by_secret(&self, hash: &[u8; 32]) -> Option<&Authenticator> {
        self.authenticators
            .iter()
            .find(|one| matches!(&one.evidence, Evidence::Secret(known) if same_hash(known, hash)))
    }

    /// The authenticator that is this certificate.
    pub fn by_certificate(&self, thumbprint: &[u8; 32]) -> Option<&Authenticator> {
        self.authenticators
            .iter()
            .find(|one| matches!(&one.evidence, Evidence::Certificate(known) if known == thumbprint))
    }

    /// Whether an access token that was given for an authenticator, and bound to a certificate if any, is still good.
    pub fn upholds(&self, authenticator: AuthenticatorId, certificate: Option<&[u8; 32]>) -> bool {
        self.authenticator(authenticator).is_some()
            && certificate.is_none_or(|thumbprint| self.by_certificate(thumbprint).is_some())
    }
}

/// When an app was last used. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppUse {
    /// In any way; 0 for never.
    pub last_ms: u64,
    /// With each authenticator that was used at all.
    pub authenticators: Vec<(AuthenticatorId, u64)>,
}

impl AppUse {
    /// Notes one more use.
    pub fn note(&mut self, authenticator: Option<AuthenticatorId>, at_ms: u64) {
        self.last_ms = self.last_ms.max(at_ms);
        let Some(id) = authenticator else { return };
        match self.authenticators.iter_mut().find(|(known, _)| *known == id) {
            Some((_, last_ms)) => *last_ms = at_ms.max(*last_ms),
            None => self.authenticators.push((id, at_ms)),
        }
    }

    /// Adds what another record knows.
    pub fn merge(&mut self, other: &Self) {
        self.note(None, other.last_ms);
        other.authenticators.iter().for_each(|(id, at_ms)| self.note(Some(*id), *at_ms));
    }

    /// When this authenticator was last used, if ever.
    pub fn of(&self, id: AuthenticatorId) -> Option<u64> {
        self.authenticators.iter().find(|(known, _)| *known == id).map(|(_, at_ms)| *at_ms)
    }
}
