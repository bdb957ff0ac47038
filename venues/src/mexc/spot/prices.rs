//! What MEXC spot tells of prices.
//!
//! Source: `mexcdevelop.github.io/apidocs/spot_v3_en`, *Symbol Order Book Ticker* (2026-11-21).

use serde::Deserialize;

use crate::{
    params::Params,
    price::{Figure, Pricing, Quotes, quote_of},
    product::Product,
};

pub(super) struct Prices;

impl Pricing for Prices {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        (product == Product::Spot).then(|| ("ticker.book", Params::from_iter([("symbol", symbol)])))
    }

    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        let ticker: Ticker = serde_json::from_slice(body).ok()?;
        (ticker.symbol == symbol).then(|| Quotes { bid: ticker.bid_price, ask: ticker.ask_price, ..Quotes::default() })
    }

    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        quote_of(symbol, QUOTES).filter(|_| product == Product::Spot)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    bid_price: Figure,
    ask_price: Figure,
}

/// None of these is the end of another.
const QUOTES: &[&str] = &["USDT", "USDC", "USD1", "BTC", "ETH", "EUR"];

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    #[test]
    fn the_book_is_asked_and_read() {
        let (operation, params) = ticker(VenueId::Mexc, "MXUSDT", Product::Spot).unwrap();
        assert_eq!((operation.path, params.get("symbol")), ("/api/v3/ticker/bookTicker", Some("MXUSDT")));
        assert!(ticker(VenueId::Mexc, "MXUSDT", Product::Derivatives).is_none());
        assert!(ticker(VenueId::Mexc, "MX/USDT", Product::Spot).is_none());

        let body = br#"{"symbol":"MXUSDT","bidPrice":"0.8","bidQty":"48","askPrice":"0.81","askQty":"99"}"#;
        let read =
            |symbol, status, body| read_ticker(VenueId::Mexc, symbol, status, body).map(|price| price.to_string());
        assert_eq!(read("MXUSDT", 200, body).as_deref(), Some("0.805"));
        assert_eq!(read("MXUSDC", 200, body), None);
        assert_eq!(read("MXUSDT", 400, br#"{"code":-1121,"msg":"Invalid symbol."}"#), None);
    }

    #[test]
    fn quotes_are_told_from_the_name() {
        let quoted = |symbol, product, asset| quoted_in(VenueId::Mexc, symbol, product, asset);
        assert!(quoted("MXUSDT", Product::Spot, "USDT") && quoted("ETHBTC", Product::Spot, "BTC"));
        assert!(!quoted("MXUSDT", Product::Derivatives, "USDT") && !quoted("MXUSDT", Product::Spot, "USD"));
    }
}
