//! Credentials: what an owner enrolled at a venue, and what may still be done with it.

mod contact;
mod powers;
mod sought;
mod upkeep;

use claviger_venues::{Ceiling, SecretKind, VenueId};
use serde::{Deserialize, Serialize};

use crate::envelope::{Binding, Mode, Purpose};
use crate::id::{CredentialId, TenantId};

pub(crate) use contact::contact_binding;
pub use contact::{Contact, Contacts, Former};
pub use powers::Powers;
pub(crate) use sought::Glimpse;
pub use sought::{Sought, WORD_CHARS_MAX, WORDS_MAX};
pub use upkeep::{Lapsed, Reenroll, Upkeep};

/// What may be signed for with a credential. Deleted ones have no state: they are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Stored, not yet proven: nothing but the probe.
    Pending,
    /// Everything within the ceiling.
    Active,
    /// Cancels and closing orders, and reads.
    ReduceOnly,
    /// Nothing, until an operator unfreezes it.
    Frozen,
    /// Nothing, ever again.
    Revoked,
}

impl State {
    /// The word used in API, logs and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::ReduceOnly => "reduce-only",
            Self::Frozen => "frozen",
            Self::Revoked => "revoked",
        }
    }
}

/// What the venue last said about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// Proven by the venue's permission probe.
    Ok,
    /// Refused by the venue, for a reason that may pass (address, permission).
    Suspect,
    /// The venue does not know the key any more.
    Dead,
    /// The venue has no probe.
    Unproven,
}

impl Health {
    /// The word used in API, logs and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Unproven => "unproven",
        }
    }
}

/// A credential as it is stored: everything but the sealed payload, which is a row of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Its id, the same over all versions.
    pub id: CredentialId,
    /// The tenant.
    pub tenant: TenantId,
    /// The person it belongs to: an opaque id of the tenant's.
    pub owner: String,
    /// A name for people.
    pub label: String,
    /// The venue.
    pub venue: VenueId,
    /// What kind of secret it is.
    pub kind: SecretKind,
    /// How it is used.
    pub mode: Mode,
    /// What it may be used for at most.
    pub ceiling: Ceiling,
    /// First and last four characters of the key id.
    pub hint: String,
    /// Blind index over tenant, venue and key id: the same key cannot be enrolled twice.
    pub index: [u8; 32],
    /// What may be done with it.
    pub state: State,
    /// What the venue last said.
    pub health: Health,
    /// Whether the venue says that the key works from listed addresses only.
    pub ip_restricted: bool,
    /// The version in use, from 1.
    pub version: u32,
    /// Grows with every change of state or version; an intent is refused when it saw an older one.
    pub epoch: u64,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub changed_ms: u64,
    /// When the venue last said something new, milliseconds since the Unix epoch; [`crate::agenda::Agenda`] has when it
    /// was last asked.
    pub probed_ms: u64,
    /// What is known of its key beside what it may be used for.
    pub upkeep: Upkeep,
}

impl Credential {
    /// Whether it needs a look: it is not active, or the venue did not say that all is well.
    pub fn is_flagged(&self) -> bool {
        self.state != State::Active || self.health != Health::Ok
    }

    /// Whether its key was made in the token and the venue's key id is not known yet.
    pub fn is_unnamed(&self) -> bool {
        self.index == NO_INDEX
    }

    /// What its sealed bytes are bound to.
    pub(crate) fn binding(&self) -> Binding {
        Binding {
            tenant: self.tenant,
            credential: self.id,
            version: self.version,
            purpose: Purpose::VenueSecret,
            venue: self.venue,
            kind: self.kind,
            mode: self.mode,
            ceiling: self.ceiling,
        }
    }
}

/// A key that was made in the token, as far as it is not sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BornKey {
    /// The public half, for the venue: `SubjectPublicKeyInfo`, PEM.
    pub public_pem: String,
    /// The label of the private half, where that is an object of the token.
    pub object: Option<String>,
    /// Whether the venue's key id is not known yet.
    pub pending: bool,
}

/// The index of a credential whose key id is not known yet. A MAC is this with a probability of 2^-256.
pub(crate) const NO_INDEX: [u8; 32] = [0; 32];

/// Stands for a blind index that a lost token made: it is made anew when the tenant brings the KEK that the key id is
/// sealed under.
pub(crate) const LOST_INDEX: [u8; 32] = [0xff; 32];

/// The hint shown for a key id: never of the secret, and never more than a quarter of the key id at either end.
#[must_use]
pub fn hint(key_id: &str) -> String {
    let chars: Vec<char> = key_id.chars().collect();
    let shown = 4.min(chars.len() / 8);
    let head: String = chars.iter().take(shown).collect();
    let tail: String = chars.iter().skip(chars.len().saturating_sub(shown)).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn hints_are_short_parts_of_the_key_id() {
        assert_eq!(hint("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"), "vmPU…Eh8A");
        assert_eq!(hint("0123456789abcdef"), "01…ef");
        assert_eq!(hint("short"), "…");
        assert_eq!(hint(""), "…");
    }
}
