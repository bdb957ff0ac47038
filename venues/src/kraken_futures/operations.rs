//! Kraken Futures' catalogue.

use crate::{
    grammar::{Grammar, List},
    operation::{
        HostRole,
        Kind::{Amend, Cancel, CancelAll, Place, Setting},
        Method::{self, Get, Post, Put},
        Operation, Param,
    },
    product::Products,
    venue::VenueId,
};

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::KrakenFutures, name, method, path)
}

/// A batch is of one kind: what places, changes and cancels in one call could only be judged as a whole.
pub(super) const CATALOGUE: &[Operation] = &[
    op("instruments", Get, "/derivatives/api/v3/instruments").market(),
    op("instruments.status", Get, "/derivatives/api/v3/instruments/status").market(),
    op("instrument.status", Get, "/derivatives/api/v3/instruments/{symbol}/status").takes(SYMBOL).market(),
    op("ticker.all", Get, "/derivatives/api/v3/tickers").market(),
    op("ticker", Get, "/derivatives/api/v3/tickers/{symbol}").takes(SYMBOL).market(),
    op("order_book", Get, "/derivatives/api/v3/orderbook").takes(SYMBOL).market(),
    op("trades.public", Get, "/derivatives/api/v3/history").takes(PUBLIC_TRADES).market(),
    op("funding.history", Get, "/derivatives/api/v3/historicalfundingrates").takes(SYMBOL).market(),
    op("fees.schedules", Get, "/derivatives/api/v3/feeschedules").market(),
    op("candles", Get, "/api/charts/v1/{tick_type}/{symbol}/{resolution}").takes(CANDLES).market(),
    op("market.executions", Get, "/api/history/v2/market/{tradeable}/executions").takes(MARKET_HISTORY).market(),
    op("market.orders", Get, "/api/history/v2/market/{tradeable}/orders").takes(MARKET_HISTORY).market(),
    op("market.prices", Get, "/api/history/v2/market/{tradeable}/price").takes(MARKET_HISTORY).market(),
    op("key.permissions", Get, "/api/auth/v1/api-keys/v3/check").probe(HostRole::Main),
    op("account", Get, "/derivatives/api/v3/accounts"),
    op("account.log", Get, "/api/history/v3/account-log").takes(ACCOUNT_LOG),
    op("notifications", Get, "/derivatives/api/v3/notifications"),
    op("positions", Get, "/derivatives/api/v3/openpositions"),
    op("leverage", Get, "/derivatives/api/v3/leveragepreferences").takes(ANY_SYMBOL),
    op("pnl_currency", Get, "/derivatives/api/v3/pnlpreferences"),
    op("orders.open", Get, "/derivatives/api/v3/openorders"),
    op("orders.recent", Get, "/derivatives/api/v3/recentorders").takes(ANY_SYMBOL),
    op("orders.history", Get, "/api/history/v2/orders").takes(HISTORY),
    op("orders.triggers", Get, "/api/history/v2/triggers").takes(HISTORY),
    op("order.get", Get, "/derivatives/api/v3/orders/status").takes(STATUS),
    op("trades", Get, "/derivatives/api/v3/fills").takes(FILLS),
    op("trades.history", Get, "/api/history/v2/executions").takes(HISTORY),
    op("order.place", Post, "/derivatives/api/v3/sendorder").form().takes(ORDER).trade(Place, TRADED),
    op("order.amend", Post, "/derivatives/api/v3/editorder").form().takes(EDIT).one_of(EDIT_NAMES).trade(Amend, TRADED),
    op("order.cancel", Post, "/derivatives/api/v3/cancelorder")
        .form()
        .takes(CANCEL)
        .one_of(CANCEL_NAMES)
        .trade(Cancel, TRADED),
    op("orders.place_batch", Post, "/derivatives/api/v3/batchorder").form().takes(SENDS).trade(Place, TRADED),
    op("orders.amend_batch", Post, "/derivatives/api/v3/batchorder").form().takes(EDITS).trade(Amend, TRADED),
    op("orders.cancel_batch", Post, "/derivatives/api/v3/batchorder").form().takes(CANCELS).trade(Cancel, TRADED),
    op("orders.cancel_all", Post, "/derivatives/api/v3/cancelallorders")
        .form()
        .takes(ANY_SYMBOL)
        .trade(CancelAll, TRADED),
    op("orders.cancel_after", Post, "/derivatives/api/v3/cancelallordersafter")
        .form()
        .takes(TIMEOUT)
        .trade(CancelAll, TRADED),
    op("leverage.set", Put, "/derivatives/api/v3/leveragepreferences").takes(LEVERAGE).trade(Setting, TRADED),
    op("pnl_currency.set", Put, "/derivatives/api/v3/pnlpreferences").takes(PNL_CURRENCY).trade(Setting, TRADED),
];

const TRADED: Products = Products::DERIVATIVES;
const COUNT: Grammar = Grammar::Integer { min: 1, max: 100_000 };
/// Milliseconds since the Unix epoch.
const MILLISECONDS: Grammar = Grammar::Integer { min: 0, max: i64::MAX.unsigned_abs() };
/// Seconds since the Unix epoch.
const SECONDS: Grammar = Grammar::Integer { min: 0, max: 9_999_999_999 };
const SORT: Grammar = Grammar::OneOf(&["asc", "desc"]);
const SIDES: Grammar = Grammar::OneOf(&["buy", "sell"]);
const KINDS: Grammar = Grammar::OneOf(&["mkt", "lmt", "post", "ioc", "fok", "stp", "take_profit"]);
const TRIGGERS: Grammar = Grammar::OneOf(&["mark", "spot", "index", "last"]);

