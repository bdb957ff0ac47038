//! What OANDA's answers mean.
//!
//! Source: `developer.oanda.com`, *Troubleshooting errors*.

use serde::Deserialize;

use crate::meaning::{Meaning, by_status, is_json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    error_code: String,
}

/// One text for a revoked token, another environment and another's account: 401 tells no more than that.
pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    match status {
        200..=299 if is_json(body) => Meaning::Accepted,
        400 | 404 | 405 => match serde_json::from_slice::<Failure>(body) {
            Ok(Failure { error_code }) if !error_code.is_empty() => Meaning::rejected(&error_code),
            _ => by_status(status),
        },
        403 => Meaning::MissingPermission,
        _ => by_status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers() {
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        for (status, body, expected) in [
            (200, r#"{"accounts":[]}"#, Meaning::Accepted),
            (201, r#"{"orderCreateTransaction":{},"orderCancelTransaction":{}}"#, Meaning::Accepted),
            (200, r#"{"accounts":["#, Meaning::Unknown),
            (400, r#"{"errorCode":"INVALID_INSTRUMENT","errorMessage":"x"}"#, rejected("INVALID_INSTRUMENT")),
            (400, r#"{"errorMessage":"x"}"#, rejected("http-400")),
            (404, r#"{"errorCode":"NO_SUCH_ORDER"}"#, rejected("NO_SUCH_ORDER")),
            (401, r#"{"errorMessage":"Insufficient authorization to perform request."}"#, Meaning::SuspectKey),
            (403, "{}", Meaning::MissingPermission),
            (429, "", Meaning::RateLimited { retry_after_ms: None }),
            (503, "{}", Meaning::Unknown),
        ] {
            assert_eq!(meaning(status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
