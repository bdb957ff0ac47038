//! What the console makes of what happens to it.
//!
//! [`update`] is the whole of its behaviour: it changes the [`State`] and says what is to be done. It reads no clock and
//! reaches nothing, so a test can put it through anything.

mod acts;
mod answers;
mod keys;
mod poll;

use crate::action::{Action, Ask};
use crate::event::{Event, Input};
use crate::state::{Login, State};

/// Starts: with the list if there is a login already, else with the form.
pub fn start(state: &mut State, operator: Option<&str>, logged_in: bool) -> Vec<Action> {
    state.operator = operator.unwrap_or_default().into();
    if logged_in {
        return watch(state);
    }
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
            state.list.keep_in_view(state.list_rows());
            more(state)
        }
        Input::Drawn => {
            let (now, hidden) = (state.now, state.is_too_small());
            if let Some(dialog) = state.dialog.as_mut().filter(|_| !hidden) {
                dialog.drawn(now);
            }
            Vec::new()
        }
        Input::Tick => poll::tick(state),
        Input::Answer(answer) => answers::hear(state, answer),
        Input::End => vec![Action::Quit],
    }
}

/// Begins to watch: somebody is logged in.
fn watch(state: &mut State) -> Vec<Action> {
    state.login = None;
    state.service.waiting = false;
    state.list.hang_up();
    state.service.ask(state.now);
    vec![Action::Ask(Ask::Status), Action::Ask(state.list.reload(state.now))]
}

/// The next page of the list, if the cursor is near the end of what is loaded.
fn more(state: &mut State) -> Vec<Action> {
    state.list.more(state.list_rows()).map(Action::Ask).into_iter().collect()
}
