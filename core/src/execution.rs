//! The chain that an execution walks, each step a value that only the step before can make:
//!
//! ```text
//! check -> Checked -> record -> Recorded -> sign -> SignedRequest -> send -> Answered -> settle -> Execution
//! ```
//!
//! A [`SignedRequest`] is made from a [`Recorded`], which is made from a [`crate::store::Granted`], which only the store
//! makes after the intent is durable. Whatever happens on the way, the [`Pending`] part of each value still lets the
//! outcome be recorded.

pub mod budget;
pub mod egress;
mod entries;
mod lane;
mod release;

use std::time::Duration;

use claviger_venues::{Call, Class, Meaning, Operation, Params, RequestParts, VenueId};

use crate::audit::{Draft, EntryOutcome, UserKind};
use crate::clock::{BootTime, Clock};
use crate::id::{ExecutionId, RequestId};
use crate::keeper::message::{Sign, Signed};
use crate::keeper::service::Hosts;
use crate::keeper::{KeeperClient, KeeperError, KekRow};
use crate::policy::{Checked, Resolved};
use crate::store::{
    ANSWER_BYTES_MAX, Admit, ExecutionState, Granted, Idempotency, Intent, NewExecution, Outcome, Question, Receipt,
    Store, StoreError, StoredAnswer,
};
use egress::{Egress, SendError, VenueAnswer};
use entries::{Entries, entry_outcome};

pub use entries::{concluded, left_open};
pub use lane::{Lanes, Turn};
pub use release::{RecordedStream, Released, SignedStream, record_stream, valid_at_most_until};

/// From the durable intent to the last moment at which it may be signed and sent.
pub const INTENT_DEADLINE: Duration = Duration::from_secs(2);

/// How long a venue may take to answer.
pub const VENUE_TIMEOUT: Duration = Duration::from_secs(10);

/// Whose request it is, as the audit log names it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The kind of principal.
    pub kind: UserKind,
    /// Its id.
    pub id: String,
    /// Where the request came from.
    pub address: String,
    /// The request.
    pub request: RequestId,
}

impl Origin {
    /// Claviger itself.
    pub fn system(clock: &dyn Clock) -> Self {
        let request = RequestId::new(clock);
        Self { kind: UserKind::System, id: "claviger".to_owned(), address: String::new(), request }
    }

    /// An audit entry by this principal.
    pub fn draft(&self, action: &str, outcome: EntryOutcome) -> Draft {
        Draft::new(action, outcome).by(self.kind, &self.id).from_ip(&self.address).request(self.request.to_string())
    }
}

/// An intent that is durable and not signed yet.
#[derive(Debug)]
#[must_use]
pub struct Recorded {
    checked: Checked,
    granted: Granted,
    pending: Pending,
}

/// What is needed to record the outcome, whatever it is.
#[derive(Clone, Debug)]
pub struct Pending {
    intent: u64,
    receipt: Receipt,
    deadline: BootTime,
    venue: VenueId,
    entry: Draft,
}

impl Pending {
    /// The intent's number.
    pub fn intent(&self) -> u64 {
        self.intent
    }

    /// Where the intent's audit entry is.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// The outcome of nothing having been sent.
    pub fn failed(&self, why: &str) -> Outcome {
        self.outcome(ExecutionState::Failed, None, why)
    }

    fn outcome(&self, state: ExecutionState, answer: Option<StoredAnswer>, why: &str) -> Outcome {
        let mut entry = self.entry.clone().intent(self.receipt.seq);
        entry.outcome = entry_outcome(state);
        if let Some(answer) = &answer {
            entry = entry.detail("status", answer.status.to_string());
        }
        if !why.is_empty() {
            entry = entry.detail("why", why);
        }
        Outcome { intent: self.intent, state, answer, valid_until_ms: None, entry }
    }
}

/// What became of an attempt to record.
#[derive(Debug)]
pub enum Recording<R = Recorded> {
    /// It is durable.
    Recorded(Box<R>),
    /// It is not, and this is why.
    Not(Admit),
}

/// Records an intent for what policy allowed: one durable write, before any key is touched.
///
/// # Errors
/// [`StoreError`]; nothing may be signed then.
pub async fn record(
    store: &dyn Store,
    clock: &dyn Clock,
    checked: Checked,
    execution: Option<(ExecutionId, Idempotency)>,
    origin: &Origin,
) -> Result<Recording, StoreError> {
    let resolved = checked.resolved();
    let operation = resolved.operation();
    let id = execution.as_ref().map(|(id, _)| *id);
    let entries = Entries::of(&checked, id, origin);
    let questions = if execution.is_some() && !checked.release() { questions(resolved) } else { Vec::new() };
    let intent = Intent {
        kind: checked.kind(),
        scopes: checked.scopes().clone(),
        epoch: checked.epoch(),
        effect: resolved.effect(),
        nonce: operation.uses_nonce(),
        execution: execution.map(|(id, idempotency)| NewExecution {
            id,
            operation: operation.name.to_owned(),
            idempotency,
            release: checked.release(),
            questions,
        }),
        entry: entries.intent,
    };
    Ok(match commit(store, clock, intent, operation.venue, entries.outcome).await? {
        Ok((granted, pending)) => Recording::Recorded(Box::new(Recorded { checked, granted, pending })),
        Err(admit) => Recording::Not(admit),
    })
}

