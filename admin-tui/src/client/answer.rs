//! What comes back, as the console understands it. Everything is cleaned here, at the boundary.

use claviger_core::view::{ApprovalView, InFlightView, LoginView, ReadyView};
use hyper::header::{DATE, ETAG};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::line::{Reply, Trouble};
use crate::clean::{Clean, clean};
use crate::event::{Browser, Failure};
use crate::kind::{Item, Kind, Page, plan};
use crate::state::{Id, InFlight, Outcome, Planned, Readiness};

/// A problem (RFC 9457), as far as it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: String,
    detail: String,
    code: String,
    request_id: Option<String>,
}

#[derive(Deserialize)]
struct LoginAnswer {
    login: LoginView,
    bearer: String,
}

/// The beginning of a login or a proof in a browser.
#[derive(Deserialize)]
struct BrowserAnswer {
    url: String,
    user_code: String,
    device_code: String,
    expires_in: u64,
}

/// What acts say of themselves, in whatever answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    in_flight: Option<Vec<InFlightView>>,
    at_venue: Option<String>,
    invitation: Option<String>,
}

/// Who is logged in, and the bearer.
pub(super) fn login(reply: Result<Reply, Trouble>) -> Result<(Clean, Zeroizing<String>), Failure> {
    let reply = good(reply)?;
    // An error of the parser may quote what it saw, and here that may be the bearer.
    let read: LoginAnswer = serde_json::from_slice(&reply.body).map_err(|_| unreadable("not a login"))?;
    Ok((clean(&read.login.operator), Zeroizing::new(read.bearer)))
}

/// How the service is. A service that is not ready says so with 503, and that is an answer too.
pub(super) fn status(reply: Result<Reply, Trouble>) -> Result<Readiness, Failure> {
    let reply = reply.map_err(failure)?;
    let read = serde_json::from_slice::<ReadyView>(&reply.body);
    match read {
        Ok(view) if reply.status == 200 || reply.status == 503 => {
            Ok(Readiness { said_ms: date(&reply), ..Readiness::from_view(&view) })
        }
        _ => Err(refused(&reply).unwrap_or_else(|| unreadable("not a status"))),
    }
}

/// Where to go on in a browser, and by what that browser is known.
pub(super) fn browser(reply: Result<Reply, Trouble>) -> Result<(Browser, Zeroizing<String>), Failure> {
    let reply = good(reply)?;
    let begun: BrowserAnswer = serde_json::from_slice(&reply.body).map_err(|_| unreadable("not a page to go on at"))?;
    let browser = Browser { url: begun.url.into(), code: begun.user_code.into(), seconds: begun.expires_in };
    Ok((browser, Zeroizing::new(begun.device_code)))
}

/// Whether the person is still at the browser.
pub(super) fn still_waits(reply: &Result<Reply, Trouble>) -> bool {
    // What became of it is asked again when one answer is lost.
    reply.as_ref().map_or(true, |reply| reply.status == 202)
}

/// Whether a proof was taken.
pub(super) fn proof(reply: Result<Reply, Trouble>) -> Result<(), Failure> {
    good(reply).map(drop)
}

/// A page of a list, or the one thing that there is: none is an answer where there can be none.
pub(super) fn page(kind: Kind, reply: Result<Reply, Trouble>) -> Result<Page, Failure> {
    let reply = match good(reply) {
        Err(failure) if failure.is_not_found() && kind.shape().alone => return Ok(Page::default()),
        reply => reply?,
    };
    (kind.shape().read)(&reply.body).map_err(|error| Failure::Unreadable(error.to_string().into()))
}

/// One thing, which must be `id`, and its `ETag`.
pub(super) fn one(kind: Kind, id: &Id, reply: Result<Reply, Trouble>) -> Result<(Item, Option<String>), Failure> {
    let reply = good(reply)?;
    let read = kind.shape().closer.map(|closer| (closer.read)(&reply.body));
    let item = read.transpose().map_err(|error| Failure::Unreadable(error.to_string().into()))?.flatten();
    let item = item.filter(|item| item.id == *id).ok_or_else(|| unreadable("another thing than was asked for"))?;
    Ok((item, etag(&reply)))
}

