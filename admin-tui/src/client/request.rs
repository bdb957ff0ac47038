//! What is asked, as HTTP.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, IF_MATCH};
use hyper::{Method, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use zeroize::Zeroizing;

use super::line::Body;
use crate::action::Ask;
use crate::state::list::PAGE_ROWS;
use crate::state::{Confirmed, Deed, Id};

/// A request before it has an address and a login.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    method: Method,
    path: String,
    if_match: Option<String>,
    digest: Option<String>,
    body: Option<Zeroizing<Vec<u8>>>,
}

#[derive(Serialize)]
struct LoginBody<'a> {
    operator: &'a str,
    password: &'a str,
}

#[derive(Serialize)]
struct NoBody {}

#[derive(Serialize)]
struct ReasonBody<'a> {
    reason: &'a str,
}

impl Plan {
    /// How `ask` is asked. `password` is for a login.
    pub(super) fn of(ask: &Ask, tenant: &str, password: &str) -> Self {
        match ask {
            Ask::Login { operator } => Self::post("/api/v1/login".to_owned(), &LoginBody { operator, password }),
            Ask::Status => Self::get("/api/v1/status".to_owned()),
            Ask::Page { cursor, .. } => {
                let path = format!("{}?limit={PAGE_ROWS}", credentials(tenant));
                Self::get(cursor.as_ref().map_or(path.clone(), |cursor| format!("{path}&cursor={}", encode(cursor))))
            }
            Ask::One { id } | Ask::Plan { id } => Self::get(credential(tenant, id)),
            Ask::Act { confirmed, .. } => Self::act(confirmed, tenant),
        }
    }

    /// The end of a login.
    pub(super) fn log_out() -> Self {
        Self { method: Method::DELETE, ..Self::get("/api/v1/login".to_owned()) }
    }

    /// What unfreezing a credential would do.
    pub(super) fn dry_run(id: &Id, tenant: &str) -> Self {
        Self::post(format!("{}/unfreeze?dry_run=true", credential(tenant, id)), &NoBody {})
    }

    /// The request itself.
    pub(super) fn into_request(
        self,
        authority: &str,
        bearer: Option<HeaderValue>,
    ) -> Result<Request<Body>, hyper::http::Error> {
        let mut builder = Request::builder().method(self.method).uri(self.path).header(HOST, authority);
        builder = builder.header(ACCEPT, "application/json, application/problem+json");
        if let Some(bearer) = bearer {
            builder = builder.header(AUTHORIZATION, bearer);
        }
        if let Some(etag) = self.if_match {
            builder = builder.header(IF_MATCH, etag);
        }
        if let Some(digest) = self.digest {
            builder = builder.header("plan-digest", digest);
        }
        match self.body {
            // The bytes are wiped when the connection lets go of them.
            Some(body) => builder.header(CONTENT_TYPE, "application/json").body(Full::new(Bytes::from_owner(body))),
            None => builder.body(Full::default()),
        }
    }

    fn act(confirmed: &Confirmed, tenant: &str) -> Self {
        let verb = match confirmed.deed() {
            Deed::Freeze => "freeze",
            Deed::Revoke => "revoke",
            Deed::Unfreeze => "unfreeze",
        };
        let path = format!("{}/{verb}", credential(tenant, confirmed.id()));
        let if_match = confirmed.etag().map(str::to_owned);
        let digest = confirmed.digest().map(str::to_owned);
        Self { if_match, digest, ..Self::post(path, &ReasonBody { reason: confirmed.reason() }) }
    }

    fn get(path: String) -> Self {
        Self { method: Method::GET, path, if_match: None, digest: None, body: None }
    }

    fn post(path: String, body: &impl Serialize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_BYTES));
        // Strings always can be written as JSON; a body that could not would be refused by the server.
        drop(serde_json::to_writer(&mut *bytes, body));
        Self { method: Method::POST, body: Some(bytes), ..Self::get(path) }
    }
}

fn credentials(tenant: &str) -> String {
    format!("/api/v1/tenants/{}/credentials", encode(tenant))
}

