//! What OKX tells of prices.
//!
//! Source: `www.okx.com/docs-v5`, *Get ticker* (2026-11-21).

use serde::Deserialize;

use super::order::{Shape, shape};
use crate::{
    params::Params,
    price::{Figure, Pricing, Quotes, Unit},
    product::Product,
};

pub(super) struct Prices;

impl Pricing for Prices {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        let is_contract = shape(symbol)?.is_contract;
        (is_contract == (product == Product::Derivatives)).then(|| ("ticker", Params::from_iter([("instId", symbol)])))
    }

    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        let Answer { data: [ticker] } = serde_json::from_slice(body).ok()?;
        (ticker.inst_id == symbol).then(|| Quotes {
            bid: ticker.bid_px,
            ask: ticker.ask_px,
            last: ticker.last,
            ..Quotes::default()
        })
    }

    /// Contracts against `USD` are inverse, and what one is worth their names do not tell.
    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        let Shape { is_contract, quote } = shape(symbol)?;
        let is_linear = !is_contract || matches!(quote, "USDT" | "USDC");
        (is_linear && is_contract == (product == Product::Derivatives)).then_some(quote)
    }

    /// A market order for a pair may count the quote currency; the size of a contract stands in no order.
    fn unit(&self, symbol: &str, _product: Option<Product>) -> Option<Unit> {
        (!shape(symbol)?.is_contract).then_some(Unit::Either)
    }
}

#[derive(Deserialize)]
struct Answer {
    data: [Ticker; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    inst_id: String,
    #[serde(default)]
    bid_px: Figure,
    #[serde(default)]
    ask_px: Figure,
    #[serde(default)]
    last: Figure,
}

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    #[test]
    fn pairs_and_contracts_are_asked_for_as_what_they_are() {
        for (symbol, product) in [
            ("BTC-USDT", Product::Spot),
            ("BTC-USDT", Product::Margin),
            ("BTC-USDT-SWAP", Product::Derivatives),
            ("BTC-USD-260626", Product::Derivatives),
        ] {
            let (operation, params) = ticker(VenueId::Okx, symbol, product).unwrap();
            assert_eq!((operation.path, params.get("instId")), ("/api/v5/market/ticker", Some(symbol)));
        }
        for (symbol, product) in [
            ("BTC-USDT", Product::Derivatives),
            ("BTC-USDT-SWAP", Product::Spot),
            ("BTC-USD-260626-50000-C", Product::Derivatives),
            ("BTCUSDT", Product::Spot),
            ("BTC-USDT&a=b", Product::Spot),
        ] {
            assert!(ticker(VenueId::Okx, symbol, product).is_none(), "{symbol}");
        }
    }

    #[test]
    fn the_documented_answer_reads() {
        let body = br#"{"code":"0","msg":"","data":[{"instType":"SWAP","instId":"LTC-USD-SWAP","last":"9999.99","lastSz":"1","askPx":"9999.99","askSz":"11","bidPx":"8888.88","bidSz":"5","open24h":"9000","high24h":"10000","low24h":"8888.88","volCcy24h":"2222","vol24h":"2222","sodUtc0":"0.1","sodUtc8":"0.1","ts":"1597026383085"}]}"#;
        let read = |symbol, body: &[u8]| read_ticker(VenueId::Okx, symbol, 200, body).map(|price| price.to_string());
        // Bid and offer are too far from each other.
        assert_eq!(read("LTC-USD-SWAP", body).as_deref(), Some("9999.99"));
        assert_eq!(read("LTC-USDT-SWAP", body), None);
        let close = br#"{"code":"0","data":[{"instId":"A-B","last":"7","askPx":"10.1","bidPx":"10"}]}"#;
        assert_eq!(read("A-B", close).as_deref(), Some("10.05"));
        let one_sided = br#"{"code":"0","data":[{"instId":"A-B","last":"7","askPx":"10.1","bidPx":""}]}"#;
        assert_eq!(read("A-B", one_sided).as_deref(), Some("7"));
        let refused = br#"{"code":"51001","msg":"Instrument ID does not exist","data":[]}"#;
        assert_eq!(read("A-B", refused), None);
    }

    #[test]
    fn quotes_are_told_from_the_name() {
        let quoted = |symbol, product, asset| quoted_in(VenueId::Okx, symbol, product, asset);
        assert!(quoted("BTC-USDT", Product::Spot, "USDT") && quoted("BTC-USD", Product::Margin, "USD"));
        assert!(quoted("BTC-USDT-SWAP", Product::Derivatives, "USDT"));
        assert!(quoted("BTC-USDC-260626", Product::Derivatives, "USDC"));
        for (symbol, product, asset) in [
            ("BTC-USD-SWAP", Product::Derivatives, "USD"),
            ("BTC-USDT-SWAP", Product::Spot, "USDT"),
            ("BTC-USDT", Product::Spot, "USD"),
            ("BTC-USDT", Product::Derivatives, "USDT"),
            ("BTC-USD-260626-50000-C", Product::Derivatives, "USD"),
        ] {
            assert!(!quoted(symbol, product, asset), "{symbol}");
        }
    }
}
