//! Binance USD-M futures.

mod params;

use params::{
    ALGO_HISTORY, ALGO_NAMES, ALGO_OPEN, ALGO_ORDER, ALGO_REFERENCE, AMEND, AMENDMENTS, BASIS, BATCH, BATCH_AMEND,
    BATCH_CANCEL, BATCH_NAMES, CONTRACT_CANDLES, COUNTDOWN, FORCED, FUNDING, INCOME, LEVERAGE, MARGIN_HISTORY,
    MARGIN_MODE, MULTI_ASSETS, ORDER, PAIR, PAIR_CANDLES, POSITION_MARGIN, POSITION_MODE, STATISTICS,
};

use super::{
    Market,
    params::{AGGREGATES, ANY_SYMBOL, CANDLES, DEPTH, HISTORY, ORDER_NAMES, ORDER_REFERENCE, SYMBOL, TRADES},
};
use crate::{
    budget::{Budget, Counts, Per},
    operation::{
        HostRole,
        Kind::{Amend, Cancel, CancelAll, Place, Setting},
        Method::{self, Delete, Get, Post, Put},
        Operation,
    },
    product::{Product, Products},
    venue::VenueId,
};

/// Binance USD-M futures; keys and permission probe are those of Binance spot.
pub(crate) static USDM: Market = Market {
    host: "https://fapi.binance.com",
    catalogue: CATALOGUE,
    product: Product::Derivatives,
    budgets: BUDGETS,
    guide: GUIDE,
};

/// Weight is counted per address, orders per account.
const BUDGETS: &[Budget] = &[
    Budget::new(Per::Address, Counts::Weight, 2_400, 60_000),
    Budget::new(Per::Key, Counts::Orders, 300, 10_000),
    Budget::new(Per::Key, Counts::Orders, 1_200, 60_000),
];

const GUIDE: &[&str] = &[
    "On Binance, open a futures account first: a key made before it cannot be given “Enable Futures”.",
    "Open Profile → Account → API Management and choose “Create API”.",
    "Choose “Self-generated” for an Ed25519 key, which Binance recommends, or “System generated” for an HMAC key.",
    "Open “Edit restrictions”. Tick “Enable Reading”; to trade, tick “Enable Futures” too.",
    "Untick “Enable Withdrawals”, “Permits Universal Transfer”, “Enable Internal Transfer”, “Enable Margin Loan, Repay \
     & Transfer” and everything else.",
    "Choose “Restrict access to trusted IPs only”, enter Claviger's addresses, and save.",
];

const TRADED: Products = Products::DERIVATIVES;

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::BinanceUsdm, name, method, path)
}

