//! What each job does inside the one write transaction. A refusal writes nothing.

use redb::{ReadableTable, Table, WriteTransaction};

use super::super::{
    Admit, Change, Changed, Draft, Execution, ExecutionState, Expect, Granted, Intent, IntentKind, Key, OpenIntent,
    Outcome, Receipt, Refusal, Revoked, Row, Scope, Scopes, Stop, StoreError, Versioned,
};
use super::log::Log;
use super::tables::{self, Bytes, Id};
use crate::audit::{AuditKey, Stamp, leaf_hash};
use crate::clock::Clock;
use crate::credential::{Credential, State};
use crate::id::ExecutionId;
use crate::store::Effect;

/// The engine itself failed; every job of the batch is affected.
#[derive(Debug)]
pub(super) enum Failed {
    /// Before the commit: certainly nothing is stored.
    Before(String),
    /// In the commit: the file must say.
    InCommit(String, Box<Log>),
}

impl Failed {
    pub(super) fn before(error: impl std::fmt::Display) -> Self {
        Self::Before(error.to_string())
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Before(why) | Self::InCommit(why, _) => f.write_str(why),
        }
    }
}

/// What a job comes to: an answer, a refusal, or the end of the batch.
type Done<T> = Result<Result<T, StoreError>, Failed>;

macro_rules! refuse {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Ok(Err(error)),
        }
    };
}

pub(super) struct Apply<'tx> {
    records: Table<'tx, Bytes, Bytes>,
    executions: Table<'tx, Id, Bytes>,
    tenant_executions: Table<'tx, (Id, Id), ()>,
    idempotency: Table<'tx, Bytes, Bytes>,
    nonces: Table<'tx, Id, u64>,
    open: Table<'tx, u64, Bytes>,
    leaves: Table<'tx, u64, Bytes>,
    nodes: Table<'tx, (u8, u64), [u8; 32]>,
    tenant_leaves: Table<'tx, (&'static str, u64), u64>,
    tenant_counts: Table<'tx, &'static str, u64>,
    audit_keys: Table<'tx, (&'static str, &'static str), [u8; 32]>,
    checkpoints: Table<'tx, u64, &'static str>,
    meta: Table<'tx, &'static str, u64>,
    log: &'tx mut Log,
    clock: &'tx dyn Clock,
}

pub(super) fn make_tables(transaction: &WriteTransaction) -> Result<(), redb::Error> {
    let mut log = Log::default();
    let mut apply = Apply::open(transaction, &mut log, &crate::clock::SystemClock)?;
    apply.meta.insert(tables::FORMAT, tables::FORMAT_NOW)?;
    for counter in [tables::INTENTS, tables::LEAF_COUNT, tables::COMMITS, tables::EXPIRED] {
        apply.meta.insert(counter, 0)?;
    }
    Ok(())
}

impl<'tx> Apply<'tx> {
    pub(super) fn new(
        transaction: &'tx WriteTransaction,
        log: &'tx mut Log,
        clock: &'tx dyn Clock,
    ) -> Result<Self, Failed> {
        Self::open(transaction, log, clock).map_err(Failed::before)
    }

    fn open(tx: &'tx WriteTransaction, log: &'tx mut Log, clock: &'tx dyn Clock) -> Result<Self, redb::Error> {
        Ok(Self {
            records: tx.open_table(tables::RECORDS)?,
            executions: tx.open_table(tables::EXECUTIONS)?,
            tenant_executions: tx.open_table(tables::TENANT_EXECUTIONS)?,
            idempotency: tx.open_table(tables::IDEMPOTENCY)?,
            nonces: tx.open_table(tables::NONCES)?,
            open: tx.open_table(tables::OPEN)?,
            leaves: tx.open_table(tables::LEAVES)?,
            nodes: tx.open_table(tables::NODES)?,
            tenant_leaves: tx.open_table(tables::TENANT_LEAVES)?,
            tenant_counts: tx.open_table(tables::TENANT_COUNTS)?,
            audit_keys: tx.open_table(tables::AUDIT_KEYS)?,
            checkpoints: tx.open_table(tables::CHECKPOINTS)?,
            meta: tx.open_table(tables::META)?,
            log,
            clock,
        })
    }

