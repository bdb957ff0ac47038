//! The palette: what is typed, and what it may become.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::widgets::Clear;

use crate::clean::{Clean, clean};
use crate::kind::Tone;
use crate::state::Palette;
use crate::strings as s;
use crate::ui::theme::Theme;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(palette: &Palette, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    frame.render_widget(Clear, area);
    let width = usize::from(area.width);
    if let Some(area) = row_of(area, 0) {
        let typed = Clean::from(format!(" :{}", palette.typed.shown())).end(width.saturating_sub(1));
        let column = area.x.saturating_add(u16::try_from(typed.width()).unwrap_or(u16::MAX));
        frame.set_cursor_position((column, area.y));
        frame.render_widget(span(typed, theme.style(Tone::Strong)), area);
    }
    let offers = palette.offers();
    if let Some(area) = row_of(area, 2).filter(|_| offers.is_empty()) {
        frame.render_widget(span(format!("   {}", s::PALETTE_EMPTY), theme.style(Tone::Quiet)), area);
    }
    for (number, offer) in offers.iter().enumerate() {
        let Some(area) = row_of(area, number.saturating_add(2)) else { break };
        let name = clean(offer.name).fit(NAME_WIDTH, theme.cut());
        let what = clean(offer.what).fit(width.saturating_sub(NAME_WIDTH.saturating_add(4)), theme.cut());
        let name = span(format!("   {name} "), theme.style(Tone::Strong));
        let chosen = number == 0 && palette.chosen().is_some();
        let emphasis = if chosen { Modifier::REVERSED } else { Modifier::empty() };
        frame.render_widget(line([name, span(what, theme.style(Tone::Quiet))]).patch_style(emphasis), area);
    }
}

const NAME_WIDTH: usize = 18;