/// What an act would do.
pub(super) fn planned(reply: Result<Reply, Trouble>) -> Result<Planned, Failure> {
    let reply = good(reply)?;
    let view = plan::read(&reply.body).map_err(|error| Failure::Unreadable(error.to_string().into()))?;
    let counts = view.blast_radius.iter().map(|(name, count)| format!("{count} {}", name.replace('_', " ")));
    let hangs = counts.collect::<Vec<_>>().join(", ");
    let mut lines: Vec<Clean> = view.plan.iter().map(|line| clean(line)).collect();
    lines.extend((!hangs.is_empty()).then(|| format!("On it hang {hangs}.").into()));
    let digest = Some(view.digest).filter(|digest| !digest.is_empty());
    Ok(Planned { name: view.name, lines, second: view.second_operator, digest, etag: etag(&reply) })
}

/// What an act did, and what is shown once and never again. An act that succeeded is never called a failure because its
/// answer says less than it could.
pub(super) fn act(reply: Result<Reply, Trouble>) -> Result<(Outcome, Option<Zeroizing<String>>), Failure> {
    let reply = good(reply)?;
    let waiting: Option<ApprovalView> = serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 202);
    let said: Said = serde_json::from_slice(&reply.body).unwrap_or_default();
    let shown = |open: &InFlightView| InFlight { execution: open.execution.as_deref().map(clean), at: clean(&open.at) };
    let outcome = Outcome {
        waiting: waiting.map(|view| clean(&view.id)),
        in_flight: said.in_flight.map(|open| open.iter().map(shown).collect()),
        at_venue: said.at_venue.map(Clean::from),
        request_id: request_id(&reply, None),
        ..Outcome::default()
    };
    Ok((outcome, said.invitation.map(Zeroizing::new)))
}

fn good(reply: Result<Reply, Trouble>) -> Result<Reply, Failure> {
    let reply = reply.map_err(failure)?;
    match refused(&reply) {
        Some(refusal) => Err(refusal),
        None => Ok(reply),
    }
}

fn failure(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::NotSent(why) => Failure::NotSent(why.into()),
        Trouble::NoAnswer(why) => Failure::NoAnswer(why.into()),
    }
}

fn refused(reply: &Reply) -> Option<Failure> {
    if (200..300).contains(&reply.status) {
        return None;
    }
    let problem: Problem = serde_json::from_slice(&reply.body).unwrap_or_default();
    let sentence = [&problem.detail, &problem.title].into_iter().find(|text| !text.is_empty());
    Some(Failure::Refused {
        status: reply.status,
        text: sentence.map_or("the server gives no reason", String::as_str).into(),
        request_id: request_id(reply, problem.request_id.as_deref()),
        code: problem.code.into(),
    })
}

