//! The test of what callers' keys rest on. A token that cannot do one kind is not refused for it: that kind is then not
//! offered. One that does it, but lets an attack succeed or computes something else, is refused.

use std::collections::BTreeMap;

use claviger_core::secret::Plaintext;
use claviger_core::token::{KeyKind, NewPair, TokenError};
use cryptoki::session::Session;

use super::{AdmissionError, DATA, KNOWN, KnownBlob, attack};
use crate::caller::birth::Newborn;
use crate::caller::import::{Door, Secret};
use crate::caller::{sign, unwrap};
use crate::error::{Class, Fault, LOG};
use crate::kek::Wrapping;
use crate::key::{KeyName, Keys};
use crate::mechanism::Kwp;
use crate::object::Temporary;

/// The way in, attacked; `None` if the token has none.
pub(super) fn door<'s>(
    session: &'s Session,
    keys: &'s Keys,
    kwp: &BTreeMap<KeyName, Kwp>,
) -> Result<Option<Door<'s>>, AdmissionError> {
    let (Some(key), Some(kwp)) = (keys.import(), kwp.values().next()) else {
        return Ok(None);
    };
    let Some(door) = Door::find(session, key, *kwp, KNOWN)? else {
        tracing::warn!(target: LOG, "the token takes no secret in: it unwraps nothing sealed to its import key");
        return Ok(None);
    };
    let carrier = door.carrier(KNOWN)?;
    attack::on_door(&door, &door.seal(KNOWN)?, carrier.handle)?;
    Ok(Some(door))
}

/// The keys that wrap callers' keys, each attacked and compared with software; a blob of those that can.
pub(super) fn wrapping(
    session: &Session,
    keys: &Keys,
    kwp: &BTreeMap<KeyName, Kwp>,
    door: Option<&Door<'_>>,
) -> Result<BTreeMap<KeyName, KnownBlob>, AdmissionError> {
    let mut known = BTreeMap::new();
    for (name, handle) in keys.wrapping() {
        let kwp = *kwp.get(&name).ok_or_else(|| TokenError::KeyMissing(name.to_string()))?;
        let with = Wrapping { handle, kwp };
        let Some(kind) = name.purpose.wraps_kind() else {
            continue;
        };
        let tested = match kind {
            KeyKind::HmacSha256 | KeyKind::HmacSha512 => imported(session, with, kind, KNOWN, door),
            KeyKind::RsaSha256 => imported(session, with, kind, KNOWN_RSA, door),
            KeyKind::Ed25519 => born(session, with),
        };
        match tested {
            Ok(blob) => drop(known.insert(name, KnownBlob { kind, blob })),
            Err(AdmissionError::Token(TokenError::Refused(why))) => {
                tracing::info!(target: LOG, key = %name, "the token does not wrap keys of kind {kind:?}: {why}");
            }
            Err(other) => return Err(other),
        }
    }
    Ok(known)
}

/// A secret everybody knows, brought in as any other.
fn imported(
    session: &Session,
    with: Wrapping,
    kind: KeyKind,
    known: &[u8],
    door: Option<&Door<'_>>,
) -> Result<Vec<u8>, AdmissionError> {
    let door = door.ok_or_else(|| TokenError::Refused(String::from("it takes no secret in")))?;
    let known = Plaintext::copy_of(known).map_err(|error| TokenError::Capacity(error.to_string()))?;
    let secret = Secret::new(kind, &known)?;
    let newborn = secret.bring(door, KNOWN).map_err(Fault::not_the_bytes)?;
    wrapped(session, with, kind, &newborn, |signature| secret.verifies(DATA, signature))
}

fn born(session: &Session, with: Wrapping) -> Result<Vec<u8>, AdmissionError> {
    let pair = Newborn::generate(session, NewPair::Ed25519)?;
    let verifies = |signature: &[u8]| pair.public.verify_sig(DATA, signature).is_ok();
    wrapped(session, with, KeyKind::Ed25519, &pair.private, verifies)
}

fn wrapped(
    session: &Session,
    with: Wrapping,
    kind: KeyKind,
    newborn: &Temporary<'_>,
    verifies: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, AdmissionError> {
    let blob = session.wrap_key(&with.kwp.mechanism(), with.handle, newborn.handle).map_err(|e| asked(e.into()))?;
    let signer = Temporary::new(session, unwrap(session, with, kind, &blob).map_err(Fault::not_the_bytes)?);
    attack::on_signer(session, with, kind, &blob, signer.handle)?;
    if verifies(&sign(session, kind, signer.handle, DATA)?) {
        Ok(blob)
    } else {
        Err(AdmissionError::WrongAnswer(match kind {
            KeyKind::HmacSha256 | KeyKind::HmacSha512 => "resident HMAC",
            KeyKind::RsaSha256 => "resident RSA",
            KeyKind::Ed25519 => "wrapped Ed25519",
        }))
    }
}

/// A token that refuses was asked whether it can, which is nothing to warn of.
fn asked(fault: Fault) -> Fault {
    if fault.class() == Class::Refused { TokenError::Refused(fault.to_string()).into() } else { fault }
}

/// An RSA key of 2048 bits, PKCS#8. As little a secret as the other known keys.
const KNOWN_RSA: &[u8] = include_bytes!("known-rsa.pk8");
