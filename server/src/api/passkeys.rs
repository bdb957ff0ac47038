//! Passkeys, as the terminal asks for them; what the browser does is in [`page`].

pub(super) mod page;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::{EntryOutcome, UserKind};
use claviger_core::execution::Origin;
use claviger_core::identity::{CallerSecret, hash_invitation};
use claviger_core::service::{NewPasskey, ServiceError};
use claviger_core::view::{PageView, PasskeyView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::body::JsonBody;
use super::login::{LoggedIn, logged_in, throttled};
use super::me::invited;
use super::problem::Problem;
use crate::auth::device::{device, known};
use crate::auth::{CallingOperator, Try, Who, address, request_id};
use crate::front::Front;
use crate::net::CloseConnection;
use crate::passkeys::{Asked, Done, Made, Polled, Purpose, Request, TooMany, UserCode, WAIT_MS};

/// Somebody who is not logged in: with a passkey that they have, or with an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// The operator's name, to log in.
    #[serde(default)]
    operator: Option<String>,
    /// `clv_invite_…`, to register the first passkey.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    invitation: Option<Zeroizing<String>>,
    /// A name for the passkey that is registered.
    #[serde(default)]
    label: String,
}

/// A name for a passkey.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Label {
    /// Of at most 64 characters.
    #[serde(default)]
    label: String,
}

/// What a terminal goes on with.
#[derive(Serialize, ToSchema)]
pub(super) struct Started {
    /// `clv_browser_…`: the terminal keeps it, and asks with it.
    device_code: String,
    /// `XXXX-XXXX`: for the browser.
    user_code: String,
    /// Where to open the browser; it holds the code.
    url: String,
    /// How long both are good, seconds.
    expires_in: u64,
}

/// What a terminal asks with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Poll {
    /// `clv_browser_…`
    #[schema(value_type = String)]
    device_code: Zeroizing<String>,
    /// Whether the passkey that was made is the operator's, who compared. One more passkey takes the login that asked.
    #[serde(default)]
    confirmed: bool,
}

/// A passkey was made in a browser, and is not registered yet: the person says whether it is theirs.
#[derive(Serialize, ToSchema)]
pub(super) struct MadeView {
    /// `XXXX-XXXX`: the page shows the same.
    check: String,
    /// Where the page is.
    address: String,
}

/// Begins a login by passkey, or the registration of the first one.
#[utoipa::path(post, path = "/api/v1/login/browser", tag = "admin", request_body = Start,
    responses((status = 200, body = Started), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn start(
    State(front): State<Front>,
    parts: Parts,
    JsonBody(start): JsonBody<Start>,
) -> Result<Response, Problem> {
    let request = request_id(&parts, &front);
    let told = |error: ServiceError| Problem::of(&error, request);
    let mut origin = Origin {
        kind: UserKind::Operator,
        id: String::new(),
        address: address(&parts).to_string(),
        request,
        guard: None,
    };
    let (purpose, name, tried) = match (start.operator, start.invitation) {
        (Some(name), None) => {
            let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            origin.id.clone_from(&name);
            let operator = front.service.operator_to_prove(&name).await.map_err(told)?;
            let known = known(&device(&parts), operator.as_ref());
            let tried = take(&front, known.map_or(Who::Stranger(address(&parts), &name), Who::Known), &origin)?;
            (Purpose::LogIn, name, tried)
        }
        (None, Some(invitation)) => {
            let (operator, tried) = invited(&front, &parts, &invitation, &origin).await?;
            (Purpose::Accept(hash_invitation(&invitation), start.label), operator.name, tried)
        }
        _ => {
            let text = "send an operator's name or an invitation: one of the two; nothing was done";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "body_invalid", text, request));
        }
    };
    open(&front, &parts, purpose, name, tried, &origin)
}

/// Begins a fresh proof by passkey.
#[utoipa::path(post, path = "/api/v1/me/proof/browser", tag = "admin",
    responses((status = 200, body = Started), (status = 429, body = Problem)))]
pub(super) async fn prove(
    State(front): State<Front>,
    caller: CallingOperator,
    parts: Parts,
) -> Result<Response, Problem> {
    let tried = take(&front, Who::Known(caller.principal.guard.0), &caller.origin)?;
    let name = caller.principal.name.clone();
    begun(&front, "login.prove.begin", &caller.origin).await?;
    open(&front, &parts, Purpose::Prove(Box::new(caller.principal)), name, tried, &caller.origin)
}

