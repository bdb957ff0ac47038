//! The gateway's side of Kraken Futures.
//!
//! Source: `docs.kraken.com`, *Futures REST authentication*.

use data_encoding::BASE64;

use super::signing::{endpoint, hash, is_batch};
use crate::{
    inbound::{Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Signed, VirtualForm, VirtualSecret},
    json,
    operation::Operation,
    params::Params,
    signing::Scheme,
};

pub(super) struct Gateway;

impl Dialect for Gateway {
    /// ccxt sends no nonce: what it signs has no time, and only being used once keeps it from being used again.
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        let (key_id, signature) = match (inbound.header("apikey")?, inbound.header("authent")?) {
            (Some(key_id), Some(signature)) => (key_id, signature),
            (None, None) => return Ok(Claim::Nobody),
            _ => return Err(InboundError::Malformed("APIKey and Authent belong together")),
        };
        let nonce = inbound.header("nonce")?;
        if nonce.is_none() && may_open(inbound.path) && (ends_in_time(inbound.query) || ends_in_time(inbound.text()?)) {
            return Err(InboundError::Malformed("the last value could be one with the nonce behind it: send a nonce"));
        }
        let text = [inbound.query, inbound.text()?, nonce.unwrap_or_default(), endpoint(inbound.path)].concat();
        let signature =
            BASE64.decode(signature.as_bytes()).map_err(|_| InboundError::Malformed("the signature is malformed"))?;
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha512,
            signed: vec![hash(&text)],
            signature,
            passphrase: None,
            freshness: nonce.map_or(Ok(Freshness::Unbounded), |nonce| time(nonce).map(Freshness::Nonce))?,
        }))
    }

    /// `processBefore` is a clock's matter, and the clock is Claviger's.
    fn dropped(&self) -> &'static [&'static str] {
        &["processBefore"]
    }

    /// Clients send parameters in the query even of a POST; wherever they stand, they are signed.
    fn anywhere(&self) -> bool {
        true
    }

    /// A batch comes as an object in the field `json`.
    fn reshape(&self, operation: &'static Operation, params: Params) -> Result<Params, InboundError> {
        if !is_batch(operation) {
            return Ok(params);
        }
        let mut reshaped = Params::new();
        for (name, value) in params.iter() {
            if name == "json" {
                let inner = json::flatten(value.as_bytes());
                let inner = inner.map_err(|_| InboundError::Malformed("the field `json` is no plain JSON object"))?;
                inner.iter().for_each(|(name, value)| reshaped.push(name, value));
            } else {
                reshaped.push(name, value);
            }
        }
        Ok(reshaped)
    }

    /// Key ids have 56 characters; the secret is base64 of 64 bytes, which clients decode before anything else.
    fn key_headers(&self) -> &'static [&'static str] {
        &["apikey"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(56, VirtualSecret::Base64(64))
    }

    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, error) = match why {
            Refuse::UnknownKey | Refuse::BadSignature | Refuse::Denied => (200, "authenticationError"),
            Refuse::Stale => (200, "nonceBelowThreshold"),
            Refuse::Replayed => (200, "nonceDuplicate"),
            Refuse::Malformed => (200, "invalidArgument"),
            Refuse::Limited => (429, "apiLimitExceeded"),
            Refuse::Unavailable => (503, "Unavailable"),
            Refuse::Unknown => (500, "Server Error"),
        };
        // Clients compare the whole text of the error; what is for people stands beside it.
        let body = serde_json::json!({ "result": "error", "error": error, "claviger": text });
        Refusal { status, body: body.to_string() }
    }
}

/// Whether what is called may open risk, and states amounts.
fn may_open(path: &str) -> bool {
    ["/sendorder", "/editorder"].iter().any(|name| path.ends_with(name))
}

/// Whether the text ends in as many digits as a nonce has. A nonce is signed right behind the last value, so that a
/// signature with one is good for a longer value without one, too.
fn ends_in_time(text: &str) -> bool {
    const MILLISECONDS_DIGITS: usize = 13;
    text.bytes().rev().take_while(u8::is_ascii_digit).count() >= MILLISECONDS_DIGITS
}

