//! What is recorded before a key is touched, and what became of it.

use claviger_venues::{Class, Kind, Operation, Params};
use serde::{Deserialize, Serialize};

use super::{Charge, Key, Resting, Scope, Scopes, Stop};
use crate::audit::Draft;
use crate::credential::State;
use crate::id::ExecutionId;

/// Who stands behind an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntentKind {
    /// An app.
    App,
    /// Claviger itself: permission probes, also of credentials that are pending, frozen or (at enrollment) not stored
    /// yet.
    System,
    /// Claviger itself, for an app whose order got no answer: it reads what became of it, and is let through as that
    /// app's own read would be.
    Resolve,
}

impl IntentKind {
    /// Whether he who stands behind an intent may have this signed: apps do not log in, and Claviger itself does little
    /// else.
    pub fn may(self, operation: &Operation) -> bool {
        match self {
            Self::App => !operation.is_login(),
            Self::System => operation.is_probe() || operation.is_login(),
            Self::Resolve => operation.class == Class::Read && operation.kind == Kind::Data,
        }
    }
}

/// What an operation does to open risk; decides whether `reduce-only` lets it through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// It may open a position or an order.
    Opens,
    /// It only cancels or closes.
    Reduces,
    /// It changes nothing.
    Reads,
}

/// The caller's key for one execution, and what it was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key as given, at most 255 bytes.
    pub key: String,
    /// SHA-256 of the request.
    pub request: [u8; 32],
}

impl Idempotency {
    /// What a key begins with that is never forgotten: the same request would be good for ever.
    pub const FOR_GOOD: &str = "for-good:";
}

/// What is to be recorded before a key is touched.
#[derive(Clone, Debug)]
pub struct Intent {
    /// Who stands behind it.
    pub kind: IntentKind,
    /// Where it lies.
    pub scopes: Scopes,
    /// The credential's epoch that the decision saw; `None` without a stored credential.
    pub epoch: Option<u64>,
    /// What it does to open risk.
    pub effect: Effect,
    /// Whether the venue wants a nonce.
    pub nonce: bool,
    /// The execution, for an app's intents.
    pub execution: Option<NewExecution>,
    /// The rows that the decision rests on, with their versions; 0 for one that was not there.
    pub seen: Vec<(Key, u64)>,
    /// A row that is used up by it: an operator's approval of this one request.
    pub uses: Option<Key>,
    /// What it spends of budgets: all of it, or it is refused.
    pub charges: Vec<Charge>,
    /// The orders in it that no other credential of the tenant's may trade with.
    pub resting: Vec<Resting>,
    /// The audit entry.
    pub entry: Draft,
}

/// The execution that an intent opens.
#[derive(Clone, Debug)]
pub struct NewExecution {
    /// Its id.
    pub id: ExecutionId,
    /// The operation's name.
    pub operation: String,
    /// The caller's idempotency key.
    pub idempotency: Idempotency,
    /// Whether the signature is handed to the app instead of being sent.
    pub release: bool,
    /// How the venue is asked what became of it, in this order; none where it cannot be asked, or need not be.
    pub questions: Vec<Question>,
}

/// A read that finds an order again by its client order id.
///
/// It is kept until the outcome is known or forgotten. Personal are the symbol and the client order id in it; size, side
/// and price are not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The operation's name.
    pub operation: String,
    /// Its parameters.
    pub params: Params,
}

/// What became of an [`Intent`].
#[derive(Debug)]
pub enum Admit {
    /// Recorded durably: it may be signed.
    Granted(Granted),
    /// The same request was made before under the same key; this is its execution.
    Replay(Box<Execution>),
    /// The same request is being carried out right now.
    InFlight(ExecutionId),
    /// Refused; nothing was written.
    Refused(Refusal),
}

/// Why the deciding commit refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A scope is stopped.
    Stopped(Scope, Stop),
    /// The credential is in this state.
    State(State),
    /// The credential, the grant or the policy changed since it was looked up: look again.
    Stale,
    /// There is no such credential.
    Gone,
    /// The idempotency key was used for another request.
    KeyReused,
    /// A budget has no room for this.
    Spent(Box<Charge>),
    /// Another credential of the tenant's placed an order a moment ago that this one could trade with.
    SelfTrade,
    /// The tenant has taken its own KEK away.
    Withdrawn,
}

/// Proof that an intent is durable. Only the store makes one, and it is used once.
#[derive(Debug)]
#[must_use]
pub struct Granted {
    intent: u64,
    nonce: u64,
    receipt: Receipt,
}

impl Granted {
    /// INVARIANT: called by engines after the commit that holds the intent is durable, and nowhere else.
    pub(in crate::store) fn new(intent: u64, nonce: u64, receipt: Receipt) -> Self {
        Self { intent, nonce, receipt }
    }

    /// The intent's number: unique, and rising over the life of the store.
    pub fn intent(&self) -> u64 {
        self.intent
    }

    /// The nonce allotted to it; 0 when none was asked for.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// Where its audit entry is.
    pub fn receipt(&self) -> &Receipt {
        &self.receipt
    }
}

/// Where an audit entry is and what it hashes to: proven by the next checkpoint.
pub type Receipt = crate::audit::Receipt;

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutionState {
    /// Recorded; on its way.
    Open,
    /// The venue took it.
    Acked,
    /// The venue refused it.
    Rejected,
    /// Nothing reached the venue.
    Failed,
    /// It may have reached the venue; nobody knows yet.
    Unknown,
    /// Its signature was handed to the app, which may send it until it expires.
    Released,
}

impl ExecutionState {
    /// The word used in API, logs and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Acked => "acked",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Released => "released",
        }
    }
}

/// An execution as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// Its intent's number.
    pub intent: u64,
    /// Where it lies.
    pub scopes: Scopes,
    /// The operation's name.
    pub operation: String,
    /// The caller's idempotency key.
    pub key: String,
    /// How it stands.
    pub state: ExecutionState,
    /// When the intent was recorded, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The audit entry of the intent.
    pub receipt: Receipt,
    /// What the venue answered.
    pub answer: Option<StoredAnswer>,
    /// Until when the venue takes a released signature, milliseconds since the Unix epoch.
    pub valid_until_ms: Option<u64>,
}

impl Execution {
    /// Whether it needs a look: it did not end with the venue's yes.
    pub fn is_flagged(&self) -> bool {
        self.state != ExecutionState::Acked
    }
}

/// A venue's answer, kept for replays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body; cut at [`ANSWER_BYTES_MAX`].
    pub body: Vec<u8>,
    /// The operation that it answers, where that is not the execution's own but the [`Question`] that found it later.
    pub question: Option<String>,
}

/// How much of a venue's answer is kept.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024;

/// What became of an intent after it was granted.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The intent.
    pub intent: u64,
    /// How it ended.
    pub state: ExecutionState,
    /// What the venue answered.
    pub answer: Option<StoredAnswer>,
    /// Until when the venue takes a released signature, milliseconds since the Unix epoch.
    pub valid_until_ms: Option<u64>,
    /// The audit entry.
    pub entry: Draft,
}

/// An intent that has no outcome, none that is known, or a signature that may still be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIntent {
    /// Its number.
    pub intent: u64,
    /// The execution, for an app's intents.
    pub execution: Option<ExecutionId>,
    /// Where it lies.
    pub scopes: Scopes,
    /// When it was recorded, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// Whether its signature is to be released.
    pub release: bool,
    /// Until when the venue takes the signature that was released, milliseconds since the Unix epoch.
    pub valid_until_ms: Option<u64>,
    /// How the venue is asked what became of it.
    pub questions: Vec<Question>,
}
