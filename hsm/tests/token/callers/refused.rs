//! What is no key of this token, and what a token that is sick says of it.

use claviger_core::secret::Plaintext;
use claviger_core::token::{Forget, KeyForm, KeyKind, NewPair, Token as _, TokenError, TokenKey};
use claviger_hsm::SlotSelector;
use claviger_hsm::provision::{self, ProvisionError};
use cryptoki::object::Attribute;

use super::{HOLDER, MESSAGE, START, import, sign};
use crate::harness::{LABEL, fault_module, in_child, open, opened, pin, provisioned, raw_session, token_module};

#[test]
fn a_blob_that_is_not_what_it_was_is_tampering() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        let rsa = session.generate_pair(NewPair::Rsa { bits: 2048 }, 0).unwrap().key;
        let keys = [
            import(&mut session, KeyKind::HmacSha256, b"secret"),
            import(&mut session, KeyKind::HmacSha512, b"secret"),
            rsa,
        ];
        let mut refuse = |kind, kek, blob: &[u8], what: &str| {
            let key = TokenKey { kind, form: KeyForm::Wrapped { kek, blob: blob.to_vec() } };
            assert_eq!(session.sign_with(&key, HOLDER, MESSAGE, START).unwrap_err(), TokenError::Tampered, "{what}");
        };
        for key in &keys {
            let KeyForm::Wrapped { kek, blob } = &key.form else { panic!("it is wrapped") };
            for index in (0..blob.len()).step_by(blob.len().div_ceil(80)) {
                let mut changed = blob.clone();
                changed[index] ^= 1;
                refuse(key.kind, *kek, &changed, &format!("{:?}, byte {index}", key.kind));
            }
            refuse(key.kind, *kek, &[], "nothing");
            refuse(key.kind, *kek, &blob[..blob.len() - 8], "cut short");
            for other in [KeyKind::HmacSha256, KeyKind::HmacSha512, KeyKind::RsaSha256] {
                if other != key.kind {
                    refuse(other, *kek, blob, &format!("{:?} as {other:?}", key.kind));
                }
            }
        }
        for key in &keys {
            sign(&mut session, key);
        }
        let KeyForm::Wrapped { blob, .. } = keys[0].form.clone() else { panic!("it is wrapped") };
        let unknown = TokenKey { kind: keys[0].kind, form: KeyForm::Wrapped { kek: 9, blob } };
        let missing = session.sign_with(&unknown, HOLDER, MESSAGE, START).unwrap_err();
        assert_eq!(missing, TokenError::KeyMissing("kek-res/9".into()));
    });
}

#[test]
fn what_is_no_key_does_not_enter() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        for (kind, secret) in [
            (KeyKind::HmacSha256, &b""[..]),
            (KeyKind::HmacSha512, b""),
            (KeyKind::RsaSha256, b""),
            (KeyKind::RsaSha256, b"no PKCS#8"),
            (KeyKind::Ed25519, &[7; 32]),
        ] {
            let refused = session.import_key(kind, &Plaintext::copy_of(secret).unwrap()).unwrap_err();
            assert!(matches!(refused, TokenError::Refused(_)), "{kind:?}: {refused}");
        }
        for bits in [0, 1024, 2047, 4097, u16::MAX] {
            assert!(matches!(session.generate_pair(NewPair::Rsa { bits }, 0), Err(TokenError::Refused(_))), "{bits}");
        }
        for label in ["", "root/1", "born-ed25519/", "born-ed25519/00000000000000000000000000000000"] {
            let key = TokenKey { kind: KeyKind::Ed25519, form: KeyForm::Object { label: label.into() } };
            let refused = session.sign_with(&key, HOLDER, MESSAGE, START).unwrap_err();
            assert!(matches!(refused, TokenError::Refused(_)), "{label}: {refused}");
        }
        session.probe().unwrap();
    });
}

