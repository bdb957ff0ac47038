//! The keys that count in the place below, from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::keymap::{self, Danger, Line};
use crate::kind::Tone;
use crate::state::State;
use crate::strings as s;
use crate::ui::theme::Theme;
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.width).saturating_sub(INDENT);
    let lines = keymap::lines(state.place_below(), state.kind(), state.read_only);
    let rows: Vec<_> = lines.iter().flat_map(|line| rows(line, room)).collect();
    let scroll = state.scroll.min(rows.len().saturating_sub(usize::from(area.height)));
    for (number, (keys, text, danger)) in rows.into_iter().skip(scroll).enumerate() {
        let Some(area) = row_of(area, number) else { return };
        let keys = span(Clean::from(format!("   {keys}")).fit(INDENT, theme.cut()), theme.style(Tone::Strong));
        let tone = if danger > Danger::D0 { Tone::Caution } else { Tone::Plain };
        frame.render_widget(line([keys, span(text, theme.style(tone))]), area);
    }
}

/// What a line of the table takes: its keys stand before the first row.
fn rows(binding: &Line, room: usize) -> Vec<(Clean, Clean, Danger)> {
    let sentence = Clean::from(format!("{}{}", binding.what, s::danger(binding.danger)));
    let keys = |part: usize| if part == 0 { keys(binding) } else { Clean::default() };
    let parts = sentence.wrap(room).into_iter().enumerate();
    parts.map(|(part, text)| (keys(part), text, binding.danger)).collect()
}

fn keys(binding: &Line) -> Clean {
    let names: Vec<String> = binding.keys.iter().map(|key| keymap::name(*key)).collect();
    names.join(" ").into()
}

const INDENT: usize = 14;
