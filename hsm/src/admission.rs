//! The admission test: what a token must not do, and what it must do right, before it is trusted with a KEK.
//!
//! Attributes are only as good as the module that enforces them, and modules differ: one hands out an unwrapped key
//! as readable although asked otherwise, another decrypts a wrapped blob if the key has `CKA_DECRYPT`. So each known
//! attack is tried, with session objects only, and a token on which one works is refused by the attack's name.
//! What a module says is not believed where software can check it.

use std::collections::BTreeMap;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrapPadded as _};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use aws_lc_rs::{digest, hmac};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{AttributeType, KeyType, ObjectHandle};
use cryptoki::session::Session;

use claviger_core::token::{KEY_BYTES, KeyKind, MacKey, SigningKey, TokenError};

use crate::aead::{self, NONCE_BYTES};
use crate::caller::import::{Door, Oaep};
use crate::error::{Class, Fault, LOG};
use crate::kek::{self, Wrapping};
use crate::key::{KeyName, Keys, Purpose};
use crate::mechanism::Kwp;
use crate::object::{self, destroy};
use crate::random::{self, DRAW_BYTES_MIN};
use crate::{mechanism, session, template};

mod attack;
mod caller;

/// What the test found out about a token that passed it.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The id of RFC 5649 of each key that wraps.
    pub(crate) kwp: BTreeMap<KeyName, Kwp>,
    /// How callers' secrets come in, if the token takes any.
    pub(crate) door: Option<(Oaep, Kwp)>,
    /// A blob of each key that wraps callers' keys, if the token wraps that kind.
    pub(crate) known: BTreeMap<KeyName, KnownBlob>,
}

/// A wrapped key that is known to unwrap.
#[derive(Debug)]
pub(crate) struct KnownBlob {
    pub(crate) kind: KeyKind,
    pub(crate) blob: Vec<u8>,
}

/// Why a token is not taken into use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// A known attack works on it.
    #[error("the attack {0} succeeds on it")]
    AttackSucceeds(&'static str),
    /// It computes something else than software does with the same key.
    #[error("its {0} is not what software computes")]
    WrongAnswer(&'static str),
    /// It failed during the test.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl AdmissionError {
    /// The names of all attacks that are tried, for reports and tests.
    pub fn attacks() -> impl Iterator<Item = &'static str> {
        attack::names(attack::ROOT).chain([TAMPER]).chain(attack::CALLERS.iter().copied().flat_map(attack::names))
    }
}

impl From<Fault> for AdmissionError {
    fn from(fault: Fault) -> Self {
        Self::Token(fault.into_token())
    }
}

/// Puts the token to the test, on a read-write session: there it is the token that refuses, not the session.
pub(crate) fn test(session: &Session, keys: &Keys) -> Result<Admitted, AdmissionError> {
    let mut kwp = BTreeMap::new();
    for (name, handle) in keys.wrapping() {
        let accepted = if name.purpose == Purpose::Root {
            root(session, keys, handle)?
        } else {
            Kwp::accepted_by(session, handle)?
        };
        kwp.insert(name, accepted);
    }
    let door = caller::door(session, keys, &kwp)?;
    let known = caller::wrapping(session, keys, &kwp, door.as_ref())?;
    Ok(Admitted { door: door.map(|door| (door.oaep, door.kwp)), kwp, known })
}

/// A root key, and all that does not depend on one. Says under which id of RFC 5649 it wraps.
///
/// The attacks come first. Whatever they broke, the rest finds.
pub(crate) fn root(session: &Session, keys: &Keys, handle: ObjectHandle) -> Result<Kwp, AdmissionError> {
    let root = Wrapping { handle, kwp: Kwp::accepted_by(session, handle)? };
    let nonces = nonces(session)?;
    let made = kek::generate(session, root, nonces.0).map_err(Fault::not_the_bytes)?;
    let verdict = attack::on_root(session, root, &made).and_then(|()| tampering(session, made.handle, nonces.1));
    destroy(session, made.handle);
    verdict?;
    against_software(session, root)?;
    macs(session, keys)?;
    signatures(session, keys)?;
    Ok(root.kwp)
}

/// The way in of tenants' own KEKs, when it is first used in a process.
pub(crate) fn kek_door(door: &Door<'_>, wrapped: &[u8], key: ObjectHandle) -> Result<(), AdmissionError> {
    attack::on_kek_door(door, wrapped, key)
}

/// Two nonces, from a generator that does not repeat itself.
fn nonces(session: &Session) -> Result<([u8; NONCE_BYTES], [u8; NONCE_BYTES]), AdmissionError> {
    let mut draws = [[0; DRAW_BYTES_MIN]; 2];
    let mut last = None;
    for draw in &mut draws {
        session.generate_random_slice(draw).map_err(Fault::from)?;
        last = Some(random::check(draw, last.as_ref())?);
    }
    let [first, second] = draws.map(|draw| {
        let mut nonce = [0; NONCE_BYTES];
        for (to, from) in nonce.iter_mut().zip(draw) {
            *to = from;
        }
        nonce
    });
    Ok((first, second))
}

/// Every part of a sealed DEK and its AAD is authenticated, and the DEK still opens afterwards.
fn tampering(session: &Session, kek: ObjectHandle, nonce: [u8; NONCE_BYTES]) -> Result<(), AdmissionError> {
    let dek = [0x5A; KEY_BYTES];
    let sealed = aead::seal(session, kek, nonce, &dek, AAD)?;
    for index in [0, NONCE_BYTES, sealed.len().saturating_sub(1)] {
        let mut tampered = sealed.clone();
        if let Some(byte) = tampered.get_mut(index) {
            *byte ^= 1;
        }
        must_not_open(aead::open(session, kek, &tampered, AAD))?;
    }
    must_not_open(aead::open(session, kek, &sealed, b"another row"))?;
    let opened = aead::open(session, kek, &sealed, AAD).map_err(Fault::not_the_bytes)?;
    if *opened == dek { Ok(()) } else { Err(AdmissionError::WrongAnswer("AES-GCM")) }
}

