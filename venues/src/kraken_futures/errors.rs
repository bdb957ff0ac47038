//! What Kraken Futures' answers mean. Most have status 200; `result` and `error` tell, and for a single order the status
//! inside.
//!
//! Source: `docs.kraken.com`, *Futures REST*, error codes and the answers of the order calls.

use serde::Deserialize;

use crate::meaning::{Meaning, by_status};

#[derive(Deserialize)]
struct Answer {
    result: Option<String>,
    error: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
    #[serde(rename = "sendStatus")]
    sent: Option<Outcome>,
    #[serde(rename = "editStatus")]
    edited: Option<Outcome>,
    #[serde(rename = "cancelStatus")]
    cancelled: Option<Outcome>,
}

#[derive(Deserialize)]
struct Fault {
    message: String,
}

#[derive(Deserialize)]
struct Outcome {
    status: Option<String>,
}

const SENT: &[&str] = &["placed", "partiallyFilled", "filled", "cancelled"];
const EDITED: &[&str] = &["edited", "partiallyFilled", "filled"];
const CANCELLED: &[&str] = &["cancelled", "noOrdersToCancel"];

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return by_status(status);
    };
    if let Some(error) = answer.error.as_deref().or(answer.errors.first().map(|fault| fault.message.as_str())) {
        return by_word(error);
    }
    if answer.result.as_deref() == Some("error") || !(200..=299).contains(&status) {
        return by_status(status);
    }
    let outcomes = [(answer.sent, SENT), (answer.edited, EDITED), (answer.cancelled, CANCELLED)];
    let refused = outcomes.into_iter().find_map(|(outcome, good)| {
        outcome.and_then(|outcome| outcome.status).filter(|status| !good.contains(&status.as_str()))
    });
    refused.map_or(Meaning::Accepted, |status| Meaning::rejected(&status))
}

fn by_word(error: &str) -> Meaning {
    match error {
        // Key, signature, permission or address: the word does not tell which.
        "authenticationError" => Meaning::SuspectKey,
        "nonceBelowThreshold" | "nonceDuplicate" => Meaning::BadNonce,
        "apiLimitExceeded" => Meaning::RateLimited { retry_after_ms: None },
        "unavailable" | "Unavailable" | "Server Error" | "unknownError" => Meaning::Unknown,
        other => Meaning::rejected(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers() {
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        let limited = Meaning::RateLimited { retry_after_ms: None };
        for (status, body, expected) in [
            (200, r#"{"result":"success","accounts":{}}"#, Meaning::Accepted),
            (200, r#"{"result":"success","sendStatus":{"status":"placed"}}"#, Meaning::Accepted),
            (
                200,
                r#"{"result":"success","sendStatus":{"status":"insufficientAvailableFunds"}}"#,
                rejected("insufficientAvailableFunds"),
            ),
            (200, r#"{"result":"success","cancelStatus":{"status":"cancelled"}}"#, Meaning::Accepted),
            (200, r#"{"result":"success","cancelStatus":{"status":"notFound"}}"#, rejected("notFound")),
            (
                200,
                r#"{"result":"success","editStatus":{"status":"orderForEditNotFound"}}"#,
                rejected("orderForEditNotFound"),
            ),
            (200, r#"{"permissions":{"general":"READ_ONLY"}}"#, Meaning::Accepted),
            (200, r#"{"result":"error","error":"authenticationError"}"#, Meaning::SuspectKey),
            (401, r#"{"result":"error","error":"authenticationError"}"#, Meaning::SuspectKey),
            (200, r#"{"result":"error","error":"nonceBelowThreshold"}"#, Meaning::BadNonce),
            (200, r#"{"result":"error","error":"nonceDuplicate"}"#, Meaning::BadNonce),
            (429, r#"{"result":"error","error":"apiLimitExceeded"}"#, limited.clone()),
            (429, "", limited),
            (200, r#"{"result":"error","error":"contractNotFound"}"#, rejected("contractNotFound")),
            (500, r#"{"errors":[{"code":92,"message":"INSUFFICIENT_MARGIN"}]}"#, rejected("INSUFFICIENT_MARGIN")),
            (503, r#"{"result":"error","error":"Unavailable"}"#, Meaning::Unknown),
            (200, r#"{"result":"error"}"#, Meaning::Unknown),
            (500, "{}", Meaning::Unknown),
        ] {
            assert_eq!(meaning(status, body.as_bytes()), expected, "{status} {body}");
        }
    }
}
