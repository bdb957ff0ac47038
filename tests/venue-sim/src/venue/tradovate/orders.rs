//! Placing, modifying, canceling and liquidating at Tradovate; a refused order is status 200 with its reason.

use rust_decimal::Decimal;
use serde_json::json;

use super::ACCOUNT;
use super::entities::contract;
use crate::book::{Book, Draft, Fate, Side};
use crate::venue::broker::{self, account_ids, decimal};
use crate::venue::{Answer, Call, Caller};

/// Places an order. Tradovate does not say what a repeated `clOrdId` does; here both orders are taken, which is
/// the worse for whoever sent it twice.
pub(super) fn place(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let params = &call.params;
    own_account(call, caller)?;
    let symbol = contract(params.get("symbol").unwrap_or_default())
        .ok_or_else(|| failure("InvalidContract", "Unknown contract"))?;
    let side = match params.get("action") {
        Some("Buy") => Side::Buy,
        Some("Sell") => Side::Sell,
        _ => return Err(failure("UnknownReason", "action must be Buy or Sell")),
    };
    let quantity = decimal(params, "orderQty")
        .filter(|quantity| *quantity > Decimal::ZERO && quantity.is_integer())
        .ok_or_else(|| failure("InvalidQuantity", "orderQty must be a whole number"))?;
    let kind = params.get("orderType").unwrap_or_default();
    let price = decimal(params, "price");
    let time_in_force = params.get("timeInForce").unwrap_or("Day");
    let fate = match (kind, time_in_force) {
        ("Market", _) => Fate::Fill,
        ("Limit" | "StopLimit", _) if price.is_none() => return Err(failure("InvalidPrice", "price is missing")),
        ("Stop" | "StopLimit" | "TrailingStop", _) if params.get("stopPrice").is_none() => {
            return Err(failure("InvalidPrice", "stopPrice is missing"));
        }
        ("Limit", "IOC" | "FOK") => Fate::Expire,
        ("Limit" | "Stop" | "StopLimit" | "TrailingStop" | "MIT", _) => Fate::Rest,
        _ => return Err(failure("UnknownReason", "Unknown orderType")),
    };
    let draft = Draft {
        time_in_force: time_in_force.to_owned(),
        price,
        fate,
        ..broker::draft(call, symbol, side, kind, quantity)
    };
    caller.account.with_book(|book| {
        let client_order_id = params.get("clOrdId").filter(|id| book.by_client_id(id).is_none()).map(str::to_owned);
        put(book, Draft { client_order_id, ..draft })
    })
}

/// Gives a working order another price or quantity.
pub(super) fn modify(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let (price, quantity) = (decimal(&call.params, "price"), decimal(&call.params, "orderQty"));
    caller.account.with_book(|book| {
        book.amend(order_id(call)?, price, quantity, call.received.at).ok_or_else(too_late)?;
        Ok(Answer::ok(&json!({ "commandId": call.received.seq })))
    })
}

/// Cancels a working order.
pub(super) fn cancel(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        book.cancel(order_id(call)?, call.received.at).ok_or_else(too_late)?;
        Ok(Answer::ok(&json!({ "commandId": call.received.seq })))
    })
}

/// Cancels the working orders of a contract and closes its position.
pub(super) fn liquidate(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    own_account(call, caller)?;
    let symbol = contract(call.params.get("contractId").unwrap_or_default())
        .ok_or_else(|| failure("InvalidContract", "Unknown contract"))?;
    caller.account.with_book(|book| {
        book.cancel_all(Some(symbol), call.received.at);
        let held = book.positions.get(symbol.name).copied().unwrap_or_default().amount;
        let side = if held < Decimal::ZERO { Side::Buy } else { Side::Sell };
        let draft = broker::draft(call, symbol, side, "Market", held.abs());
        put(book, Draft { reduce_only: true, fate: Fate::Fill, ..draft })
    })
}

fn put(book: &mut Book, draft: Draft) -> Result<Answer, Answer> {
    let order = book.place(draft).map_err(|_| failure("LiquidationOnly", "There is no position"))?;
    Ok(Answer::ok(&json!({ "orderId": order.id })))
}

fn failure(reason: &str, text: &str) -> Answer {
    Answer::ok(&json!({ "failureReason": reason, "failureText": text }))
}

fn too_late() -> Answer {
    failure("TooLate", "The order is not working")
}

fn order_id(call: &Call<'_>) -> Result<u64, Answer> {
    call.params.get("orderId").and_then(|id| id.parse().ok()).ok_or_else(too_late)
}

/// The account of an order must be the caller's own.
fn own_account(call: &Call<'_>, caller: &Caller) -> Result<(), Answer> {
    let id = call.params.get("accountId").unwrap_or_default();
    let own = account_ids(&caller.key, ACCOUNT).contains(&id);
    own.then_some(()).ok_or_else(|| failure("AccountClosed", "Unknown account"))
}
