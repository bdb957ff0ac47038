//! OKX, API version 5. A key consists of id, secret and the part `passphrase`; the part `demo` set to `1` makes
//! it a key of the demo environment, which `x-simulated-trading` chooses.
//!
//! Source: okx.com/docs-v5, overview, trading account, order book trading, error codes. Stored copies, read 2026-11.

mod orders;
mod view;

use data_encoding::BASE64;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::account::{Accounts, Key};
use crate::book::Status;
use crate::catalogue::Class;
use crate::clock::Moment;
use crate::limits::{Limit, Scope};
use crate::market::{self, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

/// Two spot pairs and a perpetual, whose contract is a hundredth of a bitcoin.
const MARKET: &[Symbol] = &[
    market::symbol("BTC-USDT", &[], "BTC", "USDT", 650_000, 1),
    market::symbol("ETH-USDT", &[], "ETH", "USDT", 320_000, 2),
    market::symbol("BTC-USDT-SWAP", &[], "BTC", "USDT", 650_000, 1),
];

const TOLERANCE_MS: u64 = 30_000;

/// OKX.
#[derive(Debug)]
pub(crate) struct Okx;

impl Venue for Okx {
    fn id(&self) -> &'static str {
        "okx"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Ok(Verifier::hmac_sha256(material)),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("okx knows no public keys"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header("ok-access-key")
    }

    /// The query of a GET, else the JSON body; a list has no parameters of its own.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        if received.method == Method::GET {
            Params::form(received.query().as_bytes())
        } else {
            Params::json(&received.body)
        }
    }

    /// Checks headers, key, signature, passphrase, environment and clock, in this order.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let received = call.received;
        let header = |name: &str| received.header(name);
        for (name, code) in [
            ("ok-access-key", "50103"),
            ("ok-access-passphrase", "50104"),
            ("ok-access-sign", "50106"),
            ("ok-access-timestamp", "50107"),
        ] {
            if header(name).is_empty() {
                let msg = format!("Request header {} can not be empty.", name.to_ascii_uppercase());
                return Proof::unsigned(unauthorized(code, &msg));
            }
        }
        let Some((account, key)) = accounts.alive(self.id(), header("ok-access-key")) else {
            return Proof::unsigned(unauthorized("50111", "Invalid OK-ACCESS-KEY"));
        };
        let sent = header("ok-access-timestamp");
        let accepted = BASE64
            .decode(header("ok-access-sign").as_bytes())
            .is_ok_and(|signature| key.verifier.accepts(&signed_bytes(call, sent), &signature));
        if !accepted {
            return Proof::unsigned(unauthorized("50113", "Invalid Sign"));
        }
        if header("ok-access-passphrase") != key.part("passphrase") {
            let msg = "Request header OK-ACCESS-PASSPHRASE incorrect.";
            return Proof::signed_but(unauthorized("50105", msg));
        }
        if (header("x-simulated-trading") == "1") != (key.part("demo") == "1") {
            return Proof::signed_but(unauthorized("50101", "APIKey does not match current environment."));
        }
        match Moment::from_rfc3339(sent).filter(|moment| moment.rfc3339() == sent) {
            None => Proof::signed_but(unauthorized("50112", "Invalid OK-ACCESS-TIMESTAMP")),
            Some(moment) if moment.ms().abs_diff(received.at.ms()) > TOLERANCE_MS => {
                Proof::signed_but(unauthorized("50102", "Timestamp request expired"))
            }
            Some(_) => Proof::of(Caller { account, key }),
        }
    }

    /// There is no permission for transfers: whoever may trade may transfer.
    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        let has = &key.permissions;
        let granted = [
            (Class::Read, call.path == "/api/v5/account/config" || has.read),
            (Class::Trade, may_trade(key)),
            (Class::Transfer, may_trade(key) || has.transfer),
            (Class::Withdraw, has.withdraw),
            (Class::KeyManagement, has.key_management),
        ];
        granted.contains(&(call.operation.class, true))
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        market::find(MARKET, name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        let now = call.received.at;
        let named = || call.params.get("instId").and_then(|name| market::find(MARKET, name));
        let one = || named().map(|symbol| call.shown(symbol));
        let unknown = || error(StatusCode::OK, "51001", "Instrument ID does not exist");
        match call.path {
            "/api/v5/public/time" => data([json!({ "ts": now.ms().to_string() })]),
            "/api/v5/public/instruments" => data(view::instruments(call)),
            "/api/v5/market/tickers" => data(view::chosen(call).map(|symbol| view::ticker(&call.shown(symbol), now))),
            "/api/v5/market/ticker" => one().map_or_else(unknown, |symbol| data([view::ticker(&symbol, now)])),
            "/api/v5/market/books" => one().map_or_else(unknown, |symbol| data([view::order_book(&symbol, now)])),
            _ => unmodelled(),
        }
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return data([json!({ "transId": "754147", "wdId": "67485" })]);
        }
        act(call, caller)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        match refusal {
            Refusal::NoSuchOperation => error(StatusCode::NOT_FOUND, "404", "Not Found"),
            Refusal::Forbidden => unauthorized("50120", "This API key doesn't have permission to use this function"),
            Refusal::DeadKey => unauthorized("50111", "Invalid OK-ACCESS-KEY"),
            Refusal::RateLimited => error(StatusCode::TOO_MANY_REQUESTS, "50011", "Too Many Requests"),
            Refusal::Banned => error(StatusCode::IM_A_TEAPOT, "50011", "Too Many Requests"),
            Refusal::Unavailable => {
                error(StatusCode::SERVICE_UNAVAILABLE, "50001", "Service temporarily unavailable. Try again later.")
            }
        }
    }

    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Endpoint, 2_000, 60).path("/api/v5/trade/"),
            Limit::per(Scope::Endpoint, 2_000, 10).path("/api/v5/account/"),
        ]
    }

    fn cost(&self, scope: Scope, _call: &Call<'_>) -> u32 {
        u32::from(scope == Scope::Endpoint)
    }

    /// OKX sends no rate headers.
    fn finish(&self, answer: Answer, _call: &Call<'_>, _caller: Option<&Caller>) -> Answer {
        answer
    }
}

