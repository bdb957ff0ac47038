//! AES-256-GCM inside the token: `nonce || ciphertext || tag`.
//!
//! Source: PKCS #11 v3.1, section 6.13.3 (AES-GCM); NIST SP 800-38D: 96-bit nonce, 128-bit tag.

use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use cryptoki::types::Ulong;
use zeroize::Zeroizing;

use claviger_core::token::TokenError;

use crate::error::Fault;

pub(crate) const NONCE_BYTES: usize = 12;
pub(crate) const TAG_BYTES: usize = 16;
const TAG_BITS: u64 = 128;

/// How many bytes sealing adds.
pub(crate) const OVERHEAD: usize = NONCE_BYTES + TAG_BYTES;

/// Seals `plaintext` under `key`, bound to `aad`. The nonce must be fresh: 2^32 random ones per key are the limit.
///
/// The nonce is read back after the call, because a device may put its own into the buffer.
pub(crate) fn seal(
    session: &Session,
    key: ObjectHandle,
    mut nonce: [u8; NONCE_BYTES],
    plaintext: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, Fault> {
    let ciphertext = {
        let params = GcmParams::new(&mut nonce, not_empty(aad)?, Ulong::from(TAG_BITS))?;
        session.encrypt(&Mechanism::AesGcm(params), key, plaintext)?
    };
    let mut sealed = Vec::with_capacity(plaintext.len().saturating_add(OVERHEAD));
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

/// Opens what [`seal`] made.
///
/// Only the caller can say whether a fault means tampering, because only the caller has a known answer.
pub(crate) fn open(
    session: &Session,
    key: ObjectHandle,
    sealed: &[u8],
    aad: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(TokenError::Tampered)?;
    let mut nonce = *nonce;
    let params = GcmParams::new(&mut nonce, not_empty(aad)?, Ulong::from(TAG_BITS))?;
    Ok(Zeroizing::new(session.decrypt(&Mechanism::AesGcm(params), key, ciphertext)?))
}

/// Nothing is sealed without a binding; and `SoftHSM` 2.6 reads out of bounds when there is none.
fn not_empty(aad: &[u8]) -> Result<&[u8], Fault> {
    if aad.is_empty() { Err(TokenError::Refused(String::from("the AAD is empty")).into()) } else { Ok(aad) }
}
