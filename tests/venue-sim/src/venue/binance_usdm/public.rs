//! USD-M's public data, on a market that never moves.

use serde_json::{Value, json};

use super::{MONEY_PLACES, PRICE_PLACES, QUANTITY_PLACES};
use crate::market::{BINANCE, Symbol, fixed};
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call};

/// Answers a public operation.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Answer> {
    let one_or_all = |show: &dyn Fn(&Symbol) -> Value| protocol::one_or_all(call, show);
    let now_ms = call.received.at.ms();
    match call.path {
        "/fapi/v1/ping" => Ok(Answer::ok(&json!({}))),
        "/fapi/v1/time" => Ok(Answer::ok(&json!({ "serverTime": now_ms }))),
        "/fapi/v1/ticker/price" | "/fapi/v2/ticker/price" => one_or_all(&|symbol| {
            let price = fixed(symbol.price, PRICE_PLACES);
            json!({ "symbol": symbol.name, "price": price, "time": now_ms })
        }),
        "/fapi/v1/ticker/bookTicker" => one_or_all(&|symbol| protocol::book_ticker(symbol, PRICE_PLACES)),
        "/fapi/v1/ticker/24hr" => one_or_all(&|symbol| protocol::ticker_24h(symbol, now_ms, PRICE_PLACES)),
        "/fapi/v1/premiumIndex" => one_or_all(&|symbol| {
            let price = fixed(symbol.price, MONEY_PLACES);
            json!({
                "symbol": symbol.name,
                "markPrice": price, "indexPrice": price, "estimatedSettlePrice": price,
                "lastFundingRate": "0.00010000", "interestRate": "0.00010000",
                "nextFundingTime": now_ms.saturating_add(3_600_000), "time": now_ms,
            })
        }),
        "/fapi/v1/exchangeInfo" => Ok(exchange_info(now_ms)),
        "/fapi/v1/depth" | "/fapi/v1/rpiDepth" => protocol::depth(call, PRICE_PLACES),
        "/fapi/v1/trades" | "/fapi/v1/historicalTrades" => protocol::trades(call, PRICE_PLACES),
        "/fapi/v1/aggTrades" => protocol::aggregated_trades(call, PRICE_PLACES),
        path if path.to_ascii_lowercase().ends_with("klines") => protocol::candles(call, PRICE_PLACES),
        "/fapi/v1/openInterest" => {
            let symbol = protocol::symbol(&call.params)?.name;
            Ok(Answer::ok(&json!({ "symbol": symbol, "openInterest": "1000.000", "time": now_ms })))
        }
        "/fapi/v1/fundingRate" => one_or_all(&|symbol| {
            json!({ "symbol": symbol.name, "fundingRate": "0.00010000", "fundingTime": now_ms, "markPrice": fixed(symbol.price, MONEY_PLACES) })
        })
        .map(protocol::as_list),
        "/fapi/v1/fundingInfo" => one_or_all(&|symbol| {
            json!({
                "symbol": symbol.name, "adjustedFundingRateCap": "0.02", "adjustedFundingRateFloor": "-0.02",
                "fundingIntervalHours": 8, "disclaimer": false,
            })
        })
        .map(protocol::as_list),
        path if path.starts_with("/futures/data/") => Ok(Answer::ok(&json!([]))),
        _ => Ok(protocol::unmodelled()),
    }
}

fn exchange_info(now_ms: u64) -> Answer {
    let symbols: Vec<Value> = BINANCE
        .iter()
        .map(|symbol| {
            json!({
                "symbol": symbol.name, "pair": symbol.name, "contractType": "PERPETUAL",
                "status": "TRADING", "baseAsset": symbol.base, "quoteAsset": symbol.quote,
                "marginAsset": symbol.quote,
                "pricePrecision": PRICE_PLACES, "quantityPrecision": QUANTITY_PLACES,
                "orderTypes": ["LIMIT", "MARKET"], "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
                "filters": [
                    { "filterType": "PRICE_FILTER", "minPrice": "0.10", "maxPrice": "1000000", "tickSize": "0.10" },
                    { "filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001" },
                    { "filterType": "MIN_NOTIONAL", "notional": "5" },
                ],
            })
        })
        .collect();
    Answer::ok(&json!({
        "timezone": "UTC", "serverTime": now_ms, "exchangeFilters": [],
        "rateLimits": [
            { "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400 },
            { "rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200 },
        ],
        "symbols": symbols,
    }))
}
