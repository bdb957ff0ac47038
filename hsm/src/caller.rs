//! Callers' keys: they sign inside the token, and are stored wrapped by it wherever it can wrap them.
//!
//! | kind | wrapped by | comes by |
//! |---|---|---|
//! | HMAC | `kek-res` | import |
//! | RSA | `kek-priv-rsa` | import, birth |
//! | Ed25519 | `kek-priv-ed25519`; where the module cannot (`SoftHSM` 2.6), an object of the token | birth |
//!
//! One wrapping key per type, because an unwrap template names one: what comes out can only ever sign, and never be
//! read. They belong to the token and not to a tenant: RFC 5649 protects a blob's bytes, and who it belongs to, and that
//! it ends when it is deleted, is up to the sealed payload that it is stored in. A key that is wrapped was extractable
//! at birth, to be wrapped; one kept in the token never was, and costs room in it, hence the limit.
//!
//! A device keeps an unwrapped key to itself. A soft token keeps it in this process: `SoftHSM` encrypted, under a key
//! that is there, too, and in the clear for the length of a call; Kryoptic leaves copies behind.

use claviger_core::clock::BootTime;
use claviger_core::secret::Plaintext;
use claviger_core::token::{BornKey, Forget, Holder, KEY_BYTES, KeyForm, KeyKind, NewPair, TokenError, TokenKey};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::kek::Wrapping;
use crate::key::{KeyName, Purpose};
use crate::mechanism;
use crate::object::{self, Temporary, destroy};
use crate::session::{HsmSession, judge};
use crate::template::caller as template;

use birth::Newborn;
use import::Secret;

pub(crate) mod birth;
pub(crate) mod import;
pub(crate) mod kept;

impl HsmSession {
    /// See [`claviger_core::token::Token::import_key`].
    pub(crate) fn import(&self, kind: KeyKind, secret: &Plaintext) -> Result<TokenKey, Fault> {
        let secret = Secret::new(kind, secret)?;
        let (name, with) = self.shared.wrapping_for(&self.keys, kind)?;
        let mut carrier = Zeroizing::new([0; KEY_BYTES]);
        self.fill_random(carrier.as_mut_slice())?;
        let door = self.shared.door(&self.session, &self.keys)?;
        let newborn = secret.bring(&door, &carrier).map_err(Fault::not_the_bytes)?;
        self.wrapped(kind, name, with, &newborn, |signature| secret.verifies(KNOWN_MESSAGE, signature))
    }

    /// See [`claviger_core::token::Token::generate_pair`].
    pub(crate) fn make_pair(&self, pair: NewPair, objects_max: usize) -> Result<BornKey, Fault> {
        let kind = match pair {
            NewPair::Ed25519 => KeyKind::Ed25519,
            NewPair::Rsa { bits } if RSA_BITS.contains(&bits) => KeyKind::RsaSha256,
            NewPair::Rsa { bits } => return Err(TokenError::Refused(format!("no RSA key has {bits} bits")).into()),
        };
        let (name, with) = match self.shared.wrapping_for(&self.keys, kind) {
            Ok(found) => found,
            Err(_) if kind == KeyKind::Ed25519 => return kept::make(self, objects_max),
            Err(fault) => return Err(fault),
        };
        let newborn = Newborn::generate(&self.session, pair)?;
        let verifies = |signature: &[u8]| newborn.public.verify_sig(KNOWN_MESSAGE, signature).is_ok();
        let key = self.wrapped(kind, name, with, &newborn.private, verifies)?;
        Ok(BornKey { key, public_pem: crate::public::pem(&newborn.public)? })
    }

    /// Wraps a newborn, and lets the blob sign once: what does not come back as it went would be lost.
    fn wrapped(
        &self,
        kind: KeyKind,
        name: KeyName,
        with: Wrapping,
        newborn: &Temporary<'_>,
        verifies: impl FnOnce(&[u8]) -> bool,
    ) -> Result<TokenKey, Fault> {
        let blob = self.session.wrap_key(&with.kwp.mechanism(), with.handle, newborn.handle)?;
        let signer = unwrap(&self.session, with, kind, &blob).map_err(Fault::not_the_bytes)?;
        let signer = Temporary::new(&self.session, signer);
        if verifies(&sign(&self.session, kind, signer.handle, KNOWN_MESSAGE)?) {
            Ok(TokenKey { kind, form: KeyForm::Wrapped { kek: name.version, blob } })
        } else {
            Err(TokenError::Refused(String::from("the key does not sign as software does with it")).into())
        }
    }

