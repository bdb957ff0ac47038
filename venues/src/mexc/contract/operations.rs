//! MEXC futures' catalogue.

use super::{
    super::spot::PROBE_PATH,
    params::{
        ASSET, CANCEL, CANCEL_NAMED, CANCEL_STOPS, CANCEL_TRACK, CANCEL_TRIGGERS, CANDLES, CHANGE, CHANGE_TRIGGER,
        CHANGES, CURRENT_POSITIONS, DEPTH, HISTORY, LEVERAGE, MAYBE_SYMBOL, NAMED, NAMES, NUMBER, NUMBERS, ORDER,
        ORDERS, PAGES, PAST_POSITIONS, PAYMENTS, POSITION_MODE, STOPS, SYMBOL, SYMBOL_PAGES, TRADES, TRIGGER, TRIGGERS,
    },
};
use crate::{
    operation::{
        HostRole,
        Kind::{self, Amend, Cancel, CancelAll, Place, Setting},
        Method::{Get, Post},
        Operation,
    },
    product::Products,
    venue::VenueId,
};

const fn read(name: &'static str, path: &'static str) -> Operation {
    Operation::read(VenueId::MexcContract, name, Get, path)
}

const fn market(name: &'static str, path: &'static str) -> Operation {
    read(name, path).market()
}

const fn act(name: &'static str, path: &'static str, kind: Kind) -> Operation {
    Operation::read(VenueId::MexcContract, name, Post, path).json().trade(kind, Products::DERIVATIVES)
}

/// What has no entry, and why: chasing and trailing orders follow the market; a reversal and a stop name a position by
/// number, so that neither symbol nor side can be known; closing everything names nothing at all; margins and a
/// position's leverage are set by that number, too; risk levels are retired.
pub(super) const CATALOGUE: &[Operation] = &[
    market("time", "/api/v1/contract/ping"),
    market("instruments", "/api/v1/contract/detail").takes(MAYBE_SYMBOL),
    market("currencies", "/api/v1/contract/support_currencies"),
    market("order_book", "/api/v1/contract/depth/{symbol}").takes(DEPTH),
    market("order_book.commits", "/api/v1/contract/depth_commits/{symbol}/{limit}").takes(CHANGES),
    market("price.index", "/api/v1/contract/index_price/{symbol}").takes(SYMBOL),
    market("price.fair", "/api/v1/contract/fair_price/{symbol}").takes(SYMBOL),
    market("funding.rate", "/api/v1/contract/funding_rate/{symbol}").takes(SYMBOL),
    market("funding.history", "/api/v1/contract/funding_rate/history").takes(SYMBOL_PAGES),
    market("candles", "/api/v1/contract/kline/{symbol}").takes(CANDLES),
    market("candles.index", "/api/v1/contract/kline/index_price/{symbol}").takes(CANDLES),
    market("candles.fair", "/api/v1/contract/kline/fair_price/{symbol}").takes(CANDLES),
    market("trades.recent", "/api/v1/contract/deals/{symbol}").takes(DEPTH),
    market("ticker", "/api/v1/contract/ticker").takes(MAYBE_SYMBOL),
    market("insurance", "/api/v1/contract/risk_reverse"),
    market("insurance.history", "/api/v1/contract/risk_reverse/history").takes(SYMBOL_PAGES),
    read("key.permissions", PROBE_PATH).probe(HostRole::Probe),
    read("balances", "/api/v1/private/account/assets"),
    read("balance", "/api/v1/private/account/asset/{currency}").takes(ASSET),
    read("risk_limits", "/api/v1/private/account/risk_limit").takes(MAYBE_SYMBOL),
    read("fees.tiered", "/api/v1/private/account/tiered_fee_rate").takes(MAYBE_SYMBOL),
    read("fees", "/api/v1/private/account/contract/fee_rate").takes(MAYBE_SYMBOL),
    read("positions", "/api/v1/private/position/open_positions").takes(CURRENT_POSITIONS),
    read("positions.history", "/api/v1/private/position/list/history_positions").takes(PAST_POSITIONS),
    read("funding.payments", "/api/v1/private/position/funding_records").takes(PAYMENTS),
    read("leverage", "/api/v1/private/position/leverage").takes(SYMBOL),
    read("position_mode", "/api/v1/private/position/position_mode"),
    read("orders.open", "/api/v1/private/order/list/open_orders").takes(PAGES),
    read("orders.open_symbol", "/api/v1/private/order/list/open_orders/{symbol}").takes(SYMBOL_PAGES),
    read("orders.history", "/api/v1/private/order/list/history_orders").takes(HISTORY),
    read("trades", "/api/v1/private/order/list/order_deals").takes(TRADES),
    read("trades.v3", "/api/v1/private/order/list/order_deals/v3").takes(TRADES),
    read("order.get", "/api/v1/private/order/get/{order_id}").takes(NUMBER),
    read("order.get_named", "/api/v1/private/order/external/{symbol}/{external_oid}").takes(NAMED),
    read("orders.get", "/api/v1/private/order/batch_query").takes(NUMBERS),
    read("order.trades", "/api/v1/private/order/deal_details/{order_id}").takes(NUMBER),
    read("triggers", "/api/v1/private/planorder/list/orders").takes(HISTORY),
    read("stops", "/api/v1/private/stoporder/list/orders").takes(STOPS),
    read("stops.open", "/api/v1/private/stoporder/open_orders").takes(MAYBE_SYMBOL),
    read("trailing", "/api/v1/private/trackorder/list/orders").takes(HISTORY),
    act("order.place", "/api/v1/private/order/create", Place).takes(ORDER),
    act("order.submit", "/api/v1/private/order/submit", Place).takes(ORDER),
    act("orders.place_batch", "/api/v1/private/order/submit_batch", Place).json_array().takes(ORDERS),
    act("order.cancel", "/api/v1/private/order/cancel", Cancel).json_array().takes(CANCEL),
    act("order.cancel_named", "/api/v1/private/order/cancel_with_external", Cancel).takes(CANCEL_NAMED),
    act("orders.cancel_named", "/api/v1/private/order/batch_cancel_with_external", Cancel).json_array().takes(NAMES),
    act("orders.cancel_all", "/api/v1/private/order/cancel_all", CancelAll).takes(MAYBE_SYMBOL),
    act("order.amend", "/api/v1/private/order/change_limit_order", Amend).takes(CHANGE),
    act("trigger.place", "/api/v1/private/planorder/place", Place).takes(TRIGGER),
    act("trigger.place_v2", "/api/v1/private/planorder/place/v2", Place).takes(TRIGGER),
    act("trigger.amend", "/api/v1/private/planorder/change_price", Amend).takes(CHANGE_TRIGGER),
    act("triggers.cancel", "/api/v1/private/planorder/cancel", Cancel).json_array().takes(CANCEL_TRIGGERS),
    act("triggers.cancel_all", "/api/v1/private/planorder/cancel_all", CancelAll).takes(TRIGGERS),
    act("stops.cancel", "/api/v1/private/stoporder/cancel", Cancel).json_array().takes(CANCEL_STOPS),
    act("stops.cancel_all", "/api/v1/private/stoporder/cancel_all", CancelAll).takes(TRIGGERS),
    act("trailing.cancel", "/api/v1/private/trackorder/cancel", Cancel).takes(CANCEL_TRACK),
    act("leverage.set", "/api/v1/private/position/change_leverage", Setting).takes(LEVERAGE),
    act("position_mode.set", "/api/v1/private/position/change_position_mode", Setting).takes(POSITION_MODE),
];
