//! A token that is logged in and was put to the test.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use claviger_core::token::{KEY_BYTES, KeyKind, MacKey, TokenError};
use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;

use crate::admission::{self, AdmissionError, Admitted, KnownBlob};
use crate::caller::import::{Door, Oaep};
use crate::error::{Class, Fault, LOG};
use crate::kek::Wrapping;
use crate::key::{KeyName, Keys, Purpose};
use crate::mechanism::Kwp;
use crate::module::OpenError;
use crate::object;
use crate::pin::Pin;
use crate::session::{self, HsmSession};
use crate::slot::Device;

/// A token that is logged in, holds all its keys, and passed the admission test.
///
/// Share it between threads by reference; each worker takes a [`HsmSession`] of its own.
pub struct Hsm {
    shared: Arc<Shared>,
}

impl Hsm {
    pub(crate) fn open(context: Pkcs11, slot: Slot, device: Device, pin: Pin) -> Result<Self, OpenError> {
        let admin = Admin::log_in(&context, slot, &pin)?;
        drop(pin);
        let keys = Keys::find(&admin.work)?;
        let admitted = admission::test(&admin.work, &keys)?;
        let known_mac = session::mac(&admin.work, keys.mac(MacKey::Row), PROBE)?;
        tracing::info!(
            target: LOG,
            { token.label = device.label, token.serial = device.serial, token.model = device.model },
            "the token is open"
        );
        let lacking = keys.lacking().map(|name| name.to_string()).collect();
        let (newcomers, kek_oaep, admin) = (RwLock::default(), OnceLock::new(), Mutex::new(admin));
        let shared = Shared { context, slot, device, admitted, newcomers, kek_oaep, known_mac, lacking, admin };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Opens a session for one worker thread. It is logged in, because a login is the whole process's.
    ///
    /// # Errors
    /// Any [`TokenError`]; [`TokenError::Capacity`] if the token has no session left.
    pub fn session(&self) -> Result<HsmSession, TokenError> {
        HsmSession::new(Arc::clone(&self.shared))
    }

    /// The keys without which callers' keys cannot be brought into the token, or be wrapped by it; empty if all are there.
    ///
    /// [`crate::provision::add_caller_keys`] makes them.
    pub fn lacking(&self) -> &[String] {
        &self.shared.lacking
    }

    /// What the token says about itself.
    pub fn device(&self) -> &Device {
        &self.shared.device
    }
}

impl fmt::Debug for Hsm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hsm").field("device", &self.shared.device).finish_non_exhaustive()
    }
}

/// What all sessions of one token have in common.
pub(crate) struct Shared {
    context: Pkcs11,
    slot: Slot,
    device: Device,
    admitted: Admitted,
    /// Root keys that came into the token after it was opened, and were put to the test then.
    newcomers: RwLock<BTreeMap<KeyName, Kwp>>,
    /// How tenants' own KEKs come in, once that was put to the test.
    kek_oaep: OnceLock<Oaep>,
    known_mac: [u8; KEY_BYTES],
    lacking: Vec<String>,
    admin: Mutex<Admin>,
}

impl Shared {
    /// A new session, read-only: it makes session objects, never token objects.
    pub(crate) fn open_session(&self) -> Result<Session, TokenError> {
        self.context.open_ro_session(self.slot).map_err(|error| Fault::from(error).into_token())
    }

    /// The keys, where they were before.
    ///
    /// # Errors
    /// [`TokenError::Lost`] if the token shows no secret key at all: after a logout, or when its directory went away, it
    /// lists nothing, without any error. [`TokenError::KeyMissing`] if only some are gone.
    pub(crate) fn find_keys(&self) -> Result<Keys, TokenError> {
        self.with_admin(|session| self.keys(session))
    }

    /// The same for whoever holds the admin lock. Root keys that are new are put to the test.
    pub(crate) fn keys(&self, session: &Session) -> Result<Keys, Fault> {
        let keys = match Keys::find(session) {
            Err(Fault::Verdict(TokenError::KeyMissing(name))) if !Keys::any_secret(session)? => {
                return Err(TokenError::Lost(format!("it no longer shows any key, looking for {name}")).into());
            }
            other => other?,
        };
        for (name, handle) in keys.wrapping().filter(|(name, _)| name.purpose == Purpose::Root) {
            if self.kwp_of(name).is_none() {
                let refused = |error: &_| TokenError::Refused(format!("{name}: {error}"));
                let kwp = admission::root(session, &keys, handle)
                    .map_err(|error| if let AdmissionError::Token(error) = error { error } else { refused(&error) })?;
                self.newcomers.write().unwrap_or_else(PoisonError::into_inner).insert(name, kwp);
            }
        }
        Ok(keys)
    }

