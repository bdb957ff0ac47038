//! MEXC's spot orders, one by one and in batches.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::market::{find, named};
use super::view::{Canceled, Placed, View, order_id, parse_order_id, trade};
use super::{Mistake, illegal, missing};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side};
use crate::market::Symbol;
use crate::params::Params;
use crate::venue::{Answer, Call, Caller};

const BATCH_MAX: usize = 20;
const SYMBOLS_MAX: usize = 5;
/// Order types, and what becomes of each.
const ORDER_TYPES: [(&str, Fate); 5] = [
    ("LIMIT", Fate::Rest),
    ("MARKET", Fate::Fill),
    ("LIMIT_MAKER", Fate::Rest),
    ("IMMEDIATE_OR_CANCEL", Fate::Expire),
    ("FILL_OR_KILL", Fate::Expire),
];

/// `POST /api/v3/order`.
pub(super) fn create(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let draft = draft(call)?;
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) => Ok(Answer::ok(&Placed::of(order))),
        Err(rejected) => Err(rejection(rejected)),
    })
}

/// `POST /api/v3/order/test`.
pub(super) fn test(call: &Call<'_>) -> Result<Answer, Mistake> {
    draft(call).map(|_| Answer::ok(&json!({})))
}

/// `POST /api/v3/batchOrders`: each item succeeds or fails for itself.
pub(super) fn batch(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let text = call.params.get("batchOrders").ok_or_else(|| missing("batchOrders"))?;
    let items = Params::json_list(text).filter(|items| (1..=BATCH_MAX).contains(&items.len()));
    let items = items.ok_or_else(|| illegal("batchOrders"))?;
    let outcomes = items.into_iter().map(|params| one_of_batch(&Call { params, ..*call }, caller));
    Ok(Answer::ok(&outcomes.collect::<Vec<_>>()))
}

/// `GET /api/v3/order`.
pub(super) fn query(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbol = find(&call.params)?;
    caller.account.with_book(|book| {
        let found = wanted(&call.params, book, symbol)?;
        found.map(|order| Answer::ok(&View::of(order))).ok_or_else(|| Mistake::new(-2013, "Order does not exist."))
    })
}

/// `DELETE /api/v3/order`.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbol = find(&call.params)?;
    caller.account.with_book(|book| {
        let id = wanted(&call.params, book, symbol)?.map(|order| order.id);
        id.and_then(|id| book.cancel(id, call.received.at))
            .map(|order| Answer::ok(&Canceled::of(order)))
            .ok_or_else(|| Mistake::new(-2011, "Unknown order sent."))
    })
}

/// `GET /api/v3/openOrders`: of one symbol or several.
pub(super) fn open(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbols = symbols(call)?;
    Ok(caller.account.with_book(|book| list(book.open().filter(|order| is_of(order, &symbols)), View::of)))
}

/// `DELETE /api/v3/openOrders`.
pub(super) fn cancel_all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbols = symbols(call)?;
    Ok(caller.account.with_book(|book| {
        let at = call.received.at;
        let ids: Vec<u64> = symbols.iter().flat_map(|symbol| book.cancel_all(Some(symbol), at)).collect();
        list(ids.into_iter().filter_map(|id| book.by_id(id)), Canceled::of)
    }))
}

/// `GET /api/v3/allOrders`.
pub(super) fn all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbol = find(&call.params)?;
    Ok(caller.account.with_book(|book| list(book.all().filter(|order| is_of(order, &[symbol])), View::of)))
}

/// `GET /api/v3/myTrades`.
pub(super) fn trades(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbol = find(&call.params)?;
    Ok(caller
        .account
        .with_book(|book| list(book.all().filter(|order| is_of(order, &[symbol]) && !order.executed.is_zero()), trade)))
}

