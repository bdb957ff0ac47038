//! The store as a few maps in memory: what every engine is compared with.

use std::collections::{BTreeMap, BTreeSet};

use claviger_core::audit::{Draft, Hash, Receipt, Subject, timestamp};
use claviger_core::clock::Clock;
use claviger_core::id::{AppId, CredentialId, ExecutionId, TenantId};
use claviger_core::store::{
    Change, Execution, ExecutionState, Expect, Intent, Key, OpenIntent, Outcome, Row, Scope, Scopes, Stop,
};

use super::fixtures::{ORIGIN, tenant};
use super::verbs::{Admitted, Answer, Failure, State, Verb, Written};

mod decide;
mod lists;

/// Everything that a store remembers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) rows: BTreeMap<Key, (u64, Row)>,
    changes: u64,
    executions: BTreeMap<ExecutionId, Execution>,
    claims: BTreeMap<Claim, ([u8; 32], ExecutionId)>,
    /// Executions that are not forgotten.
    kept: BTreeSet<ExecutionId>,
    nonces: BTreeMap<Option<CredentialId>, u64>,
    open: BTreeMap<u64, OpenIntent>,
    unknown: BTreeMap<u64, ExecutionId>,
    pub(crate) intents: u64,
    entries: Vec<Written>,
    checkpoints: BTreeMap<u64, String>,
}

type Claim = (TenantId, Option<AppId>, String);

impl Model {
    /// Does what the verb says, all or nothing.
    pub(crate) fn apply(&mut self, verb: Verb, clock: &dyn Clock) -> Answer {
        let mut after = self.clone();
        match after.try_apply(verb, clock) {
            Ok(answer) => {
                *self = after;
                answer
            }
            Err(failure) => Answer::Failed(failure),
        }
    }

    fn try_apply(&mut self, verb: Verb, clock: &dyn Clock) -> Result<Answer, Failure> {
        Ok(match verb {
            Verb::Intents(batch) => {
                let admits = batch.into_iter().map(|intent| self.intent(intent, clock));
                Answer::Admits(admits.collect::<Result<_, _>>()?)
            }
            Verb::Outcomes(batch) => {
                if batch.iter().any(|outcome| outcome.state == ExecutionState::Open) {
                    return Err(Failure::NotApplied);
                }
                Answer::Receipts(batch.into_iter().map(|outcome| self.outcome(outcome, clock)).collect())
            }
            Verb::Revoke(scope, stop, entry) => self.revoke(scope, stop, &entry, clock)?,
            Verb::Put(changes, entries) => self.put(changes, &entries, clock)?,
            Verb::Append(entries) => Answer::Receipts(self.append_all(&entries, clock)),
            Verb::Checkpoint(size, note) => {
                self.checkpoints.insert(size, note);
                Answer::Done
            }
            Verb::Expire(before_ms) => Answer::Expired(self.expire(before_ms)),
            Verb::Get(key) => Answer::Row(self.rows.get(&key).cloned()),
            Verb::Scan(range, limit) => Answer::Pages(lists::paged(&self.list(&range)?, limit)),
            Verb::Execution(id) => Answer::Execution(self.executions.get(&id).cloned()),
            Verb::Executions(tenant, limit) => Answer::Executions(lists::paged(&self.executions_of(tenant), limit)),
            Verb::Resolve => Answer::Open(self.open.values().cloned().collect()),
        })
    }

    pub(crate) fn state(&self, keys: &[Key]) -> State {
        State {
            rows: keys.iter().map(|key| self.rows.get(key).cloned()).collect(),
            executions: [0, 1].map(|n| self.executions_of(tenant(n))).to_vec(),
            open: self.open.values().cloned().collect(),
            highest: self.intents,
            entries: self.entries.clone(),
            checkpoints: self.checkpoints.values().cloned().collect(),
            newest: self.checkpoints.values().next_back().cloned(),
        }
    }