    /// Runs what lists, makes or destroys token objects, one thread at a time.
    ///
    /// `SoftHSM` loses objects from listings while another thread makes one. `op` must bear being repeated: it is,
    /// once, on a fresh session, when the first run meets a stale handle.
    pub(crate) fn with_admin<T>(&self, op: impl Fn(&Session) -> Result<T, Fault>) -> Result<T, TokenError> {
        let mut admin = self.admin.lock().unwrap_or_else(PoisonError::into_inner);
        match op(&admin.work) {
            Err(fault) if fault.class() == Class::Stale => {
                tracing::warn!(target: LOG, "a fresh admin session after: {fault}");
                let fresh = self.context.open_rw_session(self.slot).map_err(Fault::from);
                admin.work = fresh.map_err(Fault::into_token)?;
                op(&admin.work).map_err(Fault::into_token)
            }
            other => other.map_err(Fault::into_token),
        }
    }

    /// A key that wraps, with its own id of RFC 5649.
    pub(crate) fn wrapping(&self, keys: &Keys, name: KeyName) -> Result<Wrapping, Fault> {
        let kwp = self.kwp_of(name).ok_or_else(|| TokenError::KeyMissing(name.to_string()))?;
        Ok(Wrapping { handle: keys.wrapping_key(name)?, kwp })
    }

    /// The id of RFC 5649 of a key that was put to the test.
    fn kwp_of(&self, name: KeyName) -> Option<Kwp> {
        let newcomer = || self.newcomers.read().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        self.admitted.kwp.get(&name).copied().or_else(newcomer)
    }

    /// The newest key that wraps callers' keys of this kind.
    ///
    /// # Errors
    /// [`TokenError::Refused`] if the token has none, or could not wrap this kind when it was opened.
    pub(crate) fn wrapping_for(&self, keys: &Keys, kind: KeyKind) -> Result<(KeyName, Wrapping), Fault> {
        let newest = keys.newest_wrapping(Purpose::wrapping(kind)).filter(|name| self.known_blob(*name).is_some());
        let name = newest.ok_or_else(|| TokenError::Refused(format!("it cannot wrap keys of kind {kind:?}")))?;
        Ok((name, self.wrapping(keys, name)?))
    }

    /// What a key that wraps callers' keys wrapped when the token was opened.
    pub(crate) fn known_blob(&self, name: KeyName) -> Option<&KnownBlob> {
        self.admitted.known.get(&name)
    }

    /// The way in for callers' secrets.
    pub(crate) fn door<'s>(&self, session: &'s Session, keys: &'s Keys) -> Result<Door<'s>, Fault> {
        let none = || TokenError::Refused(String::from("it takes no secret in"));
        let (key, (oaep, kwp)) = keys.import().zip(self.admitted.door).ok_or_else(none)?;
        Ok(Door { session, key, oaep, kwp })
    }

    /// The hash by which tenants' own KEKs come in; `test` finds it, once in a process.
    pub(crate) fn kek_oaep(&self, test: impl FnOnce() -> Result<Oaep, Fault>) -> Result<Oaep, Fault> {
        if let Some(oaep) = self.kek_oaep.get() {
            return Ok(*oaep);
        }
        let found = test()?;
        Ok(*self.kek_oaep.get_or_init(|| found))
    }

    /// How much of this process's memory the module has lost, in bytes: an estimate from the objects made.
    pub(crate) fn leaked_bytes(&self) -> u64 {
        let per_object = if self.device.model.contains(LEAKS) { LEAK_BYTES } else { 0 };
        object::made().saturating_mul(per_object)
    }

    /// The MAC of [`PROBE`] as it was when the token was opened.
    pub(crate) fn known_mac(&self) -> &[u8; KEY_BYTES] {
        &self.known_mac
    }
}

/// The sessions behind the admin lock.
pub(crate) struct Admin {
    /// Carries the login of the process: closing the last session of a token logs out. Used for nothing else, so
    /// that nothing can make it stale.
    _login: Session,
    /// Read-write, for token objects.
    pub(crate) work: Session,
}

impl Admin {
    /// Opens both and logs in, once. Source: PKCS #11 v3.1, section 5.6.8 (`C_Login`).
    pub(crate) fn log_in(context: &Pkcs11, slot: Slot, pin: &Pin) -> Result<Self, Fault> {
        let login = context.open_rw_session(slot)?;
        match login.login(UserType::User, Some(pin.secret())) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self { work: context.open_rw_session(slot)?, _login: login })
    }
}

/// `SoftHSM` does not free all of a session object, destroyed or not (its issue 562; 240 bytes measured on 2.6.1).
const LEAKS: &str = "SoftHSM";
const LEAK_BYTES: u64 = 240;

/// What the probe asks the token to authenticate. No row starts with it.
pub(crate) const PROBE: &[u8] = b"claviger-probe/v1";
