//! What Kraken tells of prices, and how it calls one pair by several names.
//!
//! Source: `docs.kraken.com`, *Get Ticker Information* and *Get Tradable Asset Pairs* (2026-11-21).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    grammar::Grammar,
    params::Params,
    price::{Figure, Pricing, Quotes, Unit, quote_of, upper},
    product::Product,
};

pub(super) struct Prices;

impl Pricing for Prices {
    /// The call takes several pairs, an order only one. Of assets other than currencies it wants to be told.
    fn ticker(&self, symbol: &str, product: Product) -> Option<(&'static str, Params)> {
        if product == Product::Derivatives || !Grammar::Pair.admits(symbol) {
            return None;
        }
        let mut params = Params::from_iter([("pair", symbol)]);
        if symbol.contains(|c: char| c.is_ascii_lowercase()) {
            params.push("asset_class", "tokenized_asset");
        }
        Some(("ticker", params))
    }

    /// Whatever name was asked for, Kraken answers with its own.
    fn quotes(&self, symbol: &str, body: &[u8]) -> Option<Quotes> {
        let Answer { result } = serde_json::from_slice(body).ok()?;
        let mut pairs = result.into_iter();
        let (name, ticker) = pairs.next()?;
        let is_alone = pairs.next().is_none();
        (is_alone && one_name(&name) == one_name(symbol)).then(|| Quotes {
            bid: first(&ticker.b),
            ask: first(&ticker.a),
            last: first(&ticker.c),
            ..Quotes::default()
        })
    }

    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        if product == Product::Derivatives {
            return None;
        }
        match symbol.split_once('/') {
            Some((base, quote)) => (!base.is_empty() && !quote.is_empty()).then_some(quote),
            None => quote_of(symbol, QUOTES),
        }
    }

    fn market<'s>(&self, symbol: &'s str) -> Cow<'s, str> {
        Cow::Owned(one_name(symbol))
    }

    fn unit(&self, _symbol: &str, _product: Option<Product>) -> Option<Unit> {
        Some(Unit::Base)
    }
}

#[derive(Deserialize)]
struct Answer {
    result: BTreeMap<String, Ticker>,
}

/// Price and volumes of the best offer, the best bid and the last trade.
#[derive(Deserialize)]
struct Ticker {
    a: Vec<Figure>,
    b: Vec<Figure>,
    c: Vec<Figure>,
}

fn first(figures: &[Figure]) -> Figure {
    figures.first().copied().unwrap_or_default()
}

/// Brings the names of a pair to one: `XBT/USD`, `XXBTZUSD`, `btcusd` and `XBTUSD` are the last.
fn one_name(pair: &str) -> String {
    let pair = upper(pair);
    let joined = match pair.split_once('/') {
        Some((base, quote)) => [short(base), short(quote)].concat(),
        None => joined(&pair),
    };
    joined.replace("BTC", "XBT").replace("DOGE", "XDG")
}

/// Without a slash an old name shows where both assets have one: three letters behind an `X`, or behind a `Z` if the
/// asset is a currency of a state.
fn joined(pair: &str) -> String {
    let is_old = |at: usize| pair.as_bytes().get(at).is_some_and(|b| matches!(b, b'X' | b'Z'));
    match (pair.get(1..4), pair.get(5..)) {
        (Some(base), Some(quote)) if pair.len() == 8 && is_old(0) && is_old(4) => [base, quote].concat(),
        // The one base without such a letter.
        _ if pair == "USDTZUSD" => "USDTUSD".to_owned(),
        _ => pair.to_owned(),
    }
}

/// The usual name of an asset. A slash shows where it ends, and not whether the name is old: that is known of these.
fn short(asset: &str) -> &str {
    if OLD_ASSETS.contains(&asset) { asset.get(1..).unwrap_or(asset) } else { asset }
}

const OLD_ASSETS: &[&str] = &[
    "XETC", "XETH", "XLTC", "XMLN", "XREP", "XXBT", "XXDG", "XXLM", "XXMR", "XXRP", "XZEC", "ZAUD", "ZCAD", "ZEUR",
    "ZGBP", "ZJPY", "ZUSD",
];

