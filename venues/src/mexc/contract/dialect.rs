//! The gateway's side of MEXC futures.
//!
//! Source: `mexc.com/api-docs/futures`, *Integration guide* and *Error codes* (2026-11-21).

use percent_encoding::percent_decode_str;

use super::{
    super::{VIRTUAL_FORM, signature, spot},
    signing::{sorted, string_to_sign},
};
use crate::{
    inbound::{Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, require},
    signing::Scheme,
};

pub(super) struct Gateway;

/// How far a request's time may be from MEXC's.
const WINDOW_MS: u64 = 10_000;

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        // The probe is a call of spot's, and signed as such.
        let Some(key_id) = inbound.header("apikey")? else { return spot::claim(inbound) };
        let text = inbound.header("signature")?.ok_or(InboundError::Malformed("the signature is missing"))?;
        let time = inbound.header("request-time")?;
        let at_ms = require(time)?;
        let sign = |payload: &str| string_to_sign(key_id, time.unwrap_or_default(), payload).into_bytes();
        let signed = if inbound.method == "GET" {
            let readings = [Some(inbound.query.to_owned()), decoded(inbound.query)];
            readings.iter().flatten().map(|query| sign(&sorted(query))).collect()
        } else {
            vec![sign(inbound.text()?)]
        };
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha256,
            signed,
            signature: signature(text)?,
            passphrase: None,
            freshness: Freshness::Window { at_ms, valid_ms: WINDOW_MS },
        }))
    }

    /// What the probe has in its query; everything else that signing adds is in headers.
    fn dropped(&self) -> &'static [&'static str] {
        spot::Gateway.dropped()
    }

    fn key_headers(&self) -> &'static [&'static str] {
        &["apikey", "x-mexc-apikey"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VIRTUAL_FORM
    }

    /// MEXC says most things with status 200 and a number.
    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, code) = match why {
            Refuse::UnknownKey => (200, 401),
            Refuse::BadSignature => (200, 602),
            Refuse::Stale => (200, 513),
            Refuse::Replayed => (200, 603),
            Refuse::Denied => (200, 704),
            Refuse::Malformed => (200, 600),
            Refuse::Limited => (200, 510),
            Refuse::Unavailable => (503, 503),
            Refuse::Unknown => (504, 504),
        };
        let body = serde_json::json!({ "success": false, "code": code, "message": text });
        Refusal { status, body: body.to_string() }
    }
}

/// What MEXC's own demos sign: the values before they are encoded. `None` where that is what was sent, or where it could
/// be cut into parameters in another way.
fn decoded(query: &str) -> Option<String> {
    let text = percent_decode_str(query).decode_utf8().ok()?;
    let seams = |text: &str| text.bytes().filter(|b| b"&=%#+".contains(b)).count();
    let escapes = query.matches('%').count();
    let keeps_its_seams = seams(&text).saturating_add(escapes) == seams(query);
    (escapes > 0 && keeps_its_seams && !query.contains('+')).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(method: &str, query: &str, body: &str) -> Vec<String> {
        let mac = "00".repeat(32);
        let headers = [("apikey", "key"), ("request-time", "17"), ("signature", mac.as_str())];
        let inbound = Inbound { method, path: "/x", query, headers: &headers, body: body.as_bytes() };
        match Gateway.claim(&inbound).unwrap() {
            Claim::Signed(Signed { signed, .. }) => {
                signed.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
            }
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => panic!("nobody signed"),
        }
    }

    #[test]
    fn both_ways_to_sign_a_list_are_known() {
        assert_eq!(claimed("GET", "b=1&a=2%2C3", ""), ["key17a=2%2C3&b=1", "key17a=2,3&b=1"]);
        assert_eq!(claimed("GET", "b=1&a=2,3", ""), ["key17a=2,3&b=1"]);
        for ambiguous in ["a=1%26b=2", "a=1%3D2", "a=%2541", "a=%2B", "a=1+%2C"] {
            assert_eq!(claimed("GET", ambiguous, ""), [format!("key17{ambiguous}")], "{ambiguous}");
        }
        assert_eq!(claimed("POST", "", r#"{ "a":1 }"#), [r#"key17{ "a":1 }"#]);
    }

    #[test]
    fn half_a_claim_is_malformed() {
        for headers in [
            &[("apikey", "key"), ("request-time", "17")][..],
            &[("apikey", "key"), ("signature", "00")],
            &[("apikey", "key"), ("request-time", "x"), ("signature", "00")],
            &[("apikey", "key"), ("request-time", "17"), ("signature", "0X")],
        ] {
            let inbound = Inbound { method: "GET", path: "/x", query: "", headers, body: b"" };
            assert!(Gateway.claim(&inbound).is_err(), "{headers:?}");
        }
    }
}
