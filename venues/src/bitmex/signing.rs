//! `BitMEX`' signature: `api-signature` over verb, path with query, expiry and body.
//!
//! Source: bitmex.com, *API Keys Usage*.

use crate::{
    encoding::Encoding,
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable, SigningTime},
};

/// Stage 1: when the request expires, in seconds since the Unix epoch: the first whole second after its validity.
pub fn expires_s(at: SigningTime) -> u64 {
    at.now_ms.saturating_add(at.valid_ms.into()).div_ceil(1_000)
}

/// Stage 2: the bytes to sign. `target` is path and query as they are sent, `expires` the text of the header.
pub fn string_to_sign(verb: &str, target: &str, expires: &str, body: &str) -> String {
    [verb, target, expires, body].concat()
}

/// Runs the stages for one request; the encoding of stage 3 is lower-case hexadecimal, in a header.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let rendered = Rendered::of(draft.call);
    let expires = expires_s(draft.at).to_string();
    let target = target(&rendered.path, &rendered.query);
    let to_sign = string_to_sign(draft.call.operation().method.as_str(), &target, &expires, &rendered.body);
    let content_type = rendered.content_type.map(|value| ("Content-Type", value.to_owned()));
    let key = [("api-expires", expires), ("api-key", draft.key.key_id.to_owned())];
    Signable {
        scheme: Some(Scheme::HmacSha256),
        to_sign: to_sign.into_bytes(),
        request: rendered.unsigned(draft.call, draft.host, content_type.into_iter().chain(key).collect()),
        fills: vec![Fill::signature(Encoding::Hex, Place::header("api-signature"))],
    }
}

/// Path and query as the request line has them.
pub(super) fn target(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { [path, "?", query].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expiry_is_rounded_up() {
        for (now_ms, valid_ms, expected) in [
            (1_735_689_600_123, 5_000, 1_735_689_606),
            (1_000, 0, 1),
            (1_001, 0, 2),
            (u64::MAX, 1, u64::MAX.div_ceil(1_000)),
        ] {
            assert_eq!(expires_s(SigningTime { now_ms, valid_ms }), expected);
        }
    }
}