/// As tokens are that were made before there were such keys.
#[test]
fn a_token_without_keys_for_callers_serves_everything_else() {
    in_child(|_| {
        let module = provisioned(&token_module());
        let first = open(&module).unwrap();
        let born = first.session().unwrap().generate_pair(NewPair::Ed25519, 9).unwrap().key;
        let raw = raw_session();
        for name in ["kek-res/1", "kek-priv-rsa/1", "kek-priv-ed25519/1", "import-secret/1"] {
            for object in raw.find_objects(&[Attribute::Token(true), Attribute::Id(name.into())]).unwrap() {
                raw.destroy_object(object).unwrap();
            }
        }

        let hsm = open(&module).unwrap();
        assert_eq!(hsm.lacking().len(), 4, "{:?}", hsm.lacking());
        let mut session = hsm.session().unwrap();
        let kek = session.generate_kek().unwrap();
        session.wrap_dek(&kek, &[7; 32], b"row").unwrap();
        let secret = Plaintext::copy_of(b"secret").unwrap();
        assert!(matches!(session.import_key(KeyKind::HmacSha256, &secret), Err(TokenError::Refused(_))));
        assert!(matches!(session.generate_pair(NewPair::Rsa { bits: 2048 }, 0), Err(TokenError::Refused(_))));
        let kept = session.generate_pair(NewPair::Ed25519, 9).unwrap().key;
        assert!(matches!(kept.form, KeyForm::Object { .. }), "it needs no key to wrap it");
        sign(&mut session, &kept);
        if let KeyForm::Wrapped { kek, .. } = born.form {
            let missing = session.sign_with(&born, HOLDER, MESSAGE, START).unwrap_err();
            assert_eq!(missing, TokenError::KeyMissing(format!("kek-priv-ed25519/{kek}")));
        }

        let add = || provision::add_caller_keys(&module, &SlotSelector::Label(LABEL.to_owned()), &pin());
        add().unwrap();
        assert!(matches!(add(), Err(ProvisionError::KeysExist(_))), "once");
        let hsm = open(&module).unwrap();
        assert!(hsm.lacking().is_empty(), "{:?}", hsm.lacking());
        let imported = hsm.session().unwrap().import_key(KeyKind::HmacSha256, &secret).unwrap();
        sign(&mut hsm.session().unwrap(), &imported);
    });
}

/// `sick.rs` has the table; here is what is particular to callers' keys.
#[test]
fn the_known_blob_tells_a_bad_blob_from_a_sick_token() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        let key = import(&mut session, KeyKind::HmacSha256, b"secret");
        for code in ["0x05", "0x30", "0x110"] {
            home.rules(&format!("C_UnwrapKey return={code} count=1"));
            assert_eq!(session.sign_with(&key, HOLDER, MESSAGE, START).unwrap_err(), TokenError::Tampered, "{code}");
            home.rules(&format!("C_UnwrapKey return={code}"));
            let lost = session.sign_with(&key, HOLDER, MESSAGE, START).unwrap_err();
            assert!(matches!(lost, TokenError::Lost(_)), "{code}: {lost}");
            home.well();
        }
        // SESSION_HANDLE_INVALID, of a key that is remembered: its handle died with the session.
        let signature = sign(&mut session, &key);
        home.rules("C_SignInit return=0xB3 count=1");
        assert_eq!(sign(&mut session, &key), signature);
        home.well();
        session.forget(Forget::All);

        // A blob that does not come out as it went in is never handed out.
        home.rules("C_Sign flip-bit count=1");
        let secret = Plaintext::copy_of(b"secret").unwrap();
        assert!(matches!(session.import_key(KeyKind::HmacSha256, &secret), Err(TokenError::Refused(_))));
        for pair in [NewPair::Ed25519, NewPair::Rsa { bits: 2048 }] {
            home.rules("C_Sign flip-bit count=1");
            assert!(matches!(session.generate_pair(pair, 1), Err(TokenError::Refused(_))), "{pair:?}");
        }
        assert!(session.key_objects().unwrap().is_empty());
    });
}