    /// Writes the counters; the last thing before the commit.
    pub(super) fn finish(mut self) -> Result<(), Failed> {
        let counters = [
            (tables::INTENTS, self.log.intents),
            (tables::LEAF_COUNT, self.log.frontier.size()),
            (tables::COMMITS, self.log.commits),
        ];
        for (name, value) in counters {
            self.meta.insert(name, value).map_err(Failed::before)?;
        }
        Ok(())
    }

    // ---- intents and outcomes

    pub(super) fn intents(&mut self, batch: Vec<Intent>) -> Done<Vec<Admit>> {
        let mut admits = Vec::with_capacity(batch.len());
        for intent in batch {
            admits.push(refuse!(self.intent(intent)?));
        }
        Ok(Ok(admits))
    }

    fn intent(&mut self, intent: Intent) -> Done<Admit> {
        if let Some(replay) = refuse!(self.claimed(&intent)?) {
            return Ok(Ok(replay));
        }
        if let Some(refusal) = refuse!(self.refusal(&intent)?) {
            return Ok(Ok(Admit::Refused(refusal)));
        }
        self.log.intents = self.log.intents.saturating_add(1);
        let number = self.log.intents;
        let nonce = if intent.nonce { self.nonce(&intent)? } else { 0 };
        let receipt = self.append(intent.entry)?;
        let at_ms = self.clock.unix_ms();
        let execution = intent.execution.as_ref().map(|new| new.id);
        let open = OpenIntent { intent: number, execution, scopes: intent.scopes.clone(), at_ms };
        self.open.insert(number, refuse!(tables::encode(&open)).as_slice()).map_err(Failed::before)?;
        if let Some(new) = intent.execution {
            let claim = tables::claim(intent.scopes.tenant, intent.scopes.app, &new.idempotency.key);
            let mut claimed = new.idempotency.request.to_vec();
            claimed.extend_from_slice(new.id.as_bytes());
            self.idempotency.insert(claim.as_slice(), claimed.as_slice()).map_err(Failed::before)?;
            let row = Execution {
                id: new.id,
                intent: number,
                scopes: intent.scopes,
                operation: new.operation,
                key: new.idempotency.key,
                state: ExecutionState::Open,
                at_ms,
                receipt: receipt.clone(),
                answer: None,
            };
            refuse!(self.put_execution(&row)?);
            let index = (*row.scopes.tenant.as_bytes(), *row.id.as_bytes());
            self.tenant_executions.insert(index, ()).map_err(Failed::before)?;
        }
        Ok(Ok(Admit::Granted(Granted::new(number, nonce, receipt))))
    }

    /// What the idempotency key was used for before.
    fn claimed(&mut self, intent: &Intent) -> Done<Option<Admit>> {
        let Some(new) = &intent.execution else { return Ok(Ok(None)) };
        let claim = tables::claim(intent.scopes.tenant, intent.scopes.app, &new.idempotency.key);
        let stored = self.idempotency.get(claim.as_slice()).map_err(Failed::before)?.map(|v| v.value().to_vec());
        let Some(stored) = stored else { return Ok(Ok(None)) };
        let Some((request, id)) = stored.split_at_checked(32) else {
            return Ok(Err(StoreError::Corrupt("an idempotency claim".to_owned())));
        };
        if request != new.idempotency.request.as_slice() {
            return Ok(Ok(Some(Admit::Refused(Refusal::KeyReused))));
        }
        let Ok(id) = <Id>::try_from(id) else {
            return Ok(Err(StoreError::Corrupt("an idempotency claim".to_owned())));
        };
        let Some(execution) = refuse!(self.execution(id)?) else {
            return Ok(Err(StoreError::Corrupt("an idempotency claim without its execution".to_owned())));
        };
        Ok(Ok(Some(match execution.state {
            ExecutionState::Open => Admit::InFlight(ExecutionId::from_bytes(id)),
            _ => Admit::Replay(Box::new(execution)),
        })))
    }

