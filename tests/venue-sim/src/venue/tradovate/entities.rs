//! What Tradovate shows: every kind of thing is an entity with an id, read by the same few verbs.

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{ACCOUNT, MARKET, USER_ID};
use crate::book::{Book, Order, Side, Status};
use crate::clock::Moment;
use crate::market::{self, Symbol, number};
use crate::venue::broker::{account_ids, unmodelled};
use crate::venue::{Answer, Call, Caller};

const DEPOSIT: u32 = 50_000;

/// Answers `/v1/{entity}/{verb}`.
pub(super) fn show(call: &Call<'_>, caller: &Caller) -> Answer {
    let Some((entity, verb)) = call.path.strip_prefix("/v1/").and_then(|path| path.split_once('/')) else {
        return unmodelled();
    };
    if verb == "getcashbalancesnapshot" {
        return snapshot();
    }
    let Some((all, master)) = entities(entity, caller, call.received.at) else {
        return unmodelled();
    };
    let wanted =
        |name: &str| call.params.get(name).unwrap_or_default().split(',').map(str::to_owned).collect::<Vec<_>>();
    let chosen = |field: &str, values: &[String]| -> Vec<Value> {
        let text = |entity: &Value| match entity.get(field) {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        all.iter().filter(|entity| values.contains(&text(entity))).cloned().collect()
    };
    match verb {
        "list" => Answer::ok(&all),
        "item" => only(chosen("id", &wanted("id"))),
        "items" => Answer::ok(&chosen("id", &wanted("ids"))),
        "find" => only(chosen("name", &wanted("name"))),
        "deps" => Answer::ok(&chosen(master, &wanted("masterid"))),
        "ldeps" => Answer::ok(&chosen(master, &wanted("masterids"))),
        _ => unmodelled(),
    }
}

/// The contract of an order's symbol, or of an id.
pub(super) fn contract(name: &str) -> Option<&'static Symbol> {
    market::find(MARKET, name)
}

/// The client's own name for an order; Tradovate lets two of them have the same.
pub(super) fn client_order_id(order: &Order) -> Value {
    let params: Value = serde_json::from_str(&order.draft.params).unwrap_or_default();
    params.get("clOrdId").cloned().unwrap_or_default()
}

fn only(found: Vec<Value>) -> Answer {
    match found.into_iter().next() {
        Some(entity) => Answer::ok(&entity),
        None => Answer::json(StatusCode::NOT_FOUND, &json!({ "errorText": "Not found" })),
    }
}

fn snapshot() -> Answer {
    Answer::ok(&json!({
        "totalCashValue": DEPOSIT, "netLiq": DEPOSIT, "totalPnL": 0, "openPnL": 0, "realizedPnL": 0,
        "initialMargin": 0, "maintenanceMargin": 0, "weekRealizedPnL": 0,
    }))
}

/// All entities of a kind, and the field that names what they depend on.
fn entities(kind: &str, caller: &Caller, at: Moment) -> Option<(Vec<Value>, &'static str)> {
    let accounts = account_ids(&caller.key, ACCOUNT);
    let first = id(accounts.first().copied().unwrap_or(ACCOUNT));
    let of_orders = |show: &dyn Fn(&Order) -> Option<Value>| {
        caller.account.with_book(|book: &mut Book| book.all().filter_map(show).collect())
    };
    Some(match kind {
        "account" => (accounts.iter().map(|text| account(text, at)).collect(), "userId"),
        "cashBalance" => {
            let balance = |text: &&str| {
                json!({
                    "id": id(text), "accountId": id(text), "currencyId": 1, "amount": DEPOSIT, "timestamp": at.rfc3339(),
                })
            };
            (accounts.iter().map(balance).collect(), "accountId")
        }
        "contract" => (MARKET.iter().map(show_contract).collect(), "contractMaturityId"),
        "position" => {
            let positions = caller
                .account
                .with_book(|book| MARKET.iter().filter_map(|symbol| position(book, symbol, &first, at)).collect());
            (positions, "accountId")
        }
        "order" => (of_orders(&|order| Some(show_order(order))), "accountId"),
        "orderVersion" => (of_orders(&|order| Some(version(order))), "orderId"),
        "command" => (of_orders(&|order| Some(command(order))), "orderId"),
        "fill" => (of_orders(&fill), "orderId"),
        _ => return None,
    })
}

fn account(text: &str, at: Moment) -> Value {
    json!({
        "id": id(text), "name": format!("DEMO{text}"), "userId": USER_ID, "accountType": "Customer", "active": true,
        "marginAccountType": "Speculator", "legalStatus": "Individual", "timestamp": at.rfc3339(), "readonly": false,
    })
}

fn show_contract(symbol: &Symbol) -> Value {
    json!({
        "id": contract_id(symbol), "name": symbol.name, "contractMaturityId": contract_id(symbol),
        "status": "Verified", "providerTickSize": 0.25,
    })
}

fn position(book: &Book, symbol: &Symbol, account: &Value, at: Moment) -> Option<Value> {
    let held = book.positions.get(symbol.name)?;
    Some(json!({
        "id": contract_id(symbol), "accountId": account, "contractId": contract_id(symbol),
        "timestamp": at.rfc3339(), "netPos": number(held.amount), "netPrice": number(held.entry_price),
        "bought": number(held.amount.max(Decimal::ZERO)), "sold": number(held.amount.min(Decimal::ZERO).abs()),
        "prevPos": 0,
    }))
}

fn show_order(order: &Order) -> Value {
    json!({
        "id": order.id, "accountId": sent(order, "accountId"), "contractId": contract_id(order.draft.symbol),
        "timestamp": order.draft.received.rfc3339(), "action": action(order.draft.side),
        "ordStatus": match order.status {
            Status::New => "Working",
            Status::Filled => "Filled",
            Status::Canceled => "Canceled",
            Status::Expired => "Expired",
        },
        "executionProviderId": 1, "archived": false, "external": false, "admin": false,
    })
}

fn version(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "id": order.id, "orderId": order.id, "orderQty": number(draft.quantity), "orderType": draft.kind,
        "price": draft.price.map(number), "timeInForce": draft.time_in_force,
    })
}

fn command(order: &Order) -> Value {
    json!({
        "id": order.id, "orderId": order.id, "timestamp": order.draft.received.rfc3339(),
        "clOrdId": client_order_id(order), "commandType": "New", "commandStatus": "ExecutionStopped",
    })
}

fn fill(order: &Order) -> Option<Value> {
    (!order.executed.is_zero()).then(|| {
        json!({
            "id": order.id, "orderId": order.id, "contractId": contract_id(order.draft.symbol),
            "timestamp": order.updated.rfc3339(), "action": action(order.draft.side),
            "qty": number(order.executed), "price": number(order.average_price()), "active": true, "finallyPaired": 0,
        })
    })
}

/// What the client sent, as the number it is.
fn sent(order: &Order, name: &str) -> Value {
    let params: Value = serde_json::from_str(&order.draft.params).unwrap_or_default();
    params.get(name).and_then(Value::as_str).map(id).unwrap_or_default()
}

fn id(text: &str) -> Value {
    text.parse::<u64>().map(Value::from).unwrap_or_default()
}

fn contract_id(symbol: &Symbol) -> Value {
    symbol.aliases.first().copied().map(id).unwrap_or_default()
}

const fn action(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "Sell",
    }
}
