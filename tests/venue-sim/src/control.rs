//! The control API under `/_sim`, spoken by tests and never by the system under test.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::AUTHORIZATION;
use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::account::{Account, Key, Registration};
use crate::book::{Order, Side};
use crate::catalogue::{CATALOGUE, Class};
use crate::fault::Fault;
use crate::params::Params;
use crate::recorder::Received;
use crate::session::{Brokerage, Sessions};
use crate::simulator::{Simulator, split_venue};
use crate::venue::Answer;
use crate::verifier::KeyKind;

/// The prefix of the control API.
pub(crate) const PREFIX: &str = "/_sim/";

const LIMIT: usize = 1_000;

/// Stands where a secret was.
const HIDDEN: &str = "(hidden)";

/// Answers a request to the control API.
pub(crate) fn respond(simulator: &Simulator, received: &Received) -> Answer {
    let path = received.uri.path();
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    let query = Params::form(received.query().as_bytes());
    let outcome = match (&received.method, path) {
        (&Method::GET, "health") => Ok(json!({ "status": "ok" })),
        (&Method::POST, "keys") => parse(received).and_then(|body| register(simulator, body)),
        (&Method::DELETE, path) if path.starts_with("keys/") => kill(simulator, path),
        (&Method::POST, "faults") => parse::<Fault>(received).map(|fault| {
            simulator.faults.add(fault);
            json!({ "faults": simulator.faults.all() })
        }),
        (&Method::GET, "faults") => Ok(json!({ "faults": simulator.faults.all() })),
        (&Method::DELETE, "faults") => {
            simulator.faults.clear();
            Ok(json!({ "faults": [] }))
        }
        (&Method::POST, "prices") => parse(received).and_then(|body| set_price(simulator, &body)),
        (&Method::DELETE, "prices") => {
            simulator.prices.clear();
            Ok(json!({ "status": "ok" }))
        }
        (&Method::POST, "limits") => parse(received).and_then(|setting| done(simulator, simulator.limits.set(setting))),
        (&Method::POST, "limits/strict") => {
            parse(received).and_then(|strictness| done(simulator, simulator.limits.set_strict(&strictness)))
        }
        (&Method::GET, "limits") => Ok(simulator.limits.show()),
        (&Method::DELETE, "limits") => {
            simulator.limits.clear();
            Ok(simulator.limits.show())
        }
        (&Method::DELETE, path) if path.starts_with("tokens/") => named(simulator, path).map(|account| {
            account.with_sessions(Sessions::end);
            shown(&account)
        }),
        (&Method::DELETE, path) if path.starts_with("brokerage/") => named(simulator, path).map(|account| {
            account.with_sessions(|sessions| sessions.brokerage = Brokerage::default());
            shown(&account)
        }),
        (&Method::GET, "logins") => Ok(json!({ "logins": logins(simulator, &query) })),
        (&Method::GET, "orders") => Ok(json!({ "orders": orders(simulator, &query) })),
        (&Method::GET, "requests") => Ok(json!({ "requests": requests(simulator, &query) })),
        (&Method::GET, "raw") => Ok(json!({ "requests": raw(simulator, &query) })),
        (&Method::GET, "tripwire") => Ok(json!(simulator.recorder.tripwire())),
        (&Method::POST, "reset") => {
            simulator.reset();
            Ok(json!({ "status": "ok" }))
        }
        _ => Err((StatusCode::NOT_FOUND, "no such control".to_owned())),
    };
    match outcome {
        Ok(body) => Answer::ok(&body),
        Err((status, why)) => Answer::json(status, &json!({ "error": why })),
    }
}

type Outcome = Result<Value, Mistake>;
type Mistake = (StatusCode, String);

fn parse<T: DeserializeOwned>(received: &Received) -> Result<T, Mistake> {
    serde_json::from_slice(&received.body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
}

fn done(simulator: &Simulator, outcome: Result<(), &'static str>) -> Outcome {
    outcome.map(|()| simulator.limits.show()).map_err(|why| (StatusCode::BAD_REQUEST, why.to_owned()))
}

fn register(simulator: &Simulator, body: Registration) -> Outcome {
    let bad = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
    let venue = simulator.venue(&body.venue).ok_or_else(|| bad("no such venue"))?;
    let material = match body.kind {
        KeyKind::Hmac => body.secret.ok_or_else(|| bad("secret is missing"))?,
        KeyKind::Ed25519 | KeyKind::Rsa => body.public_key.ok_or_else(|| bad("public_key is missing"))?,
    };
    let verifier = venue.verifier(body.kind, &material).map_err(bad)?;
    let key = Key {
        verifier,
        parts: body.parts,
        token_life: body.token_life_ms.map(Duration::from_millis),
        permissions: body.permissions,
        raw_permissions: body.raw_permissions,
    };
    simulator.accounts.register(venue.id(), &body.key_id, key);
    Ok(json!({ "venue": venue.id(), "key_id": body.key_id }))
}

/// The body of `POST /_sim/prices`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPrice {
    venue: String,
    symbol: String,
    price: Decimal,
}

