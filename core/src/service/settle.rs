//! Outcomes that could not be recorded at once: kept, and tried again until the store takes them.
//!
//! Without one an intent stays open, and so does the caller's idempotency key. While the store fails no intent is
//! granted, so what waits here is at most what was under way.

use std::sync::PoisonError;

use super::{Service, ServiceError};
use crate::execution::{Answered, Settled};
use crate::store::{Outcome, StoreError};

impl Service {
    /// Records an outcome now or later.
    pub(super) async fn record_outcome(&self, outcome: Outcome) -> Result<(), StoreError> {
        let recorded = self.store.commit_outcomes(vec![outcome.clone()]).await;
        recorded.map(drop).inspect_err(|_| self.settle_later(vec![outcome]))
    }

    /// Records what a venue answered now or later.
    pub(super) async fn settle(&self, answered: Answered) -> Result<Settled, StoreError> {
        answered.settle(self.store()).await.map_err(|unsettled| {
            self.settle_later(vec![unsettled.outcome]);
            unsettled.error
        })
    }

    /// Records what could not be recorded before, and says how much that was.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call tries again.
    pub async fn settle_again(&self) -> Result<usize, ServiceError> {
        let waiting = std::mem::take(&mut *self.unsettled.lock().unwrap_or_else(PoisonError::into_inner));
        if waiting.is_empty() {
            return Ok(0);
        }
        match self.store.commit_outcomes(waiting.clone()).await {
            Ok(recorded) => Ok(recorded.len()),
            Err(error) => {
                self.settle_later(waiting);
                Err(error.into())
            }
        }
    }

    fn settle_later(&self, outcomes: Vec<Outcome>) {
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner).extend(outcomes);
    }
}
