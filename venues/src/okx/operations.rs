//! OKX's catalogue. Reads are GETs and acts are POSTs; what is traded `instId` and `tdMode` tell.

use super::params as p;
use crate::{
    operation::{
        Class, HostRole,
        Kind::{self, Amend, Cancel, CancelAll, Close, Place, Setting},
        Method::{Get, Post},
        Operation,
    },
    product::{Product, Products},
    venue::VenueId,
};

const ALL: Products = Products::SPOT_AND_MARGIN.union(Products::DERIVATIVES);
/// What is held as a position.
const HELD: Products = Products::DERIVATIVES.with(Product::Margin);

/// What may be asked in two seconds, in the weights of [`weight`].
pub(super) const WINDOW_WEIGHT: u32 = 60;

/// Returns the share of two seconds that a call takes: a call that OKX takes ten times in them weighs a tenth.
pub(super) fn weight(operation: &Operation) -> u32 {
    match operation.name {
        "key.permissions" | "fees" | "order.test" | "position_mode.set" | "orders.cancel_all_options" => 12,
        "balances" | "positions" | "positions.history" | "ledger" | "trades.archive" => 6,
        "balances.funding" | "currencies" => 5,
        "order.place"
        | "orders.place_batch"
        | "order.amend"
        | "orders.amend_batch"
        | "order.cancel"
        | "orders.cancel_batch"
        | "order.get"
        | "orders.open"
        | "trades" => 1,
        "orders.cancel_after" => 30,
        _ if operation.class == Class::Market => 0,
        _ => 3,
    }
}

const fn read(name: &'static str, path: &'static str) -> Operation {
    Operation::read(VenueId::Okx, name, Get, path)
}

const fn market(name: &'static str, path: &'static str) -> Operation {
    read(name, path).market()
}

const fn act(name: &'static str, path: &'static str, kind: Kind, products: Products) -> Operation {
    Operation::read(VenueId::Okx, name, Post, path).json().trade(kind, products)
}

