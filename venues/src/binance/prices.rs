//! What Binance tells of prices, spot and USD-M.
//!
//! Sources: *Symbol order book ticker* of the spot API (2026-07-21) and *Mark Price* of the USD-M futures' API.

use serde::Deserialize;

use crate::{
    params::Params,
    price::{Figure, Pricing, Quotes, Unit, quote_of},
    product::Product,
};

/// Spot goes by the best bid and offer.
pub(super) struct Spot;
/// Futures go by the mark price, which follows several exchanges.
pub(super) struct Usdm;

impl Pricing for Spot {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        (product == Product::Spot).then(|| ("ticker.book", Params::from_iter([("symbol", symbol)])))
    }

    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        quotes(symbol, body)
    }

    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        quote_of(symbol, QUOTES).filter(|_| product == Product::Spot)
    }

    fn unit(&self, _symbol: &str, _product: Option<Product>) -> Option<Unit> {
        Some(Unit::Base)
    }
}

impl Pricing for Usdm {
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        (product == Product::Derivatives).then(|| ("price.mark", Params::from_iter([("symbol", symbol)])))
    }

    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        quotes(symbol, body)
    }

    /// A dated contract has its day behind its pair, as in `BTCUSDT_260327`.
    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        let pair = symbol.split_once('_').map_or(symbol, |(pair, _)| pair);
        quote_of(pair, USDM_QUOTES).filter(|_| product == Product::Derivatives)
    }

    /// USD-M contracts count the base asset.
    fn unit(&self, _symbol: &str, _product: Option<Product>) -> Option<Unit> {
        Some(Unit::Base)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ticker {
    symbol: String,
    #[serde(default)]
    bid_price: Figure,
    #[serde(default)]
    ask_price: Figure,
    #[serde(default)]
    mark_price: Figure,
}

fn quotes(symbol: &str, body: &[u8]) -> Option<Quotes> {
    let ticker: Ticker = serde_json::from_slice(body).ok()?;
    (ticker.symbol == symbol).then(|| Quotes {
        bid: ticker.bid_price,
        ask: ticker.ask_price,
        mark: ticker.mark_price,
        ..Quotes::default()
    })
}

/// None of these is the end of another.
const QUOTES: &[&str] =
    &["USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD1", "BTC", "ETH", "BNB", "EUR", "TRY", "BRL", "JPY"];
const USDM_QUOTES: &[&str] = &["USDT", "USDC", "BTC"];

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use crate::{Product, VenueId, quoted_in, read_ticker, ticker};

    #[test]
    fn each_market_has_its_call() {
        let (operation, params) = ticker(VenueId::Binance, "BTCUSDT", Product::Spot).unwrap();
        assert_eq!((operation.path, params.get("symbol")), ("/api/v3/ticker/bookTicker", Some("BTCUSDT")));
        let (operation, _) = ticker(VenueId::BinanceUsdm, "BTCUSDT_260327", Product::Derivatives).unwrap();
        assert_eq!(operation.path, "/fapi/v1/premiumIndex");
        assert!(ticker(VenueId::Binance, "BTCUSDT", Product::Derivatives).is_none());
        assert!(ticker(VenueId::BinanceUsdm, "BTCUSDT", Product::Spot).is_none());
        for hostile in ["", "BTC/USDT", "btcusdt", "BTCUSDT&limit=1", "BTC USDT", "[\"BTCUSDT\"]"] {
            assert!(ticker(VenueId::Binance, hostile, Product::Spot).is_none(), "{hostile}");
        }
    }

    #[test]
    fn the_documented_answers_read() {
        let book = br#"{"symbol":"LTCBTC","bidPrice":"4.00000000","bidQty":"431.00000000","askPrice":"4.00000200","askQty":"9.00000000"}"#;
        let read = |symbol, status, body| read_ticker(VenueId::Binance, symbol, status, body);
        assert_eq!(read("LTCBTC", 200, book), Some(Decimal::new(4_000_001, 6)));
        assert_eq!(read("ETHBTC", 200, book), None);
        assert_eq!(read("LTCBTC", 500, book), None);
        assert_eq!(read("LTCBTC", 400, br#"{"code":-1121,"msg":"Invalid symbol."}"#), None);
        let empty = br#"{"symbol":"LTCBTC","bidPrice":"0.00000000","bidQty":"0","askPrice":"4.00000200","askQty":"9"}"#;
        assert_eq!(read("LTCBTC", 200, empty), None);
        assert_eq!(read("LTCBTC", 200, br#"[{"symbol":"LTCBTC","bidPrice":"4","askPrice":"4"}]"#), None);

        let mark = br#"{"symbol":"BTCUSDT","markPrice":"11793.63104562","indexPrice":"11781.80495970","estimatedSettlePrice":"11781.16138815","lastFundingRate":"0.00038246","interestRate":"0.00010000","nextFundingTime":1597392000000,"time":1597370495002}"#;
        let read = |symbol| read_ticker(VenueId::BinanceUsdm, symbol, 200, mark);
        assert_eq!(read("BTCUSDT"), Some(Decimal::new(1_179_363_104_562, 8)));
        assert_eq!(read("BTCUSDT_260327"), None);
    }

    #[test]
    fn quotes_are_told_from_the_name() {
        let spot = |symbol, asset| quoted_in(VenueId::Binance, symbol, Product::Spot, asset);
        for (symbol, asset) in [("BTCUSDT", "USDT"), ("ETHBTC", "BTC"), ("BTCFDUSD", "FDUSD"), ("ADAEUR", "EUR")] {
            assert!(spot(symbol, asset), "{symbol}");
        }
        for (symbol, asset) in
            [("BTCUSDT", "USD"), ("BTCUSDT", "BTC"), ("BTCFDUSD", "USD"), ("USDT", "USDT"), ("BTCXYZ", "XYZ")]
        {
            assert!(!spot(symbol, asset), "{symbol}");
        }
        let future = |symbol, asset| quoted_in(VenueId::BinanceUsdm, symbol, Product::Derivatives, asset);
        assert!(future("BTCUSDT", "USDT") && future("BTCUSDT_260327", "USDT") && future("ETHBTC", "XBT"));
        assert!(!future("BTCUSD_PERP", "USD"));
        assert!(!quoted_in(VenueId::BinanceUsdm, "BTCUSDT", Product::Spot, "USDT"));
    }
}
