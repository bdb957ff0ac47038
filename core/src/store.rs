//! The store: verbs of the domain, not a key-value interface.
//!
//! Whatever must be strict goes through one atomic, durable commit together with its audit entry, so nothing rests on a
//! cache being fresh. [`Store::commit_intents`] is the write that decides an execution: it is where a [`Granted`] comes
//! from, and nothing else makes one.

use async_trait::async_trait;
use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};

use crate::audit::{AuditKey, Draft, Hash};
use crate::credential::{Credential, State};
use crate::id::{AppId, CredentialId, ExecutionId, GrantId, OperatorId, TenantId};
use crate::identity::{App, Grant, Login, Operator, Tenant};
use crate::keeper::KekRow;
use crate::token::PublicKeys;

pub mod redb;


/// Where a row is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A tenant.
    Tenant(TenantId),
    /// The tenant of this name.
    TenantName(String),
    /// A tenant's KEK of one version.
    Kek(TenantId, u32),
    /// An app.
    App(AppId),
    /// Marks that the app is the tenant's, for lists.
    TenantApp(TenantId, AppId),
    /// A grant of an app.
    Grant(AppId, GrantId),
    /// A credential.
    Credential(TenantId, CredentialId),
    /// A credential's sealed payload, of the version in use.
    Sealed(CredentialId),
    /// A blind index.
    Index([u8; 32]),
    /// An operator.
    Operator(OperatorId),
    /// The operator of this name.
    OperatorName(String),
    /// A login, by the hash of its bearer.
    Login([u8; 32]),
    /// What is stopped for a whole scope.
    Stopped(Scope),
    /// The keeper's public keys.
    KeeperKeys,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Row {
    /// See [`Key::Tenant`].
    Tenant(Tenant),
    /// See [`Key::TenantName`].
    TenantRef(TenantId),
    /// See [`Key::Kek`].
    Kek(KekRow),
    /// See [`Key::App`].
    App(App),
    /// See [`Key::TenantApp`].
    Mark,
    /// See [`Key::Grant`].
    Grant(Grant),
    /// See [`Key::Credential`].
    Credential(Credential),
    /// See [`Key::Sealed`]: the envelope's stored form.
    Sealed(Vec<u8>),
    /// See [`Key::Index`].
    CredentialRef(CredentialId),
    /// See [`Key::Operator`].
    Operator(Operator),
    /// See [`Key::OperatorName`].
    OperatorRef(OperatorId),
    /// See [`Key::Login`].
    Login(Login),
    /// See [`Key::Stopped`].
    Stopped(Stop),
    /// See [`Key::KeeperKeys`].
    KeeperKeys(PublicKeys),
}

/// A row and its version, which the API shows as `ETag`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// Grows with every write of the row, from 1.
    pub version: u64,
    /// The row.
    pub row: Row,
}

/// What must hold for a change to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// There is no such row.
    Absent,
    /// The row has this version.
    Version(u64),
    /// Nothing: the newest write wins.
    Any,
}

/// One change of a [`Store::put_cas`]: all are made, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The row.
    pub key: Key,
    /// What must hold.
    pub expect: Expect,
    /// The new row, or `None` to remove it.
    pub row: Option<Row>,
}

impl Change {
    /// A row that must not be there yet.
    pub fn create(key: Key, row: Row) -> Self {
        Self { key, expect: Expect::Absent, row: Some(row) }
    }

    /// A row that replaces one of a known version.
    pub fn replace(key: Key, version: u64, row: Row) -> Self {
        Self { key, expect: Expect::Version(version), row: Some(row) }
    }

    /// A row that is written whatever was there.
    pub fn set(key: Key, row: Row) -> Self {
        Self { key, expect: Expect::Any, row: Some(row) }
    }

    /// A row that is removed, if it is there.
    pub fn remove(key: Key) -> Self {
        Self { key, expect: Expect::Any, row: None }
    }
}

