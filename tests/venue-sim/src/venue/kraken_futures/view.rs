//! How Kraken Futures shows its market, and a key's orders, balances and positions.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::MARKET;
use crate::book::{Book, Order, Side, Status};
use crate::clock::Moment;
use crate::market::{self, Symbol, number};
use crate::venue::Call;
use crate::venue::order_uuid::order_uuid;

const DEPOSIT_USD: u32 = 1_000_000;

/// The contract that goes by `name`, in whichever case.
pub(super) fn find(name: &str) -> Option<&'static Symbol> {
    market::find(MARKET, &name.to_ascii_uppercase())
}

/// An entry of the list of instruments.
pub(super) fn instrument(symbol: &Symbol) -> Value {
    let inverse = is_inverse(symbol);
    json!({
        "symbol": symbol.name,
        "type": if inverse { "futures_inverse" } else { "flexible_futures" },
        "base": symbol.base, "quote": symbol.quote, "pair": format!("{}:{}", symbol.base, symbol.quote),
        "tickSize": if inverse { 0.5 } else { 0.1 },
        "contractSize": 1,
        "contractValueTradePrecision": if inverse { 0 } else { 4 },
        "impactMidSize": 1, "maxPositionSize": 1_000_000,
        "tradeable": true, "postOnly": false, "category": "Layer 1", "tags": [],
        "openingDate": "2022-01-01T00:00:00.000Z",
        "fundingRateCoefficient": 8, "maxRelativeFundingRate": 0.0025,
        "marginLevels": [{ "contracts": 0, "initialMargin": 0.02, "maintenanceMargin": 0.01 }],
        "feeScheduleUid": "5b755fea-c5b0-4307-a66e-b392cd5bd931",
    })
}

/// A day on which nothing moved.
pub(super) fn ticker(symbol: &Symbol, call: &Call<'_>) -> Value {
    let price = number(symbol.price);
    json!({
        "symbol": symbol.name, "tag": "perpetual", "pair": format!("{}:{}", symbol.base, symbol.quote),
        "last": price, "lastTime": call.received.at.rfc3339(), "lastSize": 1,
        "bid": price, "bidSize": 10, "ask": price, "askSize": 10,
        "markPrice": price, "indexPrice": price, "open24h": price, "high24h": price, "low24h": price,
        "vol24h": 1000, "volumeQuote": 1000, "openInterest": 1000, "change24h": 0,
        "fundingRate": 0.0001, "fundingRatePrediction": 0.0001,
        "suspended": false, "postOnly": false, "isUnderlyingMarketClosed": false,
    })
}

/// One bid and one offer, both at the price.
pub(super) fn order_book(symbol: &Symbol) -> Value {
    let price = number(symbol.price);
    json!({ "bids": [[price, 10]], "asks": [[price, 10]] })
}

/// An order as events show it.
pub(super) fn event_order(order: &Order) -> Value {
    event_order_filled(order, order.executed)
}

/// The event of an order that was filled at once.
pub(super) fn execution(order: &Order) -> Value {
    json!({
        "type": "EXECUTION",
        "executionId": execution_id(order),
        "price": number(order.average_price()),
        "amount": number(order.executed),
        "orderPriorEdit": null,
        "orderPriorExecution": event_order_filled(order, Decimal::ZERO),
        "takerReducedQuantity": null,
    })
}

/// An entry of the list of open orders.
pub(super) fn open_order(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "order_id": order_uuid(order.id),
        "cliOrdId": order.client_order_id(),
        "symbol": draft.symbol.name,
        "side": side_word(draft.side),
        "orderType": draft.kind,
        "limitPrice": draft.price.map(number),
        "unfilledSize": number(draft.quantity),
        "filledSize": 0,
        "reduceOnly": draft.reduce_only,
        "receivedTime": draft.received.rfc3339(),
        "lastUpdateTime": order.updated.rfc3339(),
        "status": "untouched",
    })
}

/// An order and where it is in its life.
pub(super) fn order_status(order: &Order) -> Value {
    json!({
        "order": event_order(order),
        "status": match order.status {
            Status::New => "ENTERED_BOOK",
            Status::Filled => "FULLY_EXECUTED",
            Status::Canceled | Status::Expired => "CANCELLED",
        },
        "updateReason": null,
        "error": null,
    })
}

/// A fill, of which an order here has one at most.
pub(super) fn fill(order: &Order) -> Value {
    json!({
        "fill_id": execution_id(order),
        "order_id": order_uuid(order.id),
        "cliOrdId": order.client_order_id(),
        "symbol": order.draft.symbol.name,
        "side": side_word(order.draft.side),
        "size": number(order.executed),
        "price": number(order.average_price()),
        "fillTime": order.updated.rfc3339(),
        "fillType": "taker",
    })
}

/// What every account holds: profits are not booked, for prices never move.
pub(super) fn accounts() -> Value {
    let usd = DEPOSIT_USD;
    json!({
        "cash": { "type": "cashAccount", "balances": { "usd": 0, "xbt": 0 } },
        "flex": {
            "type": "multiCollateralMarginAccount",
            "currencies": { "USD": { "quantity": usd, "value": usd, "collateral": usd, "available": usd } },
            "balanceValue": usd, "portfolioValue": usd, "collateralValue": usd,
            "availableMargin": usd, "marginEquity": usd,
            "initialMargin": 0, "initialMarginWithOrders": 0, "maintenanceMargin": 0,
            "pnl": 0, "unrealizedFunding": 0, "totalUnrealized": 0, "totalUnrealizedAsMargin": 0,
        },
    })
}

/// What is held, with its leverage where one was set.
pub(super) fn positions(book: &Book, now: Moment) -> Value {
    let show = |(name, held): (&&'static str, &crate::book::Position)| {
        let mut position = json!({
            "side": if held.amount.is_sign_negative() { "short" } else { "long" },
            "symbol": name,
            "price": number(held.entry_price),
            "fillTime": now.rfc3339(),
            "size": number(held.amount.abs()),
            "unrealizedFunding": 0,
            "pnlCurrency": "USD",
        });
        if let (Value::Object(position), Some(leverage)) = (&mut position, book.leverage.get(name)) {
            position.insert("maxFixedLeverage".to_owned(), number(*leverage));
        }
        position
    };
    book.positions.iter().map(show).collect()
}

/// The symbols for which a leverage was set.
pub(super) fn leverages(book: &Book) -> Value {
    let show =
        |(name, leverage): (&&'static str, &Decimal)| json!({ "symbol": name, "maxLeverage": number(*leverage) });
    book.leverage.iter().map(show).collect()
}

fn event_order_filled(order: &Order, filled: Decimal) -> Value {
    let draft = &order.draft;
    json!({
        "orderId": order_uuid(order.id),
        "cliOrdId": order.client_order_id(),
        "type": draft.kind,
        "symbol": draft.symbol.name,
        "side": side_word(draft.side),
        "quantity": number(draft.quantity),
        "filled": number(filled),
        "limitPrice": draft.price.map(number),
        "reduceOnly": draft.reduce_only,
        "timestamp": draft.received.rfc3339(),
        "lastUpdateTimestamp": order.updated.rfc3339(),
    })
}

/// No other order's id, and no order's own.
fn execution_id(order: &Order) -> String {
    order_uuid(!order.id)
}

fn is_inverse(symbol: &Symbol) -> bool {
    symbol.name.starts_with("PI_")
}

const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
