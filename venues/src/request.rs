//! The finished request.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    encoding::form,
    host::Host,
    operation::{Class, Method},
    params::Call,
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
    let operation = call.operation();
    if operation.class != Class::Market {
        return Err(PrepareError::NeedsSignature);
    }
    let unsigned = Unsigned {
        method: operation.method,
        target: host.url(operation),
        query: form(call.params().iter()),
        headers: Vec::new(),
        body: String::new(),
    };
    Ok(unsigned.finish())
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
