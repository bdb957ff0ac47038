//! The way of an act: a key opens a dialog, the dialog is confirmed, the server is asked.

use super::{answers, going};
use crate::action::{Action, Ask};
use crate::keymap::Danger;
use crate::kind::{Act, Deed, Item};
use crate::state::{Cause, Dialog, Link, Stage, State};
use crate::strings;

/// A key asks for `act`: opens its dialog, or says why not. What is harmless is asked for at once.
pub(super) fn open(state: &mut State, act: &'static Act) -> Vec<Action> {
    let Some(cause) = cause(state, act) else { return Vec::new() };
    let pointless = || cause.victims.iter().find_map(act.pointless);
    let gone = || cause.victims.iter().any(|item| item.gone).then_some(strings::IS_GONE);
    if let Some(refusal) = refusal(state, act).or_else(gone).or_else(pointless) {
        state.warn(refusal);
        return Vec::new();
    }
    let ticket = state.log.number();
    if let Some(confirmed) = Dialog::harmless(&cause) {
        state.log.begin(ticket, state.now.unix_ms, &confirmed);
        return vec![Action::Ask(Ask::Act { ticket, confirmed })];
    }
    let dialog = Dialog::open(cause.clone(), ticket);
    let reads = *dialog.stage() == Stage::Reading;
    state.dialog = Some(dialog);
    if reads { vec![Action::Ask(Ask::Before { ticket, cause, replies: Vec::new() })] } else { Vec::new() }
}

/// Enter in a dialog that is typed into.
pub(super) fn submit(state: &mut State) -> Vec<Action> {
    let Some(dialog) = &mut state.dialog else { return Vec::new() };
    match dialog.submit() {
        Ok(Some(replies)) => {
            vec![Action::Ask(Ask::Before { ticket: dialog.ticket(), cause: dialog.cause().clone(), replies })]
        }
        Ok(None) => Vec::new(),
        Err(missing) => {
            state.warn(missing);
            Vec::new()
        }
    }
}

/// The confirm key was pressed.
pub(super) fn confirm(state: &mut State) -> Vec<Action> {
    let Some(act) = state.dialog.as_ref().and_then(|dialog| dialog.cause().act()) else { return Vec::new() };
    // What was live when the dialog opened may be old by now.
    if let Some(refusal) = refusal(state, act) {
        state.warn(refusal);
        return Vec::new();
    }
    let (now, Some(dialog)) = (state.now, &mut state.dialog) else { return Vec::new() };
    let ticket = dialog.ticket();
    let Some(confirmed) = dialog.confirm(now) else { return Vec::new() };
    state.log.begin(ticket, now.unix_ms, &confirmed);
    // The marks were for this act.
    if let Some(view) = state.view_mut().filter(|view| !act.on_list && !view.is_detail()) {
        view.list.marked.clear();
    }
    vec![Action::Ask(Ask::Act { ticket, confirmed })]
}

/// Closes the dialog. An act under way goes on; one that waits for a proof is called off.
pub(super) fn close(state: &mut State) -> Vec<Action> {
    let Some(dialog) = state.dialog.take() else { return Vec::new() };
    state.browser = None;
    // What was done may show: look again.
    if matches!(dialog.stage(), Stage::Ended(_)) {
        answers::hurry(state);
    }
    let mut actions = going::arrive(state);
    // One that is being proven may be under way by now: its answer says what became of it.
    if matches!(dialog.stage(), Stage::Proof { waiting: false, .. }) {
        actions.push(Action::Ask(Ask::Forget { ticket: dialog.ticket() }));
    }
    actions
}

/// Whether `act` only stops something, or only looks.
fn stops(act: &Act) -> bool {
    let stopping = matches!(
        act.deed,
        Deed::Freeze
            | Deed::ReduceOnly
            | Deed::StopAll
            | Deed::StopTenant
            | Deed::StopVenue
            | Deed::StopOwner
            | Deed::StopApp
    );
    stopping || act.danger == Danger::D0
}

/// What `act` would be about: the marked things where it takes several, else the one that is looked at.
fn cause(state: &State, act: &Act) -> Option<Cause> {
    let view = state.view()?;
    let victims: Vec<Item> = if act.on_list {
        Vec::new()
    } else if !view.is_detail() && !view.list.marked.is_empty() {
        view.list.marked.values().cloned().collect()
    } else {
        vec![view.victim()?.clone()]
    };
    let cause = Cause { kind: view.kind, deed: act.deed, scope: view.scope.clone(), victims };
    Some(cause).filter(|cause| act.on_list || !cause.victims.is_empty())
}

/// Why this console does not do `act` now, to whatever.
fn refusal(state: &State, act: &Act) -> Option<&'static str> {
    if state.read_only && act.danger > Danger::D0 {
        return Some(strings::READ_ONLY);
    }
    let several = state.dialog.is_none()
        && !act.on_list
        && state.view().is_some_and(|view| !view.is_detail() && view.list.marked.len() > 1);
    if several && !act.many {
        return Some(strings::ONE_AT_A_TIME);
    }
    // Stopping must be possible whatever is known.
    (!stops(act) && state.link() != Link::Live).then_some(strings::ONLY_FREEZE)
}
