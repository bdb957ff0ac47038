//! The known attacks. Each changes one thing about what is allowed, so that it is that thing which is refused.

use claviger_core::token::KeyKind;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectHandle};
use cryptoki::session::Session;
use zeroize::Zeroize as _;

use super::{AdmissionError, KNOWN, known_key};
use crate::caller::import::Door;
use crate::error::{Class, Fault};
use crate::kek::{Generated, Wrapping};
use crate::object::{Temporary, destroy};
use crate::template;

/// Tries what is known against a root key and the KEK it wrapped.
///
/// # Errors
/// [`AdmissionError::AttackSucceeds`] with the name of the first that works. What it made is destroyed again.
pub(super) fn on_root(session: &Session, root: Wrapping, kek: &Generated) -> Result<(), AdmissionError> {
    let mechanism = root.kwp.mechanism();
    let (wrapped, key) = (kek.wrapped.as_slice(), kek.handle);
    all(ROOT, &Target { session, with: root.handle, mechanism, wrapped, template: template::kek(), key })
}

/// The same against a key that wraps callers' keys, and such a key as `kind` signs with it.
///
/// # Errors
/// As [`on_root`].
pub(super) fn on_signer(
    session: &Session,
    with: Wrapping,
    kind: KeyKind,
    wrapped: &[u8],
    key: ObjectHandle,
) -> Result<(), AdmissionError> {
    let attacks = match kind {
        KeyKind::HmacSha256 | KeyKind::HmacSha512 => RESIDENT,
        KeyKind::RsaSha256 | KeyKind::Ed25519 => PRIVATE,
    };
    let (mechanism, template) = (with.kwp.mechanism(), template::caller::signer(kind));
    all(attacks, &Target { session, with: with.handle, mechanism, wrapped, template, key })
}

/// The same against the way in, with what it took in.
///
/// # Errors
/// As [`on_root`].
pub(super) fn on_door(door: &Door<'_>, wrapped: &[u8], key: ObjectHandle) -> Result<(), AdmissionError> {
    let (mechanism, template) = (door.oaep.mechanism(), template::caller::carrier(door.kwp.id()));
    all(IMPORT, &Target { session: door.session, with: door.key.private, mechanism, wrapped, template, key })
}

/// The same against the way in of tenants' own KEKs, with one that came in.
///
/// # Errors
/// As [`on_root`].
pub(super) fn on_kek_door(door: &Door<'_>, wrapped: &[u8], key: ObjectHandle) -> Result<(), AdmissionError> {
    let (mechanism, template) = (door.oaep.mechanism(), template::incoming_kek());
    all(KEK, &Target { session: door.session, with: door.key.private, mechanism, wrapped, template, key })
}

