//! Colours and glyphs. Nothing is told by a colour alone: a word always stands beside it.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::kind::{Glyph, Tone};
use crate::state::{Link, Look};

/// How tones and glyphs look on this terminal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    look: Look,
}

impl Theme {
    pub(super) fn of(look: Look) -> Self {
        Self { look }
    }

    /// The terminal's own palette, so that it fits light and dark ones.
    pub(super) fn style(self, tone: Tone) -> Style {
        let (color, modifier) = match tone {
            Tone::Plain => (Color::Reset, Modifier::empty()),
            Tone::Quiet => (Color::Reset, Modifier::DIM),
            Tone::Strong => (Color::Reset, Modifier::BOLD),
            Tone::Good => (Color::Green, Modifier::empty()),
            Tone::Caution => (Color::Yellow, Modifier::BOLD),
            Tone::Bad => (Color::Red, Modifier::BOLD),
            Tone::Focus => (Color::Reset, Modifier::REVERSED),
        };
        let style = Style::default().add_modifier(modifier);
        if self.look.no_color || color == Color::Reset { style } else { style.fg(color) }
    }

    pub(super) fn crumb(self) -> char {
        self.pick('▸', '>')
    }

    pub(super) fn cursor(self) -> char {
        self.pick('▌', '>')
    }

    /// Where a text was cut.
    pub(super) fn cut(self) -> char {
        self.pick('…', '~')
    }

    /// A secret, whatever its length.
    pub(super) fn mask(self) -> String {
        self.pick('•', '*').to_string().repeat(8)
    }

    pub(super) fn border(self) -> border::Set<'static> {
        if self.look.ascii { ASCII_BORDER } else { border::PLAIN }
    }

    /// A row that is marked.
    pub(super) fn mark(self) -> char {
        self.pick('✓', '+')
    }

    pub(super) fn glyph(self, glyph: Glyph) -> char {
        match glyph {
            Glyph::On => self.pick('●', '*'),
            Glyph::Stopped => self.pick('‖', '#'),
            Glyph::Half => self.pick('◐', '%'),
            Glyph::Ended => self.pick('✕', 'x'),
            Glyph::Waiting => self.pick('…', '.'),
            Glyph::Going => self.pick('▶', '>'),
            Glyph::Alert => '!',
            Glyph::Unknown => '?',
        }
    }

    /// Around a word that can be changed for another.
    pub(super) fn arrows(self) -> (char, char) {
        (self.pick('◂', '<'), self.pick('▸', '>'))
    }

    /// How much is done, in ten steps.
    pub(super) fn bar(self, done: u64, all: u64) -> String {
        let full = usize::try_from(done.min(all).saturating_mul(10).checked_div(all).unwrap_or(10)).unwrap_or(10);
        let (on, off) = (self.pick('█', '#'), self.pick('░', '-'));
        (0..10).map(|step| if step < full { on } else { off }).collect()
    }

    fn pick(self, glyph: char, ascii: char) -> char {
        if self.look.ascii { ascii } else { glyph }
    }
}

pub(super) fn link_tone(link: Link) -> Tone {
    match link {
        Link::Opening => Tone::Quiet,
        Link::Live => Tone::Good,
        Link::Stale(_) => Tone::Caution,
        Link::Offline(_) => Tone::Bad,
    }
}

const ASCII_BORDER: border::Set<'static> = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};
