//! Binance spot.

mod params;

use params::{
    ACCOUNT, ALLOCATIONS, AMEND, AMENDMENTS, ANY_SYMBOLS, ASSET, BLOCK_TRADES, CANCEL, CANCEL_LIST, EITHER_SYMBOLS,
    INSTRUMENTS, LIST_HISTORY, LIST_NAMES, LIST_QUERY_NAMES, LIST_REFERENCE, OCO, ORDER, ORDER_TEST, OTO, OTOCO, PAIR,
    PAYMENTS, PREVENTED, QUANTITIES, REPLACE, ROUTED, TICKERS, TRADING_DAY, WINDOW,
};

use super::{
    Market,
    params::{AGGREGATES, ANY_SYMBOL, CANDLES, DEPTH, HISTORY, ORDER_NAMES, ORDER_REFERENCE, SYMBOL, TRADES},
};
use crate::{
    budget::{Budget, Counts, Per},
    operation::{
        HostRole,
        Kind::{Amend, Cancel, CancelAll, Place},
        Method::{self, Delete, Get, Post, Put},
        Operation,
    },
    product::{Product, Products},
    venue::VenueId,
};

/// Binance spot; the balances are part of `account`.
pub(crate) static SPOT: Market = Market {
    host: "https://api.binance.com",
    catalogue: CATALOGUE,
    product: Product::Spot,
    budgets: BUDGETS,
    guide: GUIDE,
};

/// Weight is counted per address, orders per account.
const BUDGETS: &[Budget] = &[
    Budget::new(Per::Address, Counts::Weight, 6_000, 60_000),
    Budget::new(Per::Key, Counts::Orders, 100, 10_000),
    Budget::new(Per::Key, Counts::Orders, 200_000, 86_400_000),
];

const GUIDE: &[&str] = &[
    "On Binance, open Profile → Account → API Management and choose “Create API”.",
    "Choose “Self-generated” for an Ed25519 key, which Binance recommends, or “System generated” for an HMAC key.",
    "Open “Edit restrictions”. Tick “Enable Reading”; to trade, tick “Enable Spot & Margin Trading” too.",
    "Untick “Enable Withdrawals”, “Permits Universal Transfer”, “Enable Internal Transfer”, “Enable Margin Loan, Repay \
     & Transfer” and everything else.",
    "Choose “Restrict access to trusted IPs only”, enter Claviger's addresses, and save.",
];

const TRADED: Products = Products::SPOT;

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Binance, name, method, path)
}