/// Commits one intent; what is not granted comes back.
async fn commit(
    store: &dyn Store,
    clock: &dyn Clock,
    intent: Intent,
    venue: VenueId,
    outcome: Draft,
) -> Result<Result<(Granted, Pending), Admit>, StoreError> {
    let deadline = clock.boot().after(INTENT_DEADLINE);
    let mut admits = store.commit_intents(vec![intent]).await?;
    match admits.pop() {
        Some(Admit::Granted(granted)) => {
            let (intent, receipt) = (granted.intent(), granted.receipt().clone());
            Ok(Ok((granted, Pending { intent, receipt, deadline, venue, entry: outcome })))
        }
        Some(other) => Ok(Err(other)),
        None => Err(StoreError::Unknown("the store gave no answer for the intent".to_owned())),
    }
}

/// How the venue is asked for the order that a call places.
fn questions(resolved: &Resolved) -> Vec<Question> {
    let Ok(call) = claviger_venues::check(resolved.operation(), resolved.params()) else { return Vec::new() };
    let asked = [claviger_venues::lookup(&call), claviger_venues::lookup_ended(&call)];
    let question =
        |(operation, params): (&Operation, Params)| Question { operation: operation.name.to_owned(), params };
    asked.into_iter().flatten().map(question).collect()
}

/// A request that may be sent once, before its intent's deadline.
#[derive(Debug)]
#[must_use]
pub struct SignedRequest {
    parts: RequestParts,
    /// The real key id, where it must not come back; empty otherwise.
    key_id: String,
    /// The end of the window that was asked of the venue.
    valid_until_ms: u64,
    /// What the keeper wants back with the answer to a login.
    exchange: Vec<u8>,
    /// Whether the answer holds a token, and is kept nowhere.
    login: bool,
    pending: Pending,
}

/// A request that came to nothing, with what is needed to say so.
#[derive(Debug)]
pub struct Unsigned {
    /// Why.
    pub error: SignError,
    /// What is needed to record it.
    pub pending: Pending,
}

/// Why nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The keeper.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The deadline passed before it was its turn.
    #[error("it took too long before it could be signed")]
    Late,
    /// The operation cannot be built; the catalogue and its caller disagree.
    #[error("the request cannot be built: {0}")]
    Unbuildable(String),
}

/// The sealed version and the KEK that opens it.
#[derive(Clone, Debug)]
pub struct Material {
    /// The envelope's stored form.
    pub sealed: Vec<u8>,
    /// The tenant's KEK.
    pub kek: KekRow,
}

impl Recorded {
    /// Whether the signed request goes to the app instead of the venue.
    pub fn release(&self) -> bool {
        self.checked.release()
    }

    /// The class of the operation.
    pub fn class(&self) -> Class {
        self.checked.resolved().operation().class
    }

    /// What is needed to record the outcome.
    pub fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Has the keeper sign.
    ///
    /// # Errors
    /// [`Unsigned`]; nothing left the keeper then.
    pub async fn sign(self, keeper: &KeeperClient, material: &Material) -> Result<SignedRequest, Box<Unsigned>> {
        let Self { checked, granted, pending } = self;
        let resolved = checked.resolved();
        let sign = Sign {
            intent: granted.intent(),
            kind: checked.kind(),
            scopes: checked.scopes().clone(),
            deadline: pending.deadline,
            operation: resolved.operation().name.to_owned(),
            params: resolved.params().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            nonce: granted.nonce(),
            sealed: material.sealed.clone(),
            kek: material.kek.clone(),
        };
        match keeper.sign(sign).await {
            Ok(Signed { parts, key_id, valid_until_ms, exchange }) => {
                let login = resolved.operation().is_login();
                Ok(SignedRequest { parts, key_id, valid_until_ms, exchange, login, pending })
            }
            Err(error) => Err(Box::new(Unsigned { error: error.into(), pending })),
        }
    }

    /// Builds a request of class market, which carries no key.
    ///
    /// # Errors
    /// [`Unsigned`] for any other class.
    pub fn without_key(self, hosts: &Hosts) -> Result<SignedRequest, Box<Unsigned>> {
        match market(self.checked.resolved(), hosts) {
            Ok(parts) => {
                let (key_id, exchange) = (String::new(), Vec::new());
                Ok(SignedRequest { parts, key_id, valid_until_ms: 0, exchange, login: false, pending: self.pending })
            }
            Err(error) => Err(Box::new(Unsigned { error: SignError::Unbuildable(error), pending: self.pending })),
        }
    }
}

pub(crate) fn market(resolved: &Resolved, hosts: &Hosts) -> Result<RequestParts, String> {
    let operation = resolved.operation();
    if operation.class != Class::Market {
        return Err("only market data goes without a key".to_owned());
    }
    let host = hosts.host(operation.venue, operation.host).ok_or("the venue has no host")?;
    let call: Call<'_> = claviger_venues::check(operation, resolved.params()).map_err(|e| e.to_string())?;
    claviger_venues::unsigned(&call, host).map_err(|e| e.to_string())
}

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