/// Spreads are quoted only: they are traded by calls of their own.
pub(super) const CATALOGUE: &[Operation] = &[
    market("time", "/api/v5/public/time"),
    market("status", "/api/v5/system/status").takes(p::STATUS),
    market("instruments", "/api/v5/public/instruments").takes(p::INSTRUMENTS),
    market("instruments.underlying", "/api/v5/public/underlying").takes(p::INSTRUMENT_TYPE),
    market("instruments.tick_bands", "/api/v5/public/instrument-tick-bands").takes(p::TICK_BANDS),
    market("contracts.value", "/api/v5/public/convert-contract-coin").takes(p::CONTRACT_VALUE),
    market("tickers", "/api/v5/market/tickers").takes(p::TICKERS),
    market("ticker", "/api/v5/market/ticker").takes(p::INSTRUMENT),
    market("ticker.index", "/api/v5/market/index-tickers").takes(p::INDEX_TICKERS),
    market("ticker.block", "/api/v5/market/block-ticker").takes(p::INSTRUMENT),
    market("tickers.block", "/api/v5/market/block-tickers").takes(p::TICKERS),
    market("order_book", "/api/v5/market/books").takes(p::BOOK),
    market("order_book.full", "/api/v5/market/books-full").takes(p::BOOK),
    market("order_book.lite", "/api/v5/market/books-lite").takes(p::INSTRUMENT),
    market("trades.recent", "/api/v5/market/trades").takes(p::RECENT_TRADES),
    market("trades.history", "/api/v5/market/history-trades").takes(p::OLD_TRADES),
    market("trades.block", "/api/v5/public/block-trades").takes(p::INSTRUMENT),
    market("trades.options", "/api/v5/public/option-trades").takes(p::OPTION_TRADES),
    market("trades.option_family", "/api/v5/market/option/instrument-family-trades").takes(p::FAMILY),
    market("candles", "/api/v5/market/candles").takes(p::CANDLES),
    market("candles.history", "/api/v5/market/history-candles").takes(p::CANDLES),
    market("candles.index", "/api/v5/market/index-candles").takes(p::CANDLES),
    market("candles.index_history", "/api/v5/market/history-index-candles").takes(p::CANDLES),
    market("candles.mark", "/api/v5/market/mark-price-candles").takes(p::CANDLES),
    market("candles.mark_history", "/api/v5/market/history-mark-price-candles").takes(p::CANDLES),
    market("volume", "/api/v5/market/platform-24-volume"),
    market("auction", "/api/v5/market/call-auction-details").takes(p::INSTRUMENT),
    market("exchange_rate", "/api/v5/market/exchange-rate"),
    market("index.components", "/api/v5/market/index-components").takes(p::INDEX),
    market("spread.ticker", "/api/v5/market/sprd-ticker").takes(p::SPREAD),
    market("spread.candles", "/api/v5/market/sprd-candles").takes(p::SPREAD_CANDLES),
    market("spread.candles_history", "/api/v5/market/sprd-history-candles").takes(p::SPREAD_CANDLES),
    market("price.mark", "/api/v5/public/mark-price").takes(p::INSTRUMENTS),
    market("price.limit", "/api/v5/public/price-limit").takes(p::INSTRUMENT),
    market("price.estimated", "/api/v5/public/estimated-price").takes(p::INSTRUMENT),
    market("settlement.estimated", "/api/v5/public/estimated-settlement-info").takes(p::INSTRUMENT),
    market("settlements", "/api/v5/public/settlement-history").takes(p::SETTLEMENTS),
    market("deliveries", "/api/v5/public/delivery-exercise-history").takes(p::DELIVERIES),
    market("funding.rate", "/api/v5/public/funding-rate").takes(p::INSTRUMENT),
    market("funding.history", "/api/v5/public/funding-rate-history").takes(p::INSTRUMENT_PAGE),
    market("premium.history", "/api/v5/public/premium-history").takes(p::INSTRUMENT_PAGE),
    market("open_interest", "/api/v5/public/open-interest").takes(p::INSTRUMENTS),
    market("options.summary", "/api/v5/public/opt-summary").takes(p::OPTION_SUMMARY),
    market("position_tiers", "/api/v5/public/position-tiers").takes(p::TIERS),
    market("discounts", "/api/v5/public/discount-rate-interest-free-quota").takes(p::DISCOUNTS),
    market("interest.rates", "/api/v5/public/interest-rate-loan-quota"),
    market("insurance", "/api/v5/public/insurance-fund").takes(p::INSURANCE),
    market("statistics.coins", "/api/v5/rubik/stat/trading-data/support-coin"),
    market("statistics.takers", "/api/v5/rubik/stat/taker-volume").takes(p::TAKERS),
    market("statistics.contract_takers", "/api/v5/rubik/stat/taker-volume-contract").takes(p::CONTRACT_STATISTICS),
    market("statistics.margin_ratio", "/api/v5/rubik/stat/margin/loan-ratio").takes(p::STATISTICS),
    market("statistics.long_short", "/api/v5/rubik/stat/contracts/long-short-account-ratio").takes(p::STATISTICS),
    market("statistics.contract_long_short", "/api/v5/rubik/stat/contracts/long-short-account-ratio-contract")
        .takes(p::CONTRACT_STATISTICS),
    market("statistics.top_accounts", "/api/v5/rubik/stat/contracts/long-short-account-ratio-contract-top-trader")
        .takes(p::CONTRACT_STATISTICS),
    market("statistics.top_positions", "/api/v5/rubik/stat/contracts/long-short-position-ratio-contract-top-trader")
        .takes(p::CONTRACT_STATISTICS),
    market("statistics.open_interest", "/api/v5/rubik/stat/contracts/open-interest-volume").takes(p::STATISTICS),
    market("statistics.contract_open_interest", "/api/v5/rubik/stat/contracts/open-interest-history")
        .takes(p::CONTRACT_STATISTICS),
    market("statistics.options", "/api/v5/rubik/stat/option/open-interest-volume").takes(p::OPTION_STATISTICS),
    market("statistics.options_ratio", "/api/v5/rubik/stat/option/open-interest-volume-ratio")
        .takes(p::OPTION_STATISTICS),
    market("statistics.options_expiry", "/api/v5/rubik/stat/option/open-interest-volume-expiry")
        .takes(p::OPTION_STATISTICS),
    market("statistics.options_strike", "/api/v5/rubik/stat/option/open-interest-volume-strike")
        .takes(p::OPTION_STATISTICS),
    market("statistics.options_takers", "/api/v5/rubik/stat/option/taker-block-volume").takes(p::OPTION_STATISTICS),
    read("key.permissions", "/api/v5/account/config").probe(HostRole::Main),
    read("balances", "/api/v5/account/balance").takes(p::CURRENCIES),
    read("balances.funding", "/api/v5/asset/balances").takes(p::CURRENCIES),
    read("currencies", "/api/v5/asset/currencies").takes(p::CURRENCIES),
    read("positions", "/api/v5/account/positions").takes(p::POSITIONS),
    read("positions.history", "/api/v5/account/positions-history").takes(p::POSITIONS_HISTORY),
    read("ledger", "/api/v5/account/bills").takes(p::BILLS),
    read("leverage", "/api/v5/account/leverage-info").takes(p::LEVERAGE_INFO),
    read("order.size_max", "/api/v5/account/max-size").takes(p::SIZE_MAX),
    read("order.available_max", "/api/v5/account/max-avail-size").takes(p::AVAILABLE_MAX),
    read("fees", "/api/v5/account/trade-fee").takes(p::FEES),
    read("account.instruments", "/api/v5/account/instruments").takes(p::INSTRUMENTS),
    read("order.get", "/api/v5/trade/order").takes(p::REFERENCE).one_of(p::NAMES),
    read("orders.open", "/api/v5/trade/orders-pending").takes(p::OPEN_ORDERS),
    read("orders.history", "/api/v5/trade/orders-history").takes(p::ORDER_HISTORY),
    read("orders.archive", "/api/v5/trade/orders-history-archive").takes(p::ORDER_HISTORY),
    read("trades", "/api/v5/trade/fills").takes(p::FILLS),
    read("trades.archive", "/api/v5/trade/fills-history").takes(p::FILLS),
    read("order.get_algo", "/api/v5/trade/order-algo").takes(p::ALGO_REFERENCE).one_of(p::ALGO_NAMES),
    read("orders.open_algo", "/api/v5/trade/orders-algo-pending").takes(p::OPEN_ALGOS),
    read("orders.history_algo", "/api/v5/trade/orders-algo-history").takes(p::ALGO_HISTORY),
    act("order.place", "/api/v5/trade/order", Place, ALL).takes(p::ORDER),
    act("order.test", "/api/v5/trade/order-precheck", Place, ALL).takes(p::PRECHECK),
    act("order.place_algo", "/api/v5/trade/order-algo", Place, ALL).takes(p::ALGO),
    act("order.amend", "/api/v5/trade/amend-order", Amend, ALL).takes(p::AMEND).one_of(p::NAMES),
    act("order.amend_algo", "/api/v5/trade/amend-algos", Amend, ALL).takes(p::AMEND_ALGO).one_of(p::ALGO_NAMES),
    act("order.cancel", "/api/v5/trade/cancel-order", Cancel, ALL).takes(p::REFERENCE).one_of(p::NAMES),
    act("orders.place_batch", "/api/v5/trade/batch-orders", Place, ALL).takes(p::ORDERS).json_array(),
    act("orders.amend_batch", "/api/v5/trade/amend-batch-orders", Amend, ALL).takes(p::AMENDS).json_array(),
    act("orders.cancel_batch", "/api/v5/trade/cancel-batch-orders", Cancel, ALL).takes(p::CANCELS).json_array(),
    act("orders.cancel_algos", "/api/v5/trade/cancel-algos", Cancel, ALL).takes(p::CANCEL_ALGOS).json_array(),
    act("orders.cancel_all_options", "/api/v5/trade/mass-cancel", CancelAll, Products::DERIVATIVES)
        .takes(p::MASS_CANCEL),
    act("orders.cancel_after", "/api/v5/trade/cancel-all-after", CancelAll, ALL).takes(p::CANCEL_AFTER),
    act("position.close", "/api/v5/trade/close-position", Close, HELD).takes(p::CLOSE),
    act("leverage.set", "/api/v5/account/set-leverage", Setting, HELD).takes(p::LEVERAGE).one_of(p::LEVERAGE_OF),
    act("position_mode.set", "/api/v5/account/set-position-mode", Setting, Products::DERIVATIVES)
        .takes(p::POSITION_MODE),
    act("margin.change", "/api/v5/account/position/margin-balance", Setting, HELD).takes(p::MARGIN),
];
