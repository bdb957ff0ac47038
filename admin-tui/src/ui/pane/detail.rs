//! One thing: all that is known of it.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::cell::shown;
use crate::clean::{Clean, clean};
use crate::kind::{Cell, Tone};
use crate::state::{State, View};
use crate::strings as s;
use crate::ui::theme::Theme;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, view: &View, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let Some(item) = view.filling() else {
        let text = if view.list.is_opening() { s::LIST_OPENING } else { view.shape().empty };
        if let Some(area) = row_of(area, 1) {
            frame.render_widget(span(format!("  {text}"), theme.style(Tone::Quiet)), area);
        }
        return;
    };
    let facts = view.shape().facts.iter().map(|fact| clean(fact.name)).zip(&item.cells);
    let more = item.more.iter().map(|(name, cell)| (name.clone(), cell));
    let known: Vec<_> = facts.chain(more).filter(|(_, cell)| !cell.is_nothing()).collect();
    let widest = known.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let names = widest.clamp(8, NAME_MAX).saturating_add(5);
    let room = usize::from(area.width).saturating_sub(names);

    let mut lines: Vec<(Clean, Clean, Tone)> = Vec::new();
    if item.gone {
        lines.push((Clean::default(), s::IS_GONE.into(), Tone::Bad));
    }
    for (name, cell) in known {
        let (text, tone) = shown(cell, state.server_ms(), theme);
        let text = match cell {
            Cell::Ago(at) => s::ago(*at, state.server_ms()),
            Cell::Left(at) => s::until(&text, *at),
            Cell::Text(..) | Cell::Word(..) | Cell::Number(_) | Cell::Done(..) | Cell::Nothing => text,
        };
        for (part, text) in text.wrap(room).into_iter().take(ROWS_MAX).enumerate() {
            lines.push((if part == 0 { name.clone() } else { Clean::default() }, text, tone));
        }
    }
    let wide = usize::from(area.width).saturating_sub(4);
    if !item.text.is_empty() {
        lines.push((Clean::default(), Clean::default(), Tone::Plain));
    }
    let text = item.text.iter().flat_map(|text| text.wrap(wide));
    let text: Vec<Clean> = text.collect();

    let rows = usize::from(area.height);
    let all = lines.len().saturating_add(text.len());
    let scroll = view.scroll.min(all.saturating_sub(rows));
    let lines = lines.into_iter().map(|(name, text, tone)| {
        let name = Clean::from(format!("   {name}")).fit(names, theme.cut());
        line([span(name, theme.style(Tone::Quiet)), span(text, theme.style(tone))])
    });
    let text = text.into_iter().map(|text| line([span(format!("   {text}"), theme.style(Tone::Plain))]));
    for (number, line) in lines.chain(text).skip(scroll).enumerate() {
        let Some(area) = row_of(area, number) else { break };
        frame.render_widget(line, area);
    }
}

/// The name of a fact takes no more columns than this.
const NAME_MAX: usize = 20;
/// A fact takes no more rows than this, so that it cannot push the others out of sight.
const ROWS_MAX: usize = 6;