fn etag(reply: &Reply) -> Option<String> {
    reply.headers.get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// When the server answered, by its own clock.
fn date(reply: &Reply) -> Option<u64> {
    let date = reply.headers.get(DATE)?.to_str().ok()?;
    let at = jiff::fmt::rfc2822::parse(date).ok()?;
    at.timestamp().as_millisecond().try_into().ok()
}

fn request_id(reply: &Reply, in_body: Option<&str>) -> Option<Clean> {
    let header = reply.headers.get("x-request-id").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    in_body.map(str::to_owned).or(header).map(Clean::from)
}

fn unreadable(why: &str) -> Failure {
    Failure::Unreadable(why.into())
}

#[cfg(test)]
mod tests {
    use hyper::HeaderMap;
    use hyper::body::Bytes;
    use hyper::header::HeaderValue;
    use serde_json::{Value, json};

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "as the line gives it")]
    fn reply(status: u16, body: &Value) -> Result<Reply, Trouble> {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::from_static("\"7\""));
        headers.insert("x-request-id", HeaderValue::from_static("req_h"));
        headers.insert(DATE, HeaderValue::from_static("Sun, 22 Nov 2026 12:03:03 GMT"));
        Ok(Reply { status, headers, body: Bytes::from(body.to_string()) })
    }

    fn credential(id: &str) -> Value {
        json!({
            "id": id, "tenant": "ten_1", "owner": "o", "label": "a\u{202e}b", "venue": "binance", "kind": "hmac",
            "ceiling": {"class": "read"}, "hint": "h", "state": "active", "health": "ok", "ip_restricted": false,
            "version": 1, "created_at": "", "changed_at": "", "probed_at": ""
        })
    }

    #[test]
    fn reads_a_login_and_quotes_nothing_of_a_bad_one() {
        let view = json!({"id": "login_1", "operator": "ada", "kind": "password", "address": "::1", "device": "",
            "created_at": "", "expires_at": ""});
        let (operator, bearer) = login(reply(200, &json!({"login": view, "bearer": "clv_login_abc"}))).unwrap();
        assert_eq!((operator.as_str(), bearer.as_str()), ("ada", "clv_login_abc"));
        let error = login(reply(200, &json!({"login": "clv_login_abc", "bearer": 1}))).unwrap_err();
        assert!(!format!("{error:?}").contains("clv_login_abc"));
    }

    #[test]
    fn a_service_that_is_not_ready_is_an_answer() {
        let body = json!({"ready": false, "parts": {"token": "PIN refused", "store": "ok"}, "warnings": ["w"]});
        let readiness = status(reply(503, &body)).unwrap();
        assert_eq!(
            readiness.red().map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>(),
            ["token: PIN refused"]
        );
        assert_eq!(readiness.said_ms, Some(1_795_348_983_000));
        let refusal = status(reply(401, &json!({"code": "unauthorized"}))).unwrap_err();
        assert!(refusal.is_logged_out());
        assert!(matches!(status(reply(200, &json!([]))), Err(Failure::Unreadable(_))));
    }

    #[test]
    fn reads_a_page_and_cleans_it() {
        let page_read =
            page(Kind::Credentials, reply(200, &json!({"data": [credential("cred_1")], "next_cursor": "c"}))).unwrap();
        assert_eq!(page_read.items[0].name.as_str(), "a<U+202E>b");
        assert_eq!(page_read.next.as_deref(), Some("c"));
        let bad = page(Kind::Credentials, reply(200, &json!({"data": [credential("cred_1/../..")]})));
        assert!(matches!(bad, Err(Failure::Unreadable(_))));
    }

    #[test]
    fn reads_one_with_its_etag_and_no_other() {
        let id = Id::parse("cred_1").unwrap();
        let (item, etag) = one(Kind::Credentials, &id, reply(200, &credential("cred_1"))).unwrap();
        assert_eq!((&item.id, etag.as_deref()), (&id, Some("\"7\"")));
        let other = one(Kind::Credentials, &id, reply(200, &credential("cred_2")));
        assert!(matches!(other, Err(Failure::Unreadable(_))));
    }

    #[test]
    fn reads_what_an_act_did_as_far_as_it_is_told() {
        let body = json!({
            "scope": "credential cred_1", "state": "revoked", "in_flight": [{"execution": "exec_1", "at": "t"}],
            "at_venue": "the key still exists\u{1b}"
        });
        let (outcome, once) = act(reply(200, &body)).unwrap();
        assert_eq!(once, None);
        assert_eq!(outcome.in_flight.unwrap().len(), 1);
        assert_eq!(outcome.at_venue.unwrap().as_str(), "the key still exists␛");
        assert_eq!(outcome.request_id.unwrap().as_str(), "req_h");
        assert_eq!(act(reply(200, &credential("cred_1"))).unwrap().0.in_flight, None);
        let (_, once) = act(reply(200, &json!({"invitation": "clv_invite_abc"}))).unwrap();
        assert_eq!(once.unwrap().as_str(), "clv_invite_abc");
    }

    #[test]
    fn reads_refusals_whatever_they_look_like() {
        let body =
            json!({"title": "Forbidden", "detail": "not your role\u{7}", "code": "forbidden", "request_id": "req_b"});
        let expected = Failure::Refused {
            status: 403,
            code: "forbidden".into(),
            text: "not your role\u{7}".into(),
            request_id: Some("req_b".into()),
        };
        assert_eq!(act(reply(403, &body)), Err(expected));
        let Err(Failure::Refused { status: 502, text, .. }) = act(reply(502, &json!("<html>"))) else { panic!() };
        assert_eq!(text.as_str(), "the server gives no reason");
    }

    #[test]
    fn keeps_apart_what_was_not_sent_and_what_was_not_answered() {
        assert!(matches!(act(Err(Trouble::NotSent("x".to_owned()))), Err(Failure::NotSent(_))));
        assert!(matches!(act(Err(Trouble::NoAnswer("x".to_owned()))), Err(Failure::NoAnswer(_))));
    }
}
