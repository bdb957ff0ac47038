//! How MEXC shows futures orders: numbers, where the spot API has texts.

use serde::Serialize;
use serde_json::Value;

use super::account::leverage_of;
use super::market::Contract;
use crate::book::{Book, Order, Side, Status};
use crate::market::number;

/// An order as the lists have it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct View<'a> {
    order_id: String,
    symbol: &'static str,
    position_id: u8,
    price: Value,
    vol: Value,
    leverage: Value,
    side: u8,
    category: u8,
    order_type: u8,
    deal_avg_price: Value,
    deal_vol: Value,
    order_margin: u8,
    used_margin: u8,
    taker_fee: u8,
    maker_fee: u8,
    profit: u8,
    fee_currency: &'static str,
    open_type: u8,
    state: u8,
    error_code: u8,
    external_oid: &'a str,
    create_time: u64,
    update_time: u64,
    position_mode: u8,
}

impl<'a> View<'a> {
    /// As it is.
    pub(super) fn of(book: &Book, contract: &Contract, order: &'a Order) -> Self {
        let draft = &order.draft;
        Self {
            order_id: order.id.to_string(),
            symbol: draft.symbol.name,
            position_id: 0,
            price: number(draft.price.unwrap_or(draft.symbol.price)),
            vol: number(draft.quantity),
            leverage: number(leverage_of(book, contract)),
            side: match (draft.side, draft.reduce_only) {
                (Side::Buy, false) => 1,
                (Side::Buy, true) => 2,
                (Side::Sell, false) => 3,
                (Side::Sell, true) => 4,
            },
            category: 1,
            order_type: draft.kind.parse().unwrap_or_default(),
            deal_avg_price: number(order.average_price()),
            deal_vol: number(order.executed),
            order_margin: 0,
            used_margin: 0,
            taker_fee: 0,
            maker_fee: 0,
            profit: 0,
            fee_currency: draft.symbol.quote,
            open_type: 2,
            state: state(order),
            error_code: 0,
            external_oid: order.chosen_client_order_id(),
            create_time: draft.received.ms(),
            update_time: order.updated.ms(),
            position_mode: 1,
        }
    }
}

/// 2 waits, 3 is filled, 4 was canceled.
pub(super) const fn state(order: &Order) -> u8 {
    match order.status {
        Status::New => 2,
        Status::Filled => 3,
        Status::Canceled | Status::Expired => 4,
    }
}
