//! A frame in the middle of the screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear};

use super::text::span;
use crate::kind::Tone;
use crate::ui::theme::Theme;

/// Clears a frame of at most `width` by `height`, draws its border and titles, and gives what is inside.
pub(in crate::ui) fn draw(
    frame: &mut Frame<'_>,
    theme: Theme,
    within: Rect,
    (width, height): (u16, u16),
    title: (String, &str),
) -> Rect {
    let (width, height) = (width.min(within.width), height.min(within.height));
    let area = Rect {
        x: within.x.saturating_add(within.width.saturating_sub(width) / 2),
        y: within.y.saturating_add(within.height.saturating_sub(height) / 2),
        width,
        height,
    };
    let style = theme.style(Tone::Strong);
    let (left, right) = title;
    let mut block = Block::bordered().border_set(theme.border()).title(span(format!(" {left} "), style));
    if !right.is_empty() {
        block = block.title(Line::from(span(format!(" {right} "), style)).right_aligned());
    }
    let inside = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    Rect { x: inside.x.saturating_add(1), width: inside.width.saturating_sub(2), ..inside }
}
