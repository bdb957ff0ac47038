//! What a healthy token does, and what it makes of bytes that are not what they were.

use std::thread;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use claviger_core::token::{KekBlob, MacKey, SigningKey, Token as _, TokenError, WrappedDek};
use claviger_hsm::{OpenError, Pin, SlotSelector, provision};

use crate::harness::{PIN, fault_module, in_child, open, opened, pin, provisioned, selector, token_module};

const DEK: [u8; 32] = [7; 32];
const AAD: &[u8] = b"row";

#[test]
fn a_dek_round_trips() {
    in_child(|_| {
        let (hsm, mut session) = opened(&token_module());
        let kek = session.generate_kek().unwrap();
        let wrapped = session.wrap_dek(&kek, &DEK, AAD).unwrap();

        assert_eq!(*session.unwrap_dek(&kek, &wrapped, AAD).unwrap(), DEK);
        assert_eq!(*hsm.session().unwrap().unwrap_dek(&kek, &wrapped, AAD).unwrap(), DEK, "in another session");
        assert_ne!(session.wrap_dek(&kek, &DEK, AAD).unwrap(), wrapped, "each wrap has its own nonce");
        assert!(!wrapped.0.windows(8).any(|part| part == &DEK[..8]), "the DEK is not in it");
    });
}

#[test]
fn macs_are_deterministic_and_one_per_purpose() {
    in_child(|_| {
        let (hsm, mut session) = opened(&token_module());
        let macs = [MacKey::Index, MacKey::Pepper, MacKey::Row].map(|key| session.mac(key, b"data").unwrap());
        let again =
            [MacKey::Index, MacKey::Pepper, MacKey::Row].map(|key| hsm.session().unwrap().mac(key, b"data").unwrap());

        assert_eq!(macs, again);
        assert!(macs[0] != macs[1] && macs[1] != macs[2] && macs[0] != macs[2]);
        assert_ne!(session.mac(MacKey::Row, b"").unwrap(), macs[2], "no data is data too");
    });
}

#[test]
fn signatures_verify_in_software() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        let public = session.public_keys().unwrap();
        let api = session.sign(SigningKey::Api, b"token").unwrap();
        let audit = session.sign(SigningKey::Audit, b"head").unwrap();

        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &public.api).verify(b"token", &api).unwrap();
        UnparsedPublicKey::new(&ED25519, &public.audit).verify(b"head", &audit).unwrap();
        UnparsedPublicKey::new(&ED25519, &public.audit).verify(b"tail", &audit).unwrap_err();
    });
}

#[test]
fn random_bytes_are_filled_to_any_length() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        session.random(&mut []).unwrap();
        for len in [1, 12, 32, 33, 4096] {
            let mut out = vec![0; len];
            session.random(&mut out).unwrap();
            assert!(len < 12 || out.iter().any(|byte| *byte != 0));
        }
        session.probe().unwrap();
    });
}

#[test]
fn any_changed_byte_is_tampering() {
    in_child(|_| {
        let (hsm, mut session) = opened(&token_module());
        let kek = session.generate_kek().unwrap();
        let wrapped = session.wrap_dek(&kek, &DEK, AAD).unwrap();
        let mut refuse = |kek: &KekBlob, dek: &WrappedDek, aad: &[u8], what: &str| {
            assert_eq!(session.unwrap_dek(kek, dek, aad).unwrap_err(), TokenError::Tampered, "{what}");
        };

        for index in 0..wrapped.0.len() {
            let mut changed = wrapped.clone();
            changed.0[index] ^= 0x80;
            refuse(&kek, &changed, AAD, &format!("byte {index} of the wrapped DEK"));
        }
        refuse(&kek, &wrapped, b"another row", "the AAD");
        refuse(&kek, &WrappedDek(wrapped.0[..59].to_vec()), AAD, "a wrapped DEK cut short");
        refuse(&kek, &WrappedDek(Vec::new()), AAD, "no wrapped DEK");
        for index in 0..kek.wrapped.len() {
            let mut changed = kek.clone();
            changed.wrapped[index] ^= 1;
            refuse(&changed, &wrapped, AAD, &format!("byte {index} of the blob"));
        }
        for index in 0..kek.canary.len() {
            let mut changed = kek.clone();
            changed.canary[index] ^= 1;
            refuse(&changed, &wrapped, AAD, &format!("byte {index} of the canary"));
        }
        refuse(&KekBlob { wrapped: Vec::new(), ..kek.clone() }, &wrapped, AAD, "no blob");
        refuse(&KekBlob { canary: Vec::new(), ..kek.clone() }, &wrapped, AAD, "no canary");

        let other = hsm.session().unwrap().generate_kek().unwrap();
        refuse(&other, &wrapped, AAD, "another KEK");
        refuse(&KekBlob { wrapped: other.wrapped, ..kek.clone() }, &wrapped, AAD, "another KEK's blob, this canary");
        assert_eq!(*session.unwrap_dek(&kek, &wrapped, AAD).unwrap(), DEK, "the session is none the worse");
    });
}

