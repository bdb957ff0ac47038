//! Placing, modifying, canceling and closing at `TopstepX`, with the error numbers of each.

use rust_decimal::Decimal;
use serde_json::json;

use super::view::ORDER_TYPES;
use super::{ACCOUNT, MARKET, failure, success};
use crate::book::{Draft, Fate, Side};
use crate::market;
use crate::venue::broker::{self, account_ids, decimal};
use crate::venue::{Answer, Call, Caller};

const ACCOUNT_NOT_FOUND: u8 = 1;
const ORDER_REJECTED: u8 = 2;
const CONTRACT_NOT_FOUND: u8 = 8;
/// For modifications and cancellations.
const ORDER_NOT_FOUND: u8 = 2;
/// For closings.
const POSITION_NOT_FOUND: u8 = 2;

/// Places an order; a `customTag` is good for one order ever.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    let refused = |code| failure(code, json!({ "orderId": null }));
    own_account(call, caller)?;
    let symbol = market::find(MARKET, params.get("contractId").unwrap_or_default())
        .ok_or_else(|| refused(CONTRACT_NOT_FOUND))?;
    let side = match params.get("side") {
        Some("0") => Side::Buy,
        Some("1") => Side::Sell,
        _ => return Err(refused(ORDER_REJECTED)),
    };
    let quantity = decimal(params, "size")
        .filter(|size| *size > Decimal::ZERO && size.is_integer())
        .ok_or_else(|| refused(ORDER_REJECTED))?;
    let (_, kind) = ORDER_TYPES
        .into_iter()
        .find(|(number, _)| params.get("type") == Some(number))
        .ok_or_else(|| refused(ORDER_REJECTED))?;
    let price = decimal(params, "limitPrice");
    if kind == "Limit" && price.is_none() {
        return Err(refused(ORDER_REJECTED));
    }
    let client_order_id = params.get("customTag").map(str::to_owned);
    let draft = Draft {
        time_in_force: "Day".to_owned(),
        price,
        fate: if kind == "Market" { Fate::Fill } else { Fate::Rest },
        ..broker::draft(call, symbol, side, kind, quantity)
    };
    caller.account.with_book(|book| {
        if client_order_id.as_deref().is_some_and(|tag| book.by_client_id(tag).is_some()) {
            return Err(refused(ORDER_REJECTED));
        }
        let order = book.place(Draft { client_order_id, ..draft }).map_err(|_| refused(ORDER_REJECTED))?;
        Ok(success(json!({ "orderId": order.id })))
    })
}

/// Gives an open order another price or size.
pub(super) fn modify(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    own_account(call, caller)?;
    let (price, quantity) = (decimal(&call.params, "limitPrice"), decimal(&call.params, "size"));
    caller.account.with_book(|book| {
        order_id(call)
            .and_then(|id| book.amend(id, price, quantity, call.received.at))
            .map(|_| success(json!({})))
            .ok_or_else(|| failure(ORDER_NOT_FOUND, json!({})))
    })
}

/// Cancels an open order.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    own_account(call, caller)?;
    caller.account.with_book(|book| {
        order_id(call)
            .and_then(|id| book.cancel(id, call.received.at))
            .map(|_| success(json!({})))
            .ok_or_else(|| failure(ORDER_NOT_FOUND, json!({})))
    })
}

/// Closes the position in a contract, or `size` of it.
pub(super) fn close(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    own_account(call, caller)?;
    let nothing = || failure(POSITION_NOT_FOUND, json!({}));
    let symbol = market::find(MARKET, call.params.get("contractId").unwrap_or_default()).ok_or_else(nothing)?;
    caller.account.with_book(|book| {
        let held = book.positions.get(symbol.name).ok_or_else(nothing)?.amount;
        let side = if held < Decimal::ZERO { Side::Buy } else { Side::Sell };
        let quantity = decimal(&call.params, "size").unwrap_or(held.abs());
        let draft = broker::draft(call, symbol, side, "Market", quantity);
        book.place(Draft { reduce_only: true, fate: Fate::Fill, ..draft }).map_err(|_| nothing())?;
        Ok(success(json!({})))
    })
}

fn order_id(call: &Call<'_>) -> Option<u64> {
    call.params.get("orderId")?.parse().ok()
}

fn own_account(call: &Call<'_>, caller: &Caller) -> Result<(), Answer> {
    let own = account_ids(&caller.key, ACCOUNT).contains(&call.params.get("accountId").unwrap_or_default());
    own.then_some(()).ok_or_else(|| failure(ACCOUNT_NOT_FOUND, json!({})))
}
