//! What the console makes of the server's answers.

use super::{going, login};
use crate::action::{Action, Ask};
use crate::client::events::STATUS;
use crate::event::{Answer, Failure, Push};
use crate::kind::{Item, Page};
use crate::state::list::Wanted;
use crate::state::{Haste, Id, Outcome, State, View};
use crate::strings;

/// An answer arrived, or it is certain that none will.
pub(super) fn hear(state: &mut State, answer: Answer) -> Vec<Action> {
    let polled = |answer: &Answer| match answer {
        Answer::BrowserWaits | Answer::Login(_) | Answer::Proof { .. } | Answer::Act { .. } | Answer::Before { .. } => {
            true
        }
        Answer::Browser(_)
        | Answer::Kept(_)
        | Answer::Status(_)
        | Answer::Page { .. }
        | Answer::One { .. }
        | Answer::Push(_) => false,
    };
    if polled(&answer) {
        state.browser_asked = false;
    }
    match answer {
        Answer::Login(result) => login::logged_in(state, result),
        Answer::Browser(result) => {
            login::browser(state, result);
            Vec::new()
        }
        Answer::BrowserWaits => Vec::new(),
        Answer::Kept(Ok(path)) => {
            state.say(strings::kept(&path), false);
            Vec::new()
        }
        Answer::Kept(Err(why)) => {
            state.warn(why);
            Vec::new()
        }
        Answer::Status(result) => {
            let ended = is_logged_out(&result);
            state.service.hear(state.now, result);
            login::log_out_if(state, ended)
        }
        Answer::Page { view, wanted, result } => page(state, view, &wanted, result),
        Answer::One { view, id, result } => one(state, view, &id, &result),
        Answer::Before { ticket, result } => {
            if let Some(dialog) = &mut state.dialog {
                dialog.read(ticket, &result);
            }
            login::log_out_if(state, is_logged_out(&result))
        }
        Answer::Proof { ticket, text } => {
            state.browser = None;
            let shown = state.dialog.as_mut().filter(|dialog| dialog.ticket() == ticket);
            if let Some(dialog) = shown {
                dialog.prove(ticket, text);
                return Vec::new();
            }
            // Nobody is there to prove anything.
            vec![Action::Ask(Ask::Forget { ticket })]
        }
        Answer::Act { ticket, result } => acted(state, ticket, result),
        Answer::Push(push) => pushed(state, &push),
    }
}

fn page(state: &mut State, number: u32, wanted: &Wanted, result: Result<Page, Failure>) -> Vec<Action> {
    let (ended, failed) = (is_logged_out(&result), result.is_err());
    let (now, height) = (state.now, state.list_rows());
    let Some(view) = state.views.iter_mut().find(|view| view.number == number) else {
        return login::log_out_if(state, ended);
    };
    let shape = view.shape();
    if let (Ok(page), Some(close), None) = (&result, &mut view.close, shape.closer) {
        // Without a closer look, the list is what tells.
        if let Some(item) = page.items.iter().find(|item| item.id == close.item.id) {
            close.item.clone_from(item);
        }
    }
    view.list.hear(now, wanted, result, shape);
    view.list.keep_in_view(height);
    let actions = login::log_out_if(state, ended);
    // What failed is asked for again when time goes on, not at once.
    if ended || failed { actions } else { going::arrive(state).into_iter().chain(going::more(state)).collect() }
}

fn one(state: &mut State, number: u32, id: &Id, result: &Result<Box<Item>, Failure>) -> Vec<Action> {
    let now = state.now;
    if let Some(view) = state.views.iter_mut().find(|view| view.number == number) {
        let close = view.close.as_mut().filter(|close| close.item.id == *id);
        match result {
            Ok(item) => {
                view.list.update(item);
                (view.list.heard_ms, view.list.trouble) = (Some(now.steady_ms), None);
                if let Some(close) = close {
                    close.item = *item.clone();
                }
            }
            Err(failure) if failure.is_not_found() => {
                view.list.lose(id);
                if let Some(close) = close {
                    close.item.gone = true;
                }
            }
            Err(failure) => view.list.trouble = Some(strings::failure(failure)),
        }
    }
    login::log_out_if(state, is_logged_out(result))
}

fn acted(state: &mut State, ticket: u64, result: Result<Outcome, Failure>) -> Vec<Action> {
    let is_logged_out = is_logged_out(&result);
    if let Some(dialog) = &mut state.dialog {
        dialog.end(ticket, &result);
    }
    if !ended(state, ticket, result) {
        return Vec::new();
    }
    if is_logged_out {
        return login::log_out_if(state, true);
    }
    // Whatever came of it: what is shown next is what the server says, not what was hoped for.
    state.views.iter_mut().for_each(View::hurry);
    going::arrive(state)
}

/// Writes down what came of an act, and says it; false if nobody asked for it.
fn ended(state: &mut State, ticket: u64, result: Result<Outcome, Failure>) -> bool {
    let Some(record) = state.log.end(ticket, result) else { return false };
    let said = record.result.as_ref().map(|result| (strings::told(record, result.as_ref()), result.is_err()));
    if let Some((told, bad)) = said {
        state.say(told, bad);
    }
    true
}

fn pushed(state: &mut State, push: &Push) -> Vec<Action> {
    let now = state.now;
    match push {
        Push::Open | Push::Beat => state.service.hear_stream(now, true),
        Push::Closed(_) => {
            state.service.hear_stream(now, false);
            state.service.push(Haste::Soon);
        }
        Push::Changed(name) => {
            state.service.hear_stream(now, true);
            if name.is_empty() || name.as_str() == STATUS {
                state.service.hurry();
            }
            let touched = |view: &View| name.is_empty() || view.shape().events.contains(&name.as_str());
            if state.view().is_some_and(touched) {
                let seldom = OF_TRADING.contains(&name.as_str());
                state.service.push(if seldom { Haste::Seldom } else { Haste::Soon });
            }
            // Whoever goes back there finds nothing older.
            state.views.iter_mut().rev().skip(1).filter(|view| touched(view)).for_each(View::hurry);
        }
    }
    Vec::new()
}

/// Makes due what is looked at.
pub(super) fn hurry(state: &mut State) {
    if let Some(view) = state.view_mut() {
        view.hurry();
    }
}

fn is_logged_out<T>(result: &Result<T, Failure>) -> bool {
    result.as_ref().is_err_and(Failure::is_logged_out)
}

/// The events that come all the time while apps trade.
const OF_TRADING: [&str; 2] = ["execution", "denial"];
