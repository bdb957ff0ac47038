//! What has to be asked because time went by.

use super::{answers, going, login};
use crate::action::{Action, Ask};
use crate::state::State;

/// Time went on.
pub(super) fn tick(state: &mut State) -> Vec<Action> {
    let now = state.now;
    if state.notice.as_ref().is_some_and(|notice| now.since(notice.at_ms) >= NOTICE_MS) {
        state.notice = None;
    }
    if state.login.is_some() {
        return login::poll(state);
    }
    let mut actions = login::poll(state);
    if state.service.is_due(now) {
        state.service.ask(now);
        actions.push(Action::Ask(Ask::Status));
    }
    // However much is told, what is looked at is asked for once a tick at most.
    if state.service.is_pushed(now) {
        answers::hurry(state);
    }
    actions.extend(going::arrive(state));
    actions
}

/// A notice stays this long.
const NOTICE_MS: u64 = 15_000;
