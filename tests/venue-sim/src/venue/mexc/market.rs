//! MEXC's public spot data at prices that stand still.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Mistake, missing, unmodelled};
use crate::market::{self, Symbol, fixed, symbol};
use crate::params::Params;
use crate::venue::{Answer, Call};

/// What is traded.
pub(super) const SYMBOLS: &[Symbol] = &[
    symbol("BTCUSDT", &[], "BTC", "USDT", 6_500_000, 2),
    symbol("ETHUSDT", &[], "ETH", "USDT", 320_000, 2),
    symbol("SOLUSDT", &[], "SOL", "USDT", 15_000, 2),
];

const PRICE_PLACES: u32 = 2;

/// Answers a public call.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Mistake> {
    let now_ms = call.received.at.ms();
    let one_or_all = |show: &dyn Fn(&Symbol) -> Value| match filter(&call.params)? {
        Some(symbol) => Ok(Answer::ok(&show(&call.shown(symbol)))),
        None => Ok(Answer::ok(&SYMBOLS.iter().map(|symbol| show(&call.shown(symbol))).collect::<Vec<_>>())),
    };
    match call.path {
        "/api/v3/ping" => Ok(Answer::ok(&json!({}))),
        "/api/v3/time" => Ok(Answer::ok(&json!({ "serverTime": now_ms }))),
        "/api/v3/defaultSymbols" => {
            let names: Vec<&str> = SYMBOLS.iter().map(|symbol| symbol.name).collect();
            Ok(Answer::ok(&json!({ "code": 0, "data": names, "msg": null })))
        }
        "/api/v3/exchangeInfo" => {
            let wanted = filter(&call.params)?;
            let shown = SYMBOLS.iter().filter(|symbol| wanted.is_none_or(|wanted| wanted.name == symbol.name));
            let symbols: Vec<Value> = shown.map(instrument).collect();
            Ok(Answer::ok(&json!({
                "timezone": "CST", "serverTime": now_ms, "rateLimits": [], "exchangeFilters": [], "symbols": symbols,
            })))
        }
        "/api/v3/depth" => {
            let level = [fixed(call.shown(find(&call.params)?).price, PRICE_PLACES), "10.000000".to_owned()];
            Ok(Answer::ok(&json!({ "lastUpdateId": 1, "bids": [level], "asks": [level], "timestamp": now_ms })))
        }
        "/api/v3/ticker/price" => {
            one_or_all(&|symbol| json!({ "symbol": symbol.name, "price": fixed(symbol.price, PRICE_PLACES) }))
        }
        "/api/v3/ticker/bookTicker" => one_or_all(&|symbol| {
            let price = fixed(symbol.price, PRICE_PLACES);
            json!({
                "symbol": symbol.name, "bidPrice": price, "bidQty": "10.000000",
                "askPrice": price, "askQty": "10.000000",
            })
        }),
        "/api/v3/ticker/24hr" => one_or_all(&|symbol| day(symbol, now_ms)),
        _ => Ok(unmodelled()),
    }
}

/// The mandatory `symbol`.
pub(super) fn find(params: &Params<'_>) -> Result<&'static Symbol, Mistake> {
    named(params.get("symbol").ok_or_else(|| missing("symbol"))?)
}

/// The symbol that goes by `name`.
pub(super) fn named(name: &str) -> Result<&'static Symbol, Mistake> {
    market::find(SYMBOLS, name).ok_or_else(|| Mistake::new(-1121, "Invalid symbol."))
}

/// The optional `symbol`.
fn filter(params: &Params<'_>) -> Result<Option<&'static Symbol>, Mistake> {
    params.get("symbol").map(named).transpose()
}

fn instrument(symbol: &Symbol) -> Value {
    json!({
        "symbol": symbol.name, "status": "1",
        "baseAsset": symbol.base, "baseAssetPrecision": 6,
        "quoteAsset": symbol.quote, "quotePrecision": PRICE_PLACES, "quoteAssetPrecision": PRICE_PLACES,
        "baseCommissionPrecision": 6, "quoteCommissionPrecision": PRICE_PLACES,
        "orderTypes": ["LIMIT", "MARKET", "LIMIT_MAKER"],
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "quoteAmountPrecision": "1", "baseSizePrecision": "0.000001", "permissions": ["SPOT"], "filters": [],
        "maxQuoteAmount": "4000000", "makerCommission": "0", "takerCommission": "0.0005",
        "quoteAmountPrecisionMarket": "1", "maxQuoteAmountMarket": "4000000",
        "fullName": symbol.base, "tradeSideType": 1, "st": false,
    })
}

fn day(symbol: &Symbol, now_ms: u64) -> Value {
    let price = fixed(symbol.price, PRICE_PLACES);
    json!({
        "symbol": symbol.name, "priceChange": "0", "priceChangePercent": "0", "prevClosePrice": price,
        "lastPrice": price, "bidPrice": price, "bidQty": "10", "askPrice": price, "askQty": "10",
        "openPrice": price, "highPrice": price, "lowPrice": price, "volume": "1000",
        "quoteVolume": fixed(symbol.price.saturating_mul(Decimal::ONE_THOUSAND), PRICE_PLACES),
        "openTime": now_ms.saturating_sub(86_400_000), "closeTime": now_ms, "count": null,
    })
}
