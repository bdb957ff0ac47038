//! Every official vector, byte for byte: each stage by itself, and the whole where the catalogue can express it.

use std::collections::BTreeSet;

use aws_lc_rs::{hmac, signature::Ed25519KeyPair};
use claviger_venues::{
    Call, Host, Params, Proof, RequestParts, Scheme, SecretKind, SigningTime, VenueId, attach, binance, catalogue,
    check,
    encoding::{Encoding, append, form},
    kraken, prepare,
};
use data_encoding::BASE64;
use percent_encoding::percent_decode_str;

use crate::testdata::{Vector, vectors};

/// Signatures over RSA and WebSocket frames belong to the issues that bring them.
const NOT_YET: &[&str] = &["binance-docs-ws-hmac", "binance-docs-ws-hmac-nonascii", "binance-sdk-rsa-new-order"];

/// The vectors whose operation, parameters and their order Claviger itself would choose.
const WHOLE: &[&str] = &[
    "binance-docs-hmac-query",
    "binance-sdk-hmac-account",
    "binanceusdm-docs-hmac-query",
    "kraken-docs-addorder",
    "kraken-krakenex-balance",
    "kraken-krakenex-keyinfo",
];

#[test]
fn every_vector_is_checked_or_named_as_not_yet() {
    let mut checked = BTreeSet::new();
    for vector in vectors() {
        if NOT_YET.contains(&vector.id.as_str()) {
            continue;
        }
        match vector.venue.as_str() {
            "binance" | "binance-usdm" => binance_stages(&vector),
            "kraken" => kraken_stages(&vector),
            other => panic!("{}: no stages for {other}", vector.id),
        }
        checked.insert(vector.id);
    }
    let all: BTreeSet<String> = vectors().into_iter().map(|vector| vector.id).collect();
    let not_yet = NOT_YET.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(&checked | &not_yet, all);
    assert_eq!(checked.len() + not_yet.len(), 24);
}

