//! What is asked, as HTTP.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, IF_MATCH};
use hyper::{Method, Request};
use serde::Serialize;
use zeroize::Zeroizing;

use self::body::Value;
use super::Typed as Secrets;
use super::line::Body;
use crate::action::Purpose;
use crate::kind::act::{self, QuestionKind, encode};
use crate::kind::{Act, Kind, Scope, Target, Typed};
use crate::state::list::PAGE_ROWS;
use crate::state::{Cause, Confirmed};

mod body;

/// A request before it has an address and a login. What is secret in it is wiped with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    method: Method,
    path: String,
    if_match: Option<String>,
    digest: Option<String>,
    body: Option<Zeroizing<Vec<u8>>>,
}

impl Plan {
    /// A login.
    pub(super) fn login(operator: &str, typed: &Secrets) -> Self {
        let mut fields = vec![("operator", Value::Text(operator)), ("password", Value::Text(&typed.password))];
        fields.extend((!typed.code.is_empty()).then(|| ("code", Value::Text(typed.code.trim()))));
        Self::post("/api/v1/login".to_owned(), &Value::Object(fields))
    }

    /// A fresh proof.
    pub(super) fn proof(typed: &Secrets) -> Self {
        let mut fields = vec![("password", Value::Text(&typed.password))];
        fields.extend((!typed.code.is_empty()).then(|| ("code", Value::Text(typed.code.trim()))));
        Self::post("/api/v1/me/proof".to_owned(), &Value::Object(fields))
    }

    /// The beginning of a login or a proof in a browser.
    pub(super) fn browser(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Login { operator } => Self::post(
                "/api/v1/login/browser".to_owned(),
                &Value::Object(vec![("operator", Value::Text(operator))]),
            ),
            Purpose::Proof { .. } => Self::post("/api/v1/me/proof/browser".to_owned(), &Value::Object(Vec::new())),
        }
    }

    /// What became of it.
    pub(super) fn browser_poll(device_code: &str) -> Self {
        let fields = vec![("confirmed", Value::Flag(false)), ("device_code", Value::Text(device_code))];
        Self::post("/api/v1/login/browser/poll".to_owned(), &Value::Object(fields))
    }

    /// How the service is.
    pub(super) fn status() -> Self {
        Self::get("/api/v1/status".to_owned())
    }

    /// The end of a login.
    pub(super) fn log_out() -> Self {
        Self { method: Method::DELETE, ..Self::get("/api/v1/login".to_owned()) }
    }

    /// A page of a list, or the one thing that there is.
    pub(super) fn page(kind: Kind, scope: &Scope, cursor: Option<&str>, query: &str) -> Self {
        let shape = kind.shape();
        let mut path = (shape.path)(&Target { scope, id: "" });
        if !shape.alone && shape.pages {
            path.push_str(&format!("{}limit={PAGE_ROWS}", if path.contains('?') { '&' } else { '?' }));
            path.extend(cursor.map(|cursor| format!("&cursor={}", encode(cursor))));
            path.extend((!query.is_empty()).then(|| format!("&q={}", encode(query))));
        }
        Self::get(path)
    }

    /// One thing by itself; nothing if things of its kind are not asked for so.
    pub(super) fn one(kind: Kind, scope: &Scope, id: &str) -> Option<Self> {
        let closer = kind.shape().closer?;
        Some(Self::get((closer.path)(&Target { scope, id })))
    }

    /// What an act would do.
    pub(super) fn dry_run(act: &Act, cause: &Cause, answers: &[(&'static str, String)]) -> Self {
        let target = cause.first().map(|item| (item.id.as_str(), item.name.as_str()));
        let fields = fields(act, target, answers, None, None, "");
        let mut plan = Self::of(act, &cause.scope, target.map_or("", |(id, _)| id), &Value::Object(fields));
        plan.path.push_str(if plan.path.contains('?') { "&dry_run=true" } else { "?dry_run=true" });
        plan
    }

    /// An act, to one of the things that it is about, or to the list.
    pub(super) fn act(act: &Act, confirmed: &Confirmed, target: Option<(&str, &str)>, secret: &str) -> Self {
        let fields = fields(act, target, confirmed.answers(), confirmed.reason(), confirmed.name(), secret);
        let plan = Self::of(act, confirmed.scope(), target.map_or("", |(id, _)| id), &Value::Object(fields));
        let (if_match, digest) = (confirmed.etag().map(str::to_owned), confirmed.digest().map(str::to_owned));
        Self { if_match, digest, ..plan }
    }

    fn of(act: &Act, scope: &Scope, id: &str, body: &Value<'_>) -> Self {
        let method = match act.method {
            act::Method::Post => Method::POST,
            act::Method::Put => Method::PUT,
            act::Method::Patch => Method::PATCH,
            act::Method::Delete => Method::DELETE,
        };
        Self { method, ..Self::post((act.path)(&Target { scope, id }), body) }
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

/// What goes into an act's body: what was typed, by its name there, and what always does.
fn fields<'a>(
    act: &'a Act,
    target: Option<(&'a str, &'a str)>,
    answers: &'a [(&'static str, String)],
    reason: Option<&'a str>,
    name: Option<&'a str>,
    secret: &'a str,
) -> Vec<(&'a str, Value<'a>)> {
    let (id, own) = target.unwrap_or_default();
    let fixed = act.body.iter().map(|(name, typed)| {
        let value = match typed {
            Typed::Text(text) => Value::Text(text),
            Typed::Flag(flag) => Value::Flag(*flag),
            Typed::Id => Value::Text(id),
            Typed::Name => Value::Text(own),
        };
        (*name, value)
    });
    let typed = answers.iter().map(|(name, text)| (*name, Value::Text(text)));
    let asked = act.questions.iter().filter(|question| question.kind == QuestionKind::Secret && !secret.is_empty());
    let asked = asked.map(|question| (question.name, body::secret(secret)));
    let reason = reason.map(|reason| ("reason", Value::Text(reason)));
    let name = name.map(|name| ("confirm", Value::Text(name)));
    fixed.chain(typed).chain(asked).chain(reason).chain(name).collect()
}

/// Enough for the longest secret with every character escaped, so that the buffer never moves.
const BODY_BYTES: usize = 40 * 1024;
