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

/// The prices that were fetched last.
#[derive(Debug, Default)]
pub(super) struct References {
    known: Mutex<HashMap<Of, (Decimal, BootTime)>>,
    lanes: [tokio::sync::Mutex<()>; LANES],
}

impl References {
    fn fresh(&self, of: &Of, now: BootTime) -> Option<Decimal> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(of).filter(|(_, at)| at.until(now) <= GOOD_FOR).map(|(price, _)| *price)
    }

    fn keep(&self, of: Of, price: Decimal, at: BootTime) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(of, (price, at));
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
    /// The reference prices of these symbols, as far as the venue tells them.
    pub(super) async fn reference_prices(&self, venue: VenueId, wanted: Vec<(String, Product)>) -> Prices {
        let mut prices = Prices::new();
        for (symbol, product) in wanted {
            let of = (venue, symbol.clone(), product);
            // Whoever waits for another's question waits no longer than for an answer of its own.
            if let Ok(Some(price)) = timeout(PATIENCE, self.reference(&of)).await {
                prices.insert(symbol, price);
            }
        }
        prices
    }

    async fn reference(&self, of: &Of) -> Option<Decimal> {
        if let Some(price) = self.references.fresh(of, self.clock.boot()) {
            return Some(price);
        }
        let _turn = self.references.lane(of)?.lock().await;
        if let Some(price) = self.references.fresh(of, self.clock.boot()) {
            return Some(price);
        }
        // As old as the question, not as the answer.
        let asked = self.clock.boot();
        let price = self.asked_price(of).await;
        if let Some(price) = price {
            self.references.keep(of.clone(), price, asked);
        } else {
            tracing::warn!(venue = %of.0, "the venue tells no reference price");
        }
        price
    }

    async fn asked_price(&self, (venue, symbol, product): &Of) -> Option<Decimal> {
        let (operation, params) = ticker(*venue, symbol, *product)?;
        let resolved = Resolved::new(*venue, operation.name, params).ok()?;
        let parts = market(&resolved, &self.venues.hosts).ok()?;
        let share = Share::of(&resolved, None);
        self.budgets.take(share, self.clock(), BUDGET_PATIENCE).await.ok()?;
        let answer = self.egress.send(*venue, parts, PATIENCE, PATIENCE).await.ok()?;
        self.heed(Some(&claviger_venues::meaning(*venue, answer.status, &answer.body)), Some(&answer), share);
        read_ticker(*venue, symbol, answer.status, &answer.body)
    }
}