    fn intent(&mut self, intent: Intent, clock: &dyn Clock) -> Result<Admitted, Failure> {
        if let Some(new) = &intent.execution
            && let Some((request, id)) = self.claims.get(&claim(&intent, &new.idempotency.key))
        {
            if *request != new.idempotency.request {
                return Ok(Admitted::Refused(claviger_core::store::Refusal::KeyReused));
            }
            let execution = &self.executions[id];
            match execution.state {
                ExecutionState::Open => return Ok(Admitted::InFlight(*id)),
                // Nothing was sent: the same request may try again under its key.
                ExecutionState::Failed => {}
                _ => return Ok(Admitted::Replay(Box::new(execution.clone()))),
            }
        }
        if let Some(refusal) = self.refusal(&intent) {
            return Ok(Admitted::Refused(refusal));
        }
        self.intents += 1;
        let nonce = if intent.nonce {
            let last = self.nonces.entry(intent.scopes.credential).or_default();
            *last = (*last + 1).max(clock.unix_ns());
            *last
        } else {
            0
        };
        let seq = self.append(&intent.entry, clock);
        let at_ms = clock.unix_ms();
        if let Some(new) = &intent.execution {
            let receipt = Receipt { origin: ORIGIN.to_owned(), seq, leaf_hash: Hash::of_empty_tree() };
            let execution = Execution {
                id: new.id,
                intent: self.intents,
                scopes: Scopes { owner: None, ..intent.scopes.clone() },
                operation: new.operation.clone(),
                key: new.idempotency.key.clone(),
                state: ExecutionState::Open,
                at_ms,
                receipt,
                answer: None,
                valid_until_ms: None,
            };
            if self.executions.insert(new.id, execution).is_some() {
                return Err(Failure::NotApplied);
            }
            self.claims.insert(claim(&intent, &new.idempotency.key), (new.idempotency.request, new.id));
            self.kept.insert(new.id);
        }
        let (execution, questions) = intent.execution.map_or((None, Vec::new()), |new| (Some(new.id), new.questions));
        let open = OpenIntent {
            intent: self.intents,
            execution,
            scopes: intent.scopes,
            at_ms,
            release: false,
            valid_until_ms: None,
            questions,
        };
        self.open.insert(self.intents, open);
        Ok(Admitted::Granted { intent: self.intents, nonce, seq })
    }

    fn outcome(&mut self, outcome: Outcome, clock: &dyn Clock) -> u64 {
        let open = self.open.remove(&outcome.intent).map(|open| open.execution);
        let execution = open.unwrap_or_else(|| self.unknown.remove(&outcome.intent));
        if let Some(id) = execution {
            if outcome.state == ExecutionState::Unknown {
                self.unknown.insert(outcome.intent, id);
            }
            let kept = self.kept.contains(&id);
            let row = self.executions.get_mut(&id).unwrap();
            row.state = outcome.state;
            row.answer = outcome.answer.filter(|_| kept);
        }
        self.append(&outcome.entry, clock)
    }

    fn revoke(&mut self, scope: Scope, stop: Stop, entry: &Draft, clock: &dyn Clock) -> Result<Answer, Failure> {
        let open = self.open.values().filter(|open| open.scopes.each().any(|own| own == scope)).cloned().collect();
        let row = if let Scope::Credential(id) = scope {
            let key = Key::Credential(entry.tenant.parse().map_err(|_| Failure::NotApplied)?, id);
            let Some((_, Row::Credential(mut row))) = self.rows.get(&key).cloned() else {
                return Err(Failure::Conflict(key));
            };
            row.state = decide::stopped(row.state, stop);
            row.epoch += 1;
            row.changed_ms = clock.unix_ms();
            (key, Row::Credential(row))
        } else {
            let was = self.stop_of(&scope);
            (Key::Stopped(scope), Row::Stopped(was.max(Some(stop)).unwrap()))
        };
        self.write(row.0, row.1);
        Ok(Answer::Revoked { up_to: self.intents, open, seq: self.append(entry, clock) })
    }

