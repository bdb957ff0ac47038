//! Symbols and their prices, which never move: a test must be able to say what a market order pays.

use rust_decimal::Decimal;
use serde_json::Value;

/// What can be traded.
#[derive(Debug)]
pub(crate) struct Symbol {
    /// The name that orders use.
    pub(crate) name: &'static str,
    /// Other spellings that the venue takes.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) base: &'static str,
    pub(crate) quote: &'static str,
    pub(crate) price: Decimal,
}

/// What Binance trades, spot and USD-M.
pub(crate) const BINANCE: &[Symbol] = &[
    symbol("BTCUSDT", &[], "BTC", "USDT", 6_500_000, 2),
    symbol("ETHUSDT", &[], "ETH", "USDT", 320_000, 2),
    symbol("BNBUSDT", &[], "BNB", "USDT", 60_000, 2),
    symbol("SOLUSDT", &[], "SOL", "USDT", 15_000, 2),
];

/// What Kraken trades.
pub(crate) const KRAKEN: &[Symbol] = &[
    symbol("XBTUSD", &["XXBTZUSD", "XBT/USD", "BTCUSD", "BTC/USD"], "XXBT", "ZUSD", 650_000, 1),
    symbol("ETHUSD", &["XETHZUSD", "ETH/USD"], "XETH", "ZUSD", 320_000, 2),
    symbol("SOLUSD", &["SOL/USD"], "SOL", "ZUSD", 15_000, 2),
];

/// The symbol that goes by `name` in `market`.
pub(crate) fn find(market: &'static [Symbol], name: &str) -> Option<&'static Symbol> {
    market.iter().find(|symbol| symbol.name == name || symbol.aliases.contains(&name))
}

/// Writes a decimal with exactly `places` digits after the point, as venues do.
pub(crate) fn fixed(value: Decimal, places: u32) -> String {
    let mut value = value;
    value.rescale(places);
    value.to_string()
}

/// A decimal as a JSON number, as venues write it that do not use texts.
pub(crate) fn number(value: Decimal) -> Value {
    serde_json::from_str(&value.normalize().to_string()).unwrap_or_default()
}

/// `price_units` counts the last of `places` decimals.
pub(crate) const fn symbol(
    name: &'static str,
    aliases: &'static [&'static str],
    base: &'static str,
    quote: &'static str,
    price_units: u32,
    places: u32,
) -> Symbol {
    Symbol { name, aliases, base, quote, price: Decimal::from_parts(price_units, 0, 0, false, places) }
}
