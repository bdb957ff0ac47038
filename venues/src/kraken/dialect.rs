//! The gateway's side of Kraken.
//!
//! Source: `docs.kraken.com`, *Spot REST authentication*.

use data_encoding::BASE64;

use super::signing::string_to_sign;
use crate::{
    grammar::Grammar,
    inbound::{
        Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret, fields,
    },
    operation::Operation,
    params::Params,
    signing::Scheme,
};

pub(super) struct Gateway;

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        let (key_id, signature) = match (inbound.header("api-key")?, inbound.header("api-sign")?) {
            (Some(key_id), Some(signature)) => (key_id, signature),
            (None, None) => return Ok(Claim::Nobody),
            _ => return Err(InboundError::Malformed("API-Key and API-Sign belong together")),
        };
        let body = inbound.text()?;
        let nonce = fields(inbound)?.get("nonce").map(str::to_owned);
        let nonce = nonce.ok_or(InboundError::Malformed("the nonce is missing"))?;
        let signature =
            BASE64.decode(signature.as_bytes()).map_err(|_| InboundError::Malformed("the signature is malformed"))?;
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha512,
            signed: vec![string_to_sign(inbound.path, &nonce, body)],
            signature,
            passphrase: None,
            freshness: Freshness::Nonce(number(&nonce)?),
        }))
    }

    fn dropped(&self) -> &'static [&'static str] {
        &["nonce"]
    }

    /// Python clients write flags of a form as `True` and `False`.
    fn reshape(&self, operation: &'static Operation, params: Params) -> Result<Params, InboundError> {
        let is_flag = |name: &str| operation.param(name).is_some_and(|param| param.grammar == Grammar::Bool);
        let respelled = |value| match value {
            "True" => "true",
            "False" => "false",
            other => other,
        };
        let reshaped = params.iter().map(|(name, value)| (name, if is_flag(name) { respelled(value) } else { value }));
        Ok(reshaped.collect())
    }

    /// Key ids have 56 characters; the secret is base64 of 64 bytes, which clients decode before anything else.
    fn key_headers(&self) -> &'static [&'static str] {
        &["api-key"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(56, VirtualSecret::Base64(64))
    }

    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let error = match why {
            Refuse::UnknownKey => "EAPI:Invalid key",
            Refuse::BadSignature => "EAPI:Invalid signature",
            Refuse::Stale | Refuse::Replayed => "EAPI:Invalid nonce",
            Refuse::Denied => "EGeneral:Permission denied",
            Refuse::Malformed => "EGeneral:Invalid arguments",
            Refuse::Limited => "EAPI:Rate limit exceeded",
            Refuse::Unavailable => "EService:Unavailable",
            Refuse::Unknown => "EService:Timeout",
        };
        // Clients compare the text of the first error; what is for people stands beside it.
        Refusal { status: 200, body: serde_json::json!({ "error": [error], "claviger": text }).to_string() }
    }
}

