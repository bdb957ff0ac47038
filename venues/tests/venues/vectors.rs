//! Every official vector, byte for byte: as the gateway would verify it, and as a whole where the catalogue can express
//! it.

mod binance;
mod bitmex;
mod brokers;
mod bybit;
mod ibkr;
mod kraken_futures;
mod mexc;
mod sign;

use std::collections::BTreeSet;

use claviger_venues::{
    Call, Claim, Grammar, Host, Identity, Inbound, KeyType, Method, Proof, RequestParts, Scheme, Signed, SigningTime,
    VenueId, attach, check, claim, prepare, resolve,
};
use percent_encoding::percent_decode_str;
use sign::sign;

use crate::{
    reach::{KEY_ID, kind},
    testdata::{Vector, vectors},
};

/// Requests that no client signs at the gateway, or of which the venue's own login is what is signed. Each has a test of
/// its own in its venue's module.
const APART: &[&str] = &[
    "ibkr-hmac-delete-order",
    "ibkr-hmac-get-accounts",
    "ibkr-hmac-post-order",
    "ibkr-lst-request",
    "tradovate-login",
];

/// What clients say in a header although it is so anyway.
const IDLE: &[(&str, &str)] = &[("x-simulated-trading", "0")];

/// The vectors whose operation, parameters and their order Claviger itself would choose.
const WHOLE: &[&str] = &[
    "binance-docs-hmac-query",
    "binance-sdk-hmac-account",
    "binanceusdm-docs-hmac-query",
    "bitmex-connector-apikey",
    "bitmex-connector-put",
    "bybit-pybit-open-orders",
    "bybit-pybit-query-api",
    "kraken-docs-addorder",
    "kraken-krakenex-balance",
    "kraken-krakenex-keyinfo",
    "krakenfutures-sdk-accounts",
    "krakenfutures-sdk-fills",
    "mexc-contract-assets",
    "mexc-contract-cancel",
    "mexc-contract-history",
    "mexc-contract-leverage",
    "mexc-spot-docs-example-2",
    "oanda-accounts",
    "okx-sdk-config",
    "projectx-order",
];

/// The vectors that are requests over HTTP; frames, logins to sockets and tokens have no method of it.
fn requests() -> impl Iterator<Item = (VenueId, Vector)> {
    let requests = vectors().into_iter().filter(|vector| {
        Method::ALL.iter().any(|method| method.as_str() == vector.method) && !APART.contains(&vector.id.as_str())
    });
    requests.filter_map(|vector| Some((vector.venue.parse().ok()?, vector)))
}

