//! What is sealed: the venue's key id and the key bytes, padded to a multiple of 64 so that the length tells little.

use crate::secret::{Plaintext, SecretError};

const PAD: usize = 64;

/// A key id and a secret, as the keeper uses them.
#[derive(Debug)]
pub struct Payload {
    key_id: String,
    /// Key bytes: HMAC key, or PKCS#8 DER.
    secret: Plaintext,
}

/// The key id or the secret does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// Malformed after opening.
    #[error("the payload is malformed")]
    Malformed,
    /// The secret could not be held.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl Payload {
    /// Puts a key id and key bytes together.
    pub fn new(key_id: String, secret: Plaintext) -> Self {
        Self { key_id, secret }
    }

    /// The venue's key id: not a secret, but nobody else's business.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The key bytes.
    pub fn secret(&self) -> &Plaintext {
        &self.secret
    }

    /// `u16 length, key id, u16 length, secret, zeros`.
    pub(super) fn padded(&self) -> Result<Plaintext, SecretError> {
        let id = self.key_id.as_bytes();
        let len = id.len().saturating_add(self.secret.len()).saturating_add(4);
        let mut padded = Plaintext::zeroed(len.next_multiple_of(PAD))?;
        let id_len = u16::try_from(id.len()).map_err(|_| SecretError::TooLong)?.to_be_bytes();
        let secret_len = u16::try_from(self.secret.len()).map_err(|_| SecretError::TooLong)?.to_be_bytes();
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: copied from one arena slot into the one to be sealed")]
        self.secret.expose(|secret| {
            padded.fill(|out| {
                let parts: [&[u8]; 4] = [&id_len, id, &secret_len, secret];
                for (to, from) in out.iter_mut().zip(parts.into_iter().flatten()) {
                    *to = *from;
                }
            });
        });
        Ok(padded)
    }

    pub(super) fn from_padded(padded: &Plaintext) -> Result<Self, PayloadError> {
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: the opened payload is taken apart inside the arena")]
        let parts = padded.expose(|bytes| {
            let (id, rest) = split(bytes).ok_or(PayloadError::Malformed)?;
            let (secret, padding) = split(rest).ok_or(PayloadError::Malformed)?;
            if padding.len() >= PAD || padding.iter().any(|b| *b != 0) {
                return Err(PayloadError::Malformed);
            }
            let key_id = std::str::from_utf8(id).map_err(|_| PayloadError::Malformed)?.to_owned();
            Ok::<_, PayloadError>((key_id, Plaintext::copy_of(secret)?))
        })?;
        Ok(Self::new(parts.0, parts.1))
    }
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}
