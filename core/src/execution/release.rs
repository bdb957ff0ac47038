//! Signatures that go to the app instead of the venue: given out once it is durable that they are.

use claviger_venues::{RequestParts, VenueId};

use super::entries::Entries;
use super::{INTENT_DEADLINE, Material, Origin, Pending, Recording, SignedRequest, Unsettled, Unsigned, commit};
use crate::audit::timestamp;
use crate::clock::Clock;
use crate::id::ExecutionId;
use crate::keeper::message::{SignStream, SignedLogin};
use crate::keeper::{KeeperClient, VALID_MS};
use crate::policy::CheckedStream;
use crate::store::{
    Effect, ExecutionState, Granted, Idempotency, Intent, IntentKind, NewExecution, Outcome, Store, StoreError,
};

/// What was signed, and until when the venue takes it.
pub struct Released<T> {
    /// The request, or the fields of the login.
    pub what: T,
    /// Milliseconds since the Unix epoch.
    pub valid_until_ms: u64,
}

/// Whoever reads it can use it.
impl<T> std::fmt::Debug for Released<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Released").field("valid_until_ms", &self.valid_until_ms).finish_non_exhaustive()
    }
}

/// The last moment at which a signature may be valid that is released for an intent of `at_ms`.
pub fn valid_at_most_until(venue: VenueId, at_ms: u64) -> u64 {
    let signed_within = u64::try_from(INTENT_DEADLINE.as_millis()).unwrap_or(u64::MAX);
    let valid_ms = claviger_venues::lapse(venue).after_ms(VALID_MS).unwrap_or(VALID_MS);
    at_ms.saturating_add(signed_within).saturating_add(valid_ms.into())
}

impl SignedRequest {
    /// Gives the request out.
    ///
    /// # Errors
    /// [`Unsettled`] has the outcome of its not being given out.
    pub async fn release(self, store: &dyn Store) -> Result<Released<RequestParts>, Box<Unsettled>> {
        let Self { parts, valid_until_ms, pending, .. } = self;
        pending.released(store, valid_until_ms).await?;
        Ok(Released { what: parts, valid_until_ms })
    }
}

impl Pending {
    async fn released(self, store: &dyn Store, until_ms: u64) -> Result<(), Box<Unsettled>> {
        let outcome = self.outcome(ExecutionState::Released, None, "");
        let entry = outcome.entry.detail("valid_until", timestamp(until_ms));
        let outcome = Outcome { valid_until_ms: Some(until_ms), entry, ..outcome };
        match store.commit_outcomes(vec![outcome]).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let outcome = self.failed("that it is given out could not be recorded, so it was not");
                Err(Box::new(Unsettled { error, outcome }))
            }
        }
    }
}

/// A stream's login whose intent is durable, and that is not signed yet.
#[derive(Debug)]
#[must_use]
pub struct RecordedStream {
    checked: CheckedStream,
    granted: Granted,
    pending: Pending,
}

/// Records an intent for a login that policy allowed.
///
/// # Errors
/// As [`super::record`].
pub async fn record_stream(
    store: &dyn Store,
    clock: &dyn Clock,
    checked: CheckedStream,
    (id, idempotency): (ExecutionId, Idempotency),
    origin: &Origin,
) -> Result<Recording<RecordedStream>, StoreError> {
    let entries = Entries::of_stream(&checked, id, origin);
    let venue = checked.scopes().venue;
    let intent = Intent {
        kind: IntentKind::App,
        scopes: checked.scopes().clone(),
        epoch: Some(checked.epoch()),
        effect: Effect::Reads,
        nonce: false,
        execution: Some(NewExecution {
            id,
            operation: checked.operation(),
            idempotency,
            release: true,
            questions: Vec::new(),
        }),
        seen: checked.seen().to_vec(),
        uses: None,
        charges: checked.charges().to_vec(),
        resting: Vec::new(),
        entry: entries.intent,
    };
    Ok(match commit(store, clock, intent, venue, entries.outcome).await? {
        Ok((granted, pending)) => Recording::Recorded(Box::new(RecordedStream { checked, granted, pending })),
        Err(admit) => Recording::Not(admit),
    })
}

/// A login that may be given out once.
#[must_use]
pub struct SignedStream {
    login: SignedLogin,
    pending: Pending,
}

impl std::fmt::Debug for SignedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedStream").field("login", &self.login).finish_non_exhaustive()
    }
}

impl RecordedStream {
    /// Has the keeper sign.
    ///
    /// # Errors
    /// [`Unsigned`]; nothing left the keeper then.
    pub async fn sign(self, keeper: &KeeperClient, material: &Material) -> Result<SignedStream, Box<Unsigned>> {
        let Self { checked, granted, pending } = self;
        let sign = SignStream {
            intent: granted.intent(),
            scopes: checked.scopes().clone(),
            deadline: pending.deadline,
            stream: checked.stream().name.to_owned(),
            challenge: checked.challenge().map(str::to_owned),
            sealed: material.sealed.clone(),
            kek: material.kek.clone(),
        };
        match keeper.sign_stream(sign).await {
            Ok(login) => Ok(SignedStream { login, pending }),
            Err(error) => Err(Box::new(Unsigned { error: error.into(), pending })),
        }
    }
}

impl SignedStream {
    /// Gives the login's fields out.
    ///
    /// # Errors
    /// As [`SignedRequest::release`].
    pub async fn release(self, store: &dyn Store) -> Result<Released<Vec<(String, String)>>, Box<Unsettled>> {
        let SignedLogin { fields, valid_until_ms } = self.login;
        self.pending.released(store, valid_until_ms).await?;
        Ok(Released { what: fields, valid_until_ms })
    }
}
