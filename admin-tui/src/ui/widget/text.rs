//! The only way for a text to the screen.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::clean::Clean;

/// A piece of a line. Whatever it is made from is clean by then.
pub(in crate::ui) fn span(text: impl Into<Clean>, style: Style) -> Span<'static> {
    Span::styled(text.into().as_str().to_owned(), style)
}

/// A line.
pub(in crate::ui) fn line(spans: impl IntoIterator<Item = Span<'static>>) -> Line<'static> {
    Line::from_iter(spans)
}

/// The row `number` of `area`; nothing if there is none.
pub(in crate::ui) fn row_of(area: Rect, number: usize) -> Option<Rect> {
    let number = u16::try_from(number).ok().filter(|number| *number < area.height)?;
    Some(Rect { y: area.y.saturating_add(number), height: 1, ..area })
}
