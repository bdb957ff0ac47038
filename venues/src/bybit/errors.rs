//! What Bybit's answers mean. Nearly all of them have status 200; `retCode` tells.
//!
//! Source: `bybit-exchange.github.io/docs/v5/error` (2026-11-21).

use serde::Deserialize;

use crate::meaning::{Meaning, by_status};

/// How long an address that asked too much is shut out.
const SHUT_OUT_MS: u64 = 10 * 60 * 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    ret_code: i64,
}

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    match serde_json::from_slice(body) {
        Ok(Answer { ret_code: 0 }) if (200..=299).contains(&status) => Meaning::Accepted,
        Ok(Answer { ret_code }) if ret_code != 0 => by_code(status, ret_code),
        // Too many requests from the address, or an address in a country that Bybit does not serve: never the key.
        Ok(_) | Err(_) if status == 403 => Meaning::RateLimited { retry_after_ms: Some(SHUT_OUT_MS) },
        Ok(_) | Err(_) => by_status(status),
    }
}

fn by_code(status: u16, code: i64) -> Meaning {
    match code {
        10003 | 33004 | -2015 => Meaning::DeadKey,
        10004 => Meaning::BadSignature,
        10005 => Meaning::MissingPermission,
        10009 | 10010 => Meaning::AddressNotAllowed,
        10002 => Meaning::ClockSkew,
        // Authentication failed, or the user is banned: the code does not say what of it.
        10007 | 10008 => Meaning::SuspectKey,
        10006 | 170_005 | 170_222 => Meaning::RateLimited { retry_after_ms: None },
        10018 => Meaning::RateLimited { retry_after_ms: Some(SHUT_OUT_MS) },
        // Time-outs and faults inside Bybit, of its gateway and of its spot engine.
        10000 | 10016 | 170_001 | 170_007 | 170_032 | 170_146 | 170_147 => Meaning::Unknown,
        _ if status >= 500 => Meaning::Unknown,
        code => Meaning::rejected(&code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_codes() {
        let limited = |retry_after_ms| Meaning::RateLimited { retry_after_ms };
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        for (code, expected) in [
            (0, Meaning::Accepted),
            (10002, Meaning::ClockSkew),
            (10003, Meaning::DeadKey),
            (33004, Meaning::DeadKey),
            (-2015, Meaning::DeadKey),
            (10004, Meaning::BadSignature),
            (10005, Meaning::MissingPermission),
            (10006, limited(None)),
            (10007, Meaning::SuspectKey),
            (10008, Meaning::SuspectKey),
            (10009, Meaning::AddressNotAllowed),
            (10010, Meaning::AddressNotAllowed),
            (10018, limited(Some(600_000))),
            (10016, Meaning::Unknown),
            (170_007, Meaning::Unknown),
            (10001, rejected("10001")),
            (10024, rejected("10024")),
            (110_007, rejected("110007")),
        ] {
            let body = format!(r#"{{"retCode":{code},"retMsg":"x","result":{{}}}}"#);
            assert_eq!(meaning(200, body.as_bytes()), expected, "{code}");
        }
    }

    #[test]
    fn other_answers_are_judged_by_their_status() {
        assert_eq!(meaning(200, br#"{"result":{}}"#), Meaning::Unknown);
        assert_eq!(meaning(502, br#"{"retCode":0}"#), Meaning::Unknown);
        assert_eq!(meaning(503, br#"{"retCode":99}"#), Meaning::Unknown);
        assert_eq!(meaning(403, b"<html>"), Meaning::RateLimited { retry_after_ms: Some(600_000) });
        assert_eq!(meaning(401, b""), Meaning::SuspectKey);
        assert_eq!(meaning(429, b""), Meaning::RateLimited { retry_after_ms: None });
    }
}
