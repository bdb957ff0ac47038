//! What has to be asked because time went by.

use crate::action::{Action, Ask};
use crate::state::State;

/// Time went on.
pub(super) fn tick(state: &mut State) -> Vec<Action> {
    let now = state.now;
    if state.notice.as_ref().is_some_and(|notice| now.since(notice.at_ms) >= NOTICE_MS) {
        state.notice = None;
    }
    if state.login.is_some() {
        return Vec::new();
    }
    let mut asks = Vec::new();
    if state.service.is_due(now) {
        state.service.ask(now);
        asks.push(Ask::Status);
    }
    let height = state.list_rows();
    asks.extend(state.list.due(now, height));
    if let Some(detail) = state.detail.as_mut().filter(|detail| detail.is_due(now)) {
        detail.asked_ms = now.steady_ms;
        asks.push(Ask::One { id: detail.row.id.clone() });
    }
    asks.into_iter().map(Action::Ask).collect()
}

/// A notice stays this long.
const NOTICE_MS: u64 = 15_000;
