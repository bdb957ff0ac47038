//! Binance's signature: every parameter in the query, the signature last.
//!
//! Source: `rest-api.md`, *SIGNED Endpoint Security*. Values are percent-encoded first and signed as encoded, which
//! Binance demands since 2026-01-15.

use crate::{
    encoding::{Encoding, append, form},
    params::Params,
    request::Unsigned,
    signing::{Draft, Place, Scheme, Signable, SigningTime},
};

/// The longest window Binance accepts.
const WINDOW_MS_MAX: u32 = 60_000;

/// Stage 1: the query to sign: the parameters as given, then the window and the time.
pub fn query(params: &Params, at: SigningTime) -> String {
    let mut query = form(params.iter());
    let window_ms = at.valid_ms.clamp(1, WINDOW_MS_MAX);
    append(&mut query, "recvWindow", &window_ms.to_string());
    append(&mut query, "timestamp", &at.now_ms.to_string());
    query
}

/// Stage 2: the bytes to sign: raw query and raw body, both without `signature`, and nothing between them.
///
/// Claviger itself sends no body; with one, a value can slide over the seam and keep the signature.
pub fn string_to_sign(query: &str, body: &str) -> String {
    [query, body].concat()
}

/// Stage 3: how the signature bytes become the value of `signature`, before it is percent-encoded into the query.
pub fn encoding(scheme: Scheme) -> Encoding {
    match scheme {
        Scheme::HmacSha256 | Scheme::HmacSha512 => Encoding::Hex,
        Scheme::Ed25519 => Encoding::Base64,
    }
}

/// Runs the stages for one request.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let operation = draft.call.operation();
    let query = query(draft.call.params(), draft.at);
    Signable {
        scheme: draft.scheme,
        to_sign: string_to_sign(&query, "").into_bytes(),
        request: Unsigned {
            method: operation.method,
            target: draft.host.url(operation),
            query,
            headers: vec![("X-MBX-APIKEY", draft.key_id.to_owned())],
            body: String::new(),
        },
        encoding: encoding(draft.scheme),
        place: Place::Query("signature"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_bounded() {
        for (valid_ms, sent) in [(0, "1"), (5_000, "5000"), (60_000, "60000"), (u32::MAX, "60000")] {
            let query = query(&Params::new(), SigningTime { now_ms: 7, valid_ms });
            assert_eq!(query, format!("recvWindow={sent}&timestamp=7"));
        }
    }
}
