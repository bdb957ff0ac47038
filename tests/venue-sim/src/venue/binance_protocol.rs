//! What Binance's product families have in common: who signs, which clock counts, how errors read.
//!
//! Source: Binance Spot API documentation, `rest-api.md` (request security) and `errors.md`; USD-M futures
//! documentation, general info. Stored copies, read 2026-11.

mod data;

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::account::{Accounts, Key};
use crate::book::{Book, Draft, Fate, Order, Side};
use crate::catalogue::Class;
use crate::clock::Moment;
use crate::market::{self, Symbol};
use crate::params::{Params, without_signature};
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal};
use crate::verifier::{KeyKind, Verifier};

pub(super) use self::data::{aggregated_trades, as_list, book_ticker, candles, depth, one_or_all, ticker_24h, trades};

pub(super) const KEY_HEADER: &str = "x-mbx-apikey";
pub(super) const PROBE: &str = "/sapi/v1/account/apiRestrictions";

const RECV_WINDOW_MS: u32 = 5_000;
const RECV_WINDOW_MS_MAX: u32 = 60_000;
const AHEAD_US_MAX: u64 = 1_000_000;
const KEY_LENGTH: usize = 64;

/// Operations that ask for the key's header and no signature.
const KEY_ONLY: [&str; 2] = ["/fapi/v1/listenKey", "/api/v3/userDataStream"];

/// `{"code": …, "msg": …}`.
pub(super) fn error(status: StatusCode, code: i32, msg: &str) -> Answer {
    Answer::json(status, &json!({ "code": code, "msg": msg }))
}

/// The refusal of a parameter or an order.
pub(super) fn bad_request(code: i32, msg: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, code, msg)
}

/// -1102.
pub(super) fn missing(name: &str) -> Answer {
    bad_request(-1102, &format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."))
}

/// Says no in Binance's words.
pub(super) fn refuse(refusal: Refusal, call: &Call<'_>) -> Answer {
    match refusal {
        Refusal::NoSuchOperation => {
            let (method, path) = call.endpoint();
            error(StatusCode::NOT_FOUND, -5000, &format!("Path {path}, Method {method} is invalid"))
        }
        Refusal::Forbidden | Refusal::DeadKey => {
            error(StatusCode::UNAUTHORIZED, -2015, "Invalid API-key, IP, or permissions for action.")
        }
        Refusal::RateLimited => error(
            StatusCode::TOO_MANY_REQUESTS,
            -1003,
            "Too many requests; please use the websocket for live updates to avoid polling the API.",
        )
        .with("retry-after", 1),
        Refusal::Banned => error(
            StatusCode::IM_A_TEAPOT,
            -1003,
            "Way too many requests; IP(127.0.0.1) banned. Please use the websocket for live updates to avoid bans.",
        )
        .with("retry-after", 120),
        Refusal::Unavailable => error(
            StatusCode::SERVICE_UNAVAILABLE,
            -1001,
            "Internal error; unable to process your request. Please try again.",
        ),
    }
}

/// Query before body: where both name a parameter, the query's counts.
pub(super) fn params(received: &Received) -> Params<'_> {
    Params::form(received.query().as_bytes()).or(Params::form(&received.body))
}

/// Prepares an HMAC, Ed25519 or RSA key.
pub(super) fn verifier(kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
    match kind {
        KeyKind::Hmac => Ok(Verifier::hmac_sha256(material)),
        KeyKind::Ed25519 | KeyKind::Rsa => {
            Verifier::public(kind, material).ok_or("public_key is no such key in PEM or base64")
        }
    }
}

/// Checks key, signature, repeated names and clock, in this order.
pub(super) fn authenticate(venue: &str, accounts: &Accounts, call: &Call<'_>) -> Proof {
    let unauthorized = |code, msg| Proof::unsigned(error(StatusCode::UNAUTHORIZED, code, msg));
    let key_id = call.received.header(KEY_HEADER);
    let Some((account, key)) = accounts.alive(venue, key_id) else {
        let well_formed = key_id.len() == KEY_LENGTH && key_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        return if well_formed {
            unauthorized(-2008, "Invalid Api-Key ID.")
        } else {
            unauthorized(-2014, "API-key format invalid.")
        };
    };
    let caller = Caller { account, key };
    if KEY_ONLY.contains(&call.path) {
        return Proof { signature_ok: false, caller: Ok(caller) };
    }
    let (query, in_query) = without_signature(call.received.query().as_bytes());
    let (body, in_body) = without_signature(&call.received.body);
    let Some(signature) = in_query.or(in_body).filter(|text| !text.is_empty()) else {
        return Proof::unsigned(missing("signature"));
    };
    let verifier = &caller.key.verifier;
    let accepted = verifier
        .decode_signature(&signature)
        .is_some_and(|signature| verifier.accepts(&[query, body].concat(), &signature));
    if !accepted {
        return Proof::unsigned(bad_request(-1022, "Signature for this request is not valid."));
    }
    if let Some(name) = sent_twice(call.received) {
        let msg = format!("Duplicate values for parameter '{name}' detected.");
        return Proof::signed_but(bad_request(-1101, &msg));
    }
    match check_clock(&call.params, call.received.at) {
        Ok(()) => Proof::of(caller),
        Err(refusal) => Proof::signed_but(refusal),
    }
}