/// Something that can be stopped as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Everything: the kill switch.
    All,
    /// A tenant.
    Tenant(TenantId),
    /// All credentials of one owner of a tenant.
    Owner(TenantId, String),
    /// A venue.
    Venue(VenueId),
    /// An app.
    App(AppId),
    /// A grant.
    Grant(GrantId),
    /// A credential.
    Credential(CredentialId),
}

/// How far a scope is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stop {
    /// Cancels, closing orders and reads go on.
    ReduceOnly,
    /// Nothing goes on, until it is resumed.
    Frozen,
    /// Nothing goes on, ever again.
    Revoked,
}

/// All scopes that one intent lies in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scopes {
    /// The tenant.
    pub tenant: TenantId,
    /// The credential's owner; none for market data.
    pub owner: Option<String>,
    /// The venue.
    pub venue: VenueId,
    /// The app; none for the system's own probes.
    pub app: Option<AppId>,
    /// The grant that allows it.
    pub grant: Option<GrantId>,
    /// The credential; none for market data.
    pub credential: Option<CredentialId>,
}

impl Scopes {
    /// Every scope, widest first.
    pub fn each(&self) -> impl Iterator<Item = Scope> + '_ {
        [
            Some(Scope::All),
            Some(Scope::Tenant(self.tenant)),
            self.owner.as_ref().map(|o| Scope::Owner(self.tenant, o.clone())),
            Some(Scope::Venue(self.venue)),
            self.app.map(Scope::App),
            self.grant.map(Scope::Grant),
            self.credential.map(Scope::Credential),
        ]
        .into_iter()
        .flatten()
    }
}

/// Who stands behind an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IntentKind {
    /// An app.
    App,
    /// Claviger itself: permission probes, also of credentials that are pending, frozen or (at enrollment) not stored
    /// yet.
    System,
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
    /// The credential changed since it was looked up: look again.
    Stale,
    /// There is no such credential.
    Gone,
    /// The idempotency key was used for another request.
    KeyReused,
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
}

/// A venue's answer, kept for replays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body; cut at [`ANSWER_BYTES_MAX`].
    pub body: Vec<u8>,
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
    /// The audit entry.
    pub entry: Draft,
}

/// An intent without an outcome.
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
}

/// What a change did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The highest intent number allotted before the change: everything later saw it.
    pub up_to: u64,
    /// The audit entries, in the order given.
    pub receipts: Vec<Receipt>,
}

/// What a stop did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revoked {
    /// The highest intent number allotted before the stop.
    pub up_to: u64,
    /// Intents in the scope that were granted before it and have no outcome yet.
    pub open: Vec<OpenIntent>,
    /// The audit entry.
    pub receipt: Receipt,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in order.
    pub rows: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<Vec<u8>>,
}

/// What a list runs over. Every range lies within one tenant where the rows do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Range {
    /// All tenants.
    Tenants,
    /// A tenant's KEKs.
    Keks(TenantId),
    /// A tenant's apps (as [`Key::TenantApp`] marks).
    Apps(TenantId),
    /// An app's grants.
    Grants(AppId),
    /// A tenant's credentials.
    Credentials(TenantId),
    /// All operators.
    Operators,
    /// All logins.
    Logins,
    /// Everything that is stopped.
    Stopped,
}

/// Which audit entries are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditRange {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// The first sequence number wanted (for a tenant: its own counter, from 1).
    pub from: u64,
    /// How many at most.
    pub limit: usize,
}

/// One leaf of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its place in the tree, from 0.
    pub seq: u64,
    /// Its bytes, as they were hashed.
    pub bytes: Vec<u8>,
}

/// The audit tree over all durable leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves.
    pub size: u64,
    /// The root hash.
    pub root: Hash,
}

