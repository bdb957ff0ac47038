//! What a parameter's value may look like.

use std::fmt;

use crate::{
    json,
    operation::{Json, Param},
};

/// The longest symbol of any venue, with room to spare.
const SYMBOL_CHARS_MAX: usize = 32;
/// Binance's limit; Kraken's longest client id is a UUID of the same length.
const CLIENT_ID_CHARS_MAX: usize = 36;
/// Kraken's transaction ids have 19 characters, Binance's order numbers 19 digits at most.
const ORDER_ID_CHARS_MAX: usize = 32;
/// OANDA's account ids have 19 characters, UUIDs 36.
const NAME_CHARS_MAX: usize = 64;
/// Some two hundred pairs.
const PAIRS_CHARS_MAX: usize = 2_048;
const NAMES_CHARS_MAX: usize = 512;
/// Bybit's longest cursors have some 200.
const CURSOR_CHARS_MAX: usize = 512;
/// RFC 3339 with nanoseconds and an offset has 35.
const TIME_CHARS_MAX: usize = 40;
/// So many digits always fit a `rust_decimal::Decimal` without rounding.
const DECIMAL_DIGITS_MAX: usize = 28;

/// The set of values that a parameter takes: ASCII, bounded, and closed wherever the venue's documentation is.
///
/// A grammar is narrower than what the venue accepts where the wider form would hide something from policy: signs,
/// exponents, relative prices, several symbols in one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// One instrument in upper case, as Binance names them.
    Symbol,
    /// One pair as Kraken names them; its equities carry lower-case letters, its aliases a slash.
    Pair,
    /// Pairs, separated by commas.
    Pairs,
    /// A positive amount in plain digits with an optional fraction, 28 digits at most, without sign or exponent.
    ///
    /// Zero is refused: Kraken reads a volume of zero as "the whole position".
    Decimal,
    /// As [`Self::Decimal`], with a minus sign where the venue writes a sale as a negative amount.
    Signed,
    /// A whole number in plain digits, without sign or leading zeros.
    Integer {
        /// The smallest value.
        min: u64,
        /// The largest value.
        max: u64,
    },
    /// One word of a list.
    OneOf(&'static [&'static str]),
    /// Words of a list, separated by commas, none twice.
    ListOf(&'static [&'static str]),
    /// `true` or `false`.
    Bool,
    /// The caller's own name for an order.
    ClientId,
    /// The venue's name for an order where it is not a number.
    OrderId,
    /// One segment of a path, or any other plain name: letters, digits, `-`, `_`, and dots or colons inside.
    Name,
    /// The venue's number for an order, or `@` and the caller's own name for it.
    OrderSpecifier,
    /// Names as [`Self::Name`], separated by commas.
    Names,
    /// What the venue gave out to fetch the next page with.
    Cursor,
    /// A date or time as RFC 3339 writes it, or seconds since the epoch with a fraction.
    Time,
    /// The account that the key is for: the key id itself, and no other.
    Account,
    /// A list, given as a JSON array.
    List(&'static List),
}

/// What a list may hold.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct List {
    /// What each item is.
    pub item: Item,
    /// How many items at most; at least one is always needed.
    pub max: usize,
}

/// One item of a [`List`].
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// An object with a closed list of fields, none of which is a list.
    Object(&'static [Param]),
    /// A plain value.
    Value(Grammar, Json),
}

impl List {
    /// A list of objects.
    pub(crate) const fn of(fields: &'static [Param], max: usize) -> Self {
        Self { item: Item::Object(fields), max }
    }

    /// Whether its items are objects with a field of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        if let Item::Object(fields) = self.item { fields.iter().any(|field| field.name == name) } else { false }
    }

    /// A list of values.
    pub(crate) const fn values(grammar: Grammar, json: Json, max: usize) -> Self {
        Self { item: Item::Value(grammar, json), max }
    }
}

