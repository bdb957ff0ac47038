//! The gateway's side of Binance, spot and futures alike.
//!
//! Source: `rest-api.md`, *SIGNED Endpoint Security*.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use super::signing::string_to_sign;
use crate::{
    inbound::{
        Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret, form,
        require,
    },
    signing::Scheme,
};

pub(super) struct Binance;

/// What signing adds, and the window, which is Claviger's to choose.
const DROPPED: &[&str] = &["timestamp", "recvWindow", "signature"];

impl Dialect for Binance {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        let Some(key_id) = inbound.header("x-mbx-apikey")? else { return Ok(Claim::Nobody) };
        let body = inbound.text()?;
        let (query, in_query) = without_signature(inbound.query)?;
        let (body, in_body) = without_signature(body)?;
        let text = match (in_query, in_body) {
            (Some(text), None) | (None, Some(text)) => text,
            (Some(_), Some(_)) => return Err(InboundError::Malformed("the signature comes twice")),
            // A key without a signature proves nothing: such a caller is nobody.
            (None, None) => return Ok(Claim::Nobody),
        };
        let params = form(&query)?;
        let more = form(&body)?;
        let get = |name| params.get(name).or_else(|| more.get(name));
        let at: u64 = require(get("timestamp"))?;
        let window: f64 = require(get("recvWindow").or(Some("5000")))?;
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha256,
            signed: vec![string_to_sign(&query, &body).into_bytes()],
            signature: decoded(&text)?,
            passphrase: None,
            freshness: Freshness::Window { at_ms: milliseconds(at), valid_ms: whole(window) },
        }))
    }

    fn dropped(&self) -> &'static [&'static str] {
        DROPPED
    }

    fn anywhere(&self) -> bool {
        true
    }

    /// Key and secret have 64 letters and digits.
    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(64, VirtualSecret::Text(64))
    }

    /// -1002 is what clients take for final; -2015 and a bare 403 would be tried again.
    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, code) = match why {
            Refuse::UnknownKey | Refuse::Denied => (401, -1002),
            Refuse::BadSignature => (400, -1022),
            Refuse::Stale => (400, -1021),
            Refuse::Replayed => (400, -4116),
            Refuse::Malformed => (400, -1100),
            Refuse::Limited => (429, -1003),
            Refuse::Unavailable => (503, -1008),
            Refuse::Unknown => (504, -1007),
        };
        Refusal { status, body: serde_json::json!({ "code": code, "msg": text }).to_string() }
    }
}

/// Takes the one `signature` out of raw pairs, wherever it stands, and leaves every other byte.
fn without_signature(raw: &str) -> Result<(String, Option<String>), InboundError> {
    let mut rest = String::new();
    let mut signature = None;
    for pair in raw.split('&').filter(|pair| !pair.is_empty() || raw.is_empty()) {
        match pair.strip_prefix("signature=") {
            Some(_) if signature.is_some() => return Err(InboundError::Malformed("the signature comes twice")),
            Some(value) => signature = Some(value.to_owned()),
            None => {
                if !rest.is_empty() {
                    rest.push('&');
                }
                rest.push_str(pair);
            }
        }
    }
    Ok((rest, signature))
}

/// Hexadecimal for HMAC, percent-encoded base64 for the others; their lengths tell them apart.
fn decoded(text: &str) -> Result<Vec<u8>, InboundError> {
    const BAD: InboundError = InboundError::Malformed("the signature is malformed");
    if let Ok(mac) = HEXLOWER_PERMISSIVE.decode(text.as_bytes())
        && mac.len() == 32
    {
        return Ok(mac);
    }
    let pairs = form(&["signature=", text].concat())?;
    let text = pairs.get("signature").unwrap_or_default().replace(' ', "+");
    BASE64.decode(text.as_bytes()).map_err(|_| BAD)
}

/// Binance takes microseconds too, in 16 digits.
fn milliseconds(at: u64) -> u64 {
    if at >= 1_000_000_000_000_000 { at / 1_000 } else { at }
}

/// A window may have three decimals; what is smaller than a millisecond is cut off.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what u64 holds"
)]
fn whole(window: f64) -> u64 {
    if window.is_finite() { window.clamp(0.0, 60_000.0) as u64 } else { 0 }
}
