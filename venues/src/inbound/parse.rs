//! Strict parsing of what a client sent: one reading, or none.

use percent_encoding::percent_decode_str;

use super::{Claim, Inbound, InboundError};
use crate::{
    json,
    operation::{Carry, Operation},
    params::{PARAMS_MAX, Params},
};

/// Reads the parameters of a request whose operation is known: each from the one place where it belongs.
pub(super) fn carried(operation: &Operation, inbound: &Inbound<'_>, anywhere: bool) -> Result<Params, InboundError> {
    let query = form(inbound.query)?;
    let content = content(inbound)?;
    let body = match (content, operation.carry) {
        (Content::Nothing, _) => Params::new(),
        (Content::Form, Carry::Form) => form(inbound.text()?)?,
        (Content::Form, Carry::Query) if anywhere => form(inbound.text()?)?,
        (Content::Json, Carry::Json | Carry::Form) => json::flatten(inbound.body).map_err(|_| NO_OBJECT)?,
        (Content::Json, Carry::JsonArray) => whole(operation, inbound.text()?),
        (Content::Form | Content::Json, _) => return Err(InboundError::Malformed("this call takes no such body")),
    };
    if !query.is_empty() && operation.carry != Carry::Query && !anywhere {
        return Err(InboundError::Malformed("this call takes no query"));
    }
    let both: Params = query.iter().chain(body.iter()).collect();
    unique(&both)?;
    Ok(both)
}

/// A list that is the whole body, under the name of the one parameter that is a list.
fn whole(operation: &Operation, text: &str) -> Params {
    let list = operation.params.iter().find(|param| param.grammar.list().is_some());
    list.map(|param| (param.name, text)).into_iter().collect()
}

/// Reads the fields of a body, form or JSON, as its type says.
pub(crate) fn fields(inbound: &Inbound<'_>) -> Result<Params, InboundError> {
    match content(inbound)? {
        Content::Nothing => Ok(Params::new()),
        Content::Form => form(inbound.text()?),
        Content::Json => json::flatten(inbound.body).map_err(|_| NO_OBJECT),
    }
}

const NO_OBJECT: InboundError = InboundError::Malformed("the body is no plain JSON object");

#[derive(Clone, Copy)]
enum Content {
    Nothing,
    Form,
    Json,
}

/// What the body is, by its type; a body of another type is refused, as is one whose type is not given.
fn content(inbound: &Inbound<'_>) -> Result<Content, InboundError> {
    if inbound.body.is_empty() {
        return Ok(Content::Nothing);
    }
    if inbound.method == "GET" {
        return Err(InboundError::Malformed("a GET takes no body"));
    }
    let given = inbound.header("content-type")?.unwrap_or_default();
    let (kind, parameter) = given.split_once(';').unwrap_or((given, ""));
    let parameter = parameter.trim();
    if !(parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8")) {
        return Err(InboundError::Malformed("the content type is none that the venue takes"));
    }
    match kind.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => Ok(Content::Form),
        "application/json" => Ok(Content::Json),
        _ => Err(InboundError::Malformed("the content type is none that the venue takes")),
    }
}

/// Decodes a query or a form once: every pair has a name and an equals sign, and decodes to UTF-8; there are not more
/// than [`PARAMS_MAX`].
pub(crate) fn form(text: &str) -> Result<Params, InboundError> {
    let mut params = Params::new();
    if text.is_empty() {
        return Ok(params);
    }
    for pair in text.split('&') {
        if params.len() == PARAMS_MAX {
            return Err(InboundError::Malformed("there are more parameters than any call has"));
        }
        let (name, value) = pair.split_once('=').ok_or(InboundError::Malformed("a parameter has no equals sign"))?;
        params.push(decoded(name)?, decoded(value)?);
    }
    Ok(params)
}

fn decoded(text: &str) -> Result<String, InboundError> {
    const BAD: InboundError = InboundError::Malformed("a parameter is not percent-encoded UTF-8");
    let well_formed = text.split('%').skip(1).all(|rest| {
        let digits = rest.as_bytes();
        digits.len() >= 2 && digits.iter().take(2).all(u8::is_ascii_hexdigit)
    });
    if !well_formed {
        return Err(BAD);
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| BAD)
}

/// Refuses a name that comes twice.
fn unique(params: &Params) -> Result<(), InboundError> {
    let mut rest = params.iter();
    while let Some((name, _)) = rest.next() {
        if rest.clone().any(|(later, _)| later == name) {
            return Err(InboundError::Malformed("a parameter comes twice"));
        }
    }
    Ok(())
}

/// Reads the claim of a request that shows a token (RFC 6750 section 2.1).
pub(crate) fn bearer<'a>(inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
    let Some(given) = inbound.header("authorization")? else { return Ok(Claim::Nobody) };
    given
        .strip_prefix("Bearer ")
        .filter(|token| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()))
        .map(Claim::Bearer)
        .ok_or(InboundError::Malformed("the Authorization header holds no bearer token"))
}

/// Reads a parameter that a signed request cannot do without.
pub(crate) fn require<T: std::str::FromStr>(value: Option<&str>) -> Result<T, InboundError> {
    value
        .and_then(|text| text.parse().ok())
        .ok_or(InboundError::Malformed("what signing needs is missing or malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_call_has_more_parameters_than_can_be_looked_through_at_once() {
        let query = |count: usize| (0..count).map(|n| format!("{n}=")).collect::<Vec<_>>().join("&");
        assert_eq!(form(&query(PARAMS_MAX)).unwrap().len(), PARAMS_MAX);
        assert!(form(&query(PARAMS_MAX + 1)).is_err());
    }
}
