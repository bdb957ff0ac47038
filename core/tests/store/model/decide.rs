//! What is granted, written as a table.

use claviger_core::credential::State;
use claviger_core::store::{Effect, Intent, IntentKind, Key, Refusal, Row, Scope, Stop};

use super::Model;

impl Model {
    pub(super) fn refusal(&self, intent: &Intent) -> Option<Refusal> {
        let app = intent.kind == IntentKind::App;
        let opens = intent.effect == Effect::Opens;
        for scope in intent.scopes.each() {
            let stop = self.stop_of(&scope);
            let passes = match stop {
                None => true,
                Some(Stop::ReduceOnly) => !(app && opens),
                Some(Stop::Frozen) => !app,
                Some(Stop::Revoked) => false,
            };
            if !passes {
                return stop.map(|stop| Refusal::Stopped(scope, stop));
            }
        }
        let key = Key::Credential(intent.scopes.tenant, intent.scopes.credential?);
        let Some((_, Row::Credential(row))) = self.rows.get(&key) else {
            return (app || intent.epoch.is_some()).then_some(Refusal::Gone);
        };
        let passes = match row.state {
            State::Active => true,
            State::ReduceOnly => !(app && opens),
            State::Pending | State::Frozen => !app,
            State::Revoked => false,
        };
        if !passes {
            return Some(Refusal::State(row.state));
        }
        (intent.epoch != Some(row.epoch)).then_some(Refusal::Stale)
    }

    pub(super) fn stop_of(&self, scope: &Scope) -> Option<Stop> {
        match self.rows.get(&Key::Stopped(scope.clone())) {
            Some((_, Row::Stopped(stop))) => Some(*stop),
            _ => None,
        }
    }
}

pub(super) fn stopped(state: State, stop: Stop) -> State {
    match (state, stop) {
        (State::Revoked, _) | (_, Stop::Revoked) => State::Revoked,
        (State::Active | State::ReduceOnly, Stop::ReduceOnly) => State::ReduceOnly,
        _ => State::Frozen,
    }
}
