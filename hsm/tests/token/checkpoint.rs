//! The checkpoint in the token.

use claviger_core::token::{Token as _, TokenError};

use crate::harness::{End, fault_module, in_child, in_children, open, opened, provisioned, token_module};

#[test]
fn a_checkpoint_replaces_the_one_before_and_survives_reopening() {
    in_children(&[End::Well, End::Well], |_, process| {
        if process == 0 {
            let (_hsm, mut session) = opened(&token_module());
            assert_eq!(session.checkpoints().unwrap(), Vec::<Vec<u8>>::new());
            session.put_checkpoint(b"one", None).unwrap();
            session.put_checkpoint(b"two", None).unwrap();
            session.put_checkpoint(b"two", None).unwrap();
            assert_eq!(session.checkpoints().unwrap(), [b"two"]);
        } else {
            let hsm = open(&claviger_hsm::Module::load(&token_module()).unwrap()).unwrap();
            assert_eq!(hsm.session().unwrap().checkpoints().unwrap(), [b"two"]);
        }
    });
}

#[test]
fn a_crash_between_writing_and_destroying_leaves_two() {
    in_children(&[End::Abort, End::Well], |home, process| {
        if process == 0 {
            let (_hsm, mut session) = opened(&fault_module());
            session.put_checkpoint(b"one", None).unwrap();
            home.rules("C_DestroyObject die");
            session.put_checkpoint(b"two", None).unwrap();
        } else {
            home.well();
            let hsm = open(&claviger_hsm::Module::load(&fault_module()).unwrap()).unwrap();
            let mut session = hsm.session().unwrap();
            let mut held = session.checkpoints().unwrap();
            held.sort();
            assert_eq!(held, [b"one", b"two"]);
            session.put_checkpoint(b"three", None).unwrap();
            assert_eq!(session.checkpoints().unwrap(), [b"three"]);
        }
    });
}

#[test]
fn a_failed_write_keeps_what_was_there() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        session.put_checkpoint(b"one", None).unwrap();

        home.rules("C_CreateObject return=0x31");
        assert!(matches!(session.put_checkpoint(b"two", None), Err(TokenError::Capacity(_))));
        home.well();
        assert_eq!(session.checkpoints().unwrap(), [b"one"]);

        // SoftHSM's race: the object is made, and the answer says it is not.
        home.rules("C_CreateObject lose-answer return=0x05 count=1");
        session.put_checkpoint(b"two", None).unwrap();
        assert_eq!(session.checkpoints().unwrap(), [b"two"]);

        home.rules("C_CreateObject return=0xB3 count=1");
        session.put_checkpoint(b"three", None).unwrap();
        assert_eq!(session.checkpoints().unwrap(), [b"three"]);
    });
}

#[test]
fn two_sessions_see_the_same_one() {
    in_child(|_| {
        let hsm = open(&provisioned(&token_module())).unwrap();
        let (mut one, mut two) = (hsm.session().unwrap(), hsm.session().unwrap());
        one.put_checkpoint(b"from one", None).unwrap();
        two.put_checkpoint(b"from two", None).unwrap();
        assert_eq!(one.checkpoints().unwrap(), [b"from two"]);
    });
}

#[test]
fn the_one_before_stays_when_it_is_named() {
    in_child(|_| {
        let (_hsm, mut session) = opened(&token_module());
        session.put_checkpoint(b"one", None).unwrap();
        session.put_checkpoint(b"two", Some(b"one")).unwrap();
        session.put_checkpoint(b"three", Some(b"two")).unwrap();
        let mut held = session.checkpoints().unwrap();
        held.sort();
        assert_eq!(held, [&b"three"[..], b"two"]);
    });
}
