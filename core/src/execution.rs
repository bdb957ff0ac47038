//! The chain that an execution walks, each step a value that only the step before can make:
//!
//! ```text
//! check -> Checked -> record -> Recorded -> sign -> SignedRequest -> send -> Answered -> settle -> Execution
//! ```
//!
//! A [`SignedRequest`] is made from a [`Recorded`], which is made from a [`crate::store::Granted`], which only the store
//! makes after the intent is durable. Whatever happens on the way, the [`Pending`] part of each value still lets the
//! outcome be recorded.

mod answered;
pub mod budget;
pub mod egress;
mod entries;
mod lane;
mod release;
mod signed;

use std::time::Duration;

use claviger_venues::{Operation, Params, VenueId};

use crate::audit::{Draft, EntryOutcome, Guard, UserKind};
use crate::clock::{BootTime, Clock};
use crate::id::{ExecutionId, RequestId};
use crate::policy::{Checked, Resolved};
use crate::store::{
    Admit, ExecutionState, Granted, Idempotency, Intent, NewExecution, Outcome, Question, Receipt, Store, StoreError,
    StoredAnswer,
};
use entries::{Entries, entry_outcome};

pub use answered::{Answered, Settled, Unsettled, VENUE_TIMEOUT};
pub use entries::{concluded, left_open};
pub use lane::{Lanes, Turn};
pub use release::{RecordedStream, Released, SignedStream, record_stream, valid_at_most_until};
pub use signed::{Material, SignError, SignedRequest, Unsigned};

pub(crate) use signed::market;

/// From the durable intent to the last moment at which it may be signed and sent.
pub const INTENT_DEADLINE: Duration = Duration::from_secs(2);

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
    /// The login that it depends on, for an operator's.
    pub guard: Option<Guard>,
}

impl Origin {
    /// Claviger itself.
    pub fn system(clock: &dyn Clock) -> Self {
        let request = RequestId::new(clock);
        Self { kind: UserKind::System, id: "claviger".to_owned(), address: String::new(), request, guard: None }
    }

    /// An audit entry by this principal. That something was refused is written down whoever asked.
    pub fn draft(&self, action: &str, outcome: EntryOutcome) -> Draft {
        self.stamp(Draft::new(action, outcome))
    }

    /// An entry that somebody else began, as one by this principal.
    pub fn stamp(&self, draft: Draft) -> Draft {
        let guard = self.guard.filter(|_| draft.outcome != EntryOutcome::Denied);
        draft.by(self.kind, &self.id).from_ip(&self.address).request(self.request.to_string()).guarded(guard)
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
        seen: checked.seen().to_vec(),
        uses: checked.uses().cloned(),
        charges: checked.charges().to_vec(),
        resting: checked.resting().to_vec(),
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