    fn refusal(&mut self, intent: &Intent) -> Done<Option<Refusal>> {
        // A probe asks the venue about the key, whatever is stopped: it decides nothing and trades nothing.
        let system = intent.kind == IntentKind::System;
        if !system {
            for scope in intent.scopes.each() {
                if let Some(stop) = refuse!(self.stopped(&scope)?)
                    && !passes(stop, intent.effect)
                {
                    return Ok(Ok(Some(Refusal::Stopped(scope, stop))));
                }
            }
        }
        let (Some(credential), Some(epoch)) = (intent.scopes.credential, intent.epoch) else { return Ok(Ok(None)) };
        let stored = refuse!(self.row(&Key::Credential(intent.scopes.tenant, credential))?);
        let Some(Versioned { row: Row::Credential(stored), .. }) = stored else {
            return Ok(Ok(Some(Refusal::Gone)));
        };
        let allowed = match stored.state {
            State::Active => true,
            State::ReduceOnly => system || passes(Stop::ReduceOnly, intent.effect),
            State::Pending | State::Frozen => system,
            State::Revoked => false,
        };
        if !allowed {
            return Ok(Ok(Some(Refusal::State(stored.state))));
        }
        Ok(Ok((stored.epoch != epoch).then_some(Refusal::Stale)))
    }

    fn stopped(&mut self, scope: &Scope) -> Done<Option<Stop>> {
        Ok(Ok(match refuse!(self.row(&Key::Stopped(scope.clone()))?) {
            Some(Versioned { row: Row::Stopped(stop), .. }) => Some(stop),
            _ => None,
        }))
    }

    /// Strictly increasing per credential, and never behind the clock.
    fn nonce(&mut self, intent: &Intent) -> Result<u64, Failed> {
        let id = intent.scopes.credential.map_or([0; 16], |id| *id.as_bytes());
        let last = self.nonces.get(id).map_err(Failed::before)?.map_or(0, |value| value.value());
        let nonce = last.saturating_add(1).max(self.clock.unix_ns());
        self.nonces.insert(id, nonce).map_err(Failed::before)?;
        Ok(nonce)
    }

    pub(super) fn outcomes(&mut self, batch: Vec<Outcome>) -> Done<Vec<Receipt>> {
        let mut receipts = Vec::with_capacity(batch.len());
        for outcome in batch {
            receipts.push(refuse!(self.outcome(outcome)?));
        }
        Ok(Ok(receipts))
    }

    fn outcome(&mut self, outcome: Outcome) -> Done<Receipt> {
        let open = self.open.remove(outcome.intent).map_err(Failed::before)?.map(|v| v.value().to_vec());
        if let Some(open) = open {
            let open: OpenIntent = refuse!(tables::decode(&open));
            if let Some(id) = open.execution
                && let Some(mut execution) = refuse!(self.execution(*id.as_bytes())?)
            {
                execution.state = outcome.state;
                execution.answer = outcome.answer;
                refuse!(self.put_execution(&execution)?);
            }
        }
        Ok(Ok(self.append(outcome.entry)?))
    }

    fn execution(&self, id: Id) -> Done<Option<Execution>> {
        let row = self.executions.get(id).map_err(Failed::before)?;
        Ok(row.map(|row| tables::decode(row.value())).transpose())
    }

    fn put_execution(&mut self, row: &Execution) -> Done<()> {
        let bytes = refuse!(tables::encode(row));
        self.executions.insert(*row.id.as_bytes(), bytes.as_slice()).map_err(Failed::before)?;
        Ok(Ok(()))
    }

    pub(super) fn expire(&mut self, before_ms: u64) -> Done<u64> {
        const AT_ONCE: usize = 1_000;
        let from = self.meta.get(tables::EXPIRED).map_err(Failed::before)?.map_or(0, |v| v.value());
        let mut due = Vec::new();
        for row in self.executions.range(first_of(from)..first_of(before_ms)).map_err(Failed::before)?.take(AT_ONCE) {
            let (_, row) = row.map_err(Failed::before)?;
            due.push(refuse!(tables::decode::<Execution>(row.value())));
        }
        let full = due.len() == AT_ONCE;
        let to = if full { due.last().map_or(before_ms, |last| last.at_ms) } else { before_ms };
        let mut expired: u64 = 0;
        for mut row in due {
            let claim = tables::claim(row.scopes.tenant, row.scopes.app, &row.key);
            self.idempotency.remove(claim.as_slice()).map_err(Failed::before)?;
            if row.answer.take().is_some() {
                refuse!(self.put_execution(&row)?);
            }
            expired = expired.saturating_add(1);
        }
        // Rows of one millisecond could outnumber a batch; going on by at least one never stands still.
        let to = if full { to.max(from.saturating_add(1)) } else { to };
        self.meta.insert(tables::EXPIRED, to.max(from)).map_err(Failed::before)?;
        Ok(Ok(expired))
    }