/// Whether the permissions of a key cover the class of an operation; `trade` is the family's own tick box.
pub(super) fn permits(key: &Key, class: Class, trade: bool) -> bool {
    let permissions = &key.permissions;
    match class {
        Class::Market => true,
        Class::Read => permissions.read,
        Class::Trade => trade,
        Class::Withdraw => permissions.withdraw,
        Class::Transfer => permissions.transfer,
        Class::KeyManagement => permissions.key_management,
        Class::Login | Class::Alarming | Class::Unknown => false,
    }
}

/// The permission probe's answer.
pub(super) fn api_restrictions(key: &Key) -> Answer {
    let permissions = &key.permissions;
    let mut shown = Map::new();
    for (field, value) in [
        ("ipRestrict", permissions.ip_restricted),
        ("enableReading", permissions.read),
        ("enableSpotAndMarginTrading", permissions.trade_spot),
        ("enableMargin", permissions.trade_margin),
        ("enableFutures", permissions.trade_derivatives),
        ("enableVanillaOptions", false),
        ("enablePortfolioMarginTrading", false),
        ("enableFixApiTrade", false),
        ("enableFixReadOnly", false),
        ("enableInternalTransfer", permissions.transfer),
        ("permitsUniversalTransfer", permissions.transfer),
        ("enableWithdrawals", permissions.withdraw),
    ] {
        shown.insert(field.to_owned(), Value::Bool(value));
    }
    shown.insert("createTime".to_owned(), json!(1_700_000_000_000_u64));
    for name in &permissions.extra {
        shown.insert(name.clone(), Value::Bool(true));
    }
    key.lay_over(&mut shown);
    Answer::ok(&shown)
}

/// What a call looks like that moved money or keys and was let through.
pub(super) fn moved() -> Answer {
    Answer::ok(&json!({
        "id": "7213fea8e94b4a5593d507237e5a555b",
        "tranId": 100_000_001_u64,
        "success": true,
    }))
}

/// An operation that the catalogue allows and the simulator has no model of: said openly, in a header.
pub(super) fn unmodelled() -> Answer {
    Answer::ok(&json!({})).with("x-sim-unmodelled", 1)
}

/// What an answer says, whether or not it is a refusal: a part of another one.
pub(super) fn value(outcome: &Result<Answer, Answer>) -> Value {
    let (Ok(answer) | Err(answer)) = outcome;
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What an order type demands.
pub(super) struct OrderType {
    pub(super) name: &'static str,
    pub(super) mandatory: &'static [&'static str],
}

/// Reads the parameters of a new order by the family's rules.
pub(super) fn draft(call: &Call<'_>, types: &[OrderType], on_margin: bool) -> Result<Draft, Answer> {
    let params = &call.params;
    let symbol = symbol(params)?;
    let side = match params.get("side").ok_or_else(|| missing("side"))? {
        "BUY" => Side::Buy,
        "SELL" => Side::Sell,
        _ => return Err(bad_request(-1117, "Invalid side.")),
    };
    let kind = params.get("type").ok_or_else(|| missing("type"))?;
    let demands =
        types.iter().find(|known| known.name == kind).ok_or_else(|| bad_request(-1116, "Invalid orderType."))?;
    for name in demands.mandatory {
        params.get(name).ok_or_else(|| missing(name))?;
    }
    let time_in_force = params.get("timeInForce").unwrap_or("GTC");
    if !["GTC", "IOC", "FOK", "GTX", "GTD"].contains(&time_in_force) {
        return Err(bad_request(-1115, "Invalid timeInForce."));
    }
    let price = positive(params, "price")?;
    let quantity = match positive(params, "quantity")? {
        Some(quantity) => quantity,
        None => quote_quantity(params, symbol)?,
    };
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: time_in_force.to_owned(),
        price,
        quantity,
        client_order_id: client_order_id(params, "newClientOrderId")?,
        reduce_only: params.flag("reduceOnly"),
        on_margin,
        fate: match (kind, time_in_force) {
            ("MARKET", _) => Fate::Fill,
            (_, "IOC" | "FOK") => Fate::Expire,
            _ => Fate::Rest,
        },
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&["signature"]),
    })
}

