//! What MEXC tells of the prices of its contracts.
//!
//! Source: `mexcdevelop.github.io/apidocs/contract_v1_en`, *Get contract ticker* (2026-11-21).

use serde::Deserialize;

use crate::{
    params::Params,
    price::{Figure, Pricing, Quotes},
    product::Product,
};

pub(super) struct Prices;

impl Pricing for Prices {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        (product == Product::Derivatives).then(|| ("ticker", Params::from_iter([("symbol", symbol)])))
    }

    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        let Answer { data } = serde_json::from_slice(body).ok()?;
        (data.symbol == symbol).then_some(Quotes {
            bid: data.bid1,
            ask: data.ask1,
            mark: data.fair_price,
            last: data.last_price,
        })
    }

    /// Contracts against `USD` are inverse, and what one is worth their names do not tell.
    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        let (base, quote) = symbol.split_once('_')?;
        let is_linear = product == Product::Derivatives && !base.is_empty() && matches!(quote, "USDT" | "USDC");
        is_linear.then_some(quote)
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Ticker,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    #[serde(default)]
    bid1: Figure,
    #[serde(default)]
    ask1: Figure,
    #[serde(default)]
    fair_price: Figure,
    #[serde(default)]
    last_price: Figure,
}

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    #[test]
    fn the_ticker_is_asked_and_read() {
        let (operation, params) = ticker(VenueId::MexcContract, "BTC_USDT", Product::Derivatives).unwrap();
        assert_eq!((operation.path, params.get("symbol")), ("/api/v1/contract/ticker", Some("BTC_USDT")));
        assert!(ticker(VenueId::MexcContract, "BTC_USDT", Product::Spot).is_none());
        assert!(ticker(VenueId::MexcContract, "BTC/USDT", Product::Derivatives).is_none());

        let body = br#"{"success":true,"code":0,"data":{"contractId":1,"symbol":"BTC_USDT","lastPrice":6865.5,"bid1":6865,"ask1":6866.5,"volume24":164586129,"amount24":113.1,"holdVol":34724,"lower24Price":6530,"high24Price":7120.4,"riseFallRate":0.0424,"riseFallValue":279.5,"indexPrice":6861.6,"fairPrice":6867.4,"fundingRate":0.0008,"maxBidPrice":7073.42,"minAskPrice":6661.37,"timestamp":1587442022003}}"#;
        let read =
            |symbol, body: &[u8]| read_ticker(VenueId::MexcContract, symbol, 200, body).map(|price| price.to_string());
        assert_eq!(read("BTC_USDT", body).as_deref(), Some("6865.75"));
        assert_eq!(read("ETH_USDT", body), None);
        let fair = br#"{"success":true,"code":0,"data":{"symbol":"BTC_USDT","lastPrice":6865.5,"fairPrice":6867.4}}"#;
        assert_eq!(read("BTC_USDT", fair).as_deref(), Some("6867.4"));
        let refused = br#"{"success":false,"code":1001,"message":"Contract does not exist","data":{"symbol":"BTC_USDT","lastPrice":1}}"#;
        assert_eq!(read("BTC_USDT", refused), None);
    }

    #[test]
    fn linear_contracts_are_quoted_in_their_stablecoin() {
        let quoted = |symbol, asset| quoted_in(VenueId::MexcContract, symbol, Product::Derivatives, asset);
        assert!(quoted("BTC_USDT", "USDT") && quoted("BTC_USDC", "USDC"));
        assert!(!quoted("BTC_USD", "USD") && !quoted("_USDT", "USDT") && !quoted("BTCUSDT", "USDT"));
    }
}
