//! Which asset a symbol's name ends with.

/// Returns the asset of `quotes` that `symbol` ends with, if there is exactly one and something stands before it.
pub(crate) fn quote_of(symbol: &str, quotes: &[&'static str]) -> Option<&'static str> {
    let mut fitting = quotes.iter().filter(|quote| symbol.len() > quote.len() && symbol.ends_with(**quote));
    let quote = fitting.next()?;
    fitting.next().is_none().then_some(quote)
}

/// The usual name of an asset that venues call by two.
pub(super) fn plain(asset: &str) -> &str {
    if asset == "XBT" { "BTC" } else { asset }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_ends_with_two_assets_is_quoted_in_neither() {
        const QUOTES: &[&str] = &["USD", "PYUSD", "USDT"];
        for (symbol, quote) in [
            ("BTCUSD", Some("USD")),
            ("BTCUSDT", Some("USDT")),
            ("BTCPYUSD", None),
            ("PYUSD", Some("USD")),
            ("USD", None),
            ("BTCEUR", None),
            ("btcusd", None),
            ("", None),
        ] {
            assert_eq!(quote_of(symbol, QUOTES), quote, "{symbol}");
        }
    }
}