fn must_not_open<T>(opened: Result<T, Fault>) -> Result<(), AdmissionError> {
    match opened {
        Ok(_) => Err(AdmissionError::AttackSucceeds(TAMPER)),
        Err(fault) if fault.blames_bytes() => Ok(()),
        Err(fault) => Err(fault.into()),
    }
}

/// Compares key wrapping, AEAD and MAC with software, under keys of a known value.
///
/// A module that takes no key in the clear is not refused for it; then only this comparison is left out.
fn against_software(session: &Session, root: Wrapping) -> Result<(), AdmissionError> {
    let all = [AttributeType::Wrap, AttributeType::Encrypt];
    let Some(aes) = known_key(session, KeyType::AES, KNOWN, false, &all)? else {
        return Ok(());
    };
    let verdict = known_aes(session, root, aes);
    destroy(session, aes);
    verdict?;

    let Some(mac) = known_key(session, KeyType::GENERIC_SECRET, KNOWN, false, &[AttributeType::Sign])? else {
        return Ok(());
    };
    let theirs = session::mac(session, mac, DATA);
    destroy(session, mac);
    let ours = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KNOWN), DATA);
    if theirs? == ours.as_ref() { Ok(()) } else { Err(AdmissionError::WrongAnswer("HMAC-SHA-256")) }
}

fn known_aes(session: &Session, root: Wrapping, aes: ObjectHandle) -> Result<(), AdmissionError> {
    let broken = |_| AdmissionError::WrongAnswer("AES key wrap with padding (RFC 5649)");
    if let Some(wrappee) = known_key(session, KeyType::AES, WRAPPEE, true, &[])? {
        let wrapped = session.wrap_key(&root.kwp.mechanism(), aes, wrappee).map_err(Fault::from);
        destroy(session, wrappee);
        let mut buffer = [0; KEY_BYTES + 15];
        let kek = AesKek::new(&AES_256, KNOWN).map_err(broken)?;
        if wrapped? != kek.wrap_with_padding(WRAPPEE, &mut buffer).map_err(broken)? {
            return Err(broken(aws_lc_rs::error::Unspecified));
        }
    }

    let broken = |_| AdmissionError::WrongAnswer("AES-GCM");
    let mut sealed = aead::seal(session, aes, [7; NONCE_BYTES], DATA, AAD)?;
    let (nonce, ciphertext) = sealed.split_at_mut(NONCE_BYTES);
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, KNOWN).map_err(broken)?);
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(broken)?;
    let opened = key.open_in_place(nonce, Aad::from(AAD), ciphertext).map_err(broken)?;
    if opened == DATA { Ok(()) } else { Err(broken(aws_lc_rs::error::Unspecified)) }
}

/// A session key of a known value, or `None` where the module takes none.
fn known_key(
    session: &Session,
    kind: KeyType,
    value: &[u8],
    extractable: bool,
    usages: &[AttributeType],
) -> Result<Option<ObjectHandle>, Fault> {
    match object::create(session, &template::known_key(kind, value, extractable, usages)) {
        Ok(key) => Ok(Some(key)),
        Err(fault) if fault.class() == Class::Refused => {
            tracing::info!(target: LOG, "no comparison with software for {kind}: {fault}");
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// The token's own MAC keys: the same answer twice, and not each other's.
fn macs(session: &Session, keys: &Keys) -> Result<(), AdmissionError> {
    let mut seen = Vec::new();
    for key in [MacKey::Index, MacKey::Pepper, MacKey::Row] {
        let mac = session::mac(session, keys.mac(key), DATA)?;
        if mac != session::mac(session, keys.mac(key), DATA)? || seen.contains(&mac) {
            return Err(AdmissionError::WrongAnswer("HMAC-SHA-256"));
        }
        seen.push(mac);
    }
    Ok(())
}

/// A signature of each signing key verifies under its public half.
fn signatures(session: &Session, keys: &Keys) -> Result<(), AdmissionError> {
    let verify = |name, algorithm: &'static dyn VerificationAlgorithm, public: &[u8], signature: &[u8]| {
        let public = UnparsedPublicKey::new(algorithm, public);
        public.verify(DATA, signature).map_err(|_| AdmissionError::WrongAnswer(name))
    };
    let digest = digest::digest(&digest::SHA256, DATA);
    let api = session.sign(&Mechanism::Ecdsa, keys.signing(SigningKey::Api), digest.as_ref()).map_err(Fault::from)?;
    verify("ES256", &ECDSA_P256_SHA256_FIXED, &keys.public().api, &api)?;
    let audit = session.sign(&mechanism::ed25519(), keys.signing(SigningKey::Audit), DATA).map_err(Fault::from)?;
    verify("Ed25519", &ED25519, &keys.public().audit, &audit)
}

/// The attack that [`tampering`] is.
const TAMPER: &str = "gcm-tamper";

/// Known keys are no secrets: they protect nothing but the constants below.
const KNOWN: &[u8; KEY_BYTES] = b"claviger known key of 256 bits..";
const WRAPPEE: &[u8] = b"claviger known wrapped key......";
const DATA: &[u8] = b"claviger admission test, data";
const AAD: &[u8] = b"claviger-admission/v1";
