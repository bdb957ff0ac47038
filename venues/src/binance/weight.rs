//! What calls weigh at Binance.
//!
//! Sources: `rest-api.md` and the endpoint pages of the USD-M and wallet documentation (2026-07). Where a page of
//! results or a missing symbol makes a call heavier, the heavier figure counts for what was not said. Calls to the
//! wallet have a budget of their own and are counted here all the same.

use crate::{
    operation::Method::{self, Get, Post, Put},
    params::Call,
};

pub(super) fn weight(call: &Call<'_>) -> u32 {
    let operation = call.operation();
    let limit = call.get("limit").and_then(|limit| limit.parse().ok());
    match operation.path {
        "/api/v3/depth" => step(limit.or(Some(100)), &[(100, 5), (500, 25), (1_000, 50)], 250),
        "/fapi/v1/depth" => step(limit.or(Some(500)), &[(50, 2), (100, 5), (500, 10)], 20),
        path if path.starts_with("/fapi/") && path.ends_with("lines") => {
            step(limit.or(Some(500)), &[(99, 1), (499, 2), (1_000, 5)], 10)
        }
        "/api/v3/ticker/24hr" => step(symbols(call), &[(20, 2), (100, 40)], 80),
        "/api/v3/ticker/tradingDay" | "/api/v3/ticker" => {
            symbols(call).map_or(200, |count| count.saturating_mul(4).min(200))
        }
        path => {
            let listed = |weighed: &&Weight| weighed.method == operation.method && weighed.path == path;
            let Some(weight) = WEIGHTS.iter().find(listed) else { return 1 };
            if symbols(call) == Some(1) { weight.one_symbol } else { weight.otherwise }
        }
    }
}

struct Weight {
    method: Method,
    path: &'static str,
    one_symbol: u32,
    otherwise: u32,
}

const fn fixed(method: Method, path: &'static str, weight: u32) -> Weight {
    Weight { method, path, one_symbol: weight, otherwise: weight }
}

const fn by_symbol(path: &'static str, one_symbol: u32, otherwise: u32) -> Weight {
    Weight { method: Get, path, one_symbol, otherwise }
}

/// Calls that are not listed weigh one.
const WEIGHTS: &[Weight] = &[
    fixed(Get, "/api/v3/trades", 25),
    fixed(Get, "/api/v3/historicalBlockTrades", 25),
    fixed(Get, "/api/v3/aggTrades", 4),
    fixed(Get, "/api/v3/exchangeInfo", 20),
    fixed(Get, "/api/v3/executionRules", 40),
    fixed(Get, "/api/v3/klines", 2),
    fixed(Get, "/api/v3/uiKlines", 2),
    fixed(Get, "/api/v3/avgPrice", 2),
    fixed(Get, "/api/v3/referencePrice", 2),
    fixed(Get, "/api/v3/referencePrice/calculation", 2),
    by_symbol("/api/v3/ticker/price", 2, 4),
    by_symbol("/api/v3/ticker/bookTicker", 2, 4),
    by_symbol("/api/v3/openOrders", 6, 80),
    fixed(Get, "/api/v3/account", 20),
    fixed(Get, "/api/v3/account/commission", 20),
    fixed(Get, "/api/v3/allOrders", 20),
    fixed(Get, "/api/v3/allOrderList", 20),
    fixed(Get, "/api/v3/myTrades", 20),
    fixed(Get, "/api/v3/myPreventedMatches", 20),
    fixed(Get, "/api/v3/myAllocations", 20),
    fixed(Get, "/api/v3/myFilters", 40),
    fixed(Get, "/api/v3/rateLimit/order", 40),
    fixed(Get, "/api/v3/openOrderList", 6),
    fixed(Get, "/api/v3/order", 4),
    fixed(Get, "/api/v3/orderList", 4),
    fixed(Get, "/api/v3/order/amendments", 4),
    fixed(Post, "/api/v3/order/test", 20),
    fixed(Post, "/api/v3/sor/order/test", 20),
    fixed(Put, "/api/v3/order/amend/keepPriority", 4),
    fixed(Get, "/sapi/v1/capital/config/getall", 10),
    fixed(Get, "/sapi/v1/margin/isolated/allPairs", 10),
    fixed(Get, "/sapi/v1/capital/withdraw/history", 18),
    fixed(Post, "/sapi/v3/asset/getUserAsset", 5),
    fixed(Get, "/fapi/v1/rpiDepth", 20),
    fixed(Get, "/fapi/v1/aggTrades", 20),
    fixed(Get, "/fapi/v1/commissionRate", 20),
    fixed(Get, "/fapi/v1/trades", 5),
    fixed(Get, "/fapi/v1/tradingSchedule", 5),
    fixed(Get, "/fapi/v1/constituents", 2),
    by_symbol("/fapi/v1/ticker/24hr", 1, 40),
    by_symbol("/fapi/v1/ticker/price", 1, 2),
    by_symbol("/fapi/v2/ticker/price", 1, 2),
    by_symbol("/fapi/v1/ticker/bookTicker", 2, 5),
    by_symbol("/fapi/v1/premiumIndex", 1, 10),
    by_symbol("/fapi/v1/apiTradingStatus", 1, 10),
    by_symbol("/fapi/v1/openOrders", 1, 40),
    by_symbol("/fapi/v1/openAlgoOrders", 1, 40),
    by_symbol("/fapi/v1/forceOrders", 20, 50),
    fixed(Get, "/fapi/v1/income", 30),
    fixed(Get, "/fapi/v1/positionSide/dual", 30),
    fixed(Get, "/fapi/v1/multiAssetsMargin", 30),
    fixed(Get, "/fapi/v1/allOrders", 5),
    fixed(Get, "/fapi/v1/allAlgoOrders", 5),
    fixed(Get, "/fapi/v1/userTrades", 5),
    fixed(Get, "/fapi/v1/accountConfig", 5),
    fixed(Get, "/fapi/v1/symbolConfig", 5),
    fixed(Get, "/fapi/v1/adlQuantile", 5),
    fixed(Get, "/fapi/v2/account", 5),
    fixed(Get, "/fapi/v3/account", 5),
    fixed(Get, "/fapi/v2/balance", 5),
    fixed(Get, "/fapi/v3/balance", 5),
    fixed(Get, "/fapi/v2/positionRisk", 5),
    fixed(Get, "/fapi/v3/positionRisk", 5),
    fixed(Post, "/fapi/v1/batchOrders", 5),
    fixed(Put, "/fapi/v1/batchOrders", 5),
    fixed(Post, "/fapi/v1/countdownCancelAll", 10),
];

