//! What Kraken Futures does with orders, one by one and in batches.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::view::{self, find};
use super::{error, success};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side, Status};
use crate::clock::Moment;
use crate::params::Params;
use crate::venue::order_uuid::{order_id, order_uuid};
use crate::venue::{Answer, Call};

/// What became of one instruction: its status object, or the word for why nothing did.
type Outcome = Result<Value, &'static str>;

const MISSING: &str = "requiredArgumentMissing";
const TOO_LATE: &str = "invalidArgument: processBefore";
const UNKNOWN_CONTRACT: &str = "contractNotFound";
const CLIENT_ID_LENGTH_MAX: usize = 100;

/// Order types, and the price that each demands.
const ORDER_TYPES: [(&str, Option<&str>); 7] = [
    ("mkt", None),
    ("lmt", Some("limitPrice")),
    ("post", Some("limitPrice")),
    ("ioc", Some("limitPrice")),
    ("fok", Some("limitPrice")),
    ("stp", Some("stopPrice")),
    ("take_profit", Some("stopPrice")),
];

/// Answers a single instruction: a request that makes no sense is an error, a refused order a status.
pub(super) fn answer(call: &Call<'_>, name: &str, outcome: Outcome) -> Answer {
    match outcome {
        Err(word @ (MISSING | TOO_LATE | UNKNOWN_CONTRACT)) => error(call, word),
        outcome => success(call, name, status_of(call, outcome)),
    }
}

/// Places an order.
pub(super) fn send(call: &Call<'_>, book: &mut Book) -> Outcome {
    in_time(call)?;
    match book.place(draft(call)?) {
        Ok(order) if order.status == Status::Expired => Err("iocWouldNotExecute"),
        Ok(order) if order.status == Status::Filled => Ok(describe("placed", order, &view::execution(order))),
        Ok(order) => {
            let event = json!({ "type": "PLACE", "order": view::event_order(order), "reducedQuantity": null });
            Ok(describe("placed", order, &event))
        }
        Err(Rejected::DuplicateClientOrderId) => Err("clientOrderIdAlreadyExist"),
        Err(Rejected::NothingToReduce) => Err("wouldNotReducePosition"),
    }
}

/// Changes an open order.
pub(super) fn edit(call: &Call<'_>, book: &mut Book) -> Outcome {
    in_time(call)?;
    let quantity = positive(call, "size", "invalidSize")?;
    let price = positive(call, "limitPrice", "invalidPrice")?;
    let (id, old) =
        wanted(call, book)?.map(|order| (order.id, view::event_order(order))).ok_or("orderForEditNotFound")?;
    let order = book.amend(id, price, quantity, call.received.at).ok_or("orderForEditNotFound")?;
    let event = json!({ "type": "EDIT", "old": old, "new": view::event_order(order), "reducedQuantity": null });
    Ok(describe("edited", order, &event))
}

/// Cancels an open order.
pub(super) fn cancel(call: &Call<'_>, book: &mut Book) -> Outcome {
    in_time(call)?;
    let (id, status) = wanted(call, book)?.map(|order| (order.id, order.status)).ok_or("notFound")?;
    if status == Status::Filled {
        return Err("filled");
    }
    let order = book.cancel(id, call.received.at).ok_or("notFound")?;
    Ok(describe("cancelled", order, &canceled(order)))
}

/// Cancels the open orders of a symbol, or all.
pub(super) fn cancel_all(call: &Call<'_>, book: &mut Book) -> Answer {
    let symbol = match call.params.get("symbol") {
        None => None,
        Some(name) => match find(name) {
            None => return error(call, UNKNOWN_CONTRACT),
            symbol => symbol,
        },
    };
    let ids = book.cancel_all(symbol, call.received.at);
    let orders: Vec<&Order> = ids.iter().filter_map(|id| book.by_id(*id)).collect();
    let names = |order: &&Order| json!({ "order_id": order_uuid(order.id), "cliOrdId": order.client_order_id() });
    success(
        call,
        "cancelStatus",
        json!({
            "receivedTime": call.received.at.rfc3339(),
            "cancelOnly": symbol.map_or("all", |symbol| symbol.name),
            "status": if orders.is_empty() { "noOrdersToCancel" } else { "cancelled" },
            "cancelledOrders": orders.iter().map(names).collect::<Vec<_>>(),
            "orderEvents": orders.iter().map(|order| canceled(order)).collect::<Vec<_>>(),
        }),
    )
}

/// Follows the instructions in the form field `json`, in their order; one that fails does not stop the others.
pub(super) fn batch(call: &Call<'_>, book: &mut Book) -> Answer {
    if in_time(call).is_err() {
        return error(call, TOO_LATE);
    }
    let Some(instructions) = instructions(call) else {
        return error(call, "Json Parse Error");
    };
    let statuses = instructions.into_iter().map(|instruction| {
        let tag = instruction.get("order_tag").cloned();
        let one = Call { params: Params::object(instruction), ..*call };
        let outcome = match one.params.get("order") {
            Some("send") => send(&one, book),
            Some("edit") => edit(&one, book),
            Some("cancel") => cancel(&one, book),
            _ => Err(MISSING),
        };
        let mut status = status_of(&one, outcome);
        if let (Value::Object(status), Some(tag)) = (&mut status, tag) {
            status.insert("order_tag".to_owned(), tag);
        }
        status
    });
    success(call, "batchStatus", statuses.collect())
}

