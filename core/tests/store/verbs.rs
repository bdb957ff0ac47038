//! The verbs as values, so that a store and a model can be told the same and their answers compared.

use claviger_core::audit::{Draft, Entry, EntryOutcome, Hash};
use claviger_core::id::{ExecutionId, TenantId};
use claviger_core::store::{
    Admit, Change, Execution, Intent, Key, OpenIntent, Outcome, Range, Refusal, Row, Scope, Stop, Store, StoreError,
    Versioned,
};

use super::fixtures::tenant;
use super::log;

#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Intents(Vec<Intent>),
    Outcomes(Vec<Outcome>),
    Revoke(Scope, Stop, Box<Draft>),
    Put(Vec<Change>, Vec<Draft>),
    Append(Vec<Draft>),
    Checkpoint(u64, String),
    Expire(u64),
    Get(Key),
    Scan(Range, usize),
    Execution(ExecutionId),
    Executions(TenantId, usize),
    Resolve,
}

/// What a verb came to, as far as a model can know it: of a receipt only where the entry is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Admits(Vec<Admitted>),
    Receipts(Vec<u64>),
    Revoked {
        up_to: u64,
        open: Vec<OpenIntent>,
        seq: u64,
    },
    Changed {
        up_to: u64,
        seqs: Vec<u64>,
    },
    Done,
    Expired(u64),
    Row(Option<(u64, Row)>),
    /// Rows of each page.
    Pages(Vec<Vec<(u64, Row)>>),
    Execution(Option<Execution>),
    Executions(Vec<Vec<Execution>>),
    Open(Vec<OpenIntent>),
    Failed(Failure),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Admitted {
    Granted { intent: u64, nonce: u64, seq: u64 },
    Replay(Box<Execution>),
    InFlight(ExecutionId),
    Refused(Refusal),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Failure {
    Conflict(Key),
    NotApplied,
    Unknown,
    Corrupt,
}

/// Everything that can be read of a store.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) rows: Vec<Option<(u64, Row)>>,
    pub(crate) executions: Vec<Vec<Execution>>,
    pub(crate) open: Vec<OpenIntent>,
    pub(crate) highest: u64,
    pub(crate) entries: Vec<Written>,
    pub(crate) checkpoints: Vec<String>,
    pub(crate) newest: Option<String>,
}

/// An audit entry without what is random in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Written {
    pub(crate) tenant: String,
    pub(crate) action: String,
    pub(crate) outcome: EntryOutcome,
    pub(crate) label: String,
    pub(crate) at: String,
    pub(crate) personal: bool,
}

impl From<Entry> for Written {
    fn from(entry: Entry) -> Self {
        let Entry { tenant, action, outcome, request_id, at, personal, .. } = entry;
        Self { tenant, action, outcome, label: request_id, at, personal: personal.is_some() }
    }
}

pub(crate) async fn run(store: &dyn Store, verb: Verb) -> Answer {
    try_run(store, verb).await.unwrap_or_else(|error| {
        Answer::Failed(match error {
            StoreError::Conflict(key) => Failure::Conflict(*key),
            StoreError::NotApplied(_) => Failure::NotApplied,
            StoreError::Unknown(_) => Failure::Unknown,
            StoreError::Corrupt(_) => Failure::Corrupt,
            other => panic!("no embedded engine says {other:?}"),
        })
    })
}

async fn try_run(store: &dyn Store, verb: Verb) -> Result<Answer, StoreError> {
    Ok(match verb {
        Verb::Intents(batch) => Answer::Admits(store.commit_intents(batch).await?.into_iter().map(admitted).collect()),
        Verb::Outcomes(batch) => Answer::Receipts(seqs(&store.commit_outcomes(batch).await?)),
        Verb::Revoke(scope, stop, entry) => {
            let revoked = store.revoke(scope, stop, *entry).await?;
            Answer::Revoked { up_to: revoked.up_to, open: revoked.open, seq: revoked.receipt.seq }
        }
        Verb::Put(changes, entries) => {
            let made = store.put_cas(changes, entries).await?;
            Answer::Changed { up_to: made.up_to, seqs: seqs(&made.receipts) }
        }
        Verb::Append(entries) => Answer::Receipts(seqs(&store.append(entries).await?)),
        Verb::Checkpoint(size, note) => store.put_checkpoint(size, note).await.map(|()| Answer::Done)?,
        Verb::Expire(before_ms) => Answer::Expired(store.expire(before_ms).await?),
        Verb::Get(key) => Answer::Row(store.get(key).await?.map(pair)),
        Verb::Scan(range, limit) => Answer::Pages(pages(store, range, limit).await?),
        Verb::Execution(id) => Answer::Execution(store.execution(id).await?.map(blurred)),
        Verb::Executions(tenant, limit) => Answer::Executions(executions(store, tenant, limit).await?),
        Verb::Resolve => Answer::Open(store.resolve().await?),
    })
}

/// Reads everything, and checks on the way that the audit log is whole.
pub(crate) async fn read_all(store: &dyn Store, keys: &[Key]) -> State {
    let entries = log::verified(store).await;
    let mut rows = Vec::new();
    for key in keys {
        rows.push(store.get(key.clone()).await.unwrap().map(pair));
    }
    let mut by_tenant = Vec::new();
    for n in [0, 1] {
        by_tenant.push(executions(store, tenant(n), 100).await.unwrap().concat());
    }
    State {
        rows,
        executions: by_tenant,
        open: store.resolve().await.unwrap(),
        highest: store.highest_intent().await.unwrap(),
        entries: entries.into_iter().map(Written::from).collect(),
        checkpoints: store.checkpoints(0, 1_000).await.unwrap(),
        newest: store.newest_checkpoint().await.unwrap(),
    }
}

async fn pages(store: &dyn Store, range: Range, limit: usize) -> Result<Vec<Vec<(u64, Row)>>, StoreError> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = store.scan(range.clone(), after.clone(), limit).await?;
        pages.push(page.rows.into_iter().map(pair).collect());
        assert!(page.next.is_none() || page.next != after, "a cursor that stands still");
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(pages),
        }
    }
}

async fn executions(store: &dyn Store, tenant: TenantId, limit: usize) -> Result<Vec<Vec<Execution>>, StoreError> {
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let page = store.executions(tenant, before, limit).await?;
        before = page.rows.last().map(|row| row.id);
        pages.push(page.rows.into_iter().map(blurred).collect());
        if page.next.is_none() {
            return Ok(pages);
        }
    }
}

fn admitted(admit: Admit) -> Admitted {
    match admit {
        Admit::Granted(granted) => {
            Admitted::Granted { intent: granted.intent(), nonce: granted.nonce(), seq: granted.receipt().seq }
        }
        Admit::Replay(execution) => Admitted::Replay(Box::new(blurred(*execution))),
        Admit::InFlight(id) => Admitted::InFlight(id),
        Admit::Refused(refusal) => Admitted::Refused(refusal),
    }
}

/// A model does not know the salt, and so not the hash.
fn blurred(mut execution: Execution) -> Execution {
    execution.receipt.leaf_hash = Hash::of_empty_tree();
    execution
}

fn pair(found: Versioned) -> (u64, Row) {
    (found.version, found.row)
}

fn seqs(receipts: &[claviger_core::audit::Receipt]) -> Vec<u64> {
    receipts.iter().map(|receipt| receipt.seq).collect()
}
