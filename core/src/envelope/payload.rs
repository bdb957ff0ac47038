//! What is sealed: the venue's key id and the key bytes, padded to a multiple of 64 so that the length tells little.

use crate::secret::{Plaintext, SecretError};

const PAD: usize = 64;

/// A key id and a secret of one or more parts, as the keeper uses them.
#[derive(Debug)]
pub struct Payload {
    key_id: String,
    /// Key bytes: HMAC key, PKCS#8 DER, a token, a passphrase. None is empty.
    parts: Vec<Plaintext>,
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
    /// Puts a key id and the parts of a secret together.
    pub fn new(key_id: String, parts: Vec<Plaintext>) -> Self {
        Self { key_id, parts }
    }

    /// The venue's key id: not a secret, but nobody else's business.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The parts, in the order of the venue's rule.
    pub fn parts(&self) -> &[Plaintext] {
        &self.parts
    }

    /// Only the parts.
    pub(crate) fn into_parts(self) -> Vec<Plaintext> {
        self.parts
    }

    /// `u16 length, key id`, then for each part `u16 length, part`, then zeros: no part has length zero.
    pub(crate) fn padded(&self) -> Result<Plaintext, SecretError> {
        let id = self.key_id.as_bytes();
        let parts = self.parts.iter().map(|part| part.len().saturating_add(2));
        let len = parts.fold(id.len().saturating_add(2), usize::saturating_add);
        let mut padded = Plaintext::zeroed(len.next_multiple_of(PAD))?;
        let mut at = write(&mut padded, 0, id)?;
        for part in &self.parts {
            #[expect(
                clippy::disallowed_methods,
                reason = "EXPOSE: copied from one arena slot into the one to be sealed"
            )]
            let next = part.expose(|part| write(&mut padded, at, part))?;
            at = next;
        }
        Ok(padded)
    }

    pub(crate) fn from_padded(padded: &Plaintext) -> Result<Self, PayloadError> {
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: the opened payload is taken apart inside the arena")]
        padded.expose(|bytes| {
            let (id, mut rest) = split(bytes).ok_or(PayloadError::Malformed)?;
            let key_id = std::str::from_utf8(id).map_err(|_| PayloadError::Malformed)?.to_owned();
            let mut parts = Vec::new();
            while let Some((part, after)) = split(rest)
                && !part.is_empty()
            {
                parts.push(Plaintext::copy_of(part)?);
                rest = after;
            }
            if parts.is_empty() || rest.len() >= PAD || rest.iter().any(|b| *b != 0) {
                return Err(PayloadError::Malformed);
            }
            Ok(Self::new(key_id, parts))
        })
    }
}

/// Writes `u16 length, bytes` at an offset, and returns the offset after it.
fn write(into: &mut Plaintext, at: usize, bytes: &[u8]) -> Result<usize, SecretError> {
    let len = u16::try_from(bytes.len()).map_err(|_| SecretError::TooLong)?.to_be_bytes();
    Ok(into.fill(|out| {
        let from = len.iter().chain(bytes);
        let written = out.iter_mut().skip(at).zip(from).map(|(to, from)| *to = *from).count();
        at.saturating_add(written)
    }))
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))
}
