//! One logged-in session: the steps that one worker thread takes with the token.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time;
use claviger_core::token::{KEY_BYTES, KekBlob, TokenError, WrappedDek};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;
use zeroize::Zeroizing;

use crate::aead::{self, NONCE_BYTES, OVERHEAD};
use crate::cache::KekCache;
use crate::canary;
use crate::error::{self, Class, Fault, LOG};
use crate::hsm::Shared;
use crate::kek::{self, Wrapping};
use crate::key::{KeyName, Keys, Purpose};
use crate::live::LiveKeys;
use crate::object::destroy;
use crate::random::{self, DRAW_BYTES_MIN, Fingerprint};

/// How many KEKs a session keeps unwrapped.
const KEKS_MAX: usize = 4096;

/// How many callers' keys a session keeps unwrapped.
const LIVE_KEYS_MAX: usize = 1024;

/// A wrapped DEK.
const WRAPPED_DEK_BYTES: usize = KEY_BYTES + OVERHEAD;

/// A session of a logged-in token, for one thread.
///
/// It can be sent to the thread that uses it, but not be shared: `SoftHSM` crashes when two threads use one session.
///
/// ```compile_fail,E0277
/// fn shared_between_threads<T: Sync>() {}
/// shared_between_threads::<claviger_hsm::HsmSession>();
/// ```
pub struct HsmSession {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: Session,
    pub(crate) keys: Keys,
    keks: KekCache,
    pub(crate) live: LiveKeys,
    last_draw: Cell<Option<Fingerprint>>,
}

impl HsmSession {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self, TokenError> {
        let session = shared.open_session()?;
        let keys = shared.find_keys()?;
        let live = LiveKeys::new(LIVE_KEYS_MAX);
        Ok(Self { shared, session, keys, keks: KekCache::new(KEKS_MAX), live, last_draw: Cell::new(None) })
    }

    /// Runs `step`, and once more on a fresh session if it met a stale session or handle.
    ///
    /// Only steps that may be repeated: what they make dies with the session that made it.
    pub(crate) fn retried<T>(&mut self, step: impl Fn(&mut Self) -> Result<T, Fault>) -> Result<T, TokenError> {
        match step(self) {
            Err(fault) if fault.class() == Class::Stale => {
                tracing::warn!(target: LOG, "a fresh session after: {fault}");
                drop(self.keks.clear());
                self.live.clear();
                self.session = self.shared.open_session()?;
                self.keys = self.shared.find_keys()?;
                step(self).map_err(Fault::into_token)
            }
            other => other.map_err(Fault::into_token),
        }
    }

    /// Random bytes that passed the sanity check. Draws at least [`DRAW_BYTES_MIN`], so that it has something to check.
    pub(crate) fn fill_random(&self, out: &mut [u8]) -> Result<(), Fault> {
        let mut draw = Zeroizing::new(vec![0; out.len().max(DRAW_BYTES_MIN)]);
        self.session.generate_random_slice(&mut draw)?;
        let last = self.last_draw.replace(None);
        self.last_draw.set(Some(random::check(&draw, last.as_ref())?));
        for (to, from) in out.iter_mut().zip(draw.iter()) {
            *to = *from;
        }
        Ok(())
    }

    /// Makes a KEK; the handle is that of the unwrapped one.
    ///
    /// The bytes are this process's own all along, so no fault in here is anybody's tampering.
    pub(crate) fn make_kek(&mut self, root: u32) -> Result<(KekBlob, ObjectHandle), Fault> {
        let wrapping = self.root(root)?;
        let made = kek::generate(&self.session, wrapping, self.nonce()?).map_err(Fault::not_the_bytes)?;
        Ok((KekBlob { root, wrapped: made.wrapped, canary: made.canary }, made.handle))
    }

    /// Remembers an unwrapped KEK.
    pub(crate) fn keep(&mut self, blob: &KekBlob, kek: ObjectHandle) {
        if let Some(evicted) = self.keks.insert(blob.clone(), kek) {
            destroy(&self.session, evicted);
        }
    }

    /// Destroys what was unwrapped of KEKs.
    pub(crate) fn forget_keks(&mut self) {
        for kek in self.keks.clear() {
            destroy(&self.session, kek);
        }
    }

    /// Wraps a DEK, and opens the result once: a DEK that does not come back would lose what it seals.
    pub(crate) fn seal_dek(&mut self, blob: &KekBlob, dek: &[u8; KEY_BYTES], aad: &[u8]) -> Result<WrappedDek, Fault> {
        let kek = self.kek(blob)?;
        let sealed = aead::seal(&self.session, kek, self.nonce()?, dek, aad)?;
        let opened = aead::open(&self.session, kek, &sealed, aad).map_err(Fault::not_the_bytes)?;
        let same = constant_time::verify_slices_are_equal(&opened, dek).is_ok();
        if !same || sealed.len() != WRAPPED_DEK_BYTES {
            return Err(TokenError::Lost(String::from("it does not open what it sealed")).into());
        }
        Ok(WrappedDek(sealed))
    }

