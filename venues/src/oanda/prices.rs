//! What OANDA tells of prices without a key: nothing but what an instrument is quoted in.

use crate::{price::Pricing, product::Product};

pub(super) struct Prices;

impl Pricing for Prices {
    /// Instruments are named after their pair, such as `EUR_USD` or `XAU_EUR`.
    fn quoted_in<'s>(&self, symbol: &'s str, product: Product) -> Option<&'s str> {
        let (base, quote) = symbol.split_once('_')?;
        let is_currency = quote.len() == 3 && quote.bytes().all(|b| b.is_ascii_uppercase());
        (product == Product::Derivatives && is_currency && !base.is_empty()).then_some(quote)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Product, VenueId, quoted_in, ticker};

    #[test]
    fn the_second_currency_is_the_quote() {
        let quoted = |symbol, asset| quoted_in(VenueId::Oanda, symbol, Product::Derivatives, asset);
        assert!(quoted("EUR_USD", "USD") && quoted("USD_JPY", "JPY") && quoted("SPX500_USD", "USD"));
        assert!(
            !quoted("EUR_USD", "EUR")
                && !quoted("EURUSD", "USD")
                && !quoted("_USD", "USD")
                && !quoted("A_B_USD", "USD")
        );
        assert!(ticker(VenueId::Oanda, "EUR_USD", Product::Derivatives).is_none());
    }
}
