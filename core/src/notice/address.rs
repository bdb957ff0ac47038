//! E-mail addresses as owners have them: the dot-string form of RFC 5321 section 4.1.2, in ASCII, at a domain name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An e-mail address that a letter can be addressed to. It is opened for one letter, and shown nowhere.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
pub struct Address(String);

impl Address {
    /// Reads an address, if it is one.
    pub(crate) fn of(text: &[u8]) -> Option<Self> {
        let text = str::from_utf8(text).ok().filter(|text| is_address(text.as_bytes()))?;
        Some(Self(text.to_owned()))
    }

    /// The text, for the relay.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// The longest address, bytes (RFC 5321 section 4.5.3.1.3, without the brackets).
const ADDRESS_BYTES_MAX: usize = 254;

/// The longest part before the `@`, bytes (RFC 5321 section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// The longest label of a domain name, bytes (RFC 1035 section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Whether a letter can be addressed to it. Nothing that passes can end a line, or stand for more than one address.
pub(crate) fn is_address(text: &[u8]) -> bool {
    let Some(at) = text.iter().rposition(|byte| *byte == b'@') else { return false };
    let (local, domain) = (text.get(..at).unwrap_or_default(), text.get(at.saturating_add(1)..).unwrap_or_default());
    text.len() <= ADDRESS_BYTES_MAX && local.len() <= LOCAL_BYTES_MAX && is_local(local) && is_domain(domain)
}

fn is_local(local: &[u8]) -> bool {
    let is_atext = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(byte);
    local.split(|byte| *byte == b'.').all(|atom| !atom.is_empty() && atom.iter().all(is_atext))
}

fn is_domain(domain: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        let letters = label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        letters && (1..=LABEL_BYTES_MAX).contains(&label.len()) && !label.starts_with(b"-") && !label.ends_with(b"-")
    };
    domain.contains(&b'.') && domain.split(|byte| *byte == b'.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::is_address;

    #[test]
    fn what_letters_can_be_addressed_to() {
        for good in ["a@b.example", "first.last+tag@mail.example.org", "o'hara@xn--bcher-kva.example", "1@2.3a"] {
            assert!(is_address(good.as_bytes()), "{good}");
        }
        let long = format!("{}@b.example", "a".repeat(65));
        let longer = format!("a@{}.example", "b".repeat(64));
        let longest = format!("a@{}example", "b.".repeat(130));
        for bad in [
            "",
            "a",
            "@",
            "a@",
            "@b.example",
            "a@localhost",
            "a@b..example",
            "a@-b.example",
            "a@b-.example",
            ".a@b.example",
            "a.@b.example",
            "a..b@c.example",
            "a@b@c.example",
            "a b@c.example",
            "a@[127.0.0.1]",
            "\"a b\"@c.example",
            "a@b.example\r\nRCPT TO:<eve@c.example>",
            "a@b.example\n",
            "<a@b.example>",
            "a@b.example,c@d.example",
            "ä@b.example",
            "a@bücher.example",
            "a\0@b.example",
            &long,
            &longer,
            &longest,
        ] {
            assert!(!is_address(bad.as_bytes()), "{bad}");
        }
    }
}
