//! Kraken Futures' signature: `Authent` over the hash of parameters, nonce and path.
//!
//! Source: `docs.kraken.com`, *Futures REST authentication*.

use aws_lc_rs::digest::{SHA256, digest};

use crate::{
    encoding::{self, Encoding},
    json,
    operation::Operation,
    params::Call,
    request::Rendered,
    signing::{Draft, Fill, Place, Scheme, Signable},
};

const CONTENT_TYPE: &str = "application/x-www-form-urlencoded";

/// Stage 1: the path as it is signed, without the prefix of the trading API.
pub fn endpoint(path: &str) -> &str {
    path.strip_prefix("/derivatives").unwrap_or(path)
}

/// Stage 2: the bytes to sign: the SHA-256 of query, body, nonce and endpoint, one after the other.
pub fn hash(text: &str) -> Vec<u8> {
    digest(&SHA256, text.as_bytes()).as_ref().to_vec()
}

/// A batch travels as JSON inside the one field of a form.
pub(super) fn is_batch(operation: &Operation) -> bool {
    operation.param("batchOrder").is_some()
}

/// Runs the stages for one request; the encoding of stage 3 is base64, in a header.
pub(super) fn signable(draft: &Draft<'_>) -> Signable {
    let mut rendered = Rendered::of(draft.call);
    if is_batch(draft.call.operation()) {
        rendered.body = batch(draft.call);
    }
    let nonce = draft.nonce.to_string();
    let text = [&rendered.query, &rendered.body, &nonce, endpoint(&rendered.path)].map(str::to_owned).concat();
    let headers =
        vec![("Content-Type", CONTENT_TYPE.to_owned()), ("Nonce", nonce), ("APIKey", draft.key.key_id.to_owned())];
    Signable {
        scheme: Some(Scheme::HmacSha512),
        to_sign: hash(&text),
        request: rendered.unsigned(draft.call, draft.host, headers),
        fills: vec![Fill::signature(Encoding::Base64, Place::header("Authent"))],
    }
}

fn batch(call: &Call<'_>) -> String {
    let mut text = String::new();
    json::object(&mut text, call.operation().params, call.params());
    encoding::form([("json", text.as_str())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_trading_api_has_a_prefix() {
        assert_eq!(endpoint("/derivatives/api/v3/sendorder"), "/api/v3/sendorder");
        assert_eq!(endpoint("/api/history/v2/orders"), "/api/history/v2/orders");
    }
}
