//! How `TopstepX` shows accounts, contracts, orders, positions and trades.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{ACCOUNT, MARKET, failure, success};
use crate::book::{Order, Side, Status};
use crate::market::{Symbol, number};
use crate::venue::broker::account_ids;
use crate::venue::{Answer, Call, Caller};

const DEPOSIT: u32 = 50_000;

/// Order types by their numbers, which are their words in the book.
pub(super) const ORDER_TYPES: [(&str, &str); 5] =
    [("1", "Limit"), ("2", "Market"), ("3", "StopLimit"), ("4", "Stop"), ("5", "TrailingStop")];

/// The login's accounts.
pub(super) fn accounts(caller: &Caller) -> Answer {
    let accounts: Vec<Value> = account_ids(&caller.key, ACCOUNT)
        .iter()
        .map(|id| {
            json!({
                "id": id_number(id), "name": format!("PRACTICE-{id}"), "balance": DEPOSIT, "canTrade": true,
                "isVisible": true, "simulated": true,
            })
        })
        .collect();
    success(json!({ "accounts": accounts }))
}

/// The contracts whose id or name contains the text asked for.
pub(super) fn contracts(call: &Call<'_>) -> Answer {
    let text = call.params.get("searchText").or_else(|| call.params.get("contractId")).unwrap_or_default();
    let contracts: Vec<Value> = MARKET.iter().filter(|symbol| fits(symbol, text)).map(contract).collect();
    success(json!({ "contracts": contracts }))
}

/// Orders, or only the open ones.
pub(super) fn orders(call: &Call<'_>, caller: &Caller, open_only: bool) -> Result<Answer, Answer> {
    let account = account(call, caller, "orders")?;
    let orders: Vec<Value> = caller.account.with_book(|book| {
        let wanted = |order: &&Order| !open_only || order.status == Status::New;
        book.all().filter(wanted).map(|order| show_order(order, &account)).collect()
    });
    Ok(success(json!({ "orders": orders })))
}

/// What is held.
pub(super) fn positions(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let account = account(call, caller, "positions")?;
    let positions: Vec<Value> = caller.account.with_book(|book| {
        let held = book.positions.iter().zip(1_u32..);
        held.map(|((name, held), id)| {
            json!({
                "id": id, "accountId": account, "contractId": name, "creationTimestamp": call.received.at.rfc3339(),
                "type": if held.amount < Decimal::ZERO { 2 } else { 1 },
                "size": number(held.amount.abs()), "averagePrice": number(held.entry_price),
            })
        })
        .collect()
    });
    Ok(success(json!({ "positions": positions })))
}

/// What was filled.
pub(super) fn trades(call: &Call<'_>, caller: &Caller) -> Result<Answer, Answer> {
    let account = account(call, caller, "trades")?;
    let trades: Vec<Value> = caller.account.with_book(|book| {
        let filled = book.all().filter(|order| !order.executed.is_zero());
        filled
            .map(|order| {
                json!({
                    "id": order.id, "orderId": order.id, "accountId": account,
                    "contractId": order.draft.symbol.name, "creationTimestamp": order.updated.rfc3339(),
                    "price": number(order.average_price()), "size": number(order.executed),
                    "side": side(order.draft.side), "profitAndLoss": null, "fees": 0, "voided": false,
                })
            })
            .collect()
    });
    Ok(success(json!({ "trades": trades })))
}

/// The account of a call, if it is the login's own; `list` stays empty otherwise.
fn account(call: &Call<'_>, caller: &Caller, list: &str) -> Result<Value, Answer> {
    let id = call.params.get("accountId").unwrap_or_default();
    let own = account_ids(&caller.key, ACCOUNT).contains(&id);
    own.then(|| id_number(id)).ok_or_else(|| failure(1, json!({ list: [] })))
}

fn fits(symbol: &Symbol, text: &str) -> bool {
    symbol.name.contains(text) || symbol.aliases.iter().any(|alias| alias.contains(text))
}

fn contract(symbol: &Symbol) -> Value {
    json!({
        "id": symbol.name, "name": symbol.aliases.first(), "description": symbol.base, "tickSize": 0.25,
        "tickValue": 0.5, "activeContract": true, "symbolId": format!("F.US.{}", symbol.base),
    })
}

fn show_order(order: &Order, account: &Value) -> Value {
    let draft = &order.draft;
    let number_of =
        |kind: &str| ORDER_TYPES.iter().find(|(_, word)| *word == kind).map(|(number, _)| id_number(number));
    json!({
        "id": order.id, "accountId": account, "contractId": draft.symbol.name,
        "creationTimestamp": draft.received.rfc3339(), "updateTimestamp": order.updated.rfc3339(),
        "status": match order.status {
            Status::New => 1,
            Status::Filled => 2,
            Status::Canceled => 3,
            Status::Expired => 4,
        },
        "type": number_of(&draft.kind), "side": side(draft.side), "size": number(draft.quantity),
        "limitPrice": draft.price.map(number), "stopPrice": null, "fillVolume": number(order.executed),
        "filledPrice": (!order.executed.is_zero()).then(|| number(order.average_price())),
        "customTag": order.client_order_id(),
    })
}

const fn side(side: Side) -> u8 {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

fn id_number(text: &str) -> Value {
    text.parse::<u64>().map(Value::from).unwrap_or_default()
}
