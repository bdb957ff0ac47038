//! Kraken spot.
//!
//! Source: docs.kraken.com, Spot REST authentication guide and API reference. Stored copies, read 2026-11.

mod txid;
mod view;

use aws_lc_rs::digest::{self, SHA256};
use data_encoding::BASE64;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, StatusCode};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use self::txid::{order_id, txid};
use crate::account::{Accounts, Key};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side, Status};
use crate::clock::Moment;
use crate::limits::{Excess, Limit, Scope};
use crate::market::{self, KRAKEN, Symbol, fixed};
use crate::params::Params;
use crate::recorder::Received;
use crate::venue::{Answer, Call, Caller, Proof, Refusal, Venue};
use crate::verifier::{KeyKind, Verifier};

const PRIVATE: &str = "/0/private/";
/// Orders that one batch may hold; the counter takes a batch for full.
const BATCH_MAX: u32 = 15;

/// Order types, and whether each demands a price.
const ORDER_TYPES: [(&str, bool); 10] = [
    ("market", false),
    ("limit", true),
    ("iceberg", true),
    ("stop-loss", true),
    ("take-profit", true),
    ("trailing-stop", true),
    ("stop-loss-limit", true),
    ("take-profit-limit", true),
    ("trailing-stop-limit", true),
    ("settle-position", false),
];

/// Kraken spot.
#[derive(Debug)]
pub(crate) struct Kraken;

impl Venue for Kraken {
    fn id(&self) -> &'static str {
        "kraken"
    }

    fn verifier(&self, kind: KeyKind, material: &str) -> Result<Verifier, &'static str> {
        match kind {
            KeyKind::Hmac => Verifier::hmac_sha512_base64(material).ok_or("secret is not base64"),
            KeyKind::Ed25519 | KeyKind::Rsa => Err("kraken knows no public keys"),
        }
    }

    fn claimed_key<'a>(&self, received: &'a Received) -> &'a str {
        received.header("api-key")
    }

    /// Public calls use the query, private ones the body, whose content type says whether it is a form or JSON.
    fn params<'a>(&self, received: &'a Received) -> Params<'a> {
        if received.method == Method::GET {
            Params::form(received.query().as_bytes())
        } else if received.header(CONTENT_TYPE.as_str()).starts_with("application/json") {
            Params::json(&received.body)
        } else {
            Params::form(&received.body)
        }
    }

    /// Checks key, signature and nonce, in this order; only a signed nonce is used up.
    fn authenticate(&self, accounts: &Accounts, call: &Call<'_>) -> Proof {
        let key_id = call.received.header("api-key");
        let Some((account, key)) = accounts.alive(self.id(), key_id) else {
            return Proof::unsigned(error("EAPI:Invalid key"));
        };
        let nonce = call.params.get("nonce").unwrap_or_default();
        let accepted = BASE64.decode(call.received.header("api-sign").as_bytes()).is_ok_and(|signature| {
            key.verifier.accepts(&signed_bytes(call.path, nonce, &call.received.body), &signature)
        });
        if !accepted {
            return Proof::unsigned(error("EAPI:Invalid signature"));
        }
        match nonce.parse() {
            Ok(nonce) if account.advance_nonce(nonce) => Proof::of(Caller { account, key }),
            _ => Proof::signed_but(error("EAPI:Invalid nonce")),
        }
    }

    fn permits(&self, key: &Key, call: &Call<'_>) -> bool {
        let method = call.path.strip_prefix(PRIVATE).unwrap_or_default();
        let Some(sufficient) = sufficient_permissions(method) else {
            return false;
        };
        let granted = permissions(key);
        sufficient.is_empty() || sufficient.iter().any(|one| granted.iter().any(|has| has == one))
    }

    fn market(&self, call: &Call<'_>) -> Answer {
        market(call).unwrap_or_else(|refused| refused)
    }

    fn act(&self, call: &Call<'_>, caller: &Caller) -> Answer {
        if call.operation.class.trips() {
            return result(&json!({ "refid": "FTQcuak-V6Za8qrWnhzTx67yYHz8Tg" }));
        }
        act(call, caller).unwrap_or_else(|refused| refused)
    }

    fn refuse(&self, refusal: Refusal, _call: &Call<'_>) -> Answer {
        let with_status = |status, text| Answer { status, ..error(text) };
        match refusal {
            Refusal::NoSuchOperation => error("EGeneral:Unknown method"),
            Refusal::Forbidden => error("EGeneral:Permission denied"),
            Refusal::DeadKey => error("EAPI:Invalid key"),
            Refusal::RateLimited => with_status(StatusCode::TOO_MANY_REQUESTS, "EAPI:Rate limit exceeded"),
            Refusal::Banned => with_status(StatusCode::IM_A_TEAPOT, "EGeneral:Temporary lockout"),
            Refusal::Unavailable => with_status(StatusCode::SERVICE_UNAVAILABLE, "EService:Unavailable"),
        }
    }

    /// The call counter and the counter of orders of a verified account; Kraken sends no rate headers.
    fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::per(Scope::Key, 40_000, 20).path(PRIVATE).decaying(),
            Limit::per(Scope::Orders, 53_400, 125).path(PRIVATE).decaying(),
        ]
    }

    /// Orders and cancellations are the trading engine's and do not move the call counter.
    fn cost(&self, scope: Scope, call: &Call<'_>) -> u32 {
        let (calls, orders) = match call.path.strip_prefix(PRIVATE).unwrap_or_default() {
            "AddOrder" | "AmendOrder" | "EditOrder" => (0, 1),
            "AddOrderBatch" => (0, BATCH_MAX),
            "CancelOrder" | "CancelOrderBatch" | "CancelAll" | "CancelAllOrdersAfter" => (0, 0),
            "Ledgers" | "QueryLedgers" | "TradesHistory" | "ClosedOrders" => (2, 0),
            _ => (1, 0),
        };
        if scope == Scope::Orders { orders } else { calls }
    }

    fn over_limit(&self, excess: Excess, _call: &Call<'_>) -> Answer {
        match (excess.scope, excess.banned) {
            (_, true) => error("EGeneral:Temporary lockout"),
            (Scope::Orders, false) => error("EOrder:Rate limit exceeded"),
            (Scope::Address | Scope::Key | Scope::Endpoint, false) => error("EAPI:Rate limit exceeded"),
        }
    }
}

