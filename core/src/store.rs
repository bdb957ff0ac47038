//! The store: verbs of the domain, not a key-value interface.
//!
//! Whatever must be strict goes through one atomic, durable commit together with its audit entry, so nothing rests on a
//! cache being fresh. [`Store::commit_intents`] is the write that decides an execution: it is where a [`Granted`] comes
//! from, and nothing else makes one.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::audit::{AuditKey, Draft, Frontier, Hash};
use crate::backup::{Sink, Snapshot};
use crate::credential::Sought;
use crate::deletion::Cleared;
use crate::id::{CredentialId, ExecutionId, TenantId};
use crate::recovery::WrapId;
use crate::recovery::file::Contents;

mod change;
mod intent;
mod range;
pub mod redb;
mod resting;
mod rows;
mod rules;
mod scope;
mod sealed;
mod spent;

pub use change::{Change, Changed, Erased, Expect, Versioned};
pub use intent::{
    ANSWER_BYTES_MAX, Admit, Effect, Execution, ExecutionState, Granted, Idempotency, Intent, IntentKind, NewExecution,
    OpenIntent, Outcome, Question, Receipt, Refusal, StoredAnswer,
};
pub use range::{Order, Page, Range};
pub use resting::{Recent, Resting};
pub use rows::{Key, Row, SinkCursor, StoredPolicy, VenueToken};
pub use scope::{Revoked, Scope, Scopes, Stop};

pub(crate) use rows::rows_of_credential;
pub(crate) use rules::{lies_in, tightened};
pub use spent::{Charge, Spender, Spent, Unit, Window};

/// Rows that one search looks at, at most: some 50 milliseconds' work.
pub const LOOKED_AT_MAX: usize = 50_000;

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
    /// The first leaf that the store still has; those before it are in segments.
    pub oldest: u64,
}

/// Leaves that leave the store, or have left it, for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The first leaf.
    pub first: u64,
    /// The last leaf.
    pub last: u64,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
}

/// What is certain after a failure: [`Store`] says more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row was not as expected. Nothing was written.
    #[error("the row {0:?} is not as expected")]
    Conflict(Box<Key>),
    /// The login that acts has ended. Nothing was written.
    #[error("the login has ended")]
    Ended,
    /// Another writer took over. Nothing was written.
    #[error("another writer took over")]
    Fenced,
    /// Certainly not applied.
    #[error("not stored: {0}")]
    NotApplied(String),
    /// All of it was written, or nothing: what is stored says which.
    #[error("stored or not: {0}")]
    Unknown(String),
    /// What was read cannot be right. Nothing was written.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
}

/// The store, used as `Arc<dyn Store>`.
///
/// An answer that is no error is durable: power may be cut right after it. Each call that writes is atomic: all of it is
/// stored together with its audit entries, or nothing. Calls that wait at the same time share a commit, but no call
/// fails because of what another one asked for.
///
/// # Errors
/// What is certain after an error is the same for every verb:
///
/// | error | this call's writes | what to do |
/// | --- | --- | --- |
/// | [`Conflict`](StoreError::Conflict) | nothing is stored | read the row again and decide again |
/// | [`Ended`](StoreError::Ended) | nothing is stored | tell the operator to log in |
/// | [`Fenced`](StoreError::Fenced) | nothing is stored | stop: another process is the writer |
/// | [`NotApplied`](StoreError::NotApplied) | nothing is stored | repeat it when [`Store::health`] is green again |
/// | [`Unknown`](StoreError::Unknown) | all is stored, or nothing | ask, as the verb says; repeat where that is harmless |
/// | [`Corrupt`](StoreError::Corrupt) | nothing is stored | raise an alarm: repeating it will not help |
///
/// A call whose future is dropped before it answered is as after `Unknown`.
///
/// An entry that depends on a login ([`Draft::guard`](crate::audit::Draft)) is written only while that login is there, and
/// so is everything that is stored with it: once a login's end is answered, no act of it is stored any more.
#[async_trait]
pub trait Store: Send + Sync {
    /// Decides and records intents: one atomic, durable commit, shared with whatever else waits. In it, per item: the
    /// scopes are not stopped, the credential is in a fitting state at the epoch given, the idempotency key is claimed,
    /// a nonce is allotted, and the audit entry is appended. Later items see what earlier ones did. There is one answer
    /// per item, in order; an item that is refused leaves no trace, and does not keep the others from being granted.
    ///
    /// A key that was used before is answered with what it was used for, whatever is stopped by now: a replay signs
    /// nothing. Where that failed, nothing was sent, and the same request may try again under its key.
    ///
    /// # Errors
    /// [`StoreError`] for the batch as a whole; no [`Granted`] exists then, so nothing of it can be signed. After
    /// [`StoreError::Unknown`] intents may be recorded all the same: [`Store::execution`] and [`Store::resolve`] show
    /// them, and their outcome is that nothing was sent. Repeating the batch is harmless for items with an idempotency
    /// key.
    async fn commit_intents(&self, batch: Vec<Intent>) -> Result<Vec<Admit>, StoreError>;

