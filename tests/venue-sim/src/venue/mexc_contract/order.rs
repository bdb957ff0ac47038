//! MEXC's futures orders, one by one and in batches.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::market::find;
use super::view::{View, state};
use super::{Mistake, ok};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side, Status};
use crate::params::Params;
use crate::venue::{Answer, Call, Caller};

const BATCH_MAX: usize = 50;
const PAGE_SIZE: usize = 20;
const PAGE_SIZE_MAX: usize = 100;
/// Opens or closes isolated positions; needs a leverage.
const ISOLATED: &str = "1";

/// What one item of a batch came to.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome<N> {
    #[serde(flatten)]
    named: N,
    error_code: i32,
    error_msg: String,
}

impl<N> Outcome<N> {
    fn of(named: N, result: Result<(), Mistake>) -> Self {
        match result {
            Ok(()) => Self { named, error_code: 0, error_msg: "success".to_owned() },
            Err(mistake) => Self { named, error_code: mistake.code, error_msg: mistake.message.into_owned() },
        }
    }
}

/// `order/submit`, which answers with the number alone.
pub(super) fn submit(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    place(call, caller).map(ok)
}

/// `order/create`.
pub(super) fn create(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    place(call, caller).map(|id| ok(json!({ "orderId": id.to_string(), "ts": call.received.at.ms() })))
}

/// `order/submit_batch`.
pub(super) fn submit_batch(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let outcomes: Vec<Value> = items(call)?
        .into_iter()
        .map(|params| {
            let item = Call { params, ..*call };
            let named = item.params.get("externalOid").unwrap_or_default();
            match place(&item, caller) {
                Ok(id) => json!({ "externalOid": named, "orderId": id.to_string() }),
                Err(mistake) => {
                    json!({ "externalOid": named, "errorMsg": mistake.message, "errorCode": mistake.code })
                }
            }
        })
        .collect();
    Ok(ok(outcomes))
}

/// `order/cancel`: a list of numbers, as numbers or as texts.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let ids: Vec<Value> = serde_json::from_slice(&call.received.body).map_err(|_| Mistake::parameter())?;
    if ids.is_empty() || ids.len() > BATCH_MAX {
        return Err(Mistake::new(2013, "cancel orders over maximum limit"));
    }
    let cancel_one = |id: Value| {
        let known = id.as_u64().or_else(|| id.as_str()?.parse().ok());
        let canceled = caller.account.with_book(|book| end(book, known, call));
        Outcome::of(json!({ "orderId": id }), canceled)
    };
    Ok(ok(ids.into_iter().map(cancel_one).collect::<Vec<_>>()))
}

/// `order/cancel_with_external`.
pub(super) fn cancel_with_external(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let id = named(call, caller)?;
    caller.account.with_book(|book| end(book, id, call))?;
    let (symbol, name) = (call.params.get("symbol"), call.params.get("externalOid"));
    Ok(ok(json!({ "symbol": symbol, "externalOid": name })))
}

/// `order/batch_cancel_with_external`.
pub(super) fn batch_cancel_with_external(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let outcomes: Vec<Outcome<Value>> = items(call)?
        .into_iter()
        .map(|params| {
            let item = Call { params, ..*call };
            let canceled = named(&item, caller).and_then(|id| caller.account.with_book(|book| end(book, id, call)));
            let (symbol, name) = (item.params.get("symbol"), item.params.get("externalOid"));
            Outcome::of(json!({ "symbol": symbol, "externalOid": name }), canceled)
        })
        .collect();
    Ok(ok(outcomes))
}

/// `order/cancel_all`, of one symbol or all.
pub(super) fn cancel_all(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let contract = call.params.get("symbol").map(find).transpose()?;
    caller.account.with_book(|book| book.cancel_all(contract.map(|found| &found.symbol), call.received.at));
    Ok(ok(Value::Null))
}

