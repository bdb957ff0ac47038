//! The gateway's side of Kraken.
//!
//! Source: `docs.kraken.com`, *Spot REST authentication*.

use data_encoding::BASE64;

use super::signing::string_to_sign;
use crate::{
    inbound::{
        Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret, form,
        require,
    },
    json,
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
        let nonce = if body.starts_with('{') {
            let params =
                json::flatten(inbound.body).map_err(|_| InboundError::Malformed("the body is no plain JSON object"))?;
            params.get("nonce").map(str::to_owned)
        } else {
            form(body)?.get("nonce").map(str::to_owned)
        };
        let nonce = nonce.ok_or(InboundError::Malformed("the nonce is missing"))?;
        let signature =
            BASE64.decode(signature.as_bytes()).map_err(|_| InboundError::Malformed("the signature is malformed"))?;
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha512,
            signed: vec![string_to_sign(inbound.path, &nonce, body)],
            signature,
            passphrase: None,
            freshness: Freshness::Nonce(require(Some(&nonce))?),
        }))
    }

    fn dropped(&self) -> &'static [&'static str] {
        &["nonce"]
    }

    /// Key ids have 56 characters; the secret is base64 of 64 bytes, which clients decode before anything else.
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