    /// Records what became of intents. The first outcome stands, but for [`ExecutionState::Unknown`], which a later one
    /// that knows replaces until the execution is forgotten ([`Store::expire`]). Every outcome given is an audit entry,
    /// also one that changes nothing. One that is an execution's names the intent's entry, whether or not the draft does.
    ///
    /// # Errors
    /// [`StoreError`]; an intent then is as open as before. After [`StoreError::Unknown`], [`Store::resolve`] tells, and
    /// repeating it is harmless but for a second audit entry. [`ExecutionState::Open`] is no outcome and is
    /// [`StoreError::NotApplied`].
    async fn commit_outcomes(&self, batch: Vec<Outcome>) -> Result<Vec<Receipt>, StoreError>;

    /// Stops a scope and says which intents were granted before and are still open, and which signatures were released
    /// and are still valid. Once it answered, no intent in the scope is granted that the stop forbids. A stop is never loosened by this call: the tighter one stands. For a
    /// credential the tenant is the one that `entry` names.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the credential does not exist. After any error the scope may still be open: it is
    /// safe, and after [`StoreError::Unknown`] right, to repeat the call.
    async fn revoke(&self, scope: Scope, stop: Stop, entry: Draft) -> Result<Revoked, StoreError>;

    /// Makes typed changes, all or none, with their audit entries.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] names the first row that was not as expected, or that two changes name.
    /// A credential that is new to an owner whose scope is revoked is a conflict with the stop.
    /// What was deleted leaves a tombstone ([`Key::Tombstone`]) in the same commit; to bring it back is a conflict with
    /// that. So it is for tenants, credentials and KEKs.
    /// A row of a tenant whose deletion is under way or was is a conflict with the deletion.
    /// A KEK that is removed while rows are sealed under it is a conflict with the KEK, as is a row that is sealed under
    /// one that was destroyed.
    /// [`StoreError::NotApplied`] also when a row is not of its key's kind. After [`StoreError::Unknown`],
    /// [`Store::get`] of one row that was to change tells for all of them.
    async fn put_cas(&self, changes: Vec<Change>, entries: Vec<Draft>) -> Result<Changed, StoreError>;

    /// Appends audit entries that belong to no change.
    ///
    /// # Errors
    /// [`StoreError`]. After [`StoreError::Unknown`], [`Store::audit_scan`] tells; repeating it writes a second entry,
    /// never none.
    async fn append(&self, entries: Vec<Draft>) -> Result<Vec<Receipt>, StoreError>;

    /// Reads one row, as the newest durable commit left it.
    ///
    /// # Errors
    /// [`StoreError::NotApplied`] when it cannot be read at the moment, which does not mean that there is none;
    /// [`StoreError::Corrupt`] when it is there and cannot be right. So it is for every verb that reads.
    async fn get(&self, key: Key) -> Result<Option<Versioned>, StoreError>;

    /// Reads a page of rows in key order: at least one if there is one, and at most `limit` or what the engine allows.
    /// `after` is the `next` of the page before. Pages are read one by one: a row that is there throughout is on exactly
    /// one of them. A cursor from another range shows nothing outside this one.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn scan(&self, range: Range, after: Option<Vec<u8>>, limit: usize) -> Result<Page<Versioned>, StoreError>;

    /// Reads a page of rows as [`Self::scan`] does, from the last key back.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn scan_back(
        &self,
        range: Range,
        before: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Versioned>, StoreError>;

    /// Reads a page of those of a tenant's credentials that are sought, as [`Self::scan`] does, in a thread of its own. It
    /// looks at [`LOOKED_AT_MAX`] rows at most: a page may be short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn credentials(
        &self,
        tenant: TenantId,
        sought: Sought,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Versioned>, StoreError>;

    /// Reads the last row of a range, and no other.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn last(&self, range: Range) -> Result<Option<Versioned>, StoreError>;

