//! The known attacks. Each changes one thing about what is allowed, so that it is that thing which is refused.

use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectHandle};
use cryptoki::session::Session;
use zeroize::Zeroize as _;

use super::AdmissionError;
use crate::error::{Class, Fault};
use crate::hsm::destroy;
use crate::kek::{Generated, Root};
use crate::template;

/// Tries every attack.
///
/// # Errors
/// [`AdmissionError::AttackSucceeds`] with the name of the first that works. What it made is destroyed again.
pub(super) fn all(session: &Session, root: Root, kek: &Generated) -> Result<(), AdmissionError> {
    let target = Target { session, root, kek };
    for (name, attack) in ATTACKS {
        if attack(&target)? == Outcome::Succeeded {
            return Err(AdmissionError::AttackSucceeds(name));
        }
    }
    Ok(())
}

/// The names of the attacks, in the order in which they are tried.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ATTACKS.iter().map(|(name, _)| *name)
}

/// What is attacked, with everything that somebody who got hold of a session has.
struct Target<'a> {
    session: &'a Session,
    root: Root,
    kek: &'a Generated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    Succeeded,
}

type Attack = fn(&Target<'_>) -> Result<Outcome, Fault>;

/// Named in the refusal, in the fault module's rules, and in the tests.
const ATTACKS: &[(&str, Attack)] = &[
    ("unwrap-extractable", |target| target.unwrap(&[Attribute::Extractable(true)])),
    ("unwrap-readable", |target| target.unwrap(&[Attribute::Sensitive(false)])),
    ("unwrap-other-type", |target| {
        target.unwrap(&[
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::Sign(true),
            Attribute::Encrypt(false),
            Attribute::Decrypt(false),
            Attribute::AllowedMechanisms(vec![MechanismType::SHA256_HMAC]),
        ])
    }),
    ("unwrap-token-object", |target| target.unwrap(&[Attribute::Token(true)])),
    ("read-value", read_value),
    ("decrypt-wrapped-blob", decrypt_wrapped_blob),
    ("wrap-then-decrypt", |target| target.wrap(target.root.handle, target.kek.handle)),
    ("wrap-with-kek", wrap_with_kek),
    ("set-usage-bit", set_usage_bit),
    ("copy-root", copy_root),
];

impl Target<'_> {
    /// Unwraps the KEK with a template that differs from the allowed one.
    ///
    /// A module that agrees and then gives other attributes than asked for is not trusted either.
    fn unwrap(&self, changes: &[Attribute]) -> Result<Outcome, Fault> {
        let template = template::kek_with(changes);
        let unwrapped =
            self.session.unwrap_key(&self.root.kwp.mechanism(), self.root.handle, &self.kek.wrapped, &template);
        self.object(unwrapped)
    }

    fn wrap(&self, with: ObjectHandle, key: ObjectHandle) -> Result<Outcome, Fault> {
        for mechanism in [self.root.kwp.mechanism(), Mechanism::AesKeyWrap] {
            if outcome(self.session.wrap_key(&mechanism, with, key))? == Outcome::Succeeded {
                return Ok(Outcome::Succeeded);
            }
        }
        Ok(Outcome::Refused)
    }

    /// The outcome of what gives an object, which is destroyed.
    fn object(&self, made: Result<ObjectHandle, cryptoki::error::Error>) -> Result<Outcome, Fault> {
        if let Ok(object) = made {
            destroy(self.session, object);
        }
        outcome(made)
    }
}

/// Reads the KEK's value; and its attributes, whatever they were asked to be.
fn read_value(target: &Target<'_>) -> Result<Outcome, Fault> {
    let kinds = [AttributeType::Sensitive, AttributeType::Extractable];
    let said = target.session.get_attributes(target.kek.handle, &kinds)?;
    if said != [Attribute::Sensitive(true), Attribute::Extractable(false)] {
        return Ok(Outcome::Succeeded);
    }
    for attribute in target.session.get_attributes(target.kek.handle, &[AttributeType::Value])? {
        if let Attribute::Value(mut value) = attribute {
            value.zeroize();
            return Ok(Outcome::Succeeded);
        }
    }
    Ok(Outcome::Refused)
}

/// Decrypts the wrapped KEK with the root key as if it were data, by every mechanism that would show it.
fn decrypt_wrapped_blob(target: &Target<'_>) -> Result<Outcome, Fault> {
    let wrapped = target.kek.wrapped.as_slice();
    // RFC 5649 can be undone by hand with the bare block cipher, so two blocks of anything are enough.
    let blocks = wrapped.get(..32).unwrap_or(wrapped);
    for (mechanism, data) in [
        (target.root.kwp.mechanism(), wrapped),
        (Mechanism::AesKeyWrap, wrapped),
        (Mechanism::AesEcb, blocks),
        (Mechanism::AesCbc([0; 16]), blocks),
    ] {
        match target.session.decrypt(&mechanism, target.root.handle, data) {
            Ok(mut plaintext) => {
                plaintext.zeroize();
                return Ok(Outcome::Succeeded);
            }
            Err(error) => outcome::<()>(Err(error))?,
        };
    }
    Ok(Outcome::Refused)
}

/// Wraps another key with a KEK, whose decryption the KEK could then undo.
fn wrap_with_kek(target: &Target<'_>) -> Result<Outcome, Fault> {
    let victim = target.session.generate_key(&Mechanism::AesKeyGen, &template::newborn_kek())?;
    let outcome = target.wrap(target.kek.handle, victim);
    destroy(target.session, victim);
    outcome
}

/// Lets the root key decrypt. The one attack on a token object itself: what it changed is changed back.
fn set_usage_bit(target: &Target<'_>) -> Result<Outcome, Fault> {
    let outcome = outcome(target.session.update_attributes(target.root.handle, &[Attribute::Decrypt(true)]))?;
    if outcome == Outcome::Succeeded {
        target.session.update_attributes(target.root.handle, &[Attribute::Decrypt(false)])?;
    }
    Ok(outcome)
}

/// Copies the root key, as a first step to a copy with other attributes.
fn copy_root(target: &Target<'_>) -> Result<Outcome, Fault> {
    target.object(target.session.copy_object(target.root.handle, &[Attribute::Token(false)]))
}

/// Any refusal counts, because modules differ in how they say no; a token that is out of order is not one.
fn outcome<T>(attempt: Result<T, cryptoki::error::Error>) -> Result<Outcome, Fault> {
    match attempt.map_err(Fault::from) {
        Ok(_) => Ok(Outcome::Succeeded),
        Err(fault) => match fault.class() {
            Class::Refused | Class::Tampered | Class::Ambiguous | Class::Gone => Ok(Outcome::Refused),
            Class::Stale | Class::Pin | Class::Capacity => Err(fault),
        },
    }
}