/// How many instructions a batch holds.
pub(super) fn batch_size(call: &Call<'_>) -> u32 {
    instructions(call).map_or(0, |all| u32::try_from(all.len()).unwrap_or(u32::MAX))
}

/// The orders among `orderIds` and `cliOrdIds`, which may be repeated, or all.
pub(super) fn status(call: &Call<'_>, book: &Book) -> Value {
    let sent = |name: &str, wanted: &str| call.params.iter().any(|pair| pair == (name, wanted));
    let all = call.params.get("orderIds").or_else(|| call.params.get("cliOrdIds")).is_none();
    let is_asked_for =
        |order: &&Order| all || sent("orderIds", &order_uuid(order.id)) || sent("cliOrdIds", order.client_order_id());
    book.all().filter(is_asked_for).map(view::order_status).collect()
}

fn instructions(call: &Call<'_>) -> Option<Vec<Map<String, Value>>> {
    let mut document: Map<String, Value> = serde_json::from_str(call.params.get("json")?).ok()?;
    serde_json::from_value(document.remove("batchOrder")?).ok()
}

fn status_of(call: &Call<'_>, outcome: Outcome) -> Value {
    outcome
        .unwrap_or_else(|word| json!({ "status": word, "receivedTime": call.received.at.rfc3339(), "orderEvents": [] }))
}

fn describe(status: &str, order: &Order, event: &Value) -> Value {
    json!({
        "order_id": order_uuid(order.id),
        "cliOrdId": order.client_order_id(),
        "status": status,
        "receivedTime": order.updated.rfc3339(),
        "orderEvents": [event],
    })
}

fn canceled(order: &Order) -> Value {
    json!({ "type": "CANCEL", "uid": order_uuid(order.id), "order": view::event_order(order) })
}

/// `processBefore` is documented to refuse what comes later, without the word that it does so with.
fn in_time(call: &Call<'_>) -> Result<(), &'static str> {
    match call.params.get("processBefore").map(Moment::from_rfc3339) {
        None => Ok(()),
        Some(Some(limit)) if call.received.at <= limit => Ok(()),
        Some(_) => Err(TOO_LATE),
    }
}

/// The order that was meant; batches and single instructions spell the id differently.
fn wanted<'a>(call: &Call<'_>, book: &'a Book) -> Result<Option<&'a Order>, &'static str> {
    let params = &call.params;
    match (params.get("orderId").or_else(|| params.get("order_id")), params.get("cliOrdId")) {
        (Some(id), _) => Ok(order_id(id).and_then(|id| book.by_id(id))),
        (None, Some(id)) => Ok(book.by_client_id(id)),
        (None, None) => Err(MISSING),
    }
}

fn draft(call: &Call<'_>) -> Result<Draft, &'static str> {
    let params = &call.params;
    let symbol = find(params.get("symbol").ok_or(MISSING)?).ok_or(UNKNOWN_CONTRACT)?;
    let kind = params.get("orderType").ok_or(MISSING)?;
    let (kind, demanded) = ORDER_TYPES.into_iter().find(|(name, _)| *name == kind).ok_or("invalidOrderType")?;
    let side = match params.get("side").ok_or(MISSING)? {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => return Err("invalidSide"),
    };
    params.get("size").ok_or(MISSING)?;
    if let Some(name) = demanded {
        params.get(name).ok_or(MISSING)?;
    }
    if params.get("cliOrdId").is_some_and(|id| id.len() > CLIENT_ID_LENGTH_MAX) {
        return Err("clientOrderIdTooLong");
    }
    positive(call, "stopPrice", "invalidPrice")?;
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: String::new(),
        price: positive(call, "limitPrice", "invalidPrice")?,
        quantity: positive(call, "size", "invalidSize")?.ok_or(MISSING)?,
        client_order_id: params.get("cliOrdId").map(str::to_owned),
        reduce_only: params.flag("reduceOnly"),
        on_margin: true,
        fate: match kind {
            "mkt" => Fate::Fill,
            "ioc" | "fok" => Fate::Expire,
            _ => Fate::Rest,
        },
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&[]),
    })
}

/// A decimal greater than zero, if it was sent.
fn positive(call: &Call<'_>, name: &str, word: &'static str) -> Result<Option<Decimal>, &'static str> {
    let parse = |text: &str| market_number(text).filter(|value| *value > Decimal::ZERO);
    call.params.get(name).map(|text| parse(text).ok_or(word)).transpose()
}

fn market_number(text: &str) -> Option<Decimal> {
    text.parse().or_else(|_| Decimal::from_scientific(text)).ok()
}
