//! Bybit's public data: two instruments, spot and linear, at the prices shown.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{Category, Mistake, ok, unmodelled};
use crate::market::{Symbol, symbol};
use crate::venue::{Answer, Call};

/// What is traded, both on spot and as linear perpetual.
pub(super) const SYMBOLS: &[Symbol] = &[
    symbol("BTCUSDT", &[], "BTC", "USDT", 650_000, 1),
    symbol("ETHUSDT", &[], "ETH", "USDT", 320_000, 2),
    symbol("SOLUSDT", &[], "SOL", "USDT", 15_000, 2),
];

/// Answers a public call.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Mistake> {
    let now = call.received.at;
    match call.path {
        "/v5/market/time" => {
            Ok(ok(call, json!({ "timeSecond": now.secs().to_string(), "timeNano": now.ns().to_string() })))
        }
        "/v5/market/instruments-info" => list(call, instrument),
        "/v5/market/tickers" => list(call, |symbol, _| ticker(symbol)),
        "/v5/market/orderbook" => {
            let symbol = call.shown(Category::of(&call.params)?.symbol(call.params.get("symbol"))?);
            let level = [symbol.price.to_string(), "10".to_owned()];
            Ok(ok(
                call,
                json!({
                    "s": symbol.name, "b": [level], "a": [level],
                    "ts": now.ms(), "u": 1, "seq": 1, "cts": now.ms(),
                }),
            ))
        }
        _ => Ok(unmodelled(call)),
    }
}

fn list(call: &Call<'_>, show: impl Fn(&Symbol, Category) -> Value) -> Result<Answer, Mistake> {
    let params = &call.params;
    let category = Category::of(params)?;
    let wanted = params.get("symbol").map(|name| category.symbol(Some(name))).transpose()?;
    // Contracts before their launch are asked for apart, and there are none.
    let listed = params.get("status").is_none_or(|status| status == "Trading");
    let shown: Vec<Value> = category
        .symbols()
        .iter()
        .filter(|symbol| listed && wanted.is_none_or(|wanted| wanted.name == symbol.name))
        .map(|symbol| show(&call.shown(symbol), category))
        .collect();
    Ok(ok(call, json!({ "category": category.word(), "list": shown, "nextPageCursor": "" })))
}

fn instrument(symbol: &Symbol, category: Category) -> Value {
    if category == Category::Spot {
        return json!({
            "symbol": symbol.name, "baseCoin": symbol.base, "quoteCoin": symbol.quote,
            "innovation": "0", "status": "Trading", "marginTrading": "utaOnly", "stTag": "0",
            "lotSizeFilter": {
                "basePrecision": "0.000001", "quotePrecision": "0.0000001",
                "minOrderQty": "0.000011", "maxOrderQty": "83", "minOrderAmt": "5", "maxOrderAmt": "8000000",
                "maxLimitOrderQty": "83", "maxMarketOrderQty": "41.5",
            },
            "priceFilter": { "tickSize": "0.01" },
            "riskParameters": { "priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02" },
        });
    }
    json!({
        "symbol": symbol.name, "contractType": "LinearPerpetual", "status": "Trading",
        "baseCoin": symbol.base, "quoteCoin": symbol.quote, "settleCoin": symbol.quote,
        "launchTime": "1584230400000", "deliveryTime": "0", "deliveryFeeRate": "", "priceScale": "2",
        "leverageFilter": { "minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01" },
        "priceFilter": { "minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10" },
        "lotSizeFilter": {
            "maxOrderQty": "1190.000", "minOrderQty": "0.001", "qtyStep": "0.001",
            "postOnlyMaxOrderQty": "1190.000", "maxMktOrderQty": "500.000", "minNotionalValue": "5",
        },
        "unifiedMarginTrade": true, "fundingInterval": 480, "copyTrading": "both",
        "upperFundingRate": "0.00375", "lowerFundingRate": "-0.00375", "isPreListing": false,
    })
}

fn ticker(symbol: &Symbol) -> Value {
    let price = symbol.price.to_string();
    let turnover = symbol.price.saturating_mul(Decimal::ONE_THOUSAND).to_string();
    json!({
        "symbol": symbol.name,
        "bid1Price": price, "bid1Size": "10", "ask1Price": price, "ask1Size": "10",
        "lastPrice": price, "prevPrice24h": price, "price24hPcnt": "0",
        "highPrice24h": price, "lowPrice24h": price, "markPrice": price, "indexPrice": price,
        "turnover24h": turnover, "volume24h": "1000", "usdIndexPrice": price,
    })
}