    // ---- changes

    pub(super) fn revoke(&mut self, scope: Scope, stop: Stop, entry: Draft) -> Done<Revoked> {
        let up_to = self.log.intents;
        match &scope {
            Scope::Credential(id) => {
                let tenant = refuse!(self.tenant_of(&entry));
                let key = Key::Credential(tenant, *id);
                let Some(Versioned { version, row: Row::Credential(mut row) }) = refuse!(self.row(&key)?) else {
                    return Ok(Err(StoreError::Conflict(Box::new(key))));
                };
                row.state = tightened(&row, stop);
                row.epoch = row.epoch.saturating_add(1);
                row.changed_ms = self.clock.unix_ms();
                refuse!(self.write(&key, version.saturating_add(1), &Row::Credential(row))?);
            }
            scope => {
                let key = Key::Stopped(scope.clone());
                let before = refuse!(self.row(&key)?);
                let (version, was) = match before {
                    Some(Versioned { version, row: Row::Stopped(was) }) => (version, Some(was)),
                    _ => (0, None),
                };
                let stop = was.map_or(stop, |was| was.max(stop));
                refuse!(self.write(&key, version.saturating_add(1), &Row::Stopped(stop))?);
            }
        }
        let receipt = self.append(entry)?;
        let open = refuse!(self.open_in(&scope)?);
        Ok(Ok(Revoked { up_to, open, receipt }))
    }

    fn tenant_of(&self, entry: &Draft) -> Result<crate::id::TenantId, StoreError> {
        entry.tenant.parse().map_err(|_| StoreError::NotApplied("a credential's entry names its tenant".to_owned()))
    }

    fn open_in(&self, scope: &Scope) -> Done<Vec<OpenIntent>> {
        let mut found = Vec::new();
        for row in self.open.iter().map_err(Failed::before)? {
            let (_, row) = row.map_err(Failed::before)?;
            let open: OpenIntent = refuse!(tables::decode(row.value()));
            if lies_in(&open.scopes, scope) {
                found.push(open);
            }
        }
        Ok(Ok(found))
    }

    pub(super) fn put(&mut self, changes: Vec<Change>, entries: Vec<Draft>) -> Done<Changed> {
        let mut versions = Vec::with_capacity(changes.len());
        for change in &changes {
            let stored = refuse!(self.row(&change.key)?).map(|row| row.version);
            let as_expected = match change.expect {
                Expect::Absent => stored.is_none(),
                Expect::Version(version) => stored == Some(version),
                Expect::Any => true,
            };
            if !as_expected {
                return Ok(Err(StoreError::Conflict(Box::new(change.key.clone()))));
            }
            versions.push(stored.unwrap_or(0));
        }
        for (change, version) in changes.iter().zip(versions) {
            match &change.row {
                Some(row) => refuse!(self.write(&change.key, version.saturating_add(1), row)?),
                None => {
                    self.records.remove(tables::key(&change.key).as_slice()).map_err(Failed::before)?;
                }
            }
        }
        let receipts = refuse!(self.append_all(entries)?);
        Ok(Ok(Changed { up_to: self.log.intents, receipts }))
    }

    pub(super) fn checkpoint(&mut self, size: u64, note: &str) -> Done<()> {
        self.checkpoints.insert(size, note).map_err(Failed::before)?;
        Ok(Ok(()))
    }

    fn row(&self, key: &Key) -> Done<Option<Versioned>> {
        let bytes = self.records.get(tables::key(key).as_slice()).map_err(Failed::before)?;
        Ok(bytes.map(|bytes| tables::decode_row(bytes.value())).transpose())
    }