    /// See [`claviger_core::token::Token::sign_with`].
    pub(crate) fn sign_live(
        &mut self,
        key: &TokenKey,
        holder: Holder,
        message: &[u8],
        now: BootTime,
    ) -> Result<Vec<u8>, Fault> {
        self.forget_live(Forget::Idle(now));
        let signer = match self.live.get(key, now) {
            Some(signer) => signer,
            None => self.take_up(key, holder, now)?,
        };
        sign(&self.session, key.kind, signer, message)
    }

    /// See [`claviger_core::token::Token::forget`].
    pub(crate) fn forget_live(&mut self, what: Forget) {
        for handle in self.live.forget(what) {
            destroy(&self.session, handle);
        }
    }

    /// Unwraps or finds a key, and remembers its handle.
    fn take_up(&mut self, key: &TokenKey, holder: Holder, now: BootTime) -> Result<ObjectHandle, Fault> {
        let signer = match &key.form {
            KeyForm::Object { label } => kept::find(self, key.kind, label)?,
            KeyForm::Wrapped { kek, blob } => {
                let name = KeyName { purpose: Purpose::wrapping(key.kind), version: *kek };
                let with = self.shared.wrapping(&self.keys, name)?;
                unwrap(&self.session, with, key.kind, blob).map_err(|fault| judge(fault, || self.prove(name, with)))?
            }
        };
        if let Some(evicted) = self.live.insert(key.clone(), signer, holder, now) {
            destroy(&self.session, evicted);
        }
        Ok(signer)
    }

    /// The known answer of a wrapping key: what it wrapped when the token was opened still comes out.
    fn prove(&self, name: KeyName, with: Wrapping) -> Result<(), Fault> {
        let known = self.shared.known_blob(name).ok_or_else(|| TokenError::KeyMissing(name.to_string()))?;
        destroy(&self.session, unwrap(&self.session, with, known.kind, &known.blob)?);
        Ok(())
    }
}

/// Unwraps a blob as a key that signs. Bytes of a length that the kind does not have never reach the token, so that an
/// HMAC key for one hash does not pass for one of the other.
pub(crate) fn unwrap(session: &Session, with: Wrapping, kind: KeyKind, blob: &[u8]) -> Result<ObjectHandle, Fault> {
    let fits = match kind {
        KeyKind::HmacSha256 => blob.len() == 64 + 8,
        KeyKind::HmacSha512 => blob.len() == 128 + 8,
        KeyKind::RsaSha256 | KeyKind::Ed25519 => blob.len() <= BLOB_BYTES_MAX && blob.len().is_multiple_of(8),
    };
    if !fits {
        return Err(TokenError::Tampered.into());
    }
    object::unwrap(session, &with.kwp.mechanism(), with.handle, blob, &template::signer(kind))
}

/// Signs by the one mechanism of the kind.
pub(crate) fn sign(session: &Session, kind: KeyKind, signer: ObjectHandle, message: &[u8]) -> Result<Vec<u8>, Fault> {
    let signature = session.sign(&mechanism::signing(kind), signer, message)?;
    let fits = match kind {
        KeyKind::HmacSha256 => signature.len() == 32,
        KeyKind::HmacSha512 | KeyKind::Ed25519 => signature.len() == 64,
        KeyKind::RsaSha256 => signature.len() >= 256,
    };
    if fits {
        Ok(signature)
    } else {
        Err(TokenError::Refused(format!("its signature has {} bytes", signature.len())).into())
    }
}

/// What every new key signs once. No venue takes it for a request.
pub(crate) const KNOWN_MESSAGE: &[u8] = b"claviger-new-key/v1";

/// RSA keys as venues take them.
const RSA_BITS: std::ops::RangeInclusive<u16> = 2048..=4096;

/// A wrapped RSA key of 4096 bits has 2,400 bytes.
const BLOB_BYTES_MAX: usize = 4096;
