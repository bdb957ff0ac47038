//! The envelope: one DEK per credential version, sealed data bound to where it belongs.
//!
//! ```text
//! KEK (in the token) --wraps--> DEK --seals--> payload (key id and secret, padded)
//!                     AAD: SHA-256 of the binding      AAD: the binding
//! ```
//!
//! A row that was moved to another credential, tenant, version, venue, kind, mode or ceiling does not open, because the
//! [`Binding`] is authenticated twice: with the payload, and (by its hash) with the wrapped DEK. Rewrapping a DEK under
//! another KEK leaves the binding and the sealed payload as they are.
//!
//! **Architecture invariant**: nothing outside `envelope` calls the AEAD on a credential, and a [`Dek`] seals once.

mod aead;
mod binding;
mod format;
mod payload;
mod token_key;

pub use aead::Dek;
pub use binding::{Binding, Mode, Purpose};
pub use format::{Envelope, FormatError, SEALED_BYTES_MAX, parted, with_wrap};
pub use payload::{Payload, PayloadError};

use crate::secret::{Plaintext, SecretError};

/// Why sealed bytes could not be opened, or a payload not be sealed.
///
/// A failed opening is one variant, whatever went wrong inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The bytes are not what was sealed here under this binding.
    #[error("the sealed bytes do not open")]
    DoesNotOpen,
    /// The secret could not be held.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Seals `payload` under `binding` with a fresh DEK.
///
/// `wrap` is the token: it is given the DEK and the hash that the wrapping must be bound to.
///
/// # Errors
/// Whatever `wrap` says, or [`EnvelopeError`]; nothing was stored then.
///
/// # Security
/// The DEK is consumed; the payload stays in the arena.
pub fn seal<E: From<EnvelopeError>>(
    binding: Binding,
    kek_version: u32,
    dek: Dek,
    payload: &Payload,
    wrap: impl FnOnce(&[u8; 32], &[u8; 32]) -> Result<Vec<u8>, E>,
) -> Result<Envelope, E> {
    let aad = binding.to_aad();
    let wrapped_dek = dek.with_key(|key| wrap(key, &binding.hash()))?;
    let padded = payload.padded().map_err(EnvelopeError::from)?;
    let (nonce, ciphertext) = dek.seal(&aad, padded)?;
    Ok(Envelope { binding, kek_version, wrapped_dek, nonce, ciphertext })
}

/// Opens what [`seal`] made, with the DEK that the token gave back.
///
/// # Errors
/// [`EnvelopeError::DoesNotOpen`] for any reason that lies in the bytes.
pub fn open(envelope: &Envelope, dek: &[u8; 32]) -> Result<Payload, EnvelopeError> {
    let padded: Plaintext = aead::open(dek, &envelope.nonce, &envelope.binding.to_aad(), &envelope.ciphertext)?;
    Payload::from_padded(&padded).map_err(|_| EnvelopeError::DoesNotOpen)
}

#[cfg(test)]
mod tests;
