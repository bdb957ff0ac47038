//! How `BitMEX` shows its market, and a key's orders, margin and positions.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{MARKET, bad_request};
use crate::book::{Book, Order, Side, Status};
use crate::market::{Symbol, number};
use crate::venue::order_uuid::order_uuid;
use crate::venue::{Answer, Call};

/// What every account holds, in the smallest unit of each currency.
const DEPOSITS: [(&str, u64); 2] = [("XBt", 1_000_000_000), ("USDt", 1_000_000_000_000)];

/// An entry of the list of instruments.
pub(super) fn instrument(symbol: &Symbol, call: &Call<'_>) -> Value {
    let inverse = is_inverse(symbol);
    let price = number(symbol.price);
    json!({
        "symbol": symbol.name, "rootSymbol": symbol.base, "state": "Open", "typ": "FFWCSX",
        "underlying": symbol.base, "quoteCurrency": symbol.quote,
        "positionCurrency": if inverse { "USD" } else { symbol.base },
        "settlCurrency": settlement(symbol),
        "isInverse": inverse, "isQuanto": false,
        "multiplier": if inverse { -100_000_000 } else { 1 },
        "underlyingToPositionMultiplier": if inverse { Value::Null } else { json!(1_000_000) },
        "lotSize": 100, "tickSize": if symbol.base == "XBT" { 0.1 } else { 0.01 },
        "maxOrderQty": 10_000_000, "maxPrice": 1_000_000,
        "initMargin": 0.01, "maintMargin": 0.005, "makerFee": 0.0002, "takerFee": 0.0005,
        "lastPrice": price, "markPrice": price, "bidPrice": price, "askPrice": price, "midPrice": price,
        "highPrice": price, "lowPrice": price, "prevPrice24h": price, "fundingRate": 0.0001,
        "timestamp": call.received.at.rfc3339(),
    })
}

/// One bid and one offer, both at the price.
pub(super) fn order_book(symbol: &Symbol) -> [Value; 2] {
    [("Sell", 1), ("Buy", 2)].map(|(side, id)| {
        json!({ "symbol": symbol.name, "id": id, "side": side, "size": 1000, "price": number(symbol.price) })
    })
}

/// The currencies.
pub(super) fn assets() -> Value {
    let asset = |asset: &str, currency: &str, name: &str, scale: u32| {
        json!({
            "asset": asset, "currency": currency, "majorCurrency": asset, "name": name,
            "currencyType": "Crypto", "scale": scale, "enabled": true, "isMarginCurrency": true,
            "minDepositAmount": 10_000, "minWithdrawalAmount": 1_000, "maxWithdrawalAmount": 100_000_000_000_000_u64,
            "networks": [],
        })
    };
    json!([asset("XBT", "XBt", "Bitcoin", 8), asset("USDT", "USDt", "Tether", 6)])
}

/// The members of the query's `filter`, which is JSON.
pub(super) fn filter(call: &Call<'_>) -> Result<Map<String, Value>, Answer> {
    let Some(text) = call.params.get("filter") else {
        return Ok(Map::new());
    };
    serde_json::from_str(text).map_err(|_| bad_request("filter is not valid JSON"))
}

/// An order.
pub(super) fn order(order: &Order) -> Value {
    let draft = &order.draft;
    let sent: Map<String, Value> = serde_json::from_str(&draft.params).unwrap_or_default();
    let as_sent = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let open = order.status == Status::New;
    let leaves = if open { draft.quantity } else { Decimal::ZERO };
    let average = order.average_price();
    json!({
        "orderID": order_uuid(order.id),
        "clOrdID": order.client_order_id(),
        "clOrdLinkID": "",
        "account": 1,
        "symbol": draft.symbol.name,
        "side": match draft.side {
            Side::Buy => "Buy",
            Side::Sell => "Sell",
        },
        "orderQty": number(draft.quantity),
        "price": draft.price.map(number),
        "stopPx": as_sent("stopPx").parse::<Decimal>().ok().map(number),
        "currency": draft.symbol.quote,
        "settlCurrency": settlement(draft.symbol),
        "ordType": draft.kind,
        "timeInForce": draft.time_in_force,
        "execInst": as_sent("execInst"),
        "contingencyType": "",
        "ordStatus": status_word(order.status),
        "triggered": "",
        "workingIndicator": open,
        "ordRejReason": "",
        "leavesQty": number(leaves),
        "cumQty": number(order.executed),
        "avgPx": (!average.is_zero()).then(|| number(average)),
        "text": as_sent("text"),
        "transactTime": draft.received.rfc3339(),
        "timestamp": order.updated.rfc3339(),
    })
}

/// Where an order is in its life.
pub(super) const fn status_word(status: Status) -> &'static str {
    match status {
        Status::New => "New",
        Status::Filled => "Filled",
        Status::Canceled => "Canceled",
        Status::Expired => "Expired",
    }
}

/// The positions that are held or have a leverage of their own.
pub(super) fn positions(book: &Book, call: &Call<'_>) -> Vec<Value> {
    MARKET
        .iter()
        .filter(|symbol| book.positions.contains_key(symbol.name) || book.leverage.contains_key(symbol.name))
        .map(|symbol| position(symbol, book, call))
        .collect()
}

/// The position in a symbol, be it empty.
pub(super) fn position(symbol: &Symbol, book: &Book, call: &Call<'_>) -> Value {
    let held = book.positions.get(symbol.name).copied().unwrap_or_default();
    let leverage = book.leverage.get(symbol.name).copied().filter(|leverage| !leverage.is_zero());
    let price = number(symbol.price);
    json!({
        "account": 1, "symbol": symbol.name, "currency": settlement(symbol),
        "underlying": symbol.base, "quoteCurrency": symbol.quote,
        "isOpen": !held.amount.is_zero(),
        "currentQty": number(held.amount),
        "homeNotional": number(held.amount),
        "foreignNotional": number(Decimal::ZERO.saturating_sub(held.amount)),
        "avgEntryPrice": number(held.entry_price),
        "markPrice": price, "lastPrice": price, "liquidationPrice": null,
        "leverage": number(leverage.unwrap_or(Decimal::ONE_HUNDRED)),
        "crossMargin": leverage.is_none(),
        "initMarginReq": 0.01, "maintMarginReq": 0.005, "maintMargin": 0, "initMargin": 0,
        "unrealisedPnl": 0, "unrealisedPnlPcnt": 0, "realisedPnl": 0,
        "timestamp": call.received.at.rfc3339(),
    })
}

/// The margin in each currency: profits are not booked, for prices never move.
pub(super) fn margins(call: &Call<'_>) -> Vec<Value> {
    DEPOSITS
        .iter()
        .map(|(currency, amount)| {
            json!({
                "account": 1, "currency": currency, "amount": amount,
                "walletBalance": amount, "marginBalance": amount, "availableMargin": amount,
                "withdrawableMargin": amount, "initMargin": 0, "maintMargin": 0, "unrealisedPnl": 0,
                "timestamp": call.received.at.rfc3339(),
            })
        })
        .collect()
}

/// Whether a contract is worth a dollar, paid in bitcoin.
fn is_inverse(symbol: &Symbol) -> bool {
    symbol.quote == "USD"
}

fn settlement(symbol: &Symbol) -> &'static str {
    if is_inverse(symbol) { "XBt" } else { "USDt" }
}
