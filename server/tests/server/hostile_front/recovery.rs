//! The recovery key: the front names it, and the token vouches for it.

use claviger_core::keeper::message::{Hello, Recover, Refused, Reply, Request, WrapDek};
use claviger_core::recovery::{PrivateKey, split};
use claviger_core::secret::Plaintext;
use claviger_venues::{Product, SecretKind, VenueId};

use super::front::{HIGHEST, HMAC_SECRET, Home, refusal, trade};

#[test]
fn a_recovery_key_of_the_fronts_own_wraps_nothing() {
    let home = Home::new("recovery");
    let own = PrivateKey::generate().unwrap();
    let (key, _shares) = split(&own, (2, 2), 1).unwrap();
    let stored = {
        let mut front = home.keeper();
        front.hello();
        let stored = front.enrolled();
        front.end();
        stored
    };
    let mut front = home.keeper();
    let hello = Hello { highest_intent: HIGHEST, checkpoint: None, recovery: Some(key) };
    let Reply::Hello(_) = front.ask(&Request::Hello(hello)) else { panic!("no greeting") };

    let wrap = WrapDek { sealed: stored.sealed.clone(), kek: stored.kek.clone() };
    assert_eq!(refusal(front.ask(&Request::WrapDek(Box::new(wrap)))), Refused::Recovery);
    let seal = front.seal(VenueId::Binance, SecretKind::Hmac, trade(Product::Spot));
    let secret = Plaintext::copy_of(HMAC_SECRET.as_bytes()).unwrap();
    let sealed = front.ask_with(&Request::Seal(Box::new(seal)), Some(&secret));
    assert_eq!(refusal(sealed), Refused::Recovery, "better not at all than for somebody else");
    // What needs no wrap goes on.
    let sign = front.order(&stored);
    front.signed(sign);
}

#[test]
fn without_the_private_half_nothing_is_recovered() {
    let home = Home::new("recover");
    let mut front = home.keeper();
    front.hello();
    let stored = front.enrolled();
    let recover = || Recover { sealed: stored.sealed.clone(), wrap: vec![1; 105], kek: stored.kek.clone() };
    assert_eq!(refusal(front.ask(&Request::Recover(Box::new(recover())))), Refused::Recovery);
    let private = Plaintext::copy_of(&[7; 32]).unwrap();
    let asked = front.ask_with(&Request::Recover(Box::new(recover())), Some(&private));
    assert_eq!(refusal(asked), Refused::Wrap);
}
