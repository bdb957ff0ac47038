//! Placing, confirming, modifying and canceling at Interactive Brokers.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::view::contract;
use super::{MARKET, bad_request};
use crate::book::{Book, Draft, Fate, Side};
use crate::market;
use crate::params::Params;
use crate::venue::broker::{self, decimal};
use crate::venue::{Answer, Call, Caller};
use uuid::Uuid;

/// A limit price that is further from the market draws a question, in percent.
const PRICE_CONSTRAINT_PERCENT: u32 = 3;

/// Places the orders of the body, or asks first.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let drafts = drafts(call)?;
    if let Some(question) = drafts.iter().find_map(question) {
        let id = Uuid::from_u64_pair(call.received.at.ns(), call.received.seq).to_string();
        caller.account.with_sessions(|sessions| sessions.brokerage.questions.insert(id.clone(), drafts));
        return Ok(Answer::ok(&json!([{
            "id": id, "message": [question], "isSuppressed": false, "messageIds": ["o163"],
        }])));
    }
    caller.account.with_book(|book| put(book, drafts))
}

/// Answers a question; only a yes places the orders that it was about.
pub(super) fn reply(call: &Call<'_>, caller: &Caller, id: &str) -> Result<Answer, Answer> {
    let drafts = caller
        .account
        .with_sessions(|sessions| sessions.brokerage.questions.remove(id))
        .ok_or_else(|| bad_request("Unknown reply id"))?;
    if !call.params.flag("confirmed") {
        return Err(bad_request("The order was not confirmed"));
    }
    caller.account.with_book(|book| put(book, drafts))
}

/// Says what the orders of the body would cost.
pub(super) fn preview(call: &Call<'_>) -> Result<Answer, Answer> {
    let amount: Decimal = drafts(call)?.iter().map(|draft| draft.quantity.saturating_mul(draft.symbol.price)).sum();
    Ok(Answer::ok(&json!({
        "amount": { "amount": format!("{amount} USD"), "commission": "1 USD" }, "warn": null, "error": null,
    })))
}

/// Gives an open order another price or quantity.
pub(super) fn modify(call: &Call<'_>, caller: &Caller, id: &str) -> Result<Answer, Answer> {
    let (price, quantity) = (decimal(&call.params, "price"), decimal(&call.params, "quantity"));
    caller.account.with_book(|book| {
        let order = id.parse().ok().and_then(|id| book.amend(id, price, quantity, call.received.at));
        order.ok_or_else(|| unknown(id))?;
        Ok(Answer::ok(&json!([submitted(id)])))
    })
}

/// Cancels an open order.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller, id: &str) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        let order = id.parse().ok().and_then(|id| book.cancel(id, call.received.at)).ok_or_else(|| unknown(id))?;
        Ok(Answer::ok(&json!({
            "msg": "Request was submitted", "order_id": order.id, "conid": contract(order.draft.symbol),
        })))
    })
}

fn unknown(id: &str) -> Answer {
    bad_request(&format!("OrderID {id} doesn't exist"))
}

fn submitted(id: &str) -> Value {
    json!({ "order_id": id, "order_status": "Submitted", "encrypt_message": "1" })
}

/// Places all or, if one has a name that was used before, none.
fn put(book: &mut Book, drafts: Vec<Draft>) -> Result<Answer, Answer> {
    let registered = |id: &str| bad_request(&format!("Local order ID={id} is already registered."));
    for id in drafts.iter().filter_map(|draft| draft.client_order_id.as_deref()) {
        if book.by_client_id(id).is_some() {
            return Err(registered(id));
        }
    }
    let placed = drafts
        .into_iter()
        .map(|draft| {
            let order = book.place(draft).map_err(|_| registered("of another order"))?;
            Ok(submitted(&order.id.to_string()))
        })
        .collect::<Result<Vec<Value>, Answer>>()?;
    Ok(Answer::ok(&placed))
}

fn drafts(call: &Call<'_>) -> Result<Vec<Draft>, Answer> {
    let orders: Vec<Map<String, Value>> =
        call.params.get("orders").and_then(|orders| serde_json::from_str(orders).ok()).unwrap_or_default();
    if orders.is_empty() {
        return Err(bad_request("orders is missing"));
    }
    orders.into_iter().map(|order| draft(call, order)).collect()
}

fn draft(call: &Call<'_>, order: Map<String, Value>) -> Result<Draft, Answer> {
    let text = Value::Object(order.clone()).to_string();
    let params = Params::object(order);
    let symbol =
        market::find(MARKET, params.get("conid").unwrap_or_default()).ok_or_else(|| bad_request("No such contract"))?;
    let side = match params.get("side") {
        Some("BUY") => Side::Buy,
        Some("SELL") => Side::Sell,
        _ => return Err(bad_request("side must be BUY or SELL")),
    };
    let quantity = decimal(&params, "quantity")
        .filter(|quantity| *quantity > Decimal::ZERO)
        .ok_or_else(|| bad_request("quantity is missing"))?;
    let kind = params.get("orderType").unwrap_or_default();
    let price = decimal(&params, "price").filter(|price| *price > Decimal::ZERO);
    let time_in_force = params.get("tif").ok_or_else(|| bad_request("tif is missing"))?;
    let fate = match (kind, time_in_force) {
        ("MKT", _) => Fate::Fill,
        ("LMT" | "STP" | "STOP_LIMIT" | "TRAIL", _) if price.is_none() => return Err(bad_request("price is missing")),
        ("LMT", "IOC" | "FOK") => Fate::Expire,
        ("LMT" | "STP" | "STOP_LIMIT" | "TRAIL", _) => Fate::Rest,
        _ => return Err(bad_request("Invalid order type")),
    };
    Ok(Draft {
        time_in_force: time_in_force.to_owned(),
        price,
        client_order_id: params.get("cOID").map(str::to_owned),
        fate,
        params: text.into_boxed_str(),
        ..broker::draft(call, symbol, side, kind, quantity)
    })
}

/// What the venue wants to be sure of before it takes an order.
fn question(draft: &Draft) -> Option<String> {
    let (price, market) = (draft.price?, draft.symbol.price);
    let distance = price.saturating_sub(market).abs().saturating_mul(Decimal::ONE_HUNDRED);
    let far = draft.kind == "LMT" && distance > market.saturating_mul(PRICE_CONSTRAINT_PERCENT.into());
    far.then(|| {
        format!(
            "The limit price {price} of {} is more than {PRICE_CONSTRAINT_PERCENT}% away from the market. Submit the order?",
            draft.symbol.name
        )
    })
}
