//! What Interactive Brokers' answers mean.
//!
//! Source: IBKR's *Web API documentation*, *Status and error codes*.

use serde::Deserialize;

use crate::{
    meaning::{Meaning, by_status, is_json},
    token::TokenAnswer,
};

#[derive(Default, Deserialize)]
struct Failure {
    #[serde(default)]
    error: Option<String>,
}

/// What the venue answers with to the login: its half, the proof that it has the same token, and when that ends.
#[derive(Deserialize)]
struct Handed<'b> {
    diffie_hellman_response: &'b str,
    live_session_token_signature: &'b str,
    live_session_token_expiration: u64,
}

/// There is no brokerage session, or not any more: a new login opens one.
const NO_SESSION: &[&str] = &["no bridge", "Please query /accounts first", "not authenticated"];

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    let said = || serde_json::from_slice::<Failure>(body).unwrap_or_default().error.filter(|text| !text.is_empty());
    match status {
        200..=299 if !is_json(body) => Meaning::Unknown,
        200..=299 => said().map_or(Meaning::Accepted, |text| Meaning::rejected(&text)),
        400 => match said() {
            Some(text) if NO_SESSION.contains(&text.as_str()) => Meaning::SuspectKey,
            Some(text) => Meaning::rejected(&text),
            None => by_status(status),
        },
        // The session lives on another machine of theirs; nothing was done here.
        410 => Meaning::Unavailable,
        403 => Meaning::MissingPermission,
        _ => by_status(status),
    }
}

pub(super) fn token(body: &[u8]) -> Option<TokenAnswer<'_>> {
    let handed: Handed<'_> = serde_json::from_slice(body).ok()?;
    Some(TokenAnswer {
        token: handed.diffie_hellman_response,
        check: Some(handed.live_session_token_signature),
        expires_ms: Some(handed.live_session_token_expiration),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers() {
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        for (status, body, expected) in [
            (200, r#"{"accounts":["U1"]}"#, Meaning::Accepted),
            (200, r#"[{"id":"q","message":["Sure?"]}]"#, Meaning::Accepted),
            (200, r#"{"error":"Order rejected"}"#, rejected("Order rejected")),
            (200, r#"[{"order_id""#, Meaning::Unknown),
            (400, r#"{"error":"no bridge"}"#, Meaning::SuspectKey),
            (400, r#"{"error":"No such contract"}"#, rejected("No such contract")),
            (401, r#"{"error":"invalid signature","statusCode":401}"#, Meaning::SuspectKey),
            (403, "{}", Meaning::MissingPermission),
            (410, "", Meaning::Unavailable),
            (429, "", Meaning::RateLimited { retry_after_ms: None }),
            (500, "{}", Meaning::Unknown),
        ] {
            assert_eq!(meaning(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn the_venues_half() {
        let answer = token(
            br#"{"diffie_hellman_response":"1f","live_session_token_signature":"ab","live_session_token_expiration":9}"#,
        );
        let answer = answer.unwrap();
        assert_eq!((answer.token, answer.check, answer.expires_ms), ("1f", Some("ab"), Some(9)));
        assert!(token(b"{}").is_none());
    }
}
