//! How Bybit shows orders.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use crate::book::{Order, Side, Status};
use crate::venue::order_uuid;

/// Spot orders have numbers, contract orders UUIDs.
pub(super) fn order_id(order: &Order) -> String {
    if order.draft.on_margin { order_uuid::order_uuid(order.id) } else { order.id.to_string() }
}

/// The order of an id as [`order_id`] writes it.
pub(super) fn parse_order_id(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| order_uuid::order_id(text))
}

/// A decimal without trailing zeros.
pub(super) fn number(value: Decimal) -> String {
    value.normalize().to_string()
}

/// `Buy` or `Sell`.
pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "Buy",
        Side::Sell => "Sell",
    }
}

/// A trade, as the execution list has it.
pub(super) fn execution(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "symbol": draft.symbol.name,
        "orderId": order_id(order), "orderLinkId": order.chosen_client_order_id(),
        "side": side_word(draft.side), "orderType": draft.kind, "stopOrderType": "",
        "orderPrice": number(draft.price.unwrap_or_default()), "orderQty": number(draft.quantity),
        "leavesQty": "0", "execId": order_uuid::order_uuid(order.id),
        "execPrice": number(order.average_price()), "execQty": number(order.executed),
        "execValue": number(order.executed_quote), "execType": "Trade", "execFee": "0",
        "execTime": order.updated.ms().to_string(), "feeCurrency": "", "feeRate": "0.0006", "isMaker": false,
        "markPrice": number(draft.symbol.price), "indexPrice": "", "seq": order.id,
    })
}

/// An order as the order lists have it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    order_id: String,
    order_link_id: &'a str,
    block_trade_id: &'static str,
    symbol: &'static str,
    price: String,
    qty: String,
    side: &'static str,
    is_leverage: &'static str,
    position_idx: u8,
    order_status: &'static str,
    cancel_type: &'static str,
    reject_reason: &'static str,
    avg_price: String,
    leaves_qty: String,
    leaves_value: String,
    cum_exec_qty: String,
    cum_exec_value: String,
    cum_exec_fee: &'static str,
    time_in_force: &'a str,
    order_type: &'a str,
    stop_order_type: &'static str,
    order_iv: &'static str,
    trigger_price: String,
    take_profit: &'static str,
    stop_loss: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tpsl_mode: Option<&'static str>,
    tp_trigger_by: &'static str,
    sl_trigger_by: &'static str,
    trigger_direction: u8,
    trigger_by: &'static str,
    last_price_on_created: String,
    reduce_only: bool,
    close_on_trigger: bool,
    smp_type: &'static str,
    smp_group: u8,
    smp_order_id: &'static str,
    created_time: String,
    updated_time: String,
}

impl<'a> View<'a> {
    /// As it is.
    pub(super) fn of(order: &'a Order) -> Self {
        let draft = &order.draft;
        let left = match order.status {
            Status::New => draft.quantity.saturating_sub(order.executed),
            Status::Filled | Status::Canceled | Status::Expired => Decimal::ZERO,
        };
        let price = draft.price.unwrap_or_default();
        Self {
            order_id: order_id(order),
            order_link_id: order.chosen_client_order_id(),
            block_trade_id: "",
            symbol: draft.symbol.name,
            price: number(price),
            qty: number(draft.quantity),
            side: side_word(draft.side),
            is_leverage: if draft.on_margin { "" } else { "0" },
            position_idx: 0,
            order_status: match order.status {
                Status::New => "New",
                Status::Filled => "Filled",
                Status::Canceled | Status::Expired => "Cancelled",
            },
            cancel_type: if order.status == Status::Canceled { "CancelByUser" } else { "UNKNOWN" },
            reject_reason: "EC_NoError",
            avg_price: if order.executed.is_zero() { String::new() } else { number(order.average_price()) },
            leaves_qty: number(left),
            leaves_value: number(left.saturating_mul(price)),
            cum_exec_qty: number(order.executed),
            cum_exec_value: number(order.executed_quote),
            cum_exec_fee: "0",
            time_in_force: &draft.time_in_force,
            order_type: &draft.kind,
            stop_order_type: "",
            order_iv: "",
            trigger_price: String::new(),
            take_profit: "",
            stop_loss: "",
            tpsl_mode: draft.on_margin.then_some(""),
            tp_trigger_by: "",
            sl_trigger_by: "",
            trigger_direction: 0,
            trigger_by: "",
            last_price_on_created: number(draft.symbol.price),
            reduce_only: draft.reduce_only,
            close_on_trigger: false,
            smp_type: "None",
            smp_group: 0,
            smp_order_id: "",
            created_time: draft.received.ms().to_string(),
            updated_time: order.updated.ms().to_string(),
        }
    }
}
