//! What an operator sees to themselves: the first factors, password, codes, logins, and the proof that acts ask for.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::{EntryOutcome, UserKind};
use claviger_core::execution::Origin;
use claviger_core::identity::Operator;
use claviger_core::secret::Plaintext;
use claviger_core::service::ServiceError;
use claviger_core::view::{LoginView, PageView};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::body::RawJson;
use super::login::{LoggedIn, logged_in, login_id, prove, throttled};
use super::problem::Problem;
use crate::auth::device::{device, known};
use crate::auth::password::{chosen, hashed};
use crate::auth::{CallingOperator, Try, Who, address, request_id};
use crate::front::Front;
use crate::net::CloseConnection;

/// The first password, by an invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstFactors {
    /// `clv_invite_…`
    #[schema(value_type = String)]
    invitation: Zeroizing<String>,
    /// The password.
    #[serde(rename = "password")]
    #[schema(value_type = String)]
    _password: IgnoredAny,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    /// The password until now.
    #[serde(rename = "old")]
    #[schema(value_type = String)]
    _old: IgnoredAny,
    /// The password from now on.
    #[serde(rename = "new")]
    #[schema(value_type = String)]
    _new: IgnoredAny,
}

/// A fresh proof.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Prove {
    /// The password.
    #[serde(rename = "password")]
    #[schema(value_type = String)]
    _password: IgnoredAny,
    /// Six digits of the authenticator, or a backup code.
    #[serde(default, rename = "code")]
    #[schema(value_type = Option<String>)]
    _code: Option<IgnoredAny>,
}

/// A one-time code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirm {
    /// Six digits.
    #[serde(rename = "code")]
    #[schema(value_type = String)]
    _code: IgnoredAny,
}

/// The secrets of the bodies above, each read on its own.
#[derive(Deserialize)]
struct Secrets {
    #[serde(default)]
    password: Option<Plaintext>,
    #[serde(default)]
    old: Option<Plaintext>,
    #[serde(default)]
    new: Option<Plaintext>,
    #[serde(default)]
    code: Option<Plaintext>,
}

/// A seed of one-time codes, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct Seed {
    /// `otpauth://totp/…`, for the authenticator.
    #[schema(value_type = String)]
    url: Zeroizing<String>,
}

/// Codes, shown once; each is good once.
#[derive(Serialize, ToSchema)]
pub(super) struct Codes {
    /// The codes.
    #[schema(value_type = Vec<String>)]
    codes: Vec<Zeroizing<String>>,
}

/// An answer that is shown once, on a connection that is closed after it.
fn once(answer: impl Serialize) -> Response {
    let mut response = Json(answer).into_response();
    response.extensions_mut().insert(CloseConnection);
    response
}

