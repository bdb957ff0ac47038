//! What TopstepX's answers mean. Nearly all of them have status 200; the member `success` tells.
//!
//! Source: `gateway.docs.projectx.com`, *Authenticate* and the reference of each call.

use serde::Deserialize;

use crate::{
    meaning::{Meaning, by_status},
    token::TokenAnswer,
};

/// The frame of every answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    success: bool,
    #[serde(default)]
    error_code: i64,
}

/// A login's or a renewal's answer; only these name a token, also when there is none.
#[derive(Deserialize)]
struct Handed<'b> {
    #[serde(default, borrow)]
    token: Option<&'b str>,
    #[serde(default, borrow, rename = "newToken")]
    new_token: Option<&'b str>,
}

/// The venue's number for a fault of its own.
const UNKNOWN_ERROR: i64 = 8;

pub(super) fn meaning(status: u16, body: &[u8]) -> Meaning {
    if !(200..=299).contains(&status) {
        return by_status(status);
    }
    match serde_json::from_slice::<Answer>(body) {
        Ok(Answer { success: true, .. }) => Meaning::Accepted,
        Ok(Answer { error_code, .. }) if is_of_login(body) => {
            if error_code == UNKNOWN_ERROR {
                Meaning::Unknown
            } else {
                Meaning::DeadKey
            }
        }
        Ok(Answer { error_code, .. }) => Meaning::rejected(&error_code.to_string()),
        Err(_) if body.trim_ascii() == b"pong" || body.trim_ascii() == br#""pong""# => Meaning::Accepted,
        Err(_) => Meaning::Unknown,
    }
}

fn is_of_login(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body)
        .is_ok_and(|members| members.contains_key("token") || members.contains_key("newToken"))
}

pub(super) fn token(body: &[u8]) -> Option<TokenAnswer<'_>> {
    let Handed { token, new_token } = serde_json::from_slice(body).ok()?;
    let token = token.or(new_token).filter(|token| !token.is_empty())?;
    Some(TokenAnswer { token, check: None, expires_ms: expiry_ms(token) })
}

/// When a token says that it ends. It is a JWT, whose signature is the venue's business.
fn expiry_ms(token: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: u64,
    }
    let claims = token.split('.').nth(1)?;
    let claims = data_encoding::BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let Claims { exp } = serde_json::from_slice(&claims).ok()?;
    exp.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::*;

    #[test]
    fn documented_answers() {
        for (status, body, expected) in [
            (200, r#"{"orderId":9,"success":true,"errorCode":0,"errorMessage":null}"#, Meaning::Accepted),
            (200, r#""pong""#, Meaning::Accepted),
            (200, "pong", Meaning::Accepted),
            (200, r#"{"orderId":null,"success":false,"errorCode":2}"#, Meaning::Rejected { code: "2".to_owned() }),
            (200, r#"{"token":null,"success":false,"errorCode":3}"#, Meaning::DeadKey),
            (200, r#"{"token":null,"success":false,"errorCode":8}"#, Meaning::Unknown),
            (200, r#"{"success":tr"#, Meaning::Unknown),
            (401, "", Meaning::SuspectKey),
            (429, "", Meaning::RateLimited { retry_after_ms: None }),
            (503, "", Meaning::Unknown),
        ] {
            assert_eq!(meaning(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_token_tells_its_end() {
        let jwt = format!("e30.{}.x", BASE64URL_NOPAD.encode(br#"{"exp":1767225600}"#));
        let body = format!(r#"{{"token":"{jwt}","success":true}}"#);
        let answer = token(body.as_bytes()).unwrap();
        assert_eq!((answer.token, answer.expires_ms), (jwt.as_str(), Some(1_767_225_600_000)));
        let renewed = token(br#"{"newToken":"opaque","success":true}"#).unwrap();
        assert_eq!((renewed.token, renewed.expires_ms), ("opaque", None));
        for body in ["", "{}", r#"{"token":null}"#, r#"{"token":""}"#, r#"{"token":7}"#] {
            assert!(token(body.as_bytes()).is_none(), "{body}");
        }
    }
}
