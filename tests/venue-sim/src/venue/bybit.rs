//! Bybit v5: one account for spot and for linear contracts.
//!
//! Source: bybit-exchange.github.io/docs/v5, integration guidance, error codes, trade, position and account pages.
//! Stored copies, read 2026-11.

mod account;
mod market;
mod order;
mod permissions;
mod rates;
mod view;

use std::borrow::Cow;

use data_encoding::{BASE64, HEXLOWER};
use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::account::{Accounts, Key};
use crate::limits::{Excess, Limit, Scope};
use crate::market::Symbol;
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const KEY_HEADER: &str = "x-bapi-api-key";
const RECV_WINDOW_MS: u64 = 5_000;
const AHEAD_MS_MAX: u64 = 1_000;

/// What is wrong with a request, in the venue's number and words.
#[derive(Debug)]
struct Mistake {
    code: i32,
    msg: Cow<'static, str>,
}

/// Which of its markets a request speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Category {
    Spot,
    Linear,
    /// A market in which nothing is listed here.
    Other(&'static str),
}

/// Every answer has this shape, whatever the status.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a, T, E> {
    ret_code: i32,
    ret_msg: &'a str,
    result: T,
    ret_ext_info: E,
    time: u64,
}

/// A whole list.
#[derive(Serialize)]
struct Listed<T> {
    list: Vec<T>,
}

/// A part of a list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    list: Vec<T>,
    next_page_cursor: String,
    category: &'static str,
}

/// Bybit.
#[derive(Debug)]
pub(crate) struct Bybit;

impl Venue for Bybit {
    fn id(&self) -> &'static str {
        "bybit"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Ok(Verifier::hmac_sha256(material)),
            KeyKind::Rsa => Verifier::public(kind, material).ok_or("public_key is no RSA key in PEM or base64"),
            KeyKind::Ed25519 => Err("bybit knows no Ed25519 keys"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header(KEY_HEADER)
    }

    /// Only what is signed counts: the query of a GET, else the body, which must say that it is JSON.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        if received.method == Method::GET {
            Params::form(received.query().as_bytes())
        } else if received.header(CONTENT_TYPE.as_str()).starts_with("application/json") {
            Params::json(&received.body)
        } else {
            Params::default()
        }
    }

    /// Checks key, signature, repeated names and clock, in this order.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let received = call.received;
        let Some((account, key)) = accounts.alive(self.id(), received.header(KEY_HEADER)) else {
            return Proof::unsigned(error(call, &Mistake::new(10003, "API key is invalid.")));
        };
        let signed = signed_bytes(received);
        let accepted = decode_signature(&key.verifier, received.header("x-bapi-sign"))
            .is_some_and(|signature| key.verifier.accepts(&signed, &signature));
        if !accepted {
            let msg = format!("error sign! origin_string[{}]", String::from_utf8_lossy(&signed));
            return Proof::unsigned(error(call, &Mistake::new(10004, msg)));
        }
        if let Some(name) = call.params.repeated() {
            return Proof::signed_but(error(call, &Mistake::params(&format!("duplicate {name}"))));
        }
        match check_clock(received) {
            Ok(()) => Proof::of(Caller { account, key }),
            Err(mistake) => Proof::signed_but(error(call, &mistake)),
        }
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        permissions::permits(key, call)
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        crate::market::find(market::SYMBOLS, name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        market::answer(call).unwrap_or_else(|mistake| error(call, &mistake))
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return ok(call, json!({ "transferId": "42c0cfb0-6bca-c242-bc76-4e6df6cbab16", "status": "SUCCESS" }));
        }
        act(call, caller).unwrap_or_else(|mistake| error(call, &mistake))
    }

    /// Bybit says most things with status 200 and a number.
    fn refuse(&self, refusal: Refusal, call: &Call<'_>) -> Answer {
        let say = |status, code, msg| Answer { status, ..error(call, &Mistake::new(code, msg)) };
        match refusal {
            Refusal::NoSuchOperation => say(StatusCode::NOT_FOUND, 404, "Not Found"),
            Refusal::Forbidden => {
                say(StatusCode::OK, 10005, "Permission denied, please check your API key permissions.")
            }
            Refusal::DeadKey => say(StatusCode::OK, 10003, "API key is invalid."),
            Refusal::RateLimited => say(StatusCode::OK, 10006, "Too many visits. Exceeded the API Rate Limit."),
            Refusal::Banned => say(StatusCode::FORBIDDEN, 10018, "access too frequent"),
            Refusal::Unavailable => say(StatusCode::SERVICE_UNAVAILABLE, 10016, "Server error."),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        rates::limits()
    }

    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        rates::cost(scope, call)
    }

    fn over_limit(&self, excess: Excess, call: &Call<'_>) -> Answer {
        self.refuse(rates::refusal(excess), call)
    }

    fn finish(&self, answer: Answer, call: &Call<'_>, _caller: Option<&Caller>) -> Answer {
        rates::show_on(answer, call)
    }
}

impl Mistake {
    fn new(code: i32, msg: impl Into<Cow<'static, str>>) -> Self {
        Self { code, msg: msg.into() }
    }

    /// 10001.
    fn params(what: &str) -> Self {
        Self::new(10001, format!("params error: {what}"))
    }
}

