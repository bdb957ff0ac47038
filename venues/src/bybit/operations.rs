//! Bybit's catalogue. Reads are GETs and acts are POSTs; what is traded the parameter `category` tells.

use super::params::{
    ADL, AMEND, AMENDS, ANNOUNCEMENTS, AUTO_MARGIN, BALANCES, BASE_COIN, CANCEL, CANCEL_ALL, CANCELS, CANDLES,
    CHANGE_MARGIN, CLOSED, CLOSED_PNL, COIN, COIN_BALANCE, COLLATERAL, CURRENCY, DELIVERIES, DELIVERY_PRICES,
    DISCONNECT, EXECUTIONS, FEE_GROUPS, FEES, FUNDING, HEDGING, INDEX, INSTRUMENTS, INTEREST, LEVERAGE, LOG,
    MARGIN_MODE, NEW_DELIVERY_PRICES, NEWS, OPEN_INTEREST, OPEN_ORDERS, ORDER, ORDER_BOOK, ORDER_CAPACITY,
    ORDER_HISTORY, ORDER_NAMES, ORDERS, POSITION_MODE, POSITIONS, PRICE_INSTRUMENT, RATES, RATIO, RISK_LIMITS,
    SETTLEMENTS, SPREAD, SPREAD_BOOK, SPREAD_CANCEL, SPREAD_CANCEL_ALL, SPREADS, STOPS, SYMBOL_MARGIN_MODE,
    SYMBOL_OR_COIN, TICKERS, TIERS, TRADES, VOLATILITY, WALLET,
};
use crate::{
    operation::{
        HostRole,
        Kind::{self, Amend, Cancel, CancelAll, Close, Place, Setting},
        Method::{Get, Post},
        Operation,
    },
    product::Products,
    venue::VenueId,
};

const ALL: Products = Products::SPOT_AND_MARGIN.union(Products::DERIVATIVES);
const DERIVATIVES: Products = Products::DERIVATIVES;

const fn read(name: &'static str, path: &'static str) -> Operation {
    Operation::read(VenueId::Bybit, name, Get, path)
}

const fn market(name: &'static str, path: &'static str) -> Operation {
    read(name, path).market()
}

const fn act(name: &'static str, path: &'static str, kind: Kind, products: Products) -> Operation {
    Operation::read(VenueId::Bybit, name, Post, path).json().trade(kind, products)
}

