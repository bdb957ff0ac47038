//! Tenants' own KEKs: wrapped outside, taken in, and known again when they come back.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use claviger_core::token::{Forget, KEY_BYTES, KekDoor, OaepHash, Token as _, TokenError};
use claviger_hsm::{HsmSession, Module};
use data_encoding::BASE64;

use crate::harness::{End, in_child, in_children, open, opened, token_module};

const DEK: [u8; KEY_BYTES] = [7; KEY_BYTES];
const OWN: [u8; KEY_BYTES] = *b"the tenant's own, of 32 bytes...";

#[test]
fn what_a_tenant_brings_is_the_key_that_wraps() {
    in_children(&[End::Well, End::Well], |home, process| {
        let kept = home.path("kept");
        if process == 1 {
            let hsm = open(&Module::load(&token_module()).unwrap()).expect("it passes the tests of a start");
            let mut session = hsm.session().unwrap();
            assert_eq!(session.roots().unwrap(), [1], "the root key of tenants' KEKs is none of the others");
            let (canary, wrapped_dek) = split(&std::fs::read(&kept).unwrap());
            let back = import(&mut session, &OWN, Some(&canary)).unwrap();
            assert_eq!(back.canary, canary);
            let dek = claviger_core::token::WrappedDek(wrapped_dek);
            assert_eq!(*session.unwrap_dek(&back, &dek, b"row").unwrap(), DEK);
            return;
        }
        let (_hsm, mut session) = opened(&token_module());
        let blob = import(&mut session, &OWN, None).unwrap();
        assert_eq!(blob.root, 0);
        let wrapped = session.wrap_dek(&blob, &DEK, b"row").unwrap();
        assert_eq!(opened_outside(&OWN, &wrapped.0), DEK, "it is that key, and no other");
        let generated = session.generate_kek().unwrap();
        assert_eq!(generated.root, 1);

        let other = import(&mut session, &[8; KEY_BYTES], Some(&blob.canary));
        assert_eq!(other.unwrap_err(), TokenError::Tampered);
        assert_eq!(import(&mut session, &OWN, Some(&[0; 43])).unwrap_err(), TokenError::Tampered);
        session.forget(Forget::Keks);
        assert_eq!(*session.unwrap_dek(&blob, &wrapped, b"row").unwrap(), DEK);
        assert!(matches!(session.destroy_root(0), Err(TokenError::Refused(_))));
        std::fs::write(&kept, [blob.canary.as_slice(), &wrapped.0].concat()).unwrap();
    });
}

#[test]
fn what_is_no_key_of_256_bits_is_not_taken_in() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        let door = session.kek_door().unwrap();
        assert_eq!(session.kek_door().unwrap(), door, "it is made once");
        for short in [&OWN[..16], &OWN[..24]] {
            let wrapped = sealed(&door, short);
            assert!(matches!(session.import_kek(&wrapped, None), Err(TokenError::Refused(_))), "{}", short.len());
        }
        for rubbish in [vec![0; 256], vec![1; 17], b"not wrapped at all".to_vec()] {
            assert!(matches!(session.import_kek(&rubbish, None), Err(TokenError::Refused(_))));
        }
        import(&mut session, &OWN, None).expect("the session goes on");
    });
}

fn import(
    session: &mut HsmSession,
    key: &[u8],
    known: Option<&[u8]>,
) -> Result<claviger_core::token::KekBlob, TokenError> {
    let door = session.kek_door()?;
    session.import_kek(&sealed(&door, key), known)
}

/// As `openssl pkeyutl -encrypt` does it.
fn sealed(door: &KekDoor, key: &[u8]) -> Vec<u8> {
    let body: String = door.public_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let public = PublicEncryptingKey::from_der(&BASE64.decode(body.as_bytes()).unwrap()).unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let by = match door.hash {
        OaepHash::Sha256 => &OAEP_SHA256_MGF1SHA256,
        OaepHash::Sha1 => &OAEP_SHA1_MGF1SHA1,
    };
    let mut sealed = vec![0; public.ciphertext_size()];
    public.encrypt(by, key, &mut sealed, None).unwrap();
    sealed
}

fn opened_outside(key: &[u8; KEY_BYTES], wrapped: &[u8]) -> Vec<u8> {
    let (nonce, rest) = wrapped.split_first_chunk::<12>().unwrap();
    let mut rest = rest.to_vec();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap());
    key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(b"row"), &mut rest).unwrap().to_vec()
}

/// The canary, of 43 bytes, and what follows it.
fn split(kept: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (canary, dek) = kept.split_at(43);
    (canary.to_vec(), dek.to_vec())
}
