//! Roles: what operators may do.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use claviger_core::act::Act;
use claviger_core::identity::role::{Permissions, Role};
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, PageView, PlanView, RoleView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::acts::{ActBody, How, perform};
use super::body::JsonBody;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// The `{name}` of a path.
#[derive(Debug, Deserialize)]
pub(super) struct Name {
    name: String,
}

/// All roles, the built-in ones first.
#[utoipa::path(get, path = "/api/v1/roles", tag = "admin", responses((status = 200, body = PageView<RoleView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<RoleView>>, Problem> {
    let roles = front.service.roles().await.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, None, "role").await?;
    Ok(Json(PageView { data: roles.iter().map(RoleView::from).collect(), next_cursor: None }))
}

/// One role.
#[utoipa::path(get, path = "/api/v1/roles/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 200, body = RoleView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Name { name }): Path<Name>,
) -> Result<Json<RoleView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let role = front.service.role(&name).await.map_err(told)?.ok_or(ServiceError::NotFound("role")).map_err(told)?;
    super::audit::read_one(&front, &caller.origin, None, "role", &name).await?;
    Ok(Json((&role).into()))
}

/// A role, as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleBody {
    /// What it allows: `<resource>.<action>`.
    #[schema(value_type = Vec<String>)]
    permissions: Permissions,
    /// Whether it shows only credentials and executions that need a look.
    #[serde(default)]
    flagged_only: bool,
    /// Why, in 10 to 200 characters; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// Makes or changes a role: at once where it allows less, once a second operator has approved it where it allows more.
#[utoipa::path(put, path = "/api/v1/roles/{name}", tag = "admin", request_body = RoleBody,
    params(("name" = String, Path), ("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 204),
        (status = 400, body = Problem), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn set(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Name { name }): Path<Name>,
    how: How,
    JsonBody(body): JsonBody<RoleBody>,
) -> Result<Response, Problem> {
    let RoleBody { permissions, flagged_only, reason } = body;
    let act = Act::SetRole { role: Role { name, permissions, flagged_only } };
    perform(&front, &caller, &how, act, &ActBody { reason, ..ActBody::default() }).await
}

/// Removes a role that no operator has.
#[utoipa::path(delete, path = "/api/v1/roles/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "built in, or an operator has it")))]
pub(super) async fn remove(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Name { name }): Path<Name>,
) -> Result<StatusCode, Problem> {
    let removed = front.service.remove_role(&name, &caller.origin).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|e| Problem::of(&e, caller.origin.request))
}
