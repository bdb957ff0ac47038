//! Official and SDK-made signatures, checked by the simulator's own eyes.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::{BASE64, HEXLOWER};
use hyper::HeaderMap;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::Deserialize;

use crate::account::{Key, Permissions};
use crate::catalogue::{Class, Operation};
use crate::clock::Moment;
use crate::recorder::Received;
use crate::simulator::Simulator;
use crate::venue::{Call, Venue};
use crate::verifier::KeyKind;

/// Headers that bear a signature; where none of them is sent, a parameter does.
const SIGNATURE_HEADERS: [&str; 6] =
    ["api-sign", "api-signature", "authent", "ok-access-sign", "signature", "x-bapi-sign"];

/// Venues that sign the path.
const BINDS_PATH: [&str; 4] = ["bitmex", "kraken", "kraken-futures", "okx"];

#[derive(Deserialize)]
struct File {
    errata: Vec<Erratum>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Erratum {
    venue: String,
    printed_signature: String,
    correct_signature: Option<String>,
}

#[derive(Clone, Deserialize)]
struct Vector {
    id: String,
    venue: String,
    algorithm: String,
    key: String,
    secret: String,
    timestamp: Option<u64>,
    method: String,
    path: String,
    query: String,
    body: String,
    expected_signature: String,
    expected_headers: BTreeMap<String, String>,
    passphrase: Option<String>,
}

#[test]
fn every_vector_is_accepted_and_no_altered_one() {
    let vectors = rest_vectors();
    assert!(vectors.len() >= 43, "vectors were lost");
    for vector in vectors {
        assert!(is_accepted(&vector), "{}", vector.id);
        for (what, altered) in alterations(&vector) {
            assert!(!is_accepted(&altered), "{}: {what} altered", vector.id);
        }
    }
}

#[test]
fn misprinted_signatures_are_refused() {
    let mut tried = 0;
    for erratum in load().errata {
        let Some(correct) = &erratum.correct_signature else {
            continue;
        };
        let mut vector = rest_vectors()
            .into_iter()
            .find(|vector| vector.venue == erratum.venue && vector.expected_signature == *correct)
            .unwrap();
        vector.expected_signature = erratum.printed_signature;
        assert!(!is_accepted(&vector), "{}", vector.id);
        tried += 1;
    }
    assert!(tried >= 2, "misprints were lost");
}

#[test]
fn a_clock_that_differs_is_refused_although_the_signature_holds() {
    let vector = rest_vectors().into_iter().find(|vector| vector.id == "binance-docs-hmac-query").unwrap();
    let at = |offset_ms: i64| {
        let sent = vector.timestamp.unwrap();
        let proof_at = Moment::from_ms(sent.checked_add_signed(offset_ms).unwrap());
        check(&vector, proof_at)
    };
    for (offset_ms, fresh) in [(-1_000, false), (-999, true), (0, true), (5_000, true), (5_001, false)] {
        assert_eq!(at(offset_ms), (true, fresh), "{offset_ms} ms");
    }
}

/// No sockets are simulated; what a login on one signs is checked all the same.
#[test]
fn websocket_logins_are_accepted_and_no_altered_one() {
    let vectors = load().vectors;
    for (id, head) in [("bybit-ws-auth", "GET/realtime"), ("mexc-contract-ws-login", "mx0vglTESTKEY0001")] {
        let vector = vectors.iter().find(|vector| vector.id == id).unwrap();
        let simulator = Simulator::new();
        let verifier = verifier(simulator.venue(&vector.venue).unwrap(), vector);
        let signature = HEXLOWER.decode(vector.expected_signature.as_bytes()).unwrap();
        let at = vector.timestamp.unwrap();
        assert!(verifier.accepts(format!("{head}{at}").as_bytes(), &signature), "{id}");
        assert!(!verifier.accepts(format!("{head}{}", at + 1).as_bytes(), &signature), "{id}");
    }
}

fn load() -> File {
    serde_json::from_str(include_str!("../data/vectors.json")).unwrap()
}

fn rest_vectors() -> Vec<Vector> {
    load().vectors.into_iter().filter(|vector| vector.method != "WS").collect()
}

/// The vector with one byte changed in each part that is signed, and in the signature.
fn alterations(vector: &Vector) -> Vec<(&'static str, Vector)> {
    let flip = |text: &str| {
        let (last, head) = text.as_bytes().split_last().unwrap();
        let head = std::str::from_utf8(head).unwrap();
        format!("{head}{}", if *last == b'1' { '2' } else { '1' })
    };
    let first = |text: &str| format!("{}{}", if text.starts_with('0') { '1' } else { '0' }, &text[1..]);
    let mut altered =
        vec![("signature", Vector { expected_signature: first(&vector.expected_signature), ..vector.clone() })];
    let (query, body) = (unsigned(&vector.query), unsigned(&vector.body));
    if !query.is_empty() {
        altered.push(("query", Vector { query: flip(query), ..vector.clone() }));
    }
    if !body.is_empty() {
        altered.push(("body", Vector { body: flip(body), ..vector.clone() }));
    }
    if BINDS_PATH.contains(&vector.venue.as_str()) {
        altered.push(("path", Vector { path: flip(&vector.path), ..vector.clone() }));
    }
    altered
}

fn is_accepted(vector: &Vector) -> bool {
    let at = Moment::from_ms(vector.timestamp.unwrap_or_default());
    check(vector, at) == (true, true)
}

/// Whether the signature holds, and whether the caller is let in.
fn check(vector: &Vector, at: Moment) -> (bool, bool) {
    let simulator = Simulator::new();
    let venue = simulator.venue(&vector.venue).unwrap();
    let key = Key {
        verifier: verifier(venue, vector),
        parts: vector.passphrase.iter().map(|text| ("passphrase".to_owned(), text.clone())).collect(),
        token_life: None,
        permissions: Permissions::default(),
        raw_permissions: None,
    };
    simulator.accounts.register(venue.id(), &vector.key, key);
    let received = receive(vector, at);
    let call = Call {
        received: &received,
        path: &vector.path,
        operation: Operation { name: "", class: Class::Read },
        params: venue.params(&received),
        prices: &simulator.prices,
    };
    let proof = venue.authenticate(&simulator.accounts, &call);
    (proof.signature_ok, proof.caller.is_ok())
}

/// For public keys the venue is given what a user would register: the public half.
fn verifier(venue: &dyn Venue, vector: &Vector) -> crate::verifier::Verifier {
    let private = || {
        let base64: String = vector.secret.lines().filter(|line| !line.starts_with("-----")).collect();
        BASE64.decode(base64.as_bytes()).unwrap()
    };
    let pem = |der: &[u8]| format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(der));
    let (kind, material) = if vector.algorithm.starts_with("RSA") {
        let pair = rsa::KeyPair::from_pkcs8(&private()).unwrap();
        (KeyKind::Rsa, pem(pair.public_key().as_der().unwrap().as_ref()))
    } else if vector.algorithm.starts_with("Ed25519") {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&private()).unwrap();
        (KeyKind::Ed25519, pem(pair.public_key().as_der().unwrap().as_ref()))
    } else {
        (KeyKind::Hmac, vector.secret.clone())
    };
    venue.verifier(kind, &material).unwrap()
}