/// One SDK writes the time in units of ten nanoseconds, which no other unit has the digits of.
fn time(nonce: &str) -> Result<u64, InboundError> {
    const BAD: InboundError = InboundError::Malformed("the nonce is no whole number");
    const TEN_NANOSECONDS_DIGITS: usize = 18;
    if nonce.starts_with('0') || !nonce.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD);
    }
    let time: u64 = nonce.parse().map_err(|_| BAD)?;
    Ok(if nonce.len() == TEN_NANOSECONDS_DIGITS { time.saturating_mul(10) } else { time })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, claim, resolve};

    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    const KEY: (&str, &str) = ("apikey", "k");
    const SIGN: (&str, &str) = ("authent", "AAAA");
    const POST: Inbound<'_> = Inbound {
        method: "POST",
        path: "/derivatives/api/v3/sendorder",
        query: "",
        headers: &[KEY, SIGN, FORM],
        body: b"",
    };

    fn signed(inbound: &Inbound<'_>) -> Result<(Vec<u8>, Freshness), InboundError> {
        match claim(VenueId::KrakenFutures, inbound)? {
            Claim::Signed(claimed) => Ok((claimed.signed.concat(), claimed.freshness)),
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => panic!("{inbound:?}"),
        }
    }

    #[test]
    fn query_body_nonce_and_path_are_signed() {
        let asked = Inbound { query: "size=1", body: b"side=buy", ..POST };
        assert_eq!(signed(&asked), Ok((hash("size=1side=buy/api/v3/sendorder"), Freshness::Unbounded)));
        for (nonce, time) in [
            ("1735689600123", 1_735_689_600_123),
            ("1735689600123456", 1_735_689_600_123_456),
            ("173568960012345678", 1_735_689_600_123_456_780),
        ] {
            let headers = [KEY, SIGN, FORM, ("nonce", nonce)];
            let with_nonce = Inbound { headers: &headers, ..POST };
            assert_eq!(signed(&with_nonce), Ok((hash(&format!("{nonce}/api/v3/sendorder")), Freshness::Nonce(time))));
        }
    }

    #[test]
    fn what_reads_in_two_ways_is_refused() {
        for headers in [
            [KEY, FORM, FORM].as_slice(),
            &[KEY, FORM],
            &[SIGN, FORM],
            &[KEY, KEY, SIGN],
            &[KEY, SIGN, ("nonce", "1"), ("nonce", "2")],
            &[KEY, SIGN, ("nonce", "")],
            &[KEY, SIGN, ("nonce", "01")],
            &[KEY, SIGN, ("nonce", "+1")],
            &[KEY, ("authent", "@")],
        ] {
            let inbound = Inbound { headers, ..POST };
            assert!(claim(VenueId::KrakenFutures, &inbound).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn a_nonce_that_slid_into_the_last_value_is_not_signed_for() {
        let (with, without) = ([KEY, SIGN, FORM, ("nonce", "1735689600123")], [KEY, SIGN, FORM]);
        let order = "symbol=PF_XBTUSD&side=buy&orderType=mkt&size=1";
        let slid = format!("{order}1735689600123");
        for (query, body) in [(order, ""), ("", order)] {
            signed(&Inbound { query, body: body.as_bytes(), headers: &with, ..POST }).unwrap();
        }
        for (query, body) in [(slid.as_str(), ""), ("", slid.as_str())] {
            let inbound = Inbound { query, body: body.as_bytes(), headers: &without, ..POST };
            assert!(
                matches!(claim(VenueId::KrakenFutures, &inbound), Err(InboundError::Malformed(_))),
                "{query}{body}"
            );
        }
        // A cancel's last value may be a name of any digits: whatever slides there, it takes an order away at most.
        let cancel = Inbound { path: "/derivatives/api/v3/cancelorder", query: "cliOrdId=1735689600123", ..POST };
        signed(&cancel).unwrap();
    }

    #[test]
    fn orders_of_ccxt_stand_in_the_query() {
        let query = "symbol=PF_XBTUSD&side=buy&size=0.01&reduceOnly=true&orderType=lmt&limitPrice=20000.5";
        let (operation, params) = resolve(VenueId::KrakenFutures, &Inbound { query, ..POST }).unwrap();
        assert_eq!((operation.name, params.len()), ("order.place", 6));
        let twice = Inbound { query, body: b"size=9", ..POST };
        assert!(resolve(VenueId::KrakenFutures, &twice).is_err());
    }

    #[test]
    fn a_batch_is_of_one_kind() {
        let send = r#"{"order":"send","order_tag":"1","symbol":"PF_XBTUSD","side":"buy","size":"1","orderType":"mkt"}"#;
        let cancel = r#"{"order":"cancel","order_id":"6b8b0a9c-0000-4000-8000-000000000001"}"#;
        let edit = r#"{"order":"edit","order_id":"a","size":1,"limitPrice":2}"#;
        let batch = |items: &str| {
            let body = format!(r#"json={{"batchOrder": [{items}]}}"#);
            let inbound = Inbound { path: "/derivatives/api/v3/batchorder", body: body.as_bytes(), ..POST };
            resolve(VenueId::KrakenFutures, &inbound).map(|(operation, _)| operation.name)
        };
        assert_eq!(batch(send), Ok("orders.place_batch"));
        assert_eq!(batch(cancel), Ok("orders.cancel_batch"));
        assert_eq!(batch(edit), Ok("orders.amend_batch"));
        assert!(batch(&[send, cancel].join(",")).is_err());
        assert!(batch(r#"{"order":"withdraw"}"#).is_err());
    }
}
