//! Virtual keys: a key and a secret in the venue's own form, worth nothing at the venue.

use claviger_venues::{KeyType, VenueId};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::envelope::{Binding, Mode, Purpose};
use crate::id::{AppId, CredentialId, TenantId, VirtualKeyId};
use crate::identity::{AppKey, KeyAlgorithm};

/// A virtual key: one app's, for one credential at one venue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VirtualKey {
    /// Its id.
    pub id: VirtualKeyId,
    /// The tenant.
    pub tenant: TenantId,
    /// The app whose grants it uses.
    pub app: AppId,
    /// The credential that really signs.
    pub credential: CredentialId,
    /// The venue whose protocol it speaks.
    pub venue: VenueId,
    /// A name for people.
    pub label: String,
    /// The key id that the client sends, in the venue's form; empty for a bearer.
    pub key_id: String,
    /// What the row is found by: SHA-256 of venue and key id, or of the bearer.
    pub name: [u8; 32],
    /// What the client proves that it has.
    pub proof: Proof,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// What a client proves that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proof {
    /// An HMAC secret: the envelope that holds it, opened in the keeper alone.
    Hmac(Vec<u8>),
    /// The private half of this public key.
    PublicKey {
        /// Its type.
        key_type: KeyType,
        /// The key as `SubjectPublicKeyInfo` in DER (RFC 5280 section 4.1).
        key: Vec<u8>,
    },
    /// A token with 256 random bits; the row is found by its hash.
    Bearer,
}

impl VirtualKey {
    /// What a sealed secret of a virtual key is bound to.
    pub(crate) fn binding(&self) -> Binding {
        binding(self.tenant, self.id, self.venue)
    }
}

/// See [`VirtualKey::binding`]. The ceiling is the narrowest there is: nothing is ever signed for a venue with it.
pub(crate) fn binding(tenant: TenantId, id: VirtualKeyId, venue: VenueId) -> Binding {
    use claviger_venues::{Ceiling, CeilingClass, Products, SecretKind};
    Binding {
        tenant,
        credential: CredentialId::from_bytes(*id.as_bytes()),
        version: 1,
        purpose: Purpose::VirtualKey,
        venue,
        kind: SecretKind::Hmac,
        mode: Mode::Sealed,
        ceiling: Ceiling { class: CeilingClass::Read, products: Products::NONE },
    }
}

/// Reads a client's public key from PEM (RFC 7468 section 13): Ed25519, or RSA of 2048 bits or more.
#[must_use]
pub fn public_key(pem: &str) -> Option<(KeyType, Vec<u8>)> {
    let AppKey { algorithm, spki } = AppKey::from_pem(pem).ok()?;
    match algorithm {
        KeyAlgorithm::EdDSA => Some((KeyType::Ed25519, spki)),
        KeyAlgorithm::RS256 => Some((KeyType::Rsa, spki)),
        KeyAlgorithm::ES256 | KeyAlgorithm::PS256 => None,
    }
}

/// The bytes in a PEM block of a public key: nobody looked at them yet.
pub(crate) fn spki_of_pem(pem: &str) -> Option<Vec<u8>> {
    let body = pem.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?.strip_suffix("-----END PUBLIC KEY-----")?;
    let text: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    BASE64.decode(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ED25519, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
        UnparsedPublicKey,
    };

    use super::*;

    fn pem(der: &[u8]) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(der))
    }

    #[test]
    fn the_keys_that_clients_make_are_read_and_verify() {
        let ed25519 = Ed25519KeyPair::generate().unwrap();
        let der: PublicKeyX509Der<'_> = ed25519.public_key().as_der().unwrap();
        let (key_type, key) = public_key(&pem(der.as_ref())).unwrap();
        assert_eq!(key_type, KeyType::Ed25519);
        UnparsedPublicKey::new(&ED25519, &key).verify(b"text", ed25519.sign(b"text").as_ref()).unwrap();

        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
        let (key_type, key) = public_key(&pem(der.as_ref())).unwrap();
        assert_eq!(key_type, KeyType::Rsa);
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), b"text", &mut signature).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key).verify(b"text", &signature).unwrap();

        for other in ["", "-----BEGIN PUBLIC KEY-----", &pem(b"nonsense"), &pem(&[]), RSA_OF_1024_BITS] {
            assert_eq!(public_key(other), None);
        }
    }

    const RSA_OF_1024_BITS: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCtkqOhgzI0Z/ZxZs//14x4a//R
VdgoADof4ePOOiyZU7yr35MM7U+juoFKfHUwunsoBRdwBa/2U8LEwUapDXuJ96RF
Tf7sOt/BKZwyRRu25HNzS0Pl3UmOTbQNyewn7oZ5pOBp2EjI4NRW0vg2zR2ZnnXw
GUFQm4oN4dNohTp9mQIDAQAB
-----END PUBLIC KEY-----";
}