/// What is certain after a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row was not as expected. Nothing was written.
    #[error("the row {0:?} is not as expected")]
    Conflict(Box<Key>),
    /// Another writer took over. Nothing was written.
    #[error("another writer took over")]
    Fenced,
    /// Certainly not applied.
    #[error("not stored: {0}")]
    NotApplied(String),
    /// May be applied: ask [`Store::resolve`].
    #[error("stored or not: {0}")]
    Unknown(String),
    /// What was read cannot be right.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
}

/// The store, used as `Arc<dyn Store>`.
#[async_trait]
pub trait Store: Send + Sync {
    /// Decides and records intents: one atomic, durable commit, shared with whatever else waits. In it, per item: the
    /// scopes are not stopped, the credential is in a fitting state at the epoch given, the idempotency key is claimed,
    /// a nonce is allotted, and the audit entry is appended.
    ///
    /// # Errors
    /// [`StoreError`] for the batch as a whole.
    async fn commit_intents(&self, batch: Vec<Intent>) -> Result<Vec<Admit>, StoreError>;

    /// Records what became of intents.
    ///
    /// # Errors
    /// [`StoreError`]. An intent that has an outcome already keeps it; that is no error.
    async fn commit_outcomes(&self, batch: Vec<Outcome>) -> Result<Vec<Receipt>, StoreError>;

    /// Stops a scope and says which intents were granted before. A stop is never loosened by this call.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the credential does not exist.
    async fn revoke(&self, scope: Scope, stop: Stop, entry: Draft) -> Result<Revoked, StoreError>;

    /// Makes typed changes, all or none, with their audit entries.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] names the row that was not as expected.
    async fn put_cas(&self, changes: Vec<Change>, entries: Vec<Draft>) -> Result<Changed, StoreError>;

    /// Appends audit entries that belong to no change.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn append(&self, entries: Vec<Draft>) -> Result<Vec<Receipt>, StoreError>;

    /// Reads one row.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn get(&self, key: Key) -> Result<Option<Versioned>, StoreError>;

    /// Reads a page of rows in key order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn scan(&self, range: Range, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Versioned>, StoreError>;

    /// Reads one execution.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError>;

    /// Reads a page of a tenant's executions, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn executions(
        &self,
        tenant: TenantId,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Page<Execution>, StoreError>;

    /// All intents without an outcome.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn resolve(&self) -> Result<Vec<OpenIntent>, StoreError>;

    /// The highest intent number allotted so far.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn highest_intent(&self) -> Result<u64, StoreError>;

    /// Reads audit entries in order.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn audit_scan(&self, range: AuditRange) -> Result<Vec<Leaf>, StoreError>;

    /// The key over one owner's personal fields in the audit log; `None` once it was destroyed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn audit_key(&self, tenant: TenantId, owner: String) -> Result<Option<AuditKey>, StoreError>;

    /// The audit tree over all durable leaves.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn tree_head(&self) -> Result<TreeHead, StoreError>;

    /// The root over the first `size` leaves, and the proof that the tree of `to` leaves extends it (RFC 6962 2.1.2).
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when there are not that many leaves.
    async fn consistency(&self, size: u64, to: u64) -> Result<(Hash, Vec<Hash>), StoreError>;

    /// Keeps a signed checkpoint.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn put_checkpoint(&self, size: u64, note: String) -> Result<(), StoreError>;

    /// Signed checkpoints in order of size, from the first of at least `from` leaves.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn checkpoints(&self, from: u64, limit: usize) -> Result<Vec<String>, StoreError>;

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn newest_checkpoint(&self) -> Result<Option<String>, StoreError>;

    /// Forgets answers and idempotency keys of executions older than `before_ms`, a bounded number at a time.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn expire(&self, before_ms: u64) -> Result<u64, StoreError>;

    /// Whether writes work at the moment. After a failure this tries one.
    ///
    /// # Errors
    /// What is wrong, as [`StoreError::NotApplied`].
    async fn health(&self) -> Result<(), StoreError>;
}
