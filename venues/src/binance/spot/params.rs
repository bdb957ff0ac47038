//! The parameters of Binance spot.
//!
//! What an order's reading would not show is not in the lists: trailing distances, pegged prices, margin side effects.

use super::super::params::{LIMIT, MILLISECONDS, ORDER_ID, RESPONSES, SELF_TRADE, SIDES, SYMBOLS, TRADE_ID};
use crate::{grammar::Grammar, operation::Param};

const KINDS: Grammar = Grammar::OneOf(&[
    "LIMIT",
    "MARKET",
    "LIMIT_MAKER",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]);
/// What waits for the price, above or below it.
const LEGS: Grammar =
    Grammar::OneOf(&["LIMIT_MAKER", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]);
/// What a list begins with.
const WORKING: Grammar = Grammar::OneOf(&["LIMIT", "LIMIT_MAKER"]);
const LIFETIMES: Grammar = Grammar::OneOf(&["GTC", "IOC", "FOK"]);
const STRATEGY_ID: Grammar = Grammar::Integer { min: 0, max: i64::MAX.unsigned_abs() };
const STRATEGY_TYPE: Grammar = Grammar::Integer { min: 1_000_000, max: 2_147_483_647 };
const RESTRICTIONS: Grammar = Grammar::OneOf(&["ONLY_NEW", "ONLY_PARTIALLY_FILLED"]);
const TICKER_TYPES: Grammar = Grammar::OneOf(&["FULL", "MINI"]);
const STATUSES: Grammar = Grammar::OneOf(&["TRADING", "HALT", "BREAK"]);

pub(super) const QUANTITIES: &[&str] = &["quantity", "quoteOrderQty"];
pub(super) const LIST_NAMES: &[&str] = &["orderListId", "listClientOrderId"];
pub(super) const LIST_QUERY_NAMES: &[&str] = &["orderListId", "origClientOrderId"];

pub(super) const ORDER: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", KINDS),
    Param::optional("timeInForce", LIFETIMES),
    Param::optional("quantity", Grammar::Decimal),
    Param::optional("quoteOrderQty", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("stopPrice", Grammar::Decimal),
    Param::optional("icebergQty", Grammar::Decimal),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("strategyId", STRATEGY_ID),
    Param::optional("strategyType", STRATEGY_TYPE),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

pub(super) const ORDER_TEST: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", KINDS),
    Param::optional("timeInForce", LIFETIMES),
    Param::optional("quantity", Grammar::Decimal),
    Param::optional("quoteOrderQty", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("stopPrice", Grammar::Decimal),
    Param::optional("icebergQty", Grammar::Decimal),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
    Param::optional("computeCommissionRates", Grammar::Bool),
];

/// A new order in the place of one that is cancelled; the reading demands exactly one name for the old one.
pub(super) const REPLACE: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", KINDS),
    Param::required("cancelReplaceMode", Grammar::OneOf(&["STOP_ON_FAILURE", "ALLOW_FAILURE"])),
    Param::optional("cancelOrderId", ORDER_ID),
    Param::optional("cancelOrigClientOrderId", Grammar::ClientId),
    Param::optional("cancelNewClientOrderId", Grammar::ClientId),
    Param::optional("cancelRestrictions", RESTRICTIONS),
    Param::optional("orderRateLimitExceededMode", Grammar::OneOf(&["DO_NOTHING", "CANCEL_ONLY"])),
    Param::optional("timeInForce", LIFETIMES),
    Param::optional("quantity", Grammar::Decimal),
    Param::optional("quoteOrderQty", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("stopPrice", Grammar::Decimal),
    Param::optional("icebergQty", Grammar::Decimal),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

/// Less of an order that keeps its place in the queue.
pub(super) const AMEND: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::required("newQty", Grammar::Decimal),
];

/// A cancelled order may be given a new name.
pub(super) const CANCEL: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("cancelRestrictions", RESTRICTIONS),
];

pub(super) const CANCEL_LIST: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderListId", ORDER_ID),
    Param::optional("listClientOrderId", Grammar::ClientId),
    Param::optional("newClientOrderId", Grammar::ClientId),
];

/// The older form of a pair of orders of which one cancels the other.
pub(super) const PAIR: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("quantity", Grammar::Decimal),
    Param::optional("listClientOrderId", Grammar::ClientId),
    Param::optional("limitClientOrderId", Grammar::ClientId),
    Param::required("price", Grammar::Decimal),
    Param::optional("limitIcebergQty", Grammar::Decimal),
    Param::optional("stopClientOrderId", Grammar::ClientId),
    Param::required("stopPrice", Grammar::Decimal),
    Param::optional("stopLimitPrice", Grammar::Decimal),
    Param::optional("stopIcebergQty", Grammar::Decimal),
    Param::optional("stopLimitTimeInForce", LIFETIMES),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

pub(super) const OCO: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("quantity", Grammar::Decimal),
    Param::optional("listClientOrderId", Grammar::ClientId),
    Param::required("aboveType", LEGS),
    Param::optional("aboveClientOrderId", Grammar::ClientId),
    Param::optional("aboveIcebergQty", Grammar::Decimal),
    Param::optional("abovePrice", Grammar::Decimal),
    Param::optional("aboveStopPrice", Grammar::Decimal),
    Param::optional("aboveTimeInForce", LIFETIMES),
    Param::required("belowType", LEGS),
    Param::optional("belowClientOrderId", Grammar::ClientId),
    Param::optional("belowIcebergQty", Grammar::Decimal),
    Param::optional("belowPrice", Grammar::Decimal),
    Param::optional("belowStopPrice", Grammar::Decimal),
    Param::optional("belowTimeInForce", LIFETIMES),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

