//! Kraken Futures: the trading API under `/derivatives`, and the permission probe.
//!
//! Source: docs.kraken.com, Futures REST authentication guide, trading and account reference, rate limits.
//! Stored copies, read 2026-11.

mod orders;
mod view;

use aws_lc_rs::digest::{self, SHA256};
use data_encoding::BASE64;
use hyper::StatusCode;
use serde_json::{Map, Value, json};

use self::view::{find, leverages};
use crate::account::{Accounts, Key};
use crate::book::Status;
use crate::catalogue::Class;
use crate::limits::{Limit, Scope};
use crate::market::{self, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const TRADING: &str = "/derivatives/api/v3/";
const HISTORY: &str = "/api/history";
const PROBE: &str = "/api/auth/v1/api-keys/v3/check";

/// Multi-collateral perpetuals, and one whose contract is worth a dollar.
const MARKET: &[Symbol] = &[
    market::symbol("PF_XBTUSD", &[], "XBT", "USD", 650_000, 1),
    market::symbol("PF_ETHUSD", &[], "ETH", "USD", 32_000, 1),
    market::symbol("PF_SOLUSD", &[], "SOL", "USD", 15_000, 2),
    market::symbol("PI_XBTUSD", &[], "XBT", "USD", 650_000, 1),
];

/// Kraken Futures.
#[derive(Debug)]
pub(crate) struct KrakenFutures;

impl Venue for KrakenFutures {
    fn id(&self) -> &'static str {
        "kraken-futures"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Verifier::hmac_sha512_base64(material).ok_or("secret is not base64"),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("kraken-futures knows no public keys"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header("apikey")
    }

    /// Clients send parameters in the query even of a POST.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        Params::form(received.query().as_bytes()).or(Params::form(&received.body))
    }

    /// Checks key, signature and, if one was sent, nonce, in this order; only a signed nonce is used up.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let received = call.received;
        let stranger = || Proof::unsigned(unauthenticated(call));
        let Some((account, key)) = accounts.alive(self.id(), received.header("apikey")) else {
            return stranger();
        };
        let accepted = BASE64
            .decode(received.header("authent").as_bytes())
            .is_ok_and(|signature| key.verifier.accepts(&signed_bytes(call), &signature));
        if !accepted {
            return stranger();
        }
        let nonce = received.header("nonce");
        if !nonce.is_empty() {
            let last = account.last_nonce();
            match nonce.parse() {
                Ok(nonce) if account.advance_nonce(nonce) => {}
                Ok(nonce) if last == Some(nonce) => return Proof::signed_but(error(call, "nonceDuplicate")),
                _ => return Proof::signed_but(error(call, "nonceBelowThreshold")),
            }
        }
        Proof::of(Caller { account, key })
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        let has = &key.permissions;
        let transfer = has.transfer || has.withdraw;
        let granted = [
            (Class::Read, call.path == PROBE || has.read || has.trade_derivatives),
            (Class::Trade, has.trade_derivatives),
            (Class::Transfer, transfer),
            (Class::Withdraw, transfer),
            (Class::KeyManagement, has.key_management),
        ];
        granted.contains(&(call.operation.class, true))
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        find(name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        let symbols = || MARKET.iter();
        match call.path.strip_prefix(TRADING).unwrap_or_default() {
            "instruments" => success(call, "instruments", symbols().map(view::instrument).collect()),
            "tickers" => {
                success(call, "tickers", symbols().map(|symbol| view::ticker(&call.shown(symbol), call)).collect())
            }
            "orderbook" => match call.params.get("symbol").and_then(find) {
                Some(symbol) => success(call, "orderBook", view::order_book(&call.shown(symbol))),
                None => error(call, "invalidArgument: symbol"),
            },
            path => match path.strip_prefix("tickers/").and_then(find) {
                Some(symbol) => success(call, "ticker", view::ticker(&call.shown(symbol), call)),
                None => unmodelled(call),
            },
        }
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return done(call);
        }
        act(call, caller)
    }

    fn refuse(&self, refusal: Refusal, call: &Call<'_>) -> Answer {
        let with_status = |status, word| Answer { status, ..error(call, word) };
        match refusal {
            Refusal::NoSuchOperation => with_status(StatusCode::NOT_FOUND, "notFound"),
            Refusal::Forbidden => error(call, "authenticationError"),
            Refusal::DeadKey => unauthenticated(call),
            Refusal::RateLimited => with_status(StatusCode::TOO_MANY_REQUESTS, "apiLimitExceeded"),
            Refusal::Banned => with_status(StatusCode::IM_A_TEAPOT, "apiLimitExceeded"),
            Refusal::Unavailable => with_status(StatusCode::SERVICE_UNAVAILABLE, "Unavailable"),
        }
    }

    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Key, 10_000, 500).path(TRADING),
            Limit::per(Scope::Key, 600_000, 100).path(HISTORY).decaying(),
        ]
    }

    /// A batch costs nine and one for each instruction in it.
    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        if scope != Scope::Key {
            return 0;
        }
        match call.path.strip_prefix(TRADING).unwrap_or_default() {
            "sendorder" | "editorder" | "cancelorder" | "leveragepreferences" | "pnlpreferences" => 10,
            "cancelallorders" | "cancelallordersafter" => 25,
            "batchorder" => 9_u32.saturating_add(orders::batch_size(call)),
            "fills" if call.params.get("lastFillTime").is_some() => 25,
            "accounts" | "openpositions" | "openorders" | "fills" => 2,
            _ => 1,
        }
    }

    /// Kraken Futures sends no rate headers.
    fn finish(&self, answer: Answer, _call: &Call<'_>, _caller: Option<&Caller>) -> Answer {
        answer
    }
}

