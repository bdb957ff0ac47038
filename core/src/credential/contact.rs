//! Where a credential's owner is told what happens to it.

use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind, VenueId};
use serde::{Deserialize, Serialize};

use crate::envelope::{Binding, Mode, Purpose};
use crate::id::{CredentialId, TenantId};

/// A contact address, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// When it was given, milliseconds since the Unix epoch.
    pub set_ms: u64,
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
