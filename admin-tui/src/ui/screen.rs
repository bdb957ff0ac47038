//! One screen: the lines around, a pane, and a dialog over it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};

use super::theme::Theme;
use super::widget::bar;
use super::{pane, popup};
use crate::state::{Screen, State};

pub(super) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let rows = [1, 1, 0, 1, 1].map(|rows| if rows == 0 { Constraint::Fill(1) } else { Constraint::Length(rows) });
    let [header, subheader, body, notice, commands] = Layout::vertical(rows).areas(frame.area());
    bar::header(state, theme, frame, header);
    bar::subheader(state, theme, frame, subheader);
    bar::notice(state, theme, frame, notice);
    bar::commands(state, theme, frame, commands);
    match (&state.login, state.screens.last()) {
        (Some(login), _) => pane::login::draw(login, theme, frame, body),
        (None, None) => pane::list::draw(state, theme, frame, body),
        (None, Some(Screen::Detail)) => pane::detail::draw(state, theme, frame, body),
        (None, Some(Screen::Log)) => pane::log::draw(state, theme, frame, body),
        (None, Some(Screen::Help)) => pane::help::draw(state, theme, frame, body),
    }
    if let Some(dialog) = &state.dialog {
        popup::act::draw(dialog, theme, frame, body);
    }
}
