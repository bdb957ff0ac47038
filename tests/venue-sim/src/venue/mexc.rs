//! MEXC spot v3.
//!
//! Source: mexc.com/api-docs/spot-v3, general info, error codes, spot account and trade. Stored copies, read 2026-11.

mod account;
mod market;
mod order;
mod permissions;
mod view;

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use hyper::{Method, StatusCode};
use serde_json::json;

pub(super) use self::permissions::{PROBE, names as permission_names, show as api_key_info};
use crate::account::{Accounts, Key};
use crate::catalogue::Class;
use crate::clock::Moment;
use crate::limits::{Excess, Limit, Scope};
use crate::market::Symbol;
use crate::params::{Params, without_signature};
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

pub(super) const KEY_HEADER: &str = "x-mexc-apikey";

const RECV_WINDOW_MS: u64 = 5_000;
const RECV_WINDOW_MS_MAX: u64 = 60_000;
const AHEAD_MS_MAX: u64 = 1_000;
const LIMIT_WINDOW_MS: u64 = 10_000;
const LIMIT_WEIGHT: u32 = 500;

/// What is wrong with a request, in the venue's number and words.
#[derive(Debug)]
pub(super) struct Mistake {
    code: i32,
    msg: Cow<'static, str>,
}

impl Mistake {
    fn new(code: i32, msg: impl Into<Cow<'static, str>>) -> Self {
        Self { code, msg: msg.into() }
    }
}

impl From<Mistake> for Answer {
    fn from(mistake: Mistake) -> Self {
        error(StatusCode::BAD_REQUEST, mistake.code, &mistake.msg)
    }
}

/// MEXC spot.
#[derive(Debug)]
pub(crate) struct Mexc;

impl Venue for Mexc {
    fn id(&self) -> &'static str {
        "mexc"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        verifier(kind, material)
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header(KEY_HEADER)
    }

    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        params(received)
    }

    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        authenticate(self.id(), accounts, call)
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        permissions::permits(key, call)
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        crate::market::find(market::SYMBOLS, name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        market::answer(call).unwrap_or_else(Answer::from)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return moved();
        }
        act(call, caller).unwrap_or_else(Answer::from)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        refuse(refusal)
    }

    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Address, LIMIT_WINDOW_MS, LIMIT_WEIGHT),
            Limit::per(Scope::Endpoint, LIMIT_WINDOW_MS, LIMIT_WEIGHT),
        ]
    }

    /// Public calls weigh on the address, all others on the account.
    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        match (scope, call.operation.class == Class::Market) {
            (Scope::Address, true) | (Scope::Endpoint, false) => weight(call),
            _ => 0,
        }
    }

    fn over_limit(&self, excess: Excess, _call: &Call<'_>) -> Answer {
        too_many(excess.retry_after_s())
    }
}

/// MEXC knows only shared secrets.
pub(super) fn verifier(kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
    match kind {
        KeyKind::Hmac => Ok(Verifier::hmac_sha256(material)),
        KeyKind::Ed25519 | KeyKind::Rsa => Err("mexc knows no public keys"),
    }
}

/// Query before body: where both name a parameter, the query's counts.
pub(super) fn params(received: &Received) -> Params<'_> {
    Params::form(received.query().as_bytes()).or(Params::form(&received.body))
}

/// Checks key, signature, repeated names and clock, in this order.
pub(super) fn authenticate(venue: &str, accounts: &Accounts, call: &Call<'_>) -> Proof {
    let refused = |mistake: Mistake| Proof::unsigned(mistake.into());
    let key_id = call.received.header(KEY_HEADER);
    let Some((account, key)) = accounts.alive(venue, key_id) else {
        return refused(if key_id.is_empty() { Mistake::new(400, "api key required") } else { unknown_key() });
    };
    let (query, in_query) = without_signature(call.received.query().as_bytes());
    let (body, in_body) = without_signature(&call.received.body);
    let Some(signature) = in_query.or(in_body).filter(|text| !text.is_empty()) else {
        return refused(missing("signature"));
    };
    let signed = [query, body].concat();
    let accepted = is_canonical(&signed)
        && HEXLOWER.decode(signature.as_bytes()).is_ok_and(|signature| key.verifier.accepts(&signed, &signature));
    if !accepted {
        return refused(Mistake::new(700_002, "Signature for this request is not valid."));
    }
    if let Some(name) = sent_twice(call.received) {
        return Proof::signed_but(illegal(&name).into());
    }
    match check_clock(&call.params, call.received.at) {
        Ok(()) => Proof::of(Caller { account, key }),
        Err(mistake) => Proof::signed_but(mistake.into()),
    }
}