    fn put(&mut self, changes: Vec<Change>, entries: &[Draft], clock: &dyn Clock) -> Result<Answer, Failure> {
        let mut named = BTreeSet::new();
        for change in &changes {
            let version = self.rows.get(&change.key).map(|(version, _)| *version);
            let as_expected = match change.expect {
                Expect::Absent => version.is_none(),
                Expect::Version(expected) | Expect::Lapsed(expected) => version == Some(expected),
                Expect::Any => true,
                Expect::Still(expected) => version.unwrap_or(0) == expected,
            };
            if !as_expected || !named.insert(&change.key) {
                return Err(Failure::Conflict(change.key.clone()));
            }
            let tombstone = subject(&change.key).map(Key::Tombstone);
            if let Some(tombstone) = tombstone.filter(|key| change.row.is_some() && self.rows.contains_key(key)) {
                return Err(Failure::Conflict(tombstone));
            }
            if let Some(Row::Credential(row)) = &change.row {
                let scope = Scope::Owner(row.tenant, row.owner.clone());
                if version.is_none() && self.stop_of(&scope) == Some(Stop::Revoked) {
                    return Err(Failure::Conflict(Key::Stopped(scope)));
                }
            }
        }
        for Change { key, expect, row } in changes {
            match row {
                _ if matches!(expect, Expect::Still(_)) => {}
                Some(row) => self.write(key, row),
                None => {
                    let leaves = !matches!(expect, Expect::Lapsed(_)) && self.rows.contains_key(&key);
                    let buried = subject(&key).filter(|_| leaves);
                    if let Some(subject) = buried {
                        self.write(Key::Tombstone(subject), Row::Tombstone(subject));
                        self.write(Key::Unengraved(subject), Row::Tombstone(subject));
                    }
                    self.rows.remove(&key);
                }
            }
        }
        Ok(Answer::Changed { up_to: self.intents, seqs: self.append_all(entries, clock) })
    }

    fn expire(&mut self, before_ms: u64) -> u64 {
        let due = self.kept.iter().map(|id| self.executions[id].clone());
        let due: Vec<_> = due.filter(|row| row.at_ms < before_ms && row.state != ExecutionState::Open).collect();
        for row in &due {
            self.kept.remove(&row.id);
            self.unknown.remove(&row.intent);
            self.claims.retain(|_, (_, id)| *id != row.id);
            self.executions.get_mut(&row.id).unwrap().answer = None;
        }
        due.len() as u64
    }

    fn write(&mut self, key: Key, row: Row) {
        self.changes += 1;
        self.rows.insert(key, (self.changes, row));
    }

    fn append_all(&mut self, entries: &[Draft], clock: &dyn Clock) -> Vec<u64> {
        entries.iter().map(|entry| self.append(entry, clock)).collect()
    }

    fn append(&mut self, entry: &Draft, clock: &dyn Clock) -> u64 {
        self.entries.push(Written {
            tenant: entry.tenant.clone(),
            action: entry.action.clone(),
            outcome: entry.outcome,
            label: entry.request_id.clone(),
            at: timestamp(clock.unix_ms()),
            personal: entry.personal.is_some(),
        });
        self.entries.len() as u64 - 1
    }
}

/// What a key stands for that leaves a tombstone.
fn subject(key: &Key) -> Option<Subject> {
    match key {
        Key::Tenant(id) => Some(Subject::Tenant(*id)),
        Key::Credential(tenant, id) => Some(Subject::Credential(*tenant, *id)),
        Key::Kek(tenant, version) => Some(Subject::Kek(*tenant, *version)),
        _ => None,
    }
}

fn claim(intent: &Intent, key: &str) -> Claim {
    (intent.scopes.tenant, intent.scopes.app, key.to_owned())
}
