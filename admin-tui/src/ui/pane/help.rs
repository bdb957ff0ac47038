//! The keys that count in the place below, from the key table.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::clean::Clean;
use crate::keymap::{self, Binding, Danger};
use crate::state::State;
use crate::strings as s;
use crate::ui::theme::{Theme, Tone};
use crate::ui::widget::text::{line, row_of, span};

pub(in crate::ui) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let room = usize::from(area.width).saturating_sub(INDENT);
    let mut number = 0_usize;
    for binding in keymap::bindings(state.place_below_help(), state.read_only).skip(state.scroll) {
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

fn keys(binding: &Binding) -> Clean {
    let names: Vec<String> = binding.keys.iter().map(|key| keymap::name(*key)).collect();
    names.join(" ").into()
}

const INDENT: usize = 14;
