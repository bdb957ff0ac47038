//! What kinds of secret a venue takes; the secrets themselves never come here.

use serde::{Deserialize, Serialize};

use crate::{signing::Scheme, venue::VenueId};

/// What kind of secret a credential holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretKind {
    /// A shared secret for a MAC.
    Hmac,
    /// A private key whose public half the venue knows.
    PrivateKey,
    /// A token that the owner made at the venue; whoever shows it is the owner.
    Bearer,
    /// What a login needs; the venue hands out a token for it.
    Login,
    /// A token that the venue handed out for a login. Claviger fetches it; nobody enrolls one.
    Token,
}

impl SecretKind {
    /// Every kind, in the order of the enum.
    pub const ALL: &'static [Self] = &[Self::Hmac, Self::PrivateKey, Self::Bearer, Self::Login, Self::Token];

    /// Returns the name used in configuration, API and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::PrivateKey => "private-key",
            Self::Bearer => "bearer",
            Self::Login => "login",
            Self::Token => "token",
        }
    }
}

/// How the text that an owner enters becomes key bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// The ASCII text is the key.
    Text,
    /// The text is base64 of the key.
    Base64,
    /// The text is hexadecimal of the key.
    Hex,
    /// The text is a PKCS#8 PEM of a private key of one of these types.
    Pem(&'static [KeyType]),
}

/// A type of private key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 to 4096 bits.
    Rsa,
}

impl KeyType {
    /// How keys of this type sign.
    pub const fn scheme(self) -> Scheme {
        match self {
            Self::Ed25519 => Scheme::Ed25519,
            Self::Rsa => Scheme::RsaSha256,
        }
    }
}

/// One part of a secret. Most have one; the first is what signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretPart {
    /// Its name in the API, such as `passphrase`.
    pub name: &'static str,
    /// How the owner's text becomes bytes.
    pub form: SecretForm,
}

impl SecretPart {
    pub(crate) const fn new(name: &'static str, form: SecretForm) -> Self {
        Self { name, form }
    }
}

/// One kind of secret at one venue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretRule {
    pub(crate) kind: SecretKind,
    pub(crate) parts: &'static [SecretPart],
}

/// The one part of a secret that is a text.
pub(crate) const TEXT: &[SecretPart] = &[SecretPart::new("secret", SecretForm::Text)];
/// The one part of a secret that is base64.
pub(crate) const BASE64: &[SecretPart] = &[SecretPart::new("secret", SecretForm::Base64)];
/// The one part of a secret that is an RSA key.
pub(crate) const RSA: &[SecretPart] = &[SecretPart::new("secret", SecretForm::Pem(&[KeyType::Rsa]))];

/// Whether an owner may enroll that kind of secret at the venue.
pub fn accepts(venue: VenueId, kind: SecretKind) -> bool {
    kind != SecretKind::Token && rule(venue, kind).is_some()
}

/// Whether requests of the venue hold more than a signature: a token, a passphrase, what a login needs.
pub fn shows_secrets(venue: VenueId) -> bool {
    let mut rules = venue.rules().secrets().iter();
    rules.any(|rule| {
        rule.parts.len() > 1 || matches!(rule.kind, SecretKind::Bearer | SecretKind::Login | SecretKind::Token)
    })
}

/// Whether the venue shows what a key may do. Tokens and logins carry no permissions that anybody could ask for.
pub fn shows_permissions(venue: VenueId) -> bool {
    let mut rules = venue.rules().secrets().iter();
    rules.all(|rule| matches!(rule.kind, SecretKind::Hmac | SecretKind::PrivateKey))
}

/// Returns the parts of a secret of that kind, if the venue takes it.
pub fn secret_parts(venue: VenueId, kind: SecretKind) -> Option<&'static [SecretPart]> {
    rule(venue, kind).map(|rule| rule.parts)
}

/// Returns the types of private key that the venue lets an owner register the public half of; empty if none.
pub fn key_types(venue: VenueId) -> &'static [KeyType] {
    match rule(venue, SecretKind::PrivateKey).and_then(|rule| rule.parts.first()).map(|part| part.form) {
        Some(SecretForm::Pem(types)) => types,
        Some(SecretForm::Text | SecretForm::Base64 | SecretForm::Hex) | None => &[],
    }
}

/// Whether the text could be a key id of the venue. What passes is ASCII, bounded and safe in a header.
pub fn key_id_ok(venue: VenueId, key_id: &str) -> bool {
    venue.rules().key_id_ok(key_id)
}

pub(crate) fn rule(venue: VenueId, kind: SecretKind) -> Option<&'static SecretRule> {
    venue.rules().secrets().iter().find(|rule| rule.kind == kind)
}

/// The length and alphabet that every key id shares; venues differ in the signs they add to letters and digits.
pub(crate) fn is_key_id(key_id: &str, signs: &[u8]) -> bool {
    const KEY_ID_CHARS_MAX: usize = 128;
    (1..=KEY_ID_CHARS_MAX).contains(&key_id.len())
        && key_id.bytes().all(|b| b.is_ascii_alphanumeric() || signs.contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_parts() {
        let form = |venue, kind| secret_parts(venue, kind).map(|parts| parts[0].form);
        for venue in [VenueId::Binance, VenueId::BinanceUsdm] {
            assert_eq!(form(venue, SecretKind::Hmac), Some(SecretForm::Text));
            assert_eq!(key_types(venue), [KeyType::Ed25519, KeyType::Rsa]);
        }
        assert_eq!(form(VenueId::Kraken, SecretKind::Hmac), Some(SecretForm::Base64));
        assert!(!accepts(VenueId::Kraken, SecretKind::PrivateKey));
        for kind in SecretKind::ALL {
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.as_str()));
        }
        for venue in VenueId::ALL.iter().copied() {
            assert!(!accepts(venue, SecretKind::Token));
            let kinds = SecretKind::ALL.iter().filter_map(|kind| rule(venue, *kind));
            assert!(kinds.clone().count() > 0 && kinds.clone().all(|rule| !rule.parts.is_empty()), "{venue}");
        }
    }

    #[test]
    fn key_ids() {
        let kraken = "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aVRiHsgX";
        assert!(key_id_ok(VenueId::Kraken, kraken));
        assert!(!key_id_ok(VenueId::Binance, kraken));
        for venue in VenueId::ALL.iter().copied() {
            for hostile in ["", "a b", "a\r\nX: y", "é", "a:b", "\0"] {
                assert!(!key_id_ok(venue, hostile), "{venue} {hostile:?}");
            }
            assert!(!key_id_ok(venue, &"a".repeat(129)));
        }
    }
}
