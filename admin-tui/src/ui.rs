//! The picture of a [`State`]. Drawing changes nothing and decides nothing.

mod pane;
mod popup;
mod screen;
mod theme;
mod widget;

use ratatui::Frame;
use ratatui::buffer::Buffer;

use self::theme::Theme;
use self::widget::text::span;
use crate::kind::Tone;
use crate::state::State;
use crate::strings;

/// Draws `state`.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let theme = Theme::of(state.look);
    let area = frame.area();
    if state.is_too_small() {
        let notice = strings::too_small(state.size.columns, state.size.rows);
        frame.render_widget(span(notice, theme.style(Tone::Bad)), area);
    } else {
        screen::draw(state, theme, frame);
    }
    if state.look.ascii {
        to_ascii(frame.buffer_mut());
    }
}

/// Replaces what is left that is not ASCII: text from outside.
fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if !cell.symbol().is_ascii() {
            cell.set_symbol(if cell.symbol() == "…" { "~" } else { "?" });
        }
    }
}
