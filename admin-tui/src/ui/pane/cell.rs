//! A cell, as text.

use crate::clean::Clean;
use crate::kind::{Cell, Tone};
use crate::strings as s;
use crate::ui::theme::Theme;

/// What `cell` says at `unix_ms`, and in which tone.
pub(in crate::ui) fn shown(cell: &Cell, unix_ms: u64, theme: Theme) -> (Clean, Tone) {
    match cell {
        Cell::Text(text, tone) => (text.clone(), *tone),
        Cell::Word(glyph, word, tone) => (format!("{} {word}", theme.glyph(*glyph)).into(), *tone),
        Cell::Number(number) => (number.to_string().into(), Tone::Plain),
        Cell::Ago(at) => (s::age(unix_ms.saturating_sub(*at)).into(), Tone::Plain),
        Cell::Left(at) => {
            let (text, overdue) = s::left(*at, unix_ms);
            (text.into(), if overdue { Tone::Bad } else { Tone::Caution })
        }
        Cell::Done(done, all) => {
            (format!("{} {}", theme.bar(*done, *all), s::done_of(*done, *all)).into(), Tone::Plain)
        }
        Cell::Nothing => (Clean::default(), Tone::Plain),
    }
}
