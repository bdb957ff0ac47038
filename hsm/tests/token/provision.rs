//! Making tokens and keys.

use claviger_hsm::provision::{self, ProvisionError};
use claviger_hsm::{Module, OpenError, Pin, SlotSelector};

use crate::harness::{LABEL, fault_module, in_child, open, pin, provisioned, selector, token_module};

fn so_pin() -> Pin {
    Pin::from("08150815".to_owned())
}

#[test]
fn keys_are_made_once() {
    in_child(|_| {
        let module = provisioned(&token_module());
        let again = provision::create_keys(&module, &selector(), &pin()).unwrap_err();
        assert_eq!(again.to_string(), "the token holds root/1 already");
        open(&module).unwrap();
    });
}

#[test]
fn a_token_is_made_once_and_found_by_label_and_serial() {
    in_child(|_| {
        let module = provisioned(&token_module());
        let again = provision::init_token(&module, LABEL, &so_pin(), &pin()).unwrap_err();
        assert!(matches!(again, ProvisionError::TokenExists(_)), "{again}");

        let serial = open(&module).unwrap().device().serial.clone();
        module.open(&SlotSelector::Serial(serial), pin()).unwrap();
        let nobody = module.open(&SlotSelector::Serial("0".into()), pin()).unwrap_err();
        assert!(matches!(nobody, OpenError::NoToken(_)), "{nobody}");
    });
}

#[test]
fn a_label_that_a_token_cannot_bear_is_refused() {
    in_child(|_| {
        let module = Module::load(&token_module()).unwrap();
        for label in ["", "a label of more than 32 characters", "Schlüssel", " blank"] {
            let refused = provision::init_token(&module, label, &so_pin(), &pin()).unwrap_err();
            assert!(matches!(refused, ProvisionError::Label(_)), "{label}: {refused}");
        }
    });
}

#[test]
fn an_unfinished_set_of_keys_is_undone() {
    in_child(|home| {
        let module = Module::load(&fault_module()).unwrap();
        provision::init_token(&module, LABEL, &so_pin(), &pin()).unwrap();

        home.rules("C_GenerateKeyPair return=0x31 after=1");
        provision::create_keys(&module, &selector(), &pin()).unwrap_err();
        home.well();

        provision::create_keys(&module, &selector(), &pin()).expect("nothing was left behind");
        open(&module).unwrap();
    });
}

/// `SoftHSM`'s creation race, both ways: the key is there although the answer says no, and it is not.
#[test]
fn the_creation_race_makes_each_key_once() {
    in_child(|home| {
        let module = Module::load(&fault_module()).unwrap();
        provision::init_token(&module, LABEL, &so_pin(), &pin()).unwrap();

        home.rules("C_GenerateKey lose-answer return=0x05 count=1\nC_GenerateKeyPair return=0x06 count=2");
        provision::create_keys(&module, &selector(), &pin()).unwrap();

        home.well();
        open(&module).expect("no key is there twice");
    });
}

#[test]
fn a_module_that_does_not_load_says_why() {
    in_child(|home| {
        let refused = Module::load(&home.path("no-such-module.so")).unwrap_err();
        assert!(refused.to_string().contains("no-such-module.so"), "{refused}");

        let _first = Module::load(&token_module()).unwrap();
        let second = Module::load(&token_module()).unwrap_err();
        assert!(second.to_string().contains("CKR_CRYPTOKI_ALREADY_INITIALIZED"), "{second}");
    });
}
