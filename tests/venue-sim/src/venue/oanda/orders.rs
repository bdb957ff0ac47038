//! Placing, replacing, canceling and closing at OANDA.

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::error;
use super::view::{self, instrument, last_transaction};
use crate::book::{Book, Draft, Fate, Order, Rejected, Status};
use crate::market::{Symbol, fixed};
use crate::params::Params;
use crate::venue::broker::{self, add};
use crate::venue::{Answer, Call, Caller};

/// Places the order of the body.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let draft = draft(call)?;
    caller.account.with_book(|book| put(book, call, draft, Vec::new()))
}

/// Cancels an order and places the one of the body in its stead.
pub(super) fn replace(call: &Call<'_>, caller: &Caller, wanted: &str) -> Result<Answer, Answer> {
    let draft = draft(call)?;
    caller.account.with_book(|book| {
        let canceled = end(book, call, wanted)?;
        put(book, call, draft, vec![("orderCancelTransaction".to_owned(), canceled)])
    })
}

/// Cancels an order.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller, wanted: &str) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        let canceled = end(book, call, wanted)?;
        Ok(tell(StatusCode::OK, vec![("orderCancelTransaction".to_owned(), canceled)]))
    })
}

/// Shows an order.
pub(super) fn show(caller: &Caller, wanted: &str) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        let order = find(book, wanted)
            .ok_or_else(|| error(StatusCode::NOT_FOUND, "NO_SUCH_ORDER", "The order ID specified does not exist"))?;
        Ok(Answer::ok(&json!({ "order": view::order(order), "lastTransactionID": last_transaction(book) })))
    })
}

/// Lists orders, newest first: pending ones, unless `by_state` and the query asks for others.
pub(super) fn list(call: &Call<'_>, caller: &Caller, by_state: bool) -> Answer {
    let state = call.params.get("state").filter(|_| by_state).unwrap_or("PENDING");
    let instrument = call.params.get("instrument");
    caller.account.with_book(|book| {
        let mut orders: Vec<Value> = book
            .all()
            .filter(|order| instrument.is_none_or(|name| name == order.draft.symbol.name))
            .filter(|order| match state {
                "ALL" => true,
                "FILLED" => order.status == Status::Filled,
                "CANCELLED" => matches!(order.status, Status::Canceled | Status::Expired),
                _ => order.status == Status::New,
            })
            .map(view::order)
            .collect();
        orders.reverse();
        Answer::ok(&json!({ "orders": orders, "lastTransactionID": last_transaction(book) }))
    })
}

/// Closes what is held of an instrument: `longUnits` or `shortUnits`, a number, `ALL` or `NONE`.
pub(super) fn close_position(call: &Call<'_>, caller: &Caller, name: &str) -> Result<Answer, Answer> {
    let symbol = instrument(name)?;
    caller.account.with_book(|book| {
        let held = book.positions.get(name).copied().unwrap_or_default().amount;
        let (field, prefix) = if held < Decimal::ZERO { ("shortUnits", "shortO") } else { ("longUnits", "longO") };
        let units = units(&call.params, field, held).filter(|_| !held.is_zero()).ok_or_else(|| {
            let message = "The Position requested to be closed out does not exist";
            error(StatusCode::BAD_REQUEST, "CLOSEOUT_POSITION_DOESNT_EXIST", message)
        })?;
        let order = close(book, call, symbol, held, units)?;
        Ok(closed(order, call, prefix))
    })
}

/// Closes an open trade or the given `units` of it.
pub(super) fn close_trade(call: &Call<'_>, caller: &Caller, trade: &str) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        let missing = || error(StatusCode::NOT_FOUND, "TRADE_DOESNT_EXIST", "The Trade specified does not exist");
        let symbol = instrument(view::traded(book, trade).ok_or_else(missing)?)?;
        let held = book.positions.get(symbol.name).copied().unwrap_or_default().amount;
        let units = units(&call.params, "units", held).ok_or_else(missing)?;
        let order = close(book, call, symbol, held, units)?;
        Ok(closed(order, call, "o"))
    })
}

