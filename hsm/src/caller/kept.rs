//! Callers' keys that are objects of the token: Ed25519, where the module cannot wrap it.
//!
//! Only the private half is kept. It is not extractable from its birth on, and its label is random.

use claviger_core::token::{BornKey, KeyForm, KeyKind, NewPair, TokenError, TokenKey};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use data_encoding::HEXLOWER;

use super::birth::Newborn;
use super::{KNOWN_MESSAGE, sign};
use crate::error::Fault;
use crate::hsm::Shared;
use crate::session::HsmSession;
use crate::template::{self, Curve};
use crate::{create, key, public};

/// Makes a pair whose private half stays in the token, unless there are `max` of them.
pub(super) fn make(of: &HsmSession, max: usize) -> Result<BornKey, Fault> {
    let mut number = [0; 16];
    of.fill_random(&mut number)?;
    let label = format!("{PREFIX}{}", HEXLOWER.encode(&number));
    let public_pem = of.shared.with_admin(|session| {
        // Repeated on a fresh session, this finds what its first run made.
        if labels(session)?.iter().filter(|other| **other != label).count() >= max {
            let text = format!("it keeps {max} keys that it cannot wrap, and may keep no more");
            return Err(TokenError::Capacity(text).into());
        }
        create::once(|| make_once(session, &label), || clear_away(session, &label).map(|()| None))
    })?;
    let key = TokenKey { kind: KeyKind::Ed25519, form: KeyForm::Object { label } };
    Ok(BornKey { key, public_pem })
}

/// Finds a key by its label.
///
/// # Errors
/// [`TokenError::Refused`] if it is not there, is there twice, or is weaker than it was made.
pub(super) fn find(of: &HsmSession, kind: KeyKind, label: &str) -> Result<ObjectHandle, Fault> {
    if kind != KeyKind::Ed25519 || !label.starts_with(PREFIX) {
        return Err(TokenError::Refused(format!("no key is called {label}")).into());
    }
    Ok(of.shared.with_admin(|session| match find_all(session, label)?.as_slice() {
        [one] => {
            key::check(session, *one, label, ObjectClass::PRIVATE_KEY, &[AttributeType::Sign])?;
            Ok(*one)
        }
        [] => Err(TokenError::Refused(format!("the token does not hold {label}")).into()),
        _ => Err(TokenError::Refused(format!("the token holds {label} twice")).into()),
    })?)
}

/// The labels of all such keys.
pub(crate) fn all(shared: &Shared) -> Result<Vec<String>, TokenError> {
    shared.with_admin(labels)
}

/// Destroys the key with this label, if it is there.
pub(crate) fn destroy(shared: &Shared, label: &str) -> Result<(), TokenError> {
    if !label.starts_with(PREFIX) {
        return Err(TokenError::Refused(format!("no key is called {label}")));
    }
    shared.with_admin(|session| clear_away(session, label))
}

/// Makes the pair, and lets it sign once; after a fault nothing of it is left.
fn make_once(session: &Session, label: &str) -> Result<String, Fault> {
    let pair = Newborn::generate_as(session, NewPair::Ed25519, &template::signing_private(label, Curve::Ed25519))?;
    let signature = sign(session, KeyKind::Ed25519, pair.private.handle, KNOWN_MESSAGE)?;
    if pair.public.verify_sig(KNOWN_MESSAGE, &signature).is_err() {
        return Err(TokenError::Refused(String::from("a new key does not sign as software verifies")).into());
    }
    let pem = public::pem(&pair.public)?;
    pair.private.keep();
    Ok(pem)
}

fn clear_away(session: &Session, label: &str) -> Result<(), Fault> {
    for object in find_all(session, label)? {
        session.destroy_object(object)?;
    }
    Ok(())
}

fn find_all(session: &Session, label: &str) -> Result<Vec<ObjectHandle>, Fault> {
    Ok(session.find_objects(&[Attribute::Token(true), Attribute::Id(label.into())])?)
}

fn labels(session: &Session) -> Result<Vec<String>, Fault> {
    let mut labels = Vec::new();
    for object in session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true)])? {
        let label = key::label(session, object)?.and_then(|label| String::from_utf8(label).ok());
        labels.extend(label.filter(|label| label.starts_with(PREFIX)));
    }
    Ok(labels)
}

/// What the label starts with, before 32 hexadecimal digits. No version follows, so it is no key of the token's own.
const PREFIX: &str = "born-ed25519/";