/// Sets the first password of whom an invitation is for, and logs them in.
#[utoipa::path(post, path = "/api/v1/factors", tag = "admin", request_body = FirstFactors,
    responses((status = 200, body = LoggedIn), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn first_factors(
    State(front): State<Front>,
    parts: Parts,
    body: RawJson,
) -> Result<Response, Problem> {
    let request = request_id(&parts, &front);
    let told = |error: ServiceError| Problem::of(&error, request);
    let FirstFactors { invitation, .. } = body.read()?;
    let address = address(&parts).to_string();
    let origin = Origin { kind: UserKind::Operator, id: String::new(), address, request, guard: None };
    let (operator, tried) = invited(&front, &parts, &invitation, &origin).await?;
    front.throttle.give_back(&tried);
    let read = body.clone();
    let new = chosen(move || read.part::<Secrets>().ok()?.password, operator.name).await.map_err(told)?;
    let login = front.service.accept_invitation(&invitation, &new, &device(&parts), &origin).await.map_err(told)?;
    Ok(logged_in(&login))
}

/// Whom an invitation is for; under the throttle.
pub(super) async fn invited(
    front: &Front,
    parts: &Parts,
    invitation: &str,
    origin: &Origin,
) -> Result<(Operator, Try), Problem> {
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let tried = front.throttle.take(Who::Invited(address(parts)), front.service.clock().unix_ms());
    let tried = tried.map_err(|seconds| throttled(seconds, origin))?;
    match front.service.whom_invites(invitation).await {
        Ok(operator) => Ok((operator, tried)),
        Err(error) => {
            let entry = origin.draft("operator.accept", EntryOutcome::Denied).rule("login.invitation");
            front.service.store().append(vec![entry]).await.map_err(|error| told(error.into()))?;
            Err(told(error))
        }
    }
}

/// Changes the password; every login of the operator ends, and the answer is a new one.
#[utoipa::path(put, path = "/api/v1/me/password", tag = "admin", request_body = ChangePassword,
    responses((status = 200, body = LoggedIn), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn change_password(
    State(front): State<Front>,
    caller: CallingOperator,
    parts: Parts,
    body: RawJson,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    body.read::<ChangePassword>()?;
    let name = &caller.principal.name;
    let device = device(&parts);
    let operator = front.service.operator_to_prove(name).await.map_err(told)?;
    let who = known(&device, operator.as_ref()).map_or(Who::Stranger(address(&parts), name), Who::Known);
    let tried = front.throttle.take(who, front.service.clock().unix_ms());
    let tried = tried.map_err(|seconds| throttled(seconds, &caller.origin))?;
    let stored = operator.as_ref().and_then(|operator| operator.factors.password.as_ref());
    let salt = stored.map_or([0; 16], |stored| stored.salt);
    let (old, new) = (body.clone(), body);
    let argon2 = hashed(move || old.part::<Secrets>().ok()?.old, salt, true).await;
    let changed = match (argon2, chosen(move || new.part::<Secrets>().ok()?.new, name.clone()).await) {
        (Ok(argon2), Ok(new)) => {
            front.service.change_password(&caller.principal, &argon2, &new, &device, &caller.origin).await
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    };
    match &changed {
        Ok(_) => front.throttle.succeeded(&tried),
        Err(ServiceError::Unauthenticated(_)) => {}
        Err(_) => front.throttle.give_back(&tried),
    }
    Ok(logged_in(&changed.map_err(told)?))
}

/// Proves once more who the operator of this login is: acts that ask for it go through for five minutes.
#[utoipa::path(post, path = "/api/v1/me/proof", tag = "admin", request_body = Prove,
    responses((status = 200, body = LoginView), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn prove_again(
    State(front): State<Front>,
    caller: CallingOperator,
    parts: Parts,
    body: RawJson,
) -> Result<Json<LoginView>, Problem> {
    body.read::<Prove>()?;
    let proven = prove(&front, &parts, &caller.principal.name, &body, &caller.origin).await?;
    let renewed = front.service.renew_proof(&caller.principal, &proven, &caller.origin).await;
    renewed.map(|login| Json((&login).into())).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Begins with one-time codes.
#[utoipa::path(post, path = "/api/v1/me/totp", tag = "admin",
    responses((status = 200, body = Seed), (status = 403, body = Problem)))]
pub(super) async fn begin_totp(State(front): State<Front>, caller: CallingOperator) -> Result<Response, Problem> {
    let begun = front.service.begin_totp(&caller.principal, &caller.origin).await;
    begun.map(|url| once(Seed { url })).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Takes one-time codes into use, by one of them; the answer is ten backup codes.
#[utoipa::path(post, path = "/api/v1/me/totp/confirm", tag = "admin", request_body = Confirm,
    responses((status = 200, body = Codes), (status = 400, body = Problem)))]
pub(super) async fn confirm_totp(
    State(front): State<Front>,
    caller: CallingOperator,
    body: RawJson,
) -> Result<Response, Problem> {
    body.read::<Confirm>()?;
    let code = || body.part::<Secrets>().ok()?.code;
    let confirmed = front.service.confirm_totp(&caller.principal, code, &caller.origin).await;
    confirmed.map(|codes| once(Codes { codes })).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Ends one-time codes and their backup codes.
#[utoipa::path(delete, path = "/api/v1/me/totp", tag = "admin",
    responses((status = 204), (status = 403, body = Problem)))]
pub(super) async fn remove_totp(State(front): State<Front>, caller: CallingOperator) -> Result<StatusCode, Problem> {
    let removed = front.service.remove_totp(&caller.principal, &caller.origin).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Ten new backup codes; the older ones are good no more.
#[utoipa::path(post, path = "/api/v1/me/backup-codes", tag = "admin",
    responses((status = 200, body = Codes), (status = 403, body = Problem)))]
pub(super) async fn backup_codes(State(front): State<Front>, caller: CallingOperator) -> Result<Response, Problem> {
    let made = front.service.new_backup_codes(&caller.principal, &caller.origin).await;
    made.map(|codes| once(Codes { codes })).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Five new break-glass codes; the older ones are good no more.
#[utoipa::path(post, path = "/api/v1/me/break-glass", tag = "admin",
    responses((status = 200, body = Codes), (status = 403, body = Problem)))]
pub(super) async fn break_glass(State(front): State<Front>, caller: CallingOperator) -> Result<Response, Problem> {
    let made = front.service.new_break_glass_codes(&caller.principal, &caller.origin).await;
    made.map(|codes| once(Codes { codes })).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// The operator's own logins, by device.
#[utoipa::path(get, path = "/api/v1/me/logins", tag = "admin", responses((status = 200, body = PageView<LoginView>)))]
pub(super) async fn logins(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<LoginView>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let logins = front.service.own_logins(caller.principal.operator).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, None, "login").await?;
    Ok(Json(PageView { data: logins.iter().map(LoginView::from).collect(), next_cursor: None }))
}

/// Ends one of the operator's own logins.
#[utoipa::path(delete, path = "/api/v1/me/logins/{id}", tag = "admin",
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn end_login(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = login_id(&id).map_err(told)?;
    front.service.end_login(caller.principal.operator, id, &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}
