//! The gateway's side of TopstepX: the login takes the virtual token for the API key, and hands it out as the token.

use serde::Deserialize;

use crate::inbound::{Claim, Dialect, Inbound, InboundError, Refusal, Refuse, VirtualForm, VirtualSecret, bearer};

pub(super) struct Gateway;

/// A client's login. The user's name tells nothing that the key does not.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Login<'a> {
    #[serde(rename = "userName")]
    _user_name: &'a str,
    api_key: &'a str,
}

impl Dialect for Gateway {
    fn claim<'a>(&self, inbound: &Inbound<'a>) -> Result<Claim<'a>, InboundError> {
        match (inbound.method, inbound.path) {
            ("POST", "/api/Auth/loginKey") => {
                let login: Login<'a> = serde_json::from_slice(inbound.body)
                    .map_err(|_| InboundError::Malformed("the login is no object of userName and apiKey"))?;
                Ok(Claim::Login(login.api_key))
            }
            // A virtual token has no end of its own: a renewal gives it back.
            ("POST", "/api/Auth/validate") => match bearer(inbound)? {
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

    /// Clients look at `success` where the status is 200, and take any other for a failure.
    fn refusal(&self, why: Refuse, text: &str, _now_ms: u64) -> Refusal {
        let (status, code) = match why {
            Refuse::UnknownKey | Refuse::BadSignature | Refuse::Stale => (401, 3),
            Refuse::Denied | Refuse::Replayed => (403, 2),
            Refuse::Malformed => (400, 2),
            Refuse::Limited => (429, 2),
            Refuse::Unavailable => (503, 2),
            Refuse::Unknown => (504, 2),
        };
        let body = serde_json::json!({ "success": false, "errorCode": code, "errorMessage": text });
        Refusal { status, body: body.to_string() }
    }

    fn login_answer(&self, token: &str, _expires_ms: u64) -> Option<String> {
        let body = serde_json::json!({
            "token": token, "newToken": token, "success": true, "errorCode": 0, "errorMessage": null,
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
        let login = claim("/api/Auth/loginKey", r#"{"userName":"a@b.example","apiKey":"virtual"}"#, &[]);
        assert!(matches!(login, Ok(Claim::Login("virtual"))));
        let shown = [("authorization", "Bearer virtual")];
        assert!(matches!(claim("/api/Auth/validate", "", &shown), Ok(Claim::Login("virtual"))));
        assert!(matches!(claim("/api/Order/place", "{}", &shown), Ok(Claim::Bearer("virtual"))));
        assert!(matches!(claim("/api/Status/ping", "", &[]), Ok(Claim::Nobody)));
        for body in ["", "{}", r#"{"userName":"a","apiKey":"b","apiKey":"c"}"#, r#"{"userName":"a","apiKey":7}"#] {
            assert!(claim("/api/Auth/loginKey", body, &[]).is_err(), "{body}");
        }
        assert!(claim("/api/Order/place", "{}", &[("authorization", "Basic dmlydHVhbA==")]).is_err());
    }
}
