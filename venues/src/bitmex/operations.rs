//! `BitMEX`' catalogue.

use crate::{
    grammar::Grammar,
    operation::{
        HostRole,
        Kind::{Amend, Cancel, CancelAll, Close, Place, Setting},
        Method::{self, Delete, Get, Post, Put},
        Operation, Param,
    },
    product::Products,
    venue::VenueId,
};

use super::permissions::TRADED;

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Bitmex, name, method, path)
}

/// Moving margin into a position is called a transfer there, and is left out like all of them.
pub(super) const CATALOGUE: &[Operation] = &[
    op("instruments", Get, "/api/v1/instrument").takes(PAGE).market(),
    op("instruments.active", Get, "/api/v1/instrument/active").market(),
    op("order_book", Get, "/api/v1/orderBook/L2").takes(DEPTH).market(),
    op("trades.public", Get, "/api/v1/trade").takes(PAGE).market(),
    op("candles", Get, "/api/v1/trade/bucketed").takes(CANDLES).market(),
    op("quotes", Get, "/api/v1/quote").takes(PAGE).market(),
    op("funding.history", Get, "/api/v1/funding").takes(PAGE).market(),
    op("settlements", Get, "/api/v1/settlement").takes(PAGE).market(),
    op("liquidations", Get, "/api/v1/liquidation").takes(PAGE).market(),
    op("insurance", Get, "/api/v1/insurance").takes(PAGE).market(),
    op("statistics", Get, "/api/v1/stats").market(),
    op("currencies", Get, "/api/v1/wallet/assets").market(),
    op("networks", Get, "/api/v1/wallet/networks").market(),
    op("key.permissions", Get, "/api/v1/apiKey").takes(REVERSE).probe(HostRole::Main),
    op("account", Get, "/api/v1/user/margin").takes(CURRENCY),
    op("balances", Get, "/api/v1/user/wallet").takes(CURRENCY),
    op("balances.history", Get, "/api/v1/user/walletHistory").takes(WALLET_HISTORY),
    op("balances.summary", Get, "/api/v1/user/walletSummary").takes(CURRENCY),
    op("commission", Get, "/api/v1/user/commission"),
    op("volume", Get, "/api/v1/user/tradingVolume"),
    op("positions", Get, "/api/v1/position").takes(COUNT),
    op("orders.open", Get, "/api/v1/order").takes(OPEN_ORDERS),
    op("trades", Get, "/api/v1/execution/tradeHistory").takes(PAGE),
    op("executions", Get, "/api/v1/execution").takes(PAGE),
    op("order.place", Post, "/api/v1/order").json().takes(ORDER).trade(Place, TRADED),
    op("order.amend", Put, "/api/v1/order").json().takes(AMEND).one_of(AMEND_NAMES).trade(Amend, TRADED),
    op("order.cancel", Delete, "/api/v1/order").json().takes(CANCEL).one_of(CANCEL_NAMES).trade(Cancel, TRADED),
    op("orders.cancel_all", Delete, "/api/v1/order/all").json().takes(ANY_SYMBOL).trade(CancelAll, TRADED),
    op("orders.cancel_after", Post, "/api/v1/order/cancelAllAfter").json().takes(TIMEOUT).trade(CancelAll, TRADED),
    op("position.close", Post, "/api/v1/order/closePosition").json().takes(SYMBOL).trade(Close, Products::DERIVATIVES),
    op("leverage.set", Post, "/api/v1/position/leverage").json().takes(LEVERAGE).trade(Setting, Products::DERIVATIVES),
    op("margin_mode.set", Post, "/api/v1/position/isolate").json().takes(ISOLATE).trade(Setting, Products::DERIVATIVES),
    op("risk_limit.set", Post, "/api/v1/position/riskLimit")
        .json()
        .takes(RISK_LIMIT)
        .trade(Setting, Products::DERIVATIVES),
];

const ROWS: Grammar = Grammar::Integer { min: 1, max: 1_000 };
const START: Grammar = Grammar::Integer { min: 0, max: 1_000_000_000 };
const CONTRACTS: Grammar = Grammar::Integer { min: 1, max: 1_000_000_000_000 };

