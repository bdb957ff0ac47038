//! What the domain asks of a token: the only door to key material outside `core`.
//!
//! `claviger-hsm` implements [`Token`] over PKCS#11. One value is one logged-in session and lives on one thread, so
//! every method takes `&mut self` and blocks. Nothing here names PKCS#11, a credential or a venue.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Length in bytes of a DEK, a KEK and a MAC.
pub const KEY_BYTES: usize = 32;

/// One tenant's KEK of one version, wrapped by a root key: opaque outside the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KekBlob {
    /// The number of the root key that wraps it.
    pub root: u32,
    /// The wrapped key (RFC 5649).
    pub wrapped: Vec<u8>,
    /// A constant sealed under the KEK when it was made. Opening it proves that the right key came back.
    pub canary: Vec<u8>,
}

/// A DEK wrapped by a KEK: nonce, ciphertext and tag of AES-256-GCM, 60 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedDek(pub Vec<u8>);

/// The purposes of the token's HMAC-SHA-256 keys. Each is a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MacKey {
    /// Blind indexes over (tenant, venue, key id).
    Index,
    /// Operators' password hashes.
    Pepper,
    /// Rows that the token itself must be able to trust when it reads them again.
    Row,
}

/// The purposes of the token's signing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SigningKey {
    /// P-256: access tokens. The signature is ECDSA over SHA-256, 64 bytes `r || s` (RFC 7518 section 3.4).
    Api,
    /// Ed25519, pure (RFC 8032): checkpoints.
    Audit,
}

/// The public halves of the signing keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKeys {
    /// P-256, uncompressed point, 65 bytes.
    pub api: Vec<u8>,
    /// Ed25519, 32 bytes.
    pub audit: Vec<u8>,
}

/// Why the token did not do what it was asked, sorted by what the caller can do about it.
///
/// The PKCS#11 function and return value are in the text of the implementation's own log line and stay behind `source`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The bytes given do not open under this key: changed, swapped, or of another key. The token itself is well.
    #[error("the bytes do not open under this key")]
    Tampered,
    /// The session or the token is gone, also after one retry on a fresh session. The process should be replaced.
    #[error("the token is gone: {0}")]
    Lost(String),
    /// The PIN was refused or is locked. Trying again would burn another attempt.
    #[error("the token refused the PIN: {0}")]
    PinRefused(String),
    /// A key that must be there is not. It is never made anew.
    #[error("the token has no key {0}")]
    KeyMissing(String),
    /// The token refuses this function, mechanism or template: a wrong device or a bug, never retried.
    #[error("the token refused: {0}")]
    Refused(String),
    /// The token cannot take more at the moment (sessions, memory).
    #[error("the token has no room: {0}")]
    Capacity(String),
}

/// One logged-in session of a token.
///
/// Every method may block for as long as the library does; deadlines and watchdogs are the caller's.
pub trait Token {
    /// Fills `out` from the token's random number generator.
    ///
    /// # Errors
    /// Any [`TokenError`]; an implementation refuses output that is all zero.
    fn random(&mut self, out: &mut [u8]) -> Result<(), TokenError>;

    /// Makes a KEK inside the token and gives it back wrapped by the newest root key.
    ///
    /// It is made as a session object, wrapped, destroyed, unwrapped again through the root key's template, and its
    /// canary opened, before the blob is returned.
    ///
    /// # Errors
    /// Any [`TokenError`]; nothing is left in the token then.
    fn generate_kek(&mut self) -> Result<KekBlob, TokenError>;

    /// Wraps a DEK under a KEK, bound to `aad`.
    ///
    /// # Errors
    /// Any [`TokenError`]. [`TokenError::Tampered`] means that the blob is not a KEK of this token.
    fn wrap_dek(&mut self, kek: &KekBlob, dek: &[u8; KEY_BYTES], aad: &[u8]) -> Result<WrappedDek, TokenError>;

    /// Unwraps a DEK.
    ///
    /// # Errors
    /// [`TokenError::Tampered`] when the wrapped DEK, the blob or `aad` is not what it was, and the token still opens
    /// the KEK's canary; otherwise any [`TokenError`].
    fn unwrap_dek(
        &mut self,
        kek: &KekBlob,
        dek: &WrappedDek,
        aad: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, TokenError>;

    /// HMAC-SHA-256 under one of the token's MAC keys.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn mac(&mut self, key: MacKey, data: &[u8]) -> Result<[u8; KEY_BYTES], TokenError>;

    /// Signs with one of the token's signing keys; see [`SigningKey`] for algorithm and form.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn sign(&mut self, key: SigningKey, message: &[u8]) -> Result<Vec<u8>, TokenError>;

    /// The public halves of the newest signing keys.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn public_keys(&mut self) -> Result<PublicKeys, TokenError>;

    /// All checkpoints that the token holds: the newest and the one before it, more after a crash.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn checkpoints(&mut self) -> Result<Vec<Vec<u8>>, TokenError>;

    /// Stores a checkpoint in the token: the new object first, then all others but `previous` are destroyed.
    ///
    /// The previous one stays, because a soft token on a full disk says that it wrote what it did not.
    ///
    /// # Errors
    /// Any [`TokenError`]; at least one checkpoint is in the token then, if there was one before.
    fn put_checkpoint(&mut self, checkpoint: &[u8], previous: Option<&[u8]>) -> Result<(), TokenError>;

    /// A known-answer operation with a real key: the only honest sign of life.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn probe(&mut self) -> Result<(), TokenError>;
}