/// The mandatory `symbol`.
pub(super) fn symbol(params: &Params<'_>) -> Result<&'static Symbol, Answer> {
    let name = params.get("symbol").ok_or_else(|| missing("symbol"))?;
    market::find(market::BINANCE, name).ok_or_else(|| bad_request(-1121, "Invalid symbol."))
}

/// The optional `symbol`, which chooses everything when it is not sent.
pub(super) fn symbol_filter(params: &Params<'_>) -> Result<Option<&'static Symbol>, Answer> {
    match params.get("symbol") {
        None => Ok(None),
        Some(_) => symbol(params).map(Some),
    }
}

/// Orders of one symbol, or all of them, each shown by `view`.
pub(super) fn list<'a, V: Serialize>(
    orders: impl Iterator<Item = &'a Order>,
    symbol: Option<&Symbol>,
    view: impl Fn(&'a Order) -> V,
) -> Answer {
    let views: Vec<V> =
        orders.filter(|order| symbol.is_none_or(|symbol| symbol.name == order.draft.symbol.name)).map(view).collect();
    Answer::ok(&views)
}

/// The order of `symbol` that was meant.
pub(super) fn find<'a>(book: &'a Book, symbol: &Symbol, wanted: &Wanted<'_>) -> Option<&'a Order> {
    let order = match wanted {
        Wanted::Id(id) => book.by_id(*id),
        Wanted::ClientId(id) => book.by_client_id(id),
    };
    order.filter(|order| order.draft.symbol.name == symbol.name)
}

/// `BUY` or `SELL`.
pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// Which order `orderId` or `origClientOrderId` means.
pub(super) enum Wanted<'a> {
    Id(u64),
    ClientId(&'a str),
}

/// Reads `orderId` or `origClientOrderId`, one of which must be there.
pub(super) fn wanted<'a>(params: &'a Params<'_>) -> Result<Wanted<'a>, Answer> {
    if let Some(id) = params.get("orderId") {
        return id.parse().map(Wanted::Id).map_err(|_| illegal("orderId", "^[0-9]{1,20}$"));
    }
    params.get("origClientOrderId").map(Wanted::ClientId).ok_or_else(|| missing("orderId"))
}

/// A name that occurs twice in the query or twice in the body; once in each is allowed.
fn sent_twice(received: &Received) -> Option<String> {
    [received.query().as_bytes(), &received.body]
        .into_iter()
        .find_map(|part| Params::form(part).repeated().map(str::to_owned))
}

fn illegal(name: &str, range: &str) -> Answer {
    bad_request(-1100, &format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."))
}

/// A decimal greater than zero, if it was sent.
pub(super) fn positive(params: &Params<'_>, name: &str) -> Result<Option<Decimal>, Answer> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let value: Decimal = text.parse().map_err(|_| illegal(name, "^([0-9]{1,20})(\\.[0-9]{1,20})?$"))?;
    if value > Decimal::ZERO { Ok(Some(value)) } else { Err(bad_request(-1013, &format!("Invalid {name}."))) }
}

fn quote_quantity(params: &Params<'_>, symbol: &Symbol) -> Result<Decimal, Answer> {
    let quote = positive(params, "quoteOrderQty")?.ok_or_else(|| missing("quantity"))?;
    Ok(quote.checked_div(symbol.price).unwrap_or_default().round_dp(8))
}

fn client_order_id(params: &Params<'_>, name: &str) -> Result<Option<String>, Answer> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let legal = text.len() <= 36 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:/_-".contains(&byte));
    if legal { Ok(Some(text.to_owned())) } else { Err(illegal(name, "^[\\.A-Z\\:/a-z0-9_-]{1,36}$")) }
}

fn check_clock(params: &Params<'_>, now: Moment) -> Result<(), Answer> {
    let sent_us = params.get("timestamp").and_then(timestamp_us).ok_or_else(|| missing("timestamp"))?;
    let window_ms = match params.get("recvWindow") {
        None => Decimal::from(RECV_WINDOW_MS),
        Some(text) => text.parse().map_err(|_| missing("recvWindow"))?,
    };
    if window_ms > Decimal::from(RECV_WINDOW_MS_MAX) {
        return Err(bad_request(-1131, "recvWindow must be less than 60000."));
    }
    let now_us = now.us();
    if sent_us >= now_us.saturating_add(AHEAD_US_MAX) {
        return Err(bad_request(-1021, "Timestamp for this request was 1000ms ahead of the server's time."));
    }
    let age_ms = Decimal::new(i64::try_from(now_us.saturating_sub(sent_us)).unwrap_or(i64::MAX), 3);
    if age_ms > window_ms {
        return Err(bad_request(-1021, "Timestamp for this request is outside of the recvWindow."));
    }
    Ok(())
}

/// Milliseconds, or microseconds when it has sixteen digits.
fn timestamp_us(text: &str) -> Option<u64> {
    let value: u64 = text.parse().ok()?;
    if text.len() >= 16 { Some(value) } else { value.checked_mul(1_000) }
}
