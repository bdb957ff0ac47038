//! JSON as far as requests need it: read without losing a digit or a doubled name, written in one form only.

use std::fmt;

use serde::{
    Deserializer as _,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    grammar::{Item, List},
    operation::{Json, Param},
    params::{PARAMS_MAX, ParamError, Params, fits},
};

/// How deep a request's objects may lie in each other: what the catalogue names lies less deep.
const DEPTH_MAX: usize = 4;

/// The text is no JSON that can be read in one way only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the JSON is malformed, names something twice, or is too long or nested too deep")]
pub(crate) struct JsonError;

/// Reads an object into parameters, in its order; what lies in inner objects gets dotted names.
///
/// Lists stay JSON text. Numbers keep the text they were written in. `null` is left out: clients send it for what they
/// do not set.
///
/// # Errors
/// [`JsonError`], also for a name that comes twice on any level, and for more than [`PARAMS_MAX`] of them.
pub(crate) fn flatten(body: &[u8]) -> Result<Params, JsonError> {
    let text = std::str::from_utf8(body).map_err(|_| JsonError)?;
    let mut params = Params::new();
    flatten_into(&mut params, "", text, DEPTH_MAX)?;
    Ok(params)
}

fn flatten_into(params: &mut Params, prefix: &str, text: &str, depth: usize) -> Result<(), JsonError> {
    let depth = depth.checked_sub(1).ok_or(JsonError)?;
    for (name, raw) in members(text)? {
        // A dot in a name would be taken for the way into an object.
        if name.is_empty() || name.contains('.') {
            return Err(JsonError);
        }
        let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match raw.get().as_bytes().first() {
            Some(b'{') => flatten_into(params, &name, raw.get(), depth)?,
            Some(b'n') => {}
            _ if params.len() == PARAMS_MAX => return Err(JsonError),
            _ => params.push(name, scalar(&raw)?),
        }
    }
    Ok(())
}

/// The text of a string, and the literal of anything else.
fn scalar(raw: &RawValue) -> Result<String, JsonError> {
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).map_err(|_| JsonError),
        _ => Ok(raw.get().to_owned()),
    }
}

/// Reads a list's items, each checked against the list's closed fields; an item that is a value has the name "".
///
/// # Errors
/// The first [`ParamError`] of an item, or [`ParamError::List`].
pub(crate) fn items(text: &str, list: &'static List) -> Result<Vec<Params>, ParamError> {
    let raws: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(|_| ParamError::List)?;
    if raws.is_empty() || raws.len() > list.max {
        return Err(ParamError::List);
    }
    raws.iter().map(|raw| item(raw, &list.item)).collect()
}

fn item(raw: &RawValue, item: &'static Item) -> Result<Params, ParamError> {
    match item {
        Item::Object(fields) => {
            let params = flatten(raw.get().as_bytes()).map_err(|JsonError| ParamError::List)?;
            fits(fields, &params)?;
            Ok(params)
        }
        Item::Value(grammar, _) => {
            let value = scalar(raw).map_err(|JsonError| ParamError::List)?;
            if grammar.admits(&value) { Ok(Params::from_iter([("", value)])) } else { Err(ParamError::List) }
        }
    }
}

/// Writes a list anew from its items: what reaches the venue is this text and not the caller's.
pub(crate) fn array(text: &str, list: &'static List) -> String {
    // INVARIANT: `check` has read the same text, so nothing is lost here.
    array_of(&items(text, list).unwrap_or_default(), list)
}

/// Writes a list of such items.
pub(crate) fn array_of(items: &[Params], list: &'static List) -> String {
    let mut out = String::from("[");
    for (at, params) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match &list.item {
            Item::Object(fields) => object(&mut out, fields, params),
            Item::Value(_, json) => write_value(&mut out, *json, params.get("").unwrap_or_default()),
        }
    }
    out.push(']');
    out
}

