//! Symbols and their prices, which never move by themselves: a test must be able to say what a market order pays.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rust_decimal::Decimal;
use serde_json::Value;

/// What can be traded.
#[derive(Clone, Copy, Debug)]
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

/// The prices that were set, by venue and symbol. They change what is shown in public; orders do not notice.
#[derive(Debug, Default)]
pub(crate) struct Prices(Mutex<BTreeMap<(&'static str, &'static str), Decimal>>);

impl Prices {
    /// Shows a symbol at another price.
    pub(crate) fn set(&self, venue: &'static str, symbol: &'static Symbol, price: Decimal) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((venue, symbol.name), price);
    }

    /// Shows every symbol at its own price again.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The symbol as it is shown.
    pub(crate) fn shown(&self, venue: &str, symbol: &Symbol) -> Symbol {
        let prices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Symbol { price: prices.get(&(venue, symbol.name)).copied().unwrap_or(symbol.price), ..*symbol }
    }
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
