//! The finished request.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    encoding,
    host::Host,
    json,
    operation::{Carry, Class, Method},
    params::{Call, Params},
    signing::PrepareError,
};

/// Everything of an HTTP request that the venue sees.
///
/// Whoever has these parts can send them as long as the venue accepts the signature in them, so `Debug` shows neither
/// query nor headers nor body.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestParts {
    /// The HTTP method.
    pub method: Method,
    /// Host, path and query.
    pub url: String,
    /// Names and values, in the order to send them.
    pub headers: Vec<(String, String)>,
    /// The body; empty if there is none.
    pub body: Vec<u8>,
}

impl fmt::Debug for RequestParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.url.split_once('?').map_or(self.url.as_str(), |(target, _)| target);
        f.debug_struct("RequestParts").field("method", &self.method).field("target", &target).finish_non_exhaustive()
    }
}

/// Builds a request of class market, which carries no key.
///
/// # Errors
/// [`PrepareError::NeedsSignature`] for any other class.
pub fn unsigned(call: &Call<'_>, host: &Host) -> Result<RequestParts, PrepareError> {
    if call.operation().class != Class::Market {
        return Err(PrepareError::NeedsSignature);
    }
    let rendered = Rendered::of(call);
    let headers = rendered.content_type.map(|value| ("Content-Type", value.to_owned())).into_iter().collect();
    Ok(rendered.unsigned(call, host, headers).finish())
}

/// A call as the parts of a request, before a venue adds what its signature needs.
pub(crate) struct Rendered {
    /// The path with its parameters in place.
    pub(crate) path: String,
    /// The query, percent-encoded.
    pub(crate) query: String,
    /// The body.
    pub(crate) body: String,
    /// The content type of the body, if there is one.
    pub(crate) content_type: Option<&'static str>,
}

impl Rendered {
    /// Puts each parameter where the operation says.
    pub(crate) fn of(call: &Call<'_>) -> Self {
        let operation = call.operation();
        let path = path(call);
        let in_path: Vec<_> = operation.in_path().collect();
        let params: Params = call.params().iter().filter(|(name, _)| !in_path.contains(name)).collect();
        let (mut query, mut body) = (String::new(), String::new());
        let content_type = match operation.carry {
            Carry::Query => {
                query = form(&canonical(call, &params));
                None
            }
            Carry::Form => {
                body = form(&canonical(call, &params));
                Some("application/x-www-form-urlencoded")
            }
            Carry::Json => {
                json::object(&mut body, operation.params, &params);
                Some("application/json")
            }
            Carry::JsonArray => {
                body = canonical(call, &params).into_iter().map(|(_, value)| value).collect();
                Some("application/json")
            }
        };
        Self { path, query, body, content_type }
    }

    /// Goes on to a request to `host`.
    pub(crate) fn unsigned(self, call: &Call<'_>, host: &Host, headers: Vec<(&'static str, String)>) -> Unsigned {
        let Self { path, query, body, .. } = self;
        Unsigned { method: call.operation().method, target: host.url(&path), query, headers, body }
    }
}

/// The parameters as pairs of text, with lists written anew.
pub(crate) fn canonical<'a>(call: &Call<'_>, params: &'a Params) -> Vec<(&'a str, String)> {
    let value = |name: &str, value: &str| match call.operation().param(name).and_then(|param| param.grammar.list()) {
        Some(list) => json::array(value, list),
        None => value.to_owned(),
    };
    params.iter().map(|(name, text)| (name, value(name, text))).collect()
}

fn form(pairs: &[(&str, String)]) -> String {
    encoding::form(pairs.iter().map(|(name, value)| (*name, value.as_str())))
}

/// The path with each `{name}` replaced.
fn path(call: &Call<'_>) -> String {
    let mut path = String::new();
    for segment in call.operation().path.split('/').skip(1) {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        path.push('/');
        // INVARIANT: parameters in a path are required, and their grammar admits one plain segment.
        path.push_str(name.map_or(segment, |name| call.get(name).unwrap_or_default()));
    }
    path
}

/// A request before its signature is in place; `target` is the URL without its query.
#[derive(Clone)]
pub(crate) struct Unsigned {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Unsigned {
    /// Puts the parts together: the only place where a URL gets its query.
    pub(crate) fn finish(self) -> RequestParts {
        let mut url = self.target;
        if !self.query.is_empty() {
            url.push('?');
            url.push_str(&self.query);
        }
        RequestParts {
            method: self.method,
            url,
            headers: self.headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            body: self.body.into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, VenueId, catalogue, check, operation};

    fn build(venue: VenueId, name: &str, params: &Params) -> Result<RequestParts, PrepareError> {
        let call = check(operation(venue, name).unwrap(), params).unwrap();
        unsigned(&call, &Host::parse("https://127.0.0.1:4000/sim").unwrap())
    }

    #[test]
    fn market_data_needs_no_key() {
        let parts = build(VenueId::Kraken, "ticker", &Params::from_iter([("pair", "XBT/USD")])).unwrap();
        assert_eq!(parts.url, "https://127.0.0.1:4000/sim/0/public/Ticker?pair=XBT%2FUSD");
        assert_eq!((parts.method, parts.headers.len(), parts.body.len()), (Method::Get, 0, 0));
        let parts = build(VenueId::Binance, "time", &Params::new()).unwrap();
        assert_eq!(parts.url, "https://127.0.0.1:4000/sim/api/v3/time");
    }

    #[test]
    fn everything_else_is_refused_unsigned() {
        for op in VenueId::ALL.iter().flat_map(|venue| catalogue(*venue)) {
            if let Ok(call) = check(op, &Params::new())
                && op.class != Class::Market
            {
                let host = Host::parse("https://api.example").unwrap();
                assert_eq!(unsigned(&call, &host), Err(PrepareError::NeedsSignature), "{op:?}");
            }
        }
    }

    #[test]
    fn debug_shows_no_signature() {
        let parts = RequestParts {
            method: Method::Get,
            url: "https://a.example/p?signature=feedbeef".to_owned(),
            headers: vec![("API-Sign".to_owned(), "feedbeef".to_owned())],
            body: b"feedbeef".to_vec(),
        };
        let shown = format!("{parts:?}");
        assert!(shown.contains("https://a.example/p") && !shown.contains("feedbeef"), "{shown}");
    }
}
