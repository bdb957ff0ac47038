//! `BitMEX`, as it was before it closed: keys of it are still around to be deleted.
//!
//! Source: "API keys usage", the API explorer and the rate limit page of bitmex.com. Stored copies, read 2026-11.

mod orders;
mod view;

use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::account::{Accounts, Key};
use crate::catalogue::Class;
use crate::limits::{Excess, Limit, Scope};
use crate::market::{self, Symbol};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

/// Perpetuals: paid in bitcoin, or in dollars.
const MARKET: &[Symbol] = &[
    market::symbol("XBTUSD", &[], "XBT", "USD", 650_000, 1),
    market::symbol("XBTUSDT", &[], "XBT", "USDT", 650_000, 1),
    market::symbol("ETHUSDT", &[], "ETH", "USDT", 320_000, 2),
];

const SIGNED_MINUTE_MAX: u32 = 120;
const PUBLIC_MINUTE_MAX: u32 = 30;
const ORDERS_SECOND_MAX: u32 = 10;

/// `BitMEX`.
#[derive(Debug)]
pub(crate) struct Bitmex;

impl Venue for Bitmex {
    fn id(&self) -> &'static str {
        "bitmex"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Ok(Verifier::hmac_sha256(material)),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("bitmex knows no public keys"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header("api-key")
    }

    /// The query of a GET, else the body, whose content type says whether it is JSON or a form.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        if received.method == Method::GET {
            Params::form(received.query().as_bytes())
        } else if received.header(CONTENT_TYPE.as_str()).starts_with("application/json") {
            Params::json(&received.body)
        } else {
            Params::form(&received.body)
        }
    }

    /// Checks key, signature and expiry, in this order.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let received = call.received;
        let unauthorized = |message: &str| error(StatusCode::UNAUTHORIZED, message);
        let Some((account, key)) = accounts.alive(self.id(), received.header("api-key")) else {
            return Proof::unsigned(unauthorized("Invalid API Key."));
        };
        let expires = received.header("api-expires");
        let accepted = key
            .verifier
            .decode_signature(received.header("api-signature"))
            .is_some_and(|signature| key.verifier.accepts(&signed_bytes(call, expires), &signature));
        if !accepted {
            return Proof::unsigned(unauthorized("Signature not valid."));
        }
        let now = received.at.secs();
        match expires.parse::<u64>() {
            Ok(expires) if expires >= now => Proof::of(Caller { account, key }),
            _ => Proof::signed_but(unauthorized(&format!(
                "This request has expired - `expires` is in the past. Current time: {now}"
            ))),
        }
    }

    /// Every key may read; an order's permission covers leverage and margin too.
    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        let has = &key.permissions;
        let move_money = has.withdraw || has.transfer;
        let granted = [
            (Class::Read, true),
            (Class::Trade, has.trade_derivatives),
            (Class::Transfer, move_money),
            (Class::Withdraw, move_money),
            (Class::KeyManagement, has.key_management),
        ];
        granted.contains(&(call.operation.class, true))
    }

    fn public_symbol(&self, name: &str) -> Option<&'static Symbol> {
        market::find(MARKET, name)
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        let wanted = call.params.get("symbol");
        let chosen = || MARKET.iter().filter(|symbol| wanted.is_none_or(|wanted| wanted == symbol.name));
        let shown = || chosen().map(|symbol| call.shown(symbol));
        match call.path {
            "/api/v1/instrument" | "/api/v1/instrument/active" => {
                Answer::ok(&shown().map(|symbol| view::instrument(&symbol, call)).collect::<Value>())
            }
            "/api/v1/orderBook/L2" => {
                Answer::ok(&shown().flat_map(|symbol| view::order_book(&symbol)).collect::<Value>())
            }
            "/api/v1/wallet/assets" => Answer::ok(&view::assets()),
            _ => unmodelled(),
        }
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return Answer::ok(
                &json!({ "transactID": "00000000-0000-0000-0000-000000000001", "transactStatus": "Pending" }),
            );
        }
        act(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        match refusal {
            Refusal::NoSuchOperation => error(StatusCode::NOT_FOUND, "Not Found"),
            Refusal::Forbidden => error(StatusCode::FORBIDDEN, "Access Denied"),
            Refusal::DeadKey => error(StatusCode::FORBIDDEN, "This key is disabled."),
            Refusal::RateLimited => rate_limited(1),
            Refusal::Banned => Answer { status: StatusCode::IM_A_TEAPOT, ..rate_limited(120) },
            Refusal::Unavailable => {
                error(StatusCode::SERVICE_UNAVAILABLE, "The system is currently overloaded. Please try again later.")
            }
        }
    }

    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Key, 60_000, SIGNED_MINUTE_MAX).decaying(),
            Limit::per(Scope::Address, 60_000, PUBLIC_MINUTE_MAX).decaying(),
            Limit::per(Scope::Orders, 1_000, ORDERS_SECOND_MAX),
        ]
    }

    /// Whoever signs is counted by key, everyone else by address; cancelling all costs nothing extra.
    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        u32::from(match scope {
            Scope::Key => true,
            Scope::Address => !call.operation.class.is_signed(),
            Scope::Orders => matches!(call.endpoint(), ("POST" | "PUT" | "DELETE", "/api/v1/order")),
            Scope::Endpoint => false,
        })
    }

    fn over_limit(&self, excess: Excess, _call: &Call<'_>) -> Answer {
        rate_limited(excess.retry_after_s())
    }

    /// The rate headers tell what is left and not what is used; nobody here counts so.
    fn finish(&self, answer: Answer, _call: &Call<'_>, _caller: Option<&Caller>) -> Answer {
        answer
    }
}

