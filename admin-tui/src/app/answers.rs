//! What the console makes of the server's answers.

use super::watch;
use crate::action::{Action, Ask};
use crate::clean::Clean;
use crate::event::{Answer, Failure};
use crate::state::{Id, Login, Outcome, Reading, Row, State};
use crate::strings;

/// An answer arrived, or it is certain that none will.
pub(super) fn hear(state: &mut State, answer: Answer) -> Vec<Action> {
    match answer {
        Answer::Login(result) => logged_in(state, result),
        Answer::Status(result) => {
            let ended = is_logged_out(&result);
            state.service.hear(state.now, result);
            log_out_if(state, ended)
        }
        Answer::Page { load, cursor, result } => {
            let ended = is_logged_out(&result);
            if let Ok(page) = &result {
                page.rows.iter().for_each(|row| look_again(state, row));
            }
            state.list.hear(state.now, load, cursor, result);
            state.list.keep_in_view(state.list_rows());
            log_out_if(state, ended)
        }
        Answer::One { id, result } => one(state, &id, &result),
        Answer::Act { ticket, result } => acted(state, ticket, result),
    }
}

fn logged_in(state: &mut State, result: Result<Clean, Failure>) -> Vec<Action> {
    let Some(form) = &mut state.login else { return Vec::new() };
    form.waiting = false;
    match result {
        Ok(operator) => {
            state.operator = operator;
            watch(state)
        }
        Err(failure) => {
            form.text = Some(strings::failure(&failure));
            Vec::new()
        }
    }
}

fn one(state: &mut State, id: &Id, result: &Result<Box<Reading>, Failure>) -> Vec<Action> {
    match result {
        Ok(reading) => {
            look_again(state, &reading.row);
            state.list.update(&reading.row);
        }
        Err(failure) if failure.is_not_found() => lost(state, id),
        Err(_) => {}
    }
    if let Some(dialog) = &mut state.dialog {
        dialog.read(id, result);
    }
    log_out_if(state, is_logged_out(result))
}

fn acted(state: &mut State, ticket: u64, result: Result<Outcome, Failure>) -> Vec<Action> {
    let ended = is_logged_out(&result);
    if let Some(dialog) = &mut state.dialog {
        dialog.end(ticket, &result);
    }
    let Some(record) = state.log.end(ticket, result) else { return Vec::new() };
    let id = record.victim.id.clone();
    let said = record
        .result
        .as_ref()
        .map(|result| (strings::told(record.deed, &record.victim, result.as_ref()), result.is_err()));
    if let Some((told, bad)) = said {
        state.say(told, bad);
    }
    if ended {
        return log_out_if(state, true);
    }
    // Whatever came of it: what is shown next is what the server says, not what was hoped for.
    vec![Action::Ask(Ask::One { id })]
}

fn look_again(state: &mut State, row: &Row) {
    if let Some(detail) = state.detail.as_mut().filter(|detail| detail.row.id == row.id) {
        detail.row.clone_from(row);
    }
}

fn lost(state: &mut State, id: &Id) {
    state.list.lose(id);
    if let Some(detail) = state.detail.as_mut().filter(|detail| detail.row.id == *id) {
        detail.row.gone = true;
    }
}

fn is_logged_out<T>(result: &Result<T, Failure>) -> bool {
    result.as_ref().is_err_and(Failure::is_logged_out)
}

/// Goes back to the form. Answers of the same ended login that come later do not disturb who is typing there.
fn log_out_if(state: &mut State, ended: bool) -> Vec<Action> {
    if ended && state.login.is_none() {
        let form = Login::new(Some(state.operator.as_str()));
        state.login = Some(Login { text: Some(strings::LOGIN_ENDED.into()), ..form });
        state.dialog = None;
        state.detail = None;
        state.screens.clear();
    }
    Vec::new()
}
