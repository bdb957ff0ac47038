//! Kraken's catalogue. Every private call is a POST, so only the exact path tells a read from a withdrawal.

use crate::{
    grammar::Grammar,
    operation::{
        HostRole,
        Kind::{Cancel, CancelAll, Place},
        Method::{self, Get, Post},
        Operation, Param,
    },
    product::Products,
    venue::VenueId,
};

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Kraken, name, method, path)
}

pub(super) const CATALOGUE: &[Operation] = &[
    op("time", Get, "/0/public/Time").market(),
    op("ticker", Get, "/0/public/Ticker").takes(PAIR).market(),
    op("key.permissions", Post, "/0/private/GetApiKeyInfo").form().probe(HostRole::Main),
    op("account", Post, "/0/private/TradeBalance").form().takes(ASSET),
    op("balances", Post, "/0/private/Balance").form(),
    op("positions", Post, "/0/private/OpenPositions").form().takes(POSITIONS),
    op("orders.open", Post, "/0/private/OpenOrders").form().takes(OPEN_ORDERS),
    op("order.get", Post, "/0/private/QueryOrders").form().takes(ORDER_REFERENCE),
    op("order.place", Post, "/0/private/AddOrder").form().takes(ORDER).trade(Place, TRADED),
    op("order.cancel", Post, "/0/private/CancelOrder").form().takes(CANCEL).one_of(ORDER_NAMES).trade(Cancel, TRADED),
    op("orders.cancel_all", Post, "/0/private/CancelAll").form().trade(CancelAll, TRADED),
];

const TRADED: Products = Products::SPOT_AND_MARGIN;
const USER_REFERENCE: Grammar = Grammar::Integer { min: 0, max: 2_147_483_647 };

const PAIR: &[Param] = &[Param::required("pair", Grammar::Pair)];
const ASSET: &[Param] = &[Param::optional("asset", Grammar::Pair)];
const POSITIONS: &[Param] = &[Param::optional("docalcs", Grammar::Bool)];
const OPEN_ORDERS: &[Param] = &[
    Param::optional("trades", Grammar::Bool),
    Param::optional("userref", USER_REFERENCE),
    Param::optional("cl_ord_id", Grammar::ClientId),
];
const ORDER_REFERENCE: &[Param] =
    &[Param::required("txid", Grammar::OrderId), Param::optional("trades", Grammar::Bool)];

/// Either of these names an existing order. A `userref` would name many, and is refused as an order id.
const ORDER_NAMES: &[&str] = &["txid", "cl_ord_id"];
const CANCEL: &[Param] = &[Param::optional("txid", Grammar::OrderId), Param::optional("cl_ord_id", Grammar::ClientId)];

/// Prices relative to the market, conditional closes, timed orders and orders without market price protection are not
/// expressible: none of them can be read beforehand.
const ORDER: &[Param] = &[
    Param::required("pair", Grammar::Pair),
    Param::required("type", Grammar::OneOf(&["buy", "sell"])),
    Param::required(
        "ordertype",
        Grammar::OneOf(&["market", "limit", "stop-loss", "take-profit", "stop-loss-limit", "take-profit-limit"]),
    ),
    Param::required("volume", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("price2", Grammar::Decimal),
    Param::optional("leverage", Grammar::Integer { min: 1, max: 100 }),
    Param::optional("reduce_only", Grammar::Bool),
    Param::optional("trigger", Grammar::OneOf(&["last", "index"])),
    Param::optional("oflags", Grammar::ListOf(&["post", "fcib", "fciq", "viqc"])),
    Param::optional("timeinforce", Grammar::OneOf(&["GTC", "IOC", "FOK"])),
    Param::optional("stptype", Grammar::OneOf(&["cancel-newest", "cancel-oldest", "cancel-both"])),
    Param::optional("userref", USER_REFERENCE),
    Param::optional("cl_ord_id", Grammar::ClientId),
    Param::optional("validate", Grammar::Bool),
];
