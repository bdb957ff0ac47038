//! Binance spot.

use super::{ANY_SYMBOL, Market, ORDER_ID, ORDER_NAMES, ORDER_REFERENCE, SELF_TRADE, SIDES, SYMBOL};
use crate::{
    budget::{Budget, Counts, Per},
    grammar::Grammar,
    operation::{
        HostRole,
        Kind::{Cancel, CancelAll, Place},
        Method::{self, Delete, Get, Post},
        Operation, Param,
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

/// Conditional and iceberg orders are included; margin side effects, pegs and order lists are not.
const ORDER: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required(
        "type",
        Grammar::OneOf(&[
            "LIMIT",
            "MARKET",
            "LIMIT_MAKER",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ]),
    ),
    Param::optional("timeInForce", Grammar::OneOf(&["GTC", "IOC", "FOK"])),
    Param::optional("quantity", Grammar::Decimal),
    Param::optional("quoteOrderQty", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("stopPrice", Grammar::Decimal),
    Param::optional("icebergQty", Grammar::Decimal),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("newOrderRespType", Grammar::OneOf(&["ACK", "RESULT", "FULL"])),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

/// A cancelled order may be given a new name.
const CANCEL: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::optional("orderId", ORDER_ID),
    Param::optional("origClientOrderId", Grammar::ClientId),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("cancelRestrictions", Grammar::OneOf(&["ONLY_NEW", "ONLY_PARTIALLY_FILLED"])),
];

const ACCOUNT: &[Param] = &[Param::optional("omitZeroBalances", Grammar::Bool)];

const TRADED: Products = Products::SPOT;
const QUANTITIES: &[&str] = &["quantity", "quoteOrderQty"];

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::Binance, name, method, path)
}

const CATALOGUE: &[Operation] = &[
    op("time", Get, "/api/v3/time").market(),
    op("ticker", Get, "/api/v3/ticker/price").takes(SYMBOL).market(),
    op("key.permissions", Get, "/sapi/v1/account/apiRestrictions").probe(HostRole::Main),
    op("account", Get, "/api/v3/account").takes(ACCOUNT),
    op("orders.open", Get, "/api/v3/openOrders").takes(ANY_SYMBOL),
    op("order.get", Get, "/api/v3/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES),
    op("order.place", Post, "/api/v3/order").takes(ORDER).one_of(QUANTITIES).trade(Place, TRADED),
    op("order.cancel", Delete, "/api/v3/order").takes(CANCEL).one_of(ORDER_NAMES).trade(Cancel, TRADED),
    op("orders.cancel_all", Delete, "/api/v3/openOrders").takes(SYMBOL).trade(CancelAll, TRADED),
];
