//! Operators log in, see their logins, and end them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::{EntryOutcome, UserKind};
use claviger_core::execution::Origin;
use claviger_core::identity::{LoginKind, same_hash};
use claviger_core::secret::Plaintext;
use claviger_core::service::ServiceError;
use claviger_core::view::{LoginView, PageView};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::body::RawJson;
use super::problem::Problem;
use crate::auth::password::argon2id;
use crate::auth::{CallingOperator, address, request_id};
use crate::front::Front;
use crate::net::CloseConnection;

/// Passwords that are hashed at one time.
static HASHING: Semaphore = Semaphore::const_new(4);

/// A name and a password. The password is read by [`Password`] alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    /// The operator's name.
    operator: String,
    /// The password.
    #[serde(rename = "password")]
    #[schema(value_type = String)]
    _password: serde::de::IgnoredAny,
}

#[derive(Deserialize)]
struct Password {
    password: Plaintext,
}

/// A login and its bearer, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct LoggedIn {
    /// The login.
    login: LoginView,
    /// `clv_login_…`, for `Authorization: Bearer`.
    bearer: String,
}

/// Logs an operator in.
#[utoipa::path(post, path = "/api/v1/login", tag = "admin", request_body = LogIn,
    responses((status = 200, body = LoggedIn), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn log_in(State(front): State<Front>, parts: Parts, body: RawJson) -> Result<Response, Problem> {
    let request = request_id(&parts, &front);
    let asked: LogIn = body.read()?;
    let from = address(&parts);
    if let Err(seconds) = front.throttle.take(from, front.service.clock().unix_ms()) {
        let text = format!("too many logins were tried from this address: wait {seconds} seconds");
        return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "login_throttled", text, request));
    }
    let told = |error: ServiceError| Problem::of(&error, request);
    let name: String = asked.operator.chars().take(64).collect();
    let origin = Origin { kind: UserKind::Operator, id: name.clone(), address: from.to_string(), request, guard: None };
    let operator = front.service.operator(&name).await.map_err(told)?;
    // An unknown name costs as much as a wrong password.
    let stored = operator.as_ref().and_then(|operator| operator.factors.password.clone());
    let salt = stored.as_ref().map_or([0; 16], |stored| stored.salt);
    // Each takes 64 MiB.
    let _room = HASHING.acquire().await;
    let hashed = tokio::task::spawn_blocking(move || {
        let password: Password = body.part().ok()?;
        #[expect(clippy::disallowed_methods, reason = "EXPOSE: the password is hashed, and dropped with the body")]
        password.password.expose(|password| argon2id(password, &salt))
    });
    let hashed = hashed.await.ok().flatten().unwrap_or([0; 32]);
    let peppered = front.service.keeper().pepper(hashed).await.map_err(|e| told(e.into()))?;
    let right = stored.is_some_and(|stored| same_hash(&stored.hash, &peppered));
    let known = operator.filter(|_| right);
    let Some(operator) = known else {
        let entry = origin.draft("login.create", EntryOutcome::Denied).rule("login.password");
        front.service.store().append(vec![entry]).await.map_err(|e| told(e.into()))?;
        return Err(told(ServiceError::Unauthenticated("the name or the password is not right")));
    };
    front.throttle.forgive(from);
    let new = front.service.log_in(&operator, LoginKind::Password, "", &origin).await.map_err(told)?;
    let answer = LoggedIn { login: (&new.login).into(), bearer: new.bearer.reveal().to_owned() };
    let mut response = Json(answer).into_response();
    response.extensions_mut().insert(CloseConnection);
    Ok(response)
}

/// Ends the login that is used.
#[utoipa::path(delete, path = "/api/v1/login", tag = "admin", responses((status = 204)))]
pub(super) async fn log_out(State(front): State<Front>, caller: CallingOperator) -> Result<StatusCode, Problem> {
    let ended = front.service.log_out(&caller.bearer, &caller.origin).await;
    ended.map(|()| StatusCode::NO_CONTENT).map_err(|error| Problem::of(&error, caller.origin.request))
}

/// Lists the operator's own logins that have not expired.
#[utoipa::path(get, path = "/api/v1/logins", tag = "admin", responses((status = 200, body = PageView<LoginView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<LoginView>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let mut logins = front.service.logins().await.map_err(told)?;
    logins.retain(|login| login.operator == caller.principal.operator);
    super::audit::read(&front, &caller.origin, None, "login").await?;
    Ok(Json(PageView { data: logins.iter().map(LoginView::from).collect(), next_cursor: None }))
}
