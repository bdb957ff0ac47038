//! Bybit's signature: in headers, over time, key, window, and the query of a GET or the body of a POST.
//!
//! Source: `bybit-exchange.github.io/docs/v5/guide`, *Authentication* (2026-11-21).

use crate::{
    encoding::Encoding,
    operation::Method,
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

/// The longest window that a signature of Claviger's is good for.
const WINDOW_MS_MAX: u32 = 60_000;

/// Stage 1: the text to sign; `payload` is the raw query of a GET, without its question mark, or the exact body.
pub fn string_to_sign(timestamp: &str, key_id: &str, window: &str, payload: &str) -> String {
    [timestamp, key_id, window, payload].concat()
}

/// Stage 2: how the signature bytes are written into the header.
pub fn encoding(scheme: Scheme) -> Encoding {
    match scheme {
        Scheme::HmacSha256 | Scheme::HmacSha512 => Encoding::Hex,
        Scheme::Ed25519 | Scheme::RsaSha256 => Encoding::Base64,
    }
}

/// Runs the stages for one request.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let scheme = draft.key.scheme_or(Scheme::HmacSha256);
    let rendered = Rendered::of(draft.call);
    let timestamp = draft.at.now_ms.to_string();
    let window = draft.at.valid_ms.clamp(1, WINDOW_MS_MAX).to_string();
    let is_get = draft.call.operation().method == Method::Get;
    let payload = if is_get { &rendered.query } else { &rendered.body };
    let to_sign = string_to_sign(&timestamp, draft.key.key_id, &window, payload).into_bytes();
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("X-BAPI-API-KEY", draft.key.key_id.to_owned()),
        ("X-BAPI-SIGN-TYPE", "2".to_owned()),
        ("X-BAPI-TIMESTAMP", timestamp),
        ("X-BAPI-RECV-WINDOW", window),
    ];
    Signable {
        scheme: Some(scheme),
        to_sign,
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![Fill::signature(encoding(scheme), Place::header("X-BAPI-SIGN"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stand_without_separators() {
        assert_eq!(string_to_sign("17", "key", "5000", "a=1&b=2"), "17key5000a=1&b=2");
        assert_eq!(string_to_sign("17", "key", "5000", ""), "17key5000");
    }
}
