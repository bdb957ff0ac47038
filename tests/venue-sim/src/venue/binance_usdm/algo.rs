//! Conditional orders, which have endpoints of their own. Prices never move, so none is ever triggered.

use serde_json::{Map, Value, json};

use super::{CONDITIONAL, is_conditional, view};
use crate::book::Rejected;
use crate::params::Params;
use crate::venue::binance_protocol::{self as protocol, OrderType};
use crate::venue::{Answer, Call, Caller};

/// What each of [`CONDITIONAL`] demands, besides a trigger price.
const ORDER_TYPES: [OrderType; 5] = [
    OrderType { name: CONDITIONAL[0], mandatory: &["triggerPrice", "price"] },
    OrderType { name: CONDITIONAL[1], mandatory: &["triggerPrice"] },
    OrderType { name: CONDITIONAL[2], mandatory: &["triggerPrice", "price"] },
    OrderType { name: CONDITIONAL[3], mandatory: &["triggerPrice"] },
    OrderType { name: CONDITIONAL[4], mandatory: &["callbackRate"] },
];

/// `POST algoOrder`.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    if call.params.get("algoType") != Some("CONDITIONAL") {
        return Err(protocol::missing("algoType"));
    }
    let renamed = call.with(as_order(&call.params));
    let mut draft = protocol::draft(&renamed, &ORDER_TYPES, true)?;
    draft.params = call.params_json(&["signature"]);
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) => Ok(Answer::ok(&view::algo(order))),
        Err(Rejected::DuplicateClientOrderId) => Err(protocol::bad_request(-4116, "ClientOrderId is duplicated.")),
        Err(Rejected::NothingToReduce) => Err(protocol::bad_request(-2022, "ReduceOnly Order is rejected.")),
    })
}

/// `GET algoOrder`.
pub(super) fn one(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let id = id(call, caller)?;
    let shown = caller.account.with_book(|book| book.by_id(id).map(view::algo));
    Ok(Answer::ok(&shown))
}

/// `DELETE algoOrder`.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let id = id(call, caller)?;
    caller.account.with_book(|book| {
        let order = book.cancel(id, call.received.at).ok_or_else(unknown)?;
        Ok(Answer::ok(&json!({
            "algoId": order.id, "clientAlgoId": order.client_order_id(), "code": "200", "msg": "success",
        })))
    })
}

/// `openAlgoOrders` and `allAlgoOrders`.
pub(super) fn all(call: &Call<'_>, caller: &Caller, open_only: bool) -> Result<Answer, Answer> {
    let symbol = protocol::symbol_filter(&call.params)?;
    Ok(caller.account.with_book(|book| {
        if open_only {
            protocol::list(book.open().filter(|order| is_conditional(order)), symbol, view::algo)
        } else {
            protocol::list(book.all().filter(|order| is_conditional(order)), symbol, view::algo)
        }
    }))
}

/// The conditional order that `algoId` or `clientAlgoId` means.
fn id(call: &Call<'_>, caller: &Caller) -> Result<u64, Answer> {
    let (id, client_id) = (call.params.get("algoId"), call.params.get("clientAlgoId"));
    caller.account.with_book(|book| {
        let order = match (id, client_id) {
            (Some(id), _) => id.parse().ok().and_then(|id| book.by_id(id)),
            (None, Some(id)) => book.by_client_id(id),
            (None, None) => return Err(protocol::missing("algoId")),
        };
        order.filter(|order| is_conditional(order)).map(|order| order.id).ok_or_else(unknown)
    })
}

fn unknown() -> Answer {
    protocol::bad_request(-2013, "Order does not exist.")
}

/// The same under the names of other orders; one that closes a position needs no quantity, so it gets a token one.
fn as_order(params: &Params<'_>) -> Params<'static> {
    let renamed = |name: &str| if name == "clientAlgoId" { "newClientOrderId".to_owned() } else { name.to_owned() };
    let mut order: Map<String, Value> = params.iter().map(|(name, value)| (renamed(name), value.into())).collect();
    if params.flag("closePosition") {
        order.insert("quantity".to_owned(), "0.001".into());
    }
    Params::object(order)
}
