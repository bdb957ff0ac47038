//! What a ticker says, and the price that policy goes by.

use rust_decimal::Decimal;

use super::Figure;

/// What a ticker says of one symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Quotes {
    pub(crate) bid: Figure,
    pub(crate) ask: Figure,
    /// The price that the venue values positions at.
    pub(crate) mark: Figure,
    /// The price of the last trade.
    pub(crate) last: Figure,
}

impl Quotes {
    /// Returns the price to go by.
    pub(crate) fn reference(&self) -> Option<Decimal> {
        self.midpoint().or(self.mark.0).or(self.last.0).map(|price| price.normalize())
    }

    /// The midpoint of bid and offer. With a gap between them it tells no price: one order at its edge would move it.
    fn midpoint(&self) -> Option<Decimal> {
        let (bid, ask) = (self.bid.0?, self.ask.0?);
        let spread = ask.checked_sub(bid)?;
        let is_sane = !spread.is_sign_negative() && spread.checked_mul(SPREADS_IN_BID)? <= bid;
        is_sane.then(|| bid.checked_add(spread.checked_div(Decimal::TWO)?)).flatten()
    }
}

/// The offer is at most a tenth above the bid.
const SPREADS_IN_BID: Decimal = Decimal::TEN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_midpoint_goes_before_the_mark_and_the_mark_before_the_last_trade() {
        let figure = |text: &str| Figure(Decimal::from_str_exact(text).ok());
        let all = Quotes { bid: figure("99"), ask: figure("100"), mark: figure("98"), last: figure("97") };
        let none = Figure(None);
        let cases = [
            (all, "99.5"),
            (Quotes { ask: figure("99"), ..all }, "99"),
            (Quotes { ask: figure("98"), ..all }, "98"),
            (Quotes { bid: figure("100"), ask: figure("110"), ..all }, "105"),
            (Quotes { bid: figure("100"), ask: figure("110.01"), ..all }, "98"),
            (Quotes { bid: none, ..all }, "98"),
            (Quotes { ask: none, mark: none, ..all }, "97"),
            // The tenfold spread is beyond what a decimal holds.
            (Quotes { bid: figure("1"), ask: figure("79228162514264337593543950335"), ..all }, "98"),
        ];
        for (quotes, price) in cases {
            assert_eq!(quotes.reference().map(|price| price.to_string()).as_deref(), Some(price), "{quotes:?}");
        }
        assert_eq!(Quotes { last: none, mark: none, bid: none, ..all }.reference(), None);
    }
}
