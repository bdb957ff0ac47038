//! What keys and pastes do.

use super::{acts, going, login};
use crate::action::{Action, Ask};
use crate::event::Key;
use crate::keymap::{self, Cmd, Meaning, Place};
use crate::state::palette::Command;
use crate::state::{Field, Over, Palette, State};
use crate::strings;

/// A key was pressed.
pub(super) fn press(state: &mut State, key: Key) -> Vec<Action> {
    let interrupted = state.interrupted_ms.take();
    let place = state.place();
    let meaning = keymap::lookup(place, state.kind(), key);
    if let Some(Meaning::Cmd(Cmd::Interrupt)) = meaning {
        return interrupt(state, interrupted);
    }
    if is_deaf(state) {
        return Vec::new();
    }
    match (meaning, key) {
        (Some(Meaning::Cmd(command)), _) => obey(state, place, command),
        (Some(Meaning::Act(act)), _) => acts::open(state, act),
        (Some(Meaning::Part(kind)), _) => going::part(state, kind),
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

/// Something was typed into a secret.
pub(super) fn secret(state: &mut State, typed: bool) -> Vec<Action> {
    match (&mut state.login, &mut state.dialog) {
        (Some(login), _) => login.note_secret(typed),
        (None, Some(dialog)) => dialog.note_secret(typed),
        (None, None) => {}
    }
    Vec::new()
}

/// Whether a key that arrives now was meant for what was there before.
fn is_deaf(state: &State) -> bool {
    match (&state.login, &state.dialog) {
        (Some(login), _) => login.is_deaf(state.now),
        (None, dialog) => dialog.as_ref().is_some_and(|dialog| dialog.is_deaf(state.now)),
    }
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
        Cmd::Open => going::look_closely(state),
        Cmd::Leave if state.over.is_none() && is_outermost(state) => leave(state),
        Cmd::Back | Cmd::Leave => back(state),
        Cmd::Refresh => going::refresh(state),
        Cmd::Filter => {
            if let Some(view) = state.view_mut() {
                view.list.filtering = true;
            }
            Vec::new()
        }
        Cmd::Palette => show(state, Over::Palette(Palette::default())),
        Cmd::Complete => {
            if let Some(Over::Palette(palette)) = &mut state.over {
                palette.complete();
            }
            Vec::new()
        }
        Cmd::Sort | Cmd::SortReverse | Cmd::Mark | Cmd::MarkAll => arrange(state, command),
        Cmd::Copy => copy(state),
        Cmd::Log => show(state, Over::Log),
        Cmd::Help => show(state, Over::Help),
        Cmd::Confirm => acts::confirm(state),
        Cmd::Cancel => cancel(state, place),
        Cmd::Submit => submit(state, place),
        Cmd::NextField | Cmd::FieldBefore => {
            match (&mut state.login, &mut state.dialog) {
                (Some(login), _) if !login.is_busy() => login.next(command == Cmd::NextField),
                (None, Some(dialog)) => dialog.next_field(),
                (Some(_) | None, _) => {}
            }
            Vec::new()
        }
        Cmd::ChoiceBefore | Cmd::ChoiceNext => {
            if let Some(dialog) = &mut state.dialog
                && let Some(act) = dialog.cause().act()
            {
                dialog.form.choose(act, command == Cmd::ChoiceNext);
            }
            Vec::new()
        }
        Cmd::Passkey => login::by_passkey(state),
        Cmd::Erase => edit(state, place, Field::erase),
        Cmd::EraseAll => edit(state, place, Field::clear),
        Cmd::Repaint => vec![Action::Repaint],
        Cmd::Suspend => vec![Action::Suspend],
        // It counts while a dialog is deaf too, so `press` has seen to it.
        Cmd::Interrupt => Vec::new(),
    }
}

fn is_outermost(state: &State) -> bool {
    state.views.len() <= 1 && state.view().is_none_or(|view| view.close.is_none())
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
    let offset = match (place, &mut state.dialog) {
        (Place::List, _) => {
            if let Some(view) = state.view_mut() {
                view.list.step(steps, height);
            }
            return going::more(state);
        }
        (Place::Detail, _) => state.view_mut().map(|view| &mut view.scroll),
        (_, Some(dialog)) => Some(&mut dialog.scroll),
        (_, None) => Some(&mut state.scroll),
    };
    if let Some(offset) = offset {
        *offset = offset.saturating_add_signed(steps).min(SCROLL_MAX);
    }
    Vec::new()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "four commands arrange a list, and no other comes here")]