/// The digest of query, body, nonce and path, the path without `/derivatives`.
fn signed_bytes(call: &Call<'_>) -> Vec<u8> {
    let received = call.received;
    let mut hashed = digest::Context::new(&SHA256);
    hashed.update(received.query().as_bytes());
    hashed.update(&received.body);
    hashed.update(received.header("nonce").as_bytes());
    hashed.update(call.path.strip_prefix("/derivatives").unwrap_or(call.path).as_bytes());
    hashed.finish().as_ref().to_vec()
}

/// The trading API says it with status 200, the probe's service with 401.
fn unauthenticated(call: &Call<'_>) -> Answer {
    let status = if call.path == PROBE { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
    Answer { status, ..error(call, "authenticationError") }
}

fn error(call: &Call<'_>, word: &str) -> Answer {
    Answer::ok(&json!({ "result": "error", "error": word, "serverTime": call.received.at.rfc3339() }))
}

fn done(call: &Call<'_>) -> Answer {
    Answer::ok(&json!({ "result": "success", "serverTime": call.received.at.rfc3339() }))
}

fn success(call: &Call<'_>, name: &str, value: Value) -> Answer {
    let mut body = Map::new();
    body.insert("result".to_owned(), json!("success"));
    body.insert(name.to_owned(), value);
    body.insert("serverTime".to_owned(), json!(call.received.at.rfc3339()));
    Answer::ok(&body)
}

fn unmodelled(call: &Call<'_>) -> Answer {
    done(call).with("x-sim-unmodelled", 1)
}

fn act(call: &Call<'_>, caller: &Caller) -> Answer {
    let at = call.received.at;
    if call.path == PROBE {
        return probe(caller);
    }
    caller.account.with_book(|book| match (call.received.method.as_str(), call.path.strip_prefix(TRADING)) {
        ("POST", Some("sendorder")) => orders::answer(call, "sendStatus", orders::send(call, book)),
        ("POST", Some("editorder")) => orders::answer(call, "editStatus", orders::edit(call, book)),
        ("POST", Some("cancelorder")) => orders::answer(call, "cancelStatus", orders::cancel(call, book)),
        ("POST", Some("cancelallorders")) => orders::cancel_all(call, book),
        ("POST", Some("cancelallordersafter")) => {
            // Nothing here waits: the switch is only acknowledged.
            success(call, "status", json!({ "currentTime": at.rfc3339(), "triggerTime": "0" }))
        }
        ("POST", Some("batchorder")) => orders::batch(call, book),
        ("GET", Some("openorders")) => success(call, "openOrders", book.open().map(view::open_order).collect()),
        ("GET", Some("orders/status")) => success(call, "orders", orders::status(call, book)),
        ("GET", Some("fills")) => {
            let filled = book.all().filter(|order| order.status == Status::Filled);
            success(call, "fills", filled.map(view::fill).collect())
        }
        ("GET", Some("accounts")) => success(call, "accounts", view::accounts()),
        ("GET", Some("openpositions")) => success(call, "openPositions", view::positions(book, at)),
        ("GET", Some("leveragepreferences")) => success(call, "leveragePreferences", leverages(book)),
        ("PUT", Some("leveragepreferences")) => {
            let Some(symbol) = call.params.get("symbol").and_then(find) else {
                return error(call, "requiredArgumentMissing");
            };
            match call.params.get("maxLeverage").map(str::parse) {
                None => book.leverage.remove(symbol.name),
                Some(Ok(leverage)) => book.leverage.insert(symbol.name, leverage),
                Some(Err(_)) => return error(call, "invalidArgument: maxLeverage"),
            };
            done(call)
        }
        _ => unmodelled(call),
    })
}

/// What the key may do, as two levels: all but transfers, and transfers.
fn probe(caller: &Caller) -> Answer {
    let has = &caller.key.permissions;
    let general = match (has.trade_derivatives, has.read) {
        (true, _) => "FULL_ACCESS",
        (false, true) => "READ_ONLY",
        (false, false) => "NO_ACCESS",
    };
    let transfer = if has.transfer || has.withdraw { "FULL_ACCESS" } else { "NO_ACCESS" };
    let allowed: &[&str] = if has.ip_restricted { &["127.0.0.1/32"] } else { &[] };
    let mut permissions = Map::new();
    permissions.insert("general".to_owned(), json!(general));
    permissions.insert("transfer".to_owned(), json!(transfer));
    for name in &has.extra {
        permissions.insert(name.clone(), json!("FULL_ACCESS"));
    }
    let mut shown = Map::new();
    shown.insert("apiKey".to_owned(), json!(caller.account.key_id));
    shown.insert("permissions".to_owned(), Value::Object(permissions));
    shown.insert("allowedCidrBlocks".to_owned(), json!(allowed));
    caller.key.lay_over(&mut shown);
    Answer::ok(&shown)
}
