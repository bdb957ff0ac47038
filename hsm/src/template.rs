//! Attribute templates: the full list is always sent, with every usage that a key does not have explicitly false.
//!
//! Defaults differ between modules (`SoftHSM` lets an AES key sign unless told otherwise), so none is relied upon.
//! Source: PKCS #11 v3.1, sections 4.7 to 4.10.

use cryptoki::mechanism::MechanismType;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::types::Ulong;

use claviger_core::token::KEY_BYTES;

pub(crate) mod caller;

/// `CKA_APPLICATION` of the data objects that are ours.
const APPLICATION: &[u8] = b"claviger";

/// `CKA_LABEL` of the checkpoint.
const CHECKPOINT: &[u8] = b"checkpoint";

/// OID 1.2.840.10045.3.1.7 (secp256r1), DER.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];

/// OID 1.3.101.112 (Ed25519), DER.
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// The curve of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    Ed25519,
}

impl Curve {
    fn params(self) -> Attribute {
        Attribute::EcParams(match self {
            Self::P256 => P256.to_vec(),
            Self::Ed25519 => ED25519.to_vec(),
        })
    }

    fn key_type(self) -> KeyType {
        match self {
            Self::P256 => KeyType::EC,
            Self::Ed25519 => KeyType::EC_EDWARDS,
        }
    }

    fn mechanism(self) -> MechanismType {
        match self {
            Self::P256 => MechanismType::ECDSA,
            Self::Ed25519 => MechanismType::EDDSA,
        }
    }
}

/// A key that wraps: by one mechanism, and unwraps only what `unwraps` describes.
pub(crate) fn wrapping(name: &str, kwp: MechanismType, unwraps: Attribute) -> Vec<Attribute> {
    let mut template = secret(KeyType::AES, &[AttributeType::Wrap, AttributeType::Unwrap]);
    template.extend([Attribute::ValueLen(Ulong::from(KEY_LEN)), Attribute::AllowedMechanisms(vec![kwp]), unwraps]);
    template.extend(token_object(name));
    template
}

/// An HMAC-SHA-256 key of the token.
///
/// `GENERIC_SECRET`, not `SHA256_HMAC`: that key type is missing or confused in modules and in the binding.
pub(crate) fn mac(name: &str) -> Vec<Attribute> {
    let mut template = secret(KeyType::GENERIC_SECRET, &[AttributeType::Sign]);
    template.extend([
        Attribute::ValueLen(Ulong::from(KEY_LEN)),
        Attribute::AllowedMechanisms(vec![MechanismType::SHA256_HMAC]),
    ]);
    template.extend(token_object(name));
    template
}

/// The private half of a signing key.
pub(crate) fn signing_private(name: &str, curve: Curve) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::KeyType(curve.key_type()),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ];
    template.extend(caller::private_usages(&[AttributeType::Sign]));
    template.push(Attribute::AllowedMechanisms(vec![curve.mechanism()]));
    template.extend(token_object(name));
    template
}

/// The public half of a signing key.
pub(crate) fn signing_public(name: &str, curve: Curve) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::PUBLIC_KEY),
        Attribute::KeyType(curve.key_type()),
        curve.params(),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Modifiable(false),
        Attribute::Copyable(false),
        Attribute::Label(name.into()),
        Attribute::Id(name.into()),
        Attribute::Encrypt(false),
        Attribute::Verify(true),
        Attribute::VerifyRecover(false),
        Attribute::Wrap(false),
        Attribute::Derive(false),
    ]
}

/// A KEK between its birth and its wrapping: extractable, and good for nothing else.
pub(crate) fn newborn_kek() -> Vec<Attribute> {
    let mut template = session_object(ObjectClass::SECRET_KEY, KeyType::AES, true, &usage_bits(&[]));
    template.push(Attribute::ValueLen(Ulong::from(KEY_LEN)));
    template.extend(fixed());
    template
}

/// A tenant's own KEK between its coming and its wrapping.
pub(crate) fn incoming_kek() -> Vec<Attribute> {
    let mut template = incoming_kek_demands();
    template.extend(fixed());
    template
}

