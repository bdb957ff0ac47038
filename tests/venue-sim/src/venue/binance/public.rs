//! Spot's public data, on a market that never moves.

use serde_json::{Value, json};

use super::{ORDER_TYPES, PLACES};
use crate::market::{BINANCE, fixed};
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call};

/// Answers a public operation.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Answer> {
    Ok(match call.path {
        "/api/v3/ping" => Answer::ok(&json!({})),
        "/api/v3/time" => Answer::ok(&json!({ "serverTime": call.received.at.ms() })),
        "/api/v3/ticker/price" => {
            protocol::one_or_all(call, |symbol| json!({ "symbol": symbol.name, "price": fixed(symbol.price, PLACES) }))?
        }
        "/api/v3/ticker/bookTicker" => protocol::one_or_all(call, |symbol| protocol::book_ticker(symbol, PLACES))?,
        "/api/v3/ticker/24hr" | "/api/v3/ticker" | "/api/v3/ticker/tradingDay" => {
            protocol::one_or_all(call, |symbol| protocol::ticker_24h(symbol, call.received.at.ms(), PLACES))?
        }
        "/api/v3/exchangeInfo" => exchange_info(call),
        "/api/v3/depth" => protocol::depth(call, PLACES)?,
        "/api/v3/trades" | "/api/v3/historicalTrades" => protocol::trades(call, PLACES)?,
        "/api/v3/aggTrades" => protocol::aggregated_trades(call, PLACES)?,
        "/api/v3/klines" | "/api/v3/uiKlines" => protocol::candles(call, PLACES)?,
        "/api/v3/avgPrice" => {
            let price = fixed(call.shown(protocol::symbol(&call.params)?).price, PLACES);
            Answer::ok(&json!({ "mins": 5, "price": price, "closeTime": call.received.at.ms() }))
        }
        "/sapi/v1/system/status" => Answer::ok(&json!({ "status": 0, "msg": "normal" })),
        "/sapi/v1/margin/allPairs" | "/sapi/v1/margin/isolated/allPairs" => margin_pairs(),
        _ => protocol::unmodelled(),
    })
}

fn exchange_info(call: &Call<'_>) -> Answer {
    let symbols: Vec<Value> = BINANCE
        .iter()
        .map(|symbol| {
            json!({
                "symbol": symbol.name, "status": "TRADING",
                "baseAsset": symbol.base, "baseAssetPrecision": PLACES,
                "quoteAsset": symbol.quote, "quotePrecision": PLACES, "quoteAssetPrecision": PLACES,
                "orderTypes": ORDER_TYPES.iter().map(|known| known.name).collect::<Vec<_>>(),
                "icebergAllowed": true, "ocoAllowed": true, "quoteOrderQtyMarketAllowed": true,
                "isSpotTradingAllowed": true, "isMarginTradingAllowed": true,
                "filters": [
                    { "filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000" },
                    { "filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000" },
                ],
                "permissions": ["SPOT", "MARGIN"], "permissionSets": [["SPOT", "MARGIN"]],
            })
        })
        .collect();
    Answer::ok(&json!({
        "timezone": "UTC",
        "serverTime": call.received.at.ms(),
        "rateLimits": [
            { "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000 },
            { "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100 },
        ],
        "exchangeFilters": [],
        "symbols": symbols,
    }))
}

fn margin_pairs() -> Answer {
    let pair = |symbol: &crate::market::Symbol| {
        json!({
            "id": symbol.name, "symbol": symbol.name, "base": symbol.base, "quote": symbol.quote,
            "isMarginTrade": true, "isBuyAllowed": true, "isSellAllowed": true,
        })
    };
    Answer::ok(&BINANCE.iter().map(pair).collect::<Vec<_>>())
}