const SYMBOL: &[Param] = &[Param::required("symbol", Grammar::Symbol)];
const ANY_SYMBOL: &[Param] = &[Param::optional("symbol", Grammar::Symbol)];
const PUBLIC_TRADES: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::optional("lastTime", Grammar::Time)];
const CANDLES: &[Param] = &[
    Param::required("tick_type", Grammar::OneOf(&["spot", "mark", "trade"])),
    Param::required("symbol", Grammar::Symbol),
    Param::required("resolution", Grammar::OneOf(&["1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d", "1w"])),
    Param::optional("from", SECONDS),
    Param::optional("to", SECONDS),
    Param::optional("count", COUNT),
];
const MARKET_HISTORY: &[Param] = &[
    Param::required("tradeable", Grammar::Symbol),
    Param::optional("since", MILLISECONDS),
    Param::optional("before", MILLISECONDS),
    Param::optional("sort", SORT),
    Param::optional("count", COUNT),
    Param::optional("continuation_token", Grammar::Cursor),
];
const HISTORY: &[Param] = &[
    Param::optional("tradeable", Grammar::Symbol),
    Param::optional("since", MILLISECONDS),
    Param::optional("before", MILLISECONDS),
    Param::optional("sort", SORT),
    Param::optional("count", COUNT),
    Param::optional("continuation_token", Grammar::Cursor),
];
const ACCOUNT_LOG: &[Param] = &[
    Param::optional("since", MILLISECONDS),
    Param::optional("before", MILLISECONDS),
    Param::optional("from", MILLISECONDS),
    Param::optional("to", MILLISECONDS),
    Param::optional("sort", SORT),
    Param::optional("info", Grammar::Name),
    Param::optional("count", COUNT),
];
/// Names of one order; the venue takes several, of which a repeated name would be read in two ways.
const STATUS: &[Param] = &[Param::optional("orderIds", Grammar::Name), Param::optional("cliOrdIds", Grammar::ClientId)];
const FILLS: &[Param] = &[Param::optional("lastFillTime", Grammar::Time)];

/// Trailing stops follow the market and cannot be read beforehand.
const ORDER: &[Param] = &[
    Param::required("orderType", KINDS),
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("size", Grammar::Decimal),
    Param::optional("limitPrice", Grammar::Decimal),
    Param::optional("stopPrice", Grammar::Decimal),
    Param::optional("triggerSignal", TRIGGERS),
    Param::optional("reduceOnly", Grammar::Bool),
    Param::optional("cliOrdId", Grammar::ClientId),
];
const SEND: &[Param] = &[
    Param::required("order", Grammar::OneOf(&["send"])),
    Param::required("order_tag", Grammar::Name),
    Param::required("orderType", KINDS),
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("size", Grammar::Decimal).bare(),
    Param::optional("limitPrice", Grammar::Decimal).bare(),
    Param::optional("stopPrice", Grammar::Decimal).bare(),
    Param::optional("triggerSignal", TRIGGERS),
    Param::optional("reduceOnly", Grammar::Bool).bare(),
    Param::optional("cliOrdId", Grammar::ClientId),
];
const SENDS: &[Param] = &[Param::required("batchOrder", Grammar::List(&List::of(SEND, 100)))];

const EDIT_NAMES: &[&str] = &["orderId", "cliOrdId"];
const EDIT: &[Param] = &[
    Param::optional("orderId", Grammar::Name),
    Param::optional("cliOrdId", Grammar::ClientId),
    Param::optional("size", Grammar::Decimal),
    Param::optional("limitPrice", Grammar::Decimal),
    Param::optional("stopPrice", Grammar::Decimal),
];
const EDITS: &[Param] = &[Param::required(
    "batchOrder",
    Grammar::List(&List::of(
        &[
            Param::required("order", Grammar::OneOf(&["edit"])),
            Param::optional("order_tag", Grammar::Name),
            Param::optional("order_id", Grammar::Name),
            Param::optional("cliOrdId", Grammar::ClientId),
            Param::optional("size", Grammar::Decimal).bare(),
            Param::optional("limitPrice", Grammar::Decimal).bare(),
            Param::optional("stopPrice", Grammar::Decimal).bare(),
        ],
        100,
    )),
)];

const CANCEL_NAMES: &[&str] = &["order_id", "cliOrdId"];
const CANCEL: &[Param] = &[Param::optional("order_id", Grammar::Name), Param::optional("cliOrdId", Grammar::ClientId)];
const CANCELS: &[Param] = &[Param::required(
    "batchOrder",
    Grammar::List(&List::of(
        &[
            Param::required("order", Grammar::OneOf(&["cancel"])),
            Param::optional("order_tag", Grammar::Name),
            Param::optional("order_id", Grammar::Name),
            Param::optional("cliOrdId", Grammar::ClientId),
        ],
        100,
    )),
)];
/// Seconds until every order is cancelled; zero stops the countdown.
const TIMEOUT: &[Param] = &[Param::required("timeout", Grammar::Integer { min: 0, max: 86_400 })];

/// Without a leverage the position is a cross one.
const LEVERAGE: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::optional("maxLeverage", Grammar::Decimal)];
const PNL_CURRENCY: &[Param] =
    &[Param::required("symbol", Grammar::Symbol), Param::required("pnlPreference", Grammar::Symbol)];
