//! Operators, as others manage them. What each does about themselves is `me`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use claviger_core::act::Act;
use claviger_core::id::OperatorId;
use claviger_core::identity::Operator;
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, ApprovedView, OperatorView, PageView, PlanView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::acts::{ActBody, How, perform};
use super::body::{Id, JsonBody, PageQuery, page};
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// An operator to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorBody {
    /// The login name.
    name: String,
    /// The name of the role.
    role: String,
    /// The tenant that they are bound to, its id or name; else all, or the caller's own.
    tenant: Option<String>,
    /// Why, in 10 to 200 characters; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// Another role for an operator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatorPatch {
    /// The name of the role.
    role: String,
    /// Why, in 10 to 200 characters; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// The operators that the caller reaches.
#[utoipa::path(get, path = "/api/v1/operators", tag = "admin",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PageView<OperatorView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    query: PageQuery,
) -> Result<Json<PageView<OperatorView>>, Problem> {
    let rows = front.service.operators(query.after, query.limit).await;
    let mut rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    rows.rows.retain(|operator| manages(&caller, operator));
    super::audit::read(&front, &caller.origin, None, "operator").await?;
    Ok(page(rows, |row: &Operator| row.into()))
}

/// Makes an operator, once a second operator has approved it. Both are shown half of the invitation.
#[utoipa::path(post, path = "/api/v1/operators", tag = "admin", request_body = OperatorBody,
    params(("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    responses((status = 200, body = PlanView), (status = 202, body = ApprovedView), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn create(
    State(front): State<Front>,
    caller: CallingOperator,
    how: How,
    JsonBody(body): JsonBody<OperatorBody>,
) -> Result<Response, Problem> {
    let tenant = match &body.tenant {
        Some(named) => Some(caller.tenant(&front, named).await?),
        None => caller.principal.tenant,
    };
    let act = Act::CreateOperator { name: body.name, role: body.role, tenant };
    perform(&front, &caller, &how, act, &ActBody { reason: body.reason, ..ActBody::default() }).await
}

/// Gives an operator another role: at once where it allows less, once a second operator has approved it where it allows
/// more.
#[utoipa::path(patch, path = "/api/v1/operators/{id}", tag = "admin", request_body = OperatorPatch,
    params(("id" = String, Path), ("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 204),
        (status = 403, body = Problem), (status = 404, body = Problem), (status = 412, body = Problem),
        (status = 428, body = Problem)))]
pub(super) async fn change(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(body): JsonBody<OperatorPatch>,
) -> Result<Response, Problem> {
    let operator = named(&front, &caller, &id).await?;
    let act = Act::ChangeRole { tenant: operator.tenant, operator: operator.id, role: body.role };
    perform(&front, &caller, &how, act, &ActBody { reason: body.reason, ..ActBody::default() }).await
}

/// Has an operator set all factors anew, once a second operator has approved it: all their logins end then. Both are
/// shown half of the invitation.
#[utoipa::path(post, path = "/api/v1/operators/{id}/reset", tag = "admin", request_body = ActBody,
    params(("id" = String, Path), ("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    responses((status = 200, body = PlanView), (status = 202, body = ApprovedView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn reset(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    let operator = named(&front, &caller, &id).await?;
    let act = Act::ResetFactors { tenant: operator.tenant, operator: operator.id };
    perform(&front, &caller, &how, act, &body).await
}

/// Removes an operator: all their logins end.
#[utoipa::path(delete, path = "/api/v1/operators/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "nobody else may do everything")))]
pub(super) async fn remove(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let operator = named(&front, &caller, &id).await?;
    let prepared = front.service.prepare_remove_operator(operator.id, &caller.origin).await.map_err(told)?;
    front.service.commit_operator(prepared).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// The operator that a path names, if the caller manages them.
async fn named(front: &Front, caller: &CallingOperator, id: &str) -> Result<Operator, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let unknown = || told(ServiceError::NotFound("operator"));
    let id: OperatorId = id.parse().map_err(|_| unknown())?;
    let found = front.service.operator_by_id(id).await.map_err(told)?;
    found.map(|(operator, _)| operator).filter(|operator| manages(caller, operator)).ok_or_else(unknown)
}

/// One who is bound to a tenant manages those who are bound to it.
fn manages(caller: &CallingOperator, operator: &Operator) -> bool {
    caller.principal.tenant.is_none() || caller.principal.tenant == operator.tenant
}
