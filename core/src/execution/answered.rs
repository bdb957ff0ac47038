//! From the signed request to the durable outcome.

use std::time::Duration;

use claviger_venues::{Meaning, RequestParts};
use zeroize::Zeroizing;

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

    /// Sends it, if its deadline has not passed. Where the answer shows the real key id or what bore the request,
    /// `shown_as` is put in its place; only the keeper reads the answer to a login.
    pub async fn send(self, egress: &dyn Egress, clock: &dyn Clock, shown_as: &str) -> Answered {
        let Self { parts, key_id, login, pending, .. } = self;
        let departure = clock.boot().until(pending.deadline);
        if departure.is_zero() {
            return Answered { answer: None, meaning: None, outcome: pending.failed("it took too long to be sent") };
        }
        let bearer = bearer(&parts);
        match egress.send(pending.venue, parts, departure, VENUE_TIMEOUT).await {
            Ok(mut answer) => {
                answer.hide(&key_id, shown_as);
                if !login {
                    answer.hide(&bearer, shown_as);
                }
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

/// The secret or the token that a request shows as its bearer's; empty where it shows none.
fn bearer(parts: &RequestParts) -> Zeroizing<String> {
    let shown = parts.headers.iter().find_map(|(_, value)| value.strip_prefix("Bearer "));
    Zeroizing::new(shown.unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use claviger_venues::{Method, VenueId};

    use super::*;
    use crate::audit::{Draft, Hash, Receipt};
    use crate::clock::SystemClock;
    use crate::execution::{INTENT_DEADLINE, Pending};

    /// A venue that repeats what it was sent.
    struct Echo;

    #[async_trait]
    impl Egress for Echo {
        async fn send(
            &self,
            _venue: VenueId,
            request: RequestParts,
            _departure: Duration,
            _timeout: Duration,
        ) -> Result<VenueAnswer, SendError> {
            let body = format!(r#"{{"sent":{:?}}}"#, request.headers).into_bytes();
            Ok(VenueAnswer { status: 200, headers: Vec::new(), body })
        }
    }

    fn echoed(login: bool) -> Answered {
        let headers = vec![("Authorization".to_owned(), "Bearer s3cret-token".to_owned())];
        let parts =
            RequestParts { method: Method::Get, url: "https://venue.example/".to_owned(), headers, body: vec![] };
        let pending = Pending {
            intent: 1,
            receipt: Receipt { origin: String::new(), seq: 1, leaf_hash: Hash::from_bytes([0; 32]) },
            deadline: SystemClock.boot().after(INTENT_DEADLINE),
            venue: VenueId::Oanda,
            entry: Draft::new("execution.outcome", EntryOutcome::Allowed),
        };
        let signed =
            SignedRequest { parts, key_id: String::new(), valid_until_ms: 0, exchange: Vec::new(), login, pending };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(signed.send(&Echo, &SystemClock, "shown"))
    }

    #[test]
    fn what_bore_a_request_comes_back_to_nobody() {
        let answered = echoed(false);
        let text = |body: &[u8]| String::from_utf8(body.to_vec()).unwrap();
        let stored = answered.outcome.answer.map(|answer| text(&answer.body)).unwrap();
        let given = answered.answer.map(|answer| text(&answer.body)).unwrap();
        assert!(given.contains("Bearer shown") && !given.contains("s3cret"), "{given}");
        assert_eq!(stored, given);
    }

    #[test]
    fn the_keeper_reads_a_logins_answer_as_it_came() {
        let answered = echoed(true);
        assert!(answered.answer.unwrap().body.windows(6).any(|part| part == b"s3cret"));
        assert!(answered.outcome.answer.unwrap().body.is_empty(), "and it is stored nowhere");
    }
}
