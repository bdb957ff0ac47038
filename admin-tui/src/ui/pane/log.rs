//! What was done in this run, the newest first.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::event::Failure;
use crate::kind::Tone;
use crate::state::{Record, State};
use crate::strings as s;
use crate::ui::theme::Theme;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let scroll = state.scroll.min(state.log.records.len().saturating_sub(1));
    let newest_first = state.log.records.iter().rev().skip(scroll);
    for (number, record) in newest_first.enumerate() {
        let first = number.saturating_mul(ROWS);
        let (Some(above), Some(below)) = (row_of(area, first), row_of(area, first.saturating_add(1))) else { break };
        let (word, tone) = result(record);
        let head = s::log_head(record);
        let room = width.saturating_sub(word.len());
        let head = span(head.fit(room, theme.cut()), theme.style(Tone::Plain));
        frame.render_widget(line([head, span(word, theme.style(tone))]), above);
        frame.render_widget(span(s::log_tail(record).fit(width, theme.cut()), theme.style(Tone::Quiet)), below);
    }
    if let Some(area) = row_of(area, 1).filter(|_| state.log.records.is_empty()) {
        frame.render_widget(span(Clean::from(format!("  {}", s::LOG_EMPTY)), theme.style(Tone::Quiet)), area);
    }
}

/// What came of an act, in a word.
pub(crate) fn result(record: &Record) -> (&'static str, Tone) {
    match &record.result {
        None => (s::LOG_PENDING, Tone::Caution),
        Some(Ok(outcome)) if !outcome.failed.is_empty() => (s::LOG_IN_PART, Tone::Bad),
        Some(Ok(outcome)) if outcome.waiting.is_some() => (s::LOG_WAITS, Tone::Caution),
        Some(Ok(_)) => (s::words(record).1, Tone::Good),
        Some(Err(Failure::NotSent(_))) => (s::LOG_NOT_DONE, Tone::Bad),
        Some(Err(Failure::Refused { status, .. })) if *status < 500 => (s::LOG_NOT_DONE, Tone::Bad),
        Some(Err(Failure::NoAnswer(_) | Failure::Unreadable(_) | Failure::Refused { .. })) => {
            (s::LOG_NOT_KNOWN, Tone::Bad)
        }
    }
}

/// A record takes two rows and a gap.
const ROWS: usize = 3;
