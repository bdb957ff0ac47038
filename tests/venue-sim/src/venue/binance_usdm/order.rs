//! Placing USD-M's orders, one or several at a time.

use serde_json::{Map, Value, json};

use super::view::View;
use super::{CONDITIONAL, ORDER_TYPES};
use crate::book::{Book, Order, Rejected};
use crate::params::Params;
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call, Caller};

/// Orders that one batch may hold.
const BATCH_MAX: usize = 5;

/// `POST order`.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    if params.get("type").is_some_and(|kind| CONDITIONAL.contains(&kind)) {
        return Err(protocol::bad_request(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        ));
    }
    if params.get("positionSide").is_some_and(|side| side != "BOTH") {
        return Err(protocol::bad_request(-4061, "Order's position side does not match user's setting."));
    }
    let draft = protocol::draft(call, &ORDER_TYPES, true)?;
    let result_wanted = params.get("newOrderRespType") == Some("RESULT");
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) if result_wanted => Ok(Answer::ok(&View::of(order))),
        Ok(order) => Ok(Answer::ok(&View::acknowledged(order))),
        Err(Rejected::DuplicateClientOrderId) => Err(protocol::bad_request(-4116, "ClientOrderId is duplicated.")),
        Err(Rejected::NothingToReduce) => Err(protocol::bad_request(-2022, "ReduceOnly Order is rejected.")),
    })
}

/// Does `act` to the order that the parameters mean and shows it, or refuses.
pub(super) fn on_order(
    call: &Call<'_>,
    caller: &Caller,
    code: i32,
    msg: &str,
    act: impl for<'a> FnOnce(&'a mut Book, u64) -> Option<&'a Order>,
) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    let wanted = protocol::wanted(&call.params)?;
    caller.account.with_book(|book| {
        let id = protocol::find(book, symbol, &wanted).map(|order| order.id);
        id.and_then(|id| act(book, id))
            .map(|order| Answer::ok(&View::of(order)))
            .ok_or_else(|| protocol::bad_request(code, msg))
    })
}

/// `DELETE order`.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    on_order(call, caller, -2011, "Unknown order sent.", |book, id| book.cancel(id, call.received.at))
}

/// `PUT order`.
pub(super) fn amend(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let price = protocol::positive(&call.params, "price")?;
    let quantity = protocol::positive(&call.params, "quantity")?;
    on_order(call, caller, -2013, "Order does not exist.", |book, id| book.amend(id, price, quantity, call.received.at))
}

/// `POST` and `PUT batchOrders`: each succeeds or fails by itself.
pub(super) fn each(
    call: &Call<'_>,
    caller: &Caller,
    act: fn(&Call<'_>, &Caller) -> Result<Answer, Answer>,
) -> Result<Answer, Answer> {
    let orders = call.params.get("batchOrders").and_then(Params::json_list);
    let orders = orders.ok_or_else(|| protocol::missing("batchOrders"))?;
    if orders.is_empty() || orders.len() > BATCH_MAX {
        return Err(protocol::bad_request(-4082, "Invalid number of batch place orders."));
    }
    let answers: Vec<Value> =
        orders.into_iter().map(|order| protocol::value(&act(&call.with(order), caller))).collect();
    Ok(Answer::ok(&answers))
}

/// `DELETE batchOrders`, by ids or by the client's own.
pub(super) fn cancel_listed(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let list = |name: &str| call.params.get(name).and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
    let (name, ids) = match (list("orderIdList"), list("origClientOrderIdList")) {
        (Some(ids), _) => ("orderId", ids),
        (None, Some(ids)) => ("origClientOrderId", ids),
        (None, None) => return Err(protocol::missing("orderIdList")),
    };
    let symbol = call.params.get("symbol").unwrap_or_default();
    let answers: Vec<Value> = ids
        .into_iter()
        .map(|id| {
            let named = Map::from_iter([("symbol".to_owned(), symbol.into()), (name.to_owned(), id)]);
            protocol::value(&cancel(&call.with(Params::object(named)), caller))
        })
        .collect();
    Ok(Answer::ok(&answers))
}

/// `allOpenOrders` and `algoOpenOrders`: one kind of orders, and not the other.
pub(super) fn cancel_all(call: &Call<'_>, caller: &Caller, wanted: fn(&Order) -> bool) -> Result<Answer, Answer> {
    let symbol = protocol::symbol(&call.params)?;
    caller.account.with_book(|book| {
        let of_symbol = |order: &&Order| order.draft.symbol.name == symbol.name && wanted(order);
        let ids: Vec<u64> = book.open().filter(of_symbol).map(|order| order.id).collect();
        for id in ids {
            book.cancel(id, call.received.at);
        }
    });
    Ok(Answer::ok(&json!({ "code": 200, "msg": "The operation of cancel all open order is done." })))
}
