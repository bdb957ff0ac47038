//! What the domain asks of a token: the only door to key material outside `core`.
//!
//! `claviger-hsm` implements [`Token`] over PKCS#11. One value is one logged-in session and lives on one thread, so
//! every method takes `&mut self` and blocks. Nothing here names PKCS#11, a credential or a venue.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::clock::BootTime;
use crate::secret::Plaintext;

/// Length in bytes of a DEK, a KEK and a MAC.
pub const KEY_BYTES: usize = 32;

/// Root keys that a token holds at most: each is put to the test whenever a session begins.
pub const ROOTS_MAX: usize = 16;

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

/// The hash of RSA-OAEP and of its MGF1 that the token takes keys in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OaepHash {
    /// SHA-256.
    Sha256,
    /// SHA-1, where a token has nothing else: OAEP does not rest on its collision resistance.
    Sha1,
}

impl OaepHash {
    /// The word used in API and by `openssl`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
        }
    }
}

/// What tenants wrap their own KEKs to: RSA-OAEP (RFC 8017, section 7.1) of the 32 bytes of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KekDoor {
    /// `SubjectPublicKeyInfo`, PEM.
    pub public_pem: String,
    /// The hash.
    pub hash: OaepHash,
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

/// What a caller's key in the token is. It fixes the algorithm: a key signs in no other way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum KeyKind {
    /// HMAC with SHA-256, 32 bytes.
    HmacSha256,
    /// HMAC with SHA-512, 64 bytes.
    HmacSha512,
    /// RSA of 2048 to 4096 bits, PKCS#1 v1.5 with SHA-256; as long as the modulus.
    RsaSha256,
    /// Ed25519, pure (RFC 8032), 64 bytes.
    Ed25519,
}

/// A caller's key that signs inside the token only, as it is stored: resident and born keys alike.
///
/// A blob authenticates itself, but is bound to nothing: store it in a sealed payload, which is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TokenKey {
    /// Algorithm of the key.
    pub kind: KeyKind,
    /// Where it is.
    pub form: KeyForm,
}

/// Where a key of the token is while it does not sign.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyForm {
    /// With the caller, wrapped (RFC 5649); gone when the blob is.
    Wrapped {
        /// The number of the token's key that wraps this kind.
        kek: u32,
        /// The wrapped key.
        blob: Vec<u8>,
    },
    /// In the token, because the token cannot wrap this kind; gone when [`Token::destroy_key`] was called.
    Object {
        /// Under which it is found.
        label: String,
    },
}

/// A pair to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewPair {
    /// Ed25519.
    Ed25519,
    /// RSA with exponent 65537.
    Rsa {
        /// 2048 to 4096. Takes the token 0.1 s at 2048, and seconds at 4096.
        bits: u16,
    },
}

/// A pair that was made in the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BornKey {
    /// The private half, as it is stored.
    pub key: TokenKey,
    /// The public half: `SubjectPublicKeyInfo`, PEM.
    pub public_pem: String,
}

/// Whose a key's handle is, so that it can be forgotten: the caller's own number, for instance a credential's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder(pub u128);

/// Which handles of callers' keys a session forgets. Keys that only it had unwrapped are destroyed with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forget {
    /// Those of one holder: at revoke, rotate and delete.
    Holder(Holder),
    /// Those not used for [`IDLE`] at this time.
    Idle(BootTime),
    /// All of callers' keys.
    All,
    /// Those of KEKs: the next use unwraps what is still stored.
    Keks,
}

