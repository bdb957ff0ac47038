//! What Kraken Futures tells of prices.
//!
//! Source: `docs.kraken.com`, Futures REST, *Get ticker by symbol* (2026-11-21).

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
        let Answer { ticker } = serde_json::from_slice(body).ok()?;
        (ticker.symbol == symbol).then_some(Quotes {
            bid: ticker.bid,
            ask: ticker.ask,
            mark: ticker.mark_price,
            last: ticker.last,
        })
    }

    /// Linear (`PF_`, `FF_`) and inverse contracts (`PI_`, `FI_`) are named after their pair: an order for the first
    /// counts the base, one for the second dollars. What others count only Kraken knows.
    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        let mut parts = symbol.split('_');
        let (kind, pair) = (parts.next()?, parts.next()?);
        let is_known = product == Product::Derivatives && matches!(kind, "PF" | "FF" | "PI" | "FI");
        (is_known && pair.len() > "USD".len() && pair.ends_with("USD")).then_some("USD")
    }
}

#[derive(Deserialize)]
struct Answer {
    ticker: Ticker,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    #[serde(default)]
    bid: Figure,
    #[serde(default)]
    ask: Figure,
    #[serde(default)]
    mark_price: Figure,
    #[serde(default)]
    last: Figure,
}

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    #[test]
    fn the_contract_stands_in_the_path() {
        let (operation, params) = ticker(VenueId::KrakenFutures, "PF_XBTUSD", Product::Derivatives).unwrap();
        assert_eq!(operation.path, "/derivatives/api/v3/tickers/{symbol}");
        assert_eq!(params.get("symbol"), Some("PF_XBTUSD"));
        for hostile in ["", "PF_XBTUSD/..", "pf_xbtusd", "PF XBT"] {
            assert!(ticker(VenueId::KrakenFutures, hostile, Product::Derivatives).is_none(), "{hostile}");
        }
        assert!(ticker(VenueId::KrakenFutures, "PF_XBTUSD", Product::Spot).is_none());
    }

    #[test]
    fn the_documented_answer_reads() {
        let body = br#"{"result":"success","ticker":{"symbol":"PF_XBTUSD","last":41975,"lastSize":0.0066,"lastTime":"2022-06-17T11:00:31.335Z","tag":"perpetual","pair":"XBT:USD","markPrice":41974.5,"bid":41974,"bidSize":0.5,"ask":41975,"askSize":1.2,"vol24h":2512.9,"volumeQuote":105000000.1,"openInterest":1200.5,"open24h":49289,"high24h":49300,"low24h":41500,"fundingRate":1.2e-7,"suspended":false,"indexPrice":41970.1,"postOnly":false,"change24h":1.5},"serverTime":"2022-06-17T11:00:31.335Z"}"#;
        let read =
            |symbol, body: &[u8]| read_ticker(VenueId::KrakenFutures, symbol, 200, body).map(|price| price.to_string());
        assert_eq!(read("PF_XBTUSD", body).as_deref(), Some("41974.5"));
        assert_eq!(read("PI_XBTUSD", body), None);
        let no_book = br#"{"result":"success","ticker":{"symbol":"PF_XBTUSD","last":41975,"markPrice":41974.25,"bid":null,"ask":41975}}"#;
        assert_eq!(read("PF_XBTUSD", no_book).as_deref(), Some("41974.25"));
        let refused = br#"{"result":"error","error":"contractNotFound","ticker":{"symbol":"PF_XBTUSD","last":1}}"#;
        assert_eq!(read("PF_XBTUSD", refused), None);
    }

    #[test]
    fn known_contracts_are_quoted_in_dollars() {
        let quoted = |symbol, asset| quoted_in(VenueId::KrakenFutures, symbol, Product::Derivatives, asset);
        for symbol in ["PF_XBTUSD", "PI_XBTUSD", "FF_ETHUSD_260327", "FI_XBTUSD_260327"] {
            assert!(quoted(symbol, "USD"), "{symbol}");
        }
        for symbol in ["PV_XRPXBT", "IN_XBTUSD", "PF_XBTUSDT", "PF_USD", "PF", "XBTUSD", ""] {
            assert!(!quoted(symbol, "USD"), "{symbol}");
        }
        assert!(!quoted("PF_XBTUSD", "USDT"));
        assert!(!quoted_in(VenueId::KrakenFutures, "PF_XBTUSD", Product::Spot, "USD"));
    }
}
