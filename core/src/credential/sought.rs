//! Finding credentials by words, without decoding more of a row than is looked at.

use claviger_venues::{Ceiling, CeilingClass, SecretKind};
use serde::Deserialize;

use super::{Health, State};
use crate::envelope::Mode;
use crate::id::{CredentialId, TenantId};

/// Words of one search at most.
pub const WORDS_MAX: usize = 8;

/// Characters of one word at most.
pub const WORD_CHARS_MAX: usize = 64;

/// A word of fewer characters is not looked for in ids: it would stand in many by chance.
const ID_CHARS_MIN: usize = 6;

/// Which credentials are sought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// Those whose ids lie between these two, both included.
    Ids(CredentialId, CredentialId),
    /// Those that have each of these words, whether in capitals or not, in label, owner, venue, ceiling, state, health,
    /// hint or id.
    Words(Vec<String>),
}

impl Sought {
    /// Reads what was typed: an id or how one begins, else words. `None` when there are too many words, or one is too long.
    pub fn of(typed: &str) -> Option<Self> {
        let words: Vec<String> = typed.split_whitespace().map(str::to_lowercase).collect();
        if let [word] = words.as_slice()
            && let Some((first, last)) = CredentialId::spelled(word)
        {
            return Some(Self::Ids(first, last));
        }
        let fits = words.len() <= WORDS_MAX && words.iter().all(|word| word.chars().count() <= WORD_CHARS_MAX);
        fits.then_some(Self::Words(words))
    }

    /// Whether a credential is sought.
    pub(crate) fn wants(&self, seen: &Glimpse<'_>) -> bool {
        match self {
            Self::Ids(first, last) => (*first..=*last).contains(&seen.id),
            Self::Words(words) => words.iter().all(|word| seen.has(word)),
        }
    }
}

/// The beginning of a stored [`super::Credential`], field by field, its texts as they lie there.
#[derive(Debug, Deserialize)]
pub(crate) struct Glimpse<'a> {
    id: CredentialId,
    _tenant: TenantId,
    owner: &'a str,
    label: &'a str,
    venue: &'a str,
    _kind: SecretKind,
    _mode: Mode,
    ceiling: Ceiling,
    hint: &'a str,
    _index: [u8; 32],
    state: State,
    health: Health,
}

impl Glimpse<'_> {
    /// Whether a word, in small letters, stands somewhere.
    fn has(&self, word: &str) -> bool {
        let class = match self.ceiling.class {
            CeilingClass::Read => "read",
            CeilingClass::Trade => "trade",
        };
        let known = [self.venue, self.state.as_str(), self.health.as_str(), class];
        stands(word, self.label)
            || stands(word, self.owner)
            || stands_plainly(word, self.hint)
            || known.iter().any(|text| stands_plainly(word, text))
            || self.ceiling.products.iter().any(|product| stands_plainly(word, product.as_str()))
            || is_of_id(word) && self.id.to_string().contains(word)
    }
}

/// Whether a word, in small letters and not empty, stands in a text.
fn stands(word: &str, text: &str) -> bool {
    stands_plainly(word, text) || !text.is_ascii() && text.to_lowercase().contains(word)
}

/// The same where only the letters A to Z have two cases.
fn stands_plainly(word: &str, text: &str) -> bool {
    let word = word.as_bytes();
    let Some(first) = word.first() else { return true };
    // Nearly everywhere the first byte differs already.
    let begins = |part: &[u8]| part.first().is_some_and(|byte| byte.eq_ignore_ascii_case(first));
    text.as_bytes().windows(word.len()).any(|part| begins(part) && part.eq_ignore_ascii_case(word))
}

/// Whether a word may be a part of an id.
fn is_of_id(word: &str) -> bool {
    let symbols = word.strip_prefix("cred_").unwrap_or(word);
    let is_symbol = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() && !b"ilou".contains(&byte);
    word.len() >= ID_CHARS_MIN && symbols.bytes().all(is_symbol)
}

#[cfg(test)]
mod tests {
    use claviger_venues::{Products, VenueId};

    use super::super::{Credential, Upkeep};
    use super::*;

    fn credential() -> Credential {
        Credential {
            id: "cred_06a0k3ja9dxqz0000000000000".parse().unwrap(),
            tenant: TenantId::MAX,
            owner: "Trader-7".to_owned(),
            label: "Ärger & Söhne DESK".to_owned(),
            venue: VenueId::KrakenFutures,
            kind: SecretKind::Hmac,
            mode: Mode::Sealed,
            ceiling: Ceiling { class: CeilingClass::Trade, products: Products::DERIVATIVES },
            hint: "vmPU…Eh8A".to_owned(),
            index: [7; 32],
            state: State::ReduceOnly,
            health: Health::Suspect,
            ip_restricted: true,
            version: 3,
            epoch: 300,
            created_ms: 1,
            changed_ms: 2,
            probed_ms: 3,
            upkeep: Upkeep::default(),
        }
    }

    fn finds(typed: &str) -> bool {
        let stored = postcard::to_stdvec(&credential()).unwrap();
        let (seen, _) = postcard::take_from_bytes::<Glimpse<'_>>(&stored).unwrap();
        Sought::of(typed).unwrap().wants(&seen)
    }

    #[test]
    fn each_word_stands_somewhere() {
        for typed in [
            "trader-7",
            "TRADER",
            "ärger söhne",
            "ÄRGER desk",
            "kraken-fut",
            "trade derivatives",
            "reduce-only SUSPECT",
            "vmpu",
            "…eh8a",
            "06a0k3ja9d",
            "CRED_06A0K3JA9DXQZ0000000000000",
            "cred_06a0k",
            "cred_",
            "",
            "  ",
        ] {
            assert!(finds(typed), "{typed}");
        }
        for typed in ["trader-8", "spot", "trader-7 nobody", "06a0k", "cred_06a0m", "cred_7", "frozen", "7777"] {
            assert!(!finds(typed), "{typed}");
        }
    }

    #[test]
    fn a_search_has_its_bounds() {
        assert!(Sought::of(&"w ".repeat(WORDS_MAX)).is_some());
        assert!(Sought::of(&"w ".repeat(WORDS_MAX + 1)).is_none());
        assert!(Sought::of(&"ä".repeat(WORD_CHARS_MAX)).is_some());
        assert!(Sought::of(&"ä".repeat(WORD_CHARS_MAX + 1)).is_none());
    }
}
