//! What `BitMEX` told of prices.
//!
//! Source: `www.bitmex.com/api/explorer`, *Instrument*, and the contract guide of XBTUSD (2026-11-21).

use serde::Deserialize;

use super::order::product;
use crate::{
    params::Params,
    price::{Figure, Pricing, Quotes, Unit},
    product::Product,
};

pub(super) struct Prices;

impl Pricing for Prices {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        (product == self::product(symbol)).then(|| ("instruments", Params::from_iter([("symbol", symbol)])))
    }

    /// A series, such as `XBT`, is answered with its nearest contract, which is not the symbol asked for.
    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        let [instrument]: [Instrument; 1] = serde_json::from_slice(body).ok()?;
        (instrument.symbol == symbol).then_some(Quotes {
            bid: instrument.bid_price,
            ask: instrument.ask_price,
            mark: instrument.mark_price,
            last: instrument.last_price,
        })
    }

    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        if product != self::product(symbol) {
            return None;
        }
        match (product, symbol.split_once('_')) {
            (Product::Spot, Some((_, quote))) => Some(quote),
            (Product::Derivatives, _) if symbol == INVERSE => Some("USD"),
            (Product::Derivatives, None) if symbol.ends_with("USDT") => Some("USDT"),
            _ => None,
        }
    }

    fn unit(&self, symbol: &str, _product: Option<Product>) -> Option<Unit> {
        (symbol == INVERSE).then_some(Unit::Quote)
    }
}

/// The contract that is worth one dollar. What one of another is worth its name does not tell.
const INVERSE: &str = "XBTUSD";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Instrument {
    symbol: String,
    #[serde(default)]
    bid_price: Figure,
    #[serde(default)]
    ask_price: Figure,
    #[serde(default)]
    mark_price: Figure,
    #[serde(default)]
    last_price: Figure,
}

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    #[test]
    fn one_instrument_is_asked_for() {
        let (operation, params) = ticker(VenueId::Bitmex, "XBTUSD", Product::Derivatives).unwrap();
        assert_eq!((operation.path, params.get("symbol")), ("/api/v1/instrument", Some("XBTUSD")));
        assert!(ticker(VenueId::Bitmex, "XBT_USDT", Product::Spot).is_some());
        for (symbol, product) in [
            ("XBT_USDT", Product::Derivatives),
            ("XBTUSD", Product::Spot),
            ("XBT:quarterly", Product::Derivatives),
            ("XBTUSD&count=2", Product::Derivatives),
        ] {
            assert!(ticker(VenueId::Bitmex, symbol, product).is_none(), "{symbol}");
        }
    }

    #[test]
    fn the_documented_answer_reads() {
        let body = br#"[{"symbol":"XBTUSD","rootSymbol":"XBT","state":"Open","typ":"FFWCSX","quoteCurrency":"USD","lotSize":100,"tickSize":0.5,"multiplier":-100000000,"isQuanto":false,"isInverse":true,"lastPrice":64999.5,"bidPrice":65000,"midPrice":65000.25,"askPrice":65000.5,"markPrice":65001.03,"timestamp":"2025-01-01T00:00:00.000Z"}]"#;
        let read = |symbol, body: &[u8]| read_ticker(VenueId::Bitmex, symbol, 200, body).map(|price| price.to_string());
        assert_eq!(read("XBTUSD", body).as_deref(), Some("65000.25"));
        assert_eq!(read("XBT", body), None);
        assert_eq!(read("XBTUSD", b"[]"), None);
        let no_book =
            br#"[{"symbol":"XBTUSD","lastPrice":64999.5,"bidPrice":null,"askPrice":null,"markPrice":65001.03}]"#;
        assert_eq!(read("XBTUSD", no_book).as_deref(), Some("65001.03"));
    }

    #[test]
    fn quotes_are_told_from_the_name() {
        let quoted = |symbol, product, asset| quoted_in(VenueId::Bitmex, symbol, product, asset);
        assert!(quoted("XBT_USDT", Product::Spot, "USDT"));
        assert!(quoted("XBTUSD", Product::Derivatives, "USD") && quoted("ETHUSDT", Product::Derivatives, "USDT"));
        for (symbol, product, asset) in [
            ("ETHUSD", Product::Derivatives, "USD"),
            ("XBTH26", Product::Derivatives, "USD"),
            ("XBT_USDT", Product::Derivatives, "USDT"),
            ("XBTUSD", Product::Spot, "USD"),
        ] {
            assert!(!quoted(symbol, product, asset), "{symbol}");
        }
    }
}