pub(super) const OTO: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("listClientOrderId", Grammar::ClientId),
    Param::required("workingType", WORKING),
    Param::required("workingSide", SIDES),
    Param::optional("workingClientOrderId", Grammar::ClientId),
    Param::required("workingPrice", Grammar::Decimal),
    Param::required("workingQuantity", Grammar::Decimal),
    Param::optional("workingIcebergQty", Grammar::Decimal),
    Param::optional("workingTimeInForce", LIFETIMES),
    Param::required("pendingType", KINDS),
    Param::required("pendingSide", SIDES),
    Param::optional("pendingClientOrderId", Grammar::ClientId),
    Param::optional("pendingPrice", Grammar::Decimal),
    Param::optional("pendingStopPrice", Grammar::Decimal),
    Param::required("pendingQuantity", Grammar::Decimal),
    Param::optional("pendingIcebergQty", Grammar::Decimal),
    Param::optional("pendingTimeInForce", LIFETIMES),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

pub(super) const OTOCO: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("listClientOrderId", Grammar::ClientId),
    Param::required("workingType", WORKING),
    Param::required("workingSide", SIDES),
    Param::optional("workingClientOrderId", Grammar::ClientId),
    Param::required("workingPrice", Grammar::Decimal),
    Param::required("workingQuantity", Grammar::Decimal),
    Param::optional("workingIcebergQty", Grammar::Decimal),
    Param::optional("workingTimeInForce", LIFETIMES),
    Param::required("pendingSide", SIDES),
    Param::required("pendingQuantity", Grammar::Decimal),
    Param::required("pendingAboveType", LEGS),
    Param::optional("pendingAboveClientOrderId", Grammar::ClientId),
    Param::optional("pendingAbovePrice", Grammar::Decimal),
    Param::optional("pendingAboveStopPrice", Grammar::Decimal),
    Param::optional("pendingAboveIcebergQty", Grammar::Decimal),
    Param::optional("pendingAboveTimeInForce", LIFETIMES),
    Param::required("pendingBelowType", LEGS),
    Param::optional("pendingBelowClientOrderId", Grammar::ClientId),
    Param::optional("pendingBelowPrice", Grammar::Decimal),
    Param::optional("pendingBelowStopPrice", Grammar::Decimal),
    Param::optional("pendingBelowIcebergQty", Grammar::Decimal),
    Param::optional("pendingBelowTimeInForce", LIFETIMES),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

/// Smart order routing takes the two plain types only.
pub(super) const ROUTED: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", Grammar::OneOf(&["LIMIT", "MARKET"])),
    Param::optional("timeInForce", LIFETIMES),
    Param::required("quantity", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("icebergQty", Grammar::Decimal),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
    Param::optional("computeCommissionRates", Grammar::Bool),
];

pub(super) const ACCOUNT: &[Param] = &[Param::optional("omitZeroBalances", Grammar::Bool)];
pub(super) const ASSET: &[Param] =
    &[Param::optional("asset", Grammar::Symbol), Param::optional("needBtcValuation", Grammar::Bool)];
pub(super) const PAYMENTS: &[Param] = &[
    Param::optional("coin", Grammar::Symbol),
    Param::optional("status", Grammar::Integer { min: 0, max: 9 }),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("offset", TRADE_ID),
    Param::optional("limit", LIMIT),
];
pub(super) const AMENDMENTS: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("orderId", ORDER_ID),
    Param::optional("fromExecutionId", TRADE_ID),
    Param::optional("limit", LIMIT),
];
pub(super) const LIST_REFERENCE: &[Param] =
    &[Param::optional("orderListId", ORDER_ID), Param::optional("origClientOrderId", Grammar::ClientId)];
pub(super) const LIST_HISTORY: &[Param] = &[
    Param::optional("fromId", TRADE_ID),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const PREVENTED: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("preventedMatchId", TRADE_ID),
    Param::optional("orderId", ORDER_ID),
    Param::optional("fromPreventedMatchId", TRADE_ID),
    Param::optional("limit", LIMIT),
];
pub(super) const ALLOCATIONS: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("fromAllocationId", TRADE_ID),
    Param::optional("orderId", ORDER_ID),
    Param::optional("limit", LIMIT),
];
pub(super) const INSTRUMENTS: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("symbols", SYMBOLS),
    Param::optional("showPermissionSets", Grammar::Bool),
    Param::optional("symbolStatus", STATUSES),
];
pub(super) const ANY_SYMBOLS: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("symbols", SYMBOLS),
    Param::optional("symbolStatus", STATUSES),
];
pub(super) const TICKERS: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("symbols", SYMBOLS),
    Param::optional("type", TICKER_TYPES),
    Param::optional("symbolStatus", STATUSES),
];
pub(super) const TRADING_DAY: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("symbols", SYMBOLS),
    Param::optional("timeZone", Grammar::Time),
    Param::optional("type", TICKER_TYPES),
    Param::optional("symbolStatus", STATUSES),
];
pub(super) const WINDOW: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("symbols", SYMBOLS),
    Param::optional("windowSize", Grammar::Name),
    Param::optional("type", TICKER_TYPES),
    Param::optional("symbolStatus", STATUSES),
];
pub(super) const EITHER_SYMBOLS: &[&str] = &["symbol", "symbols"];
pub(super) const BLOCK_TRADES: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::optional("fromId", TRADE_ID), Param::optional("limit", LIMIT)];
