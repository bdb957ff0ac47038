//! The parameters that Binance's calls take, spot and futures alike.

use crate::{
    grammar::{Grammar, List},
    operation::{Json, Param},
};

/// Either of these names an existing order.
pub(super) const ORDER_NAMES: &[&str] = &["orderId", "origClientOrderId"];
pub(super) const ORDER_REFERENCE: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
];
pub(super) const SYMBOL: &[Param] = &[Param::required("symbol", Grammar::Symbol)];
pub(super) const ANY_SYMBOL: &[Param] = &[Param::optional("symbol", Grammar::Symbol)];

/// Order numbers are signed 64-bit integers.
pub(super) const ORDER_ID: Grammar = Grammar::Integer { min: 1, max: i64::MAX.unsigned_abs() };
/// Ids of trades begin at zero.
pub(super) const TRADE_ID: Grammar = Grammar::Integer { min: 0, max: i64::MAX.unsigned_abs() };
/// Milliseconds since the Unix epoch, or a duration in milliseconds.
pub(super) const MILLISECONDS: Grammar = Grammar::Integer { min: 0, max: i64::MAX.unsigned_abs() };
pub(super) const LIMIT: Grammar = Grammar::Integer { min: 1, max: 5_000 };
pub(super) const SIDES: Grammar = Grammar::OneOf(&["BUY", "SELL"]);
/// The one that is missing, `TRANSFER`, moves what was not traded to the other account of the trade group.
pub(super) const SELF_TRADE: Grammar =
    Grammar::OneOf(&["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"]);
pub(super) const RESPONSES: Grammar = Grammar::OneOf(&["ACK", "RESULT", "FULL"]);
pub(super) const INTERVALS: Grammar = Grammar::OneOf(&[
    "1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M",
]);
/// Several symbols at once, as Binance's market data takes them.
pub(super) const SYMBOLS: Grammar = Grammar::List(&List::values(Grammar::Symbol, Json::Text, 200));

pub(super) const DEPTH: &[Param] = &[Param::required("symbol", Grammar::Symbol), Param::optional("limit", LIMIT)];
pub(super) const AGGREGATES: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("fromId", TRADE_ID),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const CANDLES: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("interval", INTERVALS),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("timeZone", Grammar::Time),
    Param::optional("limit", LIMIT),
];
/// All orders of a symbol, open or not.
pub(super) const HISTORY: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("limit", LIMIT),
];
pub(super) const TRADES: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("startTime", MILLISECONDS),
    Param::optional("endTime", MILLISECONDS),
    Param::optional("fromId", TRADE_ID),
    Param::optional("limit", LIMIT),
];
