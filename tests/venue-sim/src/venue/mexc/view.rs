//! How MEXC shows spot orders.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use crate::book::{Order, Side, Status};

/// Order ids are texts with this in front.
const ID_PREFIX: &str = "C02__";

/// The venue's name for an order.
pub(super) fn order_id(order: &Order) -> String {
    format!("{ID_PREFIX}{}", order.id)
}

/// The order of an id as [`order_id`] writes it.
pub(super) fn parse_order_id(text: &str) -> Option<u64> {
    text.strip_prefix(ID_PREFIX)?.parse().ok()
}

/// `BUY` or `SELL`.
pub(super) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

/// A decimal without trailing zeros.
pub(super) fn number(value: Decimal) -> String {
    value.normalize().to_string()
}

/// A trade.
pub(super) fn trade(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "symbol": draft.symbol.name, "id": format!("{}X1", order.id), "orderId": order_id(order),
        "orderListId": -1, "price": number(order.average_price()), "qty": number(order.executed),
        "quoteQty": number(order.executed_quote), "commission": "0", "commissionAsset": draft.symbol.quote,
        "time": order.updated.ms(), "isBuyer": draft.side == Side::Buy, "isMaker": false,
        "isBestMatch": true, "isSelfTrade": false, "clientOrderId": order.chosen_client_order_id(),
    })
}

/// An order just taken.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Placed<'a> {
    symbol: &'static str,
    order_id: String,
    order_list_id: i32,
    price: String,
    orig_qty: String,
    #[serde(rename = "type")]
    kind: &'a str,
    side: &'static str,
    stp_mode: &'static str,
    transact_time: u64,
}

impl<'a> Placed<'a> {
    /// As the venue acknowledges it.
    pub(super) fn of(order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            symbol: draft.symbol.name,
            order_id: order_id(order),
            order_list_id: -1,
            price: number(draft.price.unwrap_or(draft.symbol.price)),
            orig_qty: number(draft.quantity),
            kind: &draft.kind,
            side: side_word(draft.side),
            stp_mode: "",
            transact_time: draft.received.ms(),
        }
    }
}

/// An order just canceled.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Canceled<'a> {
    symbol: &'static str,
    orig_client_order_id: &'a str,
    order_id: String,
    client_order_id: &'a str,
    price: String,
    orig_qty: String,
    executed_qty: String,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    side: &'static str,
}

impl<'a> Canceled<'a> {
    /// As it ended.
    pub(super) fn of(order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            symbol: draft.symbol.name,
            orig_client_order_id: order.chosen_client_order_id(),
            order_id: order_id(order),
            client_order_id: order.chosen_client_order_id(),
            price: number(draft.price.unwrap_or_default()),
            orig_qty: number(draft.quantity),
            executed_qty: number(order.executed),
            cummulative_quote_qty: number(order.executed_quote),
            status: status_word(order.status),
            time_in_force: None,
            kind: &draft.kind,
            side: side_word(draft.side),
        }
    }
}

/// An order asked for later.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    symbol: &'static str,
    order_id: String,
    order_list_id: i32,
    client_order_id: &'a str,
    price: String,
    orig_qty: String,
    executed_qty: String,
    cummulative_quote_qty: String,
    status: &'static str,
    time_in_force: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'a str,
    side: &'static str,
    stop_price: Option<&'a str>,
    iceberg_qty: Option<&'a str>,
    time: u64,
    update_time: u64,
    is_working: bool,
    orig_quote_order_qty: String,
}

impl<'a> View<'a> {
    /// As it is.
    pub(super) fn of(order: &'a Order) -> Self {
        let draft = &order.draft;
        let price = draft.price.unwrap_or(draft.symbol.price);
        Self {
            symbol: draft.symbol.name,
            order_id: order_id(order),
            order_list_id: -1,
            client_order_id: order.chosen_client_order_id(),
            price: number(price),
            orig_qty: number(draft.quantity),
            executed_qty: number(order.executed),
            cummulative_quote_qty: number(order.executed_quote),
            status: status_word(order.status),
            time_in_force: None,
            kind: &draft.kind,
            side: side_word(draft.side),
            stop_price: None,
            iceberg_qty: None,
            time: draft.received.ms(),
            update_time: order.updated.ms(),
            is_working: true,
            orig_quote_order_qty: number(draft.quantity.saturating_mul(price)),
        }
    }
}

/// An order that expired was canceled by the venue.
const fn status_word(status: Status) -> &'static str {
    match status {
        Status::New => "NEW",
        Status::Filled => "FILLED",
        Status::Canceled | Status::Expired => "CANCELED",
    }
}
