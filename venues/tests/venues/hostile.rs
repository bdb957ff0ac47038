//! Answers of any bytes: they have a meaning, they grant nothing by accident, and they never panic.

use claviger_venues::{
    Ceiling, CeilingClass, Meaning, ProbeError, Products, VenueId, meaning, objections, permissions,
};
use proptest::{prelude::*, sample::select};

/// Answers to cut, bend and mix.
const ANSWERS: &[&str] = &[
    r#"{"ipRestrict":true,"createTime":1698645219000,"enableReading":true,"enableWithdrawals":false,"enableFutures":true}"#,
    r#"{"error":[],"result":{"permissions":["query-funds","query-open-trades"],"validUntil":"0","ipAllowlist":["192.0.2.1"]}}"#,
    r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}"#,
    r#"{"error":["EAPI:Invalid nonce"]}"#,
    r#"{"retCode":0,"retMsg":"","result":{"readOnly":0,"permissions":{"Spot":["SpotTrade"]},"ips":["*"]}}"#,
    r#"{"retCode":10010,"retMsg":"Unmatched IP"}"#,
    r#"{"accessKey":"mx0v","permissions":"SPOT_ACCOUNT_READ,SPOT_DEAL_WRITE","ipWhiteList":"","status":"VALID"}"#,
    r#"{"success":false,"code":513,"message":"expired"}"#,
    "<html><body>502 Bad Gateway</body></html>",
];

const TRADER: Ceiling = Ceiling { class: CeilingClass::Trade, products: Products::SPOT };

/// One of the answers, cut off or with something put in.
pub(crate) fn bent(answers: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let bent = (select(answers), any::<prop::sample::Index>(), any::<Vec<u8>>(), any::<bool>());
    bent.prop_map(|(answer, at, insert, cut)| {
        let at = at.index(answer.len());
        let rest = if cut { &[] } else { &answer.as_bytes()[at..] };
        [&answer.as_bytes()[..at], &insert[..], rest].concat()
    })
}

pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<Vec<u8>>(),
        any::<String>().prop_map(String::into_bytes),
        "[\\[\\]{}\",:a-z0-9.eE-]{0,60}".prop_map(String::into_bytes),
        bent(ANSWERS),
        (1_usize..20_000).prop_map(|depth| b"[".repeat(depth)),
        (1_usize..5_000).prop_map(|depth| br#"{"error":"#.repeat(depth)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_have_a_meaning(venue in select(VenueId::ALL), status in any::<u16>(), body in bytes()) {
        let meaning = meaning(venue, status, &body);
        if let Meaning::Rejected { code } = &meaning {
            prop_assert!(code.len() <= 64 && code.bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
        if meaning == Meaning::Accepted {
            prop_assert!((200..300).contains(&status));
        }
    }

    #[test]
    fn any_bytes_read_as_permissions_or_not(venue in select(VenueId::ALL), status in prop_oneof![Just(200), any::<u16>()], body in bytes()) {
        match permissions(venue, status, &body) {
            Ok(facts) => {
                prop_assert!((200..300).contains(&status));
                prop_assert!(facts.unknown.iter().all(|name| name.is_ascii() && name.len() <= 64));
                for objection in objections(venue, &facts, TRADER) {
                    prop_assert!(!objection.code.is_empty() && objection.advice.len() < 400);
                }
            }
            Err(ProbeError::Unreadable) => prop_assert_eq!(ProbeError::Unreadable.meaning(), Meaning::Unknown),
            Err(error) => prop_assert_ne!(error.meaning(), Meaning::Accepted),
        }
    }
}

#[test]
fn a_power_that_is_on_is_never_overlooked() {
    for (venue, body) in [
        (VenueId::Binance, r#"{"ipRestrict":true,"enableReading":true,"enableWithdrawals":false,"enableX":true}"#),
        (VenueId::BinanceUsdm, r#"{"ipRestrict":true,"enableReading":true,"enableWithdrawals":true}"#),
        (
            VenueId::Kraken,
            r#"{"error":[],"result":{"permissions":["query-funds","query-open-trades","close-trades"]}}"#,
        ),
        (
            VenueId::Bybit,
            r#"{"retCode":0,"result":{"readOnly":0,"permissions":{"Spot":["SpotTeleport"]},"ips":["192.0.2.1"]}}"#,
        ),
        (VenueId::Mexc, r#"{"accessKey":"x","permissions":"SPOT_ACCOUNT_READ,SPOT_DEAL_READ,SPOT_WITHDRAW_WRITE"}"#),
        (
            VenueId::MexcContract,
            r#"{"accessKey":"x","permissions":"CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ,CONTRACT_DEAL_WRITE"}"#,
        ),
    ] {
        let facts = permissions(venue, 200, body.as_bytes()).unwrap();
        let ceiling = Ceiling { class: CeilingClass::Read, products: Products::NONE };
        assert_eq!(objections(venue, &facts, ceiling).len(), 1, "{venue}");
    }
}
