//! The gateway's side of MEXC spot.
//!
//! Source: `mexc.com/api-docs/spot-v3`, *SIGNED endpoint security* and *Error codes* (2026-11-21).

use super::{
    super::{VIRTUAL_FORM, signature},
    signing::string_to_sign,
};
use crate::{
    inbound::{Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, form, require},
    signing::Scheme,
};

pub(in super::super) struct Gateway;

/// What signing adds, the window, which is Claviger's to choose, and the key that the probe asks about.
pub(in super::super) const DROPPED: &[&str] = &["timestamp", "recvWindow", "signature", "accessKey"];

/// Parameters come in the query, as MEXC's own SDK and ccxt send them: with a body, a value could slide over the seam.
impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        claim(inbound)
    }

    fn dropped(&self) -> &'static [&'static str] {
        DROPPED
    }

    fn key_headers(&self) -> &'static [&'static str] {
        &["x-mexc-apikey"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VIRTUAL_FORM
    }

    /// 700007 is what clients take for final; 10072 and 700006 only say that the request was bad.
    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, code) = match why {
            Refuse::UnknownKey => (400, 700_001),
            Refuse::BadSignature => (400, 700_002),
            Refuse::Stale => (400, 700_003),
            Refuse::Denied => (400, 700_007),
            Refuse::Replayed | Refuse::Malformed => (400, 700_004),
            Refuse::Limited => (429, 429),
            Refuse::Unavailable => (503, 503),
            Refuse::Unknown => (504, 504),
        };
        Refusal { status, body: serde_json::json!({ "code": code, "msg": text }).to_string() }
    }
}

/// Says who signed, over query and body as they came.
pub(in super::super) fn claim<'a>(inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
    let Some(key_id) = inbound.header("x-mexc-apikey")? else { return Ok(Claim::Nobody) };
    let (query, in_query) = without_signature(inbound.query)?;
    let (body, in_body) = without_signature(inbound.text()?)?;
    let text = match (in_query, in_body) {
        (Some(text), None) | (None, Some(text)) => text,
        (Some(_), Some(_)) => return Err(InboundError::Malformed("the signature comes twice")),
        // A key without a signature proves nothing: such a caller is nobody.
        (None, None) => return Ok(Claim::Nobody),
    };
    let (params, more) = (form(&query)?, form(&body)?);
    let get = |name| params.get(name).or_else(|| more.get(name));
    let freshness =
        Freshness::Window { at_ms: require(get("timestamp"))?, valid_ms: require(get("recvWindow").or(Some("5000")))? };
    Ok(Claim::Signed(Signed {
        key_id,
        scheme: Scheme::HmacSha256,
        signed: vec![string_to_sign(&query, &body).into_bytes()],
        signature: signature(text)?,
        passphrase: None,
        freshness,
    }))
}

/// Takes the one `signature` out of raw pairs, wherever it stands, and leaves every other byte.
fn without_signature(raw: &str) -> Result<(String, Option<&str>), InboundError> {
    let (mut rest, mut signature) = (Vec::new(), None);
    for pair in raw.split('&') {
        match pair.strip_prefix("signature=") {
            Some(_) if signature.is_some() => return Err(InboundError::Malformed("the signature comes twice")),
            Some(value) => signature = Some(value),
            None => rest.push(pair),
        }
    }
    Ok((rest.join("&"), signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, resolve};

    const MAC: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";

    fn claimed(query: &str, body: &str) -> Result<Option<String>, InboundError> {
        let headers = [("x-mexc-apikey", "key")];
        let inbound = Inbound { method: "POST", path: "/x", query, headers: &headers, body: body.as_bytes() };
        Ok(match claim(&inbound)? {
            Claim::Signed(Signed { signed, .. }) => Some(String::from_utf8(signed.concat()).unwrap()),
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => None,
        })
    }

    #[test]
    fn one_signature_wherever_it_stands() {
        let signed = |query: String, body: String| claimed(&query, &body).unwrap();
        assert_eq!(signed(format!("a=1&timestamp=7&signature={MAC}"), String::new()).unwrap(), "a=1&timestamp=7");
        assert_eq!(signed(format!("signature={MAC}&timestamp=7"), String::new()).unwrap(), "timestamp=7");
        assert_eq!(signed("a=1".to_owned(), format!("timestamp=7&signature={MAC}")).unwrap(), "a=1timestamp=7");
        assert_eq!(signed("a=1&timestamp=7".to_owned(), String::new()), None);
        for query in [
            format!("timestamp=7&signature={MAC}&signature={MAC}"),
            format!("a=1&signature={MAC}"),
            format!("timestamp=7&signature={}", MAC.to_uppercase()),
        ] {
            assert!(claimed(&query, "").is_err(), "{query}");
        }
    }

    #[test]
    fn parameters_come_in_the_query_only() {
        let query = "symbol=A&side=BUY&type=MARKET&quoteOrderQty=5&timestamp=1";
        let inbound = Inbound { method: "POST", path: "/api/v3/order", query, headers: &[], body: b"" };
        assert_eq!(resolve(VenueId::Mexc, &inbound).unwrap().1.len(), 4);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let inbound = Inbound { headers: &headers, body: b"newClientOrderId=x", ..inbound };
        assert!(resolve(VenueId::Mexc, &inbound).is_err());
    }
}
