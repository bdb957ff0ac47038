//! The token's root keys: listed, rotated, watched, steered, and destroyed by act.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::act::Act;
use claviger_core::rotation::RotationState;
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, PlanView, RootPlanView, RootRotationView, RootView};
use serde::Deserialize;

use super::acts::{ActBody, How, perform};
use super::body::JsonBody;
use super::keks::{RotateBody, SteerBody, told_until};
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

#[derive(Debug, Deserialize)]
pub(super) struct Number {
    number: u32,
}

/// The token's root keys, oldest first.
#[utoipa::path(get, path = "/api/v1/roots", tag = "admin",
    responses((status = 200, body = Vec<RootView>), (status = 503, body = Problem)))]
pub(super) async fn list(State(front): State<Front>, caller: CallingOperator) -> Result<Json<Vec<RootView>>, Problem> {
    let roots = front.service.roots().await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, None, "root").await?;
    Ok(Json(roots.iter().map(RootView::from).collect()))
}

/// Makes a new root key in the token, and has every tenant get a KEK under it, one after the other.
#[utoipa::path(post, path = "/api/v1/roots/rotate", tag = "admin",
    params(("dry_run" = Option<bool>, Query)), request_body = RotateBody,
    responses((status = 200, body = RootPlanView), (status = 202, body = RootRotationView),
        (status = 400, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn rotate(
    State(front): State<Front>,
    caller: CallingOperator,
    how: How,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    if how.is_dry() {
        let plan = front.service.plan_root_rotation().await.map_err(told)?;
        super::audit::read(&front, &caller.origin, None, "root").await?;
        return Ok(Json(plan).into_response());
    }
    front.service.rotate_root(body.pace(), &body.reason, &caller.origin).await.map_err(told)?;
    Ok((StatusCode::ACCEPTED, Json(view(&front).await.map_err(told)?)).into_response())
}

/// How far the newest rotation is: once, or every second as `text/event-stream` until it waits or has ended.
#[utoipa::path(get, path = "/api/v1/roots/rotation", tag = "admin",
    responses((status = 200, body = RootRotationView, content_type = "application/json"),
        (status = 200, body = RootRotationView, content_type = "text/event-stream"), (status = 404, body = Problem),
        (status = 429, body = Problem, description = "too many streams")))]
pub(super) async fn rotation(
    State(front): State<Front>,
    caller: CallingOperator,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now = view(&front).await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    let origin = caller.origin.clone();
    let goes_on = |now: &RootRotationView| now.sum.state == RotationState::Running;
    let look = |front| async move { view(&front).await.ok() };
    let told = told_until((front.clone(), caller, &headers), None, now, goes_on, look)?;
    super::audit::read(&front, &origin, None, "root").await?;
    Ok(told)
}

/// Has the rotation wait, go on, or go on at another pace, and with it that of the tenant that it is at.
#[utoipa::path(patch, path = "/api/v1/roots/rotation", tag = "admin", request_body = SteerBody,
    responses((status = 200, body = RootRotationView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn steer(
    State(front): State<Front>,
    caller: CallingOperator,
    JsonBody(body): JsonBody<SteerBody>,
) -> Result<Json<RootRotationView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    front.service.steer_root_rotation(body.into(), &caller.origin).await.map_err(told)?;
    Ok(Json(view(&front).await.map_err(told)?))
}

/// Destroys a root key that nothing is sealed under, with its KEKs, once a second operator has approved it and its time
/// has come.
#[utoipa::path(delete, path = "/api/v1/roots/{number}", tag = "admin",
    params(("number" = u32, Path), ("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
pub(super) async fn destroy(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Number { number }): Path<Number>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    perform(&front, &caller, &how, Act::DestroyRoot { root: number }, &body).await
}

async fn view(front: &Front) -> Result<RootRotationView, ServiceError> {
    Ok(RootRotationView::from(&front.service.root_rotation().await?))
}
