//! MEXC futures, `/api/v1`; its keys are probed on the spot API's path.
//!
//! Source: mexc.com/api-docs/futures, integration guide, error codes, account and trading; the official demo clients
//! of 2026-03. Stored copies, read 2026-11.

mod account;
mod market;
mod order;
mod view;

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::account::{Accounts, Key};
use crate::catalogue::Class;
use crate::clock::Moment;
use crate::limits::{Limit, Scope};
use crate::market::Symbol;
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::mexc;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PRIVATE: &str = "/api/v1/private/";
const KEY_HEADER: &str = "apikey";
const WINDOW_S: u64 = 10;
const WINDOW_S_MAX: u64 = 60;

/// What is wrong with a request, in the venue's number and words.
#[derive(Debug)]
struct Mistake {
    code: i32,
    message: Cow<'static, str>,
}

/// What worked.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are the venue's")]
struct Success<T> {
    success: bool,
    code: i32,
    data: T,
}

/// What did not.
#[derive(Serialize)]
struct Failure<'a> {
    success: bool,
    code: i32,
    message: &'a str,
}

/// MEXC futures.
#[derive(Debug)]
pub(crate) struct MexcContract;

impl Venue for MexcContract {
    fn id(&self) -> &'static str {
        "mexc-contract"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        mexc::verifier(kind, material)
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        let key_id = received.header(KEY_HEADER);
        if key_id.is_empty() { received.header(mexc::KEY_HEADER) } else { key_id }
    }

    /// Only what is signed counts: the body of a POST, else the query. Calls of the spot API name the key elsewhere.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        if received.header(KEY_HEADER).is_empty() {
            mexc::params(received)
        } else if received.method == Method::POST {
            Params::json(&received.body)
        } else {
            Params::form(received.query().as_bytes())
        }
    }

    /// Checks key, signature, repeated names and clock, in this order.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        if is_spot(call) {
            return mexc::authenticate(self.id(), accounts, call);
        }
        let received = call.received;
        let key_id = received.header(KEY_HEADER);
        let Some((account, key)) = accounts.alive(self.id(), key_id) else {
            let dead = accounts.get(self.id(), key_id).is_some();
            return Proof::unsigned(if dead { expired() } else { Mistake::new(401, "Unauthorized") }.into());
        };
        let accepted = HEXLOWER
            .decode(received.header("signature").as_bytes())
            .is_ok_and(|signature| key.verifier.accepts(&signed_bytes(received), &signature));
        if !accepted {
            return Proof::unsigned(Mistake::new(602, "Signature verification failed!").into());
        }
        if call.params.repeated().is_some() {
            return Proof::signed_but(Mistake::parameter().into());
        }
        match check_clock(received, received.at) {
            Ok(()) => Proof::of(Caller { account, key }),
            Err(mistake) => Proof::signed_but(mistake.into()),
        }
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        is_probe(call)
            || needed(call).is_some_and(|(name, _)| mexc::permission_names(key).iter().any(|has| has == name))
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        market::find(name).ok().map(|contract| &contract.symbol)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        market::answer(call).unwrap_or_else(Answer::from)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return if is_spot(call) { mexc::moved() } else { ok(json!("simulated")) };
        }
        if is_probe(call) {
            return mexc::api_key_info(call, caller).unwrap_or_else(Answer::from);
        }
        act(call, caller).unwrap_or_else(Answer::from)
    }

    /// The futures API says most things with status 200 and a number.
    fn refuse(&self, refusal: Refusal, call: &Call<'_>) -> Answer {
        if is_spot(call) {
            return mexc::refuse(refusal);
        }
        let with_status = |status, code, message| Answer { status, ..Mistake::new(code, message).into() };
        match refusal {
            Refusal::NoSuchOperation => with_status(StatusCode::NOT_FOUND, 404, "Not Found"),
            Refusal::Forbidden => {
                let (_, mistake) = needed(call).unwrap_or(("", Mistake::new(511, "Endpoint inaccessible")));
                mistake.into()
            }
            Refusal::DeadKey => expired().into(),
            Refusal::RateLimited => Mistake::new(510, "Requests are too frequent, please try again later").into(),
            Refusal::Banned => with_status(StatusCode::FORBIDDEN, 403, "Access Denied"),
            Refusal::Unavailable => with_status(StatusCode::SERVICE_UNAVAILABLE, 501, "System busy"),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Endpoint, 2_000, 20).path(PRIVATE),
            Limit::per(Scope::Endpoint, 2_000, 1).path("/api/v1/private/order/submit_batch"),
        ]
    }
}

