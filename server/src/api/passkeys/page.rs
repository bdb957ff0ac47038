//! The page on which a browser shows a passkey, and what it asks for. No login and no device code ever gets here.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::id::{PasskeyId, RequestId};
use claviger_core::service::{Part, ServiceError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::super::body::JsonBody;
use super::super::problem::Problem;
use super::take;
use crate::auth::{Who, address, request_id};
use crate::front::Front;
use crate::passkeys::{Asked, Ceremony, Done, Finished, Made, NotFree, NotShown, Purpose, UserCode};

const HTML: &str = include_str!("../../pages/login.html");
const SCRIPT: &str = include_str!("../../pages/login.js");
const STYLE: &str = include_str!("../../pages/login.css");

/// Nothing but the page's own script and style, and requests to where it came from.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How long a page's own secret is, bytes: 128 random bits take 22.
const PAGE_SECRET: std::ops::RangeInclusive<usize> = 22..=64;

/// What a page must not do although it is this service's own.
const GUARDS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)"),
];

/// The code that the terminal shows.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Begin {
    /// `XXXX-XXXX`, in any case.
    user_code: String,
    /// A secret of the page's own, 22 to 64 characters: the first page that shows a code has it from then on.
    #[schema(value_type = String)]
    page: Zeroizing<String>,
}

/// What a terminal wants, for the person to judge, and what the browser does about it.
#[derive(Serialize, ToSchema)]
pub(in super::super) struct Begun {
    /// `login`, `proof` or `register`.
    purpose: &'static str,
    /// The operator's name, as the terminal gave it.
    operator: String,
    /// Where the terminal is.
    address: String,
    /// What the terminal calls its device; it may call it anything.
    device: String,
    /// How long the code is good, seconds.
    expires_in: u64,
    /// Options of the `WebAuthn` ceremony, in the JSON of Level 3.
    #[schema(value_type = Object)]
    options: Value,
}

/// What the authenticator answered.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Finish {
    /// `XXXX-XXXX`
    user_code: String,
    /// What the page began with.
    #[schema(value_type = String)]
    page: Zeroizing<String>,
    /// The credential, in the JSON of `WebAuthn` Level 3.
    #[schema(value_type = Object)]
    credential: Value,
}

/// A passkey was made, and is kept when the terminal says so.
#[derive(Serialize, ToSchema)]
pub(in super::super) struct Check {
    /// `XXXX-XXXX`: the terminal shows the same.
    check: String,
}

/// The page.
#[utoipa::path(get, path = "/login", tag = "page", responses((status = 200, body = String)))]
pub(in super::super) async fn html() -> Response {
    guarded("text/html; charset=utf-8", HTML)
}

/// Its script.
#[utoipa::path(get, path = "/login/page.js", tag = "page", responses((status = 200, body = String)))]
pub(in super::super) async fn script() -> Response {
    guarded("text/javascript; charset=utf-8", SCRIPT)
}

/// Its style.
#[utoipa::path(get, path = "/login/page.css", tag = "page", responses((status = 200, body = String)))]
pub(in super::super) async fn style() -> Response {
    guarded("text/css; charset=utf-8", STYLE)
}

fn guarded(content: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    for (name, value) in GUARDS {
        headers.insert(*name, HeaderValue::from_static(value));
    }
    response
}

/// Begins the ceremony that a terminal asked for.
#[utoipa::path(post, path = "/login/begin", tag = "page", request_body = Begin,
    responses((status = 200, body = Begun), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)))]
pub(in super::super) async fn begin(
    State(front): State<Front>,
    parts: Parts,
    JsonBody(Begin { user_code, page }): JsonBody<Begin>,
) -> Result<Json<Begun>, Problem> {
    let request = request_id(&parts, &front);
    let (code, (asked, expires_in)) =
        with_code(&front, &parts, &user_code, &page, |code, now| front.passkeys.pending().begin(code, &page, now))?;
    let operator = front.service.operator_to_prove(&asked.name).await.map_err(|error| Problem::of(&error, request))?;
    let (purpose, ceremony) = match (&asked.purpose, &operator) {
        (Purpose::LogIn, _) => ("login", front.passkeys.begin_authentication(&asked.name, operator.as_ref())),
        (Purpose::Prove(_), _) => ("proof", front.passkeys.begin_authentication(&asked.name, operator.as_ref())),
        (Purpose::Add(..) | Purpose::Accept(..), Some(operator)) => {
            ("register", front.passkeys.begin_registration(operator))
        }
        (Purpose::Add(..) | Purpose::Accept(..), None) => return Err(unknown(request)),
    };
    let (options, ceremony) = ceremony.map_err(|why| {
        tracing::error!(?why, operator = %asked.name, "a passkey ceremony cannot be begun");
        Problem::of(&ServiceError::Tampered, request)
    })?;
    front.passkeys.pending().begun(&code, ceremony, front.service.clock().unix_ms());
    let Asked { name, address, device, .. } = asked;
    Ok(Json(Begun { purpose, operator: name, address, device: device.label, expires_in, options }))
}

/// Takes what the authenticator answered.
#[utoipa::path(post, path = "/login/finish", tag = "page", request_body = Finish,
    responses((status = 200, body = Check), (status = 204), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 429, body = Problem)))]