impl Grammar {
    /// Whether `value` belongs to the grammar.
    pub fn admits(self, value: &str) -> bool {
        match self {
            Self::Symbol => spelled(value, SYMBOL_CHARS_MAX, |b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-')),
            Self::Pair => {
                // A slash stands between two assets: what could be read as a path is no pair.
                value.starts_with(|first: char| first.is_ascii_alphanumeric())
                    && value.matches('/').count() <= 1
                    && spelled(value, SYMBOL_CHARS_MAX, |b| {
                        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_' | b'-')
                    })
            }
            Self::Pairs => value.len() <= PAIRS_CHARS_MAX && value.split(',').all(|pair| Self::Pair.admits(pair)),
            Self::Decimal => is_positive_decimal(value),
            Self::Signed => is_positive_decimal(value.strip_prefix('-').unwrap_or(value)),
            Self::Integer { min, max } => is_whole(value) && value.parse().is_ok_and(|n| (min..=max).contains(&n)),
            Self::OneOf(words) => words.contains(&value),
            Self::ListOf(words) => is_list_of(value, words),
            Self::Bool => matches!(value, "true" | "false"),
            Self::ClientId => spelled(value, CLIENT_ID_CHARS_MAX, |b| {
                b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'/' | b'_' | b'-')
            }),
            Self::OrderId => {
                value.starts_with(|first: char| first.is_ascii_uppercase())
                    && spelled(value, ORDER_ID_CHARS_MAX, |b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'-'))
            }
            Self::Name | Self::Account => {
                !value.contains("..")
                    && value.starts_with(|first: char| first.is_ascii_alphanumeric())
                    && value.ends_with(|last: char| last.is_ascii_alphanumeric() || matches!(last, '-' | '_'))
                    && spelled(value, NAME_CHARS_MAX, |b| {
                        b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'_' | b'-')
                    })
            }
            Self::OrderSpecifier => value.strip_prefix('@').map_or_else(|| is_whole(value), |id| Self::Name.admits(id)),
            Self::Names => value.len() <= NAMES_CHARS_MAX && value.split(',').all(|name| Self::Name.admits(name)),
            Self::Cursor => spelled(value, CURSOR_CHARS_MAX, |b| {
                b.is_ascii_alphanumeric()
                    || matches!(b, b'-' | b'.' | b'_' | b'~' | b':' | b',' | b'=' | b'&' | b'+' | b'/' | b'%')
            }),
            Self::Time => {
                value.starts_with(|first: char| first.is_ascii_digit())
                    && spelled(value, TIME_CHARS_MAX, |b| {
                        b.is_ascii_digit() || matches!(b, b'T' | b'Z' | b'.' | b':' | b'+' | b'-')
                    })
            }
            Self::List(list) => json::items(value, list).is_ok(),
        }
    }

    /// The list, if it is one.
    pub fn list(self) -> Option<&'static List> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    /// Whether what it admits can stand as one segment of a path.
    pub fn is_segment(self) -> bool {
        match self {
            Self::Symbol | Self::Integer { .. } | Self::OrderId | Self::OrderSpecifier | Self::Name | Self::Account => {
                true
            }
            Self::OneOf(words) => words.iter().all(|word| Self::Name.admits(word)),
            Self::Pair
            | Self::Pairs
            | Self::Decimal
            | Self::Signed
            | Self::ListOf(_)
            | Self::Bool
            | Self::ClientId
            | Self::Names
            | Self::Cursor
            | Self::Time
            | Self::List(_) => false,
        }
    }
}

/// Completes the sentence "the value must be ...".
impl fmt::Display for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Symbol => write!(f, "a symbol of up to {SYMBOL_CHARS_MAX} characters A-Z 0-9 _ -"),
            Self::Pair => {
                write!(f, "one pair of up to {SYMBOL_CHARS_MAX} characters A-Z a-z 0-9 . _ - with one / at most")
            }
            Self::Pairs => f.write_str("pairs as Kraken names them, separated by commas"),
            Self::Decimal => {
                write!(f, "a positive decimal of up to {DECIMAL_DIGITS_MAX} digits without sign or exponent")
            }
            Self::Signed => {
                write!(
                    f,
                    "a decimal of up to {DECIMAL_DIGITS_MAX} digits without exponent, negative for a sale, not zero"
                )
            }
            Self::Integer { min, max } => write!(f, "a whole number from {min} to {max}"),
            Self::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Self::ListOf(words) => write!(f, "a comma-separated list of {}", words.join(", ")),
            Self::Bool => f.write_str("true or false"),
            Self::ClientId => write!(f, "up to {CLIENT_ID_CHARS_MAX} characters A-Z a-z 0-9 . : / _ -"),
            Self::OrderId => write!(f, "a letter A-Z and up to {ORDER_ID_CHARS_MAX} characters A-Z 0-9 - in all"),
            Self::Name => write!(f, "a name of up to {NAME_CHARS_MAX} characters A-Z a-z 0-9 . : _ -"),
            Self::OrderSpecifier => f.write_str("the venue's number for the order, or @ and the caller's name for it"),
            Self::Names => f.write_str("names of up to 64 characters A-Z a-z 0-9 . : _ -, separated by commas"),
            Self::Cursor => write!(f, "up to {CURSOR_CHARS_MAX} characters that the venue gave out as a cursor"),
            Self::Time => f.write_str("a time as in RFC 3339, or seconds since the epoch"),
            Self::Account => f.write_str("the account that the key is for"),
            Self::List(List { item: Item::Object(_), max }) => write!(f, "a JSON list of 1 to {max} objects"),
            Self::List(List { item: Item::Value(grammar, _), max }) => {
                write!(f, "a JSON list of 1 to {max}, each {grammar}")
            }
        }
    }
}