/// Says no in the words of the spot API.
pub(super) fn refuse(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::NoSuchOperation => error(StatusCode::NOT_FOUND, 404, "Not Found"),
        Refusal::Forbidden => Mistake::new(700_007, "No permission to access the endpoint").into(),
        Refusal::DeadKey => unknown_key().into(),
        Refusal::RateLimited => error(StatusCode::TOO_MANY_REQUESTS, 429, "Too Many Requests").with("retry-after", 10),
        Refusal::Banned => error(StatusCode::FORBIDDEN, 403, "Access Denied").with("retry-after", 300),
        Refusal::Unavailable => error(StatusCode::SERVICE_UNAVAILABLE, 503, "service not available, please try again"),
    }
}

fn too_many(retry_after_s: u32) -> Answer {
    error(StatusCode::TOO_MANY_REQUESTS, 429, "Too Many Requests").with("retry-after", retry_after_s)
}

/// What the documentation says beside each endpoint.
fn weight(call: &Call<'_>) -> u32 {
    match call.path {
        "/api/v3/ticker/24hr" if call.params.get("symbol").is_none() => 40,
        "/api/v3/exchangeInfo"
        | "/api/v3/account"
        | "/api/v3/allOrders"
        | "/api/v3/myTrades"
        | "/api/v3/capital/config/getall" => 10,
        "/api/v3/trades" => 5,
        "/api/v3/openOrders" => 3,
        "/api/v3/order" if call.received.method == Method::GET => 2,
        _ => 1,
    }
}

/// What a call looks like that moved money or keys and was let through.
pub(super) fn moved() -> Answer {
    Answer::ok(&json!({ "tranId": "c45d800a47ba4cbc876a5cd29388319" }))
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    match call.endpoint() {
        ("GET", PROBE) => api_key_info(call, caller),
        ("GET", "/api/v3/account") => Ok(account::balances(call, caller)),
        ("GET", "/api/v3/uid") => Ok(Answer::ok(&json!({ "uid": "209302839" }))),
        ("GET", "/api/v3/kyc/status") => Ok(Answer::ok(&json!({ "status": "2" }))),
        ("GET", "/api/v3/selfSymbols") => Ok(account::tradable()),
        ("GET", "/api/v3/tradeFee") => Ok(account::trade_fee(call)),
        ("GET", "/api/v3/capital/config/getall") => Ok(account::coins()),
        (_, "/api/v3/userDataStream") => Ok(account::listen_key(call)),
        ("POST", "/api/v3/order") => order::create(call, caller),
        ("POST", "/api/v3/order/test") => order::test(call),
        ("POST", "/api/v3/batchOrders") => order::batch(call, caller),
        ("GET", "/api/v3/order") => order::query(call, caller),
        ("DELETE", "/api/v3/order") => order::cancel(call, caller),
        ("GET", "/api/v3/openOrders") => order::open(call, caller),
        ("DELETE", "/api/v3/openOrders") => order::cancel_all(call, caller),
        ("GET", "/api/v3/allOrders") => order::all(call, caller),
        ("GET", "/api/v3/myTrades") => order::trades(call, caller),
        _ => Ok(unmodelled()),
    }
}

/// `{"code": …, "msg": …}`.
fn error(status: StatusCode, code: i32, msg: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "msg": msg }))
}

fn unknown_key() -> Mistake {
    Mistake::new(10_072, "Api key info invalid")
}

/// 700004.
fn missing(name: &str) -> Mistake {
    Mistake::new(700_004, format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
}

/// 700008.
fn illegal(name: &str) -> Mistake {
    Mistake::new(700_008, format!("Illegal characters found in parameter '{name}'"))
}

fn unmodelled() -> Answer {
    Answer::ok(&json!({})).with("x-sim-unmodelled", 1)
}

/// The venue encodes anew what it has decoded: upper-case hex, and `%20` for a space.
fn is_canonical(signed: &[u8]) -> bool {
    let mut escapes = signed.split(|byte| *byte == b'%').skip(1);
    !signed.contains(&b'+')
        && escapes.all(|rest| rest.iter().take(2).all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte)))
}

/// A name that occurs twice in the query or twice in the body; once in each is allowed.
fn sent_twice(received: &Received) -> Option<String> {
    [received.query().as_bytes(), &received.body]
        .into_iter()
        .find_map(|part| Params::form(part).repeated().map(str::to_owned))
}

fn check_clock(params: &Params<'_>, now: Moment) -> Result<(), Mistake> {
    let number = |name: &str| params.get(name).map(|text| text.parse::<u64>().map_err(|_| illegal(name))).transpose();
    let sent_ms = number("timestamp")?.ok_or_else(|| missing("timestamp"))?;
    let window_ms = number("recvWindow")?.unwrap_or(RECV_WINDOW_MS);
    if window_ms > RECV_WINDOW_MS_MAX {
        return Err(Mistake::new(700_005, "recvWindow must less than 60000"));
    }
    let fresh = sent_ms < now.ms().saturating_add(AHEAD_MS_MAX) && now.ms().saturating_sub(sent_ms) <= window_ms;
    let outside = || Mistake::new(700_003, "Timestamp for this request is outside of the recvWindow.");
    fresh.then_some(()).ok_or_else(outside)
}