/// A vector's request as the gateway gets it.
fn arrived<T>(vector: &Vector, look: impl FnOnce(&Inbound<'_>) -> T) -> T {
    let headers = vector.headers();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (query, body) = placed(vector);
    look(&Inbound {
        method: &vector.method,
        path: vector.path(),
        query: &query,
        headers: &headers,
        body: body.as_bytes(),
    })
}

/// Query and body with the signature in them, where documentation shows the request before it is placed.
fn placed(vector: &Vector) -> (String, String) {
    let query = vector.expected_url.split_once('?').map_or(vector.query.as_str(), |(_, query)| query);
    let (mut query, mut body) = (query.to_owned(), vector.body.clone());
    let shown = query.contains("signature=") || body.contains("signature=");
    let in_header = vector.expected_headers.values().any(|value| value.contains(&vector.expected_signature));
    let place = if body.is_empty() { &mut query } else { &mut body };
    if !shown && !in_header && !place.is_empty() {
        place.push_str("&signature=");
        place.push_str(&vector.expected_signature);
    }
    (query, body)
}

/// What a client signed, the gateway reads as signed: the same bytes, the same signature, the same key.
#[test]
fn every_vector_is_claimed_as_it_was_signed() {
    for (venue, vector) in requests() {
        let id = &vector.id;
        arrived(&vector, |inbound| match claim(venue, inbound).unwrap_or_else(|error| panic!("{id}: {error}")) {
            Claim::Signed(Signed { key_id, scheme, signed, signature, .. }) => {
                assert_eq!(key_id, vector.key, "{id}");
                let shown = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
                assert!(
                    signed.iter().any(|bytes| sign(&vector, vector.scheme().unwrap_or(scheme), bytes) == signature),
                    "{id}: none of {:?} bears the signature; signed was {}",
                    signed.iter().map(shown).collect::<Vec<_>>(),
                    vector.string_to_sign,
                );
            }
            Claim::Bearer(token) | Claim::Login(token) => assert_eq!(token, vector.secret, "{id}"),
            Claim::Nobody => panic!("{id}: nobody"),
        });
    }
}

/// What the gateway makes of a vector is built anew, and is the same request to the byte.
#[test]
fn what_the_catalogue_expresses_is_reproduced_as_a_whole() {
    let mut reproduced = BTreeSet::new();
    for (venue, vector) in requests() {
        let Ok((operation, params)) = arrived(&vector, |inbound| resolve(venue, inbound)) else { continue };
        let Some(built) = build(&vector, &check(operation, &params).unwrap()) else { continue };
        let (query, body) = placed(&vector);
        let url = vector.expected_url.split_once('?').map_or(vector.expected_url.as_str(), |(url, _)| url);
        let url = if query.is_empty() { url.to_owned() } else { [url, "?", &query].concat() };
        if built.url == url && built.body == body.as_bytes() {
            let idle = |name: &str, value: &str| IDLE.contains(&(name, value));
            for (name, expected) in vector.expected_headers.iter().filter(|(name, value)| !idle(name, value)) {
                // The character set after the semicolon is a client's embellishment.
                let expected = expected.split(';').next().unwrap();
                let sent = built.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
                assert_eq!(sent.map(|(_, value)| value.as_str()), Some(expected), "{}: {name}", vector.id);
            }
            reproduced.insert(vector.id.clone());
        }
    }
    assert_eq!(reproduced.iter().map(String::as_str).collect::<Vec<_>>(), WHOLE);
}

fn build(vector: &Vector, call: &Call<'_>) -> Option<RequestParts> {
    let account = call
        .params()
        .iter()
        .find(|(name, _)| call.operation().param(name).is_some_and(|param| param.grammar == Grammar::Account));
    let key_id = if vector.key.is_empty() { account.map_or(KEY_ID, |(_, account)| account) } else { &vector.key };
    let key = match vector.scheme() {
        Some(Scheme::Ed25519) => Identity::private_key(&vector.key, KeyType::Ed25519),
        Some(Scheme::RsaSha256) => Identity::private_key(&vector.key, KeyType::Rsa),
        _ => Identity::new(key_id, kind(call.operation())),
    };
    // What says when it expires, and not how long it is good, is as good as signed at that time.
    let expiry_ms = number(vector, "api-expires").map(|expires_s| expires_s.saturating_mul(1_000));
    let at = SigningTime {
        now_ms: number(vector, "timestamp").or(expiry_ms).or(vector.timestamp).unwrap_or_default(),
        valid_ms: number(vector, "recvWindow")
            .or(number(vector, "x-bapi-recv-window"))
            .or(expiry_ms.map(|_| 0))
            .map_or(u32::MAX, |window_ms| window_ms.try_into().unwrap()),
    };
    let nonce = nonce(vector).and_then(|nonce| nonce.parse().ok()).unwrap_or(1);
    let (origin, _) = vector.expected_url.split_once(vector.path())?;
    let signable = prepare(call, &Host::parse(origin).unwrap(), key, at, nonce).ok()?;
    let signature = signable.scheme().map(|scheme| sign(vector, scheme, signable.to_sign())).unwrap_or_default();
    Some(attach(
        signable,
        Proof { signature: &signature, parts: &[vector.secret.as_bytes(), vector.passphrase.as_bytes()] },
    ))
}

/// A number of the query or of the headers.
fn number(vector: &Vector, name: &str) -> Option<u64> {
    let all = pairs(&vector.query).into_iter().chain(vector.headers());
    all.filter(|(given, _)| given == name).find_map(|(_, value)| value.parse().ok())
}

fn pairs(fields: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode_str(text).decode_utf8().unwrap().into_owned();
    let pairs = fields.split('&').filter_map(|field| field.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

/// The nonce as it stands in the body, form or JSON, or in a header.
fn nonce(vector: &Vector) -> Option<String> {
    if let Some(nonce) = &vector.nonce {
        return Some(nonce.clone());
    }
    if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(&vector.body) {
        return Some(fields.get("nonce")?.as_str()?.to_owned());
    }
    let mut fields = pairs(&vector.body).into_iter().chain(vector.headers());
    fields.find(|(name, _)| name == "nonce").map(|(_, value)| value)
}