const SYMBOL: &[Param] = &[Param::required("symbol", Grammar::Symbol)];
const ANY_SYMBOL: &[Param] = &[Param::optional("symbol", Grammar::Symbol)];
const REVERSE: &[Param] = &[Param::optional("reverse", Grammar::Bool)];
const COUNT: &[Param] = &[Param::optional("count", ROWS)];
/// Currencies are written with a lower-case last letter, as in `XBt`.
const CURRENCY: &[Param] = &[Param::optional("currency", Grammar::Name)];
const WALLET_HISTORY: &[Param] =
    &[Param::optional("currency", Grammar::Name), Param::optional("count", ROWS), Param::optional("start", START)];
const PAGE: &[Param] = &[
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("count", ROWS),
    Param::optional("start", START),
    Param::optional("reverse", Grammar::Bool),
    Param::optional("startTime", Grammar::Time),
    Param::optional("endTime", Grammar::Time),
];
const CANDLES: &[Param] = &[
    Param::required("binSize", Grammar::OneOf(&["1m", "5m", "1h", "1d"])),
    Param::optional("partial", Grammar::Bool),
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("count", ROWS),
    Param::optional("start", START),
    Param::optional("reverse", Grammar::Bool),
    Param::optional("startTime", Grammar::Time),
    Param::optional("endTime", Grammar::Time),
];
const DEPTH: &[Param] = &[Param::required("symbol", Grammar::Symbol), Param::optional("depth", START)];
/// The one filter that bots use here, in the two ways that JSON is written.
const OPEN_ORDERS: &[Param] = &[
    Param::required("filter", Grammar::OneOf(&[r#"{"open": true}"#, r#"{"open":true}"#])),
    Param::optional("symbol", Grammar::Symbol),
    Param::optional("count", ROWS),
    Param::optional("start", START),
    Param::optional("reverse", Grammar::Bool),
];

/// Pegged prices, linked orders and closing without a quantity are not expressible: none can be read beforehand.
const ORDER: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", Grammar::OneOf(&["Buy", "Sell"])),
    Param::required("orderQty", CONTRACTS).bare(),
    Param::required(
        "ordType",
        Grammar::OneOf(&["Market", "Limit", "Stop", "StopLimit", "MarketIfTouched", "LimitIfTouched"]),
    ),
    Param::optional("price", Grammar::Decimal).bare(),
    Param::optional("stopPx", Grammar::Decimal).bare(),
    Param::optional("displayQty", START).bare(),
    Param::optional("clOrdID", Grammar::ClientId),
    Param::optional("timeInForce", Grammar::OneOf(&["Day", "GoodTillCancel", "ImmediateOrCancel", "FillOrKill"])),
    Param::optional(
        "execInst",
        Grammar::ListOf(&["ParticipateDoNotInitiate", "ReduceOnly", "MarkPrice", "IndexPrice", "LastPrice"]),
    ),
];
const AMEND_NAMES: &[&str] = &["orderID", "origClOrdID"];
const AMEND: &[Param] = &[
    Param::optional("orderID", Grammar::Name),
    Param::optional("origClOrdID", Grammar::ClientId),
    Param::optional("clOrdID", Grammar::ClientId),
    Param::optional("orderQty", CONTRACTS).bare(),
    Param::optional("price", Grammar::Decimal).bare(),
    Param::optional("stopPx", Grammar::Decimal).bare(),
];
const CANCEL_NAMES: &[&str] = &["orderID", "clOrdID"];
const CANCEL: &[Param] = &[Param::optional("orderID", Grammar::Name), Param::optional("clOrdID", Grammar::ClientId)];
/// Milliseconds until every order is cancelled; zero stops the countdown.
const TIMEOUT: &[Param] = &[Param::required("timeout", Grammar::Integer { min: 0, max: 86_400_000 }).bare()];
/// Cross margin, which `BitMEX` writes as a leverage of zero, is set with `margin_mode.set`.
const LEVERAGE: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::required("leverage", Grammar::Decimal).bare()];
const ISOLATE: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::required("enabled", Grammar::Bool).bare()];
const RISK_LIMIT: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::required("riskLimit", CONTRACTS).bare()];
