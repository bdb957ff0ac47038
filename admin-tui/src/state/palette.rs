//! The palette: a command that is typed, and what it may become.

use serde::{Deserialize, Serialize};

use super::field::Field;
use crate::kind::{KINDS, Kind};
use crate::strings as s;

/// The palette.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Palette {
    /// What is typed.
    pub typed: Field,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Shows a kind of things.
    Show(Kind),
    /// Ends the console.
    Quit,
    /// Lists what was done in this run.
    Log,
    /// Lists the keys.
    Help,
    /// Keeps the login for the next time.
    Keep,
}

/// A command as the palette offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it does.
    pub what: &'static str,
    /// The command.
    pub command: Command,
}

impl Palette {
    /// The commands that begin with what is typed, then those that hold it.
    pub fn offers(&self) -> Vec<Offer> {
        let typed = self.word();
        let all: Vec<Offer> = offers().collect();
        let begins = |offer: &Offer| offer.names().any(|name| name.starts_with(&typed));
        let exact = |offer: &Offer| offer.names().any(|name| name == typed);
        let holds = |offer: &Offer| offer.name.contains(&typed);
        let first = all.iter().filter(|offer| exact(offer));
        let second = all.iter().filter(|offer| !exact(offer) && begins(offer));
        let third = all.iter().filter(|offer| !begins(offer) && holds(offer));
        first.chain(second).chain(third).copied().collect()
    }

    /// Completes what is typed to the first command that is offered.
    pub fn complete(&mut self) {
        let rest = self.rest().to_owned();
        if let Some(offer) = self.offers().first() {
            self.typed = Field::with(&format!("{} {rest}", offer.name));
        }
    }

    /// The command that Enter would run, and the filter that was typed after it.
    pub fn chosen(&self) -> Option<(Command, String)> {
        let offer = self.offers().first().copied().filter(|_| !self.word().is_empty())?;
        Some((offer.command, self.rest().trim_start_matches('/').trim().to_owned()))
    }

    fn word(&self) -> String {
        self.typed.text().split_whitespace().next().unwrap_or_default().to_lowercase()
    }

    fn rest(&self) -> &str {
        self.typed.text().trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim())
    }
}

impl Offer {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

fn offers() -> impl Iterator<Item = Offer> {
    let kinds = KINDS.iter().map(|kind| (*kind, kind.shape())).filter(|(_, shape)| !shape.hangs_on_another);
    let kinds = kinds.map(|(kind, shape)| Offer {
        name: shape.name,
        aliases: shape.aliases,
        what: shape.what,
        command: Command::Show(kind),
    });
    kinds.chain(OWN.iter().copied())
}

const OWN: &[Offer] = &[
    Offer { name: "log", aliases: &["l"], what: s::LOG, command: Command::Log },
    Offer { name: "help", aliases: &["h"], what: s::HELP, command: Command::Help },
    Offer { name: "keep-login", aliases: &[], what: s::KEEP_LOGIN, command: Command::Keep },
    Offer { name: "quit", aliases: &["q", "exit"], what: s::QUIT, command: Command::Quit },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Palette {
        Palette { typed: Field::with(text) }
    }

    #[test]
    fn takes_names_aliases_beginnings_and_a_filter() {
        assert_eq!(typed("cred").chosen(), Some((Command::Show(Kind::Credentials), String::new())));
        assert_eq!(typed("q").chosen(), Some((Command::Quit, String::new())));
        let filtered = typed("  Credentials /mexc frozen").chosen();
        assert_eq!(filtered, Some((Command::Show(Kind::Credentials), "mexc frozen".to_owned())));
        assert_eq!(typed("").chosen(), None);
        assert_eq!(typed("nothing-like-it").chosen(), None);
    }

    #[test]
    fn no_screen_takes_the_name_of_a_command() {
        let names: Vec<&str> =
            KINDS.iter().flat_map(|kind| kind.shape().aliases.iter().copied().chain([kind.shape().name])).collect();
        let taken = OWN.iter().flat_map(Offer::names).find(|name| names.contains(name));
        assert_eq!(taken, None);
    }

    #[test]
    fn completes() {
        let mut palette = typed("creden /mexc");
        palette.complete();
        assert_eq!(palette.typed.text(), "credentials /mexc");
    }
}
