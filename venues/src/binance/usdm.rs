//! Binance USD-M futures.

use super::{
    ANY_SYMBOL, FUTURES_HOST, MANAGE_URL, ORDER_NAMES, ORDER_REFERENCE, SECRETS, SELF_TRADE, SIDES, SPOT_HOST, SYMBOL,
    errors, key_id_ok, order, permissions, signing,
};
use crate::{
    grammar::Grammar,
    intent::{Intent, ReadError},
    meaning::Meaning,
    operation::{
        HostRole,
        Kind::{Cancel, CancelAll, Place},
        Method::{self, Delete, Get, Post},
        Operation, Param,
    },
    params::Call,
    permission::{Fault, KeyFacts},
    product::{Product, Products},
    secret::SecretRule,
    signing::{Draft, Signable},
    venue::{Venue, VenueId},
};

/// Binance USD-M futures; the keys are those of Binance spot, and so is the host that tells what they may do.
pub(crate) struct UsdM;

impl Venue for UsdM {
    fn catalogue(&self) -> &'static [Operation] {
        CATALOGUE
    }

    fn default_host(&self, role: HostRole) -> &'static str {
        match role {
            HostRole::Main => FUTURES_HOST,
            HostRole::Probe => SPOT_HOST,
        }
    }

    fn secrets(&self) -> &'static [SecretRule] {
        SECRETS
    }

    fn key_id_ok(&self, key_id: &str) -> bool {
        key_id_ok(key_id)
    }

    fn uses_nonce(&self) -> bool {
        false
    }

    fn signable(&self, draft: &Draft<'_>) -> Signable {
        signing::signable(draft)
    }

    fn read(&self, call: &Call<'_>) -> Result<Intent, ReadError> {
        order::read(call, Product::Derivatives)
    }

    fn permissions(&self, body: &[u8]) -> Option<KeyFacts> {
        permissions::permissions(body)
    }

    fn bundled(&self) -> Products {
        permissions::BUNDLED
    }

    fn advice(&self, fault: &Fault) -> String {
        permissions::advice(fault)
    }

    fn meaning(&self, status: u16, body: &[u8]) -> Meaning {
        errors::meaning(status, body)
    }

    fn guide(&self) -> &'static [&'static str] {
        GUIDE
    }

    fn manage_url(&self) -> &'static str {
        MANAGE_URL
    }
}

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

const FUTURES: Products = Products::DERIVATIVES;

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
    op("order.place", Post, "/fapi/v1/order").takes(ORDER).trade(Place, FUTURES),
    op("order.cancel", Delete, "/fapi/v1/order").takes(ORDER_REFERENCE).one_of(ORDER_NAMES).trade(Cancel, FUTURES),
    op("orders.cancel_all", Delete, "/fapi/v1/allOpenOrders").takes(SYMBOL).trade(CancelAll, FUTURES),
];