    /// Unwraps a DEK. When it does not open, the canary of the same KEK decides whose fault that is.
    pub(crate) fn open_dek(
        &mut self,
        blob: &KekBlob,
        dek: &WrappedDek,
        aad: &[u8],
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, Fault> {
        if dek.0.len() != WRAPPED_DEK_BYTES {
            return Err(TokenError::Tampered.into());
        }
        let kek = self.kek(blob)?;
        match aead::open(&self.session, kek, &dek.0, aad) {
            Ok(opened) => {
                let mut dek = Zeroizing::new([0; KEY_BYTES]);
                if opened.len() != dek.len() {
                    return Err(TokenError::Lost(format!("it opened {} bytes of a DEK", opened.len())).into());
                }
                dek.copy_from_slice(&opened);
                Ok(dek)
            }
            Err(fault) => Err(judge(fault, || canary::open(&self.session, kek, &blob.canary))),
        }
    }

    /// The handle of a KEK that has opened its canary in this session.
    fn kek(&mut self, blob: &KekBlob) -> Result<ObjectHandle, Fault> {
        if let Some(kek) = self.keks.get(blob) {
            return Ok(kek);
        }
        let root = self.root(blob.root)?;
        let kek = kek::unwrap(&self.session, root, blob);
        let kek = kek.map_err(|fault| judge(fault, || self.prove_root(blob.root)))?;
        self.keep(blob, kek);
        Ok(kek)
    }

    /// The known answer of a root key: it wraps a new KEK, unwraps it, and the KEK works.
    pub(crate) fn prove_root(&mut self, root: u32) -> Result<(), Fault> {
        let (_, kek) = self.make_kek(root)?;
        destroy(&self.session, kek);
        Ok(())
    }

    /// A root key. Another session, or another process, may have made it meanwhile.
    ///
    /// One that is not there is refused and not missed: old ones are destroyed, and what was under them is no reason to
    /// give up the token.
    pub(crate) fn root(&mut self, version: u32) -> Result<Wrapping, Fault> {
        let name = KeyName { purpose: Purpose::Root, version };
        if self.keys.wrapping_key(name).is_err() {
            self.look_again()?;
        }
        self.keys.wrapping_key(name).map_err(|_| TokenError::Refused(format!("it has no key {name}")))?;
        self.shared.wrapping(&self.keys, name)
    }

    /// Finds the token's keys anew.
    pub(crate) fn look_again(&mut self) -> Result<(), Fault> {
        self.keys = self.shared.find_keys()?;
        Ok(())
    }

    pub(crate) fn nonce(&self) -> Result<[u8; NONCE_BYTES], Fault> {
        let mut nonce = [0; NONCE_BYTES];
        self.fill_random(&mut nonce)?;
        Ok(nonce)
    }
}

impl fmt::Debug for HsmSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shared: _, session, keys: _, keks, live, last_draw: _ } = self;
        f.debug_struct("HsmSession")
            .field("session", &session.handle())
            .field("keks", &keks.len())
            .field("live", &live.len())
            .finish()
    }
}

/// HMAC-SHA-256 under a key of the token.
pub(crate) fn mac(session: &Session, key: ObjectHandle, data: &[u8]) -> Result<[u8; KEY_BYTES], Fault> {
    let mac = session.sign(&Mechanism::Sha256Hmac, key, data)?;
    Ok(<[u8; KEY_BYTES]>::try_from(mac)
        .map_err(|mac| TokenError::Refused(format!("its MAC has {} bytes", mac.len())))?)
}

/// Decides a fault that bytes from outside may have caused, by a known answer under the same key.
///
/// If the token gives it, the bytes were not what they had been; if it does not, the token is gone. Bytes of a wrong
/// length never reached the token, so nothing is asked of it for their sake.
pub(crate) fn judge(fault: Fault, known_answer: impl FnOnce() -> Result<(), Fault>) -> Fault {
    if !fault.blames_bytes() || matches!(fault, Fault::Verdict(_)) {
        return fault;
    }
    match known_answer() {
        Ok(()) => {
            tracing::warn!(target: LOG, "bytes that do not open: {fault}");
            TokenError::Tampered.into()
        }
        Err(other) if other.class() == Class::Stale => other,
        Err(_) => error::lost(&fault).into(),
    }
}
