//! The gateway's side of OKX.
//!
//! Source: `www.okx.com/docs-v5`, *REST Authentication* and *Error Code* (2026-11-21).

use data_encoding::BASE64;
use jiff::Timestamp;

use super::{
    ALGO_NAME, NAME,
    signing::{TOLERANCE_MS, string_to_sign, timestamp},
};
use crate::{
    inbound::{
        Alphabet, Claim, Dialect, Freshness, Inbound, InboundError, Refusal, Refuse, Shape, Signed, VirtualForm,
        VirtualSecret,
    },
    operation::{Kind, Operation},
    signing::Scheme,
};

pub(super) struct Gateway;

impl Dialect for Gateway {
    /// Clients that sign a query before they encode it differ from what they send only where a value has a space or more
    /// than ASCII in it, and no parameter takes such a value: what was sent is the one reading.
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        // A client that means to play with simulated money must not trade with its owner's.
        if inbound.header("x-simulated-trading")?.is_some_and(|value| value != "0") {
            return Err(InboundError::Malformed("this gateway trades for real: switch simulated trading off"));
        }
        let Some(key_id) = inbound.header("ok-access-key")? else { return Ok(Claim::Nobody) };
        let needed =
            |name| inbound.header(name)?.ok_or(InboundError::Malformed("a header that signing needs is missing"));
        let time = needed("ok-access-timestamp")?;
        let signature = BASE64
            .decode(needed("ok-access-sign")?.as_bytes())
            .map_err(|_| InboundError::Malformed("the signature is malformed"))?;
        let text = string_to_sign(time, inbound.method, inbound.path, inbound.query, inbound.text()?);
        Ok(Claim::Signed(Signed {
            key_id,
            scheme: Scheme::HmacSha256,
            signed: vec![text.into_bytes()],
            signature,
            passphrase: Some(needed("ok-access-passphrase")?),
            freshness: Freshness::Window { at_ms: milliseconds(time)?, valid_ms: u64::from(TOLERANCE_MS) },
        }))
    }

    /// Everything that signing adds is in headers, and so is the choice between real and simulated trading.
    fn dropped(&self) -> &'static [&'static str] {
        &[]
    }

    /// Clients write an empty text for what they do not set, and a broker's tag where they place orders. Elsewhere a tag
    /// says which orders are meant: there it stays, and is refused. ccxt names orders that wait for a trigger in a
    /// parameter that OKX does not have for them.
    fn drops(&self, operation: &Operation, name: &str, value: &str) -> bool {
        let places = matches!(operation.kind, Kind::Place | Kind::Close);
        value.is_empty()
            || (places && name == "tag")
            || (places && name == NAME && operation.param(ALGO_NAME).is_some())
    }

    /// Key ids are UUIDs, secrets 32 hexadecimal digits.
    fn key_headers(&self) -> &'static [&'static str] {
        &["ok-access-key"]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm {
            key_id: Shape { prefix: "", alphabet: Alphabet::Uuid, chars: 36 },
            secret: VirtualSecret::Hex(32),
            passphrase: true,
        }
    }

    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, code) = match why {
            Refuse::UnknownKey => (401, "50111"),
            Refuse::BadSignature => (401, "50113"),
            Refuse::Stale => (401, "50102"),
            Refuse::Replayed => (401, "50114"),
            Refuse::Denied => (401, "50120"),
            Refuse::Malformed => (400, "51000"),
            Refuse::Limited => (429, "50011"),
            Refuse::Unavailable => (503, "50001"),
            Refuse::Unknown => (504, "50004"),
        };
        Refusal { status, body: serde_json::json!({ "code": code, "msg": text, "data": [] }).to_string() }
    }
}

