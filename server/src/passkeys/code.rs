//! The code that a person carries from a terminal to a browser.

use std::fmt;
use std::str::FromStr;

/// Twenty letters that are hard to mistake and spell nothing (RFC 8628, section 6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// Letters of a code: 34 bits, guessed at under the throttle.
const LENGTH: usize = 8;

/// Eight letters, shown as `XXXX-XXXX`.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

/// The text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCode;

impl UserCode {
    /// A new one; none if the operating system gives no random numbers.
    pub fn generate() -> Option<Self> {
        let mut code = [0; LENGTH];
        for letter in &mut code {
            *letter = random_letter()?;
        }
        Some(Self(code))
    }
}

fn random_letter() -> Option<u8> {
    loop {
        let mut byte = [0_u8; 1];
        aws_lc_rs::rand::fill(&mut byte).ok()?;
        // Bytes from 240 on are skipped, so that every letter is equally likely.
        let [byte] = byte;
        if byte < 240 {
            return LETTERS.get(usize::from(byte % 20)).copied();
        }
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.0.iter().copied().map(char::from).collect();
        let (first, second) = text.split_at(LENGTH / 2);
        write!(f, "{first}-{second}")
    }
}

/// Whoever has it can be the page that goes on with it: it stays out of logs.
impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode(…)")
    }
}

impl FromStr for UserCode {
    type Err = NoCode;

    /// In any case, and with anything between the letters that people type there.
    fn from_str(text: &str) -> Result<Self, NoCode> {
        let typed = text.bytes().filter(|b| !matches!(b, b'-' | b' ')).map(|b| b.to_ascii_uppercase());
        let letters: Vec<u8> = typed.take(LENGTH + 1).collect();
        let known = letters.iter().all(|letter| LETTERS.contains(letter));
        letters.try_into().ok().filter(|_| known).map(Self).ok_or(NoCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        let code = UserCode::generate().unwrap();
        let text = code.to_string();
        assert_eq!((text.len(), text.chars().nth(4)), (9, Some('-')));
        assert!(text.to_lowercase().replace('-', " ").parse::<UserCode>().unwrap() == code);
        for wrong in ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GH1K", "BCDFÄGHJK"] {
            assert!(wrong.parse::<UserCode>().is_err(), "{wrong}");
        }
        assert!(!format!("{code:?}").contains(&text));
    }
}
