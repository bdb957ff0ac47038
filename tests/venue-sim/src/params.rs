//! Form parameters as they lie on the wire: raw bytes for the signature, decoded pairs for the rest.

use std::borrow::Cow;
use std::fmt;

use percent_encoding::percent_decode;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Decoded parameters in the order in which they were sent.
///
/// When a name was sent more than once the first one counts, so the caller puts the part that wins first.
#[derive(Debug, Default)]
pub(crate) struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    /// Decodes one `a=1&b=2` text.
    pub(crate) fn form(raw: &'a [u8]) -> Self {
        Self(
            raw.split(|byte| *byte == b'&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (name, value) = split_once(pair);
                    (decode(name), decode(value))
                })
                .collect(),
        )
    }

    /// Takes a JSON object's members, repeated ones too: texts as they are, null as empty, all else as its JSON
    /// text; none from any other body.
    pub(crate) fn json(body: &[u8]) -> Self {
        serde_json::from_slice::<Params<'static>>(body).unwrap_or_default()
    }

    /// Takes the objects of a JSON list, each as [`Params::json`] does; `None` from any other text.
    pub(crate) fn json_list(text: &str) -> Option<Vec<Self>> {
        serde_json::from_str::<Vec<Params<'static>>>(text).ok()
    }

    /// Takes the members of an object that was parsed elsewhere, as [`Params::json`] does.
    pub(crate) fn object(members: Map<String, Value>) -> Self {
        Self::members(members)
    }

    fn members(members: impl IntoIterator<Item = (String, Value)>) -> Self {
        let pairs = members.into_iter().map(|(name, value)| {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
            };
            (Cow::Owned(name), Cow::Owned(text))
        });
        Self(pairs.collect())
    }

    /// Appends the pairs of a part that loses against this one.
    pub(crate) fn or(mut self, weaker: Self) -> Self {
        self.0.extend(weaker.0);
        self
    }

    /// The value sent for `name`; an empty value counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// Whether `name` was sent as `true`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The first name that occurs twice in this part.
    pub(crate) fn repeated(&self) -> Option<&str> {
        self.0.iter().enumerate().find_map(|(at, (name, _))| {
            self.0.iter().take(at).any(|(earlier, _)| earlier == name).then_some(name.as_ref())
        })
    }

    /// All pairs, as sent.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| value)
    }
}

/// The members of a JSON object in the order sent; a map would hide a name that was sent twice.
impl<'de> Deserialize<'de> for Params<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Params<'static>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params<'static>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Params::members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

/// Splits a raw form text into the bytes without its `signature` parameter and that parameter's decoded value.
pub(crate) fn without_signature(raw: &[u8]) -> (Vec<u8>, Option<String>) {
    let mut rest = Vec::with_capacity(raw.len());
    let mut signature = None;
    for pair in raw.split(|byte| *byte == b'&') {
        let (name, value) = split_once(pair);
        if name == b"signature" && signature.is_none() {
            signature = Some(decode(value).into_owned());
            continue;
        }
        if !rest.is_empty() {
            rest.push(b'&');
        }
        rest.extend_from_slice(pair);
    }
    (rest, signature)
}

fn split_once(pair: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    (halves.next().unwrap_or_default(), halves.next().unwrap_or_default())
}

fn decode(raw: &[u8]) -> Cow<'_, str> {
    if !raw.contains(&b'+') {
        return percent_decode(raw).decode_utf8_lossy();
    }
    let spaced: Vec<u8> = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_leaves_no_trace_wherever_it_stood() {
        for (raw, rest) in [
            ("a=1&b=2&signature=x%2By", "a=1&b=2"),
            ("a=1&signature=x%2By&b=2", "a=1&b=2"),
            ("signature=x%2By&a=1", "a=1"),
            ("signature=x%2By", ""),
        ] {
            let (bytes, signature) = without_signature(raw.as_bytes());
            assert_eq!(bytes, rest.as_bytes(), "{raw}");
            assert_eq!(signature.as_deref(), Some("x+y"), "{raw}");
        }
        assert_eq!(without_signature(b"a=1").1, None);
    }

    #[test]
    fn a_name_sent_twice_in_json_is_seen() {
        let params = Params::json(br#"{"qty":"1","price":20000.5,"qty":"9","note":null}"#);
        assert_eq!((params.get("qty"), params.get("price"), params.get("note")), (Some("1"), Some("20000.5"), None));
        assert_eq!(params.repeated(), Some("qty"));
        let list = Params::json_list(r#"[{"a":1},{"b":[2],"b":3}]"#).unwrap();
        assert_eq!(list.iter().map(Params::repeated).collect::<Vec<_>>(), [None, Some("b")]);
        assert!(Params::json_list(r#"{"a":1}"#).is_none());
    }

    #[test]
    fn the_first_value_counts() {
        let params = Params::form(b"symbol=A+B%2B&empty=").or(Params::form(b"symbol=C&late=1"));
        assert_eq!(params.get("symbol"), Some("A B+"));
        assert_eq!(params.get("late"), Some("1"));
        assert_eq!(params.get("empty"), None);
        assert_eq!(params.repeated(), Some("symbol"));
    }
}
