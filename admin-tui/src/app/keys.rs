//! What keys and pastes do.

use super::{acts, more};
use crate::action::{Action, Ask};
use crate::event::Key;
use crate::keymap::{self, Cmd, Place};
use crate::state::{Deed, Detail, Field, Screen, State};
use crate::strings;

/// A key was pressed.
pub(super) fn press(state: &mut State, key: Key) -> Vec<Action> {
    let interrupted = state.interrupted_ms.take();
    let place = state.place();
    let command = keymap::lookup(place, key).map(|binding| binding.cmd);
    if command == Some(Cmd::Interrupt) {
        return interrupt(state, interrupted);
    }
    if is_deaf(state) {
        return Vec::new();
    }
    match (command, key) {
        (Some(command), _) => obey(state, place, command),
        (None, Key::Char(c)) => {
            if let Some(field) = state.field() {
                field.push(c);
            }
            typed(state, place)
        }
        (None, _) => Vec::new(),
    }
}

/// A text was pasted. It goes into a field, or nowhere: it is never read as keys.
pub(super) fn paste(state: &mut State, text: &str) -> Vec<Action> {
    let place = state.place();
    if is_deaf(state) {
        return Vec::new();
    }
    if let Some(field) = state.field() {
        field.paste(text);
    }
    typed(state, place)
}

/// Something was typed into the password.
pub(super) fn secret(state: &mut State, typed: bool) -> Vec<Action> {
    if let Some(login) = &mut state.login {
        login.typed = typed;
    }
    Vec::new()
}

/// Whether a key that arrives now was meant for what was there before.
fn is_deaf(state: &State) -> bool {
    state.dialog.as_ref().is_some_and(|dialog| dialog.is_deaf(state.now))
}

fn obey(state: &mut State, place: Place, command: Cmd) -> Vec<Action> {
    let page = isize::try_from(state.list_rows()).unwrap_or(isize::MAX);
    match command {
        Cmd::Up => scroll(state, place, -1),
        Cmd::Down => scroll(state, place, 1),
        Cmd::PageUp => scroll(state, place, page.saturating_neg()),
        Cmd::PageDown => scroll(state, place, page),
        Cmd::First => scroll(state, place, isize::MIN),
        Cmd::Last => scroll(state, place, isize::MAX),
        Cmd::Open => look_closely(state),
        Cmd::Leave if state.screens.is_empty() => leave(state),
        Cmd::Back | Cmd::Leave => back(state),
        Cmd::Refresh => refresh(state),
        Cmd::Filter => {
            state.list.filtering = true;
            Vec::new()
        }
        Cmd::Log => show(state, Screen::Log),
        Cmd::Help => show(state, Screen::Help),
        Cmd::Freeze => acts::open(state, Deed::Freeze),
        Cmd::Revoke => acts::open(state, Deed::Revoke),
        Cmd::Unfreeze => acts::open(state, Deed::Unfreeze),
        Cmd::Confirm => acts::confirm(state),
        Cmd::Cancel => cancel(state, place),
        Cmd::Submit => submit(state, place),
        Cmd::NextField => {
            if let Some(login) = state.login.as_mut().filter(|login| !login.waiting) {
                login.on_password = !login.on_password;
            }
            Vec::new()
        }
        Cmd::Erase => edit(state, place, Field::erase),
        Cmd::EraseAll => edit(state, place, Field::clear),
        Cmd::Repaint => vec![Action::Repaint],
        // It counts while a dialog is deaf too, so `press` has seen to it.
        Cmd::Interrupt => Vec::new(),
    }
}

/// Ends the console, unless that would cut off an act before it is known whether it was done.
fn leave(state: &mut State) -> Vec<Action> {
    if state.log.is_waiting() {
        state.warn(strings::LEAVE_WAITING);
        return Vec::new();
    }
    vec![Action::Quit]
}

fn interrupt(state: &mut State, before_ms: Option<u64>) -> Vec<Action> {
    if before_ms.is_some_and(|before| state.now.since(before) <= TWICE_MS) {
        return vec![Action::Quit];
    }
    state.interrupted_ms = Some(state.now.steady_ms);
    state.warn(strings::INTERRUPT_AGAIN);
    Vec::new()
}

