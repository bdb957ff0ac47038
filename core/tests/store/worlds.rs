//! What a store may hold, given what it answered: one model as long as every answer is certain, several after a doubt.

use std::collections::BTreeSet;

use claviger_core::clock::Clock;
use claviger_core::credential::State as CredentialState;
use claviger_core::store::{Change, ExecutionState, Intent, Key, Row, Scope, Store};

use super::bench::outcome;
use super::fixtures::{credential_key, credential_row, every_scope, new_execution, ordered, probe};
use super::model::Model;
use super::steps::keys;
use super::verbs::{Answer, Failure, Verb, read_all, run};

#[derive(Clone, Debug)]
pub(crate) struct Worlds(Vec<Model>);

/// What the answers of one commit say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Commit {
    Counts,
    DoesNotCount,
    Either,
}

impl Worlds {
    pub(crate) fn new(model: Model) -> Self {
        Self(vec![model])
    }

    /// One of them.
    pub(crate) fn any(&self) -> &Model {
        &self.0[0]
    }

    /// Takes in the answers of what shared one commit. Worlds in which the store cannot answer so are not possible.
    pub(crate) fn learn(&mut self, batch: &[(Verb, Answer)], clock: &dyn Clock) {
        let mut possible = Vec::new();
        for before in &self.0 {
            let mut after = before.clone();
            let expected: Vec<Answer> = batch.iter().map(|(verb, _)| after.apply(verb.clone(), clock)).collect();
            match commit(batch, &expected) {
                Some(Commit::Counts) => possible.push(after),
                Some(Commit::DoesNotCount) => possible.push(before.clone()),
                Some(Commit::Either) => possible.extend([before.clone(), after]),
                None => {}
            }
        }
        assert!(!possible.is_empty(), "no world answers so: {batch:#?}\nin {:#?}", self.0);
        self.0 = possible;
    }

    /// Reads all of a store that works, and asks it for what does not show. Both must be as in one of the worlds.
    pub(crate) async fn check(&mut self, store: &dyn Store, clock: &dyn Clock) {
        let found = read_all(store, &keys()).await;
        let possible: Vec<Model> = self.0.iter().filter(|world| world.state(&keys()) == found).cloned().collect();
        assert!(!possible.is_empty(), "{found:#?} is found in none of {:#?}", self.0);
        self.0 = possible;
        for verb in questions(self.any()) {
            let answer = run(store, verb.clone()).await;
            assert!(!matches!(answer, Answer::Failed(Failure::Unknown)), "the store works: {verb:?}");
            self.learn(&[(verb, answer)], clock);
        }
        assert_eq!(read_all(store, &keys()).await, self.any().state(&keys()));
    }
}

/// What became of the commit if these answers were expected; `None` if they cannot be.
fn commit(batch: &[(Verb, Answer)], expected: &[Answer]) -> Option<Commit> {
    let mut verdict = None;
    for ((_, answer), expected) in batch.iter().zip(expected) {
        let own = match (answer, expected) {
            // A refusal writes nothing, and says nothing of the commit.
            (Answer::Failed(Failure::NotApplied), Answer::Failed(_)) => continue,
            (answer, expected) if answer == expected => match expected {
                Answer::Failed(_) => continue,
                _ => Commit::Counts,
            },
            (Answer::Failed(Failure::NotApplied), _) => Commit::DoesNotCount,
            (Answer::Failed(Failure::Unknown), _) => Commit::Either,
            _ => return None,
        };
        if *verdict.get_or_insert(own) != own {
            return None;
        }
    }
    Some(verdict.unwrap_or(Commit::DoesNotCount))
}

/// Verbs whose answers tell idempotency claims, nonces, row versions, and which outcomes are still awaited.
fn questions(model: &Model) -> Vec<Verb> {
    let scopes: BTreeSet<Scope> = every_scope(0).into_iter().chain(every_scope(1)).collect();
    let mut changes: Vec<Change> = scopes.into_iter().map(|scope| Change::remove(Key::Stopped(scope))).collect();
    changes.extend([0, 1].map(|n| {
        let row = credential_row(n, n, CredentialState::Active, 1);
        Change::set(credential_key(n, n), Row::Credential(row))
    }));
    let mut verbs = vec![Verb::Put(changes, vec![])];
    for place in 0..8 {
        let (n, key, id) = (place % 2, format!("key {}", place / 2), 1_000_000 + u64::from(place) * 2);
        let own = Intent { execution: Some(new_execution(id + 1, &key, 0)), ..probe(n, "own") };
        verbs.push(Verb::Intents(vec![ordered(n, id, &key, 0), own]));
    }
    let late = (1..=model.intents).map(|intent| outcome(intent, ExecutionState::Rejected, "late"));
    verbs.push(Verb::Outcomes(late.collect()));
    verbs
}
