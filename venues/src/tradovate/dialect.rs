//! The gateway's side of Tradovate: the login takes the virtual token for the password, and hands it out as the token.

use serde::Deserialize;

use crate::inbound::{Claim, Dialect, Inbound, InboundError, Refusal, Refuse, VirtualForm, VirtualSecret, bearer};

pub(super) struct Gateway;

/// A client's login. What else it has tells nothing that the password does not.
#[derive(Deserialize)]
struct Login<'a> {
    password: &'a str,
}

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        match (inbound.method, inbound.path) {
            ("POST", "/v1/auth/accesstokenrequest") => {
                let login: Login<'a> = serde_json::from_slice(inbound.body)
                    .map_err(|_| InboundError::Malformed("the login is no object with a password"))?;
                Ok(Claim::Login(login.password))
            }
            // A virtual token has no end of its own: a renewal gives it back.
            ("GET" | "POST", "/v1/auth/renewaccesstoken") => match bearer(inbound)? {
                Claim::Bearer(token) => Ok(Claim::Login(token)),
                other @ (Claim::Nobody | Claim::Signed(_) | Claim::Login(_)) => Ok(other),
            },
            _ => bearer(inbound),
        }
    }

    fn dropped(&self) -> &'static [&'static str] {
        &[]
    }

    fn virtual_form(&self) -> VirtualForm {
        VirtualForm::new(20, VirtualSecret::Bearer)
    }

    /// A denied order is an order that failed; clients show `failureText`.
    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let status = match why {
            Refuse::UnknownKey | Refuse::BadSignature | Refuse::Stale => 401,
            Refuse::Denied | Refuse::Replayed => 403,
            Refuse::Malformed => 400,
            Refuse::Limited => 429,
            Refuse::Unavailable => 503,
            Refuse::Unknown => 504,
        };
        let body = serde_json::json!({ "errorText": text, "failureReason": "UnknownReason", "failureText": text });
        Refusal { status, body: body.to_string() }
    }

    fn login_answer(&self, token: &str, expires_ms: u64) -> Option<String> {
        let expires = jiff::Timestamp::from_millisecond(i64::try_from(expires_ms).ok()?).ok()?;
        let body = serde_json::json!({
            "accessToken": token, "mdAccessToken": "", "expirationTime": expires.to_string(), "userStatus": "Active",
        });
        Some(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim<'a>(path: &'a str, body: &'a str, headers: &'a [(&'a str, &'a str)]) -> Result<Claim<'a>, InboundError> {
        Gateway.claim(&Inbound { method: "POST", path, query: "", headers, body: body.as_bytes() })
    }

    #[test]
    fn who_logs_in_shows_the_virtual_token() {
        let body = r#"{"name":"user1","password":"virtual","appId":"a","cid":8}"#;
        assert!(matches!(claim("/v1/auth/accesstokenrequest", body, &[]), Ok(Claim::Login("virtual"))));
        let shown = [("authorization", "Bearer virtual")];
        assert!(matches!(claim("/v1/auth/renewaccesstoken", "", &shown), Ok(Claim::Login("virtual"))));
        assert!(matches!(claim("/v1/auth/me", "", &shown), Ok(Claim::Bearer("virtual"))));
        assert!(matches!(claim("/v1/auth/me", "", &[]), Ok(Claim::Nobody)));
        for body in ["", "{}", r#"{"password":"a","password":"b"}"#, r#"{"password":1}"#] {
            assert!(claim("/v1/auth/accesstokenrequest", body, &[]).is_err(), "{body}");
        }
        let answer = Gateway.login_answer("virtual", 1_767_225_600_500).unwrap();
        assert_eq!(super::super::errors::token(answer.as_bytes()).unwrap().expires_ms, Some(1_767_225_600_500));
    }
}
