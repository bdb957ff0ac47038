//! Binance USD-M futures.

use super::{ANY_SYMBOL, Market, ORDER_NAMES, ORDER_REFERENCE, SELF_TRADE, SIDES, SYMBOL};
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

/// Conditional orders have moved to `/fapi/v1/algoOrder`; a price matched to the book cannot be read, nor can closing a
/// whole position without a quantity.
const ORDER: &[Param] = &[
    Param::required("symbol", Grammar::Symbol),
    Param::required("side", SIDES),
    Param::required("type", Grammar::OneOf(&["LIMIT", "MARKET"])),
    Param::optional("positionSide", Grammar::OneOf(&["BOTH", "LONG", "SHORT"])),
    Param::optional("timeInForce", Grammar::OneOf(&["GTC", "IOC", "FOK", "GTX"])),
    Param::required("quantity", Grammar::Decimal),
    Param::optional("price", Grammar::Decimal),
    Param::optional("reduceOnly", Grammar::Bool),
    Param::optional("newClientOrderId", Grammar::ClientId),
    Param::optional("newOrderRespType", Grammar::OneOf(&["ACK", "RESULT"])),
    Param::optional("selfTradePreventionMode", SELF_TRADE),
];

const TRADED: Products = Products::DERIVATIVES;

const fn op(name: &'static str, method: Method, path: &'static str) -> Operation {
    Operation::read(VenueId::BinanceUsdm, name, method, path)
}

const CATALOGUE: &[Operation] = &[
    op("time", Get, "/fapi/v1/time").market(),
    op("ticker", Get, "/fapi/v1/ticker/price").takes(SYMBOL).market(),
    op("key.permissions", Get, "/sapi/v1/account/apiRestrictions").probe(HostRole::Probe),
    op("account", Get, "/fapi/v3/account"),
    op("balances", Get, "/fapi/v3/balance"),
    op("positions", Get, "/fapi/v3/positionRisk").takes(ANY_SYMBOL),
    op("orders.open", Get, "/fapi/v1/openOrders").takes(ANY_SYMBOL),
    op("order.get", Get, "/fapi/v1/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES),
    op("order.place", Post, "/fapi/v1/order").takes(ORDER).trade(Place, TRADED),
    op("order.cancel", Delete, "/fapi/v1/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES).trade(Cancel, TRADED),
    op("orders.cancel_all", Delete, "/fapi/v1/allOpenOrders").takes(SYMBOL).trade(CancelAll, TRADED),
];
