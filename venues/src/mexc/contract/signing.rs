//! MEXC futures' signature: in a header, over key, time, and the sorted query of a GET or the body of a POST.
//!
//! Source: `mexc.com/api-docs/futures`, *Integration guide*, and MEXC's own demos of 2026-03.

use crate::{
    encoding::Encoding,
    operation::Method,
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

/// Stage 1: the query with its pairs in the order of their names, as it is sent and signed.
pub(super) fn sorted(query: &str) -> String {
    let mut pairs: Vec<_> = query.split('&').collect();
    pairs.sort_by_key(|pair| pair.split_once('=').map_or(*pair, |(name, _)| name));
    pairs.join("&")
}

/// Stage 2: the text to sign; `payload` is the sorted query or the exact body. The path and what is in it are not signed.
pub fn string_to_sign(key_id: &str, timestamp: &str, payload: &str) -> String {
    [key_id, timestamp, payload].concat()
}

/// Runs the stages for one request. The window is left to MEXC, whose documents disagree about its unit.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let mut rendered = Rendered::of(draft.call);
    rendered.query = sorted(&rendered.query);
    let timestamp = draft.at.now_ms.to_string();
    let is_get = draft.call.operation().method == Method::Get;
    let payload = if is_get { &rendered.query } else { &rendered.body };
    let to_sign = string_to_sign(draft.key.key_id, &timestamp, payload).into_bytes();
    let headers = vec![
        ("ApiKey", draft.key.key_id.to_owned()),
        ("Request-Time", timestamp),
        ("Content-Type", "application/json".to_owned()),
    ];
    Signable {
        scheme: Some(Scheme::HmacSha256),
        to_sign,
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![Fill::signature(Encoding::Hex, Place::header("Signature"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_sorted_by_name() {
        assert_eq!(sorted("b=1&a=2&a_b=3"), "a=2&a_b=3&b=1");
        assert_eq!(sorted(""), "");
        assert_eq!(string_to_sign("key", "17", "a=2"), "key17a=2");
    }
}
