//! What a stop or a credential's state lets through: the same on every engine.

use super::{Effect, IntentKind, Scope, Scopes, Stop};
use crate::credential::State;

/// Whether an intent may go on although a scope of it is stopped.
///
/// A probe asks the venue about the key and trades nothing, so it goes on until the scope is revoked.
pub(super) fn passes_stop(stop: Stop, kind: IntentKind, effect: Effect) -> bool {
    match (stop, kind) {
        (Stop::Revoked, _) | (Stop::Frozen, IntentKind::App | IntentKind::Resolve) => false,
        (Stop::Frozen | Stop::ReduceOnly, IntentKind::System) => true,
        (Stop::ReduceOnly, IntentKind::App | IntentKind::Resolve) => effect != Effect::Opens,
    }
}

/// Whether an intent may use a credential in this state.
pub(super) fn passes_state(state: State, kind: IntentKind, effect: Effect) -> bool {
    match state {
        State::Active => true,
        State::ReduceOnly => passes_stop(Stop::ReduceOnly, kind, effect),
        State::Pending | State::Frozen => passes_stop(Stop::Frozen, kind, effect),
        State::Revoked => false,
    }
}

/// The state of a credential after a stop: the tighter of the two. Only a probe may use a pending one, so no stop but
/// revocation tightens it; it still becomes frozen, so that the end of its enrollment does not make it active.
pub(crate) fn tightened(state: State, stop: Stop) -> State {
    match (state, stop) {
        (State::Revoked, _) | (_, Stop::Revoked) => State::Revoked,
        (State::Frozen | State::Pending, _) | (_, Stop::Frozen) => State::Frozen,
        (State::Active | State::ReduceOnly, Stop::ReduceOnly) => State::ReduceOnly,
    }
}

/// Whether an intent with these scopes is one of the scope's.
pub(crate) fn lies_in(scopes: &Scopes, scope: &Scope) -> bool {
    match scope {
        Scope::All => true,
        Scope::Tenant(tenant) => scopes.tenant == *tenant,
        Scope::Owner(tenant, owner) => scopes.tenant == *tenant && scopes.owner.as_ref() == Some(owner),
        Scope::Venue(venue) => scopes.venue == *venue,
        Scope::App(app) => scopes.app == Some(*app),
        Scope::Grant(grant) => scopes.grant == Some(*grant),
        Scope::Credential(credential) => scopes.credential == Some(*credential),
        Scope::VirtualKey(key) => scopes.virtual_key == Some(*key),
    }
}
