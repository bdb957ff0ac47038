//! From the signed request to the durable outcome.

use std::time::Duration;

use claviger_venues::Meaning;

use super::SignedRequest;
use super::egress::{Egress, SendError, VenueAnswer};
use crate::audit::EntryOutcome;
use crate::clock::Clock;
use crate::store::{ANSWER_BYTES_MAX, ExecutionState, Outcome, Store, StoreError, StoredAnswer};

/// How long a venue may take to answer.
pub const VENUE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the venue said, or that it said nothing; not recorded yet.
#[derive(Debug)]
#[must_use]
pub struct Answered {
    /// What the venue answered.
    pub answer: Option<VenueAnswer>,
    /// What that means for the key and the order.
    pub meaning: Option<Meaning>,
    outcome: Outcome,
}

impl SignedRequest {
    /// What the keeper wants back with the answer to a login.
    pub(crate) fn take_exchange(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.exchange)
    }

    /// Sends it, if its deadline has not passed. Where the answer shows the real key id, `shown_as` is put in its place.
    pub async fn send(self, egress: &dyn Egress, clock: &dyn Clock, shown_as: &str) -> Answered {
        let Self { parts, key_id, login, pending, .. } = self;
        let departure = clock.boot().until(pending.deadline);
        if departure.is_zero() {
            return Answered { answer: None, meaning: None, outcome: pending.failed("it took too long to be sent") };
        }
        match egress.send(pending.venue, parts, departure, VENUE_TIMEOUT).await {
            Ok(mut answer) => {
                answer.hide(&key_id, shown_as);
                let meaning = claviger_venues::meaning(pending.venue, answer.status, &answer.body);
                let state = match meaning {
                    Meaning::Accepted => ExecutionState::Acked,
                    Meaning::Unknown => ExecutionState::Unknown,
                    Meaning::Rejected { .. }
                    | Meaning::BadSignature
                    | Meaning::DeadKey
                    | Meaning::SuspectKey
                    | Meaning::MissingPermission
                    | Meaning::AddressNotAllowed
                    | Meaning::ClockSkew
                    | Meaning::BadNonce
                    | Meaning::RateLimited { .. }
                    | Meaning::Unavailable => ExecutionState::Rejected,
                };
                let kept = answer.body.get(..ANSWER_BYTES_MAX).unwrap_or(&answer.body);
                let kept = if login { Vec::new() } else { kept.to_vec() };
                let stored = StoredAnswer { status: answer.status, body: kept, question: None };
                let outcome = pending.outcome(state, Some(stored), "");
                Answered { answer: Some(answer), meaning: Some(meaning), outcome }
            }
            Err(SendError::NotSent(why)) => Answered { answer: None, meaning: None, outcome: pending.failed(&why) },
            Err(SendError::Unknown(why)) => Answered {
                answer: None,
                meaning: Some(Meaning::Unknown),
                outcome: pending.outcome(ExecutionState::Unknown, None, &why),
            },
        }
    }
}

impl Answered {
    /// Takes the answer for none: the venue turned the call away without looking at it, for it does not know the token any
    /// more, and the call will be made anew.
    pub(crate) fn turned_away(self) -> Self {
        let Outcome { intent, mut entry, .. } = self.outcome;
        entry.outcome = EntryOutcome::Failed;
        let entry = entry.detail("why", "the venue does not take the token any more");
        let outcome = Outcome { intent, state: ExecutionState::Failed, answer: None, valid_until_ms: None, entry };
        Self { answer: None, meaning: self.meaning, outcome }
    }

    /// How it ended.
    pub fn state(&self) -> ExecutionState {
        self.outcome.state
    }

    /// Records the outcome.
    ///
    /// # Errors
    /// [`Unsettled`] gives the outcome back: the intent stays open until it is recorded.
    pub async fn settle(self, store: &dyn Store) -> Result<Settled, Box<Unsettled>> {
        let Self { answer, meaning, outcome } = self;
        match store.commit_outcomes(vec![outcome.clone()]).await {
            Ok(_) => Ok(Settled { state: outcome.state, answer, meaning }),
            Err(error) => Err(Box::new(Unsettled { error, outcome })),
        }
    }
}

/// An outcome that the store did not take.
#[derive(Debug)]
pub struct Unsettled {
    /// Why.
    pub error: StoreError,
    /// The outcome, to be recorded later.
    pub outcome: Outcome,
}

/// An execution whose outcome is durable.
#[derive(Debug)]
pub struct Settled {
    /// How it ended.
    pub state: ExecutionState,
    /// What the venue answered.
    pub answer: Option<VenueAnswer>,
    /// What that means.
    pub meaning: Option<Meaning>,
}
