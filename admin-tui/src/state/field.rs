//! A line that is typed.

use serde::{Deserialize, Serialize};

use crate::clean::{Clean, clean};

/// A line that is typed. Controls never get into it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field(String);

impl Field {
    /// A field that holds `text` already.
    pub fn with(text: &str) -> Self {
        let mut field = Self::default();
        field.paste(text);
        field
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What was typed, to be drawn.
    pub fn shown(&self) -> Clean {
        clean(&self.0)
    }

    /// How many characters it has, not counting space around them.
    pub fn chars(&self) -> usize {
        self.0.trim().chars().count()
    }

    /// Adds a character at the end.
    pub fn push(&mut self, c: char) {
        if !c.is_control() && self.0.chars().count() < CHARS_MAX {
            self.0.push(c);
        }
    }

    /// Adds a text; its line breaks and tabs become spaces.
    pub fn paste(&mut self, text: &str) {
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).for_each(|c| self.push(c));
    }

    /// Takes the last character away.
    pub fn erase(&mut self) {
        self.0.pop();
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A field holds this many characters: as many as the longest text that the API takes.
const CHARS_MAX: usize = 8_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_text_and_no_controls() {
        let mut field = Field::with("a\tb\nc\u{1b}d ");
        assert_eq!(field.text(), "a b cd ");
        assert_eq!(field.chars(), 6);
        field.erase();
        field.push('\u{7}');
        assert_eq!(field.text(), "a b cd");
        field.paste(&"x".repeat(9_000));
        assert_eq!(field.chars(), CHARS_MAX);
        field.clear();
        assert_eq!(field, Field::default());
    }
}
