//! What a healthy token does.

use claviger_core::token::{MacKey, SigningKey, Token as _, TokenError};

use crate::harness::{in_child, opened, softhsm};

#[test]
fn every_method_round_trips() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&softhsm());

        let kek = session.generate_kek().unwrap();
        let dek = [7; 32];
        let wrapped = session.wrap_dek(&kek, &dek, b"row").unwrap();
        assert_eq!(wrapped.0.len(), 60);
        assert_eq!(*session.unwrap_dek(&kek, &wrapped, b"row").unwrap(), dek);

        for key in [MacKey::Index, MacKey::Pepper, MacKey::Row] {
            assert_eq!(session.mac(key, b"data").unwrap(), session.mac(key, b"data").unwrap());
        }
        assert_eq!(session.sign(SigningKey::Api, b"message").unwrap().len(), 64);
        assert_eq!(session.sign(SigningKey::Audit, b"message").unwrap().len(), 64);
        let public = session.public_keys().unwrap();
        assert_eq!((public.api.len(), public.audit.len()), (65, 32));

        assert_eq!(session.checkpoints().unwrap(), Vec::<Vec<u8>>::new());
        session.put_checkpoint(b"one").unwrap();
        session.put_checkpoint(b"two").unwrap();
        assert_eq!(session.checkpoints().unwrap(), [b"two"]);
        session.probe().unwrap();

        let mut random = [0; 48];
        session.random(&mut random).unwrap();
        assert_ne!(random, [0; 48]);
    });
}

#[test]
fn an_aad_is_demanded() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&softhsm());
        let kek = session.generate_kek().unwrap();
        assert!(matches!(session.wrap_dek(&kek, &[7; 32], b""), Err(TokenError::Refused(_))));
    });
}
