//! The parameters of Binance USD-M futures.
//!
//! What an order's reading would not show is not in the lists: prices matched to the book, trailing stops, and closing
//! a whole position without a quantity.

use super::super::params::{INTERVALS, LIMIT, MILLISECONDS, ORDER_ID, SELF_TRADE, SIDES};
use crate::{
    grammar::{Grammar, List},
    operation::{Json, Param},
};

const POSITION_SIDES: Grammar = Grammar::OneOf(&["BOTH", "LONG", "SHORT"]);
/// `GTX` is maker only, `GTD` ends at `goodTillDate`.
const LIFETIMES: Grammar = Grammar::OneOf(&["GTC", "IOC", "FOK", "GTX", "GTD"]);
const RESPONSES: Grammar = Grammar::OneOf(&["ACK", "RESULT"]);
const PERIODS: Grammar = Grammar::OneOf(&["5m", "15m", "30m", "1h", "2h", "4h", "6h", "12h", "1d"]);
const CONTRACTS: Grammar = Grammar::OneOf(&["PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER", "TRADIFI_PERPETUAL"]);
const PAGE: Grammar = Grammar::Integer { min: 1, max: 1_000_000 };

pub(super) const ALGO_NAMES: &[&str] = &["algoId", "clientAlgoId"];
pub(super) const BATCH_NAMES: &[&str] = &["orderIdList", "origClientOrderIdList"];

pub(super) const ORDER: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", Grammar::OneOf(&["LIMIT", "MARKET"])),
    Param::optional("positionSide", POSITION_SIDES),
    Param::optional("timeInForce", LIFETIMES),
    Param::required("quantity", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("reduceOnly", Grammar::Bool),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
    Param::optional("goodTillDate", MILLISECONDS),
];
/// Conditional orders have a call, and names, of their own.
pub(super) const ALGO_ORDER: &[Param] = &[
    Param::required("algoType", Grammar::OneOf(&["CONDITIONAL"])),
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", Grammar::OneOf(&["STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET"])),
    Param::optional("positionSide", POSITION_SIDES),
    Param::optional("timeInForce", LIFETIMES),
    Param::required("quantity", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::required("triggerPrice", Grammar::Decimal),
    Param::optional("workingType", Grammar::OneOf(&["MARK_PRICE", "CONTRACT_PRICE"])),
    Param::optional("priceProtect", Grammar::OneOf(&["TRUE", "FALSE", "true", "false"])),
    Param::optional("reduceOnly", Grammar::Bool),
    Param::optional("clientAlgoId", Grammar::ClientId),
    Param::optional("newOrderRespType", RESPONSES),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
    Param::optional("goodTillDate", MILLISECONDS),
];
/// Quantity and price are always given, changed or not.
pub(super) const AMEND: &[Param] = &[
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("quantity", Grammar::Decimal),
    Param::required("price", Grammar::Decimal),
];
pub(super) const BATCH: &[Param] = &[Param::required("batchOrders", Grammar::List(&List::of(ORDER, 5)))];
pub(super) const BATCH_AMEND: &[Param] = &[Param::required("batchOrders", Grammar::List(&List::of(AMEND, 5)))];
pub(super) const BATCH_CANCEL: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderIdList", Grammar::List(&List::values(ORDER_ID, Json::Bare, 10))),
    Param::optional("origClientOrderIdList", Grammar::List(&List::values(Grammar::ClientId, Json::Text, 10))),
];
/// Milliseconds until every order of the symbol is cancelled; zero stops the countdown.
pub(super) const COUNTDOWN: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::required("countdownTime", MILLISECONDS)];
pub(super) const LEVERAGE: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::required("leverage", Grammar::Integer { min: 1, max: 125 })];
pub(super) const MARGIN_MODE: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("marginType", Grammar::OneOf(&["ISOLATED", "CROSSED"])),
];
pub(super) const POSITION_MODE: &[Param] = &[Param::required("dualSidePosition", Grammar::Bool)];
pub(super) const MULTI_ASSETS: &[Param] = &[Param::required("multiAssetsMargin", Grammar::Bool)];
/// Type 1 adds margin to an isolated position, type 2 takes some away; both stay in the futures account.
pub(super) const POSITION_MARGIN: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("positionSide", POSITION_SIDES),
    Param::required("amount", Grammar::Decimal),
    Param::required("type", Grammar::OneOf(&["1", "2"])),
];

/// The symbol stands there because ccxt sends it; the venue asks for one of the other two.
pub(super) const ALGO_REFERENCE: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("algoId", ORDER_ID),
    Param::optional("clientAlgoId", Grammar::ClientId),
];
pub(super) const ALGO_OPEN: &[Param] = &[
    Param::optional("algoType", Grammar::OneOf(&["CONDITIONAL"])),
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("algoId", ORDER_ID),
];
pub(super) const ALGO_HISTORY: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("algoId", ORDER_ID),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("page", PAGE),
    Param::optional("limit", LIMIT),
];
pub(super) const AMENDMENTS: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const FORCED: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("autoCloseType", Grammar::OneOf(&["LIQUIDATION", "ADL"])),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const INCOME: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("incomeType", Grammar::Symbol),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("page", PAGE),
    Param::optional("limit", LIMIT),
];
pub(super) const MARGIN_HISTORY: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("type", Grammar::OneOf(&["1", "2"])),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];

pub(super) const FUNDING: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const CONTRACT_CANDLES: &[Param] = &[
    Param::required("pair", Grammar::Symbol),
    Param::required("contractType", CONTRACTS),
    Param::required("interval", INTERVALS),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const PAIR_CANDLES: &[Param] = &[
    Param::required("pair", Grammar::Symbol),
    Param::required("interval", INTERVALS),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const STATISTICS: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("period", PERIODS),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const BASIS: &[Param] = &[
    Param::required("pair", Grammar::Symbol),
    Param::required("contractType", CONTRACTS),
    Param::required("period", PERIODS),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const PAIR: &[Param] = &[Param::required("pair", Grammar::Symbol)];
