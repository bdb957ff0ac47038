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
}

impl SecretKind {
    /// Every kind, in the order of the enum.
    pub const ALL: &'static [Self] = &[Self::Hmac, Self::PrivateKey];

    /// Returns the name used in configuration, API and storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hmac => "hmac",
            Self::PrivateKey => "private-key",
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
    /// The text is a PKCS#8 PEM of an Ed25519 private key.
    Ed25519Pem,
}

/// One kind of secret at one venue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretRule {
    pub(crate) kind: SecretKind,
    pub(crate) form: SecretForm,
    pub(crate) scheme: Scheme,
}

/// Whether the venue takes that kind of secret.
pub fn accepts(venue: VenueId, kind: SecretKind) -> bool {
    rule(venue, kind).is_some()
}

/// Returns how the owner's text becomes key bytes, if the venue takes that kind.
pub fn secret_form(venue: VenueId, kind: SecretKind) -> Option<SecretForm> {
    rule(venue, kind).map(|rule| rule.form)
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
    fn kinds_and_forms() {
        for venue in [VenueId::Binance, VenueId::BinanceUsdm] {
            assert_eq!(secret_form(venue, SecretKind::Hmac), Some(SecretForm::Text));
            assert_eq!(secret_form(venue, SecretKind::PrivateKey), Some(SecretForm::Ed25519Pem));
        }
        assert_eq!(secret_form(VenueId::Kraken, SecretKind::Hmac), Some(SecretForm::Base64));
        assert!(!accepts(VenueId::Kraken, SecretKind::PrivateKey));
        for kind in SecretKind::ALL {
            let json = serde_json::to_string(kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.as_str()));
        }
    }

    #[test]
    fn key_ids() {
        let kraken = "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aVRiHsgX";
        assert!(key_id_ok(VenueId::Kraken, kraken));
        assert!(!key_id_ok(VenueId::Binance, kraken));
        for venue in VenueId::ALL.iter().copied() {
            assert!(key_id_ok(venue, "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"));
            for hostile in ["", "a b", "a\r\nX: y", "é", "a:b", "\0"] {
                assert!(!key_id_ok(venue, hostile), "{venue} {hostile:?}");
            }
            assert!(!key_id_ok(venue, &"a".repeat(129)));
        }
    }
}