fn credential(tenant: &str, id: &Id) -> String {
    format!("{}/{}", credentials(tenant), id.as_str())
}

/// A text as one segment of a path, or one value of a query.
fn encode(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, UNRESERVED)
}

/// All but RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Enough for the longest password with every character escaped, so that the buffer never moves.
const BODY_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Moment;
    use crate::state::dialog::DEAF_MS;
    use crate::state::{Dialog, Reading, Row};

    fn row() -> Row {
        let view = serde_json::json!({
            "id": "cred_01a", "tenant": "ten_1", "owner": "o", "label": "l", "venue": "binance", "kind": "hmac",
            "ceiling": {"class": "read"}, "hint": "h", "state": "frozen", "health": "ok", "ip_restricted": false,
            "version": 1, "created_at": "", "changed_at": "", "probed_at": ""
        });
        Row::from_view(&serde_json::from_value(view).unwrap()).unwrap()
    }

    fn confirmed(deed: Deed) -> Confirmed {
        let row = row();
        let mut dialog = Dialog::open(deed, &row);
        let reading = Reading { row: row.clone(), etag: Some("\"7\"".to_owned()), planned: None };
        dialog.read(&row.id, &Ok(Box::new(reading)));
        dialog.reason.paste("  the \"quoted\" reason ");
        dialog.submit_reason();
        dialog.drawn(Moment::default());
        dialog.confirm(Moment { steady_ms: DEAF_MS, unix_ms: 0 }, 0).unwrap()
    }

    fn check(ask: &Ask, expected: &str) {
        let plan = Plan::of(ask, "acme & co/é", "pass\"word");
        let body = plan.body.as_ref().map_or("", |body| std::str::from_utf8(body).unwrap());
        let etag = plan.if_match.as_deref().map_or(String::new(), |etag| format!(" [{etag}]"));
        assert_eq!(format!("{} {}{etag} {body}", plan.method, plan.path).trim(), expected);
    }

    #[test]
    fn asks_as_the_api_wants_it() {
        let of_tenant = "/api/v1/tenants/acme%20%26%20co%2F%C3%A9/credentials";
        check(
            &Ask::Login { operator: "ada".to_owned() },
            r#"POST /api/v1/login {"operator":"ada","password":"pass\"word"}"#,
        );
        check(&Ask::Status, "GET /api/v1/status");
        check(&Ask::Page { load: 1, cursor: None }, &format!("GET {of_tenant}?limit=50"));
        check(
            &Ask::Page { load: 1, cursor: Some("a&b=c".to_owned()) },
            &format!("GET {of_tenant}?limit=50&cursor=a%26b%3Dc"),
        );
        check(&Ask::One { id: row().id }, &format!("GET {of_tenant}/cred_01a"));
    }

    #[test]
    fn acts_as_the_api_wants_it() {
        let of_credential = "/api/v1/tenants/acme%20%26%20co%2F%C3%A9/credentials/cred_01a";
        let reason = r#"{"reason":"the \"quoted\" reason"}"#;
        let act = |deed| Ask::Act { ticket: 0, confirmed: confirmed(deed) };
        check(&act(Deed::Freeze), &format!("POST {of_credential}/freeze {reason}"));
        check(&act(Deed::Revoke), &format!("POST {of_credential}/revoke {reason}"));
        check(&act(Deed::Unfreeze), &format!("POST {of_credential}/unfreeze [\"7\"] {reason}"));
    }

    #[test]
    fn the_bearer_is_sent_and_never_printed() {
        let bearer = super::super::Bearer::new("clv_login_abc\n", false).unwrap();
        assert!(!format!("{bearer:?}").contains("clv_login_abc"));
        let request = Plan::of(&Ask::Status, "t", "").into_request("h:1", Some(bearer.header)).unwrap();
        assert_eq!(request.headers()[AUTHORIZATION], "Bearer clv_login_abc");
        assert_eq!(request.headers()[HOST], "h:1");
        assert!(!format!("{request:?}").contains("clv_login_abc"));
    }
}
