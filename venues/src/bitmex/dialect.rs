//! The gateway's side of `BitMEX`.
//!
//! Source: bitmex.com, *API Keys Usage*.

use data_encoding::HEXLOWER_PERMISSIVE;

use super::signing::{string_to_sign, target};
use crate::{
    inbound::{Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret},
    signing::Scheme,
};

pub(super) struct Gateway;

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        let headers = [inbound.header("api-key")?, inbound.header("api-expires")?, inbound.header("api-signature")?];
        let (key_id, expires, signature) = match headers {
            [Some(key_id), Some(expires), Some(signature)] => (key_id, expires, signature),
            [None, None, None] => return Ok(Claim::Nobody),
            _ => return Err(InboundError::Malformed("api-key, api-expires and api-signature belong together")),
        };
        let target = target(inbound.path, inbound.query);
        let signature = HEXLOWER_PERMISSIVE
            .decode(signature.as_bytes())
            .map_err(|_| InboundError::Malformed("the signature is malformed"))?;
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha256,
            signed: vec![string_to_sign(inbound.method, &target, expires, inbound.text()?).into_bytes()],
            signature,
            passphrase: None,
            freshness: Freshness::Until { at_ms: seconds(expires)?.saturating_mul(1_000) },
        }))
    }

    /// What clients write about themselves.
    fn dropped(&self) -> &'static [&'static str] {
        &["text"]
    }

    /// Key ids have 24 characters, secrets 48.
    fn key_headers(&self) -> &'static [&'static str] {
        &["api-key"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(24, VirtualSecret::Text(48))
    }

    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, message) = match why {
            Refuse::UnknownKey => (401, "Invalid API Key."),
            Refuse::BadSignature => (401, "Signature not valid."),
            Refuse::Stale | Refuse::Replayed => (401, "This request has expired"),
            Refuse::Denied => (403, "Access Denied"),
            Refuse::Malformed => (400, text),
            Refuse::Limited => (429, "Rate limit exceeded, retry later."),
            Refuse::Unavailable => (503, "The system is currently overloaded. Please try again later."),
            Refuse::Unknown => (504, "Gateway Timeout"),
        };
        // Clients compare the message; what is for people stands beside it.
        let body = serde_json::json!({ "error": { "message": message, "name": "HTTPError" }, "claviger": text });
        Refusal { status, body: body.to_string() }
    }
}

/// The text enters the signature, so there is one text for one number.
fn seconds(expires: &str) -> Result<u64, InboundError> {
    const BAD: InboundError = InboundError::Malformed("api-expires is no whole number of seconds");
    if expires.starts_with('0') || !expires.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD);
    }
    expires.parse().map_err(|_| BAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, claim};

    const KEY: (&str, &str) = ("api-key", "k");
    const EXPIRES: (&str, &str) = ("api-expires", "1735689605");
    const SIGN: (&str, &str) = ("api-signature", "00ff");

    #[test]
    fn a_request_is_signed_as_it_was_sent() {
        let inbound = Inbound {
            method: "GET",
            path: "/api/v1/order",
            query: "filter=%7B%22open%22%3A+true%7D",
            headers: &[KEY, EXPIRES, SIGN],
            body: b"",
        };
        let Claim::Signed(claimed) = claim(VenueId::Bitmex, &inbound).unwrap() else { panic!() };
        assert_eq!(claimed.signed, [b"GET/api/v1/order?filter=%7B%22open%22%3A+true%7D1735689605".to_vec()]);
        assert_eq!(claimed.freshness, Freshness::Until { at_ms: 1_735_689_605_000 });
    }

    #[test]
    fn what_reads_in_two_ways_is_refused() {
        for headers in [
            [KEY, EXPIRES].as_slice(),
            &[KEY, SIGN],
            &[EXPIRES, SIGN],
            &[KEY, KEY, EXPIRES, SIGN],
            &[KEY, EXPIRES, EXPIRES, SIGN],
            &[KEY, ("api-expires", ""), SIGN],
            &[KEY, ("api-expires", "+1735689605"), SIGN],
            &[KEY, ("api-expires", "01735689605"), SIGN],
            &[KEY, ("api-expires", "1735689605.5"), SIGN],
            &[KEY, EXPIRES, ("api-signature", "zz")],
        ] {
            let inbound = Inbound { method: "GET", path: "/api/v1/order", query: "", headers, body: b"" };
            assert!(claim(VenueId::Bitmex, &inbound).is_err(), "{headers:?}");
        }
    }
}