/// `order/change_limit_order`.
pub(super) fn change(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let id = call.params.get("orderId").and_then(|text| text.parse().ok()).ok_or_else(Mistake::parameter)?;
    let (price, vol) = (positive(&call.params, "price")?, positive(&call.params, "vol")?);
    caller.account.with_book(|book| {
        let changed = book.amend(id, price, vol, call.received.at);
        changed.map(|order| ok(order.id.to_string())).ok_or_else(not_found)
    })
}

/// `order/list/open_orders`, of one symbol or all.
pub(super) fn open(call: &Call<'_>, caller: &Caller, symbol: Option<&str>) -> Result<Answer, Mistake> {
    let symbol = symbol.map(find).transpose()?.map(|found| found.symbol.name);
    Ok(caller.account.with_book(|book| {
        let asked_for = |order: &&Order| symbol.is_none_or(|symbol| symbol == order.draft.symbol.name);
        page(call, book, book.open().filter(asked_for).collect())
    }))
}

/// `order/list/history_orders`, open ones too unless `states` says which.
pub(super) fn history(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let symbol = call.params.get("symbol").map(find).transpose()?.map(|found| found.symbol.name);
    let states: Option<Vec<&str>> = call.params.get("states").map(|states| states.split(',').collect());
    let asked_for = |order: &&Order| {
        symbol.is_none_or(|symbol| symbol == order.draft.symbol.name)
            && states.as_ref().is_none_or(|states| states.contains(&state(order).to_string().as_str()))
    };
    Ok(caller.account.with_book(|book| page(call, book, book.all().filter(asked_for).collect())))
}

/// `order/get/{id}`.
pub(super) fn get(caller: &Caller, id: &str) -> Result<Answer, Mistake> {
    let id = id.parse().map_err(|_| Mistake::parameter())?;
    caller.account.with_book(|book| show(book, book.by_id(id)).map(ok).ok_or_else(not_found))
}

/// `order/external/{symbol}/{externalOid}`.
pub(super) fn external(caller: &Caller, symbol: &str, name: &str) -> Result<Answer, Mistake> {
    let contract = find(symbol)?;
    caller.account.with_book(|book| {
        let found = book.by_client_id(name).filter(|order| order.draft.symbol.name == contract.symbol.name);
        show(book, found).map(ok).ok_or_else(not_found)
    })
}

/// `order/batch_query`: unknown numbers are left out.
pub(super) fn batch_query(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let ids = call.params.get("order_ids").ok_or_else(Mistake::parameter)?;
    Ok(caller.account.with_book(|book| {
        let known = |id: &str| id.parse().ok().and_then(|id| book.by_id(id));
        ok(ids.split(',').filter_map(|id| show(book, known(id))).collect::<Vec<_>>())
    }))
}

fn place(call: &Call<'_>, caller: &Caller) -> Result<u64, Mistake> {
    let draft = draft(call)?;
    caller.account.with_book(|book| match book.place(draft) {
        Ok(order) => Ok(order.id),
        Err(Rejected::DuplicateClientOrderId) => Err(Mistake::new(603, "Repeated requests")),
        Err(Rejected::NothingToReduce) => Err(Mistake::new(2009, "Position is not exists or closed.")),
    })
}

