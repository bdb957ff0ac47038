//! Bodies, written without a copy of what is secret in them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// A value of a body. It borrows everything, so that nothing of a secret is left behind but the body itself.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Flag(bool),
    Number(u64),
    Null,
    /// JSON as it is.
    Raw(&'a RawValue),
    Object(Vec<(&'a str, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// A number, or `null` where none was typed.
    pub(super) fn number(text: &str) -> Self {
        text.trim().parse().map_or(Self::Null, Self::Number)
    }

    /// An object of `fields`; a dot in a name leads into an object of its own.
    pub(super) fn nested(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let mut flat: Vec<(&str, Self)> = Vec::new();
        let mut inner: Vec<(&str, Vec<(&str, Self)>)> = Vec::new();
        for (name, value) in fields {
            match name.split_once('.') {
                None => flat.push((name, value)),
                Some((outer, rest)) => match inner.iter_mut().find(|(name, _)| *name == outer) {
                    Some((_, own)) => own.push((rest, value)),
                    None => inner.push((outer, vec![(rest, value)])),
                },
            }
        }
        flat.extend(inner.into_iter().map(|(name, own)| (name, Self::nested(own))));
        Self::Object(flat)
    }
}

/// A secret: a text, or the object of several parts that it is written as.
pub(super) fn secret(text: &str) -> Value<'_> {
    let object = text.trim_start().starts_with('{');
    let raw = object.then(|| serde_json::from_str::<&RawValue>(text).ok()).flatten();
    raw.map_or(Value::Text(text), Value::Raw)
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Null => serializer.serialize_unit(),
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}
