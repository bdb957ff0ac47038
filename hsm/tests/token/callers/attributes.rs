//! What can be done with each object of callers' keys, past this crate: nothing but what it is for.

use claviger_core::secret::Plaintext;
use claviger_core::token::{KeyKind, NewPair, Token as _};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::{import, sign};
use crate::harness::{fault_module, in_child, opened, raw_session, token_module};

#[test]
fn keys_of_the_token_do_one_thing() {
    in_child(|_| {
        let (_hsm, _session) = opened(&token_module());
        let raw = raw_session();
        for (name, class, usages) in [
            ("kek-res/1", ObjectClass::SECRET_KEY, &[AttributeType::Wrap, AttributeType::Unwrap][..]),
            ("kek-priv-rsa/1", ObjectClass::SECRET_KEY, &[AttributeType::Wrap, AttributeType::Unwrap]),
            ("kek-priv-ed25519/1", ObjectClass::SECRET_KEY, &[AttributeType::Wrap, AttributeType::Unwrap]),
            ("import-secret/1", ObjectClass::PRIVATE_KEY, &[AttributeType::Unwrap]),
        ] {
            let found = raw.find_objects(&[Attribute::Class(class), Attribute::Id(name.into())]).unwrap();
            let [object] = found[..] else { panic!("{name}: {found:?}") };
            does_only(&raw, object, usages, name);
            let kinds = [AttributeType::Token, AttributeType::AlwaysSensitive, AttributeType::NeverExtractable];
            let born = [Attribute::Token(true), Attribute::AlwaysSensitive(true), Attribute::NeverExtractable(true)];
            assert_eq!(raw.get_attributes(object, &kinds).unwrap(), born, "{name}");
        }
    });
}

#[test]
fn a_callers_key_signs_by_its_mechanism_and_no_other() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        let raw = raw_session();
        let own_key = raw.create_object(&attackers_key()).unwrap();
        let keys = [
            import(&mut session, KeyKind::HmacSha256, b"secret"),
            import(&mut session, KeyKind::HmacSha512, b"secret"),
            session.generate_pair(NewPair::Rsa { bits: 2048 }, 0).unwrap().key,
            session.generate_pair(NewPair::Ed25519, 1).unwrap().key,
        ];
        let mut seen = signers(&raw);
        for key in keys {
            sign(&mut session, &key);
            let all = signers(&raw);
            // One kept in the token was there before it signed.
            let signer = *all.iter().find(|object| !seen.contains(object)).unwrap_or_else(|| all.last().unwrap());
            seen = all;
            let what = format!("{:?}", key.kind);
            does_only(&raw, signer, &[AttributeType::Sign], &what);
            for mechanism in others(key.kind) {
                assert!(raw.sign(&mechanism, signer, &[7; 32]).is_err(), "{what} by {mechanism:?}");
            }
            for mechanism in [Mechanism::AesKeyWrap, Mechanism::AesKeyWrapPad] {
                assert!(raw.wrap_key(&mechanism, own_key, signer).is_err(), "{what} out by {mechanism:?}");
            }
            assert!(raw.update_attributes(signer, &[Attribute::Extractable(true)]).is_err(), "{what}");
            assert!(raw.copy_object(signer, &[Attribute::Extractable(true)]).is_err(), "{what}");
        }
    });
}

/// Carrier, newborn, and the key as it signs: only the second can be wrapped, and all three go.
#[test]
fn a_secret_enters_wrapped_and_leaves_nothing() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        home.forget_calls();
        session.import_key(KeyKind::HmacSha256, &Plaintext::copy_of(b"secret").unwrap()).unwrap();

        let unwrapped: Vec<_> = home.calls("C_UnwrapKey").iter().map(|call| call.ends_with("extractable=0")).collect();
        assert_eq!(unwrapped, [true, false, true]);
        assert!(home.calls("C_UnwrapKey").iter().all(|call| call.contains("token=0 sensitive=1")));
        assert_eq!(home.calls("C_DestroyObject").len(), 3);
        assert!(home.calls("C_CreateObject").is_empty(), "nothing goes in in the clear");
    });
}

/// An object that can be neither read nor changed nor copied, and has these usages and no other.
fn does_only(raw: &Session, object: ObjectHandle, usages: &[AttributeType], what: &str) {
    let fixed = [
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Copyable(false),
    ];
    let kinds: Vec<_> = fixed.iter().map(Attribute::attribute_type).collect();
    assert_eq!(raw.get_attributes(object, &kinds).unwrap(), fixed, "{what}");

    let has = |usage| usages.contains(&usage);
    let expected = [
        Attribute::Encrypt(has(AttributeType::Encrypt)),
        Attribute::Decrypt(has(AttributeType::Decrypt)),
        Attribute::Sign(has(AttributeType::Sign)),
        Attribute::SignRecover(has(AttributeType::SignRecover)),
        Attribute::Verify(has(AttributeType::Verify)),
        Attribute::Wrap(has(AttributeType::Wrap)),
        Attribute::Unwrap(has(AttributeType::Unwrap)),
        Attribute::Derive(has(AttributeType::Derive)),
    ];
    let kinds: Vec<_> = expected.iter().map(Attribute::attribute_type).collect();
    let said = raw.get_attributes(object, &kinds).unwrap();
    // Those that the class does not have are left out.
    assert!(said.len() >= 5 && said.iter().all(|attribute| expected.contains(attribute)), "{what}: {said:?}");

    let value = [AttributeType::Value, AttributeType::PrivateExponent, AttributeType::Prime1];
    assert!(raw.get_attributes(object, &value).unwrap().is_empty(), "{what}");
}

/// All keys that sign and are not the token's own.
fn signers(raw: &Session) -> Vec<ObjectHandle> {
    let mut signers = Vec::new();
    for class in [ObjectClass::SECRET_KEY, ObjectClass::PRIVATE_KEY] {
        signers.extend(raw.find_objects(&[Attribute::Class(class), Attribute::Token(false)]).unwrap());
    }
    for object in raw.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Token(true)]).unwrap() {
        let label = raw.get_attributes(object, &[AttributeType::Label]).unwrap();
        if matches!(&label[..], [Attribute::Label(label)] if label.starts_with(b"born-")) {
            signers.push(object);
        }
    }
    signers
}

fn others(kind: KeyKind) -> Vec<Mechanism<'static>> {
    match kind {
        KeyKind::HmacSha256 => vec![Mechanism::Sha512Hmac, Mechanism::Sha384Hmac],
        KeyKind::HmacSha512 => vec![Mechanism::Sha256Hmac, Mechanism::Sha384Hmac],
        KeyKind::RsaSha256 => vec![Mechanism::RsaPkcs, Mechanism::Sha512RsaPkcs, Mechanism::RsaX509],
        KeyKind::Ed25519 => vec![Mechanism::Ecdsa],
    }
}

/// A key that wraps, of a value that the attacker knows.
fn attackers_key() -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Wrap(true),
        Attribute::Value(vec![7; 32]),
    ]
}
