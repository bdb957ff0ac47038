//! Colours and glyphs. Nothing is told by a colour alone: a word always stands beside it.

use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::border;

use crate::state::{Health, Lifecycle, Link, Look};

/// What a text is, not how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Quiet,
    Strong,
    Good,
    Caution,
    Bad,
    /// What Enter would do.
    Focus,
}

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

    pub(super) fn state_glyph(self, state: Lifecycle) -> char {
        match state {
            Lifecycle::Active => self.pick('●', '*'),
            Lifecycle::Frozen => self.pick('‖', '#'),
            Lifecycle::ReduceOnly => self.pick('◐', '%'),
            Lifecycle::Revoked => self.pick('✕', 'x'),
            Lifecycle::Pending => self.pick('…', '.'),
            Lifecycle::Unknown => '?',
        }
    }

    fn pick(self, glyph: char, ascii: char) -> char {
        if self.look.ascii { ascii } else { glyph }
    }
}

pub(super) fn state_tone(state: Lifecycle) -> Tone {
    match state {
        Lifecycle::Active => Tone::Good,
        Lifecycle::Frozen | Lifecycle::ReduceOnly | Lifecycle::Pending => Tone::Caution,
        Lifecycle::Revoked | Lifecycle::Unknown => Tone::Bad,
    }
}

pub(super) fn health_tone(health: Health) -> Tone {
    match health {
        Health::Ok => Tone::Good,
        Health::Suspect | Health::Unproven => Tone::Caution,
        Health::Dead | Health::Unknown => Tone::Bad,
    }
}

pub(super) fn link_tone(link: Link) -> Tone {
    match link {
        Link::Opening => Tone::Quiet,
        Link::Live => Tone::Good,
        Link::Stale(_) => Tone::Caution,
        Link::Offline => Tone::Bad,
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
