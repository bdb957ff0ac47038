//! Webhooks: what a tenant hears of, where it is sent, and how often that is tried.
//!
//! Source: Standard Webhooks 1.0.0, <https://github.com/standard-webhooks/standard-webhooks>, read 2026-11.

use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
use serde::{Deserialize, Serialize};

use crate::envelope::{Binding, Mode, Purpose};
use crate::id::{CredentialId, TenantId, WebhookId};

mod delivery;
mod event;

pub use delivery::{Attempt, Delivery, DeliveryState, DueDelivery, next_try_ms};
pub use event::{Event, EventKind, Message};

pub(crate) use delivery::asked_ms;

/// Length of a secret, bytes. The specification wants 24 to 64.
pub const SECRET_BYTES: usize = 32;

/// What a secret's text begins with; base64 follows.
pub const SECRET_PREFIX: &str = "whsec_";

/// How long the secret before the last one signs along, milliseconds.
pub const OVERLAP_MS: u64 = 24 * 60 * 60 * 1_000;

/// The longest body that is signed, bytes.
pub const BODY_BYTES_MAX: usize = 4 * 1_024;

/// A place that hears of a tenant's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// The tenant.
    pub tenant: TenantId,
    /// What it is called.
    pub label: String,
    /// Where it is; `https`. It may be the receiver's secret, so it is in no log.
    pub url: String,
    /// The version of its secret, from 1.
    pub secret_version: u32,
    /// The envelope that holds the secret, opened in the keeper alone.
    pub sealed: Vec<u8>,
    /// The secret before, which signs along for a while.
    pub previous: Option<Previous>,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// When it last took something, milliseconds since the Unix epoch and an hour late at most; 0 for never.
    pub took_ms: u64,
    /// Why nothing is sent to it, if nothing is.
    pub disabled: Option<Disabled>,
}

impl Webhook {
    /// Whom it is at: the part of its URL that is no secret.
    pub fn host(&self) -> &str {
        let rest = self.url.strip_prefix("https://").unwrap_or_default();
        rest.split(['/', '?']).next().unwrap_or_default()
    }
}

/// A secret that signs along until it is destroyed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The envelope that holds it.
    pub sealed: Vec<u8>,
    /// Until when, milliseconds since the Unix epoch.
    pub until_ms: u64,
}

/// Since when nothing is sent, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disabled {
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Why.
    pub why: Why,
}

/// Why nothing is sent to a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Why {
    /// It answered 410: whoever runs it wants nothing more.
    Gone,
    /// It took nothing for as long as one delivery is tried.
    Failing,
}

impl Why {
    /// The word used in API and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

/// What a webhook's sealed secret is bound to. There is no venue and nothing is ever signed for one with it, so the rest
/// of the binding is what no credential has.
pub(crate) fn binding(tenant: TenantId, id: WebhookId, version: u32) -> Binding {
    Binding {
        tenant,
        credential: CredentialId::from_bytes(*id.as_bytes()),
        version,
        purpose: Purpose::Webhook,
        venue: VenueId::Binance,
        kind: SecretKind::Token,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}
