//! How Interactive Brokers shows accounts, orders, positions and prices.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{ACCOUNT, MARKET, bad_request};
use crate::book::{Order, Side, Status};
use crate::market::{self, Symbol, fixed, number};
use crate::venue::broker::account_ids;
use crate::venue::{Answer, Call, Caller};

const DEPOSIT: u32 = 100_000;

/// The accounts that can be traded in, which must be asked for before anything else is.
pub(super) fn brokerage_accounts(caller: &Caller) -> Answer {
    let accounts = account_ids(&caller.key, ACCOUNT);
    Answer::ok(&json!({
        "accounts": accounts, "selectedAccount": accounts.first(), "isPaper": true,
        "allowFeatures": { "allowFXConv": false, "allowCrypto": false }, "sessionId": "simulated",
    }))
}

/// The accounts that can be looked at.
pub(super) fn accounts(caller: &Caller) -> Answer {
    let accounts: Vec<Value> = account_ids(&caller.key, ACCOUNT)
        .iter()
        .map(|id| json!({ "id": id, "accountId": id, "currency": "USD", "type": "DEMO", "tradingType": "STKNOPT" }))
        .collect();
    Answer::ok(&accounts)
}

/// What the account is worth.
pub(super) fn summary() -> Answer {
    let money = json!({ "amount": DEPOSIT, "currency": "USD", "isNull": false });
    Answer::ok(&json!({
        "netliquidation": money, "totalcashvalue": money, "availablefunds": money, "buyingpower": money,
    }))
}

/// The cash of the account by currency.
pub(super) fn ledger(account: &str) -> Answer {
    let cash =
        json!({ "cashbalance": DEPOSIT, "netliquidationvalue": DEPOSIT, "currency": "USD", "acctcode": account });
    Answer::ok(&json!({ "USD": cash, "BASE": cash }))
}

/// What is held; all of it is on the first page.
pub(super) fn positions(caller: &Caller, account: &str, first_page: bool) -> Answer {
    let positions: Vec<Value> = caller.account.with_book(|book| {
        let held = book.positions.iter().filter(|_| first_page);
        held.filter_map(|(name, held)| {
            let symbol = market::find(MARKET, name)?;
            Some(json!({
                "acctId": account, "conid": contract(symbol), "contractDesc": name, "position": number(held.amount),
                "mktPrice": number(symbol.price), "mktValue": number(held.amount.saturating_mul(symbol.price)),
                "avgCost": number(held.entry_price), "currency": "USD", "assetClass": "STK",
            }))
        })
        .collect()
    });
    Answer::ok(&positions)
}

/// All orders of the session.
pub(super) fn orders(caller: &Caller) -> Answer {
    let orders: Vec<Value> = caller.account.with_book(|book| book.all().map(show_order).collect());
    Answer::ok(&json!({ "orders": orders, "snapshot": true }))
}

/// One order.
pub(super) fn status(caller: &Caller, id: &str) -> Result<Answer, Answer> {
    caller.account.with_book(|book| {
        let order = id.parse().ok().and_then(|id| book.by_id(id)).ok_or_else(|| bad_request("Unknown order"))?;
        let draft = &order.draft;
        Ok(Answer::ok(&json!({
            "order_id": order.id, "conid": contract(draft.symbol), "symbol": draft.symbol.name,
            "side": side(draft.side), "order_type": draft.kind, "order_status": word(order.status),
            "limit_price": draft.price.map(|price| price.to_string()), "total_size": draft.quantity.to_string(),
            "cum_fill": order.executed.to_string(), "tif": draft.time_in_force, "order_ref": order.client_order_id(),
        })))
    })
}

/// What was filled.
pub(super) fn trades(caller: &Caller) -> Answer {
    let trades: Vec<Value> =
        caller.account.with_book(|book| book.all().filter(|order| !order.executed.is_zero()).map(show_trade).collect());
    Answer::ok(&trades)
}

/// Last price, bid and ask of the contracts asked for, under the venue's numbers for these fields.
pub(super) fn snapshot(call: &Call<'_>) -> Result<Answer, Answer> {
    let ids = call.params.get("conids").ok_or_else(|| bad_request("conids is missing"))?;
    let now_ms = call.received.at.ms();
    let shown = ids
        .split(',')
        .map(|id| {
            let symbol = market::find(MARKET, id).ok_or_else(|| bad_request("No such contract"))?;
            let price = fixed(symbol.price, 2);
            Ok(json!({
                "conid": contract(symbol), "conidEx": id, "31": price, "84": price, "86": price, "_updated": now_ms,
            }))
        })
        .collect::<Result<Vec<Value>, Answer>>()?;
    Ok(Answer::ok(&shown))
}

/// A contract's id.
pub(super) fn contract(symbol: &Symbol) -> Option<u64> {
    symbol.aliases.first()?.parse().ok()
}

fn show_order(order: &Order) -> Value {
    let draft = &order.draft;
    let rest = if order.status == Status::New { draft.quantity.saturating_sub(order.executed) } else { Decimal::ZERO };
    json!({
        "orderId": order.id, "conid": contract(draft.symbol), "ticker": draft.symbol.name, "side": side(draft.side),
        "orderType": draft.kind, "origOrderType": draft.kind, "price": draft.price.map(number),
        "totalSize": number(draft.quantity), "filledQuantity": number(order.executed),
        "remainingQuantity": number(rest), "status": word(order.status), "timeInForce": draft.time_in_force,
        "order_ref": order.client_order_id(), "lastExecutionTime_r": order.updated.ms(),
    })
}

fn show_trade(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "execution_id": format!("{:x}", order.id), "symbol": draft.symbol.name, "conid": contract(draft.symbol),
        "side": match draft.side {
            Side::Buy => "B",
            Side::Sell => "S",
        },
        "size": number(order.executed), "price": order.average_price().to_string(),
        "order_ref": order.client_order_id(), "trade_time_r": order.updated.ms(),
    })
}

const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

const fn word(status: Status) -> &'static str {
    match status {
        Status::New => "Submitted",
        Status::Filled => "Filled",
        Status::Canceled => "Cancelled",
        Status::Expired => "Inactive",
    }
}
