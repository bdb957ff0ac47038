//! The picture of a [`State`]. Drawing changes nothing and decides nothing.

pub(crate) mod pane;
pub(crate) mod popup;
mod screen;
mod theme;
pub(crate) mod widget;

use ratatui::Frame;
use ratatui::buffer::Buffer;

use self::theme::Theme;
use self::widget::text::span;
use crate::clean::{Clean, clean};
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

/// Draws what is shown once: it is in no state, so that nothing can write it down.
pub(crate) fn draw_once(state: &State, once: &str, frame: &mut Frame<'_>) {
    let theme = Theme::of(state.look);
    let inside = widget::frame::draw(frame, theme, frame.area(), (74, 11), (strings::ONCE_TITLE.to_owned(), ""));
    let lines = [(strings::ONCE, Tone::Plain), (once, Tone::Strong), (strings::ONCE_CLOSE, Tone::Quiet)];
    let width = usize::from(inside.width);
    let lines = lines.into_iter().flat_map(|(text, tone)| {
        let gap = (Clean::default(), Tone::Plain);
        clean(text).wrap(width).into_iter().map(move |text| (text, tone)).chain([gap])
    });
    for (number, (text, tone)) in lines.enumerate() {
        if let Some(area) = widget::text::row_of(inside, number) {
            frame.render_widget(span(text, theme.style(tone)), area);
        }
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
