//! How USD-M shows orders.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::{MONEY_PLACES, PRICE_PLACES, QUANTITY_PLACES};
use crate::book::{Order, Side, Status};
use crate::market::fixed;
use crate::venue::binance_protocol as protocol;

/// What was executed of an order; it happens at once or not at all.
pub(super) fn trade(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "symbol": draft.symbol.name, "id": order.id, "orderId": order.id, "side": protocol::side_word(draft.side),
        "price": fixed(order.average_price(), PRICE_PLACES), "qty": fixed(order.executed, QUANTITY_PLACES),
        "quoteQty": fixed(order.executed_quote, PRICE_PLACES), "realizedPnl": "0", "marginAsset": draft.symbol.quote,
        "commission": "0", "commissionAsset": draft.symbol.quote, "time": order.updated.ms(), "positionSide": "BOTH",
        "buyer": draft.side == Side::Buy, "maker": false,
    })
}

/// A conditional order.
pub(super) fn algo(order: &Order) -> Value {
    let draft = &order.draft;
    let sent: Value = serde_json::from_str(&draft.params).unwrap_or_default();
    json!({
        "algoId": order.id, "clientAlgoId": order.client_order_id(), "algoType": "CONDITIONAL",
        "orderType": draft.kind, "symbol": draft.symbol.name, "side": protocol::side_word(draft.side),
        "positionSide": "BOTH", "timeInForce": draft.time_in_force,
        "quantity": fixed(draft.quantity, QUANTITY_PLACES), "algoStatus": order.status.word(),
        "triggerPrice": sent.get("triggerPrice"), "price": fixed(draft.price.unwrap_or_default(), PRICE_PLACES),
        "actualOrderId": "", "actualPrice": fixed(Decimal::ZERO, MONEY_PLACES), "workingType": "CONTRACT_PRICE",
        "priceMatch": "NONE", "closePosition": sent.get("closePosition").is_some_and(|close| close == "true"),
        "priceProtect": false, "reduceOnly": draft.reduce_only, "selfTradePreventionMode": "EXPIRE_MAKER",
        "createTime": draft.received.ms(), "updateTime": order.updated.ms(), "triggerTime": 0, "goodTillDate": 0,
    })
}

/// An order as USD-M shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    order_id: u64,
    symbol: &'static str,
    status: &'static str,
    client_order_id: &'a str,
    price: String,
    avg_price: String,
    orig_qty: String,
    executed_qty: String,
    cum_qty: String,
    cum_quote: String,
    time_in_force: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    orig_type: &'a str,
    reduce_only: bool,
    close_position: bool,
    side: &'static str,
    position_side: &'static str,
    stop_price: &'static str,
    working_type: &'static str,
    price_protect: bool,
    price_match: &'static str,
    self_trade_prevention_mode: &'static str,
    good_till_date: u64,
    time: u64,
    update_time: u64,
}

impl<'a> View<'a> {
    /// As it is.
    pub(super) fn of(order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            order_id: order.id,
            symbol: draft.symbol.name,
            status: order.status.word(),
            client_order_id: order.client_order_id(),
            price: fixed(draft.price.unwrap_or_default(), PRICE_PLACES),
            avg_price: fixed(order.average_price(), PRICE_PLACES),
            orig_qty: fixed(draft.quantity, QUANTITY_PLACES),
            executed_qty: fixed(order.executed, QUANTITY_PLACES),
            cum_qty: fixed(order.executed, QUANTITY_PLACES),
            cum_quote: fixed(order.executed_quote, PRICE_PLACES),
            time_in_force: &draft.time_in_force,
            kind: &draft.kind,
            orig_type: &draft.kind,
            reduce_only: draft.reduce_only,
            close_position: false,
            side: protocol::side_word(draft.side),
            position_side: "BOTH",
            stop_price: "0.00",
            working_type: "CONTRACT_PRICE",
            price_protect: false,
            price_match: "NONE",
            self_trade_prevention_mode: "EXPIRE_MAKER",
            good_till_date: 0,
            time: draft.received.ms(),
            update_time: order.updated.ms(),
        }
    }

    /// As the venue acknowledges it by default: accepted, and nothing said of fills.
    pub(super) fn acknowledged(order: &'a Order) -> Self {
        let nothing = || fixed(Decimal::ZERO, QUANTITY_PLACES);
        Self {
            status: Status::New.word(),
            avg_price: fixed(Decimal::ZERO, PRICE_PLACES),
            executed_qty: nothing(),
            cum_qty: nothing(),
            cum_quote: fixed(Decimal::ZERO, PRICE_PLACES),
            ..Self::of(order)
        }
    }
}
