//! What things cost: the public price of a symbol, the asset it is in, and the most that an order can be worth.

mod figure;
mod quotes;
mod symbol;
mod worth;

pub(crate) use figure::Figure;
pub(crate) use quotes::Quotes;
pub(crate) use symbol::quote_of;
pub use worth::{worth, worth_of_amend};

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::{
    meaning::{Meaning, meaning},
    operation::{Class, Operation, operation},
    params::{Params, check},
    product::Product,
    venue::VenueId,
};

/// What a venue knows of prices; what it leaves out is not known.
pub(crate) trait Pricing: Sync {
    /// Returns the call of class market that tells the price of a symbol, with its parameters.
    fn ticker(&self, _symbol: &str, _product: Product) -> Option<(&'static str, Params)> {
        None
    }

    /// Reads its answer, if it is about that symbol and no other.
    fn quotes(&self, _symbol: &str, _body: &[u8]) -> Option<Quotes> {
        None
    }

    /// Returns the asset that the symbol's prices are in, where amounts of the symbol have a value in it.
    fn quoted_in<'s>(&self, _symbol: &'s str, _product: Product) -> Option<&'s str> {
        None
    }

    /// Returns the one name of the market that a symbol names, where the venue takes several for it.
    fn market<'s>(&self, symbol: &'s str) -> Cow<'s, str> {
        upper(symbol)
    }

    /// Returns what one contract is, and what the figure in a change of an order counts.
    fn unit(&self, _symbol: &str, _product: Option<Product>) -> Option<Unit> {
        None
    }
}

/// What an amount counts that the venue does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// The base asset.
    Base,
    /// The quote asset.
    Quote,
    /// Either, as the order that is changed was placed.
    Either,
}

/// No venue tells two markets apart by the case of letters.
pub(crate) fn upper(symbol: &str) -> Cow<'_, str> {
    if symbol.bytes().any(|b| b.is_ascii_lowercase()) {
        Cow::Owned(symbol.to_ascii_uppercase())
    } else {
        Cow::Borrowed(symbol)
    }
}

/// Where no price is public and no symbol tells what it is quoted in.
pub(crate) struct Unpriced;

impl Pricing for Unpriced {}

/// Returns the public call that tells the price of a symbol, and its parameters, which fit it.
///
/// `None` if the venue tells no prices without a key, does not trade `product`, or has no symbol that looks like this
/// one. The call needs no key; [`read_ticker`] reads its answer.
pub fn ticker(venue: VenueId, symbol: &str, product: Product) -> Option<(&'static Operation, Params)> {
    let (name, params) = venue.rules().pricing().ticker(symbol, product)?;
    let operation = operation(venue, name).filter(|operation| operation.class == Class::Market)?;
    check(operation, &params).ok()?;
    Some((operation, params))
}

/// Reads the reference price out of the answer to [`ticker`]: in the quote asset for one of the base asset, positive.
///
/// It is the midpoint of the best bid and offer where both are there and not far from each other, else the mark price,
/// else the price of the last trade. `None` if the answer is a refusal, is not about that very symbol or tells none of
/// these; any bytes may come in.
pub fn read_ticker(venue: VenueId, symbol: &str, status: u16, body: &[u8]) -> Option<Decimal> {
    if meaning(venue, status, body) != Meaning::Accepted {
        return None;
    }
    venue.rules().pricing().quotes(symbol, body)?.reference()
}

/// Whether the prices of a symbol are in units of the asset `other`, as in `USDT`, and what [`worth`] says of its orders, too.
///
/// False wherever that is not certain. `BTC` and `XBT` are one asset; dollars and what is worth about one are not.
pub fn quoted_in(venue: VenueId, symbol: &str, product: Product, other: &str) -> bool {
    quote(venue, symbol, product).is_some_and(|quote| asset(quote) == asset(other))
}

/// The asset that the prices of a symbol are in units of, where that is certain: see [`quoted_in`].
pub fn quote(venue: VenueId, symbol: &str, product: Product) -> Option<&str> {
    venue.rules().pricing().quoted_in(symbol, product)
}

/// The one name of the market that a symbol names: symbols are compared by it and by nothing else.
///
/// Kraken calls one market by several names, and people write symbols in lower case. Of two symbols in doubt the names
/// differ, but for the case of letters; any text may come in.
pub fn market(venue: VenueId, symbol: &str) -> Cow<'_, str> {
    venue.rules().pricing().market(symbol)
}

/// The one name of an asset that venues call by two: assets are compared by it and by nothing else.
pub fn asset(name: &str) -> &str {
    symbol::plain(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_one_market_come_to_one_and_those_of_two_stay_apart() {
        let same = |venue, one: &str, other: &str| market(venue, one) == market(venue, other);
        for name in ["XXBTZUSD", "XBT/USD", "BTC/USD", "BTCUSD", "xbtusd", "XXBT/ZUSD"] {
            assert!(same(VenueId::Kraken, name, "XBTUSD"), "{name}");
        }
        for name in ["XBTUSDT", "XBTEUR", "ETHUSD", "XBTUSD.d", ""] {
            assert!(!same(VenueId::Kraken, name, "XBTUSD"), "{name}");
        }
        // With and without the underscore these are a spot market and a contract.
        assert!(!same(VenueId::Bitmex, "XBT_USDT", "XBTUSDT"));
        for venue in VenueId::ALL {
            assert!(same(*venue, "pf_xbtusd", "PF_XBTUSD") && !same(*venue, "A", "B"), "{venue}");
            let market = market(*venue, "btc-usdt").into_owned();
            assert!(same(*venue, &market, "BTC-USDT"), "the name of a market names it: {venue}");
        }
    }
}