fn error(text: &str) -> Answer {
    Answer::ok(&json!({ "error": [text] }))
}

fn invalid(name: &str) -> Answer {
    error(&format!("EGeneral:Invalid arguments:{name}"))
}

fn result(result: &Value) -> Answer {
    Answer::ok(&json!({ "error": [], "result": result }))
}

/// Path, then the digest of the nonce's text and the whole body.
fn signed_bytes(path: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    let mut hashed = digest::Context::new(&SHA256);
    hashed.update(nonce.as_bytes());
    hashed.update(body);
    [path.as_bytes(), hashed.finish().as_ref()].concat()
}

/// The permissions of which one must be there; empty if none is needed, `None` if none suffices.
fn sufficient_permissions(method: &str) -> Option<&'static [&'static str]> {
    Some(match method {
        "GetApiKeyInfo" => &[],
        "Balance" | "BalanceEx" | "TradeBalance" | "CreditLines" => &["query-funds"],
        "OpenOrders" | "OpenPositions" => &["query-open-trades"],
        "ClosedOrders" | "TradesHistory" | "QueryTrades" | "TradeVolume" => &["query-closed-trades"],
        "QueryOrders" | "OrderAmends" | "Level3" => &["query-open-trades", "query-closed-trades"],
        "Ledgers" | "QueryLedgers" => &["query-ledger"],
        "AddOrder" | "AddOrderBatch" | "AmendOrder" | "EditOrder" => &["modify-trades"],
        "CancelOrder" | "CancelOrderBatch" | "CancelAll" | "CancelAllOrdersAfter" => &["modify-trades", "close-trades"],
        "GetWebSocketsToken" => &["create-ws-token"],
        "AddExport" | "RetrieveExport" | "RemoveExport" => &["export-data"],
        "DepositMethods" | "DepositAddresses" => &["add-funds"],
        "Earn/Allocate" | "Earn/Deallocate" => &["earn-funds"],
        "Withdraw" | "WithdrawInfo" | "WithdrawMethods" | "WithdrawAddresses" | "WithdrawStatus" | "WithdrawCancel"
        | "WalletTransfer" | "AccountTransfer" => &["withdraw-funds"],
        "CreateSubaccount" | "ListWalletAccounts" => &["add-withdraw-address"],
        _ => return None,
    })
}

