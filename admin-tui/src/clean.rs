//! Text from outside, made safe to draw.
//!
//! Labels, venues' errors and servers' texts may be written by an attacker. What could move the cursor, turn the reading
//! direction or hide something is made visible here, once, at the boundary; nothing is ever left out silently.

use std::fmt;

use ratatui::buffer::CellWidth as _;
use serde::{Deserialize, Serialize};

/// Text that is safe to draw: every character in it can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Clean(String);

/// Makes `text` safe to draw.
///
/// Controls become their pictures (`␛`), other invisible characters their code (`<U+202E>`). Marks that combine with
/// the character before them stay, up to two of them. What is longer than [`CHARS_MAX`] is cut, visibly.
pub fn clean(text: &str) -> Clean {
    let mut out = String::with_capacity(text.len());
    let mut marks = MARKS_MAX;
    for (count, c) in text.chars().enumerate() {
        if count == CHARS_MAX {
            out.push('…');
            break;
        }
        let width = if c.is_control() { 0 } else { width_of(c) };
        if width > 0 && !is_invisible(c) {
            marks = 0;
            out.push(c);
        } else if !c.is_control() && !is_invisible(c) && marks < MARKS_MAX {
            marks = marks.saturating_add(1);
            out.push(c);
        } else {
            marks = MARKS_MAX;
            out.push_str(&visible(c));
        }
    }
    Clean(out)
}

impl Clean {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many columns it takes.
    pub fn width(&self) -> usize {
        self.0.chars().map(width_of).sum()
    }

    /// The text in exactly `width` columns: filled up with spaces, or cut, with `mark` where it was cut.
    #[must_use]
    pub fn fit(&self, width: usize, mark: char) -> Self {
        let missing = width.saturating_sub(self.width());
        if self.width() <= width {
            return Self(format!("{}{}", self.0, " ".repeat(missing)));
        }
        let room = width.saturating_sub(1);
        let (mut out, mut taken) = (String::new(), 0_usize);
        for c in self.0.chars() {
            let after = taken.saturating_add(width_of(c));
            if after > room {
                break;
            }
            taken = after;
            out.push(c);
        }
        if width > 0 {
            out.push(mark);
        }
        out.push_str(&" ".repeat(room.saturating_sub(taken)));
        Self(out)
    }

    /// The text in at most `width` columns, with `…` where it was cut.
    #[must_use]
    pub fn within(&self, width: usize) -> Self {
        if self.width() <= width { self.clone() } else { self.fit(width, '…') }
    }

    /// The text in lines of at most `width` columns, broken between words where that is possible.
    pub fn wrap(&self, width: usize) -> Vec<Self> {
        let (mut lines, mut line) = (Vec::new(), Self::default());
        for word in self.0.split(' ') {
            for piece in Self(word.to_owned()).pieces(width) {
                let joined = if line.is_empty() { piece.clone() } else { Self(format!("{line} {piece}")) };
                if joined.width() <= width {
                    line = joined;
                } else {
                    lines.push(std::mem::replace(&mut line, piece));
                }
            }
        }
        lines.push(line);
        lines
    }

    /// The end of the text, in at most `width` columns.
    #[must_use]
    pub fn end(&self, width: usize) -> Self {
        let mut rest = self.0.as_str();
        while Self(rest.to_owned()).width() > width {
            rest = rest.get(rest.chars().next().map_or(1, char::len_utf8)..).unwrap_or_default();
        }
        Self(rest.to_owned())
    }

    /// The last `count` characters.
    #[must_use]
    pub fn tail(&self, count: usize) -> Self {
        let skip = self.0.chars().count().saturating_sub(count);
        Self(self.0.chars().skip(skip).collect())
    }

    /// A word in pieces of at most `width` columns.
    fn pieces(&self, width: usize) -> Vec<Self> {
        let (mut pieces, mut piece, mut taken) = (Vec::new(), String::new(), 0_usize);
        for c in self.0.chars() {
            let after = taken.saturating_add(width_of(c));
            if after > width && !piece.is_empty() {
                pieces.push(Self(std::mem::take(&mut piece)));
                taken = width_of(c);
            } else {
                taken = after;
            }
            piece.push(c);
        }
        pieces.push(Self(piece));
        pieces
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Clean {
    fn from(text: &str) -> Self {
        clean(text)
    }
}

impl From<String> for Clean {
    fn from(text: String) -> Self {
        clean(&text)
    }
}

impl From<&Self> for Clean {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

/// How many columns a character takes that is not a control.
fn width_of(c: char) -> usize {
    usize::from(c.encode_utf8(&mut [0; 4]).cell_width())
}

/// Characters that are drawn as nothing, or that change how others are drawn: Unicode's `Default_Ignorable_Code_Point`,
/// the line separators and the interlinear annotations.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn visible(c: char) -> String {
    let code = u32::from(c);
    let picture = match code {
        0..0x20 => char::from_u32(code.saturating_add(0x2400)),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    picture.map_or_else(|| format!("<U+{code:04X}>"), String::from)
}

/// No text is longer than this many characters.
pub const CHARS_MAX: usize = 1024;

/// So many marks may combine with one character: enough for every living script, not enough to cover the lines around.
const MARKS_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_would_be_hidden() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text).as_str(), expected, "{text:?}");
        check("anna-main", "anna-main");
        check("Zoë 日本 кот", "Zoë 日本 кот");
        check("\u{1b}[2J", "␛[2J");
        check("a\tb\nc\r", "a␉b␊c␍");
        check("\u{7f}\u{9b}31m", "␡<U+009B>31m");
        check("live\u{202e}desrever", "live<U+202E>desrever");
        check("a\u{200b}b\u{feff}c\u{ad}", "a<U+200B>b<U+FEFF>c<U+00AD>");
        check("tag\u{e0041}", "tag<U+E0041>");
        check("e\u{301}", "e\u{301}");
        check("\u{301}e", "<U+0301>e");
        check("e\u{301}\u{301}\u{301}", "e\u{301}\u{301}<U+0301>");
        check("👩\u{200d}💻", "👩<U+200D>💻");
    }

    #[test]
    fn is_stable_and_bounded() {
        let once = clean("\u{1b}\u{202e}");
        assert_eq!(clean(once.as_str()), once);
        let long = clean(&"x".repeat(5000));
        assert_eq!(long.width(), CHARS_MAX + 1);
        assert!(long.as_str().ends_with('…'));
    }

    #[test]
    fn fits_into_columns() {
        let check = |text: &str, width, expected: &str| assert_eq!(clean(text).fit(width, '…').as_str(), expected);
        check("ab", 4, "ab  ");
        check("abcd", 4, "abcd");
        check("abcde", 4, "abc…");
        check("日本語", 4, "日… ");
        check("abc", 0, "");
    }

    #[test]
    fn wraps_between_words_and_within_long_ones() {
        let lines = |text: &str, width| clean(text).wrap(width).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(lines("one two three", 8), ["one two", "three"]);
        assert_eq!(lines("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(lines("", 3), [""]);
    }

    #[test]
    fn comes_out_of_a_file_as_clean_as_from_the_wire() {
        let read: Clean = serde_json::from_str(r#""a\u001bb""#).unwrap();
        assert_eq!(read.as_str(), "a␛b");
    }
}
