//! The gateway's side of Binance, spot and futures alike.
//!
//! Source: `rest-api.md`, *SIGNED Endpoint Security*.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use super::signing::string_to_sign;
use crate::{
    inbound::{
        Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret, form,
        milliseconds,
    },
    operation::Operation,
    params::Params,
    signing::Scheme,
};

pub(super) struct Binance;

/// What signing adds, and the window, which is Claviger's to choose.
const DROPPED: &[&str] = &["timestamp", "recvWindow", "signature"];

/// Clients spell these in lower case; Binance takes both.
const RESPELLED: &[(&str, &str)] =
    &[("orderidlist", "orderIdList"), ("origclientorderidlist", "origClientOrderIdList")];

/// The longest window that Binance takes, and the one it uses if none is given.
const WINDOW_MS_MAX: u64 = 60_000;
const WINDOW_MS: u64 = 5_000;

impl Dialect for Binance {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        let Some(key_id) = inbound.header("x-mbx-apikey")? else { return Ok(Claim::Nobody) };
        let (query, in_query) = without_signature(inbound.query)?;
        let (body, in_body) = without_signature(inbound.text()?)?;
        let signature = match (in_query, in_body) {
            (Some(text), None) | (None, Some(text)) => text,
            (Some(_), Some(_)) => return Err(TWICE),
            // A key without a signature proves nothing: such a caller is nobody.
            (None, None) => return Ok(Claim::Nobody),
        };
        let (params, more) = (form(&query)?, form(&body)?);
        let get = |name| params.get(name).or_else(|| more.get(name));
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha256,
            signed: vec![string_to_sign(&query, &body).into_bytes()],
            signature: decoded(signature)?,
            passphrase: None,
            freshness: Freshness::Window {
                at_ms: get("timestamp").and_then(digits).map(milliseconds).ok_or(UNTIMED)?,
                valid_ms: get("recvWindow").map_or(Some(WINDOW_MS), window).ok_or(UNTIMED)?,
            },
        }))
    }

    fn dropped(&self) -> &'static [&'static str] {
        DROPPED
    }

    fn anywhere(&self) -> bool {
        true
    }

    fn reshape(&self, _operation: &'static Operation, params: Params) -> Result<Params, InboundError> {
        let respelled = |name| RESPELLED.iter().find(|(given, _)| *given == name).map_or(name, |(_, wanted)| *wanted);
        Ok(params.iter().map(|(name, value)| (respelled(name), value)).collect())
    }

    /// Key and secret have 64 letters and digits.
    fn key_headers(&self) -> &'static [&'static str] {
        &["x-mbx-apikey"]
    }

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

const TWICE: InboundError = InboundError::Malformed("the signature comes twice");
const UNTIMED: InboundError = InboundError::Malformed("timestamp or recvWindow is missing or malformed");

/// Takes the one `signature` out of raw pairs, wherever it stands, and leaves every other byte.
fn without_signature(raw: &str) -> Result<(String, Option<&str>), InboundError> {
    let mut rest: Vec<&str> = Vec::new();
    let mut signature = None;
    for pair in raw.split('&') {
        match pair.strip_prefix("signature=") {
            Some(_) if signature.is_some() => return Err(TWICE),
            Some(value) => signature = Some(value),
            None => rest.push(pair),
        }
    }
    Ok((rest.join("&"), signature))
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
    // A plus sign that was not encoded reads as a space, which base64 does not have.
    let text = pairs.get("signature").unwrap_or_default().replace(' ', "+");
    BASE64.decode(text.as_bytes()).map_err(|_| BAD)
}

