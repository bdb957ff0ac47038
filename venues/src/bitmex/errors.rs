//! What `BitMEX`' answers mean.
//!
//! Source: bitmex.com, *REST API*, errors and overload.

use serde::Deserialize;
use serde_json::Value;

use crate::meaning::{Meaning, by_status};

#[derive(Deserialize)]
struct Answer {
    error: Refusal,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let refusal = serde_json::from_slice::<Answer>(body).ok().map(|answer| answer.error.message);
    match (status, refusal) {
        (200..=299, None) if serde_json::from_slice::<Value>(body).is_ok() => Meaning::Accepted,
        (_, Some(message)) => by_message(status, &message),
        (_, None) => by_status(status),
    }
}

fn by_message(status: u16, message: &str) -> Meaning {
    match (status, message) {
        (401, "Invalid API Key.") | (403, "This key is disabled.") => Meaning::DeadKey,
        (401, "Signature not valid.") => Meaning::BadSignature,
        (401, text) if text.starts_with("This request has expired") => Meaning::ClockSkew,
        (403, "Access Denied") => Meaning::MissingPermission,
        // Overload: the order was certainly not placed.
        (503, _) => Meaning::Unavailable,
        (400 | 404, message) => Meaning::rejected(message),
        _ => by_status(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers() {
        let error = |message: &str| format!(r#"{{"error":{{"message":"{message}","name":"HTTPError"}}}}"#);
        for (status, message, expected) in [
            (401, "Invalid API Key.", Meaning::DeadKey),
            (401, "Signature not valid.", Meaning::BadSignature),
            (401, "This request has expired - `expires` is in the past.", Meaning::ClockSkew),
            (401, "Unauthorized", Meaning::SuspectKey),
            (403, "This key is disabled.", Meaning::DeadKey),
            (403, "Access Denied", Meaning::MissingPermission),
            (429, "Rate limit exceeded, retry in 1 seconds.", Meaning::RateLimited { retry_after_ms: None }),
            (503, "The system is currently overloaded. Please try again later.", Meaning::Unavailable),
            (400, "Invalid orderQty", Meaning::Rejected { code: "Invalid orderQty".to_owned() }),
            (500, "Internal Server Error", Meaning::Unknown),
        ] {
            assert_eq!(meaning(status, error(message).as_bytes()), expected, "{status} {message}");
        }
        assert_eq!(meaning(200, b"[]"), Meaning::Accepted);
        assert_eq!(meaning(503, b"<html>"), Meaning::Unknown);
    }
}