/// Writes a list of objects anew with those members that `keep` says yes to, by name and by text.
///
/// # Errors
/// [`JsonError`] if it is no list of objects, or an object names something twice.
pub(crate) fn sifted(text: &str, keep: impl Fn(&str, &str) -> bool) -> Result<String, JsonError> {
    let objects: Vec<Box<RawValue>> = serde_json::from_str(text).map_err(|_| JsonError)?;
    let mut kept = Vec::new();
    for object in &objects {
        let mut sifted = Vec::new();
        for (name, raw) in members(object.get())? {
            if keep(&name, &scalar(&raw)?) {
                sifted.push(format!("{}:{raw}", serde_json::Value::from(name)));
            }
        }
        kept.push(format!("{{{}}}", sifted.join(",")));
    }
    Ok(format!("[{}]", kept.join(",")))
}

/// Writes parameters as an object, those with dotted names inside inner objects, in the order given.
pub(crate) fn object(out: &mut String, fields: &'static [Param], params: &Params) {
    let pairs: Vec<_> = params.iter().collect();
    write_object(out, fields, &pairs, "");
}

fn write_object(out: &mut String, fields: &'static [Param], pairs: &[(&str, &str)], prefix: &str) {
    out.push('{');
    let mut written: Vec<&str> = Vec::new();
    for (name, value) in pairs {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        let (head, inner) = rest.split_once('.').map_or((rest, false), |(head, _)| (head, true));
        if written.contains(&head) {
            continue;
        }
        if !written.is_empty() {
            out.push(',');
        }
        written.push(head);
        write_text(out, head);
        out.push(':');
        if inner {
            write_object(out, fields, pairs, &format!("{prefix}{head}."));
        } else if let Some(param) = fields.iter().find(|param| param.name == *name) {
            write_param(out, param, value);
        }
    }
    out.push('}');
}

fn write_param(out: &mut String, param: &Param, value: &str) {
    match param.grammar.list() {
        Some(list) => out.push_str(&array(value, list)),
        None => write_value(out, param.json, value),
    }
}

fn write_value(out: &mut String, json: Json, value: &str) {
    match json {
        Json::Text => write_text(out, value),
        Json::Bare => out.push_str(value),
    }
}

/// Writes a string with what JSON wants escaped.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

/// Adds a member with a text to an object that is written already; an empty body becomes an object.
pub(crate) fn add_text(body: &mut String, name: &str, text: &str) {
    if body.pop() != Some('}') {
        body.clear();
        body.push('{');
    }
    if body.len() > 1 {
        body.push(',');
    }
    write_text(body, name);
    body.push(':');
    write_text(body, text);
    body.push('}');
}

/// The members of an object in their order, none twice.
fn members(text: &str) -> Result<Vec<(String, Box<RawValue>)>, JsonError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = json.deserialize_map(Members).map_err(|_| JsonError)?;
    json.end().map_err(|_| JsonError)?;
    Ok(members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that names nothing twice")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            if members.len() == PARAMS_MAX || members.iter().any(|(known, _)| *known == name) {
                return Err(de::Error::custom("a name comes twice, or there are too many"));
            }
            members.push((name, value));
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_has_more_members_than_can_be_looked_through_at_once() {
        let object = |count: usize, from: usize| {
            let members: Vec<_> = (from..from + count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", members.join(","))
        };
        assert_eq!(flatten(object(PARAMS_MAX, 0).as_bytes()).unwrap().len(), PARAMS_MAX);
        assert!(flatten(object(PARAMS_MAX + 1, 0).as_bytes()).is_err());
        let nested = format!(r#"{{"a":{},"b":{}}}"#, object(PARAMS_MAX, 0), object(PARAMS_MAX, 0));
        assert!(flatten(nested.as_bytes()).is_err());
        assert!(sifted(&format!("[{}]", object(PARAMS_MAX + 1, 0)), |_, _| true).is_err());
    }

    #[test]
    fn a_list_is_sifted_without_changing_what_stays() {
        let keep = |name: &str, text: &str| name != "tag" && !text.is_empty();
        let list = r#" [ {"a": 1.50, "tag": {"b": 2}, "c": ""}, {"tag": "x"}, {"d\"": "\u0041", "e": [1] } ] "#;
        assert_eq!(sifted(list, keep).unwrap(), r#"[{"a":1.50},{},{"d\"":"\u0041","e":[1]}]"#);
        for bad in ["", "{}", "[1]", r#"[{"a":1,"a":2}]"#, r#"[{"tag":1,"tag":2}]"#, "[{}", "[{}] x"] {
            assert!(sifted(bad, keep).is_err(), "{bad}");
        }
    }
}
