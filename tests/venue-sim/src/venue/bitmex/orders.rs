//! What `BitMEX` does with orders.

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{MARKET, bad_request, error, view};
use crate::book::{Book, Draft, Fate, Rejected, Side};
use crate::market::{self, Symbol};
use crate::venue::order_uuid::order_id;
use crate::venue::{Answer, Call};

/// Order types, and the price that each demands.
const ORDER_TYPES: [(&str, Option<&str>); 6] = [
    ("Market", None),
    ("Limit", Some("price")),
    ("Stop", Some("stopPx")),
    ("StopLimit", Some("stopPx")),
    ("MarketIfTouched", Some("stopPx")),
    ("LimitIfTouched", Some("stopPx")),
];

const CLIENT_ID_LENGTH_MAX: usize = 36;

/// The orders that the filter, the symbol and the count choose.
pub(super) fn list(call: &Call<'_>, book: &Book) -> Result<Answer, Answer> {
    let wanted = view::filter(call)?;
    let symbol = call.params.get("symbol");
    let count = call.params.get("count").and_then(|text| text.parse().ok()).unwrap_or(100);
    let chosen = |order: &Value| {
        symbol.is_none_or(|symbol| order["symbol"] == symbol)
            && wanted.iter().all(|(name, value)| match name.as_str() {
                "open" => order["workingIndicator"] == *value,
                name => order[name] == *value,
            })
    };
    let mut shown: Vec<Value> = book.all().map(view::order).filter(chosen).collect();
    if call.params.flag("reverse") {
        shown.reverse();
    }
    shown.truncate(count);
    Ok(Answer::ok(&shown))
}

/// Places an order.
pub(super) fn place(call: &Call<'_>, book: &mut Book) -> Result<Answer, Answer> {
    match book.place(draft(call)?) {
        Ok(order) => Ok(Answer::ok(&view::order(order))),
        Err(Rejected::DuplicateClientOrderId) => Err(bad_request("Duplicate clOrdID")),
        Err(Rejected::NothingToReduce) => {
            Err(bad_request("Order had execInst of Close or ReduceOnly but current position is 0"))
        }
    }
}

/// Changes an open order.
pub(super) fn amend(call: &Call<'_>, book: &mut Book) -> Result<Answer, Answer> {
    let params = &call.params;
    let (price, quantity) = (positive(call, "price", "Invalid price")?, positive(call, "orderQty", INVALID_QUANTITY)?);
    let id = match (params.get("orderID"), params.get("origClOrdID")) {
        (Some(id), _) => order_id(id).and_then(|id| book.by_id(id)).ok_or_else(|| bad_request("Invalid orderID")),
        (None, Some(id)) => book.by_client_id(id).ok_or_else(|| bad_request("Invalid origClOrdID")),
        (None, None) => Err(bad_request("orderID or origClOrdID must be sent.")),
    }?
    .id;
    let amended = book.amend(id, price, quantity, call.received.at);
    amended.map(|order| Answer::ok(&view::order(order))).ok_or_else(|| bad_request("Invalid ordStatus"))
}

/// Cancels orders by id or by client's id, one or a list of them.
pub(super) fn cancel(call: &Call<'_>, book: &mut Book) -> Result<Answer, Answer> {
    let wanted = |name: &str| call.params.get(name).map(one_or_many);
    let ids: Vec<Option<u64>> = match (wanted("orderID"), wanted("clOrdID")) {
        (Some(ids), _) => {
            ids.iter().map(|id| order_id(id).and_then(|id| book.by_id(id)).map(|order| order.id)).collect()
        }
        (None, Some(ids)) => ids.iter().map(|id| book.by_client_id(id).map(|order| order.id)).collect(),
        (None, None) => return Err(bad_request("orderID or clOrdID must be sent.")),
    };
    let known: Vec<u64> = ids.into_iter().flatten().collect();
    if known.is_empty() {
        return Err(error(StatusCode::NOT_FOUND, "Not Found"));
    }
    Ok(Answer::ok(&known.into_iter().filter_map(|id| cancel_one(call, book, id)).collect::<Value>()))
}

