//! Logins to streams: only where the venue accepts no orders over them, and by the rules of every signature.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA512};
use claviger_core::clock::{BootTime, Clock as _, SystemClock};
use claviger_core::keeper::message::{Refused, Reply, Request, SignStream};
use claviger_core::store::Scope;
use claviger_venues::{Product, SecretKind, VenueId};
use data_encoding::BASE64;

use super::front::{Enrolled, Front, HIGHEST, Home, refusal, trade};

const CHALLENGE: &str = "226aee50-88fc-4618-a42a-34f7709570b2";

#[test]
fn only_a_challenge_of_the_venue_is_signed() {
    let home = Home::new("challenge");
    let mut front = home.keeper();
    front.hello();
    let secret = [7; 64];
    let futures = futures(&mut front, &secret);

    let reply = front.ask(&asked(&futures, 1, CHALLENGE));

    let Reply::Login(login) = reply else { panic!("{reply:?}") };
    let (name, signature) = login.fields.last().unwrap();
    let hashed = digest(&SHA256, CHALLENGE.as_bytes());
    let mac = BASE64.decode(signature.as_bytes()).unwrap();
    assert_eq!(name, "signed_challenge");
    hmac::verify(&hmac::Key::new(HMAC_SHA512, &secret), hashed.as_ref(), &mac).unwrap();
    for other in ["", "size=1&side=buy1/derivatives/api/v3/sendorder", "226aee50-88fc-4618-a42a-34f7709570b2\n"] {
        assert_eq!(refusal(front.ask(&asked(&futures, 2, other))), Refused::Stream, "{other:?}");
    }
}

#[test]
fn no_login_is_signed_that_could_place_orders() {
    let home = Home::new("streams");
    let mut front = home.keeper();
    front.hello();
    let binance = front.enrolled();
    for stream in ["user-data", "trade", "feeds", ""] {
        let mut sign = stream_of(&binance, 1, None);
        stream.clone_into(&mut sign.stream);
        assert_eq!(refusal(front.ask(&Request::SignStream(Box::new(sign)))), Refused::Stream, "{stream:?}");
    }
}

#[test]
fn a_login_keeps_the_rules_of_every_signature() {
    let home = Home::new("stream-rules");
    let mut front = home.keeper();
    front.hello();
    let (ours, theirs) = (futures(&mut front, &[7; 64]), futures(&mut front, &[8; 64]));
    let refused = |front: &mut Front, sign: SignStream| refusal(front.ask(&Request::SignStream(Box::new(sign))));
    let sign = |intent| stream_of(&ours, intent, Some(CHALLENGE));

    assert_eq!(refused(&mut front, SignStream { intent: HIGHEST, ..sign(0) }), Refused::Older);
    assert_eq!(refused(&mut front, SignStream { deadline: BootTime(0), ..sign(1) }), Refused::Deadline);
    assert_eq!(refused(&mut front, SignStream { scopes: theirs.scopes.clone(), ..sign(1) }), Refused::Relabelled);
    assert_eq!(refused(&mut front, SignStream { sealed: vec![1], ..sign(1) }), Refused::Tampered);
    let barred = front.ask(&Request::Bar { scope: Scope::All, up_to: HIGHEST + 5 });
    assert!(matches!(barred, Reply::Done), "{barred:?}");
    assert_eq!(refused(&mut front, sign(5)), Refused::Barred);
    let reply = front.ask(&asked(&ours, 6, CHALLENGE));
    assert!(matches!(reply, Reply::Login(_)), "{reply:?}");
}

fn futures(front: &mut Front, secret: &[u8]) -> Enrolled {
    let text = BASE64.encode(secret);
    front.enrolled_at(VenueId::KrakenFutures, SecretKind::Hmac, trade(Product::Derivatives), &text)
}

fn asked(credential: &Enrolled, intent: u64, challenge: &str) -> Request {
    Request::SignStream(Box::new(stream_of(credential, intent, Some(challenge))))
}

/// The login that an honest front would ask for.
fn stream_of(credential: &Enrolled, intent: u64, challenge: Option<&str>) -> SignStream {
    SignStream {
        intent: HIGHEST + intent,
        scopes: credential.scopes.clone(),
        deadline: SystemClock.boot().after(Duration::from_secs(2)),
        stream: "feeds".to_owned(),
        challenge: challenge.map(str::to_owned),
        sealed: credential.sealed.clone(),
        kek: credential.kek.clone(),
    }
}
