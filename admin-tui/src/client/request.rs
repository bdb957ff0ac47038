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
use crate::kind::{Act, Item, Kind, Scope, Target, Typed};
use crate::state::dialog::Reply;
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
    last_id: Option<String>,
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

    /// What is told as it happens, after the event `last_id`.
    pub(super) fn events(last_id: Option<&str>) -> Self {
        Self { last_id: last_id.map(str::to_owned), ..Self::get("/api/v1/events".to_owned()) }
    }

    /// The end of a login.
    pub(super) fn log_out() -> Self {
        Self { method: Method::DELETE, ..Self::get("/api/v1/login".to_owned()) }
    }

    /// A page of a list, or the one thing that there is.
    pub(super) fn page(kind: Kind, scope: &Scope, cursor: Option<&str>, query: &str) -> Self {
        let shape = kind.shape();
        let mut path = (shape.path)(&Target { scope, id: "", item: None });
        if !shape.alone {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.extend(["limit=", &PAGE_ROWS.to_string()]);
            path.extend(cursor.map(|cursor| format!("&cursor={}", encode(cursor))));
            path.extend((!query.is_empty()).then(|| format!("&{query}")));
        }
        Self::get(path)
    }

    /// One thing by itself; nothing if things of its kind are not asked for so.
    pub(super) fn one(kind: Kind, scope: &Scope, id: &str) -> Option<Self> {
        let closer = kind.shape().closer?;
        Some(Self::get((closer.path)(&Target { scope, id, item: None })))
    }

    /// What an act would do.
    pub(super) fn dry_run(act: &Act, cause: &Cause, replies: &[Reply]) -> Self {
        let said =
            Said { scope: &cause.scope, item: cause.first(), answers: replies, reason: None, name: None, secret: "" };
        let mut plan = Self::of(act, &Target { scope: &cause.scope, id: said.id(), item: said.item }, &said.body(act));
        plan.path.push_str(if plan.path.contains('?') { "&dry_run=true" } else { "?dry_run=true" });
        plan
    }

    /// An act, to one of the things that it is about, or to the list.
    pub(super) fn act(act: &Act, confirmed: &Confirmed, item: Option<&Item>, secret: &str) -> Self {
        let said = Said {
            scope: confirmed.scope(),
            item,
            answers: confirmed.answers(),
            reason: confirmed.reason(),
            name: confirmed.name(),
            secret,
        };
        let plan = Self::of(act, &Target { scope: said.scope, id: said.id(), item }, &said.body(act));
        let (if_match, digest) = (confirmed.etag().map(str::to_owned), confirmed.digest().map(str::to_owned));
        Self { if_match, digest, ..plan }
    }

    fn of(act: &Act, target: &Target<'_>, body: &Value<'_>) -> Self {
        let method = match act.method {
            act::Method::Post => Method::POST,
            act::Method::Put => Method::PUT,
            act::Method::Patch => Method::PATCH,
            act::Method::Delete => Method::DELETE,
        };
        Self { method, ..Self::post((act.path)(target), body) }
    }

    /// The request itself.
    pub(super) fn into_request(
        self,
        authority: &str,
        bearer: Option<HeaderValue>,
    ) -> Result<Request<Body>, hyper::http::Error> {
        let mut builder = Request::builder().method(self.method).uri(self.path).header(HOST, authority);
        builder = builder.header(ACCEPT, "application/json, application/problem+json, text/event-stream");
        if let Some(bearer) = bearer {
            builder = builder.header(AUTHORIZATION, bearer);
        }
        if let Some(etag) = self.if_match {
            builder = builder.header(IF_MATCH, etag);
        }
        if let Some(digest) = self.digest {
            builder = builder.header("plan-digest", digest);
        }
        if let Some(last_id) = self.last_id {
            builder = builder.header("last-event-id", last_id);
        }
        match self.body {
            // The bytes are wiped when the connection lets go of them.
            Some(body) => builder.header(CONTENT_TYPE, "application/json").body(Full::new(Bytes::from_owner(body))),
            None => builder.body(Full::default()),
        }
    }

    fn get(path: String) -> Self {
        Self { method: Method::GET, path, if_match: None, digest: None, last_id: None, body: None }
    }

    fn post(path: String, body: &impl Serialize) -> Self {
        let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_BYTES));
        // Strings always can be written as JSON; a body that could not would be refused by the server.
        drop(serde_json::to_writer(&mut *bytes, body));
        Self { method: Method::POST, body: Some(bytes), ..Self::get(path) }
    }
}

/// What an act's body is made from.
struct Said<'a> {
    scope: &'a Scope,
    item: Option<&'a Item>,
    answers: &'a [Reply],
    reason: Option<&'a str>,
    name: Option<&'a str>,
    secret: &'a str,
}

impl<'a> Said<'a> {
    fn id(&self) -> &'a str {
        self.item.map_or("", |item| item.id.as_str())
    }

    /// What was typed, by its name there, and what always goes with the act.
    fn body(&self, act: &'a Act) -> Value<'a> {
        let fixed = act.body.iter().filter_map(|(name, typed)| Some((*name, self.fixed(*typed)?)));
        let typed = self.answers.iter().map(|reply| {
            (reply.name, if reply.number { Value::number(&reply.text) } else { Value::Text(&reply.text) })
        });
        let asked = act.questions.iter().filter(|question| question.kind == QuestionKind::Secret);
        let asked =
            asked.filter(|_| !self.secret.is_empty()).map(|question| (question.name, body::secret(self.secret)));
        let reason = self.reason.map(|reason| ("reason", Value::Text(reason)));
        let name = self.name.map(|name| ("confirm", Value::Text(name)));
        Value::nested(fixed.chain(typed).chain(asked).chain(reason).chain(name))
    }

    fn fixed(&self, typed: Typed) -> Option<Value<'a>> {
        Some(match typed {
            Typed::Text(text) => Value::Text(text),
            Typed::Flag(flag) => Value::Flag(flag),
            Typed::Id => Value::Text(self.id()),
            Typed::Name => Value::Text(self.item?.name.as_str()),
            Typed::Tenant => Value::Text(&self.scope.tenant),
            Typed::Fact(number) => Value::Text(self.item?.cells.get(number)?.text()?),
        })
    }
}

/// Enough for the longest secret with every character escaped, so that the buffer never moves.
const BODY_BYTES: usize = 40 * 1024;

#[cfg(test)]
mod tests;