/// The text enters the signature, and Kraken reads a number from it: one text for one number.
fn number(nonce: &str) -> Result<u64, InboundError> {
    const BAD: InboundError = InboundError::Malformed("the nonce is no whole number");
    if nonce.starts_with('0') || !nonce.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD);
    }
    nonce.parse().map_err(|_| BAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, claim, resolve};

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded; charset=utf-8");
    const JSON: (&str, &str) = ("content-type", "application/json");
    const KEY: (&str, &str) = ("api-key", "k");
    const SIGN: (&str, &str) = ("api-sign", "AAAA");

    fn request<'a>(path: &'a str, headers: &'a [(&'a str, &'a str)], body: &'a str) -> Inbound<'a> {
        Inbound { method: "POST", path, query: "", headers, body: body.as_bytes() }
    }

    fn nonce(content: (&str, &str), body: &str) -> Result<Freshness, InboundError> {
        match claim(VenueId::Kraken, &request("/0/private/Balance", &[KEY, SIGN, content], body))? {
            Claim::Signed(claimed) => Ok(claimed.freshness),
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => panic!("{body}"),
        }
    }

    #[test]
    fn nonces_come_in_any_unit_and_either_body() {
        for (content, body, expected) in [
            (FORM, "nonce=1735689600123", 1_735_689_600_123),
            (FORM, "pair=XBTUSD&nonce=1735689600123456789", 1_735_689_600_123_456_789),
            (JSON, r#"{"nonce": "1735689600123456", "pair": "XBTUSD"}"#, 1_735_689_600_123_456),
            (JSON, r#"{"nonce":1735689600123}"#, 1_735_689_600_123),
        ] {
            assert_eq!(nonce(content, body), Ok(Freshness::Nonce(expected)), "{body}");
        }
    }

    #[test]
    fn a_body_is_what_its_type_says_and_nothing_else() {
        for (content, body) in [
            (FORM, r#"{"nonce":"1"}"#),
            (FORM, r#"{"nonce":"1","a":"&nonce=2&b="}"#),
            (JSON, "nonce=1"),
            (JSON, r#"{"nonce":"1","nonce":"2"}"#),
            (("content-type", "text/plain"), "nonce=1"),
            (FORM, "nonce=+1"),
            (FORM, "nonce=%2B1"),
            (FORM, "nonce=01"),
            (FORM, "nonce="),
            (FORM, "nonce=1.5"),
            (FORM, "nonce=18446744073709551616"),
            (FORM, "pair=XBTUSD"),
            (FORM, ""),
        ] {
            assert!(matches!(nonce(content, body), Err(InboundError::Malformed(_))), "{body}");
        }
        for headers in [[KEY, FORM], [SIGN, FORM]] {
            assert!(claim(VenueId::Kraken, &request("/0/private/Balance", &headers, "nonce=1")).is_err());
        }
        let twice = [KEY, SIGN, SIGN, FORM];
        assert!(claim(VenueId::Kraken, &request("/0/private/Balance", &twice, "nonce=1")).is_err());
    }

    #[test]
    fn what_clients_send_resolves() {
        for (path, content, body, name) in [
            ("QueryOrders", FORM, "nonce=1&trades=True&txid=OQCLML-BW3P3-BUCMWZ", "order.get"),
            ("TradeVolume", FORM, "nonce=1&pair=XXBTZUSD&fee-info=True", "fees"),
            ("OpenPositions", FORM, "nonce=1&docalcs=true&consolidation=market", "positions"),
            ("CancelOrderBatch", JSON, r#"{"nonce":"1","orders":["OQCLML-BW3P3-BUCMWZ"]}"#, "orders.cancel_batch"),
            ("CancelAllOrdersAfter", FORM, "nonce=1&timeout=60", "orders.cancel_after"),
            (
                "AddOrder",
                FORM,
                "nonce=1&pair=XXBTZUSD&type=buy&ordertype=limit&volume=0.1&price=20000.5&oflags=post",
                "order.place",
            ),
        ] {
            let path = format!("/0/private/{path}");
            let (operation, params) = resolve(VenueId::Kraken, &request(&path, &[content], body)).unwrap();
            assert_eq!(operation.name, name);
            assert!(params.iter().all(|(name, value)| name != "nonce" && value != "True"), "{params:?}");
        }
    }

    #[test]
    fn a_conditional_close_cannot_be_said() {
        for (content, body) in [
            (FORM, "nonce=1&pair=XBTUSD&type=buy&ordertype=market&volume=1&close[ordertype]=limit&close[price]=1"),
            (
                JSON,
                r#"{"nonce":"1","pair":"XBTUSD","type":"buy","ordertype":"market","volume":"1","close":{"price":"1"}}"#,
            ),
        ] {
            let refused = resolve(VenueId::Kraken, &request("/0/private/AddOrder", &[content], body));
            assert!(matches!(refused, Err(InboundError::Parameters(_))), "{refused:?}");
        }
        // What the signature does not cover is not read.
        let asked = Inbound { query: "asset=XBT", ..request("/0/private/TradeBalance", &[FORM], "nonce=1") };
        assert!(resolve(VenueId::Kraken, &asked).is_err());
    }
}
