//! The stored form of a key that signs inside the token: the first part of a payload whose mode is not
//! [`Mode::Sealed`](super::Mode::Sealed). It is no secret, and opens for ever.
//!
//! ```text
//! 1  form (1)
//! 1  kind: 1 HMAC-SHA-256, 2 HMAC-SHA-512, 3 RSA with SHA-256, 4 Ed25519
//! 1  where: 1 wrapped, 2 an object of the token
//! 4  wrapped only: the number of the wrapping key
//! …  the wrapped key, or the object's label, to the end
//! ```

use super::format::{FormatError, Reader};
use crate::token::{KeyForm, KeyKind, TokenKey};

const FORM: u8 = 1;
const WRAPPED: u8 = 1;
const OBJECT: u8 = 2;

impl TokenKey {
    /// The stored form.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let kind = match self.kind {
            KeyKind::HmacSha256 => 1,
            KeyKind::HmacSha512 => 2,
            KeyKind::RsaSha256 => 3,
            KeyKind::Ed25519 => 4,
        };
        match &self.form {
            KeyForm::Wrapped { kek, blob } => [&[FORM, kind, WRAPPED], kek.to_be_bytes().as_slice(), blob].concat(),
            KeyForm::Object { label } => [&[FORM, kind, OBJECT], label.as_bytes()].concat(),
        }
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`FormatError`].
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut from = Reader::new(bytes);
        if from.byte()? != FORM {
            return Err(FormatError::Version);
        }
        let kind = match from.byte()? {
            1 => KeyKind::HmacSha256,
            2 => KeyKind::HmacSha512,
            3 => KeyKind::RsaSha256,
            4 => KeyKind::Ed25519,
            _ => return Err(FormatError::Malformed),
        };
        let form = match from.byte()? {
            WRAPPED => {
                let kek = u32::from_be_bytes(from.array()?);
                KeyForm::Wrapped { kek, blob: from.rest().to_vec() }
            }
            OBJECT => {
                let label = std::str::from_utf8(from.rest()).map_err(|_| FormatError::Malformed)?;
                KeyForm::Object { label: label.to_owned() }
            }
            _ => return Err(FormatError::Malformed),
        };
        Ok(Self { kind, form })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KINDS: [KeyKind; 4] = [KeyKind::HmacSha256, KeyKind::HmacSha512, KeyKind::RsaSha256, KeyKind::Ed25519];

    fn forms() -> impl Iterator<Item = TokenKey> {
        let wrapped = KeyForm::Wrapped { kek: 7, blob: vec![0xab; 24] };
        let object = KeyForm::Object { label: "born-ed25519/000102030405060708090a0b0c0d0e0f".to_owned() };
        KINDS.into_iter().flat_map(move |kind| [wrapped.clone(), object.clone()].map(|form| TokenKey { kind, form }))
    }

    #[test]
    fn the_first_form_reads_for_ever() {
        let stored = include_str!("../../testdata/token-key/v1.hex").lines();
        let known = forms().map(|key| data_encoding::HEXLOWER.encode(&key.to_bytes()));
        assert_eq!(stored.collect::<Vec<_>>(), known.collect::<Vec<_>>());
        for key in forms() {
            assert_eq!(TokenKey::from_bytes(&key.to_bytes()), Ok(key));
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(key) = TokenKey::from_bytes(&bytes) {
                prop_assert_eq!(key.to_bytes(), bytes);
            }
        }
    }
}