/// The key's permissions in Kraken's words; a list given at registration replaces all.
fn permissions(key: &Key) -> Vec<String> {
    if let Some(Value::Array(names)) = &key.raw_permissions {
        return names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let has = &key.permissions;
    let read = ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger"];
    let boxes: [(bool, &[&str]); 5] = [
        (has.read, &read),
        (has.trade_spot || has.trade_margin, &["modify-trades", "close-trades"]),
        (has.transfer, &["add-funds", "earn-funds"]),
        (has.withdraw, &["withdraw-funds"]),
        (has.key_management, &["add-withdraw-address", "update-withdraw-address"]),
    ];
    boxes
        .iter()
        .filter(|(ticked, _)| *ticked)
        .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()))
        .chain(has.extra.iter().cloned())
        .collect()
}

fn api_key_info(caller: &Caller, now: Moment) -> Answer {
    let key = &caller.key;
    let allowed: &[&str] = if key.permissions.ip_restricted { &["127.0.0.1"] } else { &[] };
    let mut info = json!({
        "apiKeyName": "simulated",
        "apiKey": caller.account.key_id,
        "nonce": caller.account.last_nonce().unwrap_or_default().to_string(),
        "nonceWindow": 0,
        "permissions": permissions(key),
        "iban": "",
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": "1700000000",
        "modifiedTime": "1700000000",
        "ipAllowlist": allowed,
        "lastUsed": now.secs().to_string(),
    });
    if let Value::Object(info) = &mut info {
        key.lay_over(info);
    }
    result(&info)
}

fn market(call: &Call<'_>) -> Result<Answer, Answer> {
    let now = call.received.at;
    Ok(match call.path {
        "/0/public/Time" => result(&json!({ "unixtime": now.secs(), "rfc1123": "" })),
        "/0/public/SystemStatus" => result(&json!({ "status": "online" })),
        "/0/public/Ticker" => result(&Value::Object(
            pairs(call)?.into_iter().map(|pair| (view::wire_name(pair).to_owned(), ticker(pair))).collect(),
        )),
        "/0/public/AssetPairs" => result(&Value::Object(
            pairs(call)?.into_iter().map(|pair| (view::wire_name(pair).to_owned(), asset_pair(pair))).collect(),
        )),
        _ => result(&json!({})).with("x-sim-unmodelled", 1),
    })
}

/// The pairs of a comma-separated `pair`, or all.
fn pairs(call: &Call<'_>) -> Result<Vec<&'static Symbol>, Answer> {
    match call.params.get("pair") {
        None => Ok(KRAKEN.iter().collect()),
        Some(names) => names.split(',').map(pair).collect(),
    }
}

fn pair(name: &str) -> Result<&'static Symbol, Answer> {
    market::find(KRAKEN, name).ok_or_else(|| error("EQuery:Unknown asset pair"))
}

fn ticker(pair: &Symbol) -> Value {
    let price = fixed(pair.price, 5);
    json!({
        "a": [price, "1", "1.000"], "b": [price, "1", "1.000"], "c": [price, "0.10000000"],
        "v": ["1000.0", "1000.0"], "p": [price, price], "t": [1000, 1000],
        "l": [price, price], "h": [price, price], "o": price,
    })
}

fn asset_pair(pair: &Symbol) -> Value {
    json!({
        "altname": pair.name, "wsname": pair.aliases.last(),
        "base": pair.base, "quote": pair.quote,
        "pair_decimals": 1, "lot_decimals": 8, "cost_decimals": 5,
        "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": "online",
    })
}

fn act(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let account = &caller.account;
    let at = call.received.at;
    match call.path.strip_prefix(PRIVATE).unwrap_or_default() {
        "GetApiKeyInfo" => Ok(api_key_info(caller, at)),
        "Balance" => Ok(account.with_book(|book| result(&view::balances(book)))),
        "TradeBalance" => {
            let equity = fixed(Decimal::from(1_000_000), 4);
            Ok(result(&json!({ "eb": equity, "tb": equity, "e": equity, "mf": equity, "m": "0.0000" })))
        }
        "OpenPositions" => Ok(account.with_book(|book| result(&view::positions(book)))),
        "OpenOrders" => {
            let open = account.with_book(|book| view::orders(book.open().filter(|order| asked_for(call, order))));
            Ok(result(&json!({ "open": open })))
        }
        "ClosedOrders" => {
            let closed = account.with_book(|book| {
                view::orders(book.all().filter(|order| order.status != Status::New && asked_for(call, order)))
            });
            let count = closed.len();
            Ok(result(&json!({ "closed": closed, "count": count })))
        }
        "QueryOrders" => account.with_book(|book| {
            let orders = wanted(call, book)?;
            Ok(result(&Value::Object(view::orders(orders.into_iter()))))
        }),
        "AddOrder" => place(call, caller),
        "AmendOrder" => account.with_book(|book| {
            let id = only_one(&wanted(call, book)?)?;
            let (price, quantity) = (decimal(call, "limit_price")?, decimal(call, "order_qty")?);
            book.amend(id, price, quantity, at).ok_or_else(|| error("EOrder:Unknown order"))?;
            Ok(result(&json!({ "amend_id": txid(id ^ call.received.seq) })))
        }),
        "CancelOrder" => account.with_book(|book| {
            let id = only_one(&wanted(call, book)?)?;
            book.cancel(id, at).ok_or_else(|| error("EOrder:Unknown order"))?;
            Ok(result(&json!({ "count": 1 })))
        }),
        "CancelAll" => {
            let canceled = account.with_book(|book| book.cancel_all(None, at));
            Ok(result(&json!({ "count": canceled.len() })))
        }
        _ => Ok(result(&json!({})).with("x-sim-unmodelled", 1)),
    }
}

fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let draft = draft(call)?;
    let description = view::describe(&draft);
    if call.params.flag("validate") {
        return Ok(result(&json!({ "descr": { "order": description } })));
    }
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) => Ok(result(&json!({
            "descr": { "order": description },
            "txid": [txid(order.id)],
        }))),
        // Kraken documents that the id must be unique among open orders, not how it says so.
        Err(Rejected::DuplicateClientOrderId) => Err(invalid("cl_ord_id")),
        Err(Rejected::NothingToReduce) => Err(error("EOrder:Reduce only:No position exists")),
    })
}

fn draft(call: &Call<'_>) -> Result<Draft, Answer> {
    let params = &call.params;
    let symbol = pair(params.get("pair").ok_or_else(|| invalid("pair"))?)?;
    let side = match params.get("type") {
        Some("buy") => Side::Buy,
        Some("sell") => Side::Sell,
        _ => return Err(invalid("type")),
    };
    let (kind, priced) = ORDER_TYPES
        .into_iter()
        .find(|(name, _)| params.get("ordertype") == Some(name))
        .ok_or_else(|| invalid("ordertype"))?;
    let price = decimal(call, "price")?;
    if priced && price.is_none() {
        return Err(invalid("price"));
    }
    let time_in_force = params.get("timeinforce").unwrap_or("GTC");
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: time_in_force.to_owned(),
        price,
        quantity: decimal(call, "volume")?.ok_or_else(|| invalid("volume"))?,
        client_order_id: params.get("cl_ord_id").map(str::to_owned),
        reduce_only: params.flag("reduce_only"),
        on_margin: params.get("leverage").is_some_and(|leverage| leverage != "none"),
        fate: match (kind, time_in_force) {
            ("market" | "settle-position", _) => Fate::Fill,
            (_, "IOC") => Fate::Expire,
            _ => Fate::Rest,
        },
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&["otp"]),
    })
}

/// A decimal greater than zero, if it was sent.
fn decimal(call: &Call<'_>, name: &str) -> Result<Option<Decimal>, Answer> {
    let parse = |text: &str| text.parse().ok().filter(|value| *value > Decimal::ZERO);
    call.params.get(name).map(|text| parse(text).ok_or_else(|| invalid(name))).transpose()
}

/// The orders that `txid`, a comma-separated list, or `cl_ord_id` means.
fn wanted<'a>(call: &Call<'_>, book: &'a Book) -> Result<Vec<&'a Order>, Answer> {
    let by_txid = |text: &str| order_id(text).and_then(|id| book.by_id(id));
    let found: Option<Vec<&Order>> = match (call.params.get("txid"), call.params.get("cl_ord_id")) {
        (Some(list), _) => list.split(',').map(by_txid).collect(),
        (None, Some(id)) => book.by_client_id(id).map(|order| vec![order]),
        (None, None) => return Err(invalid("txid")),
    };
    found.ok_or_else(|| error("EOrder:Unknown order"))
}

fn only_one(orders: &[&Order]) -> Result<u64, Answer> {
    match orders {
        [order] => Ok(order.id),
        _ => Err(invalid("txid")),
    }
}

fn asked_for(call: &Call<'_>, order: &Order) -> bool {
    let fits = |name: &str, value: &str| call.params.get(name).is_none_or(|wanted| wanted == value);
    fits("cl_ord_id", order.client_order_id()) && fits("userref", &view::user_reference(order).to_string())
}