impl Category {
    /// Reads the mandatory `category`.
    fn of(params: &Params<'_>) -> Result<Self, Mistake> {
        match params.get("category") {
            Some("spot") => Ok(Self::Spot),
            Some("linear") => Ok(Self::Linear),
            Some("inverse") => Ok(Self::Other("inverse")),
            Some("option") => Ok(Self::Other("option")),
            _ => Err(Mistake::params("Category is invalid")),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Linear => "linear",
            Self::Other(word) => word,
        }
    }

    /// The symbol that goes by `name`.
    fn symbol(self, name: Option<&str>) -> Result<&'static Symbol, Mistake> {
        let found = name.and_then(|name| self.symbols().iter().find(|symbol| symbol.name == name));
        found.ok_or_else(|| match self {
            Self::Spot => Mistake::new(170_121, "Invalid symbol."),
            Self::Linear | Self::Other(_) => Mistake::params("symbol invalid"),
        })
    }

    const fn symbols(self) -> &'static [Symbol] {
        match self {
            Self::Spot | Self::Linear => market::SYMBOLS,
            Self::Other(_) => &[],
        }
    }
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    match call.endpoint() {
        ("GET", permissions::PROBE) => Ok(ok(call, permissions::show(caller))),
        ("GET", "/v5/account/info") => Ok(ok(call, account::info())),
        ("GET", "/v5/account/wallet-balance") => account::wallet_balance(call, caller),
        ("GET", "/v5/account/fee-rate") => account::fee_rate(call),
        ("GET", "/v5/asset/coin/query-info") => Ok(ok(call, account::coins(call))),
        ("GET", "/v5/position/list") => account::positions(call, caller),
        ("POST", "/v5/position/set-leverage") => account::set_leverage(call, caller),
        ("POST", "/v5/account/set-margin-mode") => Ok(ok(call, json!({ "reasons": [] }))),
        ("POST", "/v5/order/create") => order::create(call, caller),
        ("POST", "/v5/order/amend") => order::amend(call, caller),
        ("POST", "/v5/order/cancel") => order::cancel(call, caller),
        ("POST", "/v5/order/cancel-all") => order::cancel_all(call, caller),
        ("POST", "/v5/order/create-batch") => order::batch(call, caller, order::create_one),
        ("POST", "/v5/order/amend-batch") => order::batch(call, caller, order::amend_one),
        ("POST", "/v5/order/cancel-batch") => order::batch(call, caller, order::cancel_one),
        ("GET", "/v5/order/realtime") => order::realtime(call, caller),
        ("GET", "/v5/order/history") => order::history(call, caller),
        ("GET", "/v5/execution/list") => order::executions(call, caller),
        _ => Ok(unmodelled(call)),
    }
}

fn ok(call: &Call<'_>, result: impl Serialize) -> Answer {
    envelope(call, 0, "OK", result, json!({}))
}

fn error(call: &Call<'_>, mistake: &Mistake) -> Answer {
    envelope(call, mistake.code, &mistake.msg, json!({}), json!({}))
}

fn unmodelled(call: &Call<'_>) -> Answer {
    ok(call, json!({})).with("x-sim-unmodelled", 1)
}

fn envelope(call: &Call<'_>, code: i32, msg: &str, result: impl Serialize, ext_info: impl Serialize) -> Answer {
    let time = call.received.at.ms();
    Answer::ok(&Envelope { ret_code: code, ret_msg: msg, result, ret_ext_info: ext_info, time })
}

/// Timestamp, key and window as the headers have them, then the query of a GET or else the body.
fn signed_bytes(received: &Received) -> Vec<u8> {
    let payload = if received.method == Method::GET { received.query().as_bytes() } else { &received.body[..] };
    let headers = ["x-bapi-timestamp", KEY_HEADER, "x-bapi-recv-window"].map(|name| received.header(name).as_bytes());
    [headers.concat().as_slice(), payload].concat()
}

/// Lower-case hex for a shared secret, base64 for a public key.
fn decode_signature(verifier: &Verifier, text: &str) -> Option<Vec<u8>> {
    match verifier {
        Verifier::Hmac(_) => HEXLOWER.decode(text.as_bytes()).ok(),
        Verifier::Public(_) => BASE64.decode(text.as_bytes()).ok(),
        Verifier::Shown(_) => None,
    }
}

fn check_clock(received: &Received) -> Result<(), Mistake> {
    let (sent, window) = (received.header("x-bapi-timestamp"), received.header("x-bapi-recv-window"));
    let now_ms = received.at.ms();
    let outside = || {
        let msg = format!(
            "invalid request, please check your server timestamp or recv_window param. \
             req_timestamp[{sent}],server_timestamp[{now_ms}],recv_window[{window}]"
        );
        Mistake::new(10002, msg)
    };
    let window_ms = if window.is_empty() { Ok(RECV_WINDOW_MS) } else { window.parse() }.map_err(|_| outside())?;
    let sent_ms: u64 = sent.parse().map_err(|_| outside())?;
    let fresh = now_ms <= sent_ms.saturating_add(window_ms) && sent_ms < now_ms.saturating_add(AHEAD_MS_MAX);
    fresh.then_some(()).ok_or_else(outside)
}
