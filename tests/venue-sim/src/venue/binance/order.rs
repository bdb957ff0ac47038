//! Placing, changing and canceling spot orders.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::ORDER_TYPES;
use super::view::View;
use crate::book::Rejected;
use crate::params::Params;
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call, Caller};

/// `POST /api/v3/order`.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let draft = protocol::draft(call, &ORDER_TYPES, false)?;
    let brief = call.params.get("newOrderRespType") == Some("ACK");
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) if brief => Ok(Answer::ok(&json!({
            "symbol": order.draft.symbol.name,
            "orderId": order.id,
            "orderListId": -1,
            "clientOrderId": order.client_order_id(),
            "transactTime": order.updated.ms(),
        }))),
        Ok(order) => Ok(Answer::ok(&View::placed(order))),
        Err(Rejected::DuplicateClientOrderId) => Err(protocol::bad_request(-2010, "Duplicate order sent.")),
        Err(Rejected::NothingToReduce) => Err(protocol::bad_request(-2010, "Order would not reduce.")),
    })
}

/// `DELETE /api/v3/order`.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    let wanted = protocol::wanted(&call.params)?;
    let unknown = || protocol::bad_request(-2011, "Unknown order sent.");
    caller.account.with_book(|book| {
        let id = protocol::find(book, symbol, &wanted).ok_or_else(unknown)?.id;
        book.cancel(id, call.received.at).map(|order| Answer::ok(&View::canceled(order))).ok_or_else(unknown)
    })
}

/// `DELETE /api/v3/openOrders`.
pub(super) fn cancel_all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    caller.account.with_book(|book| {
        let ids = book.cancel_all(Some(symbol), call.received.at);
        if ids.is_empty() {
            return Err(protocol::bad_request(-2011, "Unknown order sent."));
        }
        let canceled: Vec<View<'_>> = ids.into_iter().filter_map(|id| book.by_id(id)).map(View::canceled).collect();
        Ok(Answer::ok(&canceled))
    })
}

/// `PUT /api/v3/order/amend/keepPriority`: only less than before.
pub(super) fn amend(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    let wanted = protocol::wanted(&call.params)?;
    let quantity = protocol::positive(&call.params, "newQty")?.ok_or_else(|| protocol::missing("newQty"))?;
    let unknown = || protocol::bad_request(-2013, "Order does not exist.");
    caller.account.with_book(|book| {
        let order = protocol::find(book, symbol, &wanted).ok_or_else(unknown)?;
        if quantity >= order.draft.quantity {
            return Err(protocol::bad_request(-2038, "The requested quantity is not less than the order's."));
        }
        let order = book.amend(order.id, None, Some(quantity), call.received.at).ok_or_else(unknown)?;
        Ok(Answer::ok(&json!({
            "transactTime": order.updated.ms(), "executionId": call.received.seq, "amendedOrder": View::of(order),
        })))
    })
}

/// `POST /api/v3/order/cancelReplace`.
pub(super) fn cancel_replace(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    let goes_on = match params.get("cancelReplaceMode") {
        Some("ALLOW_FAILURE") => true,
        Some("STOP_ON_FAILURE") => false,
        _ => return Err(protocol::missing("cancelReplaceMode")),
    };
    let named = |name: &str, value: Option<&str>| value.map(|value| (name.to_owned(), Value::from(value)));
    let old: Map<String, Value> = [
        named("symbol", params.get("symbol")),
        named("orderId", params.get("cancelOrderId")),
        named("origClientOrderId", params.get("cancelOrigClientOrderId")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let canceled = cancel(&call.with(Params::object(old)), caller);
    let placed = if canceled.is_ok() || goes_on { Some(place(call, caller)) } else { None };
    let word = |outcome: &Result<Answer, Answer>| if outcome.is_ok() { "SUCCESS" } else { "FAILURE" };
    let shown = json!({
        "cancelResult": word(&canceled),
        "newOrderResult": placed.as_ref().map_or("NOT_ATTEMPTED", word),
        "cancelResponse": protocol::value(&canceled),
        "newOrderResponse": placed.as_ref().map(protocol::value),
    });
    let failed = |status, code, msg| Err(Answer::json(status, &json!({ "code": code, "msg": msg, "data": shown })));
    match (canceled.is_ok(), placed.is_some_and(|placed| placed.is_ok())) {
        (true, true) => Ok(Answer::ok(&shown)),
        (false, false) => failed(StatusCode::BAD_REQUEST, -2022, "Order cancel-replace failed."),
        _ => failed(StatusCode::CONFLICT, -2021, "Order cancel-replace partially failed."),
    }
}
