//! Kraken's catalogue. Every private call is a POST, so only the exact path tells a read from a withdrawal.

use crate::{
    grammar::{Grammar, List},
    operation::{
        HostRole, Json,
        Kind::{Amend, Cancel, CancelAll, Place},
        Method::{self, Get, Post},
        Operation, Param,
    },
    product::Products,
    venue::VenueId,
};

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Kraken, name, method, path)
}

/// Editing an order the older way cannot be read: whether its price is a limit or a trigger depends on the order.
pub(super) const CATALOGUE: &[Operation] = &[
    op("time", Get, "/0/public/Time").market(),
    op("system.status", Get, "/0/public/SystemStatus").market(),
    op("currencies", Get, "/0/public/Assets").takes(ASSETS).market(),
    op("instruments", Get, "/0/public/AssetPairs").takes(PAIRS).market(),
    op("ticker", Get, "/0/public/Ticker").takes(TICKER).market(),
    op("candles", Get, "/0/public/OHLC").takes(CANDLES).market(),
    op("order_book", Get, "/0/public/Depth").takes(DEPTH).market(),
    op("order_book.grouped", Get, "/0/public/GroupedBook").takes(GROUPED).market(),
    op("trades.public", Get, "/0/public/Trades").takes(PUBLIC_TRADES).market(),
    op("trades.before", Get, "/0/public/PreTrade").takes(BEFORE).market(),
    op("trades.after", Get, "/0/public/PostTrade").takes(AFTER).market(),
    op("spreads", Get, "/0/public/Spread").takes(SPREADS).market(),
    op("key.permissions", Post, "/0/private/GetApiKeyInfo").form().probe(HostRole::Main),
    op("account", Post, "/0/private/TradeBalance").form().takes(ASSET),
    op("balances", Post, "/0/private/Balance").form(),
    op("balances.extended", Post, "/0/private/BalanceEx").form(),
    op("credit_lines", Post, "/0/private/CreditLines").form(),
    op("fees", Post, "/0/private/TradeVolume").form().takes(VOLUME),
    op("positions", Post, "/0/private/OpenPositions").form().takes(POSITIONS),
    op("orders.open", Post, "/0/private/OpenOrders").form().takes(OPEN_ORDERS),
    op("orders.history", Post, "/0/private/ClosedOrders").form().takes(CLOSED_ORDERS),
    op("order.get", Post, "/0/private/QueryOrders").form().takes(ORDER_REFERENCE),
    op("order.amendments", Post, "/0/private/OrderAmends").form().takes(AMENDMENTS),
    op("order_book.orders", Post, "/0/private/Level3").form().takes(LEVEL_3),
    op("trades", Post, "/0/private/TradesHistory").form().takes(TRADES),
    op("trade.get", Post, "/0/private/QueryTrades").form().takes(TRADE_REFERENCE),
    op("ledger", Post, "/0/private/Ledgers").form().takes(LEDGER),
    op("ledger.get", Post, "/0/private/QueryLedgers").form().takes(LEDGER_REFERENCE),
    op("order.place", Post, "/0/private/AddOrder").form().takes(ORDER).trade(Place, TRADED),
    op("orders.place_batch", Post, "/0/private/AddOrderBatch").json().takes(BATCH).trade(Place, TRADED),
    op("order.amend", Post, "/0/private/AmendOrder").form().takes(AMEND).one_of(ORDER_NAMES).trade(Amend, TRADED),
    op("order.cancel", Post, "/0/private/CancelOrder").form().takes(CANCEL).one_of(ORDER_NAMES).trade(Cancel, TRADED),
    op("orders.cancel_batch", Post, "/0/private/CancelOrderBatch")
        .json()
        .takes(CANCEL_BATCH)
        .one_of(BATCH_NAMES)
        .trade(Cancel, TRADED),
    op("orders.cancel_all", Post, "/0/private/CancelAll").form().trade(CancelAll, TRADED),
    op("orders.cancel_after", Post, "/0/private/CancelAllOrdersAfter").form().takes(TIMEOUT).trade(CancelAll, TRADED),
];

const TRADED: Products = Products::SPOT_AND_MARGIN;
const USER_REFERENCE: Grammar = Grammar::Integer { min: 0, max: 2_147_483_647 };
const COUNT: Grammar = Grammar::Integer { min: 1, max: 1_000 };
const OFFSET: Grammar = Grammar::Integer { min: 0, max: 10_000_000 };
/// Seconds since the Unix epoch, nanoseconds, or the id that an earlier answer ended with.
const MOMENT: Grammar = Grammar::Name;
const ASSET_CLASS: Grammar = Grammar::OneOf(&["currency", "tokenized_asset", "forex"]);

