//! What MEXC futures' answers mean. Nearly all of them have status 200; `success` and `code` tell.
//!
//! Source: `mexc.com/api-docs/futures`, *Error codes* (2026-11-21).

use serde::Deserialize;

use super::super::spot;
use crate::meaning::{Meaning, by_status};

#[derive(Deserialize)]
struct Answer {
    success: bool,
    #[serde(default)]
    code: i64,
}

/// What only an accepted answer of the probe has, which is spot's.
#[derive(Deserialize)]
struct KeyInfo {
    #[serde(rename = "accessKey")]
    _access_key: String,
}

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    match serde_json::from_slice(body) {
        Ok(Answer { success: true, .. }) if (200..=299).contains(&status) => Meaning::Accepted,
        Ok(Answer { success: false, code }) => by_code(status, code),
        Ok(_) => by_status(status),
        Err(_) => {
            let meaning = spot::meaning(status, body);
            let proves = meaning != Meaning::Accepted || serde_json::from_slice::<KeyInfo>(body).is_ok();
            if proves { meaning } else { Meaning::Unknown }
        }
    }
}

fn by_code(status: u16, code: i64) -> Meaning {
    match code {
        402 => Meaning::DeadKey,
        401 => Meaning::SuspectKey,
        406 => Meaning::AddressNotAllowed,
        510 => Meaning::RateLimited { retry_after_ms: None },
        511 | 701..=704 => Meaning::MissingPermission,
        513 => Meaning::ClockSkew,
        602 => Meaning::BadSignature,
        500 | 501 | 503 | 504 => Meaning::Unknown,
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
            (401, Meaning::SuspectKey),
            (402, Meaning::DeadKey),
            (406, Meaning::AddressNotAllowed),
            (510, Meaning::RateLimited { retry_after_ms: None }),
            (511, Meaning::MissingPermission),
            (513, Meaning::ClockSkew),
            (602, Meaning::BadSignature),
            (603, rejected("603")),
            (701, Meaning::MissingPermission),
            (704, Meaning::MissingPermission),
            (501, Meaning::Unknown),
            (2040, rejected("2040")),
        ] {
            let body = format!(r#"{{"success":false,"code":{code},"message":"x"}}"#);
            assert_eq!(meaning(200, body.as_bytes()), expected, "{code}");
        }
        assert_eq!(meaning(200, br#"{"success":true,"code":0,"data":1}"#), Meaning::Accepted);
        assert_eq!(meaning(503, br#"{"success":true,"code":0}"#), Meaning::Unknown);
    }

    #[test]
    fn the_probe_answers_as_spot_does() {
        assert_eq!(meaning(200, br#"{"accessKey":"x","permissions":""}"#), Meaning::Accepted);
        assert_eq!(meaning(200, br#"{"orderId":1}"#), Meaning::Unknown);
        assert_eq!(meaning(400, br#"{"code":10072,"msg":"x"}"#), Meaning::DeadKey);
    }
}