/// Begins the registration of one more passkey.
#[utoipa::path(post, path = "/api/v1/me/passkeys", tag = "admin", request_body = Label,
    responses((status = 200, body = Started), (status = 403, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn add(
    State(front): State<Front>,
    caller: CallingOperator,
    parts: Parts,
    JsonBody(Label { label }): JsonBody<Label>,
) -> Result<Response, Problem> {
    let tried = take(&front, Who::Known(caller.principal.guard.0), &caller.origin)?;
    let name = caller.principal.name.clone();
    begun(&front, "passkey.begin", &caller.origin).await?;
    open(&front, &parts, Purpose::Add(Box::new(caller.principal), label), name, tried, &caller.origin)
}

/// Records that an operator asked for a ceremony.
async fn begun(front: &Front, action: &str, origin: &Origin) -> Result<(), Problem> {
    let entry = origin.draft(action, EntryOutcome::Allowed).on("operator", origin.id.clone());
    let appended = front.service.store().append(vec![entry]).await;
    appended.map(drop).map_err(|error| Problem::of(&error.into(), origin.request))
}

/// Counts a try, which is given back when the passkey is shown.
fn take(front: &Front, who: Who<'_>, origin: &Origin) -> Result<Try, Problem> {
    front.throttle.take(who, front.service.clock().unix_ms()).map_err(|seconds| throttled(seconds, origin))
}

fn open(
    front: &Front,
    parts: &Parts,
    purpose: Purpose,
    name: String,
    tried: Try,
    origin: &Origin,
) -> Result<Response, Problem> {
    let busy = |text| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", text, origin.request);
    let codes = CallerSecret::generate("browser").ok().zip(UserCode::generate());
    let (device_code, code) =
        codes.ok_or_else(|| busy("the operating system gives no random numbers; nothing was begun"))?;
    let asked = Asked { purpose, name, address: origin.address.clone(), device: device(parts) };
    let now = front.service.clock().unix_ms();
    let request = Request::new(asked, code.clone(), device_code.reveal(), tried, now);
    let opened = front.passkeys.pending().open(request, now);
    if let Err(TooMany(tried)) = opened {
        front.throttle.give_back(&tried);
        return Err(busy("too many terminals wait for a browser: try again in a few minutes; nothing was begun"));
    }
    Ok(once(Started {
        device_code: device_code.reveal().to_owned(),
        user_code: code.to_string(),
        url: front.passkeys.url(&code),
        expires_in: WAIT_MS / 1_000,
    }))
}

fn once(answer: impl Serialize) -> Response {
    let mut response = Json(answer).into_response();
    response.extensions_mut().insert(CloseConnection);
    response
}

/// What became of it: 202 as long as no passkey was shown, then once what was asked for. A passkey that was made is
/// described (`MadeView`) until it is `confirmed`.
#[utoipa::path(post, path = "/api/v1/login/browser/poll", tag = "admin", request_body = Poll,
    responses((status = 200, body = LoggedIn), (status = 202), (status = 204), (status = 401, body = Problem),
        (status = 410, body = Problem)))]
pub(super) async fn poll(
    State(front): State<Front>,
    parts: Parts,
    JsonBody(Poll { device_code, confirmed }): JsonBody<Poll>,
) -> Result<Response, Problem> {
    let request = request_id(&parts, &front);
    let told = |error: ServiceError| Problem::of(&error, request);
    let polled = front.passkeys.pending().poll(&device_code, confirmed, front.service.clock().unix_ms());
    let (asked, done) = match polled {
        Polled::Waiting => return Ok(StatusCode::ACCEPTED.into_response()),
        Polled::Made(Made { check, address, .. }) => {
            return Ok(Json(MadeView { check: check.to_string(), address }).into_response());
        }
        Polled::Done(asked, done) => (*asked, done),
        Polled::Gone => {
            let text = "this was answered, or is older than five minutes: begin again";
            return Err(Problem::new(StatusCode::GONE, "passkey_expired", text, request));
        }
    };
    let address = address(&parts).to_string();
    let origin = Origin { kind: UserKind::Operator, id: asked.name, address, request, guard: None };
    match (done, asked.purpose) {
        (Done::Proven(proven), Purpose::Prove(principal)) => {
            let origin = Origin { guard: Some(principal.guard), ..origin };
            front.service.renew_proof(&principal, &proven, &origin).await.map_err(told)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        (Done::Proven(proven), _) => {
            front.service.log_in(&proven, &asked.device, &origin).await.map(|new| logged_in(&new)).map_err(told)
        }
        (Done::Made(made), Purpose::Add(principal, label)) => {
            let caller = CallingOperator::authenticate(&parts, &front).await?;
            if caller.principal.guard != principal.guard {
                return Err(told(ServiceError::Unauthenticated("another login asked for it; nothing was registered")));
            }
            let new = NewPasskey { label, credential: made.credential, address: made.address };
            front.service.add_passkey(&caller.principal, &new, &caller.origin).await.map_err(told)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        (Done::Made(made), Purpose::Accept(invitation, label)) => {
            let new = NewPasskey { label, credential: made.credential, address: made.address };
            front.service.accept_by_passkey(&invitation, &new, &origin).await.map_err(told)?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        (Done::Refused | Done::Made(_), _) => {
            let text = "the browser showed no passkey of yours as it must be; nothing was done";
            Err(Problem::new(StatusCode::UNAUTHORIZED, "passkey_refused", text, request))
        }
    }
}

/// The operator's own passkeys.
#[utoipa::path(get, path = "/api/v1/me/passkeys", tag = "admin",
    responses((status = 200, body = PageView<PasskeyView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<PasskeyView>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let own = front.service.own_passkeys(&caller.principal).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, None, "passkey").await?;
    Ok(Json(PageView { data: own.iter().map(PasskeyView::from).collect(), next_cursor: None }))
}

/// Removes one of the operator's own passkeys.
#[utoipa::path(delete, path = "/api/v1/me/passkeys/{id}", tag = "admin",
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn remove(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = id.parse().map_err(|_| told(ServiceError::NotFound("passkey")))?;
    front.service.remove_passkey(&caller.principal, id, &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}
