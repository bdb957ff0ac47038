//! SDK-made and documented requests to brokers, judged by the simulator's own eyes.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::KeyPair;
use data_encoding::BASE64;
use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::account::{Key, Permissions};
use crate::catalogue::CATALOGUE;
use crate::clock::Moment;
use crate::recorder::Received;
use crate::simulator::Simulator;
use crate::venue::Call;
use crate::verifier::KeyKind;

/// The part of a live session token's request that only both ends know, in hex.
const TOKEN_SECRET: &str = "00112233445566778899aabbccddeeff0011223344556677";

/// One request, or one step of the key agreement.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) venue: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) access_token: String,
    pub(crate) dh_prime: String,
    pub(crate) dh_random: String,
    pub(crate) dh_response: String,
    pub(crate) timestamp: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: String,
    pub(crate) string_to_sign: String,
    pub(crate) expected_signature: String,
    pub(crate) expected_headers: BTreeMap<String, String>,
    pub(crate) expected_url: String,
}

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

/// The vector of an id.
pub(crate) fn vector(id: &str) -> Vector {
    vectors().into_iter().find(|vector| vector.id == id).unwrap()
}

#[test]
fn every_request_is_accepted_and_no_altered_one() {
    let requests: Vec<Vector> = vectors().into_iter().filter(|vector| !vector.method.is_empty()).collect();
    assert_eq!(requests.len(), 9, "vectors were lost");
    for vector in requests {
        let at = Moment::from_ms(vector.timestamp * 1_000);
        assert!(is_accepted(&vector, &vector, at), "{}", vector.id);
        for (what, altered) in alterations(&vector) {
            assert!(!is_accepted(&vector, &altered, at), "{}: {what} altered", vector.id);
        }
    }
}

#[test]
fn an_oauth_clock_may_be_five_minutes_off() {
    let vector = vector("ibkr-hmac-get-accounts");
    for (offset_s, fresh) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let at = Moment::from_ms(vector.timestamp.checked_add_signed(offset_s).unwrap() * 1_000);
        assert_eq!(is_accepted(&vector, &vector, at), fresh, "{offset_s} s");
    }
}

fn vectors() -> Vec<Vector> {
    let file: File = serde_json::from_str(include_str!("../data/broker-vectors.json")).unwrap();
    file.vectors
}

/// The request with each of its parts changed that proves something.
fn alterations(vector: &Vector) -> Vec<(String, Vector)> {
    let header = vector.expected_headers.get("Authorization");
    let with_header = |header: String| {
        let mut altered = vector.clone();
        altered.expected_headers.insert("Authorization".to_owned(), header);
        altered
    };
    let mut altered = Vec::new();
    match (header, vector.venue.as_str()) {
        (None, _) => {
            for name in ["name", "userName", "password", "apiKey", "sec"] {
                let body = vector.body.replace(&format!("\"{name}\":\""), &format!("\"{name}\":\"1"));
                if body != vector.body {
                    altered.push((name.to_owned(), Vector { body, ..vector.clone() }));
                }
            }
        }
        (Some(header), "ibkr") => {
            for member in header.split(", ").skip(1) {
                let (head, tail) = header.split_once(member).unwrap();
                let (name, value) = member.split_once("=\"").unwrap();
                // Another first character is still base64, hex, or a number.
                let other = if value.starts_with('1') { "2" } else { "1" };
                altered.push((name.to_owned(), with_header(format!("{head}{name}=\"{other}{}{tail}", &value[1..]))));
                let repeated = with_header(format!("{header}, {member}"));
                altered.push((format!("{name} repeated"), repeated));
            }
            altered.push(("realm".to_owned(), with_header(header.replace("limited_poa", "unlimited"))));
            altered.push(("host".to_owned(), Vector { expected_url: "https://api.ibkr.org".into(), ..vector.clone() }));
            altered.push(("path".to_owned(), Vector { path: format!("{}1", vector.path), ..vector.clone() }));
            altered.push(("method".to_owned(), Vector { method: "PUT".to_owned(), ..vector.clone() }));
        }
        (Some(header), _) => {
            altered.push(("token".to_owned(), with_header(format!("{header}1"))));
            altered.push(("scheme".to_owned(), with_header(header.replace("Bearer", "Basic"))));
            altered.push(("no token".to_owned(), with_header("Bearer ".to_owned())));
        }
    }
    altered
}

/// Whether the venue that knows the key of `registered` lets the request of `sent` in.
fn is_accepted(registered: &Vector, sent: &Vector, at: Moment) -> bool {
    let simulator = Simulator::new();
    let venue = simulator.venue(&registered.venue).unwrap();
    let (kind, material, parts) = key(registered);
    let key = Key {
        verifier: venue.verifier(kind, &material).unwrap(),
        parts: parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        token_life: None,
        permissions: Permissions::default(),
        raw_permissions: None,
    };
    simulator.accounts.register(venue.id(), &registered.key, key);
    let account = simulator.accounts.get(venue.id(), &registered.key).unwrap();
    account
        .with_sessions(|sessions| sessions.open(registered.secret.clone(), Moment::from_ms(u64::MAX / 1_000_000), 1));
    let received = receive(sent, at);
    let call = Call {
        received: &received,
        path: &sent.path,
        operation: CATALOGUE.classify(venue.id(), &received.method, &sent.path),
        params: venue.params(&received),
        prices: &simulator.prices,
    };
    let proof = venue.authenticate(&simulator.accounts, &call);
    proof.signature_ok && proof.caller.is_ok()
}

/// What was registered: how the key signs, with what, and its other parts.
fn key(vector: &Vector) -> (KeyKind, String, Vec<(&'static str, String)>) {
    match vector.venue.as_str() {
        "ibkr" => {
            let signer = self::vector("ibkr-lst-request").secret;
            let base64: String = signer.lines().filter(|line| !line.starts_with("-----")).collect();
            let pair = rsa::KeyPair::from_pkcs8(&BASE64.decode(base64.as_bytes()).unwrap()).unwrap();
            let public = BASE64.encode(pair.public_key().as_der().unwrap().as_ref());
            let parts =
                vec![("access_token", vector.access_token.clone()), ("access_token_secret", TOKEN_SECRET.to_owned())];
            (KeyKind::Rsa, public, parts)
        }
        "oanda" => (KeyKind::Hmac, vector.secret.clone(), vec![("accounts", "101-001-1234567-001".to_owned())]),
        "tradovate" => {
            let sec = "f03741b6-f634-48d6-9308-c8fb871150c2".to_owned();
            (KeyKind::Hmac, "pw".to_owned(), vec![("sec", sec), ("cid", "1234".to_owned())])
        }
        _ => (KeyKind::Hmac, vector.secret.clone(), Vec::new()),
    }
}

fn receive(vector: &Vector, at: Moment) -> Arc<Received> {
    let mut headers = HeaderMap::new();
    for (name, value) in &vector.expected_headers {
        headers.insert(HeaderName::try_from(name.to_ascii_lowercase()).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    let host = vector.expected_url.split('/').nth(2).unwrap();
    headers.insert(HOST, HeaderValue::try_from(host).unwrap());
    Arc::new(Received {
        seq: 1,
        at,
        peer: std::net::Ipv4Addr::LOCALHOST.into(),
        method: vector.method.parse().unwrap(),
        uri: vector.path.parse().unwrap(),
        headers,
        body: vector.body.clone().into(),
    })
}
