//! Reference prices: the venues' own public ones, fetched when a rule asks for them, and kept for a few seconds.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use claviger_venues::{Product, VenueId, read_ticker, ticker};
use rust_decimal::Decimal;
use tokio::time::timeout;

use super::Service;
use super::execute::BUDGET_PATIENCE;
use crate::clock::BootTime;
use crate::execution::budget::Share;
use crate::execution::market;
use crate::policy::{Prices, Resolved};

/// How old a price may be that an order is judged by.
const GOOD_FOR: Duration = Duration::from_secs(2);

/// How long the venue may take to tell one.
const PATIENCE: Duration = Duration::from_secs(2);

/// Prices kept at most.
const KEPT: usize = 10_000;

/// Those who may ask at one time; for one symbol one asks, and the others wait for the answer.
const LANES: usize = 16;

type Of = (VenueId, String, Product);

/// What a venue told of a symbol.
#[derive(Clone, Copy, Debug)]
enum Told {
    Price(Decimal),
    /// No price: there is no such market, or nobody trades in it.
    Nothing,
}

/// The prices that were fetched last.
#[derive(Debug, Default)]
pub(super) struct References {
    /// What the venue told when it was asked.
    known: Mutex<HashMap<Of, (Told, BootTime)>>,
    lanes: [tokio::sync::Mutex<()>; LANES],
}

impl References {
    fn fresh(&self, of: &Of, now: BootTime) -> Option<Told> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(of).filter(|(_, at)| at.until(now) <= GOOD_FOR).map(|(price, _)| *price)
    }

    fn all_fresh(&self, venue: VenueId, wanted: Vec<(String, Product)>, now: BootTime) -> Prices {
        let fresh = |(symbol, product)| {
            let of = (venue, symbol, product);
            match self.fresh(&of, now)? {
                Told::Price(price) => Some((of.1, price)),
                Told::Nothing => None,
            }
        };
        wanted.into_iter().filter_map(fresh).collect()
    }

    fn keep(&self, of: Of, told: Told, at: BootTime) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(of, (told, at));
    }

    fn lane(&self, (venue, symbol, _): &Of) -> Option<&tokio::sync::Mutex<()>> {
        let sum = venue
            .as_str()
            .bytes()
            .chain(symbol.bytes())
            .fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        self.lanes.get(sum % LANES)
    }
}

impl Service {
    /// The reference prices of these symbols, as far as the venue tells them. All are good at the moment of the answer:
    /// one that grew old while others were asked for is left out. What the venue does not tell is not asked for again
    /// while a price would be good.
    pub(super) async fn reference_prices(&self, venue: VenueId, wanted: Vec<(String, Product)>) -> Prices {
        for (symbol, product) in &wanted {
            // Whoever waits for another's question waits no longer than for an answer of its own.
            let _ = timeout(PATIENCE, self.refresh(&(venue, symbol.clone(), *product))).await;
        }
        self.references.all_fresh(venue, wanted, self.clock.boot())
    }

    /// Asks for a price, unless a good one is there.
    async fn refresh(&self, of: &Of) {
        let is_fresh = || self.references.fresh(of, self.clock.boot()).is_some();
        if is_fresh() {
            return;
        }
        let Some(lane) = self.references.lane(of) else { return };
        let _turn = lane.lock().await;
        if is_fresh() {
            return;
        }
        // As old as the question, not as the answer.
        let asked = self.clock.boot();
        let told = self.asked_price(of).await;
        if !matches!(told, Some(Told::Price(_))) {
            tracing::warn!(venue = %of.0, "the venue tells no reference price");
        }
        if let Some(told) = told {
            self.references.keep(of.clone(), told, asked);
        }
    }

    /// What the venue told, if it gave an answer.
    async fn asked_price(&self, (venue, symbol, product): &Of) -> Option<Told> {
        let (operation, params) = ticker(*venue, symbol, *product)?;
        let resolved = Resolved::new(*venue, operation.name, params).ok()?;
        let parts = market(&resolved, &self.venues.hosts).ok()?;
        let share = Share::of(&resolved, None);
        self.budgets.take(share, self.clock(), BUDGET_PATIENCE).await.ok()?;
        let answer = self.egress.send(*venue, parts, PATIENCE, PATIENCE).await.ok()?;
        self.heed(Some(&claviger_venues::meaning(*venue, answer.status, &answer.body)), Some(&answer), share);
        Some(read_ticker(*venue, symbol, answer.status, &answer.body).map_or(Told::Nothing, Told::Price))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_that_grew_old_while_another_was_asked_for_is_no_price() {
        let references = References::default();
        let at = |ms: u64| BootTime(Duration::from_millis(ms).as_nanos().try_into().unwrap());
        for (symbol, price, asked) in [("BTCUSDT", Decimal::ONE, at(0)), ("ETHUSDT", Decimal::TWO, at(1_500))] {
            references.keep((VenueId::Binance, symbol.to_owned(), Product::Spot), Told::Price(price), asked);
        }
        references.keep((VenueId::Binance, "NOSUCH".to_owned(), Product::Spot), Told::Nothing, at(1_500));
        let nothing = references.fresh(&(VenueId::Binance, "NOSUCH".to_owned(), Product::Spot), at(2_000));
        assert!(matches!(nothing, Some(Told::Nothing)), "it would be asked for again: {nothing:?}");
        let wanted = ["BTCUSDT", "ETHUSDT", "NOSUCH", "XRPUSDT"].map(|symbol| (symbol.to_owned(), Product::Spot));
        let known = |now| references.all_fresh(VenueId::Binance, wanted.to_vec(), now);
        assert_eq!(known(at(2_000)).len(), 2);
        assert_eq!(known(at(2_001)), Prices::from([("ETHUSDT".to_owned(), Decimal::TWO)]));
    }
}
