//! What Binance's answers mean.
//!
//! Source: `errors.md`; USD-M futures documentation, *General Info*, HTTP return codes.

use serde::Deserialize;
use serde_json::Value;

use crate::meaning::{Meaning, by_status};

/// The body of every error.
#[derive(Deserialize)]
struct Refusal {
    code: i64,
    #[serde(default)]
    msg: String,
}

/// The one message of status 503 that Binance documents as a certain failure.
const SERVICE_UNAVAILABLE: &str = "Service Unavailable.";

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let refusal = serde_json::from_slice::<Refusal>(body).ok().filter(|refusal| refusal.code < 0);
    match (status, refusal) {
        (200..=299, None) if serde_json::from_slice::<Value>(body).is_ok() => Meaning::Accepted,
        // Limits hold whatever the code says: the request was counted, not executed.
        (418 | 429, _) | (_, None) => by_status(status),
        (_, Some(refusal)) => by_code(status, &refusal),
    }
}

fn by_code(status: u16, refusal: &Refusal) -> Meaning {
    match refusal.code {
        -1002 => Meaning::MissingPermission,
        -1003 | -1015 => Meaning::RateLimited { retry_after_ms: None },
        // Throttled before the matching engine, or shutting down.
        -1008 | -1016 => Meaning::Unavailable,
        -1000 | -1001 | -1006 | -1007 => Meaning::Unknown,
        -1021 => Meaning::ClockSkew,
        -1022 => Meaning::BadSignature,
        -2008 => Meaning::DeadKey,
        // Malformed key; and the deliberately ambiguous "key, address or permission".
        -2014 | -2015 => Meaning::SuspectKey,
        _ if status == 503 && refusal.msg == SERVICE_UNAVAILABLE => Meaning::Unavailable,
        _ if status >= 500 => Meaning::Unknown,
        code => Meaning::rejected(&code.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITED: Meaning = Meaning::RateLimited { retry_after_ms: None };

    fn check(cases: &[(u16, &str, Meaning)]) {
        for (status, body, expected) in cases {
            assert_eq!(meaning(*status, body.as_bytes()), *expected, "{status} {body}");
        }
    }

    #[test]
    fn documented_codes() {
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        check(&[
            (200, r#"{"orderId":28}"#, Meaning::Accepted),
            (200, "[]", Meaning::Accepted),
            (400, r#"{"code":-1021,"msg":"Timestamp"}"#, Meaning::ClockSkew),
            (400, r#"{"code":-1022,"msg":"Signature"}"#, Meaning::BadSignature),
            (401, r#"{"code":-1002,"msg":"You are not authorized"}"#, Meaning::MissingPermission),
            (401, r#"{"code":-2008,"msg":"Invalid Api-Key ID."}"#, Meaning::DeadKey),
            (401, r#"{"code":-2014,"msg":"API-key format invalid."}"#, Meaning::SuspectKey),
            (401, r#"{"code":-2015,"msg":"Invalid API-key, IP, or permissions"}"#, Meaning::SuspectKey),
            (400, r#"{"code":-1121,"msg":"Invalid symbol."}"#, rejected("-1121")),
            (400, r#"{"code":-2010,"msg":"Account has insufficient balance"}"#, rejected("-2010")),
            (400, r#"{"code":-1015}"#, LIMITED),
            (429, r#"{"code":-1003,"msg":"Too much request weight used"}"#, LIMITED),
            (418, "", LIMITED),
        ]);
    }

    #[test]
    fn failures_are_certain_only_where_binance_says_so() {
        check(&[
            (503, r#"{"code":-1,"msg":"Service Unavailable."}"#, Meaning::Unavailable),
            (503, r#"{"code":-1008,"msg":"Server is currently overloaded"}"#, Meaning::Unavailable),
            (
                503,
                r#"{"code":-1,"msg":"Unknown error, please check your request or try again later."}"#,
                Meaning::Unknown,
            ),
            (503, "Service Unavailable.", Meaning::Unknown),
            (500, r#"{"code":-1001,"msg":"Internal error"}"#, Meaning::Unknown),
            (400, r#"{"code":-1007,"msg":"Timeout"}"#, Meaning::Unknown),
            (400, r#"{"code":-1006,"msg":"Unexpected"}"#, Meaning::Unknown),
            (504, "<html>", Meaning::Unknown),
            (302, "", Meaning::Unknown),
        ]);
    }

    #[test]
    fn a_body_without_a_code_is_judged_by_its_status() {
        check(&[
            (403, "<html>WAF</html>", Meaning::SuspectKey),
            (401, "", Meaning::SuspectKey),
            (404, "{}", Meaning::Rejected { code: "http-404".to_owned() }),
            (200, r#"{"code":-2015,"msg":""}"#, Meaning::SuspectKey),
            (200, r#"{"code":200,"msg":"success"}"#, Meaning::Accepted),
        ]);
    }
}
