//! Orders that a tenant's credentials placed a moment ago, so that no two of them trade with each other.
//!
//! Whether such an order is still there, only the venue knows: what was placed counts for a minute, whatever became of
//! it. That is rather too long than too short, and it is asked for by a rule of the tenant's own.

use claviger_venues::Side;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::CredentialId;

/// How long an order counts, milliseconds.
const COUNTS_MS: u64 = 60_000;

/// Orders remembered for one market at most. When there are more, none is let through: nothing is forgotten early.
const REMEMBERED: usize = 512;

/// An order as another could trade with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resting {
    /// The one name of the market, whatever the call named it: see [`claviger_venues::market`].
    pub market: String,
    /// The side.
    pub side: Side,
    /// The worst price at which it trades.
    pub price: Decimal,
}

/// What was placed for one market a moment ago.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent(Vec<Placed>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    credential: CredentialId,
    side: Side,
    price: Decimal,
    at_ms: u64,
}

impl Recent {
    /// Whether nothing in it counts any more.
    pub(super) fn is_over(&self, now_ms: u64) -> bool {
        self.0.iter().all(|placed| placed.at_ms.saturating_add(COUNTS_MS) <= now_ms)
    }

    /// Takes a credential's order, unless it could trade with one of another's. `now_ms` is milliseconds since the Unix
    /// epoch.
    #[must_use]
    pub fn take(&mut self, credential: CredentialId, order: &Resting, now_ms: u64) -> bool {
        self.0.retain(|placed| placed.at_ms.saturating_add(COUNTS_MS) > now_ms);
        let trades = |placed: &Placed| match (placed.side, order.side) {
            (Side::Buy, Side::Sell) => placed.price >= order.price,
            (Side::Sell, Side::Buy) => placed.price <= order.price,
            (Side::Buy, Side::Buy) | (Side::Sell, Side::Sell) => false,
        };
        if self.0.len() >= REMEMBERED || self.0.iter().any(|placed| placed.credential != credential && trades(placed)) {
            return false;
        }
        self.0.push(Placed { credential, side: order.side, price: order.price, at_ms: now_ms });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_of_two_credentials_that_cross_within_a_minute() {
        let [ours, theirs] = [1, 2].map(|n| CredentialId::from_bytes([n; 16]));
        let order = |side, price: u32| Resting { market: "BTCUSDT".to_owned(), side, price: price.into() };
        let mut recent = Recent::default();
        assert!(recent.take(ours, &order(Side::Sell, 100), 1_000));
        assert!(recent.take(ours, &order(Side::Buy, 110), 1_000), "its own orders are the venue's to match");
        assert!(recent.take(theirs, &order(Side::Buy, 99), 1_000));
        assert!(!recent.take(theirs, &order(Side::Buy, 100), 60_999));
        assert!(!recent.take(theirs, &order(Side::Sell, 110), 1_000));
        assert!(recent.take(theirs, &order(Side::Buy, 100), 61_000));
    }
}
