//! Callers' keys, resident and born: what they sign, how long they are remembered, and what is left of them.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA512};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use claviger_core::clock::BootTime;
use claviger_core::secret::Plaintext;
use claviger_core::token::{BornKey, Holder, KeyForm, KeyKind, NewPair, Token as _, TokenError, TokenKey};
use claviger_hsm::{HsmSession, Module};

use crate::harness::{End, in_child, in_children, open, opened, token_module};

mod attributes;
mod lifetime;
mod memory;
mod refused;

const HOLDER: Holder = Holder(1);
const START: BootTime = BootTime(1_000_000_000_000);
const MESSAGE: &[u8] = b"timestamp=1&symbol=BTCUSDT";

#[test]
fn hmac_keys_of_every_length_sign_as_software_does() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        for (kind, algorithm) in [(KeyKind::HmacSha256, HMAC_SHA256), (KeyKind::HmacSha512, HMAC_SHA512)] {
            for length in 1..=200_u8 {
                let secret: Vec<u8> = (1..=length).collect();
                let key = import(&mut session, kind, &secret);
                let expected = hmac::sign(&hmac::Key::new(algorithm, &secret), MESSAGE);
                assert_eq!(sign(&mut session, &key), expected.as_ref(), "{kind:?}, {length} bytes");
            }
        }
    });
}

#[test]
fn an_rsa_key_signs_as_software_does() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        for size in [KeySize::Rsa2048, KeySize::Rsa4096] {
            let pair = KeyPair::generate(size).unwrap();
            let key = import(&mut session, KeyKind::RsaSha256, pair.as_der().unwrap().as_ref());
            let mut expected = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), MESSAGE, &mut expected).unwrap();
            assert_eq!(sign(&mut session, &key), expected);
        }
    });
}

#[test]
fn born_keys_sign_for_their_public_halves() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        for pair in [NewPair::Ed25519, NewPair::Rsa { bits: 2048 }, NewPair::Rsa { bits: 3072 }] {
            let one = session.generate_pair(pair, 9).unwrap();
            let other = session.generate_pair(pair, 9).unwrap();
            let signature = sign(&mut session, &one.key);
            public(&one).verify_sig(MESSAGE, &signature).unwrap();
            public(&one).verify_sig(b"another message", &signature).unwrap_err();
            public(&other).verify_sig(MESSAGE, &signature).unwrap_err();
        }
    });
}

#[test]
fn stored_keys_sign_in_the_next_process() {
    in_children(&[End::Well, End::Well], |home, process| {
        let stored = home.path("stored");
        if process == 0 {
            let (_hsm, mut session) = opened(&token_module());
            let kept = session.generate_pair(NewPair::Ed25519, 1).unwrap();
            let keys = [
                import(&mut session, KeyKind::HmacSha256, b"a secret"),
                session.generate_pair(NewPair::Rsa { bits: 2048 }, 0).unwrap().key,
                kept.key,
            ];
            let signatures = keys.clone().map(|key| sign(&mut session, &key));
            std::fs::write(stored, serde_json::to_vec(&(keys, signatures)).unwrap()).unwrap();
            return;
        }
        let hsm = open(&Module::load(&token_module()).unwrap()).unwrap();
        let (keys, signatures): ([TokenKey; 3], [Vec<u8>; 3]) =
            serde_json::from_slice(&std::fs::read(stored).unwrap()).unwrap();
        let mut session = hsm.session().unwrap();
        assert_eq!(keys.map(|key| sign(&mut session, &key)), signatures, "all three are deterministic");
    });
}

/// Where the token wraps everything, nothing is kept in it and there is nothing to limit.
#[test]
fn keys_kept_in_the_token_are_counted_listed_and_destroyed() {
    in_child(|_| {
        let (hsm, mut session) = opened(&token_module());
        let one = session.generate_pair(NewPair::Ed25519, 2).unwrap();
        let KeyForm::Object { label } = one.key.form.clone() else {
            assert!(session.key_objects().unwrap().is_empty());
            return;
        };
        session.generate_pair(NewPair::Ed25519, 2).unwrap();
        assert!(matches!(session.generate_pair(NewPair::Ed25519, 2), Err(TokenError::Capacity(_))));
        let labels = session.key_objects().unwrap();
        assert!(labels.len() == 2 && labels.contains(&label), "{labels:?}");

        let mut elsewhere = hsm.session().unwrap();
        sign(&mut session, &one.key);
        sign(&mut elsewhere, &one.key);
        session.destroy_key(&label).unwrap();
        for session in [&mut session, &mut elsewhere] {
            let gone = session.sign_with(&one.key, HOLDER, MESSAGE, START).unwrap_err();
            assert_eq!(gone, TokenError::Refused(format!("the token does not hold {label}")));
        }
        session.destroy_key(&label).expect("gone is gone");
        assert!(!session.key_objects().unwrap().contains(&label));
        assert!(matches!(session.destroy_key("root/1"), Err(TokenError::Refused(_))));
        session.probe().unwrap();
    });
}

fn import(session: &mut HsmSession, kind: KeyKind, secret: &[u8]) -> TokenKey {
    session.import_key(kind, &Plaintext::copy_of(secret).unwrap()).unwrap()
}

fn sign(session: &mut HsmSession, key: &TokenKey) -> Vec<u8> {
    session.sign_with(key, HOLDER, MESSAGE, START).unwrap()
}

/// The public half, from what the owner gets.
fn public(of: &BornKey) -> ParsedPublicKey {
    let body: String = of.public_pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
    match of.key.kind {
        KeyKind::Ed25519 => ParsedPublicKey::new(&ED25519, der).unwrap(),
        KeyKind::RsaSha256 => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der).unwrap(),
        KeyKind::HmacSha256 | KeyKind::HmacSha512 => panic!("an HMAC key is not born"),
    }
}
