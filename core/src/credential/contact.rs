//! Where a credential's owner is told what happens to it.

use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
use serde::{Deserialize, Serialize};

use crate::envelope::{Binding, Mode, Purpose};
use crate::id::{CredentialId, NoticeId, TenantId};

/// A contact address, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// When it was given, milliseconds since the Unix epoch.
    pub set_ms: u64,
}

/// The addresses of a credential's owner while one that counts no more is still to be told so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// The one that counts, if any does.
    pub now: Option<Contact>,
    /// Those that counted before, the oldest first.
    pub former: Vec<Former>,
}

/// An address that counted until a change, and is there until it was told of that, or cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// The notice that tells it.
    pub notice: NoticeId,
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
}

/// What the contact address of a credential's owner is bound to. It outlives the credential's versions and nothing is ever
/// signed with it, so the rest of the binding is what no credential has.
pub(crate) fn contact_binding(tenant: TenantId, credential: CredentialId, venue: VenueId) -> Binding {
    Binding {
        tenant,
        credential,
        version: 1,
        purpose: Purpose::Contact,
        venue,
        kind: SecretKind::Token,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}
