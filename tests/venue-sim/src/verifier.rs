//! What it takes to check a signature: the primitives come from aws-lc, the judgement is made here.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde::Deserialize;

/// How a registered key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyKind {
    /// A secret that both sides hold.
    #[default]
    Hmac,
    /// An Ed25519 public key.
    Ed25519,
    /// An RSA public key, PKCS #1 v1.5 with SHA-256.
    Rsa,
}

/// A key, ready to check signatures with.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one per registered key, and it never moves")]
pub(crate) enum Verifier {
    /// HMAC, with the digest that the venue prescribes.
    Hmac(hmac::Key),
    /// Ed25519 or RSA.
    Public(ParsedPublicKey),
    /// A secret that is sent as it is: a password, an API key, a bearer token.
    Shown(Box<str>),
}

impl Verifier {
    /// Prepares HMAC-SHA256 with the secret's own characters as the key.
    pub(crate) fn hmac_sha256(secret: &str) -> Self {
        Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// Prepares HMAC-SHA512 with a secret given in base64; `None` if it is not base64.
    pub(crate) fn hmac_sha512_base64(secret: &str) -> Option<Self> {
        let secret = BASE64.decode(secret.as_bytes()).ok()?;
        Some(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA512, &secret)))
    }

    /// Prepares a public key given as PEM, or as base64 of DER or of the raw 32 bytes of Ed25519.
    pub(crate) fn public(kind: KeyKind, text: &str) -> Option<Self> {
        let base64: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
            .collect();
        let der = BASE64.decode(base64.as_bytes()).ok()?;
        let parsed = match kind {
            KeyKind::Hmac => return None,
            KeyKind::Ed25519 => ParsedPublicKey::new(&ED25519, der),
            KeyKind::Rsa => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der),
        };
        parsed.ok().map(Self::Public)
    }

    /// Whether `text` is the secret itself.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Shown(secret) => verify_slices_are_equal(secret.as_bytes(), text.as_bytes()).is_ok(),
            Self::Hmac(_) | Self::Public(_) => false,
        }
    }

    /// Whether `signature` is this key's signature over `message`.
    pub(crate) fn accepts(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => verify_slices_are_equal(hmac::sign(key, message).as_ref(), signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
            Self::Shown(_) => false,
        }
    }

    /// Decodes a signature as venues write it that use hex for HMAC and base64 for public keys.
    pub(crate) fn decode_signature(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Hmac(_) => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
            Self::Public(_) => BASE64.decode(text.as_bytes()).ok(),
            Self::Shown(_) => None,
        }
    }
}