fn spelled(value: &str, chars_max: usize, allowed: impl Fn(u8) -> bool) -> bool {
    !value.is_empty() && value.len() <= chars_max && value.bytes().all(allowed)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_whole(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_positive_decimal(text: &str) -> bool {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    is_whole(whole)
        && fraction.is_none_or(is_digits)
        && text.bytes().filter(u8::is_ascii_digit).count() <= DECIMAL_DIGITS_MAX
        && text.bytes().any(|b| matches!(b, b'1'..=b'9'))
}

fn is_list_of(text: &str, words: &[&str]) -> bool {
    let mut rest = text.split(',');
    while let Some(word) = rest.next() {
        if !words.contains(&word) || rest.clone().any(|later| later == word) {
            return false;
        }
        // INVARIANT: with every word known and none repeated, the loop runs `words.len()` times at most.
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(grammar: Grammar, good: &[&str], bad: &[&str]) {
        for value in good {
            assert!(grammar.admits(value), "{grammar:?} refuses {value:?}");
        }
        for value in bad {
            assert!(!grammar.admits(value), "{grammar:?} admits {value:?}");
        }
        let common = ["", " ", "a b", "é", "\0", "\r\n", "%2f", "..%2f", "a&b=c", "#", "1\n", "１"];
        for value in common {
            assert!(!grammar.admits(value), "{grammar:?} admits {value:?}");
        }
        assert!(!grammar.admits(&"1".repeat(10_000)));
    }

    #[test]
    fn symbols() {
        check(
            Grammar::Symbol,
            &["BTCUSDT", "1000SHIBUSDT", "BTCUSDT_260327"],
            &["btcusdt", "BTC/USDT", "BTC,ETH", "..", &"A".repeat(33)],
        );
        check(
            Grammar::Pair,
            &["XXBTZUSD", "XBT/USD", "AAPLx/USD"],
            &["XBTUSD,ETHUSD", "XBT USD", "XBT?USD", "/0/private", "0/private/Withdraw", "../XBT"],
        );
    }

    #[test]
    fn lists_of_pairs() {
        check(Grammar::Pairs, &["XXBTZUSD", "XBT/USD,ETHUSD"], &[",", "XBTUSD,", "XBT USD", "a,../b", "a,,b"]);
    }

    #[test]
    fn decimals() {
        check(
            Grammar::Decimal,
            &["1", "0.1", "37500", "0.010", "1234567890123456789012345678", "0.000000000000000000000000001"],
            &[
                "0",
                "0.0",
                "-1",
                "+1",
                "1e5",
                "1E5",
                ".5",
                "5.",
                "1.2.3",
                "01",
                "1,5",
                "0x1",
                "NaN",
                "inf",
                "5%",
                "#5",
                "12345678901234567890123456789",
                "0.0000000000000000000000000001",
            ],
        );
    }

    #[test]
    fn integers() {
        let grammar = Grammar::Integer { min: 1, max: 100 };
        check(grammar, &["1", "100"], &["0", "101", "01", "-1", "+1", "1.0", "18446744073709551616"]);
        assert!(Grammar::Integer { min: 0, max: u64::MAX }.admits("0"));
    }

    #[test]
    fn words() {
        check(Grammar::OneOf(&["BUY", "SELL"]), &["BUY", "SELL"], &["buy", "BUY,SELL"]);
        check(Grammar::ListOf(&["post", "viqc"]), &["post", "viqc,post"], &["post,post", "post,", ",", "post,x"]);
        check(Grammar::Bool, &["true", "false"], &["True", "1", "0"]);
    }

    #[test]
    fn names_of_orders() {
        check(Grammar::ClientId, &["x-TKT5PX2F1", "a.b:c/d_e-f"], &["a+b", "a@b", "a\\b", &"a".repeat(37)]);
        check(Grammar::OrderId, &["OQCLML-BW3P3-BUCMWZ"], &["12345", "-A", "oqclml-bw3p3-bucmwz", "A,B"]);
    }

    #[test]
    fn an_admitted_decimal_is_exact() {
        for text in ["9999999999999999999999999999", "0.999999999999999999999999999", "99999999999999.99999999999999"] {
            assert!(Grammar::Decimal.admits(text));
            let read = rust_decimal::Decimal::from_str_exact(text).unwrap();
            assert_eq!(read.to_string(), text);
        }
    }
}
