//! A number in a venue's answer.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A positive figure, written as a number or as a text; anything else is no figure and no error either.
///
/// It is never a float: every digit that a decimal holds is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figure(pub(crate) Option<Decimal>);

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let text = raw.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(raw);
        Ok(Self(positive(text)))
    }
}

fn positive(text: &str) -> Option<Decimal> {
    if text.len() > CHARS_MAX
        || !text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'))
    {
        return None;
    }
    let figure = text.parse().or_else(|_| Decimal::from_scientific(text)).ok()?;
    (figure > Decimal::ZERO).then_some(figure)
}

/// Prices of the venues have some twenty characters.
const CHARS_MAX: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_a_positive_number_or_a_text_of_one() {
        let read = |json: &str| serde_json::from_str::<Figure>(json).unwrap().0.map(|figure| figure.to_string());
        for (json, figure) in [
            ("65000.5", "65000.5"),
            (r#""65000.50""#, "65000.50"),
            ("1e-7", "0.0000001"),
            (r#""1.5E3""#, "1500"),
            ("11793.63104562", "11793.63104562"),
        ] {
            assert_eq!(read(json).as_deref(), Some(figure), "{json}");
        }
        for json in
            ["0", "-1", r#""""#, r#""0.00""#, "null", "true", "[1]", r#"{"a":1}"#, r#""1_0""#, "1e999999999999", "1e99"]
        {
            assert_eq!(read(json), None, "{json}");
        }
        let long = "1".repeat(41);
        assert_eq!(read(&long), None);
    }
}