fn draft(call: &Call<'_>) -> Result<Draft, Answer> {
    let invalid = |name: &str| {
        error(StatusCode::BAD_REQUEST, "INVALID_REQUEST", &format!("Invalid value specified for '{name}'"))
    };
    let body: Map<String, Value> =
        call.params.get("order").and_then(|order| serde_json::from_str(order).ok()).ok_or_else(|| invalid("order"))?;
    let client_order_id = body.get("clientExtensions").and_then(|named| named.get("id")?.as_str()).map(str::to_owned);
    let params = Params::object(body);
    let symbol = instrument(params.get("instrument").unwrap_or_default())?;
    let units = broker::decimal(&params, "units").filter(|units| !units.is_zero()).ok_or_else(|| invalid("units"))?;
    let kind = params.get("type").unwrap_or_default();
    let price = broker::decimal(&params, "price").filter(|price| *price > Decimal::ZERO);
    let fate = match (kind, params.get("timeInForce")) {
        ("MARKET", _) => Fate::Fill,
        ("LIMIT" | "STOP" | "MARKET_IF_TOUCHED", _) if price.is_none() => return Err(invalid("price")),
        ("LIMIT" | "STOP" | "MARKET_IF_TOUCHED", Some("FOK" | "IOC")) => Fate::Expire,
        ("LIMIT" | "STOP" | "MARKET_IF_TOUCHED", _) => Fate::Rest,
        _ => return Err(invalid("type")),
    };
    let by_default = if fate == Fate::Fill { "FOK" } else { "GTC" };
    Ok(Draft {
        time_in_force: params.get("timeInForce").unwrap_or(by_default).to_owned(),
        price,
        client_order_id,
        reduce_only: params.get("positionFill") == Some("REDUCE_ONLY"),
        fate,
        ..broker::draft(call, symbol, view::side(units), kind, units.abs())
    })
}

/// Places a draft; `told` are the transactions before it.
fn put(book: &mut Book, call: &Call<'_>, draft: Draft, mut told: Vec<(String, Value)>) -> Result<Answer, Answer> {
    let kind = draft.kind.clone();
    let order = book.place(draft).map_err(|rejected| {
        let reason = match rejected {
            Rejected::DuplicateClientOrderId => "CLIENT_ORDER_ID_ALREADY_EXISTS",
            Rejected::NothingToReduce => "CLOSEOUT_POSITION_DOESNT_EXIST",
        };
        let transaction = transaction(call, &format!("{kind}_ORDER_REJECT"), reason);
        rejected_with(StatusCode::BAD_REQUEST, "orderRejectTransaction", &transaction, reason)
    })?;
    told.push(("orderCreateTransaction".to_owned(), created(order)));
    match order.status {
        Status::Filled => told.push(("orderFillTransaction".to_owned(), filled(order, call))),
        Status::Expired => {
            told.push((
                "orderCancelTransaction".to_owned(),
                transaction(call, "ORDER_CANCEL", "TIME_IN_FORCE_EXPIRED"),
            ));
        }
        Status::New | Status::Canceled => {}
    }
    Ok(tell(StatusCode::CREATED, told))
}

/// An answer of transactions and their ids.
fn tell(status: StatusCode, transactions: Vec<(String, Value)>) -> Answer {
    let ids: Vec<Value> = transactions.iter().filter_map(|(_, told)| told.get("id").cloned()).collect();
    let last = ids.last().cloned().unwrap_or_default();
    let mut body: Map<String, Value> = transactions.into_iter().collect();
    body.insert("relatedTransactionIDs".to_owned(), ids.into());
    body.insert("lastTransactionID".to_owned(), last);
    Answer::json(status, &body)
}

