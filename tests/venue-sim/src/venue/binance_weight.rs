//! What calls weigh at Binance, and what is said when too much was asked.
//!
//! Source: endpoint pages of the Spot and USD-M documentation, and their general remarks on limits. Stored copies,
//! read 2026-11.

use hyper::StatusCode;

use super::binance_protocol::error;
use crate::catalogue::Class;
use crate::limits::{Excess, Limit, Scope};
use crate::venue::{Answer, Call};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 86_400_000;
/// Refusals that may be ignored before a ban; the documentation gives no figure.
const PATIENCE: u32 = 20;
/// The shortest ban.
const BAN_MS: u64 = 120_000;

/// The wallet's budget, which every product family has beside its own.
pub(super) fn wallet() -> Limit {
    by_address(12_000).path("/sapi").headers(&["x-sapi-used-ip-weight-1m"])
}

/// Spot's budgets.
pub(super) fn spot() -> Vec<Limit> {
    vec![
        by_address(6_000).path("/api").headers(&["x-mbx-used-weight", "x-mbx-used-weight-1m"]),
        Limit::per(Scope::Orders, 10_000, 100).headers(&["x-mbx-order-count-10s"]),
        Limit::per(Scope::Orders, DAY_MS, 200_000).headers(&["x-mbx-order-count-1d"]),
        wallet(),
    ]
}

/// The budgets of USD-M futures.
pub(super) fn usdm() -> Vec<Limit> {
    vec![
        by_address(2_400).path("/fapi").headers(&["x-mbx-used-weight-1m"]),
        Limit::per(Scope::Orders, 10_000, 300).headers(&["x-mbx-order-count-10s"]),
        Limit::per(Scope::Orders, MINUTE_MS, 1_200).headers(&["x-mbx-order-count-1m"]),
        wallet(),
    ]
}

/// What a call takes from the budgets of a scope.
pub(super) fn cost(scope: Scope, call: &Call<'_>) -> u32 {
    match scope {
        Scope::Address => weight(call),
        Scope::Orders => orders(call),
        Scope::Key | Scope::Endpoint => 1,
    }
}

/// 429, and 418 for those who do not listen.
pub(super) fn over_limit(excess: Excess, call: &Call<'_>) -> Answer {
    let (status, code, msg) = match (excess.scope, excess.banned) {
        (_, true) => {
            let msg = format!("Way too much request weight used; IP({}) banned.", call.received.peer);
            (StatusCode::IM_A_TEAPOT, -1003, msg)
        }
        (Scope::Orders, false) => (StatusCode::TOO_MANY_REQUESTS, -1015, "Too many new orders.".to_owned()),
        (Scope::Address | Scope::Key | Scope::Endpoint, false) => {
            (StatusCode::TOO_MANY_REQUESTS, -1003, "Too much request weight used.".to_owned())
        }
    };
    error(status, code, &msg).with("retry-after", excess.retry_after_s())
}

fn by_address(max: u32) -> Limit {
    Limit::per(Scope::Address, MINUTE_MS, max).ban(PATIENCE, BAN_MS)
}

/// Calls that are not listed weigh one; a call without `symbol` often asks for all of them.
fn weight(call: &Call<'_>) -> u32 {
    let every_symbol = call.params.get("symbol").is_none();
    match call.endpoint() {
        ("GET", "/api/v3/openOrders" | "/api/v3/ticker/24hr") if every_symbol => 80,
        ("GET", "/fapi/v1/openOrders" | "/fapi/v1/ticker/24hr") if every_symbol => 40,
        ("GET", "/api/v3/account" | "/api/v3/allOrders" | "/api/v3/myTrades" | "/api/v3/exchangeInfo") => 20,
        ("GET", "/sapi/v1/capital/config/getall") => 10,
        ("GET", "/api/v3/openOrders") => 6,
        ("GET", path)
            if ["account", "balance", "positionRisk", "userTrades"].iter().any(|word| last(path) == *word) =>
        {
            5
        }
        ("POST", "/fapi/v1/batchOrders") => 5,
        ("GET", "/api/v3/order") => 4,
        ("GET", "/api/v3/ticker/price" | "/api/v3/ticker/bookTicker") => 2,
        // An order counts as an order.
        ("POST", "/fapi/v1/order") => 0,
        _ => 1,
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// How many orders a call places; a batch is not looked into and counts as five, the most it may hold.
fn orders(call: &Call<'_>) -> u32 {
    if call.operation.class != Class::Trade || call.received.method != hyper::Method::POST {
        return 0;
    }
    match call.path {
        "/api/v3/order"
        | "/api/v3/order/cancelReplace"
        | "/api/v3/sor/order"
        | "/fapi/v1/order"
        | "/fapi/v1/algoOrder" => 1,
        "/api/v3/order/oco" | "/api/v3/orderList/oco" | "/api/v3/orderList/oto" | "/api/v3/orderList/opo" => 2,
        "/api/v3/orderList/otoco" | "/api/v3/orderList/opoco" => 3,
        "/fapi/v1/batchOrders" => 5,
        _ => 0,
    }
}