/// Spread orders can be cancelled, not placed: their price is a difference of two legs and says nothing of their worth.
/// Take-profit mode and risk limit are endpoints that Bybit has retired.
pub(super) const CATALOGUE: &[Operation] = &[
    market("time", "/v5/market/time"),
    market("status", "/v5/system/status").takes(NEWS),
    market("announcements", "/v5/announcements/index").takes(ANNOUNCEMENTS),
    market("instruments", "/v5/market/instruments-info").takes(INSTRUMENTS),
    market("ticker", "/v5/market/tickers").takes(TICKERS),
    market("order_book", "/v5/market/orderbook").takes(ORDER_BOOK),
    market("order_book.rpi", "/v5/market/rpi_orderbook").takes(ORDER_BOOK),
    market("trades.recent", "/v5/market/recent-trade").takes(TRADES),
    market("candles", "/v5/market/kline").takes(CANDLES),
    market("candles.mark", "/v5/market/mark-price-kline").takes(CANDLES),
    market("candles.index", "/v5/market/index-price-kline").takes(CANDLES),
    market("candles.premium", "/v5/market/premium-index-price-kline").takes(CANDLES),
    market("funding.history", "/v5/market/funding/history").takes(FUNDING),
    market("open_interest", "/v5/market/open-interest").takes(OPEN_INTEREST),
    market("volatility", "/v5/market/historical-volatility").takes(VOLATILITY),
    market("insurance", "/v5/market/insurance").takes(COIN),
    market("risk_limits", "/v5/market/risk-limit").takes(RISK_LIMITS),
    market("delivery_prices", "/v5/market/delivery-price").takes(DELIVERY_PRICES),
    market("delivery_prices.new", "/v5/market/new-delivery-price").takes(NEW_DELIVERY_PRICES),
    market("long_short_ratio", "/v5/market/account-ratio").takes(RATIO),
    market("index.components", "/v5/market/index-price-components").takes(INDEX),
    market("price_limits", "/v5/market/price-limit").takes(PRICE_INSTRUMENT),
    market("adl", "/v5/market/adlAlert").takes(ADL),
    market("fee_groups", "/v5/market/fee-group-info").takes(FEE_GROUPS),
    market("spread.instruments", "/v5/spread/instrument").takes(SPREADS),
    market("spread.order_book", "/v5/spread/orderbook").takes(SPREAD_BOOK),
    market("spread.ticker", "/v5/spread/tickers").takes(SPREAD),
    market("spread.trades.recent", "/v5/spread/recent-trade").takes(SPREAD_BOOK),
    read("key.permissions", "/v5/user/query-api").probe(HostRole::Main),
    read("account", "/v5/account/info"),
    read("balances", "/v5/account/wallet-balance").takes(WALLET),
    read("balances.account", "/v5/asset/transfer/query-account-coins-balance").takes(BALANCES),
    read("balance.coin", "/v5/asset/transfer/query-account-coin-balance").takes(COIN_BALANCE),
    read("fees", "/v5/account/fee-rate").takes(FEES),
    read("collateral", "/v5/account/collateral-info").takes(CURRENCY),
    read("ledger", "/v5/account/transaction-log").takes(LOG),
    read("account.instruments", "/v5/account/instruments-info").takes(INSTRUMENTS),
    read("interest.history", "/v5/account/borrow-history").takes(INTEREST),
    read("account.smp_group", "/v5/account/smp-group"),
    read("account.mmp", "/v5/account/mmp-state").takes(BASE_COIN),
    read("currencies", "/v5/asset/coin/query-info").takes(COIN),
    read("deliveries", "/v5/asset/delivery-record").takes(DELIVERIES),
    read("settlements", "/v5/asset/settlement-record").takes(SETTLEMENTS),
    read("orders.open", "/v5/order/realtime").takes(OPEN_ORDERS),
    read("orders.history", "/v5/order/history").takes(ORDER_HISTORY),
    read("order.capacity", "/v5/order/spot-borrow-check").takes(ORDER_CAPACITY),
    read("trades", "/v5/execution/list").takes(EXECUTIONS),
    read("positions", "/v5/position/list").takes(POSITIONS),
    read("positions.pnl", "/v5/position/closed-pnl").takes(CLOSED_PNL),
    read("positions.closed", "/v5/position/get-closed-positions").takes(CLOSED),
    read("position.symbol", "/v5/position/symbol-info").takes(SYMBOL_OR_COIN),
    read("margin.state", "/v5/spot-margin-trade/state"),
    read("margin.data", "/v5/spot-margin-trade/data").takes(TIERS),
    read("margin.collateral", "/v5/spot-margin-trade/collateral").takes(COLLATERAL),
    read("margin.rates", "/v5/spot-margin-trade/interest-rate-history").takes(RATES),
    read("margin.capacity", "/v5/spot-margin-trade/max-borrowable").takes(COLLATERAL),
    read("margin.tiers", "/v5/spot-margin-trade/position-tiers").takes(COLLATERAL),
    read("margin.coins", "/v5/spot-margin-trade/coinstate").takes(COLLATERAL),
    read("margin.currencies", "/v5/spot-margin-trade/currency-data").takes(COLLATERAL),
    read("margin.repayable", "/v5/spot-margin-trade/repayment-available-amount").takes(COLLATERAL),
    read("margin.auto_repay", "/v5/spot-margin-trade/get-auto-repay-mode").takes(COLLATERAL),
    read("rate_limits", "/v5/apilimit/query"),
    act("order.place", "/v5/order/create", Place, ALL).takes(ORDER),
    act("order.test", "/v5/order/pre-check", Place, ALL).takes(ORDER),
    act("order.amend", "/v5/order/amend", Amend, ALL).takes(AMEND).one_of(ORDER_NAMES),
    act("order.cancel", "/v5/order/cancel", Cancel, ALL).takes(CANCEL).one_of(ORDER_NAMES),
    act("orders.cancel_all", "/v5/order/cancel-all", CancelAll, ALL).takes(CANCEL_ALL),
    act("orders.place_batch", "/v5/order/create-batch", Place, ALL).takes(ORDERS),
    act("orders.amend_batch", "/v5/order/amend-batch", Amend, ALL).takes(AMENDS),
    act("orders.cancel_batch", "/v5/order/cancel-batch", Cancel, ALL).takes(CANCELS),
    act("orders.cancel_on_disconnect", "/v5/order/disconnected-cancel-all", Setting, ALL).takes(DISCONNECT),
    act("spread.order.cancel", "/v5/spread/order/cancel", Cancel, ALL).takes(SPREAD_CANCEL).one_of(ORDER_NAMES),
    act("spread.orders.cancel_all", "/v5/spread/order/cancel-all", CancelAll, ALL).takes(SPREAD_CANCEL_ALL),
    act("position.stops", "/v5/position/trading-stop", Close, DERIVATIVES).takes(STOPS),
    act("leverage.set", "/v5/position/set-leverage", Setting, DERIVATIVES).takes(LEVERAGE),
    act("margin_mode.set", "/v5/account/set-margin-mode", Setting, ALL).takes(MARGIN_MODE),
    act("margin_mode.set_symbol", "/v5/position/switch-isolated", Setting, DERIVATIVES).takes(SYMBOL_MARGIN_MODE),
    act("position_mode.set", "/v5/position/switch-mode", Setting, DERIVATIVES)
        .takes(POSITION_MODE)
        .one_of(&["symbol", "coin"]),
    act("margin.auto_add", "/v5/position/set-auto-add-margin", Setting, DERIVATIVES).takes(AUTO_MARGIN),
    act("margin.change", "/v5/position/add-margin", Setting, DERIVATIVES).takes(CHANGE_MARGIN),
    act("hedging.set", "/v5/account/set-hedging-mode", Setting, ALL).takes(HEDGING),
];