pub(in super::super) async fn finish(
    State(front): State<Front>,
    parts: Parts,
    JsonBody(finish): JsonBody<Finish>,
) -> Result<Response, Problem> {
    let request = request_id(&parts, &front);
    let Finish { user_code, page, credential } = finish;
    let (code, (asked, ceremony)) =
        with_code(&front, &parts, &user_code, &page, |code, now| front.passkeys.pending().finish(code, &page, now))?;
    let origin = Origin {
        kind: UserKind::Operator,
        id: asked.name.clone(),
        address: address(&parts).to_string(),
        request,
        guard: match &asked.purpose {
            Purpose::Prove(principal) | Purpose::Add(principal, _) => Some(principal.guard),
            Purpose::LogIn | Purpose::Accept(..) => None,
        },
    };
    let done = settle(&front, &asked, ceremony, credential, &origin).await;
    let now = front.service.clock().unix_ms();
    let mut pending = front.passkeys.pending();
    match done {
        Ok(done) => {
            let answer = match &done {
                Done::Made(made) => Json(Check { check: made.check.to_string() }).into_response(),
                Done::Proven(_) | Done::Refused => StatusCode::NO_CONTENT.into_response(),
            };
            if let Some(tried) = pending.done(&code, done, now) {
                front.throttle.succeeded(tried);
            }
            Ok(answer)
        }
        Err((error, last)) => {
            if last {
                pending.done(&code, Done::Refused, now);
            } else {
                pending.failed(&code, now);
            }
            Err(Problem::of(&error, request))
        }
    }
}

/// Verifies it, and keeps that a passkey was used. An error says whether it is the last word.
async fn settle(
    front: &Front,
    asked: &Asked,
    ceremony: Ceremony,
    credential: Value,
    origin: &Origin,
) -> Result<Done, (ServiceError, bool)> {
    let again = |error| (error, false);
    let finished = match front.passkeys.finish(ceremony, credential) {
        Ok(finished) => finished,
        Err(NotShown::Cloned(id)) => return Err((cloned(front, asked, id, origin).await, true)),
        Err(why) => {
            tracing::info!(?why, "a passkey was not shown as it must be");
            let refused = front.service.refuse_passkey(&asked.name, None, origin).await;
            return Err(again(refused.unwrap_or_else(|error| error)));
        }
    };
    match (finished, &asked.purpose) {
        (Finished::Shown(shown), _) => {
            front.service.prove_by_passkey(&shown, origin).await.map(Done::Proven).map_err(again)
        }
        (Finished::Registered(credential), Purpose::Add(..) | Purpose::Accept(..)) => {
            let text = "the operating system gives no random numbers; nothing was registered".to_owned();
            let check = UserCode::generate();
            let check = check.ok_or_else(|| again(ServiceError::Unavailable { part: Part::Load, text }))?;
            Ok(Done::Made(Made { credential, check, address: origin.address.clone() }))
        }
        (Finished::Registered(_), Purpose::LogIn | Purpose::Prove(_)) => {
            Err((ServiceError::Unauthenticated("a passkey was registered where one had to be shown"), true))
        }
    }
}

async fn cloned(front: &Front, asked: &Asked, id: PasskeyId, origin: &Origin) -> ServiceError {
    metrics::counter!("claviger_alarms_total", "kind" => "passkey-cloned").increment(1);
    tracing::error!(alarm = "passkey-cloned", operator = %asked.name, passkey.id = %id,
        "a passkey's counter went back: there is a copy of it; remove it");
    front.service.refuse_passkey(&asked.name, Some(id), origin).await.unwrap_or_else(|error| error)
}

/// What waits with a code. Guessing codes is under the throttle.
fn with_code<T>(
    front: &Front,
    parts: &Parts,
    text: &str,
    page: &str,
    find: impl FnOnce(&UserCode, u64) -> Result<T, NotFree>,
) -> Result<(UserCode, T), Problem> {
    let request = request_id(parts, front);
    let from = address(parts);
    let origin =
        Origin { kind: UserKind::Operator, id: String::new(), address: from.to_string(), request, guard: None };
    let tried = take(front, Who::Code(from), &origin)?;
    let code: UserCode = text.parse().map_err(|_| unknown(request))?;
    if !PAGE_SECRET.contains(&page.len()) {
        let text = "the page's own secret has 22 to 64 characters; nothing was begun";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "body_invalid", text, request));
    }
    let found = find(&code, front.service.clock().unix_ms()).map_err(|why| match why {
        NotFree::Unknown => unknown(request),
        NotFree::Taken => taken(request),
    })?;
    front.throttle.give_back(&tried);
    Ok((code, found))
}

fn taken(request: RequestId) -> Problem {
    let text = "another page goes on with this code: if you did not open it yourself, somebody else has the code; \
        end the command at the terminal, and begin there again";
    Problem::new(StatusCode::CONFLICT, "code_taken", text, request)
}

fn unknown(request: RequestId) -> Problem {
    let text = "no terminal waits with this code: it is mistyped, was used, or is older than five minutes; \
        look at the terminal, or begin there again";
    Problem::new(StatusCode::NOT_FOUND, "code_unknown", text, request)
}
