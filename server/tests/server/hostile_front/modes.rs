//! Keys that sign inside the token: `birth`, `name`, and `seal` in another mode.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use claviger_core::clock::SystemClock;
use claviger_core::envelope::{Envelope, Mode, Purpose};
use claviger_core::id::{AppId, GrantId};
use claviger_core::keeper::message::{Birth, Born, Name, Refused, Reply, Request, Seal};
use claviger_core::secret::Plaintext;
use claviger_core::store::Scopes;
use claviger_venues::{KeyType, Product, SecretKind, VenueId};
use data_encoding::HEXLOWER;

use super::front::{Enrolled, Front, HMAC_SECRET, Home, refusal, trade};

fn newborn(front: &mut Front) -> Birth {
    let Seal { mut binding, kek, .. } = front.seal(VenueId::Binance, SecretKind::PrivateKey, trade(Product::Spot));
    binding.mode = Mode::HsmBorn;
    Birth { binding, key_type: KeyType::Ed25519, kek }
}

fn enrolled(birth: &Birth, sealed: Vec<u8>) -> Enrolled {
    let scopes = Scopes {
        tenant: birth.binding.tenant,
        owner: Some("trader-1".to_owned()),
        venue: birth.binding.venue,
        app: Some(AppId::new(&SystemClock)),
        grant: Some(GrantId::new(&SystemClock)),
        credential: Some(birth.binding.credential),
        virtual_key: None,
    };
    Enrolled { scopes, kek: birth.kek.clone(), sealed }
}

fn named(front: &mut Front, birth: &Birth, sealed: &[u8], key_id: &str) -> Reply {
    let name = Name { sealed: sealed.to_vec(), kek: birth.kek.clone(), key_id: key_id.to_owned() };
    front.ask(&Request::Name(Box::new(name)))
}

#[test]
fn a_born_key_signs_once_it_has_its_one_key_id() {
    let home = Home::new("modes-born");
    let mut front = home.keeper();
    front.hello();
    let birth = newborn(&mut front);
    let (binding, kek) = (birth.binding.clone(), birth.kek.clone());
    let reply = front.ask(&Request::Birth(Box::new(Birth { binding, key_type: KeyType::Ed25519, kek })));
    let Reply::Born(Born { sealed, .. }) = reply else { panic!("{reply:?}") };

    let unnamed = front.order(&enrolled(&birth, sealed.clone()));
    assert!(matches!(front.refused(unnamed), Refused::Mode(_)));
    assert_eq!(refusal(named(&mut front, &birth, &sealed, "")), Refused::Named);
    let reply = named(&mut front, &birth, &sealed, "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A");
    let Reply::Sealed(with_name) = reply else { panic!("{reply:?}") };
    let order = front.order(&enrolled(&birth, with_name.clone()));
    front.signed(order);
    assert_eq!(refusal(named(&mut front, &birth, &with_name, "another")), Refused::Named);

    let other = front.enrolled();
    let name = Name { sealed: other.sealed, kek: other.kek, key_id: "another".to_owned() };
    assert_eq!(refusal(front.ask(&Request::Name(Box::new(name)))), Refused::Named, "it was not born here");
}

#[test]
fn nothing_is_born_but_a_pair_that_the_venue_takes() {
    let home = Home::new("modes-birth");
    let mut front = home.keeper();
    front.hello();
    let changes: [fn(&mut Birth); 4] = [
        |birth| birth.binding.mode = Mode::Sealed,
        |birth| birth.binding.purpose = Purpose::VirtualKey,
        |birth| birth.binding.kind = SecretKind::Hmac,
        |birth| birth.binding.venue = VenueId::Kraken,
    ];
    for change in changes {
        let mut birth = newborn(&mut front);
        change(&mut birth);
        let binding = birth.binding.clone();
        assert!(matches!(refusal(front.ask(&Request::Birth(Box::new(birth)))), Refused::Mode(_)), "{binding:?}");
    }
    let reply = front.ask(&Request::KeyObjects);
    assert!(matches!(&reply, Reply::KeyObjects(labels) if labels.is_empty()), "{reply:?}");
}

#[test]
fn a_resident_secret_signs_as_it_does_in_software_and_in_no_other_mode() {
    let home = Home::new("modes-resident");
    let mut front = home.keeper();
    front.hello();
    let seal = |front: &mut Front, mode| {
        let mut seal = front.seal(VenueId::Binance, SecretKind::Hmac, trade(Product::Spot));
        seal.binding.mode = mode;
        let secret = Plaintext::copy_of(HMAC_SECRET.as_bytes()).unwrap();
        let (binding, kek) = (seal.binding.clone(), seal.kek.clone());
        (front.ask_with(&Request::Seal(Box::new(seal)), Some(&secret)), binding, kek)
    };
    let (reply, ..) = seal(&mut front, Mode::HsmBorn);
    assert_eq!(refusal(reply), Refused::Relabelled);
    let (reply, binding, kek) = seal(&mut front, Mode::Resident);
    let Reply::Sealed(sealed) = reply else { panic!("{reply:?}") };
    let credential = enrolled(&Birth { binding, key_type: KeyType::Rsa, kek }, sealed.clone());

    let order = front.order(&credential);
    let parts = front.signed(order);
    let sent = String::from_utf8([parts.url.as_bytes(), b"\n", parts.body.as_slice()].concat()).unwrap();
    let (before, signature) = sent.trim().rsplit_once("&signature=").unwrap();
    let signed = before.rsplit_once(['?', '\n']).unwrap().1;
    let key = Key::new(HMAC_SHA256, HMAC_SECRET.as_bytes());
    assert_eq!(signature, HEXLOWER.encode(sign(&key, signed.as_bytes()).as_ref()));

    for mode in [Mode::Sealed, Mode::HsmBorn] {
        let mut envelope = Envelope::from_bytes(&sealed).unwrap();
        envelope.binding.mode = mode;
        let relabelled = front.order(&Enrolled { sealed: envelope.to_bytes(), ..credential.clone() });
        assert_eq!(front.refused(relabelled), Refused::Tampered, "{mode:?}");
    }
}
