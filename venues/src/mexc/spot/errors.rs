//! What MEXC spot's answers mean.
//!
//! Source: `mexc.com/api-docs/spot-v3`, *Error codes* (2026-11-21).

use serde::Deserialize;
use serde_json::Value;

use crate::meaning::{Meaning, by_status};

/// The body of every error; some accepted answers have a code of 0 or 200.
#[derive(Deserialize)]
struct Refusal {
    code: i64,
}

pub(in super::super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let refusal = serde_json::from_slice::<Refusal>(body).ok().filter(|refusal| !matches!(refusal.code, 0 | 200));
    match (status, refusal) {
        (200..=299, None) if serde_json::from_slice::<Value>(body).is_ok() => Meaning::Accepted,
        (418 | 429, _) | (_, None) => by_status(status),
        (_, Some(refusal)) => by_code(status, refusal.code),
    }
}

fn by_code(status: u16, code: i64) -> Meaning {
    match code {
        10072 | 402 => Meaning::DeadKey,
        // A key of the wrong form, one that has expired, one that the probe does not know.
        700_001 | 730_706 | 401 | 403 => Meaning::SuspectKey,
        700_002 | 602 => Meaning::BadSignature,
        700_003 => Meaning::ClockSkew,
        700_006 => Meaning::AddressNotAllowed,
        700_007 | 70011 => Meaning::MissingPermission,
        429 => Meaning::RateLimited { retry_after_ms: None },
        500 | 503 | 504 => Meaning::Unknown,
        _ if status >= 500 => Meaning::Unknown,
        code => Meaning::rejected(&code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_codes() {
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        for (code, expected) in [
            (0, Meaning::Accepted),
            (200, Meaning::Accepted),
            (10072, Meaning::DeadKey),
            (700_001, Meaning::SuspectKey),
            (700_002, Meaning::BadSignature),
            (602, Meaning::BadSignature),
            (700_003, Meaning::ClockSkew),
            (700_005, rejected("700005")),
            (700_006, Meaning::AddressNotAllowed),
            (700_007, Meaning::MissingPermission),
            (70011, Meaning::MissingPermission),
            (429, Meaning::RateLimited { retry_after_ms: None }),
            (10265, rejected("10265")),
            (-2013, rejected("-2013")),
        ] {
            assert_eq!(meaning(200, format!(r#"{{"code":{code},"msg":"x"}}"#).as_bytes()), expected, "{code}");
        }
        assert_eq!(meaning(200, b"[]"), Meaning::Accepted);
        assert_eq!(meaning(400, b"{}"), rejected("http-400"));
        assert_eq!(meaning(503, br#"{"code":1}"#), Meaning::Unknown);
        assert_eq!(meaning(429, br#"{"code":1}"#), Meaning::RateLimited { retry_after_ms: None });
        assert_eq!(meaning(403, b"<html>"), Meaning::SuspectKey);
    }
}
