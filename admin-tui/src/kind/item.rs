//! One thing, as it is drawn.

use serde::{Deserialize, Serialize};

use crate::clean::{CHARS_MAX, Clean, clean};
use crate::state::Id;

/// One thing: its id, its name, and a cell for each fact of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: Id,
    /// Its own name.
    pub name: Clean,
    /// How it stands, in the API's word; acts look at it. Empty where things of the kind have no state.
    pub state: String,
    /// A cell for each fact of its kind, in that order.
    pub cells: Vec<Cell>,
    /// What is known of this one beside that: name and cell.
    pub more: Vec<(Clean, Cell)>,
    /// Longer text under the facts, a line or a sentence each.
    pub text: Vec<Clean>,
    /// Whether it is not there any more. Its row stays until the list is asked for anew, so that nothing moves under a
    /// finger.
    pub gone: bool,
}

impl Item {
    /// A thing that has `id`, if that is one.
    pub fn new(id: &str, name: &str, state: &str) -> Option<Self> {
        let (id, name) = (Id::parse(id)?, clean(name));
        Some(Self {
            id,
            name,
            state: state.to_owned(),
            cells: Vec::new(),
            more: Vec::new(),
            text: Vec::new(),
            gone: false,
        })
    }

    /// The same, with `cells`.
    #[must_use]
    pub fn with(self, cells: impl IntoIterator<Item = Cell>) -> Self {
        Self { cells: cells.into_iter().collect(), ..self }
    }

    /// The same, and `cell` is known of it as `name`.
    #[must_use]
    pub fn known(mut self, name: &str, cell: Cell) -> Self {
        self.more.push((clean(name), cell));
        self
    }

    /// The same, with `text` under what stands there: a line each, and none of it is cut.
    #[must_use]
    pub fn told(mut self, text: &str) -> Self {
        for line in text.lines() {
            let mut rest = line;
            while let Some((cut, _)) = rest.char_indices().nth(CHARS_MAX) {
                let (head, tail) = rest.split_at(cut);
                self.text.push(clean(head));
                rest = tail;
            }
            self.text.push(clean(rest));
        }
        self
    }

    /// Whether each of `words`, in small letters, stands somewhere in it.
    pub fn matches(&self, words: &[String]) -> bool {
        let own = [self.id.as_str(), self.name.as_str()].into_iter();
        let texts: Vec<String> = own.chain(self.cells.iter().filter_map(Cell::text)).map(str::to_lowercase).collect();
        words.iter().all(|word| texts.iter().any(|text| text.contains(word.as_str())))
    }
}

/// What is shown in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cell {
    /// A text.
    Text(Clean, Tone),
    /// A word with a glyph before it: never a colour alone.
    Word(Glyph, Clean, Tone),
    /// A number.
    Number(u64),
    /// When something was, in milliseconds since the Unix epoch: drawn as how long ago.
    Ago(u64),
    /// Until when something has to be done, in milliseconds since the Unix epoch: drawn as what is left, or overdue.
    Left(u64),
    /// How much of a whole is done: drawn as a bar and per cent.
    Done(u64, u64),
    /// Nothing.
    Nothing,
}

impl Cell {
    /// A text from outside.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::toned(text, Tone::Plain)
    }

    /// A text from outside, in a tone.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self::Text(clean(text.as_ref()), tone)
    }

    /// A word from outside, with a glyph.
    pub fn word(glyph: Glyph, word: impl AsRef<str>, tone: Tone) -> Self {
        Self::Word(glyph, clean(word.as_ref()), tone)
    }

    /// A text, if there is one.
    pub fn maybe(text: Option<impl AsRef<str>>) -> Self {
        text.map_or(Self::Nothing, Self::plain)
    }

    /// How long ago an RFC 3339 time was; a text that is none as it is.
    pub fn ago(at: impl AsRef<str>) -> Self {
        unix_ms(at.as_ref()).map_or_else(|| Self::plain(at), Self::Ago)
    }

    /// How long it is until an RFC 3339 time; a text that is none as it is.
    pub fn left(at: impl AsRef<str>) -> Self {
        unix_ms(at.as_ref()).map_or_else(|| Self::plain(at), Self::Left)
    }

    /// The text that a filter looks through.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text, _) | Self::Word(_, text, _) => Some(text.as_str()),
            Self::Number(_) | Self::Ago(_) | Self::Left(_) | Self::Done(..) | Self::Nothing => None,
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_nothing(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Text(text, _) => text.is_empty(),
            Self::Word(..) | Self::Number(_) | Self::Ago(_) | Self::Left(_) | Self::Done(..) => false,
        }
    }

    /// What rows are sorted by.
    pub fn rank(&self) -> (u64, String) {
        match self {
            Self::Text(text, _) | Self::Word(_, text, _) => (0, text.as_str().to_lowercase()),
            // Who sorts by age wants the youngest first.
            Self::Ago(at) => (u64::MAX.saturating_sub(*at), String::new()),
            Self::Number(number) | Self::Left(number) => (*number, String::new()),
            Self::Done(done, all) => (done.saturating_mul(1000).checked_div(*all).unwrap_or(1000), String::new()),
            Self::Nothing => (u64::MAX, String::new()),
        }
    }
}

fn unix_ms(at: &str) -> Option<u64> {
    let at: jiff::Timestamp = at.parse().ok()?;
    u64::try_from(at.as_millisecond()).ok()
}

/// What a text is, not how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// Nothing in particular.
    Plain,
    /// Less than the rest.
    Quiet,
    /// More than the rest.
    Strong,
    /// Well.
    Good,
    /// To be looked at.
    Caution,
    /// Not well.
    Bad,
    /// What Enter would do.
    Focus,
}

/// A sign before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Glyph {
    /// It works.
    On,
    /// It is stopped.
    Stopped,
    /// It works in part.
    Half,
    /// It has ended for good.
    Ended,
    /// It waits for something.
    Waiting,
    /// It goes on.
    Going,
    /// Somebody has to look.
    Alert,
    /// Not known.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_kept_whole() {
        let long = "é".repeat(CHARS_MAX * 2 + 1);
        let item = Item::new("inc_1", "", "").unwrap().told("one\ntwo").told(&long);
        let lines: Vec<&str> = item.text.iter().map(Clean::as_str).collect();
        assert_eq!(lines[..2], ["one", "two"]);
        assert_eq!(lines[2..].concat(), long);
    }
}