/// After this time without use a caller's key is forgotten.
pub const IDLE: Duration = Duration::from_mins(1);

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

    /// What tenants wrap their own KEKs to. The first call makes it.
    ///
    /// # Errors
    /// Any [`TokenError`]; [`TokenError::Refused`] if the token takes no key in, or would give it away.
    fn kek_door(&mut self) -> Result<KekDoor, TokenError>;

    /// Takes in a tenant's own KEK of 256 bits, and gives it back wrapped by the root key of those, which is number 0
    /// and stays: such a KEK is in no backup, and goes with the tenant's own row.
    ///
    /// It enters as a session object that nothing can be done with but wrap it, and then goes the way of one that was
    /// made here. With `known`, a canary, it is the key that this was sealed under, and keeps the canary.
    ///
    /// # Errors
    /// Any [`TokenError`]; nothing is left in the token then. [`TokenError::Tampered`] when it does not open `known`,
    /// [`TokenError::Refused`] for what is no key of 256 bits that was wrapped to the door.
    fn import_kek(&mut self, wrapped: &[u8], known: Option<&[u8]>) -> Result<KekBlob, TokenError>;

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

    /// Brings a caller's secret into the token and gives it back wrapped: HMAC keys (raw bytes) and RSA (PKCS#8).
    ///
    /// It enters wrapped for the token, as a session object that nothing can be done with but wrap it, is wrapped and
    /// destroyed. The blob was then unwrapped and has signed a constant as software does with `secret`.
    ///
    /// # Errors
    /// Any [`TokenError`]; nothing is left in the token then. [`TokenError::Refused`] also when `secret` is no key of
    /// this kind, or the token cannot wrap the kind (Ed25519 never enters).
    fn import_key(&mut self, kind: KeyKind, secret: &Plaintext) -> Result<TokenKey, TokenError>;

    /// Makes a pair inside the token. It has signed a constant that verifies in software.
    ///
    /// Where the token cannot wrap the private half, that is an object in the token, of which there may be
    /// `objects_max` in all.
    ///
    /// # Errors
    /// Any [`TokenError`]; nothing is left in the token then. [`TokenError::Capacity`] beyond `objects_max`;
    /// [`TokenError::Refused`] for a length out of range.
    fn generate_pair(&mut self, pair: NewPair, objects_max: usize) -> Result<BornKey, TokenError>;

    /// Signs with a caller's key, which stays unwrapped in this session until it is forgotten, idle for [`IDLE`], or
    /// makes room for another.
    ///
    /// # Errors
    /// [`TokenError::Tampered`] when the blob is not one of this token and kind, and the token still unwraps one that
    /// is; [`TokenError::Refused`] when the token holds no such object; otherwise any [`TokenError`].
    fn sign_with(
        &mut self,
        key: &TokenKey,
        holder: Holder,
        message: &[u8],
        now: BootTime,
    ) -> Result<Vec<u8>, TokenError>;

    /// Forgets handles of callers' keys, in this session; others have their own.
    fn forget(&mut self, what: Forget);

    /// Labels of the callers' keys that are objects in the token: what is stored nowhere is left over from a crash.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn key_objects(&mut self) -> Result<Vec<String>, TokenError>;

    /// Destroys such an object. One that is not there is destroyed already.
    ///
    /// # Errors
    /// Any [`TokenError`]; the object may still be there then.
    fn destroy_key(&mut self, label: &str) -> Result<(), TokenError>;

    /// The numbers of the root keys in the token, the newest last.
    ///
    /// # Errors
    /// Any [`TokenError`].
    fn roots(&mut self) -> Result<Vec<u32>, TokenError>;

    /// Makes the root key of this number, which follows the newest one; one that is the newest is there already. From
    /// then on every session wraps new KEKs with it.
    ///
    /// # Errors
    /// Any [`TokenError`]; [`TokenError::Refused`] if it does not follow, or does not pass the tests that a root key is
    /// put to, [`TokenError::Capacity`] if the token holds too many.
    fn make_root(&mut self, number: u32) -> Result<(), TokenError>;

    /// Destroys a root key, and with it every KEK that it wraps. One that is not there is destroyed already.
    ///
    /// # Errors
    /// Any [`TokenError`]; [`TokenError::Refused`] for the newest. The key may still be there then.
    fn destroy_root(&mut self, number: u32) -> Result<(), TokenError>;

    /// How many bytes the token's library has lost in this process, estimated: `SoftHSM` leaks with each session object.
    fn leaked_bytes(&self) -> u64;

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
