//! Root keys of a token that is in use: made one after the other, and destroyed when they are old.

use claviger_core::token::{Forget, KEY_BYTES, Token as _, TokenError};

use crate::harness::{End, fault_module, in_child, in_children, open, opened, raw_session, token_module};
use claviger_hsm::Module;
use cryptoki::object::Attribute;

const DEK: [u8; KEY_BYTES] = [7; KEY_BYTES];

#[test]
fn every_session_uses_a_new_root_key_at_once() {
    in_children(&[End::Well, End::Well], |_, process| {
        if process == 1 {
            let hsm = open(&Module::load(&token_module()).unwrap()).expect("it passes the tests of a start");
            let mut session = hsm.session().unwrap();
            assert_eq!((session.roots().unwrap(), session.generate_kek().unwrap().root), (vec![1, 2], 2));
            return;
        }
        let (hsm, mut first) = opened(&token_module());
        let mut second = hsm.session().unwrap();
        let old = second.generate_kek().unwrap();
        let under_old = second.wrap_dek(&old, &DEK, b"row").unwrap();
        first.make_root(2).unwrap();
        assert_eq!(first.roots().unwrap(), [1, 2]);
        let new = second.generate_kek().unwrap();
        assert_eq!((old.root, new.root), (1, 2));
        let under_new = first.wrap_dek(&new, &DEK, b"row").unwrap();
        assert_eq!(*second.unwrap_dek(&new, &under_new, b"row").unwrap(), DEK);
        assert_eq!(*first.unwrap_dek(&old, &under_old, b"row").unwrap(), DEK, "the old one goes on");

        first.make_root(2).expect("a call that is repeated finds it made");
        for number in [0, 1, 4] {
            assert!(matches!(first.make_root(number), Err(TokenError::Refused(_))), "{number}");
        }
        assert_eq!(first.roots().unwrap(), [1, 2]);
    });
}

#[test]
fn an_old_root_key_goes_and_the_newest_stays() {
    in_children(&[End::Well, End::Well], |_, process| {
        if process == 1 {
            let hsm = open(&Module::load(&token_module()).unwrap()).unwrap();
            return assert_eq!(hsm.session().unwrap().roots().unwrap(), [2]);
        }
        let (hsm, mut first) = opened(&token_module());
        let mut second = hsm.session().unwrap();
        let old = second.generate_kek().unwrap();
        let under_old = second.wrap_dek(&old, &DEK, b"row").unwrap();
        assert!(matches!(first.destroy_root(1), Err(TokenError::Refused(_))), "it is the newest");
        first.make_root(2).unwrap();
        let new = second.generate_kek().unwrap();
        for number in [2, 3] {
            assert!(matches!(first.destroy_root(number), Err(TokenError::Refused(_))), "{number}");
        }
        assert_eq!(first.roots().unwrap(), [1, 2]);

        first.destroy_root(1).unwrap();
        first.destroy_root(1).expect("it is destroyed already");
        assert_eq!(first.roots().unwrap(), [2]);
        second.forget(Forget::Keks);
        // The token is no worse for it: only what was under that key is refused.
        assert!(matches!(second.unwrap_dek(&old, &under_old, b"row"), Err(TokenError::Refused(_))));
        second.probe().unwrap();
        second.wrap_dek(&new, &DEK, b"row").unwrap();
        assert!(raw_session().find_objects(&[Attribute::Id(b"root/1".to_vec())]).unwrap().is_empty());
    });
}

#[test]
fn a_root_key_that_fails_its_tests_is_not_left_behind() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        // The first call makes the key, the next ones are part of the tests it is put to.
        home.rules("C_UnwrapKey return=0x05");
        session.make_root(2).unwrap_err();
        home.well();
        assert_eq!(session.roots().unwrap(), [1]);
        assert_eq!(session.generate_kek().unwrap().root, 1);
        session.make_root(2).unwrap();
    });
}

#[test]
fn a_token_holds_so_many_root_keys_and_no_more() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        for number in 2..=16 {
            session.make_root(number).unwrap();
        }
        assert!(matches!(session.make_root(17), Err(TokenError::Capacity(_))));
        session.destroy_root(1).unwrap();
        session.make_root(17).unwrap();
    });
}