/// A name that ends with a stablecoin's and with `USD` is taken for neither.
const QUOTES: &[&str] =
    &["USDT", "USDC", "USD", "PYUSD", "RLUSD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY", "XBT", "ETH"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, market, quoted_in, read_ticker, ticker};

    const BODY: &[u8] = br#"{"error":[],"result":{"XXBTZUSD":{"a":["30300.10000","1","1.000"],"b":["30300.00000","1","1.000"],"c":["30303.20000","0.00067643"],"v":["4083.67001100","4412.73601799"],"p":["30706.77771","30689.13205"],"t":[34619,38907],"l":["29868.30000","29868.30000"],"h":["31631.00000","31631.00000"],"o":"30502.80000"}}}"#;

    #[test]
    fn one_pair_is_asked_for() {
        let (operation, params) = ticker(VenueId::Kraken, "XBT/USD", Product::Margin).unwrap();
        assert_eq!((operation.path, params.get("pair")), ("/0/public/Ticker", Some("XBT/USD")));
        let (_, params) = ticker(VenueId::Kraken, "AAPLx/USD", Product::Spot).unwrap();
        assert_eq!(params.get("asset_class"), Some("tokenized_asset"));
        for hostile in ["", "XBTUSD,ETHUSD", "XBT USD", "../XBT"] {
            assert!(ticker(VenueId::Kraken, hostile, Product::Spot).is_none(), "{hostile}");
        }
        assert!(ticker(VenueId::Kraken, "XBTUSD", Product::Derivatives).is_none());
    }

    #[test]
    fn the_documented_answer_reads_by_every_name_of_the_pair() {
        let read = |symbol| read_ticker(VenueId::Kraken, symbol, 200, BODY).map(|price| price.to_string());
        for symbol in ["XXBTZUSD", "XBTUSD", "XBT/USD", "BTC/USD", "BTCUSD"] {
            assert_eq!(read(symbol).as_deref(), Some("30300.05"), "{symbol}");
        }
        for symbol in ["XBTEUR", "ETHUSD", "XBTUSDT", "XETHZUSD", "", "é", "XXBTZEUR"] {
            assert_eq!(read(symbol), None, "{symbol}");
        }
        let unknown = br#"{"error":["EQuery:Unknown asset pair"]}"#;
        assert_eq!(read_ticker(VenueId::Kraken, "XBTUSD", 200, unknown), None);
        let two = br#"{"error":[],"result":{"XXBTZUSD":{"a":["1"],"b":["1"],"c":["1"]},"XETHZUSD":{"a":["1"],"b":["1"],"c":["1"]}}}"#;
        assert_eq!(read_ticker(VenueId::Kraken, "XBTUSD", 200, two), None);
    }

    #[test]
    fn names_come_to_one() {
        for (name, one) in [
            ("USDTZUSD", "USDTUSD"),
            ("XETHXXBT", "ETHXBT"),
            ("ETH/BTC", "ETHXBT"),
            ("ZEURZUSD", "EURUSD"),
            ("XDGUSD", "XDGUSD"),
            ("DOGEUSD", "XDGUSD"),
            ("XXBT/USD", "XBTUSD"),
            ("xbt/zusd", "XBTUSD"),
            ("XTZ/USD", "XTZUSD"),
            ("ZETA/USD", "ZETAUSD"),
            ("AAPLx/USD", "AAPLXUSD"),
        ] {
            assert_eq!(market(VenueId::Kraken, name), one, "{name}");
        }
    }

    #[test]
    fn quotes_are_told_from_the_name() {
        let quoted = |symbol, asset| quoted_in(VenueId::Kraken, symbol, Product::Spot, asset);
        for (symbol, asset) in [
            ("XBTUSD", "USD"),
            ("XXBTZUSD", "USD"),
            ("XBT/USD", "USD"),
            ("XBTUSDT", "USDT"),
            ("XETHXXBT", "BTC"),
            ("ETH/BTC", "XBT"),
            ("AAPLx/USD", "USD"),
            ("XRP/RLUSD", "RLUSD"),
        ] {
            assert!(quoted(symbol, asset), "{symbol}");
        }
        for (symbol, asset) in [
            ("XBTUSDT", "USD"),
            ("XRPRLUSD", "USD"),
            ("XRPRLUSD", "RLUSD"),
            ("/USD", "USD"),
            ("XBT/", ""),
            ("USD", "USD"),
        ] {
            assert!(!quoted(symbol, asset), "{symbol}");
        }
        assert!(!quoted_in(VenueId::Kraken, "XBTUSD", Product::Derivatives, "USD"));
    }
}