fn set_price(simulator: &Simulator, NewPrice { venue, symbol, price }: &NewPrice) -> Outcome {
    let bad = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
    let venue = simulator.venue(venue).ok_or_else(|| bad("no such venue"))?;
    let symbol = venue.public_symbol(symbol).ok_or_else(|| bad("the venue shows no public price of that symbol"))?;
    if *price <= Decimal::ZERO {
        return Err(bad("a price is positive"));
    }
    simulator.prices.set(venue.id(), symbol, *price);
    Ok(json!({ "venue": venue.id(), "symbol": symbol.name, "price": price.to_string() }))
}

fn kill(simulator: &Simulator, path: &str) -> Outcome {
    let account = named(simulator, path)?;
    if simulator.accounts.kill(account.venue, &account.key_id) { Ok(shown(&account)) } else { Err(no_such_key()) }
}

/// The account of `what/venue/key_id`; the key id is the rest of the path, percent-encoded or not, for Kraken's
/// contain slashes.
fn named(simulator: &Simulator, path: &str) -> Result<Arc<Account>, Mistake> {
    let mut words = path.splitn(3, '/').skip(1);
    let (venue, key_id) = words.next().zip(words.next()).ok_or_else(no_such_key)?;
    let key_id = percent_decode_str(key_id).decode_utf8_lossy();
    simulator.accounts.get(venue, &key_id).ok_or_else(no_such_key)
}

fn no_such_key() -> Mistake {
    (StatusCode::NOT_FOUND, "no such key".to_owned())
}

fn shown(account: &Account) -> Value {
    json!({ "venue": account.venue, "key_id": account.key_id })
}

fn logins(simulator: &Simulator, query: &Params<'_>) -> Value {
    json!(simulator.recorder.logins(limit(query), |login| {
        chosen(query, "venue", login.venue)
            && chosen(query, "key_id", &login.key_id)
            && chosen(query, "path", &login.path)
    }))
}

fn orders(simulator: &Simulator, query: &Params<'_>) -> Vec<Value> {
    let mut found: Vec<(u64, Value)> = simulator
        .accounts
        .all()
        .iter()
        .filter(|account| chosen(query, "venue", account.venue))
        .filter(|account| chosen(query, "key_id", &account.key_id))
        .flat_map(|account| {
            account.with_book(|book| {
                book.all().map(|order| (order.draft.seq, show_order(account, order))).collect::<Vec<_>>()
            })
        })
        .collect();
    found.sort_by_key(|(seq, _)| *seq);
    found.into_iter().map(|(_, order)| order).collect()
}

fn show_order(account: &Account, order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "seq": draft.seq,
        "received_ns": draft.received.ns(),
        "venue": account.venue,
        "key_id": account.key_id,
        "order_id": order.id,
        "client_order_id": order.client_order_id(),
        "symbol": draft.symbol.name,
        "side": match draft.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        },
        "type": draft.kind,
        "price": draft.price.map(|price| price.to_string()),
        "quantity": draft.quantity.to_string(),
        "executed": order.executed.to_string(),
        "status": order.status.word(),
        "updated_ns": order.updated.ns(),
        "params": serde_json::from_str::<Value>(&draft.params).unwrap_or_default(),
    })
}

fn requests(simulator: &Simulator, query: &Params<'_>) -> Value {
    let after = number(query, "after").unwrap_or(0);
    json!(simulator.recorder.receipts(limit(query), |receipt| {
        receipt.seq > after
            && chosen(query, "venue", receipt.venue)
            && chosen(query, "key_id", &receipt.key_id)
            && chosen(query, "path", &receipt.path)
    }))
}

fn raw(simulator: &Simulator, query: &Params<'_>) -> Vec<Value> {
    let show = |received: &Received| {
        let headers: Vec<(&str, String)> = received
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .map(|(name, value)| if name == AUTHORIZATION { (name, without_bearer(value)) } else { (name, value) })
            .collect();
        json!({
            "seq": received.seq,
            "received_ns": received.at.ns(),
            "method": received.method.as_str(),
            "uri": received.uri.to_string(),
            "headers": headers,
            "body": if carries_password(received) { HIDDEN.into() } else { String::from_utf8_lossy(&received.body) },
        })
    };
    simulator.recorder.raw(limit(query)).iter().map(|received| show(received)).collect()
}

/// A bearer token is the secret itself, unlike a signature.
fn without_bearer(value: String) -> String {
    if value.starts_with("Bearer ") { format!("Bearer {HIDDEN}") } else { value }
}

/// Whether the body may prove who is calling, at whichever venue the call arrived.
fn carries_password(received: &Received) -> bool {
    let (venue, path) = split_venue(received.uri.path());
    let class = CATALOGUE.classify(venue, &received.method, path).class;
    matches!(class, Class::Login | Class::KeyManagement)
}

fn chosen(query: &Params<'_>, name: &str, value: &str) -> bool {
    query.get(name).is_none_or(|wanted| wanted == value)
}

fn limit(query: &Params<'_>) -> usize {
    number(query, "limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(LIMIT)
}

fn number(query: &Params<'_>, name: &str) -> Option<u64> {
    query.get(name).and_then(|text| text.parse().ok())
}