fn draft(call: &Call<'_>) -> Result<Draft, Mistake> {
    let params = &call.params;
    let needed = |name: &str| params.get(name).ok_or_else(Mistake::parameter);
    let contract = find(needed("symbol")?)?;
    let (side, closes) = match needed("side")? {
        "1" => (Side::Buy, false),
        "2" => (Side::Buy, true),
        "3" => (Side::Sell, false),
        "4" => (Side::Sell, true),
        _ => return Err(Mistake::new(2001, "Order direction error")),
    };
    let open_type = needed("openType")?;
    if !["1", "2"].contains(&open_type) {
        return Err(Mistake::new(2002, "Opening type error"));
    }
    if open_type == ISOLATED && !closes {
        needed("leverage").map_err(|_| Mistake::new(2006, "Leverage ratio error"))?;
    }
    let kind = needed("type")?;
    let fate = match kind {
        "1" | "2" => Fate::Rest,
        "3" | "4" => Fate::Expire,
        "5" | "6" => Fate::Fill,
        _ => return Err(Mistake::parameter()),
    };
    let price = match fate {
        Fate::Fill => None,
        Fate::Rest | Fate::Expire => {
            Some(positive(params, "price")?.ok_or_else(|| Mistake::new(2007, "Order price error"))?)
        }
    };
    let quantity = positive(params, "vol")?.filter(Decimal::is_integer);
    Ok(Draft {
        symbol: &contract.symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: String::new(),
        price,
        quantity: quantity.ok_or_else(|| Mistake::new(2011, "Order quantity error"))?,
        client_order_id: params.get("externalOid").map(str::to_owned),
        reduce_only: closes || params.flag("reduceOnly"),
        on_margin: true,
        fate,
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&[]),
    })
}

/// The objects of a body that is a list.
fn items(call: &Call<'_>) -> Result<Vec<Params<'static>>, Mistake> {
    let items = std::str::from_utf8(&call.received.body).ok().and_then(Params::json_list);
    let items = items.ok_or_else(Mistake::parameter)?;
    let whole = !items.is_empty() && items.iter().all(|item| item.repeated().is_none());
    if !whole {
        return Err(Mistake::parameter());
    }
    if items.len() > BATCH_MAX { Err(Mistake::new(2014, "Quantity of batch orders exceeds limit")) } else { Ok(items) }
}

/// The order that `symbol` and `externalOid` mean, if there is one.
fn named(call: &Call<'_>, caller: &Caller) -> Result<Option<u64>, Mistake> {
    let contract = find(call.params.get("symbol").ok_or_else(Mistake::parameter)?)?;
    let name = call.params.get("externalOid").ok_or_else(Mistake::parameter)?;
    Ok(caller.account.with_book(|book| {
        let found = book.by_client_id(name).filter(|order| order.draft.symbol.name == contract.symbol.name);
        found.map(|order| order.id)
    }))
}

/// Cancels an order that waits.
fn end(book: &mut Book, id: Option<u64>, call: &Call<'_>) -> Result<(), Mistake> {
    let known = id.and_then(|id| book.by_id(id)).ok_or_else(not_found)?;
    if known.status != Status::New {
        return Err(Mistake::new(2041, "order state cannot be cancelled"));
    }
    let id = known.id;
    book.cancel(id, call.received.at).map(|_| ()).ok_or_else(not_found)
}

fn not_found() -> Mistake {
    Mistake::new(2040, "order not exist")
}

fn show<'a>(book: &Book, order: Option<&'a Order>) -> Option<View<'a>> {
    let order = order?;
    let contract = find(order.draft.symbol.name).ok()?;
    Some(View::of(book, contract, order))
}

/// Newest first.
fn page(call: &Call<'_>, book: &Book, mut orders: Vec<&Order>) -> Answer {
    let number = |name: &str| call.params.get(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("page_size").unwrap_or(PAGE_SIZE).clamp(1, PAGE_SIZE_MAX);
    let skipped = number("page_num").unwrap_or(1).saturating_sub(1).saturating_mul(size);
    orders.reverse();
    let shown = orders.into_iter().skip(skipped).take(size);
    ok(shown.filter_map(|order| show(book, Some(order))).collect::<Vec<_>>())
}

/// A decimal greater than zero, if it was sent.
fn positive(params: &Params<'_>, name: &str) -> Result<Option<Decimal>, Mistake> {
    let parse = |text: &str| text.parse().ok().filter(|value| *value > Decimal::ZERO);
    params.get(name).map(|text| parse(text).ok_or_else(Mistake::parameter)).transpose()
}
