//! How OANDA shows accounts, orders, positions and prices.

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{MARKET, error};
use crate::book::{Book, Order, Position, Side, Status};
use crate::market::{self, Symbol, fixed};
use crate::venue::broker::add;
use crate::venue::{Answer, Call};

const DEPOSIT: u32 = 100_000;
const MONEY_PLACES: u32 = 4;

/// An order; units are negative when selling.
pub(super) fn order(order: &Order) -> Value {
    let draft = &order.draft;
    let mut shown = json!({
        "id": order.id.to_string(),
        "createTime": draft.received.rfc3339(),
        "state": match order.status {
            Status::New => "PENDING",
            Status::Filled => "FILLED",
            Status::Canceled | Status::Expired => "CANCELLED",
        },
        "type": draft.kind,
        "instrument": draft.symbol.name,
        "units": draft.side.signed(draft.quantity).normalize().to_string(),
        "timeInForce": draft.time_in_force,
        "positionFill": if draft.reduce_only { "REDUCE_ONLY" } else { "DEFAULT" },
        "triggerCondition": "DEFAULT",
        "clientExtensions": { "id": order.client_order_id() },
    });
    if let Some(price) = draft.price {
        add(&mut shown, "price", price.to_string());
    }
    shown
}

/// The account, with all that is open in it if `full`.
pub(super) fn account(book: &Book, id: &str, full: bool) -> Answer {
    let money = fixed(Decimal::from(DEPOSIT), MONEY_PLACES);
    let zero = fixed(Decimal::ZERO, MONEY_PLACES);
    let mut account = json!({
        "id": id, "alias": "Simulated", "currency": "USD", "hedgingEnabled": false, "marginRate": "0.02",
        "balance": money, "NAV": money, "marginAvailable": money, "withdrawalLimit": money,
        "pl": zero, "unrealizedPL": zero, "marginUsed": zero, "positionValue": zero,
        "openTradeCount": book.positions.len(), "openPositionCount": book.positions.len(),
        "pendingOrderCount": book.open().count(), "lastTransactionID": last_transaction(book),
    });
    if full {
        add(&mut account, "orders", book.open().map(order).collect::<Value>());
        add(&mut account, "positions", book.positions.iter().filter_map(held).collect::<Value>());
        add(&mut account, "trades", open_trades(book).collect::<Value>());
    }
    Answer::ok(&json!({ "account": account, "lastTransactionID": last_transaction(book) }))
}

/// Positions, with flat ones that were once held if `flat_too`.
pub(super) fn positions(book: &Book, flat_too: bool) -> Answer {
    let flat = MARKET.iter().filter(|symbol| {
        let traded = || book.all().any(|order| order.draft.symbol.name == symbol.name && !order.executed.is_zero());
        flat_too && !book.positions.contains_key(symbol.name) && traded()
    });
    let list: Vec<Value> = book
        .positions
        .iter()
        .filter_map(held)
        .chain(flat.map(|symbol| show_position(symbol, Position::default())))
        .collect();
    Answer::ok(&json!({ "positions": list, "lastTransactionID": last_transaction(book) }))
}

/// One position.
pub(super) fn position(book: &Book, name: &str) -> Result<Answer, Answer> {
    let symbol = instrument(name)?;
    let held = book.positions.get(name).copied().unwrap_or_default();
    Ok(Answer::ok(&json!({ "position": show_position(symbol, held), "lastTransactionID": last_transaction(book) })))
}

/// Open trades; all fills of an instrument are one trade, named after the newest.
pub(super) fn trades(book: &Book) -> Answer {
    let list: Vec<Value> = open_trades(book).collect();
    Answer::ok(&json!({ "trades": list, "lastTransactionID": last_transaction(book) }))
}

/// The instrument whose open trade goes by this id.
pub(super) fn traded(book: &Book, trade: &str) -> Option<&'static str> {
    book.positions.keys().copied().find(|name| trade_id(book, name) == trade)
}

/// What can be traded.
pub(super) fn instruments() -> Answer {
    let list: Vec<Value> = MARKET
        .iter()
        .map(|symbol| {
            json!({
                "name": symbol.name, "type": "CURRENCY", "displayName": symbol.name.replace('_', "/"),
                "displayPrecision": symbol.price.scale(), "pipLocation": 1_i64.saturating_sub(symbol.price.scale().into()),
                "tradeUnitsPrecision": 0, "minimumTradeSize": "1", "maximumOrderUnits": "100000000",
                "marginRate": "0.02",
            })
        })
        .collect();
    Answer::ok(&json!({ "instruments": list }))
}

/// Prices of the instruments asked for.
pub(super) fn pricing(call: &Call<'_>) -> Result<Answer, Answer> {
    let names = call.params.get("instruments").unwrap_or_default();
    let time = call.received.at.rfc3339();
    let prices = names
        .split(',')
        .map(|name| {
            let price = instrument(name)?.price.to_string();
            let level = json!([{ "price": price, "liquidity": 10_000_000 }]);
            Ok(json!({
                "type": "PRICE", "instrument": name, "time": time, "tradeable": true,
                "bids": level, "asks": level, "closeoutBid": price, "closeoutAsk": price,
            }))
        })
        .collect::<Result<Vec<Value>, Answer>>()?;
    Ok(Answer::ok(&json!({ "prices": prices, "time": time })))
}

/// The instrument of a name.
pub(super) fn instrument(name: &str) -> Result<&'static Symbol, Answer> {
    market::find(MARKET, name).ok_or_else(|| {
        error(StatusCode::BAD_REQUEST, "INVALID_INSTRUMENT", "The instrument specified is not a valid instrument")
    })
}

/// The newest transaction, which here is the newest order.
pub(super) fn last_transaction(book: &Book) -> String {
    book.all().last().map_or(0, |order| order.id).to_string()
}

fn open_trades(book: &Book) -> impl Iterator<Item = Value> {
    book.positions.iter().map(|(name, held)| {
        let units = held.amount.normalize().to_string();
        json!({
            "id": trade_id(book, name), "instrument": name, "price": held.entry_price.to_string(), "state": "OPEN",
            "initialUnits": units, "currentUnits": units, "realizedPL": "0.0000", "unrealizedPL": "0.0000",
        })
    })
}

fn trade_id(book: &Book, instrument: &str) -> String {
    let newest = book.all().filter(|order| order.draft.symbol.name == instrument && !order.executed.is_zero()).last();
    newest.map_or(0, |order| order.id).to_string()
}

fn held((name, held): (&&'static str, &Position)) -> Option<Value> {
    market::find(MARKET, name).map(|symbol| show_position(symbol, *held))
}

fn show_position(symbol: &Symbol, held: Position) -> Value {
    let side = |amount: Decimal| {
        let mut side = Map::new();
        side.insert("units".into(), amount.normalize().to_string().into());
        side.insert("pl".into(), "0.0000".into());
        side.insert("unrealizedPL".into(), "0.0000".into());
        if !amount.is_zero() {
            side.insert("averagePrice".into(), held.entry_price.to_string().into());
        }
        side
    };
    json!({
        "instrument": symbol.name, "pl": "0.0000", "unrealizedPL": "0.0000",
        "long": side(held.amount.max(Decimal::ZERO)), "short": side(held.amount.min(Decimal::ZERO)),
    })
}

/// The side that `units` mean.
pub(super) fn side(units: Decimal) -> Side {
    if units < Decimal::ZERO { Side::Sell } else { Side::Buy }
}
