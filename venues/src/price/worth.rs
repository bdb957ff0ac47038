//! The most that an order can be worth.

use rust_decimal::Decimal;

use super::Unit;
use crate::{
    reading::{Amend, Order, Side},
    venue::VenueId,
};

/// Returns the most that an order can be worth in its quote asset; `None` if that cannot be told.
///
/// A buy with a limit spends that at most. Everything else trades at what the market gives, a sale also above its
/// limit, so it needs `reference`, the price of [`read_ticker`](crate::read_ticker): a triggered order counts at its
/// trigger where that is higher. An amount of the quote asset is the worth itself. Contracts have one only where the
/// symbol tells their size.
///
/// A cap must treat `None` as exceeded. The market may move between the reference and the trade.
pub fn worth(venue: VenueId, order: &Order, reference: Option<Decimal>) -> Option<Decimal> {
    let price = || match (order.side, order.price) {
        (Side::Buy, Some(limit)) => Some(limit),
        (Side::Buy | Side::Sell, limit) => highest(reference, [limit, order.stop_price]),
    };
    match (order.quote_quantity, order.quantity, order.contracts) {
        (Some(quote), None, None) => Some(quote),
        (None, Some(quantity), None) => quantity.checked_mul(price()?),
        (None, None, Some(contracts)) => {
            let unit = venue.rules().pricing().unit(&order.symbol, Some(order.product))?;
            valued(contracts, unit, price)
        }
        _ => None,
    }
}

/// Returns the same for an order as a change leaves it; only if the change names symbol, quantity and price.
///
/// A change does not tell the side, so that the price is taken for a sale's.
pub fn worth_of_amend(venue: VenueId, amend: &Amend, reference: Option<Decimal>) -> Option<Decimal> {
    let (symbol, quantity, limit) = (amend.symbol.as_deref()?, amend.quantity?, amend.price?);
    let price = highest(reference, [Some(limit), amend.stop_price])?;
    valued(quantity, venue.rules().pricing().unit(symbol, amend.product)?, || Some(price))
}

fn valued(amount: Decimal, unit: Unit, price: impl FnOnce() -> Option<Decimal>) -> Option<Decimal> {
    match unit {
        Unit::Quote => Some(amount),
        Unit::Base => amount.checked_mul(price()?),
        Unit::Either => amount.checked_mul(price()?.max(Decimal::ONE)),
    }
}

/// The highest of a reference price, which must be there and positive, and the order's own prices.
fn highest(reference: Option<Decimal>, own: [Option<Decimal>; 2]) -> Option<Decimal> {
    let reference = reference.filter(|price| *price > Decimal::ZERO)?;
    own.into_iter().flatten().chain([reference]).max()
}
