//! A store in which somebody else writes something just before a commit: what that commit rests on, it has to notice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use claviger_core::audit::{AuditKey, Draft, Frontier, Hash};
use claviger_core::backup::{Sink, Snapshot};
use claviger_core::credential::Sought;
use claviger_core::deletion::Cleared;
use claviger_core::id::{CredentialId, ExecutionId, TenantId};
use claviger_core::recovery::WrapId;
use claviger_core::recovery::file::Contents;
use claviger_core::store::{
    Admit, AuditRange, Change, Changed, Erased, Execution, Intent, Key, Leaf, OpenIntent, Outcome, Page, Range,
    Receipt, Revoked, Scope, Segment, Stop, Store, StoreError, TreeHead, Versioned,
};

/// Which commit is overtaken, by one of its changes, and what is written before it.
type Overtaking = (Box<dyn Fn(&Change) -> bool + Send>, Vec<Change>);

/// What somebody else has in hand.
#[derive(Clone, Default)]
pub(crate) struct Meddler(Arc<Mutex<Vec<Overtaking>>>);

impl Meddler {
    /// Has the next commit with such a change come after these.
    pub(crate) fn overtake(&self, which: impl Fn(&Change) -> bool + Send + 'static, with: Vec<Change>) {
        self.0.lock().unwrap().push((Box::new(which), with));
    }

    /// Whether every commit that was to be overtaken was.
    pub(crate) fn is_done(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }

    fn before(&self, commit: &[Change]) -> Option<Vec<Change>> {
        let mut waiting = self.0.lock().unwrap();
        let at = waiting.iter().position(|(which, _)| commit.iter().any(which))?;
        Some(waiting.remove(at).1)
    }
}

/// A store, and who meddles with it.
pub(crate) struct Meddled<S> {
    pub(crate) store: S,
    pub(crate) meddler: Meddler,
}

/// Everything but [`Store::put_cas`] is passed on as it is.
macro_rules! passed_on {
    ($($verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl<S: Store> Store for Meddled<S> {
            async fn put_cas(&self, changes: Vec<Change>, entries: Vec<Draft>) -> Result<Changed, StoreError> {
                if let Some(others) = self.meddler.before(&changes) {
                    self.store.put_cas(others, Vec::new()).await?;
                }
                self.store.put_cas(changes, entries).await
            }

            $(async fn $verb(&self, $($name: $kind),*) -> Result<$answer, StoreError> {
                self.store.$verb($($name),*).await
            })*
        }
    };
}

passed_on! {
    commit_intents(batch: Vec<Intent>) -> Vec<Admit>;
    commit_outcomes(batch: Vec<Outcome>) -> Vec<Receipt>;
    revoke(scope: Scope, stop: Stop, entry: Draft) -> Revoked;
    append(entries: Vec<Draft>) -> Vec<Receipt>;
    get(key: Key) -> Option<Versioned>;
    scan(range: Range, after: Option<Vec<u8>>, limit: usize) -> Page<Versioned>;
    scan_back(range: Range, before: Option<Vec<u8>>, limit: usize) -> Page<Versioned>;
    credentials(tenant: TenantId, sought: Sought, after: Option<Vec<u8>>, limit: usize) -> Page<Versioned>;
    last(range: Range) -> Option<Versioned>;
    sealed_before(tenant: TenantId, version: u32, limit: usize) -> Vec<(Key, Versioned)>;
    sealed_under_version(tenant: TenantId, version: u32, limit: usize) -> Vec<(Key, Versioned)>;
    sealed_under(tenant: TenantId) -> BTreeMap<u32, u64>;
    execution(id: ExecutionId) -> Option<Execution>;
    executions(tenant: TenantId, before: Option<ExecutionId>, limit: usize) -> Page<Execution>;
    executions_of(tenant: TenantId, of: CredentialId, before: Option<ExecutionId>, limit: usize) -> Page<Execution>;
    resolve() -> Vec<OpenIntent>;
    lost(after: u64, limit: usize) -> Vec<OpenIntent>;
    highest_intent() -> u64;
    audit_scan(range: AuditRange) -> Vec<Leaf>;
    audit_scan_back(tenant: Option<TenantId>, before: u64, limit: usize) -> Vec<Leaf>;
    audit_key(tenant: TenantId, owner: String) -> Option<AuditKey>;
    erase_owner(tenant: TenantId, owner: String, entry: Draft) -> Erased;
    owners(tenant: TenantId) -> Vec<String>;
    clear_tenant(tenant: TenantId) -> Cleared;
    is_erased(tenant: TenantId, owner: String) -> bool;
    tree_head() -> TreeHead;
    consistency(size: u64, to: u64) -> (Hash, Vec<Hash>);
    inclusion(seq: u64, size: u64) -> (Leaf, Vec<Hash>);
    outcomes_of(seq: u64, limit: usize) -> Vec<u64>;
    put_checkpoint(size: u64, note: String) -> ();
    checkpoints(from: u64, limit: usize) -> Vec<String>;
    newest_checkpoint() -> Option<String>;
    checkpoint_up_to(size: u64) -> Option<String>;
    frontier(size: u64) -> Frontier;
    leaf_hashes(from: u64, to: u64) -> Vec<Hash>;
    archive(segment: Segment, entry: Draft) -> u64;
    segment_of(seq: u64) -> Option<Segment>;
    expire(before_ms: u64) -> u64;
    backup(sink: Box<dyn Sink>) -> Snapshot;
    wrap(id: WrapId) -> Option<Vec<u8>>;
    sealed(after: Option<Vec<u8>>, limit: usize) -> Page<(Key, Versioned)>;
    clear_wraps(tenant: TenantId, entry: Draft) -> bool;
    wraps_changed() -> u64;
    wraps(sink: Box<dyn Sink>) -> Option<Contents>;
    health() -> ();
}
