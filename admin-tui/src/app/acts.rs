//! The way of an act: a key opens a dialog, the dialog is confirmed, the server is asked.

use crate::action::{Action, Ask};
use crate::state::{Deed, Dialog, Lifecycle, Link, Stage, State};
use crate::strings;

/// A key asks for `deed`: opens its dialog, or says why not.
pub(super) fn open(state: &mut State, deed: Deed) -> Vec<Action> {
    let Some(row) = state.victim().cloned() else { return Vec::new() };
    if let Some(refusal) = refusal(state, deed).or_else(|| pointless(deed, row.state)) {
        state.warn(refusal);
        return Vec::new();
    }
    let dialog = Dialog::open(deed, &row);
    let reads = *dialog.stage() == Stage::Reading;
    state.dialog = Some(dialog);
    if reads { vec![Action::Ask(Ask::Plan { id: row.id })] } else { Vec::new() }
}

/// The confirm key was pressed.
pub(super) fn confirm(state: &mut State) -> Vec<Action> {
    let Some(dialog) = &state.dialog else { return Vec::new() };
    // What was live when the dialog opened may be old by now.
    if let Some(refusal) = refusal(state, dialog.deed()) {
        state.warn(refusal);
        return Vec::new();
    }
    let ticket = state.log.next_ticket;
    let Some(dialog) = &mut state.dialog else { return Vec::new() };
    let Some(confirmed) = dialog.confirm(state.now, ticket) else { return Vec::new() };
    state.log.begin(ticket, state.now.unix_ms, &confirmed, dialog.victim().clone());
    vec![Action::Ask(Ask::Act { ticket, confirmed })]
}

/// Why this console does not do `deed` now, to whatever.
fn refusal(state: &State, deed: Deed) -> Option<&'static str> {
    if state.read_only {
        return Some(strings::READ_ONLY);
    }
    let stopping = deed == Deed::Freeze;
    (!stopping && state.link() != Link::Live).then_some(strings::ONLY_FREEZE)
}

/// Why `deed` would change nothing.
fn pointless(deed: Deed, state: Lifecycle) -> Option<&'static str> {
    match (deed, state) {
        (_, Lifecycle::Revoked) => Some(strings::REVOKED_ALREADY),
        (Deed::Unfreeze, Lifecycle::Active | Lifecycle::Pending) => Some(strings::NOT_STOPPED),
        (Deed::Unfreeze, Lifecycle::Frozen | Lifecycle::ReduceOnly | Lifecycle::Unknown)
        | (
            Deed::Freeze | Deed::Revoke,
            Lifecycle::Active | Lifecycle::Pending | Lifecycle::Frozen | Lifecycle::ReduceOnly | Lifecycle::Unknown,
        ) => None,
    }
}
