//! Kraken's signature: `API-Sign` over path, nonce and body.
//!
//! Source: `docs.kraken.com`, *Spot REST authentication*.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    encoding::{Encoding, append},
    params::Params,
    request::Unsigned,
    signing::{Draft, Place, Signable},
};

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Stage 1: the form body: the nonce, then the parameters as given.
pub fn body(params: &Params, nonce: u64) -> String {
    let mut body = String::new();
    append(&mut body, "nonce", &nonce.to_string());
    for (name, value) in params.iter() {
        append(&mut body, name, value);
    }
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
    let operation = draft.call.operation();
    let body = body(draft.call.params(), draft.nonce);
    Signable {
        scheme: draft.scheme,
        to_sign: string_to_sign(operation.path, &draft.nonce.to_string(), &body),
        request: Unsigned {
            method: operation.method,
            target: draft.host.url(operation),
            query: String::new(),
            headers: vec![("Content-Type", CONTENT_TYPE.to_owned()), ("API-Key", draft.key_id.to_owned())],
            body,
        },
        encoding: Encoding::Base64,
        place: Place::Header("API-Sign"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nonce_comes_first() {
        let params = Params::from_iter([("pair", "XBT/USD")]);
        assert_eq!(body(&params, u64::MAX), "nonce=18446744073709551615&pair=XBT%2FUSD");
        assert_eq!(body(&Params::new(), 1), "nonce=1");
    }

    #[test]
    fn path_and_digest_are_joined_as_bytes() {
        let bytes = string_to_sign("/0/private/Balance", "1", "nonce=1");
        assert_eq!(bytes.len(), "/0/private/Balance".len() + 32);
        assert!(bytes.starts_with(b"/0/private/Balance"));
    }
}