const ASSETS: &[Param] = &[Param::optional("asset", Grammar::Names), Param::optional("aclass", ASSET_CLASS)];
const PAIRS: &[Param] = &[
    Param::optional("pair", Grammar::Pairs),
    Param::optional("info", Grammar::OneOf(&["info", "leverage", "fees", "margin"])),
    Param::optional("aclass_base", ASSET_CLASS),
    Param::optional("country_code", Grammar::Name),
];
const TICKER: &[Param] = &[Param::optional("pair", Grammar::Pairs), Param::optional("asset_class", ASSET_CLASS)];
const CANDLES: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::optional("interval", Grammar::OneOf(&["1", "5", "15", "30", "60", "240", "1440", "10080", "21600"])),
    Param::optional("since", MOMENT),
    Param::optional("asset_class", ASSET_CLASS),
];
const DEPTH: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::optional("count", COUNT),
    Param::optional("asset_class", ASSET_CLASS),
];
const GROUPED: &[Param] =
    &[Param::required("pair", Grammar::Pair), Param::optional("depth", COUNT), Param::optional("grouping", COUNT)];
const PUBLIC_TRADES: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::optional("since", MOMENT),
    Param::optional("count", COUNT),
    Param::optional("asset_class", ASSET_CLASS),
];
const BEFORE: &[Param] = &[Param::required("symbol", Grammar::Pair)];
const AFTER: &[Param] = &[
    Param::optional("symbol", Grammar::Pair),
    Param::optional("from_ts", Grammar::Time),
    Param::optional("to_ts", Grammar::Time),
    Param::optional("count", COUNT),
];
const SPREADS: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::optional("since", MOMENT),
    Param::optional("asset_class", ASSET_CLASS),
];

const ASSET: &[Param] = &[Param::optional("asset", Grammar::Pair)];
const VOLUME: &[Param] = &[Param::optional("pair", Grammar::Pairs), Param::optional("fee-info", Grammar::Bool)];
const POSITIONS: &[Param] = &[
    Param::optional("txid", Grammar::Names),
    Param::optional("docalcs", Grammar::Bool),
    Param::optional("consolidation", Grammar::OneOf(&["market"])),
];
const OPEN_ORDERS: &[Param] = &[
    Param::optional("trades", Grammar::Bool),
    Param::optional("userref", USER_REFERENCE),
    Param::optional("cl_ord_id", Grammar::ClientId),
    Param::optional("start", MOMENT),
];
const CLOSED_ORDERS: &[Param] = &[
    Param::optional("trades", Grammar::Bool),
    Param::optional("userref", USER_REFERENCE),
    Param::optional("cl_ord_id", Grammar::ClientId),
    Param::optional("start", MOMENT),
    Param::optional("end", MOMENT),
    Param::optional("ofs", OFFSET),
    Param::optional("closetime", Grammar::OneOf(&["open", "close", "both"])),
    Param::optional("consolidate_taker", Grammar::Bool),
    Param::optional("without_count", Grammar::Bool),
];
const ORDER_REFERENCE: &[Param] = &[
    Param::required("txid", Grammar::Names),
    Param::optional("trades", Grammar::Bool),
    Param::optional("userref", USER_REFERENCE),
    Param::optional("consolidate_taker", Grammar::Bool),
];
const AMENDMENTS: &[Param] = &[Param::required("order_id", Grammar::OrderId)];
const LEVEL_3: &[Param] = &[Param::required("pair", Grammar::Pair), Param::optional("depth", OFFSET)];
const TRADES: &[Param] = &[
    Param::optional("type", Grammar::Name),
    Param::optional("trades", Grammar::Bool),
    Param::optional("start", MOMENT),
    Param::optional("end", MOMENT),
    Param::optional("ofs", OFFSET),
    Param::optional("without_count", Grammar::Bool),
    Param::optional("consolidate_taker", Grammar::Bool),
    Param::optional("ledgers", Grammar::Bool),
];
const TRADE_REFERENCE: &[Param] = &[Param::required("txid", Grammar::Names), Param::optional("trades", Grammar::Bool)];
const LEDGER: &[Param] = &[
    Param::optional("asset", Grammar::Names),
    Param::optional("aclass", ASSET_CLASS),
    Param::optional("type", Grammar::Name),
    Param::optional("start", MOMENT),
    Param::optional("end", MOMENT),
    Param::optional("ofs", OFFSET),
    Param::optional("without_count", Grammar::Bool),
];
const LEDGER_REFERENCE: &[Param] = &[Param::required("id", Grammar::Names), Param::optional("trades", Grammar::Bool)];