fn arrange(state: &mut State, command: Cmd) -> Vec<Action> {
    let height = state.list_rows();
    let Some(view) = state.view_mut() else { return Vec::new() };
    let (shape, list) = (view.shape(), &mut view.list);
    match command {
        Cmd::Sort => list.sort_next(shape),
        Cmd::SortReverse => list.sort_reverse(shape),
        Cmd::Mark => {
            list.mark();
            list.step(1, height);
        }
        Cmd::MarkAll => list.mark_shown(),
        _ => {}
    }
    list.keep_in_view(height);
    going::more(state)
}

fn copy(state: &mut State) -> Vec<Action> {
    let Some(id) = state.view().and_then(|view| view.victim()).map(|item| item.id.shown()) else {
        return Vec::new();
    };
    state.say(strings::copied(&id), false);
    vec![Action::Copy(id)]
}

fn show(state: &mut State, over: Over) -> Vec<Action> {
    state.over = Some(over);
    state.scroll = 0;
    Vec::new()
}

fn back(state: &mut State) -> Vec<Action> {
    state.scroll = 0;
    if state.over.take().is_some() {
        return Vec::new();
    }
    let list = state.view_mut().filter(|view| !view.is_detail()).map(|view| &mut view.list);
    if let Some(list) = list
        && !list.marked.is_empty()
    {
        list.marked.clear();
        return Vec::new();
    }
    if going::back(state) { going::arrive(state) } else { edit_filter(state, Field::clear) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "everywhere else a dialog is what is cancelled")]
fn cancel(state: &mut State, place: Place) -> Vec<Action> {
    match place {
        Place::Login => login::cancel(state),
        Place::Palette => {
            state.over = None;
            Vec::new()
        }
        Place::Filter => {
            stop_filtering(state);
            edit_filter(state, Field::clear)
        }
        _ => acts::close(state),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "everywhere else a filter is what is kept")]
fn submit(state: &mut State, place: Place) -> Vec<Action> {
    match place {
        Place::Login => login::submit(state),
        Place::Palette => run(state),
        Place::Form => acts::submit(state),
        Place::Proof => {
            let ticket = state.dialog.as_mut().and_then(crate::state::Dialog::submit_proof);
            ticket.map(|ticket| Action::Ask(Ask::Prove { ticket })).into_iter().collect()
        }
        _ => {
            stop_filtering(state);
            Vec::new()
        }
    }
}

/// Runs the command that was typed.
fn run(state: &mut State) -> Vec<Action> {
    let chosen = match &state.over {
        Some(Over::Palette(palette)) => palette.chosen(),
        Some(Over::Log | Over::Help) | None => None,
    };
    let Some((command, rest)) = chosen else {
        state.warn(strings::COMMAND_UNKNOWN);
        return Vec::new();
    };
    state.over = None;
    match command {
        Command::Show(kind) => going::show(state, kind, &rest),
        Command::Quit => leave(state),
        Command::Log => show(state, Over::Log),
        Command::Help => show(state, Over::Help),
        Command::Keep => vec![Action::Ask(Ask::Keep)],
    }
}

fn stop_filtering(state: &mut State) {
    if let Some(view) = state.view_mut() {
        view.list.filtering = false;
    }
}

fn edit(state: &mut State, place: Place, change: impl FnOnce(&mut Field)) -> Vec<Action> {
    if let Some(field) = state.field() {
        change(field);
    }
    typed(state, place)
}

fn edit_filter(state: &mut State, change: impl FnOnce(&mut Field)) -> Vec<Action> {
    if let Some(view) = state.view_mut() {
        change(&mut view.list.filter);
    }
    typed(state, Place::Filter)
}

/// What follows from a changed text.
fn typed(state: &mut State, place: Place) -> Vec<Action> {
    if place != Place::Filter {
        return Vec::new();
    }
    let height = state.list_rows();
    let Some(view) = state.view_mut() else { return Vec::new() };
    let shape = view.shape();
    view.list.refilter(shape);
    view.list.keep_in_view(height);
    // One search at a time: what is typed meanwhile is looked for when that has its answer.
    let searching = view.list.is_waiting();
    let asks = if searching { Vec::new() } else { going::arrive(state) };
    asks.into_iter().chain(going::more(state)).collect()
}

/// Control-c twice within so long ends the console.
const TWICE_MS: u64 = 2_000;
/// Nothing that is scrolled line by line has more lines than this on the smallest terminal; who draws stops at its end.
const SCROLL_MAX: usize = 2_000;