/// The weight of the first step that `count` does not exceed; the most if it exceeds all, or is not known.
fn step(count: Option<u32>, steps: &[(u32, u32)], most: u32) -> u32 {
    steps.iter().find(|(up_to, _)| count.is_some_and(|count| count <= *up_to)).map_or(most, |(_, weight)| *weight)
}

/// How many symbols a call is about; `None` for all of them.
fn symbols(call: &Call<'_>) -> Option<u32> {
    let several = u32::try_from(call.items("symbols").len()).ok().filter(|n| *n > 0);
    several.or_else(|| call.get("symbol").map(|_| 1))
}

#[cfg(test)]
mod tests {
    use crate::{Params, VenueId, check, operation, weight};

    #[test]
    fn what_is_not_said_is_heavier() {
        let (spot, usdm) = (VenueId::Binance, VenueId::BinanceUsdm);
        for (venue, name, pairs, expected) in [
            (spot, "ticker.24h", [].as_slice(), 80),
            (spot, "ticker.24h", &[("symbol", "BTCUSDT")], 2),
            (spot, "ticker.24h", &[("symbols", r#"["BTCUSDT","ETHUSDT"]"#)], 2),
            (spot, "ticker.day", &[("symbols", r#"["BTCUSDT","ETHUSDT"]"#)], 8),
            (spot, "ticker", &[], 4),
            (spot, "orders.open", &[], 80),
            (spot, "orders.open", &[("symbol", "BTCUSDT")], 6),
            (spot, "order_book", &[("symbol", "BTCUSDT")], 5),
            (spot, "order_book", &[("symbol", "BTCUSDT"), ("limit", "5000")], 250),
            (spot, "account", &[], 20),
            (usdm, "orders.open", &[], 40),
            (usdm, "account", &[], 5),
            (usdm, "account.v2", &[], 5),
            (usdm, "candles", &[("symbol", "BTCUSDT"), ("interval", "1m")], 5),
            (usdm, "candles", &[("symbol", "BTCUSDT"), ("interval", "1m"), ("limit", "1500")], 10),
            (usdm, "orders.cancel_all", &[("symbol", "BTCUSDT")], 1),
        ] {
            let params: Params = pairs.iter().copied().collect();
            assert_eq!(weight(&check(operation(venue, name).unwrap(), &params).unwrap()), expected, "{venue} {name}");
        }
    }
}