const SIDES: Grammar = Grammar::OneOf(&["buy", "sell"]);
const KINDS: Grammar =
    Grammar::OneOf(&["market", "limit", "iceberg", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit"]);
const LEVERAGE: Grammar = Grammar::Integer { min: 1, max: 100 };
const TRIGGERS: Grammar = Grammar::OneOf(&["last", "index"]);
const FLAGS: Grammar = Grammar::ListOf(&["post", "fcib", "fciq", "viqc"]);
const LIFETIMES: Grammar = Grammar::OneOf(&["GTC", "IOC", "FOK", "GTD"]);
const SELF_TRADE: Grammar = Grammar::OneOf(&["cancel-newest", "cancel-oldest", "cancel-both"]);
/// Seconds since the Unix epoch; a time relative to the arrival begins with a plus sign and is not expressible.
const EXPIRY: Grammar = Grammar::Integer { min: 1, max: 9_999_999_999 };

/// Prices relative to the market, trailing stops, conditional closes, timed starts and orders without market price
/// protection are not expressible: none of them can be read beforehand.
const ORDER: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::required("type", SIDES),
    Param::required("ordertype", KINDS),
    Param::required("volume", Grammar::Decimal),
    Param::optional("displayvol", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("price2", Grammar::Decimal),
    Param::optional("leverage", LEVERAGE),
    Param::optional("reduce_only", Grammar::Bool),
    Param::optional("trigger", TRIGGERS),
    Param::optional("oflags", FLAGS),
    Param::optional("timeinforce", LIFETIMES),
    Param::optional("expiretm", EXPIRY),
    Param::optional("stptype", SELF_TRADE),
    Param::optional("userref", USER_REFERENCE),
    Param::optional("cl_ord_id", Grammar::ClientId),
    Param::optional("deadline", Grammar::Time),
    Param::optional("validate", Grammar::Bool),
];
/// An order of a batch, whose pair and dry run are those of the batch.
const BATCH_ORDER: &[Param] = &[
    Param::required("type", SIDES),
    Param::required("ordertype", KINDS),
    Param::required("volume", Grammar::Decimal),
    Param::optional("displayvol", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("price2", Grammar::Decimal),
    Param::optional("leverage", LEVERAGE),
    Param::optional("reduce_only", Grammar::Bool).bare(),
    Param::optional("trigger", TRIGGERS),
    Param::optional("oflags", FLAGS),
    Param::optional("timeinforce", LIFETIMES),
    Param::optional("expiretm", EXPIRY),
    Param::optional("stptype", SELF_TRADE),
    Param::optional("userref", USER_REFERENCE).bare(),
    Param::optional("cl_ord_id", Grammar::ClientId),
];
const BATCH: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::required("orders", Grammar::List(&List::of(BATCH_ORDER, 15))),
    Param::optional("deadline", Grammar::Time),
    Param::optional("validate", Grammar::Bool).bare(),
];

/// Either of these names an existing order. A `userref` would name many, and is refused as an order id.
const ORDER_NAMES: &[&str] = &["txid", "cl_ord_id"];
const CANCEL: &[Param] = &[Param::optional("txid", Grammar::OrderId), Param::optional("cl_ord_id", Grammar::ClientId)];
const BATCH_NAMES: &[&str] = &["orders", "cl_ord_ids"];
const CANCEL_BATCH: &[Param] = &[
    Param::optional("orders", Grammar::List(&List::values(Grammar::OrderId, Json::Text, 50))),
    Param::optional("cl_ord_ids", Grammar::List(&List::values(Grammar::ClientId, Json::Text, 50))),
];
const AMEND: &[Param] = &[
    Param::optional("txid", Grammar::OrderId),
    Param::optional("cl_ord_id", Grammar::ClientId),
    Param::optional("pair", Grammar::Pair),
    Param::optional("order_qty", Grammar::Decimal),
    Param::optional("display_qty", Grammar::Decimal),
    Param::optional("limit_price", Grammar::Decimal),
    Param::optional("trigger_price", Grammar::Decimal),
    Param::optional("post_only", Grammar::Bool),
    Param::optional("deadline", Grammar::Time),
];
/// Seconds until every order is cancelled; zero stops the countdown.
const TIMEOUT: &[Param] = &[Param::required("timeout", Grammar::Integer { min: 0, max: 86_400 })];