fn one_of_batch(item: &Call<'_>, caller: &Caller) -> Value {
    let placed = draft(item).and_then(|draft| {
        caller.account.with_book(|book| match book.place(draft) {
            Ok(order) => Ok(json!({
                "symbol": order.draft.symbol.name, "orderId": order_id(order),
                "newClientOrderId": order.chosen_client_order_id(), "orderListId": -1,
            })),
            Err(rejected) => Err(rejection(rejected)),
        })
    });
    placed.unwrap_or_else(|mistake| {
        let named = item.params.get("newClientOrderId");
        json!({ "newClientOrderId": named, "msg": mistake.msg, "code": mistake.code })
    })
}

fn draft(call: &Call<'_>) -> Result<Draft, Mistake> {
    let params = &call.params;
    let symbol = find(params)?;
    let side = match params.get("side").ok_or_else(|| missing("side"))? {
        "BUY" => Side::Buy,
        "SELL" => Side::Sell,
        _ => return Err(illegal("side")),
    };
    let wanted = params.get("type").ok_or_else(|| missing("type"))?;
    let (kind, fate) = ORDER_TYPES.into_iter().find(|(name, _)| *name == wanted).ok_or_else(|| illegal("type"))?;
    let price = match fate {
        Fate::Fill => None,
        Fate::Rest | Fate::Expire => Some(positive(params, "price")?.ok_or_else(|| missing("price"))?),
    };
    let quantity = match (positive(params, "quantity")?, price) {
        (Some(quantity), _) => quantity,
        (None, Some(_)) => return Err(missing("quantity")),
        (None, None) => {
            let spent = positive(params, "quoteOrderQty")?.ok_or_else(|| missing("quantity"))?;
            spent.checked_div(symbol.price).unwrap_or_default().round_dp(8)
        }
    };
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: String::new(),
        price,
        quantity,
        client_order_id: params.get("newClientOrderId").map(str::to_owned),
        reduce_only: false,
        on_margin: false,
        fate,
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&["signature"]),
    })
}

/// MEXC documents that an open order's name must be unique, not how it says so.
fn rejection(rejected: Rejected) -> Mistake {
    match rejected {
        Rejected::DuplicateClientOrderId => Mistake::new(30_026, "invalid order ids"),
        Rejected::NothingToReduce => Mistake::new(30_005, "Oversold"),
    }
}

/// The order that `orderId`, or else `origClientOrderId`, means.
fn wanted<'a>(params: &Params<'_>, book: &'a Book, symbol: &Symbol) -> Result<Option<&'a Order>, Mistake> {
    let found = match (params.get("orderId"), params.get("origClientOrderId")) {
        (Some(id), _) => parse_order_id(id).and_then(|id| book.by_id(id)),
        (None, Some(id)) => book.by_client_id(id),
        (None, None) => {
            let msg = "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null";
            return Err(Mistake::new(700_004, msg));
        }
    };
    Ok(found.filter(|order| order.draft.symbol.name == symbol.name))
}

/// The comma-separated `symbol`.
fn symbols(call: &Call<'_>) -> Result<Vec<&'static Symbol>, Mistake> {
    let names = call.params.get("symbol").ok_or_else(|| missing("symbol"))?;
    let symbols: Vec<&Symbol> = names.split(',').map(named).collect::<Result<_, _>>()?;
    if symbols.len() > SYMBOLS_MAX { Err(illegal("symbol")) } else { Ok(symbols) }
}

fn is_of(order: &Order, symbols: &[&Symbol]) -> bool {
    symbols.iter().any(|symbol| symbol.name == order.draft.symbol.name)
}

fn list<'a, V: Serialize>(orders: impl Iterator<Item = &'a Order>, view: impl Fn(&'a Order) -> V) -> Answer {
    Answer::ok(&orders.map(view).collect::<Vec<V>>())
}

/// A decimal greater than zero, if it was sent.
fn positive(params: &Params<'_>, name: &str) -> Result<Option<Decimal>, Mistake> {
    let parse = |text: &str| text.parse().ok().filter(|value| *value > Decimal::ZERO);
    params.get(name).map(|text| parse(text).ok_or_else(|| illegal(name))).transpose()
}