fn rejected_with(status: StatusCode, name: &str, transaction: &Value, reason: &str) -> Answer {
    let id = transaction.get("id").cloned().unwrap_or_default();
    Answer::json(
        status,
        &json!({
            name: transaction, "relatedTransactionIDs": [id], "lastTransactionID": id,
            "errorCode": reason, "errorMessage": "The request was rejected",
        }),
    )
}

/// A transaction that is named after the request.
fn transaction(call: &Call<'_>, kind: &str, reason: &str) -> Value {
    json!({
        "id": call.received.seq.to_string(), "time": call.received.at.rfc3339(), "type": kind,
        if kind.ends_with("REJECT") { "rejectReason" } else { "reason" }: reason,
    })
}

/// Cancels a pending order and tells so.
fn end(book: &mut Book, call: &Call<'_>, wanted: &str) -> Result<Value, Answer> {
    let id = find(book, wanted).map(|order| order.id);
    let order = id.and_then(|id| book.cancel(id, call.received.at)).ok_or_else(|| {
        let mut transaction = transaction(call, "ORDER_CANCEL_REJECT", "ORDER_DOESNT_EXIST");
        add(&mut transaction, "orderID", wanted);
        rejected_with(StatusCode::NOT_FOUND, "orderCancelRejectTransaction", &transaction, "ORDER_DOESNT_EXIST")
    })?;
    let mut told = transaction(call, "ORDER_CANCEL", "CLIENT_REQUEST");
    add(&mut told, "orderID", order.id.to_string());
    add(&mut told, "clientOrderID", order.client_order_id());
    Ok(told)
}

/// An order by its id, or by `@` and its client's.
fn find<'a>(book: &'a Book, wanted: &str) -> Option<&'a Order> {
    match wanted.strip_prefix('@') {
        Some(client_id) => book.by_client_id(client_id),
        None => book.by_id(wanted.parse().ok()?),
    }
}

/// How much of `held` is to be closed, all if nothing is said; `None` if nothing.
fn units(params: &Params<'_>, name: &str, held: Decimal) -> Option<Decimal> {
    match params.get(name) {
        None | Some("ALL") => Some(held.abs()),
        Some(_) => broker::decimal(params, name),
    }
}

fn close<'a>(
    book: &'a mut Book,
    call: &Call<'_>,
    symbol: &'static Symbol,
    held: Decimal,
    quantity: Decimal,
) -> Result<&'a Order, Answer> {
    let draft = broker::draft(call, symbol, view::side(held).opposite(), "MARKET", quantity);
    book.place(Draft { time_in_force: "FOK".to_owned(), reduce_only: true, fate: Fate::Fill, ..draft }).map_err(|_| {
        let message = "The Position requested to be closed out does not exist";
        error(StatusCode::BAD_REQUEST, "CLOSEOUT_POSITION_DOESNT_EXIST", message)
    })
}

/// Tells of an order that closed something; `prefix` is what stands before `rderCreateTransaction`.
fn closed(order: &Order, call: &Call<'_>, prefix: &str) -> Answer {
    let named = |what: &str| format!("{prefix}rder{what}Transaction");
    tell(StatusCode::OK, vec![(named("Create"), created(order)), (named("Fill"), filled(order, call))])
}

fn created(order: &Order) -> Value {
    let mut told = view::order(order);
    add(&mut told, "type", format!("{}_ORDER", order.draft.kind));
    add(&mut told, "reason", "CLIENT_ORDER");
    told
}

fn filled(order: &Order, call: &Call<'_>) -> Value {
    let draft = &order.draft;
    json!({
        "id": call.received.seq.to_string(), "type": "ORDER_FILL", "orderID": order.id.to_string(),
        "clientOrderID": order.client_order_id(), "instrument": draft.symbol.name,
        "units": draft.side.signed(order.executed).normalize().to_string(),
        "price": fixed(order.average_price(), draft.symbol.price.scale()),
        "pl": "0.0000", "time": order.updated.rfc3339(),
    })
}