#[test]
fn a_kek_of_another_token_is_tampering() {
    in_child(|_| {
        let module = provisioned(&token_module());
        let other = SlotSelector::Label("other".into());
        provision::init_token(&module, "other", &Pin::from("12345678".to_owned()), &pin()).unwrap();
        provision::create_keys(&module, &other, &pin()).unwrap();
        let (ours, theirs) = (open(&module).unwrap(), module.open(&other, pin()).unwrap());
        let (mut ours, mut theirs) = (ours.session().unwrap(), theirs.session().unwrap());

        let kek = theirs.generate_kek().unwrap();
        let wrapped = theirs.wrap_dek(&kek, &DEK, AAD).unwrap();

        assert_eq!(ours.unwrap_dek(&kek, &wrapped, AAD).unwrap_err(), TokenError::Tampered);
        assert_eq!(ours.wrap_dek(&kek, &DEK, AAD).unwrap_err(), TokenError::Tampered);
        let unknown_root = KekBlob { root: 9, ..kek };
        let refused = TokenError::Refused("it has no key root/9".into());
        assert_eq!(ours.unwrap_dek(&unknown_root, &wrapped, AAD).unwrap_err(), refused);
    });
}

#[test]
fn an_aad_is_demanded() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        let kek = session.generate_kek().unwrap();
        assert!(matches!(session.wrap_dek(&kek, &DEK, b""), Err(TokenError::Refused(_))));
    });
}

#[test]
fn threads_have_sessions_of_their_own() {
    in_child(|_| {
        let (hsm, mut session) = opened(&token_module());
        let kek = session.generate_kek().unwrap();
        thread::scope(|scope| {
            for thread in 0..2_u8 {
                let (hsm, kek) = (&hsm, kek.clone());
                scope.spawn(move || {
                    let mut session = hsm.session().unwrap();
                    for round in 0..50 {
                        let dek = [thread ^ round; 32];
                        let wrapped = session.wrap_dek(&kek, &dek, AAD).unwrap();
                        assert_eq!(*session.unwrap_dek(&kek, &wrapped, AAD).unwrap(), dek);
                        session.put_checkpoint(&[thread, round], None).unwrap();
                        session.probe().unwrap();
                    }
                });
            }
        });
        assert_eq!(session.checkpoints().unwrap().len(), 1);
    });
}

#[test]
fn old_keks_make_room_for_new_ones() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        let first = session.generate_kek().unwrap();
        let wrapped = session.wrap_dek(&first, &DEK, AAD).unwrap();
        let destroyed = home.calls("C_DestroyObject").len();

        // Each new KEK destroys its extractable form; beyond 4,096 each also evicts one.
        for _ in 0..4100 {
            session.generate_kek().unwrap();
        }

        assert_eq!(home.calls("C_DestroyObject").len() - destroyed, 4100 + 5);
        assert_eq!(*session.unwrap_dek(&first, &wrapped, AAD).unwrap(), DEK);
    });
}

#[test]
fn a_wrong_pin_is_tried_once() {
    in_child(|home| {
        let module = provisioned(&fault_module());
        let logins = home.calls("C_Login").len();

        let refused = module.open(&selector(), Pin::from("000000".to_owned())).unwrap_err();

        assert!(matches!(&refused, OpenError::Token(TokenError::PinRefused(_))), "{refused}");
        assert!(!format!("{refused} {refused:?}").contains("000000"));
        assert_eq!(home.calls("C_Login").len() - logins, 1);
    });
}

#[test]
fn one_login_serves_all_sessions_and_never_shows() {
    in_child(|home| {
        let module = provisioned(&fault_module());
        let logins = home.calls("C_Login").len();
        let hsm = open(&module).unwrap();
        for _ in 0..3 {
            hsm.session().unwrap().probe().unwrap();
        }
        assert_eq!(home.calls("C_Login").len() - logins, 1);

        let again = open(&module).expect("CKR_USER_ALREADY_LOGGED_IN is a success");
        assert_eq!(again.device(), hsm.device());
        let log = std::fs::read_to_string(home.path("fault.log")).unwrap();
        assert!(log.contains(" C_Login 0x00000100") && !log.contains(PIN));
    });
}
