//! Kraken's signature: `API-Sign` over path, nonce and body.
//!
//! Source: `docs.kraken.com`, *Spot REST authentication*.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    encoding::{Encoding, append},
    json,
    operation::Carry,
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

/// Stage 1: the form body: the nonce, then the parameters as encoded.
pub fn body(params: &str, nonce: u64) -> String {
    let mut body = String::new();
    append(&mut body, "nonce", &nonce.to_string());
    if !params.is_empty() {
        body.push('&');
        body.push_str(params);
    }
    body
}

/// Stage 1 of a call with lists: the JSON body, with the nonce as its last member.
pub fn json_body(params: &str, nonce: u64) -> String {
    let mut body = params.to_owned();
    json::add_text(&mut body, "nonce", &nonce.to_string());
    body
}

/// Stage 2: the bytes to sign: the path, then the SHA-256 of the nonce and the exact body.
///
/// `path` is without host or prefix; `nonce` is the same text as inside the body.
pub fn string_to_sign(path: &str, nonce: &str, body: &str) -> Vec<u8> {
    let hashed = digest(&SHA256, [nonce, body].concat().as_bytes());
    [path.as_bytes(), hashed.as_ref()].concat()
}

/// Runs the stages for one request; the encoding of stage 3 is base64, in a header.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let mut rendered = Rendered::of(draft.call);
    rendered.body = match draft.call.operation().carry {
        Carry::Json | Carry::JsonArray => json_body(&rendered.body, draft.nonce),
        Carry::Query | Carry::Form => body(&rendered.body, draft.nonce),
    };
    let content_type = rendered.content_type.unwrap_or_default();
    let headers = vec![("Content-Type", content_type.to_owned()), ("API-Key", draft.key.key_id.to_owned())];
    Signable {
        scheme: Some(Scheme::HmacSha512),
        to_sign: string_to_sign(&rendered.path, &draft.nonce.to_string(), &rendered.body),
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![Fill::signature(Encoding::Base64, Place::header("API-Sign"))],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nonce_comes_first() {
        assert_eq!(body("pair=XBT%2FUSD", u64::MAX), "nonce=18446744073709551615&pair=XBT%2FUSD");
        assert_eq!(body("", 1), "nonce=1");
    }

    #[test]
    fn in_json_it_comes_last() {
        assert_eq!(json_body(r#"{"orders":["O1"]}"#, 7), r#"{"orders":["O1"],"nonce":"7"}"#);
    }

    #[test]
    fn path_and_digest_are_joined_as_bytes() {
        let bytes = string_to_sign("/0/private/Balance", "1", "nonce=1");
        assert_eq!(bytes.len(), "/0/private/Balance".len() + 32);
        assert!(bytes.starts_with(b"/0/private/Balance"));
    }
}
