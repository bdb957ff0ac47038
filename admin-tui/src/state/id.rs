//! Ids.

use serde::{Deserialize, Serialize};

use crate::clean::{Clean, clean};

/// An id such as `cred_…`, a version, or a tag such as `state.frozen`: letters, digits, `_`, `-` and, not in front, dots.
/// Safe in a path and on the screen as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Id(String);

impl Id {
    /// Takes `text` if it is an id.
    pub fn parse(text: &str) -> Option<Self> {
        let sound = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let fits = !text.is_empty() && text.len() <= BYTES_MAX && !text.starts_with('.');
        (fits && text.bytes().all(sound)).then(|| Self(text.to_owned()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id, to be drawn.
    pub fn shown(&self) -> Clean {
        clean(&self.0)
    }

    /// Its last four characters, by which people tell ids apart.
    pub fn tail(&self) -> Clean {
        self.shown().tail(4)
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not an id")
    }
}

/// Twice as long as the longest there is.
const BYTES_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_ids_and_nothing_else() {
        assert!(Id::parse("cred_01k6g0000000000000000000a1").is_some());
        for text in ["7", "state.all-stopped"] {
            assert!(Id::parse(text).is_some(), "{text:?}");
        }
        for text in ["", ".", "..", "./a", "cred_a/b", "cred_a b", "cred_a?b", "cred_é", "cred_\u{1b}"] {
            assert_eq!(Id::parse(text), None, "{text:?}");
        }
        assert_eq!(Id::parse(&format!("cred_{}", "a".repeat(100))), None);
    }
}