/// Verb, path with query, expiry and body, each as it was sent.
fn signed_bytes(call: &Call<'_>, expires: &str) -> Vec<u8> {
    let received = call.received;
    let mark = if received.uri.query().is_some() { "?" } else { "" };
    [
        received.method.as_str().as_bytes(),
        call.path.as_bytes(),
        mark.as_bytes(),
        received.query().as_bytes(),
        expires.as_bytes(),
        &received.body,
    ]
    .concat()
}

fn error(status: StatusCode, message: &str) -> Answer {
    Answer::json(status, &json!({ "error": { "message": message, "name": "HTTPError" } }))
}

fn bad_request(message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, message)
}

fn rate_limited(retry_after_s: u32) -> Answer {
    let message = format!("Rate limit exceeded, retry in {retry_after_s} seconds.");
    let body = json!({ "error": { "message": message, "name": "RateLimitError" } });
    Answer::json(StatusCode::TOO_MANY_REQUESTS, &body).with("retry-after", retry_after_s)
}

fn unmodelled() -> Answer {
    Answer::ok(&json!({})).with("x-sim-unmodelled", 1)
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let account = &caller.account;
    Ok(match call.endpoint() {
        ("GET", "/api/v1/apiKey") => Answer::ok(&api_keys(caller)),
        ("GET", "/api/v1/order") => account.with_book(|book| orders::list(call, book))?,
        ("POST", "/api/v1/order") => account.with_book(|book| orders::place(call, book))?,
        ("PUT", "/api/v1/order") => account.with_book(|book| orders::amend(call, book))?,
        ("DELETE", "/api/v1/order") => account.with_book(|book| orders::cancel(call, book))?,
        ("DELETE", "/api/v1/order/all") => account.with_book(|book| orders::cancel_all(call, book))?,
        ("POST", "/api/v1/order/cancelAllAfter") => {
            // Nothing here waits: the switch is only acknowledged.
            Answer::ok(&json!({ "now": call.received.at.rfc3339(), "cancelTime": "0" }))
        }
        ("GET", "/api/v1/position") => {
            let wanted = view::filter(call)?;
            let open_only = wanted.get("isOpen") == Some(&Value::Bool(true));
            let symbol = wanted.get("symbol").and_then(Value::as_str);
            let chosen = |position: &Value| {
                symbol.is_none_or(|symbol| position["symbol"] == symbol) && (!open_only || position["isOpen"] == true)
            };
            let positions = account.with_book(|book| view::positions(book, call));
            Answer::ok(&positions.into_iter().filter(chosen).collect::<Value>())
        }
        ("POST", "/api/v1/position/leverage") => {
            let symbol = orders::symbol(call)?;
            let leverage = orders::decimal(call, "leverage")?.ok_or_else(|| bad_request("leverage is invalid"))?;
            account.with_book(|book| {
                book.leverage.insert(symbol.name, leverage);
                Answer::ok(&view::position(symbol, book, call))
            })
        }
        ("GET", "/api/v1/user/margin") => {
            let margins = view::margins(call);
            let wanted = call.params.get("currency").unwrap_or("XBt");
            match margins.iter().find(|margin| margin["currency"] == wanted) {
                Some(one) => Answer::ok(one),
                None if wanted == "all" => Answer::ok(&margins),
                None => return Err(bad_request("Invalid currency")),
            }
        }
        _ => unmodelled(),
    })
}

/// All keys of the account, and first one that is good for nothing: whoever reads this must not count what it could do.
fn api_keys(caller: &Caller) -> Value {
    let has = &caller.key.permissions;
    let names = [(has.trade_derivatives, "order"), (has.withdraw || has.transfer, "withdraw")];
    let granted = names.iter().filter(|(granted, _)| *granted).map(|(_, name)| (*name).to_owned());
    let permissions: Vec<String> = granted.chain(has.extra.iter().cloned()).collect();
    let cidr = if has.ip_restricted { "127.0.0.1/32" } else { "0.0.0.0/0" };
    let mut own = api_key(&caller.account.key_id, cidr, &json!(permissions));
    caller.key.lay_over(&mut own);
    let mut other = api_key("another-key-of-the-account", "0.0.0.0/0", &json!(["order", "withdraw"]));
    other.insert("enabled".to_owned(), false.into());
    json!([other, own])
}

fn api_key(id: &str, cidr: &str, permissions: &Value) -> Map<String, Value> {
    let shown = json!({
        "id": id, "name": "simulated", "nonce": 0, "cidr": cidr, "cidrs": [cidr],
        "permissions": permissions, "enabled": true, "userId": 1, "created": "2023-11-14T22:13:20.000Z",
    });
    match shown {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}
