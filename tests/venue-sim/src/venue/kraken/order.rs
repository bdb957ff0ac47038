//! Kraken's orders: how they are placed, changed and named.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::txid::{order_id, txid};
use super::{error, invalid, public, result, view};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side};
use crate::params::Params;
use crate::venue::{Answer, Call, Caller};

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

/// `AddOrder`.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let draft = draft(call)?;
    let description = json!({ "order": view::describe(&draft) });
    if call.params.flag("validate") {
        return Ok(result(&json!({ "descr": description })));
    }
    let id = take(caller, draft)?;
    Ok(result(&json!({ "descr": description, "txid": [txid(id)] })))
}

/// `AddOrderBatch`: all are read before one is taken.
pub(super) fn place_all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let pair = call.params.get("pair").ok_or_else(|| invalid("pair"))?;
    let mut drafts = Vec::new();
    for params in listed(call)? {
        let params = params.or(Params::object(Map::from_iter([("pair".to_owned(), pair.into())])));
        drafts.push(draft(&call.with(params))?);
    }
    let mut taken = Vec::new();
    for draft in drafts {
        let description = json!({ "order": view::describe(&draft) });
        taken.push(json!({ "txid": txid(take(caller, draft)?), "descr": description }));
    }
    Ok(result(&json!({ "orders": taken })))
}

/// `AmendOrder`: the order keeps its id.
pub(super) fn amend(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let (price, quantity) = (decimal(call, "limit_price")?, decimal(call, "order_qty")?);
    caller.account.with_book(|book| {
        let id = only_one(&wanted(call, book)?)?;
        book.amend(id, price, quantity, call.received.at).ok_or_else(unknown)?;
        Ok(result(&json!({ "amend_id": txid(id ^ call.received.seq) })))
    })
}

/// `EditOrder`: the order is canceled and another takes its place.
pub(super) fn edit(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let (price, quantity) = (decimal(call, "price")?, decimal(call, "volume")?);
    let (old, draft) = caller.account.with_book(|book| {
        let old = only_one(&wanted(call, book)?)?;
        let order = book.cancel(old, call.received.at).ok_or_else(unknown)?;
        let (seq, received) = (call.received.seq, call.received.at);
        let draft = Draft {
            symbol: order.draft.symbol,
            side: order.draft.side,
            kind: order.draft.kind.clone(),
            time_in_force: order.draft.time_in_force.clone(),
            price: price.or(order.draft.price),
            quantity: quantity.unwrap_or(order.draft.quantity),
            client_order_id: None,
            params: call.params_json(&["otp"]),
            seq,
            received,
            ..order.draft
        };
        Ok::<_, Answer>((old, draft))
    })?;
    let description = json!({ "order": view::describe(&draft) });
    let id = take(caller, draft)?;
    Ok(result(&json!({
        "status": "ok", "txid": txid(id), "originaltxid": txid(old), "orders_cancelled": 1, "descr": description,
    })))
}

/// `CancelOrder`.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        let id = only_one(&wanted(call, book)?)?;
        book.cancel(id, call.received.at).ok_or_else(unknown)?;
        Ok(result(&json!({ "count": 1 })))
    })
}

/// `CancelOrderBatch`, by transaction ids; the unknown are passed over.
pub(super) fn cancel_listed(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let ids = match call.params.get("orders") {
        Some(list) => serde_json::from_str::<Vec<String>>(list).map_err(|_| invalid("orders"))?,
        None => {
            call.params.iter().filter(|(name, _)| name.starts_with("orders[")).map(|(_, id)| id.to_owned()).collect()
        }
    };
    let canceled = caller.account.with_book(|book| {
        let canceled = |id: &&String| order_id(id).is_some_and(|id| book.cancel(id, call.received.at).is_some());
        ids.iter().filter(canceled).count()
    });
    Ok(result(&json!({ "count": canceled })))
}

/// The objects of `orders`: a JSON list, or `orders[0][pair]=…` as forms have it.
fn listed(call: &Call<'_>) -> Result<Vec<Params<'static>>, Answer> {
    if let Some(list) = call.params.get("orders") {
        return Params::json_list(list).ok_or_else(|| invalid("orders"));
    }
    let mut orders: BTreeMap<u32, Map<String, Value>> = BTreeMap::new();
    for (name, value) in call.params.iter() {
        let Some(place) = name.strip_prefix("orders[").and_then(|rest| rest.strip_suffix(']')) else {
            continue;
        };
        let (index, field) = place.split_once("][").ok_or_else(|| invalid("orders"))?;
        let index = index.parse().map_err(|_| invalid("orders"))?;
        orders.entry(index).or_default().insert(field.to_owned(), value.into());
    }
    if orders.is_empty() {
        return Err(invalid("orders"));
    }
    Ok(orders.into_values().map(Params::object).collect())
}

fn take(caller: &Caller, draft: Draft) -> Result<u64, Answer> {
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) => Ok(order.id),
        // Kraken documents that the id must be unique among open orders, not how it says so.
        Err(Rejected::DuplicateClientOrderId) => Err(invalid("cl_ord_id")),
        Err(Rejected::NothingToReduce) => Err(error("EOrder:Reduce only:No position exists")),
    })
}

fn unknown() -> Answer {
    error("EOrder:Unknown order")
}

fn draft(call: &Call<'_>) -> Result<Draft, Answer> {
    let params = &call.params;
    let symbol = public::pair(params.get("pair").ok_or_else(|| invalid("pair"))?)?;
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
pub(super) fn decimal(call: &Call<'_>, name: &str) -> Result<Option<Decimal>, Answer> {
    let parse = |text: &str| text.parse().ok().filter(|value| *value > Decimal::ZERO);
    call.params.get(name).map(|text| parse(text).ok_or_else(|| invalid(name))).transpose()
}

/// The orders that `txid`, a comma-separated list, or `cl_ord_id` means.
pub(super) fn wanted<'a>(call: &Call<'_>, book: &'a Book) -> Result<Vec<&'a Order>, Answer> {
    let by_txid = |text: &str| order_id(text).and_then(|id| book.by_id(id));
    let found: Option<Vec<&Order>> = match (call.params.get("txid"), call.params.get("cl_ord_id")) {
        (Some(list), _) => list.split(',').map(by_txid).collect(),
        (None, Some(id)) => book.by_client_id(id).map(|order| vec![order]),
        (None, None) => return Err(invalid("txid")),
    };
    found.ok_or_else(unknown)
}

pub(super) fn only_one(orders: &[&Order]) -> Result<u64, Answer> {
    match orders {
        [order] => Ok(order.id),
        _ => Err(invalid("txid")),
    }
}

pub(super) fn asked_for(call: &Call<'_>, order: &Order) -> bool {
    let fits = |name: &str, value: &str| call.params.get(name).is_none_or(|wanted| wanted == value);
    fits("cl_ord_id", order.client_order_id()) && fits("userref", &view::user_reference(order).to_string())
}