/// Old trades want a key without a signature, and of an order that another one pays for (`opo`, `opoco`) nobody knows how
/// much it will be. The lists of margin pairs are here because clients read them, signed, before their first order.
const CATALOGUE: &[Operation] = &[
    op("ping", Get, "/api/v3/ping").market(),
    op("time", Get, "/api/v3/time").market(),
    op("instruments", Get, "/api/v3/exchangeInfo").takes(INSTRUMENTS).market(),
    op("execution_rules", Get, "/api/v3/executionRules").takes(ANY_SYMBOLS).market(),
    op("order_book", Get, "/api/v3/depth").takes(DEPTH).market(),
    op("trades.public", Get, "/api/v3/trades").takes(DEPTH).market(),
    op("trades.block", Get, "/api/v3/historicalBlockTrades").takes(BLOCK_TRADES).market(),
    op("trades.aggregate", Get, "/api/v3/aggTrades").takes(AGGREGATES).market(),
    op("candles", Get, "/api/v3/klines").takes(CANDLES).market(),
    op("candles.ui", Get, "/api/v3/uiKlines").takes(CANDLES).market(),
    op("price.average", Get, "/api/v3/avgPrice").takes(SYMBOL).market(),
    op("price.reference", Get, "/api/v3/referencePrice").takes(SYMBOL).market(),
    op("price.reference_calculation", Get, "/api/v3/referencePrice/calculation").takes(SYMBOL).market(),
    op("ticker", Get, "/api/v3/ticker/price").takes(ANY_SYMBOLS).market(),
    op("ticker.24h", Get, "/api/v3/ticker/24hr").takes(TICKERS).market(),
    op("ticker.book", Get, "/api/v3/ticker/bookTicker").takes(ANY_SYMBOLS).market(),
    op("ticker.day", Get, "/api/v3/ticker/tradingDay").takes(TRADING_DAY).one_of(EITHER_SYMBOLS).market(),
    op("ticker.window", Get, "/api/v3/ticker").takes(WINDOW).one_of(EITHER_SYMBOLS).market(),
    op("system.status", Get, "/sapi/v1/system/status").market(),
    op("key.permissions", Get, "/sapi/v1/account/apiRestrictions").probe(HostRole::Main),
    op("account", Get, "/api/v3/account").takes(ACCOUNT),
    op("account.status", Get, "/sapi/v1/account/status"),
    op("account.api_status", Get, "/sapi/v1/account/apiTradingStatus"),
    op("balances", Post, "/sapi/v3/asset/getUserAsset").takes(ASSET),
    op("balances.funding", Post, "/sapi/v1/asset/get-funding-asset").takes(ASSET),
    op("currencies", Get, "/sapi/v1/capital/config/getall"),
    op("payments.in", Get, "/sapi/v1/capital/deposit/hisrec").takes(PAYMENTS),
    op("payments.out", Get, "/sapi/v1/capital/withdraw/history").takes(PAYMENTS),
    op("fees", Get, "/sapi/v1/asset/tradeFee").takes(ANY_SYMBOL),
    op("commission", Get, "/api/v3/account/commission").takes(SYMBOL),
    op("filters", Get, "/api/v3/myFilters").takes(SYMBOL),
    op("limits.orders", Get, "/api/v3/rateLimit/order"),
    op("margin.pairs", Get, "/sapi/v1/margin/allPairs").takes(ANY_SYMBOL),
    op("margin.pairs_isolated", Get, "/sapi/v1/margin/isolated/allPairs").takes(ANY_SYMBOL),
    op("orders.open", Get, "/api/v3/openOrders").takes(ANY_SYMBOL),
    op("orders.history", Get, "/api/v3/allOrders").takes(HISTORY),
    op("order.get", Get, "/api/v3/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES),
    op("order.amendments", Get, "/api/v3/order/amendments").takes(AMENDMENTS),
    op("order_list.get", Get, "/api/v3/orderList").takes(LIST_REFERENCE).one_of(LIST_QUERY_NAMES),
    op("order_lists.open", Get, "/api/v3/openOrderList"),
    op("order_lists.history", Get, "/api/v3/allOrderList").takes(LIST_HISTORY),
    op("trades", Get, "/api/v3/myTrades").takes(TRADES),
    op("trades.prevented", Get, "/api/v3/myPreventedMatches").takes(PREVENTED),
    op("trades.allocations", Get, "/api/v3/myAllocations").takes(ALLOCATIONS),
    op("order.place", Post, "/api/v3/order").takes(ORDER).one_of(QUANTITIES).trade(Place, TRADED),
    op("order.test", Post, "/api/v3/order/test").takes(ORDER_TEST).one_of(QUANTITIES).trade(Place, TRADED),
    op("order.replace", Post, "/api/v3/order/cancelReplace").takes(REPLACE).one_of(QUANTITIES).trade(Place, TRADED),
    op("order.place_routed", Post, "/api/v3/sor/order").takes(ROUTED).trade(Place, TRADED),
    op("order.test_routed", Post, "/api/v3/sor/order/test").takes(ROUTED).trade(Place, TRADED),
    op("order.amend", Put, "/api/v3/order/amend/keepPriority").takes(AMEND).one_of(ORDER_NAMES).trade(Amend, TRADED),
    op("order.cancel", Delete, "/api/v3/order").takes(CANCEL).one_of(ORDER_NAMES).trade(Cancel, TRADED),
    op("orders.cancel_all", Delete, "/api/v3/openOrders").takes(SYMBOL).trade(CancelAll, TRADED),
    op("order_list.place_pair", Post, "/api/v3/order/oco").takes(PAIR).trade(Place, TRADED),
    op("order_list.place_oco", Post, "/api/v3/orderList/oco").takes(OCO).trade(Place, TRADED),
    op("order_list.place_oto", Post, "/api/v3/orderList/oto").takes(OTO).trade(Place, TRADED),
    op("order_list.place_otoco", Post, "/api/v3/orderList/otoco").takes(OTOCO).trade(Place, TRADED),
    op("order_list.cancel", Delete, "/api/v3/orderList").takes(CANCEL_LIST).one_of(LIST_NAMES).trade(Cancel, TRADED),
];
