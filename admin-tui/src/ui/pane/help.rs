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
    let mut number = 0_usize;
    let lines = keymap::lines(state.place_below(), state.kind(), state.read_only);
    let rows = usize::from(area.height);
    let scroll = state.scroll.min(lines.len().saturating_sub(rows));
    for binding in lines.iter().skip(scroll) {
        let sentence = Clean::from(format!("{}{}", binding.what, s::danger(binding.danger)));
        for (part, text) in sentence.wrap(room).into_iter().enumerate() {
            let Some(area) = row_of(area, number) else { return };
            let keys = if part == 0 { keys(binding) } else { Clean::default() };
            let keys = span(Clean::from(format!("   {keys}")).fit(INDENT, theme.cut()), theme.style(Tone::Strong));
            let tone = if binding.danger > Danger::D0 { Tone::Caution } else { Tone::Plain };
            frame.render_widget(line([keys, span(text, theme.style(tone))]), area);
            number = number.saturating_add(1);
        }
    }
}

fn keys(binding: &Line) -> Clean {
    let names: Vec<String> = binding.keys.iter().map(|key| keymap::name(*key)).collect();
    names.join(" ").into()
}

const INDENT: usize = 14;
