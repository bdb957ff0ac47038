//! One screen: the lines around, a pane, and a dialog over it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};

use super::theme::Theme;
use super::widget::bar;
use super::{pane, popup};
use crate::state::{Over, State};

pub(super) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let rows = [1, 1, 0, 1, 1].map(|rows| if rows == 0 { Constraint::Fill(1) } else { Constraint::Length(rows) });
    let [header, subheader, body, notice, commands] = Layout::vertical(rows).areas(frame.area());
    bar::header(state, theme, frame, header);
    bar::subheader(state, theme, frame, subheader);
    bar::notice(state, theme, frame, notice);
    bar::commands(state, theme, frame, commands);
    if let Some(login) = &state.login {
        pane::login::draw(login, theme, frame, body);
        return;
    }
    match (&state.over, state.view()) {
        (Some(Over::Log), _) => pane::log::draw(state, theme, frame, body),
        (Some(Over::Help), _) => pane::help::draw(state, theme, frame, body),
        (Some(Over::Palette(palette)), _) => pane::palette::draw(palette, theme, frame, body),
        (None, Some(view)) if view.is_detail() => pane::detail::draw(state, view, theme, frame, body),
        (None, Some(view)) => pane::list::draw(state, view, theme, frame, body),
        (None, None) => {}
    }
    if let Some(dialog) = &state.dialog {
        popup::act::draw(state, dialog, theme, frame, body);
    }
}
