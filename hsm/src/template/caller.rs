//! Templates of callers' keys, which sign inside the token, and of the key they enter through.
//!
//! Each has two forms: *newborn*, extractable and good for nothing, between its making or coming and its wrapping; and
//! the form in which it signs, which is all that the wrapping key's unwrap template lets out.

use claviger_core::token::KeyKind;
use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::types::Ulong;

use super::{ED25519, fixed, session_object, token_object, usage_bits};

/// A key as it signs: what `C_UnwrapKey` is asked for.
pub(crate) fn signer(kind: KeyKind) -> Vec<Attribute> {
    let mut template = signer_demands(kind);
    template.push(Attribute::AllowedMechanisms(vec![match kind {
        KeyKind::HmacSha256 => MechanismType::SHA256_HMAC,
        KeyKind::HmacSha512 => MechanismType::SHA512_HMAC,
        KeyKind::RsaSha256 => MechanismType::SHA256_RSA_PKCS,
        KeyKind::Ed25519 => MechanismType::EDDSA,
    }]));
    template.extend(fixed());
    template
}

/// What the unwrap template of the key that wraps `kind` demands.
pub(crate) fn signer_demands(kind: KeyKind) -> Vec<Attribute> {
    match private(kind) {
        None => {
            session_object(ObjectClass::SECRET_KEY, KeyType::GENERIC_SECRET, false, &usage_bits(&[AttributeType::Sign]))
        }
        Some(kind) => session_object(ObjectClass::PRIVATE_KEY, kind, false, &private_usages(&[AttributeType::Sign])),
    }
}

/// A key before it is wrapped, as `C_UnwrapKey` or `C_GenerateKeyPair` is to make it.
pub(crate) fn newborn(kind: KeyKind) -> Vec<Attribute> {
    let mut template = match private(kind) {
        None => session_object(ObjectClass::SECRET_KEY, KeyType::GENERIC_SECRET, true, &usage_bits(&[])),
        Some(kind) => session_object(ObjectClass::PRIVATE_KEY, kind, true, &private_usages(&[])),
    };
    template.extend(fixed());
    template
}

/// The public half of a newborn pair: a session object, read and destroyed.
pub(crate) fn newborn_public(modulus_bits: Option<u16>) -> Vec<Attribute> {
    let kind = match modulus_bits {
        Some(bits) => {
            vec![
                Attribute::KeyType(KeyType::RSA),
                Attribute::ModulusBits(Ulong::from(u64::from(bits))),
                Attribute::PublicExponent(EXPONENT.to_vec()),
            ]
        }
        None => vec![Attribute::KeyType(KeyType::EC_EDWARDS), Attribute::EcParams(ED25519.to_vec())],
    };
    let mut template = vec![Attribute::Class(ObjectClass::PUBLIC_KEY)];
    template.extend(kind);
    template.extend([Attribute::Token(false), Attribute::Private(false)]);
    template.extend(public_usages());
    template.extend(fixed());
    template
}

/// The private half of the key through which secrets enter: it unwraps, and by OAEP only.
pub(crate) fn import_private(name: &str, unwraps: Attribute) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ];
    template.extend(private_usages(&[AttributeType::Unwrap]));
    template.extend([Attribute::AllowedMechanisms(vec![MechanismType::RSA_PKCS_OAEP]), unwraps]);
    template.extend(token_object(name));
    template
}

/// The public half, which is used in software.
pub(crate) fn import_public(name: &str) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(KeyType::RSA),
        Attribute::ModulusBits(Ulong::from(IMPORT_BITS)),
        Attribute::PublicExponent(EXPONENT.to_vec()),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Label(name.into()),
        Attribute::Id(name.into()),
    ];
    template.extend(public_usages());
    template.extend(fixed());
    template
}

/// The key that carries one secret into the token: it unwraps.
pub(crate) fn carrier(kwp: MechanismType) -> Vec<Attribute> {
    let mut template = carrier_demands();
    template.push(Attribute::AllowedMechanisms(vec![kwp]));
    template.extend(fixed());
    template
}

/// What the import key's unwrap template demands.
pub(crate) fn carrier_demands() -> Vec<Attribute> {
    session_object(ObjectClass::SECRET_KEY, KeyType::AES, false, &usage_bits(&[AttributeType::Unwrap]))
}

/// The type of a private key; `None` is a secret key.
fn private(kind: KeyKind) -> Option<KeyType> {
    match kind {
        KeyKind::HmacSha256 | KeyKind::HmacSha512 => None,
        KeyKind::RsaSha256 => Some(KeyType::RSA),
        KeyKind::Ed25519 => Some(KeyType::EC_EDWARDS),
    }
}

/// Every usage of a private key, true or false.
pub(super) fn private_usages(usages: &[AttributeType]) -> [Attribute; 5] {
    let has = |usage| usages.contains(&usage);
    [
        Attribute::Decrypt(has(AttributeType::Decrypt)),
        Attribute::Sign(has(AttributeType::Sign)),
        Attribute::SignRecover(has(AttributeType::SignRecover)),
        Attribute::Unwrap(has(AttributeType::Unwrap)),
        Attribute::Derive(has(AttributeType::Derive)),
    ]
}

fn public_usages() -> [Attribute; 5] {
    [
        Attribute::Encrypt(false),
        Attribute::Verify(false),
        Attribute::VerifyRecover(false),
        Attribute::Wrap(false),
        Attribute::Derive(false),
    ]
}

/// 65537.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// What is sealed to the import key exists for the two calls of one import and is stored nowhere.
const IMPORT_BITS: u64 = 2048;
