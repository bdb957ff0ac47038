//! AES-256-GCM, in place, in the arena.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::EnvelopeError;
use crate::secret::Plaintext;

const TAG_BYTES: usize = 16;

/// A DEK that has sealed nothing yet. Sealing consumes it, so no nonce can repeat under it.
pub struct Dek(Zeroizing<[u8; 32]>);

impl Dek {
    /// Takes 32 fresh random bytes.
    pub fn from_random(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Lets the token wrap the key.
    pub(super) fn with_key<R>(&self, wrap: impl FnOnce(&[u8; 32]) -> R) -> R {
        wrap(&self.0)
    }

    /// Seals `padded` and gives back nonce and ciphertext with tag.
    pub(super) fn seal(self, aad: &[u8], mut padded: Plaintext) -> Result<([u8; 12], Vec<u8>), EnvelopeError> {
        let mut nonce = [0_u8; 12];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| EnvelopeError::DoesNotOpen)?;
        let key = key(&self.0)?;
        padded.fill(|bytes| {
            let tag = key
                .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), bytes)
                .map_err(|_| EnvelopeError::DoesNotOpen)?;
            let mut ciphertext = bytes.to_vec();
            ciphertext.extend_from_slice(tag.as_ref());
            Ok((nonce, ciphertext))
        })
    }
}

impl std::fmt::Debug for Dek {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dek(…)")
    }
}

pub(super) fn open(
    dek: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    ciphertext: &[u8],
) -> Result<Plaintext, EnvelopeError> {
    let key = key(dek)?;
    let mut buffer = Plaintext::copy_of(ciphertext)?;
    let len = buffer.fill(|bytes| {
        key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), bytes)
            .map(|plain| plain.len())
            .map_err(|_| EnvelopeError::DoesNotOpen)
    })?;
    debug_assert_eq!(len.saturating_add(TAG_BYTES), ciphertext.len(), "GCM keeps lengths");
    buffer.truncate(len);
    Ok(buffer)
}

fn key(bytes: &[u8; 32]) -> Result<LessSafeKey, EnvelopeError> {
    UnboundKey::new(&AES_256_GCM, bytes).map(LessSafeKey::new).map_err(|_| EnvelopeError::DoesNotOpen)
}