/// Cancels the open orders of a symbol, or all.
pub(super) fn cancel_all(call: &Call<'_>, book: &mut Book) -> Result<Answer, Answer> {
    let only = call.params.get("symbol").map(|_| symbol(call)).transpose()?;
    let ids = book.cancel_all(only, call.received.at);
    Ok(Answer::ok(&ids.iter().filter_map(|id| book.by_id(*id)).map(view::order).collect::<Value>()))
}

/// The mandatory symbol.
pub(super) fn symbol(call: &Call<'_>) -> Result<&'static Symbol, Answer> {
    let name = call.params.get("symbol").ok_or_else(|| bad_request("'symbol' is a required arg."))?;
    market::find(MARKET, name).ok_or_else(|| bad_request("symbol is invalid"))
}

/// A decimal, if it was sent.
pub(super) fn decimal(call: &Call<'_>, name: &str) -> Result<Option<Decimal>, Answer> {
    let parse = |text: &str| {
        let number = text.parse().or_else(|_| Decimal::from_scientific(text));
        number.map_err(|_| bad_request(&format!("{name} is invalid")))
    };
    call.params.get(name).map(parse).transpose()
}

fn cancel_one(call: &Call<'_>, book: &mut Book, id: u64) -> Option<Value> {
    if let Some(order) = book.cancel(id, call.received.at) {
        return Some(view::order(order));
    }
    let order = book.by_id(id)?;
    let mut shown = view::order(order);
    if let Value::Object(shown) = &mut shown {
        let state = view::status_word(order.status);
        shown.insert("error".to_owned(), json!(format!("Unable to cancel order due to existing state: {state}")));
    }
    Some(shown)
}

fn draft(call: &Call<'_>) -> Result<Draft, Answer> {
    let params = &call.params;
    let symbol = symbol(call)?;
    let quantity = decimal(call, "orderQty")?.filter(|quantity| !quantity.is_zero());
    let quantity = quantity.ok_or_else(|| bad_request(INVALID_QUANTITY))?;
    let side = match params.get("side") {
        Some("Buy") => Side::Buy,
        Some("Sell") => Side::Sell,
        Some(_) => return Err(bad_request("side is invalid")),
        None if quantity.is_sign_negative() => Side::Sell,
        None => Side::Buy,
    };
    let price = positive(call, "price", "Invalid price")?;
    let kind = params.get("ordType").unwrap_or(if price.is_some() { "Limit" } else { "Market" });
    let (kind, demanded) =
        ORDER_TYPES.into_iter().find(|(name, _)| *name == kind).ok_or_else(|| bad_request("ordType is invalid"))?;
    match demanded {
        Some("price") if price.is_none() => return Err(bad_request("Invalid price")),
        Some("stopPx") => {
            let sent = positive(call, "stopPx", "Invalid stopPx for ordType")?;
            sent.ok_or_else(|| bad_request("Invalid stopPx for ordType"))?;
        }
        _ => {}
    }
    if params.get("clOrdID").is_some_and(|id| id.len() > CLIENT_ID_LENGTH_MAX) {
        return Err(bad_request("clOrdID is too long"));
    }
    let time_in_force = params.get("timeInForce").unwrap_or("GoodTillCancel");
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: time_in_force.to_owned(),
        price,
        quantity: quantity.abs(),
        client_order_id: params.get("clOrdID").map(str::to_owned),
        reduce_only: params.get("execInst").is_some_and(|words| words.split(',').any(|word| word == "ReduceOnly")),
        on_margin: true,
        fate: match (kind, time_in_force) {
            ("Market", _) => Fate::Fill,
            (_, "ImmediateOrCancel" | "FillOrKill") => Fate::Expire,
            _ => Fate::Rest,
        },
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&[]),
    })
}

fn positive(call: &Call<'_>, name: &str, refusal: &str) -> Result<Option<Decimal>, Answer> {
    match decimal(call, name)? {
        Some(value) if value <= Decimal::ZERO => Err(bad_request(refusal)),
        value => Ok(value),
    }
}

fn one_or_many(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()])
}

const INVALID_QUANTITY: &str = "orderQty is invalid";