    /// Rows that are sealed under a version of the tenant's KEK before `version`, at most `limit`, with their keys.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn sealed_before(
        &self,
        tenant: TenantId,
        version: u32,
        limit: usize,
    ) -> Result<Vec<(Key, Versioned)>, StoreError>;

    /// The same of those that are sealed under this version, however many are under older ones.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn sealed_under_version(
        &self,
        tenant: TenantId,
        version: u32,
        limit: usize,
    ) -> Result<Vec<(Key, Versioned)>, StoreError>;

    /// How many rows of a tenant's are sealed under each version of its KEK, on one snapshot.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn sealed_under(&self, tenant: TenantId) -> Result<BTreeMap<u32, u64>, StoreError>;

    /// Reads one execution.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn execution(&self, id: ExecutionId) -> Result<Option<Execution>, StoreError>;

    /// Reads a page of a tenant's executions, newest first. `before` is the last one of the page before.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn executions(
        &self,
        tenant: TenantId,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Page<Execution>, StoreError>;

    /// Reads a page of those that one credential was used for, newest first, in a thread of its own. It looks at
    /// [`LOOKED_AT_MAX`] of the tenant's executions at most: a page may be short, or empty, and yet have a next one, which
    /// begins before the id that the page's `next` is.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn executions_of(
        &self,
        tenant: TenantId,
        credential: CredentialId,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Page<Execution>, StoreError>;

    /// All intents without an outcome, in the order in which they were granted.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn resolve(&self) -> Result<Vec<OpenIntent>, StoreError>;

    /// Intents of executions whose outcome is unknown and not forgotten ([`Store::expire`]), in the order in which they
    /// were granted: those after number `after`, at most `limit`.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn lost(&self, after: u64, limit: usize) -> Result<Vec<OpenIntent>, StoreError>;

    /// The highest intent number allotted so far.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn highest_intent(&self) -> Result<u64, StoreError>;

    /// Reads audit entries in order.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn audit_scan(&self, range: AuditRange) -> Result<Vec<Leaf>, StoreError>;

    /// Reads audit entries from the newest back: at most `limit` of those before `before`, which a tenant counts for itself
    /// as in an [`AuditRange`].
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn audit_scan_back(
        &self,
        tenant: Option<TenantId>,
        before: u64,
        limit: usize,
    ) -> Result<Vec<Leaf>, StoreError>;

    /// The key over one owner's personal fields in the audit log; `None` once it was destroyed.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn audit_key(&self, tenant: TenantId, owner: String) -> Result<Option<AuditKey>, StoreError>;

    /// Destroys the key over an owner's personal fields, together with `entry`, and remembers a salted hash of the owner.
    /// From then on the owner's scope is stopped for good, no entry names the owner, and no credential is stored for
    /// him. What is stored of the owner besides is the caller's to remove first.
    ///
    /// # Errors
    /// [`StoreError`]; repeating it is harmless but for a second audit entry.
    async fn erase_owner(&self, tenant: TenantId, owner: String, entry: Draft) -> Result<Erased, StoreError>;

    /// The owners of a tenant that the audit log names and who were not erased.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn owners(&self, tenant: TenantId) -> Result<Vec<String>, StoreError>;

    /// Removes a bounded number of rows of a tenant whose deletion is under way, counts them in [`Key::Deletion`], and
    /// says what is left. Entries of the log stay, and are read without the owners' names.
    ///
    /// # Errors
    /// [`StoreError`]; repeating it goes on from there. [`StoreError::NotApplied`] also for a tenant without
    /// [`Key::Deletion`].
    async fn clear_tenant(&self, tenant: TenantId) -> Result<Cleared, StoreError>;

    /// Whether an owner was erased.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn is_erased(&self, tenant: TenantId, owner: String) -> Result<bool, StoreError>;

    /// The audit tree over all durable leaves.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn tree_head(&self) -> Result<TreeHead, StoreError>;

    /// The root over the first `size` leaves, and the proof that the tree of `to` leaves extends it (RFC 6962 2.1.2).
    ///
    /// # Errors
    /// As [`Store::get`], and [`StoreError::Corrupt`] when there are not that many leaves.
    async fn consistency(&self, size: u64, to: u64) -> Result<(Hash, Vec<Hash>), StoreError>;

    /// The leaf at `seq`, and the proof that it is in the tree of `size` leaves (RFC 6962 2.1.1).
    ///
    /// # Errors
    /// As [`Store::get`], and [`StoreError::Corrupt`] when there are not that many leaves.
    async fn inclusion(&self, seq: u64, size: u64) -> Result<(Leaf, Vec<Hash>), StoreError>;

    /// The newest `limit` of the entries that name the one at `seq` as the intent they belong to, in order.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn outcomes_of(&self, seq: u64, limit: usize) -> Result<Vec<u64>, StoreError>;

    /// Keeps a signed checkpoint; one of the same size is replaced.
    ///
    /// # Errors
    /// [`StoreError`]; repeating it is harmless.
    async fn put_checkpoint(&self, size: u64, note: String) -> Result<(), StoreError>;

    /// Signed checkpoints in order of size, from the first of at least `from` leaves.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn checkpoints(&self, from: u64, limit: usize) -> Result<Vec<String>, StoreError>;

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn newest_checkpoint(&self) -> Result<Option<String>, StoreError>;

    /// The newest signed checkpoint of at most `size` leaves.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn checkpoint_up_to(&self, size: u64) -> Result<Option<String>, StoreError>;

    /// The right edge of the tree over the first `size` leaves.
    ///
    /// # Errors
    /// As [`Store::get`], and [`StoreError::Corrupt`] when there are not that many leaves.
    async fn frontier(&self, size: u64) -> Result<Frontier, StoreError>;

    /// The hashes of the leaves from `from` to before `to`, those that have left the store too; at most as many as one
    /// read returns.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn leaf_hashes(&self, from: u64, to: u64) -> Result<Vec<Hash>, StoreError>;

    /// Removes the first of a segment's leaves that are still here, a bounded number, and says how many; 0 when none is
    /// left. With the segment's first leaf goes `entry` into the log. Nodes stay, so that proofs go on working.
    ///
    /// The caller has made sure that the segment's file is there, is durable and verifies.
    ///
    /// # Errors
    /// [`StoreError`]; repeating it is harmless. [`StoreError::NotApplied`] also for a segment that does not begin with
    /// the first leaf that is here, or does not end with a signed checkpoint.
    async fn archive(&self, segment: Segment, entry: Draft) -> Result<u64, StoreError>;

    /// The segment that has this leaf, if it has left the store or begun to.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn segment_of(&self, seq: u64) -> Result<Option<Segment>, StoreError>;

    /// Forgets answers and idempotency keys of executions recorded before `before_ms`, a bounded number at a time, and
    /// says how many; 0 when none is left. An execution that is still open is kept until it has an outcome.
    ///
    /// # Errors
    /// [`StoreError`]; repeating it is harmless.
    async fn expire(&self, before_ms: u64) -> Result<u64, StoreError>;

    /// Writes one consistent snapshot of everything, as a [`crate::backup`] is, and returns when it is durable. Nobody
    /// waits for it.
    ///
    /// # Errors
    /// As [`Store::get`], and [`StoreError::NotApplied`] when the sink takes no more.
    async fn backup(&self, sink: Box<dyn Sink>) -> Result<Snapshot, StoreError>;

    /// What opens sealed bytes without the token, by its id.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn wrap(&self, id: WrapId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Reads a page of all rows that hold sealed bytes, with their keys, as [`Store::scan`] does: tenant by tenant, those
    /// under older KEKs first. A row whose KEK changes meanwhile may be on two pages.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn sealed(&self, after: Option<Vec<u8>>, limit: usize) -> Result<Page<(Key, Versioned)>, StoreError>;

    /// Removes recovery wraps of what is under KEKs that a tenant took away, of a bounded number of rows, and says whether
    /// more are left ([`Key::WrapsLeft`]). [`Store::wraps`] leaves those out. `entry` comes with the last of them.
    ///
    /// # Errors
    /// [`StoreError`]; repeating it goes on from there.
    async fn clear_wraps(&self, tenant: TenantId, entry: Draft) -> Result<bool, StoreError>;

    /// How often recovery wraps were written or removed.
    ///
    /// # Errors
    /// As [`Store::get`].
    async fn wraps_changed(&self) -> Result<u64, StoreError>;

    /// Writes all recovery wraps, as a [`crate::recovery::file`] holds them, and returns when they are durable. Nobody
    /// waits for it. `None`, and nothing was written, without a recovery key.
    ///
    /// # Errors
    /// As [`Store::backup`].
    async fn wraps(&self, sink: Box<dyn Sink>) -> Result<Option<Contents>, StoreError>;

    /// Whether writes work at the moment. After a failure this tries one.
    ///
    /// # Errors
    /// What is wrong, as [`StoreError::NotApplied`].
    async fn health(&self) -> Result<(), StoreError>;
}
