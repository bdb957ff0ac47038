//! What the console makes of what happens to it.
//!
//! [`update`] is the whole of its behaviour: it changes the [`State`] and says what is to be done. It reads no clock and
//! reaches nothing, so a test can put it through anything.

mod acts;
mod answers;
mod going;
mod keys;
mod login;
mod poll;

use crate::action::Action;
use crate::event::{Event, Input};
use crate::kind::Kind;
use crate::state::{Login, State};

/// Starts: with a view of `kind` if there is a login already, whoever made it, else with the form.
pub fn start(state: &mut State, operator: Option<&str>, logged_in: bool, kind: Kind) -> Vec<Action> {
    going::show(state, kind, "");
    if logged_in {
        return watch(state);
    }
    state.operator = operator.unwrap_or_default().into();
    state.login = Some(Login::new(operator));
    Vec::new()
}

/// Takes in what happened, and says what to do about it.
pub fn update(state: &mut State, event: Event) -> Vec<Action> {
    if event.at.steady_ms >= state.now.steady_ms {
        state.now = event.at;
    }
    match event.input {
        Input::Key(key) => keys::press(state, key),
        Input::Secret { typed } => keys::secret(state, typed),
        Input::Paste(text) => keys::paste(state, &text),
        Input::Resize(size) => {
            state.size = size;
            let (height, hidden) = (state.list_rows(), state.is_too_small());
            if let Some(dialog) = state.dialog.as_mut().filter(|_| hidden) {
                dialog.hide();
            }
            if let Some(view) = state.view_mut() {
                view.list.keep_in_view(height);
            }
            going::more(state)
        }
        Input::Drawn => {
            let (now, hidden) = (state.now, state.is_too_small() || state.login.is_some());
            if let Some(dialog) = state.dialog.as_mut().filter(|_| !hidden) {
                dialog.drawn(now);
            }
            Vec::new()
        }
        Input::Tick => poll::tick(state),
        Input::Answer(answer) => answers::hear(state, answer),
        Input::Back => {
            if let Some(dialog) = &mut state.dialog {
                dialog.hide();
            }
            vec![Action::Repaint]
        }
        Input::End => vec![Action::Quit],
    }
}

/// Begins to watch: somebody is logged in.
fn watch(state: &mut State) -> Vec<Action> {
    state.login = None;
    state.service.waiting = false;
    for view in &mut state.views {
        view.list.hang_up();
    }
    if let Some(dialog) = &mut state.dialog {
        dialog.hide();
    }
    poll::tick(state)
}
