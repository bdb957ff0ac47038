//! Operators log in; logins are listed, ended and reviewed.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::UserKind;
use claviger_core::execution::Origin;
use claviger_core::id::LoginId;
use claviger_core::identity::LoginKind;
use claviger_core::secret::Plaintext;
use claviger_core::service::{NewLogin, Proven, ServiceError};
use claviger_core::view::{LoginView, PageView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::body::{JsonBody, RawJson, Reason};
use super::problem::Problem;
use crate::auth::device::{device, known};
use crate::auth::password::hashed;
use crate::auth::{CallingOperator, Who, address, request_id};
use crate::front::Front;
use crate::net::CloseConnection;

/// A name, and a password or a break-glass code. The secrets are read by [`Secrets`] alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// The operator's name.
    operator: String,
    /// The password.
    #[serde(default, rename = "password")]
    #[schema(value_type = Option<String>)]
    password: Option<serde::de::IgnoredAny>,
    /// With the password: six digits of the authenticator, or a backup code.
    #[serde(default, rename = "code")]
    #[schema(value_type = Option<String>)]
    _code: Option<serde::de::IgnoredAny>,
    /// Instead of a password: a break-glass code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    break_glass: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Secrets {
    #[serde(default)]
    password: Option<Plaintext>,
    #[serde(default)]
    code: Option<Plaintext>,
}

#[derive(Deserialize)]
struct BreakGlass {
    break_glass: Zeroizing<String>,
}

/// A login and its bearer, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedIn {
    /// The login.
    login: LoginView,
    /// `clv_login_…`, for `Authorization: Bearer`.
    bearer: String,
    /// `clv_device_…`, for `claviger-device-secret`: this device is known by it from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_secret: Option<String>,
}

/// Logs an operator in.
#[utoipa::path(post, path = "/api/v1/login", tag = "admin", request_body = LogIn,
    responses((status = 200, body = LoggedIn), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn log_in(State(front): State<Front>, parts: Parts, body: RawJson) -> Result<Response, Problem> {
    let request = request_id(&parts, &front);
    let asked: LogIn = body.read()?;
    if asked.password.is_some() == asked.break_glass.is_some() {
        let text = "send a password or a break-glass code: one of the two; nothing was done";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "body_invalid", text, request));
    }
    let name: String = asked.operator.chars().take(64).collect();
    let address = address(&parts).to_string();
    let origin = Origin { kind: UserKind::Operator, id: name.clone(), address, request, guard: None };
    let proven = prove(&front, &parts, &name, &body, &origin).await?;
    let told = |error: ServiceError| Problem::of(&error, request);
    let new = front.service.log_in(&proven, &device(&parts), &origin).await.map_err(told)?;
    if new.login.kind == LoginKind::BreakGlass {
        metrics::counter!("claviger_alarms_total", "kind" => "break-glass").increment(1);
        tracing::error!(alarm = "break-glass", operator = %new.login.name, login.id = %new.login.id,
            "a break-glass code was used: another operator reviews it");
    }
    Ok(logged_in(&new))
}

/// The answer to a login; the connection is closed after it.
pub(super) fn logged_in(new: &NewLogin) -> Response {
    let answer = LoggedIn {
        login: (&new.login).into(),
        bearer: new.bearer.reveal().to_owned(),
        device_secret: new.device.as_ref().map(|secret| secret.reveal().to_owned()),
    };
    let mut response = Json(answer).into_response();
    response.extensions_mut().insert(CloseConnection);
    response
}

/// Proof of who an operator is, by what the body holds; under the throttle.
pub(super) async fn prove(
    front: &Front,
    parts: &Parts,
    name: &str,
    body: &RawJson,
    origin: &Origin,
) -> Result<Proven, Problem> {
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let operator = front.service.operator_to_prove(name).await.map_err(told)?;
    let operator = operator.as_ref();
    let known = known(&device(parts), operator);
    let who = known.map_or(Who::Stranger(address(parts), name), Who::Known);
    let tried = front.throttle.take(who, front.service.clock().unix_ms());
    let tried = tried.map_err(|seconds| throttled(seconds, origin))?;
    let proven = if let Ok(code) = body.part::<BreakGlass>() {
        front.service.prove_by_break_glass(operator, name, &code.break_glass, origin).await
    } else {
        // An unknown name costs as much as a wrong password.
        let stored = operator.and_then(|operator| operator.factors.password.as_ref());
        let salt = stored.map_or([0; 16], |stored| stored.salt);
        let read = body.clone();
        let code = || body.part::<Secrets>().ok()?.code;
        match hashed(move || read.part::<Secrets>().ok()?.password, salt, tried.is_known()).await {
            Ok(argon2) => front.service.prove_by_password(operator, name, &argon2, code, origin).await,
            Err(error) => Err(error),
        }
    };
    match &proven {
        Ok(_) => front.throttle.succeeded(&tried),
        Err(ServiceError::Unauthenticated(_)) => {}
        // What is down is nobody's failure, and who lacks the code knew the password.
        Err(_) => front.throttle.give_back(&tried),
    }
    proven.map_err(told)
}

/// 429, with the seconds to wait.
pub(super) fn throttled(seconds: u64, origin: &Origin) -> Problem {
    let text =
        format!("too many tries failed: wait {seconds} seconds; a device that you logged in from needs not wait");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "login_throttled", text, origin.request).retry_after(seconds)
}

/// Ends the login that is used.
#[utoipa::path(delete, path = "/api/v1/login", tag = "admin", responses((status = 204)))]
pub(super) async fn log_out(State(front): State<Front>, caller: CallingOperator) -> Result<StatusCode, Problem> {
    let ended = front.service.log_out(&caller.bearer, &caller.origin).await;
    ended.map(|()| StatusCode::NO_CONTENT).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Lists all operators' logins that have not expired.
#[utoipa::path(get, path = "/api/v1/logins", tag = "admin", responses((status = 200, body = PageView<LoginView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<LoginView>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let logins = front.service.logins().await.map_err(told)?;
    super::audit::read(&front, &caller.origin, None, "login").await?;
    Ok(Json(PageView { data: logins.iter().map(LoginView::from).collect(), next_cursor: None }))
}

/// Ends any operator's login.
#[utoipa::path(delete, path = "/api/v1/logins/{id}", tag = "admin",
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn end(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = login_id(&id).map_err(told)?;
    let logins = front.service.logins().await.map_err(told)?;
    let login = logins.iter().find(|login| login.id == id).ok_or(ServiceError::NotFound("login")).map_err(told)?;
    front.service.end_login(login.operator, id, &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that an operator has reviewed what another one did with a break-glass code.
#[utoipa::path(post, path = "/api/v1/logins/{id}/review", tag = "admin", request_body = Reason,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn review(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(id): Path<String>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let (id, reason) = (login_id(&id).map_err(told)?, reason.required().map_err(told)?);
    front.service.review_login(id, &caller.principal, &reason, &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn login_id(text: &str) -> Result<LoginId, ServiceError> {
    text.parse().map_err(|_| ServiceError::NotFound("login"))
}
