//! A token that goes away is lost: nothing is called tampered, and no key is made in its place.

use std::fs;

use claviger_core::token::{MacKey, Token as _, TokenError};
use claviger_hsm::{Module, OpenError};
use cryptoki::object::Attribute;

use crate::harness::{
    End, Home, fault_module, in_child, in_children, open, opened, provisioned, raw_session, token_module,
};

#[test]
fn a_token_directory_that_moves_away_is_a_lost_token() {
    in_children(&[End::Well, End::Well], |home, process| {
        if process == 1 {
            let hsm = open(&Module::load(&token_module()).unwrap()).expect("moved back, a new process finds it well");
            return hsm.session().unwrap().probe().unwrap();
        }
        let (hsm, mut session) = opened(&token_module());
        let kek = session.generate_kek().unwrap();
        let wrapped = session.wrap_dek(&kek, &[7; 32], b"row").unwrap();
        session.put_checkpoint(b"checkpoint", None).unwrap();
        let mut unused = hsm.session().unwrap();
        let files = count_files(home);
        let lost = |what: &str, outcome: Result<(), TokenError>| {
            assert!(matches!(outcome, Err(TokenError::Lost(_))), "{what}: {outcome:?}");
        };

        fs::rename(home.path("tokens"), home.path("away")).unwrap();
        lost("probe", session.probe());
        lost("mac", session.mac(MacKey::Index, b"data").map(drop));
        lost("generate_kek", session.generate_kek().map(drop));
        lost("unwrap_dek", unused.unwrap_dek(&kek, &wrapped, b"row").map(drop));
        lost("checkpoints", session.checkpoints().map(drop));
        lost("put_checkpoint", session.put_checkpoint(b"next", None));
        lost("session", hsm.session().map(drop));

        fs::rename(home.path("away"), home.path("tokens")).unwrap();
        lost("probe, with the directory back", session.probe());
        lost("session, with the directory back", hsm.session().map(drop));
        assert_eq!(count_files(home), files, "nothing was made anew");
    });
}

#[test]
fn a_key_that_is_destroyed_is_missing_and_stays_so() {
    in_children(&[End::Well, End::Well], |_, process| {
        let missing = TokenError::KeyMissing("row-mac/1".into());
        if process == 1 {
            let refused = open(&Module::load(&token_module()).unwrap()).unwrap_err();
            assert!(matches!(&refused, OpenError::Token(error) if *error == missing), "{refused}");
            return;
        }
        let (hsm, mut session) = opened(&token_module());
        let raw = raw_session();
        let objects = || raw.find_objects(&[Attribute::Token(true)]).unwrap().len();
        let held = objects();
        let row = raw.find_objects(&[Attribute::Id(b"row-mac/1".to_vec())]).unwrap();
        raw.destroy_object(row[0]).unwrap();

        assert_eq!(session.mac(MacKey::Row, b"data").unwrap_err(), missing);
        assert_eq!(session.probe().unwrap_err(), missing);
        assert_eq!(hsm.session().unwrap_err(), missing);
        assert_eq!(objects(), held - 1, "nothing was made anew");
    });
}

#[test]
fn a_session_closed_by_someone_else_is_replaced() {
    in_child(|home| {
        let (_hsm, mut session) = opened(&fault_module());
        let kek = session.generate_kek().unwrap();
        let wrapped = session.wrap_dek(&kek, &[7; 32], b"row").unwrap();
        let logins = home.calls("C_Login").len();

        // CKR_SESSION_HANDLE_INVALID, once: the handles of cached KEKs died with the session.
        home.rules("C_DecryptInit return=0xB3 count=1");
        assert_eq!(*session.unwrap_dek(&kek, &wrapped, b"row").unwrap(), [7; 32]);
        assert_eq!(home.calls("C_Login").len(), logins);
    });
}

#[test]
fn a_logout_is_a_lost_token_and_no_second_login() {
    in_child(|home| {
        let (hsm, mut session) = opened(&fault_module());
        let logins = home.calls("C_Login").len();
        raw_session().logout().unwrap();

        assert!(matches!(session.probe(), Err(TokenError::Lost(_))));
        assert!(matches!(hsm.session(), Err(TokenError::Lost(_))));
        assert!(matches!(session.checkpoints(), Err(TokenError::Lost(_))));
        assert_eq!(home.calls("C_Login").len(), logins);
    });
}

#[test]
fn a_token_without_keys_does_not_open() {
    in_child(|_| {
        let module = provisioned(&token_module());
        let raw = raw_session();
        raw.login(cryptoki::session::UserType::User, Some(&crate::harness::PIN.into())).unwrap();
        for object in raw.find_objects(&[Attribute::Token(true)]).unwrap() {
            raw.destroy_object(object).unwrap();
        }
        let refused = open(&module).unwrap_err();
        assert_eq!(refused.to_string(), "the token has no key root/1");
        assert!(raw.find_objects(&[Attribute::Token(true)]).unwrap().is_empty());
    });
}

fn count_files(home: &Home) -> usize {
    let token = fs::read_dir(home.path("tokens")).unwrap().next().unwrap().unwrap().path();
    fs::read_dir(token).unwrap().count()
}