/// The names of attacks, in the order in which they are tried.
pub(super) fn names(attacks: &'static [(&str, Attack)]) -> impl Iterator<Item = &'static str> {
    attacks.iter().map(|(name, _)| *name)
}

fn all(attacks: &[(&'static str, Attack)], target: &Target<'_>) -> Result<(), AdmissionError> {
    for (name, attack) in attacks {
        if attack(target)? == Outcome::Succeeded {
            return Err(AdmissionError::AttackSucceeds(name));
        }
    }
    Ok(())
}

/// What is attacked, with everything that somebody who got hold of a session has.
pub(super) struct Target<'a> {
    session: &'a Session,
    /// The key that unwraps, and by what.
    with: ObjectHandle,
    mechanism: Mechanism<'static>,
    /// What it unwraps, as what, and that key.
    wrapped: &'a [u8],
    template: Vec<Attribute>,
    key: ObjectHandle,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Refused,
    Succeeded,
}

pub(super) type Attack = fn(&Target<'_>) -> Result<Outcome, Fault>;

/// Named in the refusal, in the fault module's rules, and in the tests.
pub(super) const ROOT: &[(&str, Attack)] = &[
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
    ("wrap-then-decrypt", |target| target.wrap(target.with, target.key)),
    ("wrap-with-kek", wrap_with_kek),
    ("set-usage-bit", set_usage_bit),
    ("copy-root", copy_root),
];

/// All that is tried against callers' keys, in this order.
pub(super) const CALLERS: [&[(&str, Attack)]; 3] = [IMPORT, RESIDENT, PRIVATE];

const IMPORT: &[(&str, Attack)] = &[
    ("import-extractable", |target| target.unwrap(&[Attribute::Extractable(true)])),
    ("import-readable", |target| target.unwrap(&[Attribute::Sensitive(false)])),
    ("import-other-usage", |target| target.unwrap(&[Attribute::Decrypt(true)])),
    ("import-decrypt", decrypt_carrier),
];

const KEK: &[(&str, Attack)] = &[
    ("import-kek-readable", |target| target.unwrap(&[Attribute::Sensitive(false)])),
    ("import-kek-other-usage", |target| target.unwrap(&[Attribute::Decrypt(true)])),
    ("import-kek-token-object", |target| target.unwrap(&[Attribute::Token(true)])),
    ("import-kek-decrypt", decrypt_carrier),
];

const RESIDENT: &[(&str, Attack)] = &[
    ("resident-extractable", |target| target.unwrap(&[Attribute::Extractable(true)])),
    ("resident-readable", |target| target.unwrap(&[Attribute::Sensitive(false)])),
    // A key that derives gives its parts away: CKM_EXTRACT_KEY_FROM_KEY.
    ("resident-other-usage", |target| target.unwrap(&[Attribute::Derive(true)])),
    ("resident-token-object", |target| target.unwrap(&[Attribute::Token(true)])),
    ("resident-read-value", read_value),
    ("resident-decrypt", decrypt_wrapped_blob),
    ("resident-wrap-out", wrap_out),
];

const PRIVATE: &[(&str, Attack)] = &[
    ("private-extractable", |target| target.unwrap(&[Attribute::Extractable(true)])),
    ("private-readable", |target| target.unwrap(&[Attribute::Sensitive(false)])),
    // RSA decryption without a mechanism that hashes signs anything.
    ("private-other-usage", |target| target.unwrap(&[Attribute::Decrypt(true)])),
    ("private-token-object", |target| target.unwrap(&[Attribute::Token(true)])),
    ("private-read-value", read_value),
    ("private-decrypt", decrypt_wrapped_blob),
    ("private-wrap-out", wrap_out),
];

impl Target<'_> {
    /// Unwraps with a template that differs from the allowed one.
    ///
    /// A module that agrees and then gives other attributes than asked for is not trusted either.
    fn unwrap(&self, changes: &[Attribute]) -> Result<Outcome, Fault> {
        let template = template::with(self.template.clone(), changes);
        self.object(self.session.unwrap_key(&self.mechanism, self.with, self.wrapped, &template))
    }

    fn wrap(&self, with: ObjectHandle, key: ObjectHandle) -> Result<Outcome, Fault> {
        for mechanism in [&self.mechanism, &Mechanism::AesKeyWrap] {
            if outcome(self.session.wrap_key(mechanism, with, key))? == Outcome::Succeeded {
                return Ok(Outcome::Succeeded);
            }
        }
        Ok(Outcome::Refused)
    }

    /// Decrypts with the key that unwraps.
    fn decrypt<const N: usize>(&self, attempts: [(&Mechanism<'_>, &[u8]); N]) -> Result<Outcome, Fault> {
        for (mechanism, data) in attempts {
            match self.session.decrypt(mechanism, self.with, data) {
                Ok(mut plaintext) => {
                    plaintext.zeroize();
                    return Ok(Outcome::Succeeded);
                }
                Err(error) => outcome::<()>(Err(error))?,
            };
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

/// Reads the key's value; and its attributes, whatever they were asked to be.
fn read_value(target: &Target<'_>) -> Result<Outcome, Fault> {
    let kinds = [AttributeType::Sensitive, AttributeType::Extractable];
    let said = target.session.get_attributes(target.key, &kinds)?;
    if said != [Attribute::Sensitive(true), Attribute::Extractable(false)] {
        return Ok(Outcome::Succeeded);
    }
    // What a key does not have, or does not show, is left out.
    let secret = [AttributeType::Value, AttributeType::PrivateExponent];
    for attribute in target.session.get_attributes(target.key, &secret)? {
        if let Attribute::Value(mut value) | Attribute::PrivateExponent(mut value) = attribute {
            value.zeroize();
            return Ok(Outcome::Succeeded);
        }
    }
    Ok(Outcome::Refused)
}

/// Decrypts what is wrapped with the key that wrapped it, as if it were data, by every mechanism that would show it.
fn decrypt_wrapped_blob(target: &Target<'_>) -> Result<Outcome, Fault> {
    let wrapped = target.wrapped;
    // RFC 5649 can be undone by hand with the bare block cipher, so two blocks of anything are enough.
    let blocks = wrapped.get(..32).unwrap_or(wrapped);
    target.decrypt([
        (&target.mechanism, wrapped),
        (&Mechanism::AesKeyWrap, wrapped),
        (&Mechanism::AesEcb, blocks),
        (&Mechanism::AesCbc([0; 16]), blocks),
    ])
}

/// The same with what carries secrets in, under an RSA key.
fn decrypt_carrier(target: &Target<'_>) -> Result<Outcome, Fault> {
    target.decrypt([&target.mechanism, &Mechanism::RsaPkcs, &Mechanism::RsaX509].map(|by| (by, target.wrapped)))
}

/// Wraps a key that signs: with what it was wrapped with, and with a key whose value everybody knows.
fn wrap_out(target: &Target<'_>) -> Result<Outcome, Fault> {
    if target.wrap(target.with, target.key)? == Outcome::Succeeded {
        return Ok(Outcome::Succeeded);
    }
    let Some(known) = known_key(target.session, KeyType::AES, KNOWN, false, &[AttributeType::Wrap])? else {
        return Ok(Outcome::Refused);
    };
    target.wrap(Temporary::new(target.session, known).handle, target.key)
}

/// Wraps another key with a KEK, whose decryption the KEK could then undo.
fn wrap_with_kek(target: &Target<'_>) -> Result<Outcome, Fault> {
    let victim = target.session.generate_key(&Mechanism::AesKeyGen, &template::newborn_kek())?;
    let outcome = target.wrap(target.key, victim);
    destroy(target.session, victim);
    outcome
}

/// Lets the root key decrypt. The one attack on a token object itself: what it changed is changed back.
fn set_usage_bit(target: &Target<'_>) -> Result<Outcome, Fault> {
    let outcome = outcome(target.session.update_attributes(target.with, &[Attribute::Decrypt(true)]))?;
    if outcome == Outcome::Succeeded {
        target.session.update_attributes(target.with, &[Attribute::Decrypt(false)])?;
    }
    Ok(outcome)
}

/// Copies the root key, as a first step to a copy with other attributes.
fn copy_root(target: &Target<'_>) -> Result<Outcome, Fault> {
    target.object(target.session.copy_object(target.with, &[Attribute::Token(false)]))
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