fn binance_stages(vector: &Vector) {
    let id = &vector.id;
    let query = without_signature(&vector.query);
    let body = without_signature(&vector.body);

    // The stage before: percent-encoding. A plus for a space is another client's way.
    if !query.contains('+') {
        let pairs = pairs(query);
        let again = form(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        assert_eq!(again, query, "{id}: encoding");
    }

    let to_sign = binance::string_to_sign(query, body);
    assert_eq!(to_sign, vector.string_to_sign, "{id}: string to sign");

    let scheme = scheme(vector);
    let text = binance::encoding(scheme).encode(&sign(vector, scheme, to_sign.as_bytes()));
    assert_eq!(text, vector.expected_signature, "{id}: signature");

    // Documentation that shows the request before its signature has nothing left to compare.
    let (mut signed, sent) = if body.is_empty() {
        (query.to_owned(), vector.expected_url.split_once('?').map(|(_, query)| query))
    } else {
        (body.to_owned(), Some(vector.body.as_str()))
    };
    append(&mut signed, "signature", &text);
    if let Some(sent) = sent.filter(|sent| sent.contains("signature=")) {
        assert_eq!(signed, sent, "{id}: placing");
    }
}

fn kraken_stages(vector: &Vector) {
    let id = &vector.id;
    let nonce = nonce(vector);
    let to_sign = kraken::string_to_sign(&vector.path, &nonce, &vector.body);
    let text = Encoding::Base64.encode(&sign(vector, scheme(vector), &to_sign));
    assert_eq!(text, vector.expected_signature, "{id}: signature");
    assert_eq!(vector.expected_headers["API-Sign"], text, "{id}: placing");
}

#[test]
fn what_the_catalogue_expresses_is_reproduced_as_a_whole() {
    let mut reproduced = Vec::new();
    for vector in vectors().iter().filter(|vector| !NOT_YET.contains(&vector.id.as_str())) {
        let fields = if vector.query.is_empty() { &vector.body } else { &vector.query };
        let given: Params = pairs(without_signature(fields))
            .into_iter()
            .filter(|(name, _)| !matches!(name.as_str(), "recvWindow" | "timestamp" | "nonce"))
            .collect();
        let venue: VenueId = vector.venue.parse().unwrap();
        let mut entries = catalogue(venue).iter();
        let entry = entries.find(|op| op.path == vector.path && op.method.as_str() == vector.method);
        let Some(call) = entry.and_then(|entry| check(entry, &given).ok()) else { continue };
        let built = build(vector, &call);
        if built.url == vector.expected_url && built.body == vector.body.as_bytes() {
            for (name, expected) in &vector.expected_headers {
                // The character set after the semicolon is a client's embellishment.
                let expected = expected.split(';').next().unwrap();
                let sent = built.headers.iter().find(|(header, _)| header == name);
                assert_eq!(sent.map(|(_, value)| value.as_str()), Some(expected), "{}: {name}", vector.id);
            }
            reproduced.push(vector.id.clone());
        }
    }
    reproduced.sort();
    assert_eq!(reproduced, WHOLE);
}

fn build(vector: &Vector, call: &Call<'_>) -> RequestParts {
    let scheme = scheme(vector);
    let kind = match scheme {
        Scheme::HmacSha256 | Scheme::HmacSha512 => SecretKind::Hmac,
        Scheme::Ed25519 => SecretKind::PrivateKey,
    };
    let number = |name: &str| {
        let pairs = pairs(&vector.query);
        let found = pairs.into_iter().find(|(given, _)| given == name);
        found.map_or(0, |(_, value)| value.parse().unwrap())
    };
    let at = SigningTime { now_ms: number("timestamp"), valid_ms: u32::try_from(number("recvWindow")).unwrap() };
    let nonce = if vector.venue == "kraken" { nonce(vector).parse().unwrap() } else { 0 };
    let (origin, _) = vector.expected_url.split_once(&vector.path).unwrap();
    let host = Host::parse(origin).unwrap();
    let signable = prepare(call, &host, &vector.key, kind, at, nonce).unwrap();
    assert_eq!(signable.scheme(), scheme, "{}", vector.id);
    let signature = sign(vector, scheme, signable.to_sign());
    attach(signable, Proof::Signature(&signature))
}

fn scheme(vector: &Vector) -> Scheme {
    match vector.algorithm.as_str() {
        "HMAC-SHA256/hex" => Scheme::HmacSha256,
        "Ed25519/base64" => Scheme::Ed25519,
        kraken if kraken.starts_with("HMAC-SHA512") => Scheme::HmacSha512,
        other => panic!("{}: no scheme for {other}", vector.id),
    }
}

fn sign(vector: &Vector, scheme: Scheme, message: &[u8]) -> Vec<u8> {
    let mac = |algorithm, key: &[u8]| hmac::sign(&hmac::Key::new(algorithm, key), message).as_ref().to_vec();
    match scheme {
        Scheme::HmacSha256 => mac(hmac::HMAC_SHA256, vector.secret.as_bytes()),
        Scheme::HmacSha512 => mac(hmac::HMAC_SHA512, &BASE64.decode(vector.secret.as_bytes()).unwrap()),
        Scheme::Ed25519 => {
            let inner: String = vector.secret.lines().filter(|line| !line.starts_with('-')).collect();
            let der = BASE64.decode(inner.as_bytes()).unwrap();
            Ed25519KeyPair::from_pkcs8(&der).unwrap().sign(message).as_ref().to_vec()
        }
    }
}

fn without_signature(fields: &str) -> &str {
    fields.split_once("&signature=").map_or(fields, |(before, _)| before)
}

fn pairs(fields: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = fields.split('&').filter_map(|field| field.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The nonce as it stands in the body, form or JSON.
fn nonce(vector: &Vector) -> String {
    if let Some(nonce) = &vector.nonce {
        return nonce.clone();
    }
    if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(&vector.body) {
        return fields["nonce"].as_str().unwrap().to_owned();
    }
    let mut fields = pairs(&vector.body).into_iter();
    fields.find(|(name, _)| name == "nonce").map(|(_, value)| value).unwrap()
}
