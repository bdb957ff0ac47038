//! What Bybit tells of prices.
//!
//! Source: `bybit-exchange.github.io/docs/v5/market/tickers` and `/docs/v5/enum`, *symbol* (2026-11-21).

use serde::Deserialize;

use crate::{
    params::Params,
    price::{Figure, Pricing, Quotes, Unit, quote_of},
    product::Product,
};

pub(super) struct Prices;

impl Pricing for Prices {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        let category = match product {
            Product::Spot | Product::Margin => "spot",
            Product::Derivatives if is_linear(symbol) => "linear",
            Product::Derivatives => "inverse",
        };
        Some(("ticker", Params::from_iter([("category", category), ("symbol", symbol)])))
    }

    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        let answer: Answer = serde_json::from_slice(body).ok()?;
        let [ticker] = answer.result.list;
        (ticker.symbol == symbol).then_some(Quotes {
            bid: ticker.bid1_price,
            ask: ticker.ask1_price,
            mark: ticker.mark_price,
            last: ticker.last_price,
        })
    }

    /// Perpetuals are `BTCUSDT`, `BTCPERP` (in USDC) and the inverse `BTCUSD`, dated ones `BTCUSDT-26JUN26`,
    /// `BTC-26JUN26` and the inverse `BTCUSDM26`, of which the name alone is not enough.
    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        if product != Product::Derivatives {
            return quote_of(symbol, SPOT_QUOTES);
        }
        let (pair, is_dated) = symbol.split_once('-').map_or((symbol, false), |(pair, _)| (pair, true));
        match quote_of(pair, &["USDT", "PERP", "USD"]) {
            Some("PERP") if !is_dated => Some("USDC"),
            Some("USD") if !is_dated => Some("USD"),
            Some("USDT") => Some("USDT"),
            _ => None,
        }
    }

    /// Inverse contracts are worth a dollar each. A triggered market order on spot may count the quote coin.
    fn unit(&self, symbol: &str, product: Option<Product>) -> Option<Unit> {
        Some(match product? {
            Product::Spot | Product::Margin => Unit::Either,
            Product::Derivatives if is_linear(symbol) => Unit::Base,
            Product::Derivatives => Unit::Quote,
        })
    }
}

/// Whether a contract is margined in a stablecoin and counts the base coin.
pub(super) fn is_linear(symbol: &str) -> bool {
    symbol.contains('-') || quote_of(symbol, &["USDT", "PERP"]).is_some()
}

#[derive(Deserialize)]
struct Answer {
    result: Tickers,
}

#[derive(Deserialize)]
struct Tickers {
    list: [Ticker; 1],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    #[serde(default)]
    bid1_price: Figure,
    #[serde(default)]
    ask1_price: Figure,
    #[serde(default)]
    mark_price: Figure,
    #[serde(default)]
    last_price: Figure,
}

/// None of these is the end of another.
const SPOT_QUOTES: &[&str] = &["USDT", "USDC", "USDE", "BTC", "ETH", "EUR", "BRL", "TRY"];

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    const INVERSE: &[u8] = br#"{"retCode":0,"retMsg":"OK","result":{"category":"inverse","list":[{"symbol":"BTCUSD","lastPrice":"16597.00","indexPrice":"16598.54","markPrice":"16596.00","prevPrice24h":"16464.50","price24hPcnt":"0.008047","highPrice24h":"30912.50","lowPrice24h":"15700.00","prevPrice1h":"16595.50","openInterest":"373504107","openInterestValue":"22505.67","turnover24h":"2352.94950046","volume24h":"49337318","fundingRate":"-0.001034","nextFundingTime":"1672387200000","predictedDeliveryPrice":"","basisRate":"","deliveryFeeRate":"","deliveryTime":"0","ask1Size":"1","bid1Price":"16596.00","ask1Price":"16597.50","bid1Size":"1","basis":""}]},"retExtInfo":{},"time":1672376496682}"#;

    #[test]
    fn the_category_follows_product_and_name() {
        for (symbol, product, category) in [
            ("BTCUSDT", Product::Spot, "spot"),
            ("BTCUSDT", Product::Margin, "spot"),
            ("BTCUSDT", Product::Derivatives, "linear"),
            ("BTCPERP", Product::Derivatives, "linear"),
            ("BTC-26JUN26", Product::Derivatives, "linear"),
            ("BTCUSD", Product::Derivatives, "inverse"),
            ("BTCUSDM26", Product::Derivatives, "inverse"),
        ] {
            let (operation, params) = ticker(VenueId::Bybit, symbol, product).unwrap();
            assert_eq!((operation.name, params.get("category")), ("ticker", Some(category)), "{symbol}");
        }
    }

    #[test]
    fn the_documented_answer_reads() {
        let read = |symbol, body: &[u8]| read_ticker(VenueId::Bybit, symbol, 200, body).map(|price| price.to_string());
        assert_eq!(read("BTCUSD", INVERSE).as_deref(), Some("16596.75"));
        assert_eq!(read("BTCUSDT", INVERSE), None);
        let refused = br#"{"retCode":10001,"retMsg":"params error","result":{"category":"linear","list":[{"symbol":"X","lastPrice":"1"}]}}"#;
        assert_eq!(read("X", refused), None);
        let two = br#"{"retCode":0,"result":{"list":[{"symbol":"A","lastPrice":"1"},{"symbol":"A","lastPrice":"2"}]}}"#;
        assert_eq!(read("A", two), None);
    }

    #[test]
    fn quotes_are_told_from_the_name() {
        let quoted = |symbol, product, asset| quoted_in(VenueId::Bybit, symbol, product, asset);
        for (symbol, product, asset) in [
            ("BTCUSDT", Product::Spot, "USDT"),
            ("ETHBTC", Product::Margin, "BTC"),
            ("BTCUSDT", Product::Derivatives, "USDT"),
            ("BTCUSDT-26JUN26", Product::Derivatives, "USDT"),
            ("BTCPERP", Product::Derivatives, "USDC"),
            ("BTCUSD", Product::Derivatives, "USD"),
        ] {
            assert!(quoted(symbol, product, asset), "{symbol}");
        }
        for (symbol, product, asset) in [
            ("BTCUSD", Product::Spot, "USD"),
            ("BTCUSDT", Product::Derivatives, "USD"),
            ("BTCUSDM26", Product::Derivatives, "USD"),
            ("BTC-26JUN26", Product::Derivatives, "USDT"),
            ("BTCPERP", Product::Derivatives, "PERP"),
        ] {
            assert!(!quoted(symbol, product, asset), "{symbol}");
        }
    }
}
