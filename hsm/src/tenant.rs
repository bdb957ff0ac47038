//! Tenants' own KEKs: the key that they are wrapped to, and how one enters.
//!
//! Both the RSA key, `import-kek/1`, and the root key that wraps what came in, `root/0`, are made when the first tenant
//! asks for them, and put to the test once in each process. The RSA key's unwrap template admits newborns only, which
//! are good for nothing but being wrapped; from there a tenant's key goes the way of one that was made here.
//!
//! A newborn is extractable until it is wrapped, as one that was made here is. Whoever has the process's login and what
//! the tenant sent can take it in again, and wrap it with a key of their own.

use claviger_core::token::{KEY_BYTES, KekBlob, KekDoor, TokenError};
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use crate::admission::{self, AdmissionError};
use crate::caller::import::{Door, ImportKey, Oaep};
use crate::error::{Fault, LOG};
use crate::hsm::Shared;
use crate::kek::{self, Generated};
use crate::key::{IMPORTED, KeyName, Keys, Purpose};
use crate::object::{self, Temporary};
use crate::session::{HsmSession, judge};
use crate::{canary, provision, public, template};

const DOOR: KeyName = KeyName { purpose: Purpose::ImportKek, version: 1 };

/// What tenants wrap their keys to. Makes what is not there.
pub(crate) fn door(shared: &Shared) -> Result<KekDoor, TokenError> {
    shared.with_admin(|session| {
        let keys = shared.keys(session)?;
        let root = KeyName { purpose: Purpose::Root, version: IMPORTED };
        if keys.wrapping_key(root).is_err() {
            let newest = KeyName { purpose: Purpose::Root, version: keys.newest_root() };
            provision::root(session, &root.to_string(), shared.wrapping(&keys, newest)?.kwp)?;
            if let Err(fault) = shared.keys(session) {
                provision::remove(session, root);
                return Err(fault);
            }
            tracing::info!(target: LOG, key = %root, "a key was made");
        }
        if keys.kek_door().is_none() {
            provision::kek_door(session, &DOOR.to_string())?;
            tracing::info!(target: LOG, key = %DOOR, "a key was made");
        }
        let keys = shared.keys(session)?;
        let key = keys.kek_door().ok_or_else(|| TokenError::KeyMissing(DOOR.to_string()))?;
        let oaep = shared.kek_oaep(|| tested(session, &keys, key))?;
        let public_pem = public::pem(&public::parsed_rsa(&key.public)?)?;
        Ok(KekDoor { public_pem, hash: oaep.hash() })
    })
}

/// The hash that the token takes; refused if it takes none, or an attack works.
fn tested(session: &Session, keys: &Keys, key: &ImportKey) -> Result<Oaep, Fault> {
    for oaep in Oaep::ALL {
        let door = Door { session, key, oaep, kwp: keys_kwp(session, keys)? };
        let sealed = door.seal(KNOWN)?;
        match newborn(session, key, oaep, &sealed) {
            Ok(known) => {
                admission::kek_door(&door, &sealed, known.handle).map_err(|error| match error {
                    AdmissionError::Token(error) => error,
                    other @ (AdmissionError::AttackSucceeds(_) | AdmissionError::WrongAnswer(_)) => {
                        TokenError::Refused(format!("{DOOR}: {other}"))
                    }
                })?;
                return Ok(oaep);
            }
            // Both sides have to use the same hash, and a module may notice only that nothing comes out.
            Err(fault) if fault.is_refused() || fault.blames_bytes() => {}
            Err(fault) => return Err(fault),
        }
    }
    Err(TokenError::Refused(String::from("it takes no KEK in")).into())
}

fn keys_kwp(session: &Session, keys: &Keys) -> Result<crate::mechanism::Kwp, Fault> {
    let newest = KeyName { purpose: Purpose::Root, version: keys.newest_root() };
    crate::mechanism::Kwp::accepted_by(session, keys.wrapping_key(newest)?)
}

fn newborn<'s>(session: &'s Session, key: &ImportKey, oaep: Oaep, wrapped: &[u8]) -> Result<Temporary<'s>, Fault> {
    let handle = object::unwrap(session, &oaep.mechanism(), key.private, wrapped, &template::incoming_kek())?;
    Ok(Temporary::new(session, handle))
}

impl HsmSession {
    /// See [`claviger_core::token::Token::import_kek`].
    pub(crate) fn take_kek(&mut self, wrapped: &[u8], known: Option<&[u8]>) -> Result<KekBlob, Fault> {
        self.look_again()?;
        let root = self.root(IMPORTED)?;
        let key = self.keys.kek_door().ok_or_else(|| TokenError::KeyMissing(DOOR.to_string()))?.clone();
        let oaep = self.shared.kek_oaep(|| tested(&self.session, &self.keys, &key))?;
        let came = newborn(&self.session, &key, oaep, wrapped).map(Temporary::keep);
        let came = came.map_err(|fault| no_key(judge(fault, || self.prove_root(IMPORTED))))?;
        let nonce = self.nonce()?;
        // Shorter keys come out wrapped to fewer bytes, and are refused there.
        let Generated { wrapped, canary, handle } = kek::settle(&self.session, root, came, nonce).map_err(no_key)?;
        let canary = match known {
            None => canary,
            Some(known) => match self.opens(handle, known) {
                Ok(()) => known.to_vec(),
                Err(fault) => {
                    object::destroy(&self.session, handle);
                    // It has opened a canary of its own.
                    return Err(if fault.blames_bytes() { TokenError::Tampered.into() } else { fault });
                }
            },
        };
        let blob = KekBlob { root: IMPORTED, wrapped, canary };
        self.keep(&blob, handle);
        Ok(blob)
    }

    fn opens(&self, kek: ObjectHandle, known: &[u8]) -> Result<(), Fault> {
        if known.len() != canary::BYTES {
            return Err(TokenError::Tampered.into());
        }
        canary::open(&self.session, kek, known)
    }
}

/// What the tenant sent, where that is to blame.
fn no_key(fault: Fault) -> Fault {
    if !fault.is_refused() && !fault.blames_bytes() {
        return fault;
    }
    TokenError::Refused(String::from("it is no AES key of 256 bits that was wrapped to the token's key for KEKs"))
        .into()
}

/// Known keys are no secrets: they protect nothing.
const KNOWN: &[u8; KEY_BYTES] = b"claviger known KEK of 256 bits..";