/// What the unwrap template of the key that tenants wrap their KEKs to demands.
pub(crate) fn incoming_kek_demands() -> Vec<Attribute> {
    session_object(ObjectClass::SECRET_KEY, KeyType::AES, true, &usage_bits(&[]))
}

/// A KEK as it is used: what `C_UnwrapKey` is asked for.
pub(crate) fn kek() -> Vec<Attribute> {
    let mut template = kek_demands();
    template.push(Attribute::AllowedMechanisms(vec![MechanismType::AES_GCM]));
    template.extend(fixed());
    template
}

/// What a root key's unwrap template demands of a KEK.
///
/// `CKA_KEY_TYPE` and each usage have to be in it: without them the same blob also unwraps as another kind of key.
pub(crate) fn kek_demands() -> Vec<Attribute> {
    let usages = usage_bits(&[AttributeType::Encrypt, AttributeType::Decrypt]);
    session_object(ObjectClass::SECRET_KEY, KeyType::AES, false, &usages)
}

/// A template with some attributes replaced: what an attacker with the session would ask for.
pub(crate) fn with(mut template: Vec<Attribute>, changes: &[Attribute]) -> Vec<Attribute> {
    for attribute in &mut template {
        if let Some(change) = changes.iter().find(|change| change.attribute_type() == attribute.attribute_type()) {
            *attribute = change.clone();
        }
    }
    template
}

/// A session key of a known value, to compare the token's answers with software.
pub(crate) fn known_key(kind: KeyType, value: &[u8], extractable: bool, usages: &[AttributeType]) -> Vec<Attribute> {
    let mut template = session_object(ObjectClass::SECRET_KEY, kind, extractable, &usage_bits(usages));
    template.push(Attribute::Value(value.to_vec()));
    template
}

/// The checkpoint: a private data object.
pub(crate) fn checkpoint(value: &[u8]) -> Vec<Attribute> {
    let mut template = checkpoint_lookup();
    template.extend([Attribute::Private(true), Attribute::Value(value.to_vec())]);
    template.extend(fixed());
    template
}

/// What finds the checkpoints.
pub(crate) fn checkpoint_lookup() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::DATA),
        Attribute::Token(true),
        Attribute::Application(APPLICATION.to_vec()),
        Attribute::Label(CHECKPOINT.to_vec()),
    ]
}

/// A secret key that never leaves the token, with these usages and no other.
fn secret(kind: KeyType, usages: &[AttributeType]) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(kind),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
    ];
    template.extend(usage_bits(usages));
    template
}

fn session_object(class: ObjectClass, kind: KeyType, extractable: bool, usages: &[Attribute]) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Class(class),
        Attribute::KeyType(kind),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(extractable),
    ];
    template.extend_from_slice(usages);
    template
}

/// Every usage of a secret key, true or false.
pub(crate) fn usage_bits(usages: &[AttributeType]) -> [Attribute; 7] {
    let has = |usage| usages.contains(&usage);
    [
        Attribute::Encrypt(has(AttributeType::Encrypt)),
        Attribute::Decrypt(has(AttributeType::Decrypt)),
        Attribute::Sign(has(AttributeType::Sign)),
        Attribute::Verify(has(AttributeType::Verify)),
        Attribute::Wrap(has(AttributeType::Wrap)),
        Attribute::Unwrap(has(AttributeType::Unwrap)),
        Attribute::Derive(has(AttributeType::Derive)),
    ]
}

/// Label and id are the same word, for instance `root/1`; the id is what other tools look keys up by.
fn token_object(name: &str) -> Vec<Attribute> {
    let mut template = vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Label(name.into()),
        Attribute::Id(name.into()),
    ];
    template.extend(fixed());
    template
}

/// No attribute changes later, and no copy has other attributes.
///
/// Always at the end: `SoftHSM` reads a template of `C_UnwrapKey` in order, and after `CKA_MODIFIABLE` no further.
pub(crate) fn fixed() -> [Attribute; 2] {
    [Attribute::Copyable(false), Attribute::Modifiable(false)]
}

/// [`KEY_BYTES`] as the binding wants it.
const KEY_LEN: u64 = {
    assert!(KEY_BYTES == 32);
    32
};
