//! How spot shows orders.

use serde::Serialize;
use serde_json::{Value, json};

use super::PLACES;
use crate::book::{Order, Side};
use crate::market::fixed;
use crate::venue::binance_protocol as protocol;

/// What was executed of an order; it happens at once or not at all.
pub(super) fn trade(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "symbol": draft.symbol.name, "id": order.id, "orderId": order.id, "orderListId": -1,
        "price": fixed(order.average_price(), PLACES), "qty": fixed(order.executed, PLACES),
        "quoteQty": fixed(order.executed_quote, PLACES), "commission": "0.00000000",
        "commissionAsset": draft.symbol.quote, "time": order.updated.ms(),
        "isBuyer": draft.side == Side::Buy, "isMaker": false, "isBestMatch": true,
    })
}

/// An order as spot shows it; which of the optional fields there are depends on the question.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    symbol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    orig_client_order_id: Option<&'a str>,
    order_id: u64,
    order_list_id: i32,
    client_order_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    transact_time: Option<u64>,
    price: String,
    orig_qty: String,
    executed_qty: String,
    orig_quote_order_qty: &'static str,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    side: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_price: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iceberg_qty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_working: Option<bool>,
    working_time: u64,
    self_trade_prevention_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fills: Option<Vec<Fill>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fill {
    price: String,
    qty: String,
    commission: &'static str,
    commission_asset: &'static str,
    trade_id: u64,
}

impl<'a> View<'a> {
    /// Asked for later.
    pub(super) fn of(order: &'a Order) -> Self {
        Self {
            stop_price: Some("0.00000000"),
            iceberg_qty: Some("0.00000000"),
            time: Some(order.draft.received.ms()),
            update_time: Some(order.updated.ms()),
            is_working: Some(true),
            ..Self::bare(order)
        }
    }

    /// Just placed.
    pub(super) fn placed(order: &'a Order) -> Self {
        let fill = || Fill {
            price: fixed(order.average_price(), PLACES),
            qty: fixed(order.executed, PLACES),
            commission: "0.00000000",
            commission_asset: order.draft.symbol.quote,
            trade_id: order.id,
        };
        Self {
            transact_time: Some(order.updated.ms()),
            fills: Some(if order.executed.is_zero() { Vec::new() } else { vec![fill()] }),
            ..Self::bare(order)
        }
    }

    /// Just canceled; the client order id is then the cancellation's own.
    pub(super) fn canceled(order: &'a Order) -> Self {
        Self {
            orig_client_order_id: Some(order.client_order_id()),
            client_order_id: format!("cancel-{}", order.id),
            transact_time: Some(order.updated.ms()),
            ..Self::bare(order)
        }
    }

    fn bare(order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            symbol: draft.symbol.name,
            orig_client_order_id: None,
            order_id: order.id,
            order_list_id: -1,
            client_order_id: order.client_order_id().to_owned(),
            transact_time: None,
            price: fixed(draft.price.unwrap_or_default(), PLACES),
            orig_qty: fixed(draft.quantity, PLACES),
            executed_qty: fixed(order.executed, PLACES),
            orig_quote_order_qty: "0.00000000",
            cummulative_quote_qty: fixed(order.executed_quote, PLACES),
            status: order.status.word(),
            time_in_force: &draft.time_in_force,
            kind: &draft.kind,
            side: protocol::side_word(draft.side),
            stop_price: None,
            iceberg_qty: None,
            time: None,
            update_time: None,
            is_working: None,
            working_time: draft.received.ms(),
            self_trade_prevention_mode: "NONE",
            fills: None,
        }
    }
}
