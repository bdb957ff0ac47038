//! What Tradovate's answers mean. Failed logins and refused orders have status 200.
//!
//! Source: `partner.tradovate.com`, *Authentication* and *Time penalties*.

use serde::Deserialize;

use crate::{
    meaning::{Meaning, by_status, is_json},
    token::TokenAnswer,
};

/// How long the venue does not listen after a 429 or a captcha.
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// The members of an answer that say no.
#[derive(Default, Deserialize)]
struct No {
    #[serde(default, rename = "errorText")]
    error_text: Option<String>,
    #[serde(default, rename = "failureReason")]
    failure_reason: Option<String>,
    #[serde(default, rename = "p-ticket")]
    ticket: Option<String>,
    #[serde(default, rename = "p-time")]
    wait_s: u64,
    #[serde(default, rename = "p-captcha")]
    captcha: bool,
}

/// A login's or a renewal's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Handed<'b> {
    access_token: &'b str,
    #[serde(default)]
    expiration_time: Option<&'b str>,
}

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    match status {
        200..=299 if is_json(body) => by_body(&serde_json::from_slice(body).unwrap_or_default()),
        403 => Meaning::MissingPermission,
        429 => Meaning::RateLimited { retry_after_ms: Some(HOUR_MS) },
        _ => by_status(status),
    }
}

fn by_body(no: &No) -> Meaning {
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    if no.ticket.is_some() {
        let wait_ms = if no.captcha { HOUR_MS } else { no.wait_s.saturating_mul(1_000) };
        return Meaning::RateLimited { retry_after_ms: Some(wait_ms) };
    }
    match (said(&no.error_text), said(&no.failure_reason)) {
        (Some(text), _) if text.starts_with("Incorrect username or password") => Meaning::DeadKey,
        (Some(text), _) => Meaning::rejected(&text),
        (None, Some(reason)) if reason != "Success" => Meaning::rejected(&reason),
        (None, _) => Meaning::Accepted,
    }
}

pub(super) fn token(body: &[u8]) -> Option<TokenAnswer<'_>> {
    let Handed { access_token, expiration_time } = serde_json::from_slice(body).ok()?;
    let expires_ms = |text: &str| u64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()).ok();
    (!access_token.is_empty()).then(|| TokenAnswer {
        token: access_token,
        check: None,
        expires_ms: expiration_time.and_then(expires_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_answers() {
        let rejected = |code: &str| Meaning::Rejected { code: code.to_owned() };
        let limited = |ms| Meaning::RateLimited { retry_after_ms: Some(ms) };
        for (status, body, expected) in [
            (200, r#"{"orderId":7}"#, Meaning::Accepted),
            (200, "[]", Meaning::Accepted),
            (200, r#"[{"id":1}"#, Meaning::Unknown),
            (200, r#"{"failureReason":"Success","orderId":7}"#, Meaning::Accepted),
            (200, r#"{"failureReason":"TooLate","failureText":"x"}"#, rejected("TooLate")),
            (200, r#"{"errorText":"Incorrect username or password."}"#, Meaning::DeadKey),
            (200, r#"{"errorText":"appId is missing"}"#, rejected("appId is missing")),
            (200, r#"{"p-ticket":"t","p-time":15,"p-captcha":false}"#, limited(15_000)),
            (200, r#"{"p-ticket":"t","p-time":15,"p-captcha":true}"#, limited(HOUR_MS)),
            (401, "Access is denied", Meaning::SuspectKey),
            (403, "", Meaning::MissingPermission),
            (404, "{}", rejected("http-404")),
            (429, "", limited(HOUR_MS)),
            (503, "", Meaning::Unknown),
        ] {
            assert_eq!(meaning(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_token_and_its_end() {
        let answer = token(br#"{"accessToken":"t","mdAccessToken":"m","expirationTime":"2026-01-01T00:00:00.500Z"}"#);
        let answer = answer.unwrap();
        assert_eq!((answer.token, answer.expires_ms), ("t", Some(1_767_225_600_500)));
        assert_eq!(token(br#"{"accessToken":"t","expirationTime":"soon"}"#).unwrap().expires_ms, None);
        for body in ["", "{}", r#"{"accessToken":""}"#, r#"{"errorText":"no"}"#] {
            assert!(token(body.as_bytes()).is_none(), "{body}");
        }
    }
}
