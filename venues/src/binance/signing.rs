//! Binance's signature: every parameter in the query, the signature last.
//!
//! Source: `rest-api.md`, *SIGNED Endpoint Security*. Values are percent-encoded first and signed as encoded, which
//! Binance demands since 2026-01-15.

use crate::{
    encoding::{Encoding, append},
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable, SigningTime},
};

/// The longest window Binance accepts.
const WINDOW_MS_MAX: u32 = 60_000;

/// Stage 1: the query to sign: the parameters as encoded, then the window and the time.
pub fn query(params: &str, at: SigningTime) -> String {
    let mut query = params.to_owned();
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
        Scheme::Ed25519 | Scheme::RsaSha256 => Encoding::Base64,
    }
}

/// Runs the stages for one request.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let scheme = draft.key.scheme_or(Scheme::HmacSha256);
    let mut rendered = Rendered::of(draft.call);
    rendered.query = query(&rendered.query, draft.at);
    Signable {
        scheme: Some(scheme),
        to_sign: string_to_sign(&rendered.query, "").into_bytes(),
        request: rendered.unsigned(draft.call, draft.host, vec![("X-MBX-APIKEY", draft.key.key_id.to_owned())]),
        fills: vec![Fill::signature(encoding(scheme), Place::Query("signature"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_bounded() {
        for (valid_ms, sent) in [(0, "1"), (5_000, "5000"), (60_000, "60000"), (u32::MAX, "60000")] {
            let query = query("", SigningTime { now_ms: 7, valid_ms });
            assert_eq!(query, format!("recvWindow={sent}&timestamp=7"));
        }
    }
}