/// Digits only: what Rust would parse beyond them, such as a plus sign, is another text for the same number.
fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A window may have three decimals; what is smaller than a millisecond is cut off.
fn window(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    digits(fraction).filter(|_| fraction.len() <= 3)?;
    digits(whole).filter(|ms| *ms <= WINDOW_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, claim, resolve};

    const KEY: (&str, &str) = ("x-mbx-apikey", "k");
    const MAC: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn request<'a>(method: &'a str, path: &'a str, query: &'a str, body: &'a str) -> Inbound<'a> {
        const HEADERS: &[(&str, &str)] = &[KEY, ("content-type", "application/x-www-form-urlencoded")];
        Inbound { method, path, query, headers: HEADERS, body: body.as_bytes() }
    }

    fn signed(query: &str, body: &str) -> Result<(String, Freshness), InboundError> {
        match claim(VenueId::Binance, &request("POST", "/api/v3/order", query, body))? {
            Claim::Signed(claimed) => Ok((String::from_utf8(claimed.signed[0].clone()).unwrap(), claimed.freshness)),
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => panic!("{query} {body}"),
        }
    }

    #[test]
    fn every_byte_but_the_signature_is_signed() {
        let mac = format!("signature={MAC}");
        for (query, body, expected) in [
            (format!("timestamp=1&{mac}"), String::new(), "timestamp=1"),
            (String::new(), format!("a=%2c&timestamp=1&{mac}"), "a=%2c&timestamp=1"),
            (format!("a=1&{mac}"), "timestamp=1".to_owned(), "a=1timestamp=1"),
            ("a=1".to_owned(), format!("timestamp=1&{mac}"), "a=1timestamp=1"),
            (format!("{mac}&a=[{{\"b\":1}}]&timestamp=1"), String::new(), "a=[{\"b\":1}]&timestamp=1"),
        ] {
            assert_eq!(signed(&query, &body).map(|(text, _)| text).as_deref(), Ok(expected), "{query} {body}");
        }
    }

    #[test]
    fn what_reads_in_two_ways_is_refused() {
        let mac = format!("signature={MAC}");
        for query in [
            format!("timestamp=1&{mac}&{mac}"),
            format!("timestamp=1&&{mac}"),
            format!("&timestamp=1&{mac}"),
            format!("timestamp=1&{mac}&"),
            format!("timestamp&{mac}"),
            format!("timestamp=1%2&{mac}"),
            "timestamp=1&signature=zz".to_owned(),
            mac.clone(),
            format!("timestamp=%2B1&{mac}"),
            format!("timestamp=1e3&{mac}"),
            format!("timestamp=&{mac}"),
            format!("timestamp=99999999999999999999&{mac}"),
            format!("timestamp=1&recvWindow=60001&{mac}"),
            format!("timestamp=1&recvWindow=1.2345&{mac}"),
            format!("timestamp=1&recvWindow=inf&{mac}"),
            format!("timestamp=1&recvWindow=-1&{mac}"),
            format!("timestamp=1&recvWindow=&{mac}"),
            format!("timestamp=1&recvWindow=5.&{mac}"),
        ] {
            assert!(matches!(signed(&query, ""), Err(InboundError::Malformed(_))), "{query}");
        }
        assert_eq!(signed(&format!("timestamp=1&{mac}"), &mac), Err(TWICE));
    }

    #[test]
    fn time_comes_in_milliseconds_and_microseconds() {
        for (time, at_ms, valid_ms) in [
            ("timestamp=1735689600123", 1_735_689_600_123, 5_000),
            ("timestamp=1735689600123456", 1_735_689_600_123, 5_000),
            ("timestamp=7&recvWindow=10000", 7, 10_000),
            ("timestamp=7&recvWindow=6000.346", 7, 6_000),
            ("timestamp=7&recvWindow=60000", 7, 60_000),
        ] {
            let (_, freshness) = signed(&format!("{time}&signature={MAC}"), "").unwrap();
            assert_eq!(freshness, Freshness::Window { at_ms, valid_ms }, "{time}");
        }
    }

    #[test]
    fn a_key_without_a_signature_is_nobody() {
        let market = request("GET", "/api/v3/time", "", "");
        assert!(matches!(claim(VenueId::Binance, &market), Ok(Claim::Nobody)));
    }

    #[test]
    fn batches_of_clients_read_as_what_the_venue_documents() {
        let order = r#"{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"1"}"#;
        // ccxt sends the JSON as it is, python-binance encodes it with spaces as plus signs, in the query.
        let raw = format!("timestamp=1&batchOrders=[{order}]&recvWindow=10000&signature={MAC}");
        let encoded = format!(
            "batchOrders=%5B%7B%22symbol%22%3A+%22BTCUSDT%22%2C+%22side%22%3A+%22BUY%22%2C+%22type%22%3A+%22MARKET%22\
             %2C+%22quantity%22%3A+%221%22%7D%5D&timestamp=1&signature={MAC}"
        );
        for (query, body) in [("", raw.as_str()), (encoded.as_str(), "")] {
            let inbound = request("POST", "/fapi/v1/batchOrders", query, body);
            let (operation, params) = resolve(VenueId::BinanceUsdm, &inbound).unwrap();
            assert_eq!((operation.name, params.len()), ("orders.place_batch", 1));
        }
        let query = format!("symbol=BTCUSDT&timestamp=1&orderidlist=%5B1%2C2%5D&signature={MAC}");
        let inbound = request("DELETE", "/fapi/v1/batchOrders", &query, "");
        let (operation, params) = resolve(VenueId::BinanceUsdm, &inbound).unwrap();
        assert_eq!((operation.name, params.get("orderIdList")), ("orders.cancel_batch", Some("[1,2]")));
    }

    #[test]
    fn a_parameter_in_query_and_body_is_refused() {
        let query = format!("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&timestamp=1&signature={MAC}");
        let inbound = request("POST", "/api/v3/order", &query, "quantity=2");
        assert_eq!(
            resolve(VenueId::Binance, &inbound).map(drop),
            Err(InboundError::Malformed("a parameter comes twice"))
        );
    }
}
