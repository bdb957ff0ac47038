//! Codes that an operator writes down: shown once, each good once, stored as hashes.

use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;
use zeroize::Zeroizing;

use super::secret::{NoRandom, hash_secret};
use crate::secret::Plaintext;

/// Crockford's base32: no letter of it is taken for a digit.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    #[expect(clippy::expect_used, reason = "the specification is the constant above")]
    spec.encoding().expect("32 distinct symbols")
});

/// How many letters stand between two dashes.
const GROUP: usize = 4;

/// A code that an operator showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Six digits: a one-time code.
    OneTime,
    /// A code that was written down, by its hash.
    Written([u8; 32]),
}

/// Ten backup codes of 80 random bits each. A plain hash keeps them: to find one takes 2^79 tries.
///
/// # Errors
/// [`NoRandom`].
pub fn backup_codes() -> Result<Vec<Zeroizing<String>>, NoRandom> {
    (0..10).map(|_| written::<10>()).collect()
}

/// Five break-glass codes of 160 random bits each.
///
/// # Errors
/// [`NoRandom`].
pub fn break_glass_codes() -> Result<Vec<Zeroizing<String>>, NoRandom> {
    (0..5).map(|_| written::<20>()).collect()
}

/// What is stored of a written code. Case, dashes and spaces do not count, and `o`, `i`, `l` are read as `0`, `1`, `1`.
pub fn written_hash(code: &str) -> [u8; 32] {
    hash_secret(&as_typed(code))
}

/// Bytes that are to be written down by hand.
pub(crate) fn letters(bytes: &[u8]) -> Zeroizing<String> {
    let letters = Zeroizing::new(CROCKFORD.encode(bytes));
    let mut text = Zeroizing::new(String::with_capacity(letters.len().saturating_mul(2)));
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// Reads what [`letters`] wrote, as [`written_hash`] reads a code.
pub(crate) fn read_letters(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    CROCKFORD.decode(as_typed(text).as_bytes()).map(Zeroizing::new).ok()
}

fn as_typed(code: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(code.len()));
    for letter in code.chars().filter(|c| *c != '-' && !c.is_whitespace()) {
        plain.push(match letter.to_ascii_lowercase() {
            'o' => '0',
            'i' | 'l' => '1',
            other => other,
        });
    }
    plain
}

/// Tells which kind of code was shown.
#[expect(clippy::disallowed_methods, reason = "EXPOSE: a code is told by its form, and hashed if it was written down")]
pub fn read_code(code: &Plaintext) -> Code {
    code.expose(|bytes| {
        let text = std::str::from_utf8(bytes).unwrap_or_default().trim();
        let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
        if digits { Code::OneTime } else { Code::Written(written_hash(text)) }
    })
}

fn written<const BYTES: usize>() -> Result<Zeroizing<String>, NoRandom> {
    let mut random = Zeroizing::new([0_u8; BYTES]);
    aws_lc_rs::rand::fill(random.as_mut()).map_err(|_| NoRandom)?;
    Ok(letters(random.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_codes_are_read_as_people_type_them() {
        let codes = backup_codes().unwrap();
        assert_eq!(codes.len(), 10);
        let code = codes[0].as_str();
        assert_eq!((code.len(), code.matches('-').count()), (19, 3));
        assert_eq!(written_hash(code), written_hash(&format!(" {} ", code.replace('-', " ").to_uppercase())));
        assert_eq!(written_hash("O1l0"), written_hash("0110"));
        assert_ne!(written_hash(code), written_hash(&codes[1]));
        assert_eq!(break_glass_codes().unwrap()[4].replace('-', "").len(), 32);
    }

    #[test]
    fn six_digits_are_a_one_time_code() {
        let read = |text: &str| read_code(&Plaintext::copy_of(text.as_bytes()).unwrap());
        assert_eq!(read(" 012345 "), Code::OneTime);
        assert_eq!(read("0123456"), Code::Written(written_hash("0123456")));
        assert_eq!(read("01234a"), Code::Written(written_hash("01234A")));
    }
}