fn scroll(state: &mut State, place: Place, steps: isize) -> Vec<Action> {
    let height = state.list_rows();
    let below = state.place_below_help();
    let lines = match place {
        Place::List => {
            state.list.step(steps, height);
            return more(state);
        }
        Place::Log => state.log.records.len(),
        Place::Help => keymap::bindings(below, state.read_only).count(),
        Place::Result => SCROLL_MAX,
        Place::Login
        | Place::Filter
        | Place::Detail
        | Place::Reason
        | Place::Confirm
        | Place::Waiting
        | Place::TooSmall => return Vec::new(),
    };
    let offset = state.dialog.as_mut().map_or(&mut state.scroll, |dialog| &mut dialog.scroll);
    *offset = offset.saturating_add_signed(steps).min(lines.saturating_sub(1));
    Vec::new()
}

fn look_closely(state: &mut State) -> Vec<Action> {
    let Some(row) = state.list.selected().cloned() else { return Vec::new() };
    let id = row.id.clone();
    state.detail = Some(Detail { row, asked_ms: state.now.steady_ms });
    state.screens.push(Screen::Detail);
    vec![Action::Ask(Ask::One { id })]
}

fn show(state: &mut State, screen: Screen) -> Vec<Action> {
    state.screens.push(screen);
    state.scroll = 0;
    Vec::new()
}

fn back(state: &mut State) -> Vec<Action> {
    state.scroll = 0;
    match state.screens.pop() {
        Some(Screen::Detail) => state.detail = None,
        Some(Screen::Log | Screen::Help) => {}
        None => return edit_filter(state, Field::clear),
    }
    Vec::new()
}

fn refresh(state: &mut State) -> Vec<Action> {
    let ask = match &mut state.detail {
        Some(detail) => {
            detail.asked_ms = state.now.steady_ms;
            Ask::One { id: detail.row.id.clone() }
        }
        None => state.list.reload(state.now),
    };
    vec![Action::Ask(ask)]
}

fn cancel(state: &mut State, place: Place) -> Vec<Action> {
    if place == Place::Filter {
        state.list.filtering = false;
        return edit_filter(state, Field::clear);
    }
    state.dialog = None;
    Vec::new()
}

fn submit(state: &mut State, place: Place) -> Vec<Action> {
    if let (Place::Reason, Some(dialog)) = (place, &mut state.dialog) {
        let (chars, good) = (dialog.reason.chars(), dialog.submit_reason());
        if !good {
            state.warn(strings::reason_too_short(chars));
        }
        return Vec::new();
    }
    state.list.filtering = false;
    let Some(login) = state.login.as_mut().filter(|_| place == Place::Login) else { return Vec::new() };
    if !login.is_complete() {
        if !login.waiting {
            login.text = Some(strings::LOGIN_INCOMPLETE.into());
        }
        // After the name comes the password.
        login.on_password |= login.operator.chars() > 0;
        return Vec::new();
    }
    let operator = login.operator.text().trim().to_owned();
    (login.waiting, login.typed, login.text) = (true, false, None);
    vec![Action::Ask(Ask::Login { operator })]
}

fn edit(state: &mut State, place: Place, change: impl FnOnce(&mut Field)) -> Vec<Action> {
    if let Some(field) = state.field() {
        change(field);
    }
    typed(state, place)
}

fn edit_filter(state: &mut State, change: impl FnOnce(&mut Field)) -> Vec<Action> {
    change(&mut state.list.filter);
    typed(state, Place::Filter)
}

/// What follows from a changed text.
fn typed(state: &mut State, place: Place) -> Vec<Action> {
    if place != Place::Filter {
        return Vec::new();
    }
    state.list.refilter(state.list_rows());
    more(state)
}

/// Control-c twice within so long ends the console.
const TWICE_MS: u64 = 2_000;
/// The longest refusal has fewer lines than this on the smallest terminal.
const SCROLL_MAX: usize = 500;