/// Listen keys are bearers, and old trades want a key without a signature.
const CATALOGUE: &[Operation] = &[
    op("ping", Get, "/fapi/v1/ping").market(),
    op("time", Get, "/fapi/v1/time").market(),
    op("instruments", Get, "/fapi/v1/exchangeInfo").market(),
    op("instruments.schedule", Get, "/fapi/v1/tradingSchedule").market(),
    op("instruments.constituents", Get, "/fapi/v1/constituents").takes(SYMBOL).market(),
    op("order_book", Get, "/fapi/v1/depth").takes(DEPTH).market(),
    op("order_book.rpi", Get, "/fapi/v1/rpiDepth").takes(DEPTH).market(),
    op("trades.public", Get, "/fapi/v1/trades").takes(DEPTH).market(),
    op("trades.aggregate", Get, "/fapi/v1/aggTrades").takes(AGGREGATES).market(),
    op("candles", Get, "/fapi/v1/klines").takes(CANDLES).market(),
    op("candles.continuous", Get, "/fapi/v1/continuousKlines").takes(CONTRACT_CANDLES).market(),
    op("candles.index", Get, "/fapi/v1/indexPriceKlines").takes(PAIR_CANDLES).market(),
    op("candles.mark", Get, "/fapi/v1/markPriceKlines").takes(CANDLES).market(),
    op("candles.premium", Get, "/fapi/v1/premiumIndexKlines").takes(CANDLES).market(),
    op("price.mark", Get, "/fapi/v1/premiumIndex").takes(ANY_SYMBOL).market(),
    op("funding.history", Get, "/fapi/v1/fundingRate").takes(FUNDING).market(),
    op("funding.info", Get, "/fapi/v1/fundingInfo").market(),
    op("ticker", Get, "/fapi/v1/ticker/price").takes(ANY_SYMBOL).market(),
    op("ticker.v2", Get, "/fapi/v2/ticker/price").takes(ANY_SYMBOL).market(),
    op("ticker.24h", Get, "/fapi/v1/ticker/24hr").takes(ANY_SYMBOL).market(),
    op("ticker.book", Get, "/fapi/v1/ticker/bookTicker").takes(ANY_SYMBOL).market(),
    op("open_interest", Get, "/fapi/v1/openInterest").takes(SYMBOL).market(),
    op("open_interest.history", Get, "/futures/data/openInterestHist").takes(STATISTICS).market(),
    op("ratio.top_accounts", Get, "/futures/data/topLongShortAccountRatio").takes(STATISTICS).market(),
    op("ratio.top_positions", Get, "/futures/data/topLongShortPositionRatio").takes(STATISTICS).market(),
    op("ratio.accounts", Get, "/futures/data/globalLongShortAccountRatio").takes(STATISTICS).market(),
    op("ratio.takers", Get, "/futures/data/takerlongshortRatio").takes(STATISTICS).market(),
    op("basis", Get, "/futures/data/basis").takes(BASIS).market(),
    op("price.delivery", Get, "/futures/data/delivery-price").takes(PAIR).market(),
    op("key.permissions", Get, "/sapi/v1/account/apiRestrictions").probe(HostRole::Probe),
    op("currencies", Get, "/sapi/v1/capital/config/getall").on(HostRole::Probe),
    op("account", Get, "/fapi/v3/account"),
    op("account.v2", Get, "/fapi/v2/account"),
    op("account.settings", Get, "/fapi/v1/accountConfig"),
    op("account.symbol_settings", Get, "/fapi/v1/symbolConfig").takes(ANY_SYMBOL),
    op("account.api_status", Get, "/fapi/v1/apiTradingStatus").takes(ANY_SYMBOL),
    op("balances", Get, "/fapi/v3/balance"),
    op("balances.v2", Get, "/fapi/v2/balance"),
    op("positions", Get, "/fapi/v3/positionRisk").takes(ANY_SYMBOL),
    op("positions.v2", Get, "/fapi/v2/positionRisk").takes(ANY_SYMBOL),
    op("positions.queue", Get, "/fapi/v1/adlQuantile").takes(ANY_SYMBOL),
    op("position.margin_history", Get, "/fapi/v1/positionMargin/history").takes(MARGIN_HISTORY),
    op("position_mode", Get, "/fapi/v1/positionSide/dual"),
    op("multi_assets", Get, "/fapi/v1/multiAssetsMargin"),
    op("leverage.brackets", Get, "/fapi/v1/leverageBracket").takes(ANY_SYMBOL),
    op("commission", Get, "/fapi/v1/commissionRate").takes(SYMBOL),
    op("income", Get, "/fapi/v1/income").takes(INCOME),
    op("limits.orders", Get, "/fapi/v1/rateLimit/order"),
    op("orders.open", Get, "/fapi/v1/openOrders").takes(ANY_SYMBOL),
    op("orders.history", Get, "/fapi/v1/allOrders").takes(HISTORY),
    op("orders.forced", Get, "/fapi/v1/forceOrders").takes(FORCED),
    op("order.get", Get, "/fapi/v1/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES),
    op("order.get_open", Get, "/fapi/v1/openOrder").takes(ORDER_REFERENCE).one_of(ORDER_NAMES),
    op("order.amendments", Get, "/fapi/v1/orderAmendment").takes(AMENDMENTS),
    op("orders.open_algo", Get, "/fapi/v1/openAlgoOrders").takes(ALGO_OPEN),
    op("orders.history_algo", Get, "/fapi/v1/allAlgoOrders").takes(ALGO_HISTORY),
    op("order.get_algo", Get, "/fapi/v1/algoOrder").takes(ALGO_REFERENCE).one_of(ALGO_NAMES),
    op("trades", Get, "/fapi/v1/userTrades").takes(TRADES),
    op("order.place", Post, "/fapi/v1/order").takes(ORDER).trade(Place, TRADED),
    op("order.test", Post, "/fapi/v1/order/test").takes(ORDER).trade(Place, TRADED),
    op("order.place_algo", Post, "/fapi/v1/algoOrder").takes(ALGO_ORDER).trade(Place, TRADED),
    op("order.amend", Put, "/fapi/v1/order").takes(AMEND).one_of(ORDER_NAMES).trade(Amend, TRADED),
    op("order.cancel", Delete, "/fapi/v1/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES).trade(Cancel, TRADED),
    op("order.cancel_algo", Delete, "/fapi/v1/algoOrder")
        .takes(ALGO_REFERENCE)
        .one_of(ALGO_NAMES)
        .trade(Cancel, TRADED),
    op("orders.place_batch", Post, "/fapi/v1/batchOrders").takes(BATCH).trade(Place, TRADED),
    op("orders.amend_batch", Put, "/fapi/v1/batchOrders").takes(BATCH_AMEND).trade(Amend, TRADED),
    op("orders.cancel_batch", Delete, "/fapi/v1/batchOrders")
        .takes(BATCH_CANCEL)
        .one_of(BATCH_NAMES)
        .trade(Cancel, TRADED),
    op("orders.cancel_all", Delete, "/fapi/v1/allOpenOrders").takes(SYMBOL).trade(CancelAll, TRADED),
    op("orders.cancel_all_algo", Delete, "/fapi/v1/algoOpenOrders").takes(SYMBOL).trade(CancelAll, TRADED),
    op("orders.cancel_after", Post, "/fapi/v1/countdownCancelAll").takes(COUNTDOWN).trade(CancelAll, TRADED),
    op("leverage.set", Post, "/fapi/v1/leverage").takes(LEVERAGE).trade(Setting, TRADED),
    op("margin_mode.set", Post, "/fapi/v1/marginType").takes(MARGIN_MODE).trade(Setting, TRADED),
    op("position_mode.set", Post, "/fapi/v1/positionSide/dual").takes(POSITION_MODE).trade(Setting, TRADED),
    op("position.margin", Post, "/fapi/v1/positionMargin").takes(POSITION_MARGIN).trade(Setting, TRADED),
    op("multi_assets.set", Post, "/fapi/v1/multiAssetsMargin").takes(MULTI_ASSETS).trade(Setting, TRADED),
];
