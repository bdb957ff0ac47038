//! What a sealed payload is bound to.

use aws_lc_rs::digest::{SHA256, digest};
use claviger_venues::{Ceiling, CeilingClass, Product, Products, SecretKind, VenueId};
use serde::{Deserialize, Serialize};

use super::format::{FormatError, Reader};
use crate::id::{CredentialId, TenantId};

/// What a sealed payload is for. A payload sealed for one purpose does not open for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// The secret that an owner enrolled at a venue.
    VenueSecret,
    /// A token that the venue handed out for a login.
    VenueToken,
    /// The secret of a virtual key; the credential's id is the virtual key's.
    VirtualKey,
    /// The seed of an operator's one-time codes; the credential's id is the operator's.
    Totp,
    /// Where a credential's owner is told what happens to it.
    Contact,
    /// The secret of a webhook; the credential's id is the webhook's.
    Webhook,
}

/// Where the secret is when it signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The secret is opened in the keeper for one signature.
    #[default]
    Sealed,
    /// The payload is a wrapped token key: the secret is unwrapped inside the token and signs there.
    Resident,
    /// The key was made in the token, and its private half never left it.
    HsmBorn,
}

impl Mode {
    /// The word used in API, logs and audit entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::Resident => "resident",
            Self::HsmBorn => "hsm_born",
        }
    }
}

/// The place where a sealed payload belongs. It never changes: a wider ceiling or another mode is a new version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The tenant.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
    /// The credential's version, from 1.
    pub version: u32,
    /// What the payload is for.
    pub purpose: Purpose,
    /// The venue.
    pub venue: VenueId,
    /// What kind of secret it is.
    pub kind: SecretKind,
    /// How it is used.
    pub mode: Mode,
    /// What it may be used for at most.
    pub ceiling: Ceiling,
}

impl Binding {
    /// The binding as additional authenticated data. Every field has a fixed length or a length before it.
    #[must_use]
    pub fn to_aad(&self) -> Vec<u8> {
        let venue = self.venue.as_str().as_bytes();
        let mut aad = Vec::with_capacity(64);
        aad.push(super::format::FORMAT);
        aad.extend_from_slice(self.tenant.as_bytes());
        aad.extend_from_slice(self.credential.as_bytes());
        aad.extend_from_slice(&self.version.to_be_bytes());
        aad.push(match self.purpose {
            Purpose::VenueSecret => 1,
            Purpose::VenueToken => 2,
            Purpose::VirtualKey => 3,
            Purpose::Totp => 4,
            Purpose::Contact => 5,
            Purpose::Webhook => 6,
        });
        aad.push(u8::try_from(venue.len()).unwrap_or(u8::MAX));
        aad.extend_from_slice(venue);
        aad.push(match self.kind {
            SecretKind::Hmac => 1,
            SecretKind::PrivateKey => 2,
            SecretKind::Bearer => 3,
            SecretKind::Login => 4,
            SecretKind::Token => 5,
        });
        aad.push(match self.mode {
            Mode::Sealed => 1,
            Mode::Resident => 2,
            Mode::HsmBorn => 3,
        });
        aad.extend_from_slice(&ceiling_bytes(self.ceiling));
        aad
    }

    /// SHA-256 of [`Self::to_aad`]: what the wrapped DEK is bound to.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let digest = digest(&SHA256, &self.to_aad());
        let mut hash = [0; 32];
        hash.copy_from_slice(digest.as_ref());
        hash
    }

    /// Reads what [`Self::to_aad`] wrote.
    pub(super) fn from_aad(aad: &[u8]) -> Result<Self, FormatError> {
        let mut from = Reader::new(aad);
        if from.byte()? != super::format::FORMAT {
            return Err(FormatError::Version);
        }
        let binding = Self {
            tenant: TenantId::from_bytes(from.array()?),
            credential: CredentialId::from_bytes(from.array()?),
            version: u32::from_be_bytes(from.array()?),
            purpose: match from.byte()? {
                1 => Purpose::VenueSecret,
                2 => Purpose::VenueToken,
                3 => Purpose::VirtualKey,
                4 => Purpose::Totp,
                5 => Purpose::Contact,
                6 => Purpose::Webhook,
                _ => return Err(FormatError::Malformed),
            },
            venue: {
                let len = usize::from(from.byte()?);
                let name = std::str::from_utf8(from.take(len)?).map_err(|_| FormatError::Malformed)?;
                name.parse().map_err(|_| FormatError::Malformed)?
            },
            kind: match from.byte()? {
                1 => SecretKind::Hmac,
                2 => SecretKind::PrivateKey,
                3 => SecretKind::Bearer,
                4 => SecretKind::Login,
                5 => SecretKind::Token,
                _ => return Err(FormatError::Malformed),
            },
            mode: match from.byte()? {
                1 => Mode::Sealed,
                2 => Mode::Resident,
                3 => Mode::HsmBorn,
                _ => return Err(FormatError::Malformed),
            },
            ceiling: ceiling_of(from.array()?).ok_or(FormatError::Malformed)?,
        };
        from.end()?;
        Ok(binding)
    }
}

/// A class, and one bit per product. Stored for ever, so the numbers are spelled out.
fn ceiling_bytes(ceiling: Ceiling) -> [u8; 2] {
    let class = match ceiling.class {
        CeilingClass::Read => 1,
        CeilingClass::Trade => 2,
    };
    [class, ceiling.products.iter().fold(0, |bits, product| bits | bit(product))]
}

fn ceiling_of([class, bits]: [u8; 2]) -> Option<Ceiling> {
    let class = match class {
        1 => CeilingClass::Read,
        2 => CeilingClass::Trade,
        _ => return None,
    };
    let products: Products = Product::ALL.iter().copied().filter(|product| bits & bit(*product) != 0).collect();
    let ceiling = Ceiling { class, products };
    // A bit that names no product would be lost: such bytes are nobody's ceiling.
    (ceiling_bytes(ceiling)[1] == bits).then_some(ceiling)
}

const fn bit(product: Product) -> u8 {
    match product {
        Product::Spot => 1,
        Product::Margin => 2,
        Product::Derivatives => 4,
    }
}