impl Mistake {
    fn new(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// 600.
    fn parameter() -> Self {
        Self::new(600, "Parameter error")
    }
}

impl From<Mistake> for Answer {
    fn from(mistake: Mistake) -> Self {
        Self::ok(&Failure { success: false, code: mistake.code, message: &mistake.message })
    }
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let (method, path) = call.endpoint();
    let path = path.strip_prefix(PRIVATE).unwrap_or_default();
    let words: Vec<&str> = path.split('/').collect();
    match (method, words.as_slice()) {
        ("GET", ["account", "assets"]) => Ok(ok(account::assets(caller))),
        ("GET", ["account", "asset", currency]) => account::asset(caller, currency),
        ("GET", ["position", "open_positions"]) => account::positions(call, caller),
        ("GET", ["position", "leverage"]) => account::leverage(call, caller),
        ("POST", ["position", "change_leverage"]) => account::change_leverage(call, caller),
        ("GET", ["position", "position_mode"]) => Ok(ok(1)),
        ("POST", ["order", "submit"]) => order::submit(call, caller),
        ("POST", ["order", "create"]) => order::create(call, caller),
        ("POST", ["order", "submit_batch"]) => order::submit_batch(call, caller),
        ("POST", ["order", "cancel"]) => order::cancel(call, caller),
        ("POST", ["order", "cancel_with_external"]) => order::cancel_with_external(call, caller),
        ("POST", ["order", "batch_cancel_with_external"]) => order::batch_cancel_with_external(call, caller),
        ("POST", ["order", "cancel_all"]) => order::cancel_all(call, caller),
        ("POST", ["order", "change_limit_order"]) => order::change(call, caller),
        ("GET", ["order", "list", "open_orders"]) => order::open(call, caller, call.params.get("symbol")),
        ("GET", ["order", "list", "open_orders", symbol]) => order::open(call, caller, Some(symbol)),
        ("GET", ["order", "list", "history_orders"]) => order::history(call, caller),
        ("GET", ["order", "get", id]) => order::get(caller, id),
        ("GET", ["order", "external", symbol, name]) => order::external(caller, symbol, name),
        ("GET", ["order", "batch_query"]) => order::batch_query(call, caller),
        _ => Ok(unmodelled()),
    }
}

fn ok(data: impl Serialize) -> Answer {
    Answer::ok(&Success { success: true, code: 0, data })
}

fn unmodelled() -> Answer {
    ok(Value::Null).with("x-sim-unmodelled", 1)
}

fn expired() -> Mistake {
    Mistake::new(402, "API Key expired, please apply again")
}

/// Calls of the spot API, which are signed its own way.
fn is_spot(call: &Call<'_>) -> bool {
    !call.path.starts_with("/api/v1/")
}

fn is_probe(call: &Call<'_>) -> bool {
    call.endpoint() == ("GET", mexc::PROBE)
}

/// The box that an operation needs, and what is said without it.
fn needed(call: &Call<'_>) -> Option<(&'static str, Mistake)> {
    let trades = !["account/", "position/"]
        .iter()
        .any(|part| call.path.strip_prefix(PRIVATE).is_some_and(|path| path.starts_with(part)));
    match (call.operation.class, trades) {
        (Class::Read, false) => Some(("CONTRACT_ACCOUNT_READ", Mistake::new(701, "Account read permission required"))),
        (Class::Trade, false) => {
            Some(("CONTRACT_ACCOUNT_WRITE", Mistake::new(702, "Account modify permission required")))
        }
        (Class::Read, true) => {
            Some(("CONTRACT_DEAL_READ", Mistake::new(703, "Trade information read permission required")))
        }
        (Class::Trade | Class::KeyManagement, _) => {
            Some(("CONTRACT_DEAL_WRITE", Mistake::new(704, "Trade information modify permission required")))
        }
        (Class::Withdraw, _) => Some(("SPOT_WITHDRAW_WRITE", expired())),
        (Class::Transfer, _) => Some(("SPOT_TRANSFER_WRITE", expired())),
        (Class::Market | Class::Login | Class::Alarming | Class::Unknown, _) => None,
    }
}

/// Key and time as the headers have them, then the body of a POST or else the query, its pairs sorted by name.
fn signed_bytes(received: &Received) -> Vec<u8> {
    let head = [received.header(KEY_HEADER), received.header("request-time")].concat().into_bytes();
    if received.method == Method::POST {
        return [head.as_slice(), &received.body].concat();
    }
    let mut pairs: Vec<&str> = received.query().split('&').collect();
    pairs.sort_by_key(|pair| pair.split('=').next());
    [head, pairs.join("&").into_bytes()].concat()
}

/// The window is ten seconds both ways; whoever asks for another says it in whole seconds.
fn check_clock(received: &Received, now: Moment) -> Result<(), Mistake> {
    let invalid = || Mistake::new(513, "Invalid request, please try again later");
    let window_s = match received.header("recv-window") {
        "" => WINDOW_S,
        text => text.parse().ok().filter(|seconds| *seconds <= WINDOW_S_MAX).ok_or_else(invalid)?,
    };
    let sent_ms: u64 = received.header("request-time").parse().map_err(|_| invalid())?;
    (now.ms().abs_diff(sent_ms) <= window_s.saturating_mul(1_000)).then_some(()).ok_or_else(invalid)
}
