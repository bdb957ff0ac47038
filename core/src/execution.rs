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
mod lane;

use std::time::Duration;

use claviger_venues::{Call, Class, Meaning, RequestParts, VenueId};

use crate::audit::{Draft, EntryOutcome, Personal, UserKind};
use crate::clock::{BootTime, Clock};
use crate::id::{ExecutionId, RequestId};
use crate::keeper::message::{Sign, Signed};
use crate::keeper::service::Hosts;
use crate::keeper::{KeeperClient, KeeperError, KekRow};
use crate::policy::{Checked, Resolved};
use crate::store::{
    ANSWER_BYTES_MAX, Admit, ExecutionState, Granted, Idempotency, Intent, IntentKind, NewExecution, Outcome, Receipt,
    Scopes, Store, StoreError, StoredAnswer,
};
use egress::{Egress, SendError, VenueAnswer};

pub use lane::{Lanes, Turn};

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
    operation: &'static str,
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
        entry.outcome = match state {
            ExecutionState::Acked => EntryOutcome::Acked,
            ExecutionState::Rejected => EntryOutcome::Rejected,
            ExecutionState::Failed => EntryOutcome::Failed,
            ExecutionState::Open | ExecutionState::Unknown => EntryOutcome::Unknown,
        };
        if let Some(answer) = &answer {
            entry = entry.detail("status", answer.status.to_string());
        }
        if !why.is_empty() {
            entry = entry.detail("why", why);
        }
        Outcome { intent: self.intent, state, answer, entry }
    }
}

/// What became of an attempt to record.
#[derive(Debug)]
pub enum Recording {
    /// It is durable.
    Recorded(Box<Recorded>),
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
    let entries = Entries::of(&checked, execution.as_ref().map(|(id, _)| *id), origin);
    let deadline = clock.boot().after(INTENT_DEADLINE);
    let operation = checked.resolved().operation();
    let intent = Intent {
        kind: checked.kind(),
        scopes: checked.scopes().clone(),
        epoch: checked.epoch(),
        effect: checked.resolved().effect(),
        nonce: operation.uses_nonce(),
        execution: execution.map(|(id, idempotency)| NewExecution {
            id,
            operation: operation.name.to_owned(),
            idempotency,
        }),
        entry: entries.intent,
    };
    let mut admits = store.commit_intents(vec![intent]).await?;
    Ok(match admits.pop() {
        Some(Admit::Granted(granted)) => {
            let pending = Pending {
                intent: granted.intent(),
                receipt: granted.receipt().clone(),
                deadline,
                venue: operation.venue,
                operation: operation.name,
                entry: entries.outcome,
            };
            Recording::Recorded(Box::new(Recorded { checked, granted, pending }))
        }
        Some(other) => Recording::Not(other),
        None => return Err(StoreError::Unknown("the store gave no answer for the intent".to_owned())),
    })
}

/// The two audit entries of an execution or a probe.
struct Entries {
    intent: Draft,
    outcome: Draft,
}

impl Entries {
    fn of(checked: &Checked, execution: Option<ExecutionId>, origin: &Origin) -> Self {
        let scopes = checked.scopes();
        let subject = match checked.kind() {
            IntentKind::App => "execution",
            IntentKind::System => "probe",
        };
        let draft = |verb: &str| {
            let mut draft = origin
                .draft(&format!("{subject}.{verb}"), EntryOutcome::Allowed)
                .tenant(scopes.tenant.to_string())
                .detail("venue", scopes.venue.as_str())
                .detail("operation", checked.resolved().operation().name);
            draft = match (execution, scopes.credential) {
                (Some(id), _) => draft.on("execution", id.to_string()),
                (None, Some(id)) => draft.on("credential", id.to_string()),
                (None, None) => draft,
            };
            if let Some(credential) = scopes.credential {
                draft = draft.detail("credential", credential.to_string());
            }
            if let Some(grant) = scopes.grant {
                draft = draft.rule(format!("grant:{grant}"));
            }
            match &scopes.owner {
                Some(owner) => draft.personal(Personal { owner: owner.clone() }),
                None => draft,
            }
        };
        Self { intent: draft("intent"), outcome: draft("outcome") }
    }
}

/// A request that may be sent once, before its intent's deadline.
#[derive(Debug)]
#[must_use]
pub struct SignedRequest {
    parts: RequestParts,
    /// The real key id, where it must not come back; empty otherwise.
    key_id: String,
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
            Ok(Signed { parts, key_id }) => Ok(SignedRequest { parts, key_id, pending }),
            Err(error) => Err(Box::new(Unsigned { error: error.into(), pending })),
        }
    }

    /// Builds a request of class market, which carries no key.
    ///
    /// # Errors
    /// [`Unsigned`] for any other class.
    pub fn without_key(self, hosts: &Hosts) -> Result<SignedRequest, Box<Unsigned>> {
        match market(self.checked.resolved(), hosts) {
            Ok(parts) => Ok(SignedRequest { parts, key_id: String::new(), pending: self.pending }),
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
    /// Sends it, if its deadline has not passed. Where the answer shows the real key id, `shown_as` is put in its place.
    pub async fn send(self, egress: &dyn Egress, clock: &dyn Clock, shown_as: &str) -> Answered {
        let Self { parts, key_id, pending } = self;
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
                let kept = answer.body.get(..ANSWER_BYTES_MAX).unwrap_or(&answer.body).to_vec();
                let stored = StoredAnswer { status: answer.status, body: kept };
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

/// The outcome of an intent that an earlier run of the service left open: nobody knows.
pub fn left_open(open: &crate::store::OpenIntent, origin: &Origin) -> Outcome {
    let Scopes { tenant, venue, credential, .. } = &open.scopes;
    let subject = if open.execution.is_some() { "execution" } else { "probe" };
    let mut entry = origin
        .draft(&format!("{subject}.outcome"), EntryOutcome::Unknown)
        .tenant(tenant.to_string())
        .detail("venue", venue.as_str())
        .detail("why", "the service ended before the answer came");
    if let Some(id) = open.execution {
        entry = entry.on("execution", id.to_string());
    }
    if let Some(id) = credential {
        entry = entry.detail("credential", id.to_string());
    }
    Outcome { intent: open.intent, state: ExecutionState::Unknown, answer: None, entry }
}

impl Pending {
    /// The operation's name, for logs and metrics.
    pub fn operation(&self) -> &'static str {
        self.operation
    }
}