fn receive(vector: &Vector, at: Moment) -> Arc<Received> {
    let mut headers = HeaderMap::new();
    let mut in_header = false;
    for (name, value) in &vector.expected_headers {
        let name = name.to_ascii_lowercase();
        let bears_signature = SIGNATURE_HEADERS.contains(&name.as_str());
        let value = if bears_signature { &vector.expected_signature } else { value };
        headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        in_header |= bears_signature;
    }
    let (mut query, mut body) = (unsigned(&vector.query).to_owned(), unsigned(&vector.body).to_owned());
    if !in_header {
        let part = if body.is_empty() { &mut query } else { &mut body };
        let encoded = vector.expected_signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        *part = format!("{part}&signature={encoded}");
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/x-www-form-urlencoded"));
    }
    let mark = if query.is_empty() { "" } else { "?" };
    Arc::new(Received {
        seq: 1,
        at,
        peer: std::net::Ipv4Addr::LOCALHOST.into(),
        method: vector.method.parse().unwrap(),
        uri: format!("/{}{}{mark}{query}", vector.venue, vector.path).parse().unwrap(),
        headers,
        body: body.into(),
    })
}

/// Some vectors carry the signature in the text already; the test puts it there itself.
fn unsigned(text: &str) -> &str {
    text.split("&signature=").next().unwrap_or_default()
}
