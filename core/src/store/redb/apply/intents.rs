//! Intents, their outcomes, and when they are forgotten.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use redb::ReadableTable;

use super::super::super::rules::{passes_state, passes_stop};
use super::super::super::{
    ANSWER_BYTES_MAX, Admit, Execution, ExecutionState, Granted, Idempotency, Intent, IntentKind, Key, NewExecution,
    OpenIntent, Outcome, Receipt, Recent, Refusal, Row, Scopes, Spent, StoreError, Versioned,
};
use super::super::tables::{self, Id};
use super::{Apply, Failed};
use crate::id::ExecutionId;

/// Executions that are forgotten in one go.
const EXPIRED_AT_ONCE: usize = 1_000;

impl Apply<'_> {
    pub(in super::super) fn intents(&mut self, batch: &[Intent]) -> Result<Vec<Admit>, Failed> {
        batch.iter().map(|intent| self.intent(intent)).collect()
    }

    fn intent(&mut self, intent: &Intent) -> Result<Admit, Failed> {
        if let Some(new) = &intent.execution
            && let Some(used) = self.used(&intent.scopes, new)?
        {
            return Ok(used);
        }
        if let Some(refusal) = self.refusal(intent)? {
            return Ok(Admit::Refused(refusal));
        }
        if let Some(refusal) = self.spend(intent)? {
            return Ok(Admit::Refused(refusal));
        }
        if let Some(used) = &intent.uses {
            self.records.remove(tables::key(used).as_slice())?;
        }
        self.log.intents = self.log.intents.saturating_add(1);
        let number = self.log.intents;
        let nonce = if intent.nonce { self.nonce(intent)? } else { 0 };
        let receipt = self.append(&intent.entry)?;
        let at_ms = self.clock.unix_ms();
        let open = OpenIntent {
            intent: number,
            execution: intent.execution.as_ref().map(|new| new.id),
            scopes: intent.scopes.clone(),
            at_ms,
            release: intent.execution.as_ref().is_some_and(|new| new.release),
            valid_until_ms: None,
            questions: intent.execution.as_ref().map(|new| new.questions.clone()).unwrap_or_default(),
        };
        self.open.insert(number, tables::encode(&open)?.as_slice())?;
        if let Some(new) = &intent.execution {
            self.begin(new, open, receipt.clone())?;
        }
        Ok(Admit::Granted(Granted::new(number, nonce, receipt)))
    }

    /// What the idempotency key was used for before.
    fn used(&mut self, scopes: &Scopes, new: &NewExecution) -> Result<Option<Admit>, Failed> {
        let claim = tables::claim(scopes.tenant, scopes.app, &new.idempotency.key);
        let Some((request, id)) = self.claimant(&claim)? else { return Ok(None) };
        if request != new.idempotency.request {
            return Ok(Some(Admit::Refused(Refusal::KeyReused)));
        }
        let execution = self.execution(id)?;
        let execution = execution.ok_or_else(|| corrupt("an idempotency claim without its execution"))?;
        Ok(match execution.state {
            ExecutionState::Open => Some(Admit::InFlight(execution.id)),
            // Nothing was sent, so nothing is repeated: the same request may try again under its key.
            ExecutionState::Failed => None,
            ExecutionState::Acked | ExecutionState::Rejected | ExecutionState::Unknown | ExecutionState::Released => {
                Some(Admit::Replay(Box::new(execution)))
            }
        })
    }

    /// Which request claimed an idempotency key, and for which execution.
    fn claimant(&self, claim: &[u8]) -> Result<Option<([u8; 32], Id)>, Failed> {
        let Some(stored) = self.idempotency.get(claim)? else { return Ok(None) };
        let stored = stored.value();
        let parts = stored.split_first_chunk::<32>().and_then(|(request, id)| Some((*request, id.try_into().ok()?)));
        parts.map(Some).ok_or_else(|| corrupt("an idempotency claim"))
    }

    /// Takes what the intent spends, all of it or nothing; the last thing that can refuse it.
    fn spend(&mut self, intent: &Intent) -> Result<Option<Refusal>, Failed> {
        let now_ms = self.clock.unix_ms();
        let mut spent: BTreeMap<Key, Row> = BTreeMap::new();
        for charge in &intent.charges {
            let key = Key::Spent(charge.spender);
            let Row::Spent(meters) = self.kept(&mut spent, key, || Row::Spent(Spent::default()))? else { continue };
            if !meters.take(charge, now_ms) {
                return Ok(Some(Refusal::Spent(Box::new(charge.clone()))));
            }
        }
        let Scopes { tenant, venue, credential: Some(credential), .. } = intent.scopes else {
            return self.write_all(&spent).map(|()| None);
        };
        for order in &intent.resting {
            let key = Key::Recent(tenant, venue, order.market.clone());
            let Row::Recent(recent) = self.kept(&mut spent, key, || Row::Recent(Recent::default()))? else { continue };
            if !recent.take(credential, order, now_ms) {
                return Ok(Some(Refusal::SelfTrade));
            }
        }
        self.write_all(&spent).map(|()| None)
    }

    /// A row that is about to be written, else as it is stored, else as it begins.
    fn kept<'a>(
        &self,
        rows: &'a mut BTreeMap<Key, Row>,
        key: Key,
        begins: impl FnOnce() -> Row,
    ) -> Result<&'a mut Row, Failed> {
        Ok(match rows.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let row = self.row(entry.key())?.map_or_else(begins, |stored| stored.row);
                entry.insert(row)
            }
        })
    }

    fn write_all(&mut self, rows: &BTreeMap<Key, Row>) -> Result<(), Failed> {
        rows.iter().try_for_each(|(key, row)| self.write(key, row))
    }

    /// Why an intent may not be granted.
    fn refusal(&self, intent: &Intent) -> Result<Option<Refusal>, Failed> {
        for scope in intent.scopes.each() {
            if let Some(stop) = self.stopped(&scope)?
                && !passes_stop(stop, intent.kind, intent.effect)
            {
                return Ok(Some(Refusal::Stopped(scope, stop)));
            }
        }
        for (key, version) in &intent.seen {
            if self.row(key)?.map_or(0, |row| row.version) != *version {
                return Ok(Some(Refusal::Stale));
            }
        }
        let Some(credential) = intent.scopes.credential else { return Ok(None) };
        if self.row(&Key::Withdrawn(intent.scopes.tenant))?.is_some() {
            return Ok(Some(Refusal::Withdrawn));
        }
        let key = Key::Credential(intent.scopes.tenant, credential);
        let Some(Versioned { row: Row::Credential(stored), .. }) = self.row(&key)? else {
            // What is being enrolled has no row yet, and only Claviger itself may use it.
            let enrolling = intent.kind == IntentKind::System && intent.epoch.is_none();
            return Ok((!enrolling).then_some(Refusal::Gone));
        };
        if !passes_state(stored.state, intent.kind, intent.effect) {
            return Ok(Some(Refusal::State(stored.state)));
        }
        Ok((intent.epoch != Some(stored.epoch)).then_some(Refusal::Stale))
    }

    /// Strictly increasing per credential, and never behind the clock.
    fn nonce(&mut self, intent: &Intent) -> Result<u64, Failed> {
        let id = intent.scopes.credential.map_or([0; 16], |id| *id.as_bytes());
        let last = self.nonces.get(id)?.map_or(0, |value| value.value());
        let nonce = last.saturating_add(1).max(self.clock.unix_ns());
        self.nonces.insert(id, nonce)?;
        Ok(nonce)
    }

    /// Claims the idempotency key and makes the execution.
    fn begin(&mut self, new: &NewExecution, open: OpenIntent, receipt: Receipt) -> Result<(), Failed> {
        let id = *new.id.as_bytes();
        let OpenIntent { intent, scopes, at_ms, .. } = open;
        let claim = tables::claim(scopes.tenant, scopes.app, &new.idempotency.key);
        let claimed = [new.idempotency.request.as_slice(), &id].concat();
        self.idempotency.insert(claim.as_slice(), claimed.as_slice())?;
        self.due.insert((at_ms, intent), id)?;
        self.tenant_executions.insert((*scopes.tenant.as_bytes(), id), ())?;
        let execution = Execution {
            id: new.id,
            intent,
            // Whose it is the intent says, until it is settled: executions are kept, and owners may be erased.
            scopes: Scopes { owner: None, ..scopes },
            operation: new.operation.clone(),
            key: new.idempotency.key.clone(),
            state: ExecutionState::Open,
            at_ms,
            receipt,
            answer: None,
            valid_until_ms: None,
        };
        if self.put_execution(&execution)? {
            return Err(Failed::Spoiled(StoreError::NotApplied(format!("{} is taken", new.id))));
        }
        Ok(())
    }

    pub(in super::super) fn outcomes(&mut self, batch: &[Outcome]) -> Result<Vec<Receipt>, Failed> {
        if batch.iter().any(|outcome| outcome.state == ExecutionState::Open) {
            return Err(Failed::Refused(StoreError::NotApplied("an outcome cannot be that it is open".to_owned())));
        }
        batch.iter().map(|outcome| self.outcome(outcome)).collect()
    }

    fn outcome(&mut self, outcome: &Outcome) -> Result<Receipt, Failed> {
        let mut entry = outcome.entry.clone();
        if let Some(id) = self.awaited(outcome)? {
            let execution = self.execution(*id.as_bytes())?;
            let mut execution = execution.ok_or_else(|| corrupt("an intent without its execution"))?;
            entry.intent.get_or_insert(execution.receipt.seq);
            execution.state = outcome.state;
            execution.valid_until_ms = outcome.valid_until_ms;
            if self.due.get((execution.at_ms, execution.intent))?.is_some() {
                execution.answer.clone_from(&outcome.answer);
                execution.answer.iter_mut().for_each(|answer| answer.body.truncate(ANSWER_BYTES_MAX));
            }
            self.put_execution(&execution)?;
        }
        self.append(&entry)
    }

    /// Takes the intent from those that wait for this outcome, and says which execution it belongs to.
    fn awaited(&mut self, outcome: &Outcome) -> Result<Option<ExecutionId>, Failed> {
        let mut waits = self.open.remove(outcome.intent)?.map(|row| row.value().to_vec());
        if waits.is_none() {
            waits = self.unknown.remove(outcome.intent)?.map(|row| row.value().to_vec());
        }
        let Some(bytes) = waits else { return Ok(None) };
        let intent: OpenIntent = tables::decode(&bytes)?;
        if outcome.state == ExecutionState::Unknown && intent.execution.is_some() {
            self.unknown.insert(outcome.intent, bytes.as_slice())?;
        }
        let execution = intent.execution;
        if let Some(until_ms) = outcome.valid_until_ms {
            self.release(until_ms, intent)?;
        }
        Ok(execution)
    }

    /// Keeps a released signature's intent until it expires, and forgets those that did.
    fn release(&mut self, until_ms: u64, intent: OpenIntent) -> Result<(), Failed> {
        self.released.retain_in(..(self.clock.unix_ms(), 0), |_, _| false)?;
        let released = OpenIntent { valid_until_ms: Some(until_ms), ..intent };
        self.released.insert((until_ms, released.intent), tables::encode(&released)?.as_slice())?;
        Ok(())
    }

    fn execution(&self, id: Id) -> Result<Option<Execution>, Failed> {
        let row = self.executions.get(id)?;
        Ok(row.map(|row| tables::decode(row.value())).transpose()?)
    }

    /// Writes an execution and says whether there was one before.
    fn put_execution(&mut self, row: &Execution) -> Result<bool, Failed> {
        let bytes = tables::encode(row)?;
        Ok(self.executions.insert(*row.id.as_bytes(), bytes.as_slice())?.is_some())
    }

    pub(in super::super) fn expire(&mut self, before_ms: u64) -> Result<u64, Failed> {
        self.sweep()?;
        let mut forgotten: u64 = 0;
        for execution in self.past_due(before_ms)? {
            // A failed execution's key may be a newer one's by now; that claim stays.
            let claim = tables::claim(execution.scopes.tenant, execution.scopes.app, &execution.key);
            let its_own = self.claimant(&claim)?.is_some_and(|(_, id)| id == *execution.id.as_bytes());
            if its_own && !execution.key.starts_with(Idempotency::FOR_GOOD) {
                self.idempotency.remove(claim.as_slice())?;
            }
            self.due.remove((execution.at_ms, execution.intent))?;
            self.unknown.remove(execution.intent)?;
            if execution.answer.is_some() {
                self.put_execution(&Execution { answer: None, ..execution })?;
            }
            forgotten = forgotten.saturating_add(1);
        }
        Ok(forgotten)
    }

    /// Forgets orders that no longer count against self-trades, and approvals that nobody used in time.
    fn sweep(&mut self) -> Result<(), Failed> {
        let now_ms = self.clock.unix_ms();
        let [recent, approved] = tables::PASSING.map(|kind| vec![kind]..vec![kind.saturating_add(1)]);
        for range in [recent, approved] {
            let over = |bytes: &[u8]| match tables::decode_row(bytes).map(|found| found.row) {
                Ok(Row::Recent(recent)) => recent.is_over(now_ms),
                Ok(Row::Approved { expires_ms }) => expires_ms <= now_ms,
                _ => false,
            };
            let range = range.start.as_slice()..range.end.as_slice();
            self.records.retain_in(range, |_, bytes| !over(bytes))?;
        }
        Ok(())
    }

    /// Executions to be forgotten, oldest first. To forget an open one would let the same order be placed twice.
    fn past_due(&self, before_ms: u64) -> Result<Vec<Execution>, Failed> {
        let mut due = Vec::new();
        for row in self.due.range(..(before_ms, 0))? {
            let (_, id) = row?;
            let execution = self.execution(id.value())?;
            let execution = execution.ok_or_else(|| corrupt("an execution that is due and not there"))?;
            if execution.state != ExecutionState::Open {
                due.push(execution);
            }
            if due.len() == EXPIRED_AT_ONCE {
                break;
            }
        }
        Ok(due)
    }
}

fn corrupt(what: &str) -> Failed {
    Failed::Spoiled(StoreError::Corrupt(what.to_owned()))
}
