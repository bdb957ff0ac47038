//! The few encodings that signing rests on. Each is strict, so that what is signed is what is sent.

use data_encoding::{BASE64, HEXLOWER};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How signature bytes become text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal.
    Hex,
    /// Base64 with padding (RFC 4648 section 4).
    Base64,
    /// The same, percent-encoded.
    Base64Percent,
}

impl Encoding {
    /// Encodes the bytes.
    pub fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => HEXLOWER.encode(bytes),
            Self::Base64 => BASE64.encode(bytes),
            Self::Base64Percent => percent(&BASE64.encode(bytes)),
        }
    }
}

/// Appends `name=value` to a query or form, both percent-encoded, with a separator if something is there already.
pub fn append(pairs: &mut String, name: &str, value: &str) {
    if !pairs.is_empty() {
        pairs.push('&');
    }
    pairs.push_str(&percent(name));
    pairs.push('=');
    pairs.push_str(&percent(value));
}

/// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
pub fn percent(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// Encodes the pairs as a query or an `application/x-www-form-urlencoded` body, in their order.
pub fn form<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        append(&mut text, name, value);
    }
    text
}

/// Makes foreign text fit for an error or a log: printable ASCII, `chars_max` characters at most.
pub(crate) fn printable(text: &str, chars_max: usize) -> String {
    let clean = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    text.chars().take(chars_max).map(clean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unreserved_characters_stay() {
        assert_eq!(form([("a-b", "A~z.0_9")]), "a-b=A~z.0_9");
        assert_eq!(form([("n", "a b+c/d=e&f%#?\r\n\0é")]), "n=a%20b%2Bc%2Fd%3De%26f%25%23%3F%0D%0A%00%C3%A9");
        assert_eq!(form([("a&b", "1"), ("c", "")]), "a%26b=1&c=");
        assert_eq!(form([]), "");
    }

    #[test]
    fn foreign_text_is_cleaned_and_cut() {
        assert_eq!(printable("EOrder:Insufficient funds", 64), "EOrder:Insufficient funds");
        assert_eq!(printable("a\r\n\u{7f}é", 4), "a???");
    }
}
