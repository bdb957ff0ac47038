//! Each known attack, made to succeed, keeps the token out.

use claviger_fault_module::ATTACKS;
use claviger_hsm::{AdmissionError, OpenError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};

use crate::harness::{PIN, fault_module, in_child, open, provisioned, raw_session, token_module};

#[test]
fn an_attack_that_succeeds_is_named() {
    in_child(|home| {
        let module = provisioned(&fault_module());
        for attack in ATTACKS {
            home.rules(&format!("attack={attack}"));

            let refused = open(&module).unwrap_err();

            let OpenError::Admission(AdmissionError::AttackSucceeds(name)) = &refused else {
                panic!("{attack}: {refused}");
            };
            assert_eq!(name, attack);
            assert!(refused.to_string().contains(attack), "{refused}");
            let left = raw_session().find_objects(&[Attribute::Token(false)]).unwrap();
            assert_eq!(left.len(), 0, "{attack} leaves nothing behind");
        }
        home.well();
        open(&module).unwrap();
    });
}

#[test]
fn the_fault_module_knows_every_attack() {
    assert!(AdmissionError::attacks().eq(ATTACKS.iter().copied()));
}

#[test]
fn wrong_answers_are_named() {
    in_child(|home| {
        let module = provisioned(&fault_module());
        for (rule, answer) in [
            ("C_Sign flip-bit count=1", "HMAC-SHA-256"),
            ("C_Sign flip-bit after=7 count=1", "ES256"),
            ("C_Sign flip-bit after=8 count=1", "Ed25519"),
            ("C_Sign flip-bit after=9 count=1", "resident HMAC"),
            ("C_Sign flip-bit after=10 count=1", "resident RSA"),
        ] {
            home.rules(rule);
            let refused = open(&module).unwrap_err();
            let OpenError::Admission(AdmissionError::WrongAnswer(name)) = &refused else {
                panic!("{rule}: {refused}");
            };
            assert_eq!(*name, answer, "{rule}");
        }
        home.rules("C_GenerateRandom zero");
        assert!(open(&module).unwrap_err().to_string().contains("random numbers repeat a pattern"));
    });
}

/// No fault module here: this is what a real `SoftHSM` does with a root key that lacks its unwrap template.
#[test]
fn a_root_key_without_unwrap_template_is_refused() {
    in_child(|_| {
        let module = provisioned(&token_module());
        plant("root/2", false);
        let refused = open(&module).unwrap_err().to_string();
        assert!(refused.contains("unwrap-extractable"), "{refused}");
    });
}

/// The same of the keys that wrap callers' keys: without the template each lets its keys out as readable.
#[test]
fn wrapping_keys_without_unwrap_template_are_refused() {
    in_child(|_| {
        let module = provisioned(&token_module());
        for (name, attack) in [("kek-res/2", "resident-extractable"), ("kek-priv-rsa/2", "private-extractable")] {
            let planted = plant(name, false);
            let refused = open(&module).unwrap_err().to_string();
            assert!(refused.contains(attack), "{name}: {refused}");
            planted.session.destroy_object(planted.key).unwrap();
        }
        open(&module).unwrap();
    });
}

#[test]
fn a_root_key_that_decrypts_is_refused() {
    in_child(|_| {
        let module = provisioned(&token_module());
        plant("root/2", true);
        let refused = open(&module).unwrap_err().to_string();
        assert!(refused.contains("root/2 has Decrypt(true)"), "{refused}");
    });
}

#[test]
fn all_keys_are_made_sensitive_and_the_values_of_none_are_read() {
    in_child(|home| {
        let module = provisioned(&fault_module());
        let made: Vec<String> = [home.calls("C_GenerateKey"), home.calls("C_GenerateKeyPair")].concat();
        assert_eq!(made.len(), 10);
        for key in made {
            assert!(key.ends_with("token=1 sensitive=1 extractable=0"), "{key}");
        }

        let hsm = open(&module).unwrap();
        let asked = |call: &&String| call.ends_with("value=1");
        let before = home.calls("C_GetAttributeValue").iter().filter(asked).count();
        hsm.session().unwrap();
        assert_eq!(home.calls("C_GetAttributeValue").iter().filter(asked).count(), before);
        assert!(before <= 6, "only the admission test asks, for keys of its own");
    });
}

/// A key, and a login that lasts as long as it.
struct Planted {
    session: Session,
    key: ObjectHandle,
}

/// Somebody with the PIN makes a wrapping key that is newer than ours, and weaker.
fn plant(name: &str, decrypts: bool) -> Planted {
    let session = raw_session();
    session.login(UserType::User, Some(&PIN.into())).unwrap();
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(32.into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(false),
        Attribute::Decrypt(decrypts),
        Attribute::Sign(false),
        Attribute::Verify(false),
        Attribute::Wrap(true),
        Attribute::Unwrap(true),
        Attribute::Derive(false),
        Attribute::Label(name.into()),
        Attribute::Id(name.into()),
        Attribute::Copyable(false),
        Attribute::Modifiable(false),
    ];
    let key = session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    Planted { session, key }
}