/// Reads a time in the one form that OKX documents.
fn milliseconds(text: &str) -> Result<u64, InboundError> {
    let moment: Option<Timestamp> = text.parse().ok();
    moment
        .and_then(|moment| u64::try_from(moment.as_millisecond()).ok())
        .filter(|ms| timestamp(*ms) == text)
        .ok_or(InboundError::Malformed("the timestamp is no UTC time with milliseconds"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ParamError, Params, VenueId, resolve};

    const HEADERS: [(&str, &str); 4] = [
        ("ok-access-key", "key"),
        ("ok-access-sign", "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8="),
        ("ok-access-timestamp", "2025-01-01T00:00:00.123Z"),
        ("ok-access-passphrase", "Pass phrase!1"),
    ];

    fn claim(method: &str, query: &str, body: &str, headers: &[(&str, &str)]) -> Result<Option<String>, InboundError> {
        match Gateway.claim(&Inbound { method, path: "/x", query, headers, body: body.as_bytes() })? {
            Claim::Signed(Signed { signed, passphrase, freshness, .. }) => {
                assert_eq!(passphrase, Some("Pass phrase!1"));
                assert_eq!(freshness, Freshness::Window { at_ms: 1_735_689_600_123, valid_ms: 30_000 });
                assert_eq!(signed.len(), 1);
                Ok(Some(String::from_utf8(signed[0].clone()).unwrap()))
            }
            Claim::Nobody | Claim::Bearer(_) | Claim::Login(_) => Ok(None),
        }
    }

    #[test]
    fn what_is_signed_is_what_was_sent() {
        let time = HEADERS[2].1;
        assert_eq!(claim("GET", "a=b%20c", "", &HEADERS), Ok(Some(format!("{time}GET/x?a=b%20c"))));
        assert_eq!(claim("POST", "", "{ }", &HEADERS), Ok(Some(format!("{time}POST/x{{ }}"))));
        assert_eq!(claim("GET", "", "", &[("x-simulated-trading", "0")]), Ok(None));
        assert!(claim("GET", "", "", &[("x-simulated-trading", "1")]).is_err());
    }

    #[test]
    fn half_a_claim_is_malformed() {
        for missing in 1..HEADERS.len() {
            let mut headers = HEADERS.to_vec();
            headers.remove(missing);
            assert!(claim("GET", "", "", &headers).is_err(), "{headers:?}");
        }
        let times =
            ["1735689600123", "2025-01-01T00:00:00Z", "2025-01-01T01:00:00.123+01:00", "2025-01-01 00:00:00.123Z"];
        for (at, bad) in times.map(|time| (2, time)).into_iter().chain([(1, "AAE"), (1, "!")]) {
            let mut headers = HEADERS;
            headers[at].1 = bad;
            assert!(claim("GET", "", "", &headers).is_err(), "{headers:?}");
        }
        let doubled = [HEADERS.as_slice(), &[HEADERS[3]]].concat();
        assert!(claim("GET", "", "", &doubled).is_err());
    }

    fn asked(method: &str, path: &str, query: &str, body: &str) -> Result<(&'static Operation, Params), InboundError> {
        let headers = &[("content-type", "application/json"), ("x-simulated-trading", "0")];
        resolve(VenueId::Okx, &Inbound { method, path, query, headers, body: body.as_bytes() })
    }

    fn posted(path: &str, body: &str) -> Result<Params, InboundError> {
        asked("POST", path, "", body).map(|(_, params)| params)
    }

    /// As ccxt 4.5 sends it.
    #[test]
    fn what_ccxt_asks_is_understood() {
        for (method, path, query, body, name) in [
            ("GET", "/api/v5/public/instruments", "instType=OPTION&uly=BTC-USD", "", "instruments"),
            ("GET", "/api/v5/asset/currencies", "", "", "currencies"),
            ("GET", "/api/v5/account/balance", "", "", "balances"),
            ("GET", "/api/v5/account/positions", "instId=BTC-USDT-SWAP%2CETH-USDT-SWAP", "", "positions"),
            ("GET", "/api/v5/trade/orders-pending", "instId=BTC-USDT", "", "orders.open"),
            (
                "POST",
                "/api/v5/trade/batch-orders",
                "",
                r#"[{"instId":"BTC-USDT","side":"buy","ordType":"limit","sz":"0.01","tdMode":"cash","tgtCcy":"base_ccy",
                    "px":"50000","clOrdId":"6b9ad766b55dBCDEcc846f11195a2fce","tag":"6b9ad766b55dBCDE"}]"#,
                "orders.place_batch",
            ),
            (
                "POST",
                "/api/v5/trade/order-algo",
                "",
                r#"{"instId":"BTC-USDT-SWAP","side":"sell","ordType":"conditional","sz":"1","tdMode":"cross",
                    "slTriggerPx":"40000","slOrdPx":"-1","slTriggerPxType":"last",
                    "clOrdId":"6b9ad766b55dBCDEaa7598acaa358e3f","tag":"6b9ad766b55dBCDE"}"#,
                "order.place_algo",
            ),
            ("POST", "/api/v5/trade/cancel-order", "", r#"{"instId":"BTC-USDT","ordId":"1"}"#, "order.cancel"),
            (
                "POST",
                "/api/v5/account/set-leverage",
                "",
                r#"{"lever":5,"mgnMode":"cross","instId":"BTC-USDT-SWAP"}"#,
                "leverage.set",
            ),
        ] {
            assert_eq!(asked(method, path, query, body).map(|(operation, _)| operation.name), Ok(name));
        }
        let transfer = r#"{"ccy":"USDT","amt":"20","type":"0","from":"18","to":"6"}"#;
        assert_eq!(posted("/api/v5/asset/transfer", transfer), Err(InboundError::NoSuchRoute));
    }

    #[test]
    fn what_is_not_set_and_who_brokered_is_left_out() {
        let order = r#"{"instId":"BTC-USDT","tdMode":"cash","side":"buy","ordType":"limit","sz":0.01,"px":"20000.5",
            "ccy":"","tag":"broker","reduceOnly":"","attachAlgoOrds":null}"#;
        let expected = [
            ("instId", "BTC-USDT"),
            ("tdMode", "cash"),
            ("side", "buy"),
            ("ordType", "limit"),
            ("sz", "0.01"),
            ("px", "20000.5"),
        ];
        assert_eq!(posted("/api/v5/trade/order", order), Ok(expected.into_iter().collect()));
        let batch = posted("/api/v5/trade/batch-orders", &format!("[{order}]")).unwrap();
        assert!(!batch.get("orders").unwrap().contains("tag"));

        let attached = order.replace("null", r#"[{"slTriggerPx":"1","slOrdPx":"-1"}]"#);
        let unknown = InboundError::Parameters(ParamError::Unknown { name: "attachAlgoOrds".to_owned() });
        assert_eq!(posted("/api/v5/trade/order", &attached), Err(unknown));
        let twice = format!("[{}]", order.replace(r#""tag":"broker""#, r#""tag":"a","tag":"b""#));
        assert!(posted("/api/v5/trade/batch-orders", &twice).is_err());
    }

    #[test]
    fn a_tag_that_chooses_orders_is_refused() {
        let path = "/api/v5/trade/cancel-all-after";
        assert!(posted(path, r#"{"timeOut":"60"}"#).is_ok());
        assert!(posted(path, r#"{"timeOut":"60","tag":"mine"}"#).is_err());
    }

    #[test]
    fn refusals_are_what_clients_take_for_final() {
        let refusal = Gateway.refusal(Refuse::Denied, "not allowed", 17);
        assert_eq!(refusal.status, 401);
        let body: serde_json::Value = serde_json::from_str(&refusal.body).unwrap();
        assert_eq!(body, serde_json::json!({ "code": "50120", "msg": "not allowed", "data": [] }));
    }
}
