//! The gateway's side of Bybit.
//!
//! Source: `bybit-exchange.github.io/docs/v5/guide`, *Authentication*, and *Error codes* (2026-11-21).

use data_encoding::{BASE64, HEXLOWER};
use percent_encoding::percent_decode_str;

use super::signing::string_to_sign;
use crate::{
    inbound::{
        Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret, require,
    },
    signing::Scheme,
};

pub(super) struct Gateway;

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        let Some(key_id) = inbound.header("x-bapi-api-key")? else { return Ok(Claim::Nobody) };
        let signature = inbound.header("x-bapi-sign")?.ok_or(InboundError::Malformed("the signature is missing"))?;
        let (timestamp, window) = (inbound.header("x-bapi-timestamp")?, inbound.header("x-bapi-recv-window")?);
        let freshness = Freshness::Window { at_ms: require(timestamp)?, valid_ms: require(window)? };
        let sign = |payload: &str| {
            string_to_sign(timestamp.unwrap_or_default(), key_id, window.unwrap_or_default(), payload).into_bytes()
        };
        let signed = if inbound.method == "GET" {
            let readings = [Some(inbound.query.to_owned()), decoded(inbound.query)];
            readings.iter().flatten().map(|query| sign(query)).collect()
        } else {
            vec![sign(inbound.text()?)]
        };
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha256,
            signed,
            signature: bytes(signature)?,
            passphrase: None,
            freshness,
        }))
    }

    /// Everything that signing adds is in headers, and so is a broker's id.
    fn dropped(&self) -> &'static [&'static str] {
        &[]
    }

    /// Key ids have 18 letters and digits, secrets 36.
    fn key_headers(&self) -> &'static [&'static str] {
        &["x-bapi-api-key"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(18, VirtualSecret::Text(36))
    }

    /// Clients look into the body only where the status is 200; what they may try again has another.
    fn refusal(&self, why: Refuse, text: &str, now_ms: u64) -> Refusal {
        let (status, code) = match why {
            Refuse::UnknownKey => (200, 10003),
            Refuse::BadSignature => (200, 10004),
            Refuse::Stale => (200, 10002),
            Refuse::Replayed => (200, 10014),
            Refuse::Denied => (200, 10005),
            Refuse::Malformed => (200, 10001),
            Refuse::Limited => (200, 10006),
            Refuse::Unavailable => (503, 10016),
            Refuse::Unknown => (504, 10000),
        };
        let body = serde_json::json!({
            "retCode": code, "retMsg": text, "result": {}, "retExtInfo": {}, "time": now_ms
        });
        Refusal { status, body: body.to_string() }
    }
}

/// What clients sign that encode a query only after they have signed it; `None` where that is what was sent, or where it
/// could be cut into parameters in another way.
fn decoded(query: &str) -> Option<String> {
    let encodes_only_text = !query.contains('+')
        && query.split('%').skip(1).all(|rest| {
            let digits = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            digits.is_some_and(|byte| byte == b' ' || !byte.is_ascii())
        });
    if !query.contains('%') || !encodes_only_text {
        return None;
    }
    percent_decode_str(query).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

/// Hexadecimal for HMAC, base64 for RSA; their lengths tell them apart.
fn bytes(signature: &str) -> Result<Vec<u8>, InboundError> {
    match HEXLOWER.decode(signature.as_bytes()) {
        Ok(mac) if mac.len() == 32 => Ok(mac),
        _ => BASE64.decode(signature.as_bytes()).map_err(|_| InboundError::Malformed("the signature is malformed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: [(&str, &str); 4] = [
        ("x-bapi-api-key", "key"),
        ("x-bapi-sign", "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"),
        ("x-bapi-timestamp", "17"),
        ("x-bapi-recv-window", "5000"),
    ];

    fn claim(method: &str, query: &str, body: &str, headers: &[(&str, &str)]) -> Result<Vec<String>, InboundError> {
        let inbound = Inbound { method, path: "/v5/x", query, headers, body: body.as_bytes() };
        match Gateway.claim(&inbound)? {
            Claim::Signed(Signed { signed, .. }) => {
                Ok(signed.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect())
            }
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => Ok(Vec::new()),
        }
    }

    #[test]
    fn a_get_signs_its_query_and_a_post_its_body() {
        assert_eq!(claim("GET", "a=1", "x", &HEADERS).unwrap(), ["17key5000a=1"]);
        assert_eq!(claim("POST", "a=1", "{ }", &HEADERS).unwrap(), ["17key5000{ }"]);
        assert!(claim("GET", "", "", &[]).unwrap().is_empty());
    }

    #[test]
    fn only_text_may_have_been_signed_decoded() {
        for (query, readings) in [
            ("a=b%20c", &["17key5000a=b%20c", "17key5000a=b c"][..]),
            ("a=%C3%A9", &["17key5000a=%C3%A9", "17key5000a=é"]),
            ("a=1%26b=2", &["17key5000a=1%26b=2"]),
            ("a=1%3D2%20", &["17key5000a=1%3D2%20"]),
            ("a=b+c%20", &["17key5000a=b+c%20"]),
            ("a=%2", &["17key5000a=%2"]),
            ("a=%ff", &["17key5000a=%ff"]),
        ] {
            assert_eq!(claim("GET", query, "", &HEADERS).unwrap(), readings, "{query}");
        }
    }

    #[test]
    fn half_a_claim_is_malformed() {
        for missing in 1..HEADERS.len() {
            let mut headers = HEADERS.to_vec();
            headers.remove(missing);
            assert!(claim("GET", "", "", &headers).is_err(), "{headers:?}");
        }
        for (at, bad) in [(1, "0g"), (2, "-1"), (3, "5e3")] {
            let mut headers = HEADERS;
            headers[at].1 = bad;
            assert!(claim("GET", "", "", &headers).is_err(), "{headers:?}");
        }
        let doubled = [HEADERS.as_slice(), &[HEADERS[0]]].concat();
        assert!(claim("GET", "", "", &doubled).is_err());
    }

    #[test]
    fn refusals_are_what_clients_take_for_final() {
        let refusal = Gateway.refusal(Refuse::Denied, "not allowed", 17);
        assert_eq!(refusal.status, 200);
        let body: serde_json::Value = serde_json::from_str(&refusal.body).unwrap();
        assert_eq!(
            (&body["retCode"], &body["retMsg"], &body["time"]),
            (&10005.into(), &"not allowed".into(), &17.into())
        );
    }
}