    fn write(&mut self, key: &Key, version: u64, row: &Row) -> Done<()> {
        let bytes = refuse!(tables::encode_row(version, row));
        self.records.insert(tables::key(key).as_slice(), bytes.as_slice()).map_err(Failed::before)?;
        Ok(Ok(()))
    }

    // ---- the audit log

    pub(super) fn append_all(&mut self, entries: Vec<Draft>) -> Done<Vec<Receipt>> {
        entries.into_iter().map(|entry| self.append(entry)).collect::<Result<_, _>>().map(Ok)
    }

    fn append(&mut self, draft: Draft) -> Result<Receipt, Failed> {
        let seq = self.log.frontier.size();
        let mut salt = [0; 16];
        aws_lc_rs::rand::fill(&mut salt).map_err(|_| Failed::Before("no random numbers".to_owned()))?;
        let tenant_seq = self.tenant_seq(&draft.tenant, seq)?;
        let audit_key = self.audit_key(&draft)?;
        let stamp = Stamp { writer: writer_of(&self.log.origin).to_owned(), seq, at_ms: self.clock.unix_ms(), tenant_seq, salt };
        let leaf = draft.into_entry(stamp, audit_key.as_ref()).to_leaf();
        let hash = leaf_hash(&leaf);
        self.leaves.insert(seq, leaf.as_slice()).map_err(Failed::before)?;
        for node in self.log.frontier.push(hash) {
            self.nodes.insert((node.level, node.index), *node.hash.as_bytes()).map_err(Failed::before)?;
        }
        Ok(Receipt { origin: self.log.origin.clone(), seq, leaf_hash: hash })
    }

    fn tenant_seq(&mut self, tenant: &str, seq: u64) -> Result<u64, Failed> {
        if tenant.is_empty() {
            return Ok(0);
        }
        let count = self.tenant_counts.get(tenant).map_err(Failed::before)?.map_or(0, |v| v.value());
        let count = count.saturating_add(1);
        self.tenant_counts.insert(tenant, count).map_err(Failed::before)?;
        self.tenant_leaves.insert((tenant, count), seq).map_err(Failed::before)?;
        Ok(count)
    }

    /// The owner's audit key, made when the first entry names the owner.
    fn audit_key(&mut self, draft: &Draft) -> Result<Option<AuditKey>, Failed> {
        let Some(personal) = &draft.personal else { return Ok(None) };
        let at = (draft.tenant.as_str(), personal.owner.as_str());
        if let Some(key) = self.audit_keys.get(at).map_err(Failed::before)?.map(|v| v.value()) {
            return Ok(Some(AuditKey::new(key)));
        }
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| Failed::Before("no random numbers".to_owned()))?;
        self.audit_keys.insert(at, key).map_err(Failed::before)?;
        Ok(Some(AuditKey::new(key)))
    }
}

/// Whether a stop lets an effect through. Reads go on under `reduce-only`.
fn passes(stop: Stop, effect: Effect) -> bool {
    match stop {
        Stop::ReduceOnly => effect != Effect::Opens,
        Stop::Frozen | Stop::Revoked => false,
    }
}

fn tightened(row: &Credential, stop: Stop) -> State {
    match (row.state, stop) {
        (State::Revoked, _) | (_, Stop::Revoked) => State::Revoked,
        (State::Frozen | State::Pending, _) | (_, Stop::Frozen) => State::Frozen,
        (State::Active | State::ReduceOnly, Stop::ReduceOnly) => State::ReduceOnly,
    }
}

fn lies_in(scopes: &Scopes, scope: &Scope) -> bool {
    scopes.each().any(|own| own == *scope)
}

/// The smallest execution id of a millisecond: ids begin with 48 bits of time.
fn first_of(unix_ms: u64) -> Id {
    let mut id = [0; 16];
    let time = unix_ms.to_be_bytes();
    if let (Some(to), Some(from)) = (id.get_mut(..6), time.get(2..)) {
        to.copy_from_slice(from);
    }
    id
}

/// The writer's name: what follows the last slash of the log's origin.
fn writer_of(origin: &str) -> &str {
    origin.rsplit('/').next().unwrap_or(origin)
}
