//! The way in: a password and a code, or a passkey in a browser.

use super::{acts, going, watch};
use crate::action::{Action, Ask, Purpose};
use crate::clean::Clean;
use crate::event::{Browser, Failure};
use crate::kind::Kind;
use crate::state::login::Focus;
use crate::state::{Login, Stage, State};
use crate::strings as s;

/// Enter in the form.
pub(super) fn submit(state: &mut State) -> Vec<Action> {
    let Some(login) = &mut state.login else { return Vec::new() };
    if login.is_busy() {
        return Vec::new();
    }
    if !login.is_complete() {
        login.text = Some(s::LOGIN_INCOMPLETE.into());
        login.focus = if login.operator.chars() == 0 { Focus::Operator } else { Focus::Password };
        return Vec::new();
    }
    let operator = login.operator.text().trim().to_owned();
    (login.waiting, login.text) = (true, None);
    vec![Action::Ask(Ask::Login { operator })]
}

/// A passkey is to prove who is there: at the form, or in a dialog.
pub(super) fn by_passkey(state: &mut State) -> Vec<Action> {
    let purpose = match (&mut state.login, &state.dialog) {
        (Some(login), _) if login.is_busy() => return Vec::new(),
        (Some(login), _) if login.operator.chars() == 0 => {
            login.text = Some(s::LOGIN_NAME_MISSING.into());
            return Vec::new();
        }
        (Some(login), _) => {
            (login.waiting, login.text) = (true, None);
            Purpose::Login { operator: login.operator.text().trim().to_owned() }
        }
        (None, Some(dialog)) => Purpose::Proof { ticket: dialog.ticket() },
        (None, None) => return Vec::new(),
    };
    vec![Action::Ask(Ask::Browser { purpose })]
}

/// Esc in the form: no answer and no passkey is waited for any more, and none that comes yet logs anybody in.
pub(super) fn cancel(state: &mut State) -> Vec<Action> {
    let Some(login) = &mut state.login else { return Vec::new() };
    let was_busy = login.is_busy();
    (login.browser, login.waiting, login.text) = (None, false, None);
    (state.browser_asked, state.browser_polled_ms) = (false, None);
    Vec::from_iter(was_busy.then_some(Action::Ask(Ask::NoLogin)))
}

/// Asks what became of a passkey that is waited for, once a second.
pub(super) fn poll(state: &mut State) -> Vec<Action> {
    let now = state.now;
    let purpose = match (&state.login, &state.dialog) {
        (Some(login), _) if login.browser.is_some() => {
            Purpose::Login { operator: login.operator.text().trim().to_owned() }
        }
        (None, Some(dialog)) if state.browser.is_some() && matches!(dialog.stage(), Stage::Proof { .. }) => {
            Purpose::Proof { ticket: dialog.ticket() }
        }
        (Some(_) | None, _) => return Vec::new(),
    };
    if state.browser_asked || state.browser_polled_ms.is_some_and(|polled| now.since(polled) < BROWSER_POLL_MS) {
        return Vec::new();
    }
    state.browser_polled_ms = Some(now.steady_ms);
    state.browser_asked = true;
    vec![Action::Ask(Ask::BrowserPoll { purpose })]
}

/// Where to go on in a browser, or why not.
pub(super) fn browser(state: &mut State, result: Result<Browser, Failure>) {
    let now = state.now.steady_ms;
    match (&mut state.login, result) {
        // Somebody called it off.
        (Some(login), _) if !login.waiting => {}
        (Some(login), Ok(browser)) => {
            login.waiting = false;
            login.browser = Some(browser);
        }
        (Some(login), Err(failure)) => {
            login.waiting = false;
            login.text = Some(s::failure(&failure));
        }
        (None, Ok(browser)) => state.browser = Some(browser),
        (None, Err(failure)) => state.warn(s::failure(&failure)),
    }
    state.browser_polled_ms = Some(now);
}

/// A login was made, or refused.
pub(super) fn logged_in(state: &mut State, result: Result<Clean, Failure>) -> Vec<Action> {
    let Some(form) = &mut state.login else { return Vec::new() };
    (form.waiting, form.browser) = (false, None);
    match result {
        Ok(operator) => {
            // What one operator looked at, typed and did is not for another to see or confirm.
            let another = state.service.heard_ms.is_some() && operator != state.operator;
            let mut actions = Vec::new();
            if another {
                actions = acts::close(state);
                state.log.records.clear();
                (state.over, state.notice) = (None, None);
                going::show(state, Kind::FIRST, "");
            }
            state.operator = operator;
            actions.extend(watch(state));
            actions
        }
        Err(failure) => {
            if failure.wants_code() {
                form.focus = Focus::Code;
            } else {
                (form.password, form.code) = (false, false);
                form.focus = Focus::Password;
            }
            form.text = Some(s::failure(&failure));
            Vec::new()
        }
    }
}

/// Goes back to the form if the login has `ended`. Answers of the same ended login that come later do not disturb who is
/// typing there. What was looked at and what was typed stays.
pub(super) fn log_out_if(state: &mut State, ended: bool) -> Vec<Action> {
    if ended && state.login.is_none() {
        let form = Login::new(Some(state.operator.as_str()));
        let opened_ms = Some(state.now.steady_ms);
        state.login = Some(Login { text: Some(s::LOGIN_ENDED.into()), opened_ms, ..form });
        if let Some(dialog) = &mut state.dialog {
            dialog.log_out();
        }
        state.over = None;
    }
    Vec::new()
}

/// How often the server is asked what became of a passkey.
const BROWSER_POLL_MS: u64 = 1_000;