/// Timestamp, method, path with query, and body, each as it was sent.
fn signed_bytes(call: &Call<'_>, timestamp: &str) -> Vec<u8> {
    let received = call.received;
    let mark = if received.uri.query().is_some() { "?" } else { "" };
    let target = [received.method.as_str(), call.path, mark, received.query()].concat();
    [timestamp.as_bytes(), target.as_bytes(), &received.body].concat()
}

fn error(status: StatusCode, code: &str, msg: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "msg": msg, "data": [] }))
}

fn unauthorized(code: &str, msg: &str) -> Answer {
    error(StatusCode::UNAUTHORIZED, code, msg)
}

fn data(entries: impl IntoIterator<Item = Value>) -> Answer {
    Answer::ok(&json!({ "code": "0", "msg": "", "data": entries.into_iter().collect::<Vec<_>>() }))
}

fn unmodelled() -> Answer {
    data([]).with("x-sim-unmodelled", 1)
}

fn may_trade(key: &Key) -> bool {
    let has = &key.permissions;
    has.trade_spot || has.trade_margin || has.trade_derivatives
}

fn act(call: &Call<'_>, caller: &Caller) -> Answer {
    let now = call.received.at;
    caller.account.with_book(|book| match call.endpoint() {
        ("GET", "/api/v5/account/config") => data([config(caller)]),
        ("GET", "/api/v5/account/balance") => data([view::balance(book, now)]),
        ("GET", "/api/v5/account/positions") => data(view::positions(book, now)),
        ("GET", "/api/v5/account/instruments") => data(view::instruments(call)),
        ("GET", "/api/v5/account/leverage-info") => data(view::leverages(book, call)),
        ("POST", "/api/v5/account/set-leverage") => orders::set_leverage(call, book),
        ("GET", "/api/v5/asset/currencies") => data(view::currencies()),
        ("POST", "/api/v5/trade/order") => orders::single(call, book, orders::place),
        ("POST", "/api/v5/trade/batch-orders") => orders::batch(call, book, orders::place),
        ("POST", "/api/v5/trade/amend-order") => orders::single(call, book, orders::amend),
        ("POST", "/api/v5/trade/amend-batch-orders") => orders::batch(call, book, orders::amend),
        ("POST", "/api/v5/trade/cancel-order") => orders::single(call, book, orders::cancel),
        ("POST", "/api/v5/trade/cancel-batch-orders") => orders::batch(call, book, orders::cancel),
        ("GET", "/api/v5/trade/order") => match orders::wanted(call, book) {
            Some(order) => data([view::order(order)]),
            None => error(StatusCode::OK, "51603", "Order does not exist"),
        },
        ("GET", "/api/v5/trade/orders-pending") => data(view::orders(book.open(), call)),
        ("GET", "/api/v5/trade/orders-history" | "/api/v5/trade/orders-history-archive") => {
            data(view::orders(book.all().filter(|order| order.status != Status::New), call))
        }
        _ => unmodelled(),
    })
}

/// The account's configuration, with the permissions of the key.
fn config(caller: &Caller) -> Value {
    let has = &caller.key.permissions;
    let names = [(has.read, "read_only"), (may_trade(&caller.key), "trade"), (has.withdraw, "withdraw")];
    let granted = names.iter().filter(|(granted, _)| *granted).map(|(_, name)| (*name).to_owned());
    let perm: Vec<String> = granted.chain(has.extra.iter().cloned()).collect();
    let mut shown = Map::new();
    for (name, text) in [
        ("uid", "44705892343619584"),
        ("mainUid", "44705892343619584"),
        ("label", "simulated"),
        ("acctLv", "2"),
        ("posMode", "net_mode"),
        ("roleType", "0"),
        ("perm", &perm.join(",")),
        ("ip", if has.ip_restricted { "127.0.0.1" } else { "" }),
    ] {
        shown.insert(name.to_owned(), json!(text));
    }
    caller.key.lay_over(&mut shown);
    Value::Object(shown)
}
