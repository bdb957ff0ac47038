//! Acts that wait for a second operator or for their time.

use axum::Json;
use axum::extract::{Path, State};
use claviger_core::act::Approval;
use claviger_core::id::ApprovalId;
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, ApprovedView, PageView};

use super::body::{Id, JsonBody, OrderedQuery, Reason, page};
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

fn named(caller: &CallingOperator, id: &str) -> Result<ApprovalId, Problem> {
    id.parse().map_err(|_| Problem::of(&ServiceError::NotFound("approval"), caller.origin.request))
}

/// Acts that were asked for.
#[utoipa::path(get, path = "/api/v1/approvals", tag = "admin",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query),
        ("order" = Option<String>, Query, description = "`oldest`, the default, or `newest`: which comes first.")),
    responses((status = 200, body = PageView<ApprovalView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    OrderedQuery { page: asked, order }: OrderedQuery,
) -> Result<Json<PageView<ApprovalView>>, Problem> {
    let rows = front.service.approvals(&caller.principal, order, asked.after, asked.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, caller.principal.tenant, "approval").await?;
    let now = front.service.clock().unix_ms();
    Ok(page(rows, |row| ApprovalView::of(row, now)))
}

/// One act that was asked for.
#[utoipa::path(get, path = "/api/v1/approvals/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = ApprovalView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
) -> Result<Json<ApprovalView>, Problem> {
    let row = front.service.approval(named(&caller, &id)?, &caller.principal).await;
    let row = row.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, row.act.tenant(), "approval").await?;
    Ok(Json(ApprovalView::of(&row, front.service.clock().unix_ms())))
}

/// Approves what somebody else asked for: it is done, or done when its time has come. Closes one that was done in an
/// emergency.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/approve", tag = "admin", params(("id" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = ApprovedView), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn approve(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<Reason>,
) -> Result<Json<ApprovedView>, Problem> {
    let id = named(&caller, &id)?;
    let done = front.service.approve(id, &body.reason, &caller.principal, &caller.origin).await;
    let done = done.map_err(|e| Problem::of(&e, caller.origin.request))?;
    let approval = ApprovalView::of(&done.approval, front.service.clock().unix_ms());
    Ok(Json(ApprovedView { approval, invitation: done.secret.map(|secret| secret.reveal().to_owned()) }))
}

/// Says no to what somebody else asked for.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/deny", tag = "admin", params(("id" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = ApprovalView), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn deny(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<Reason>,
) -> Result<Json<ApprovalView>, Problem> {
    let id = named(&caller, &id)?;
    closed(&front, &caller, front.service.deny(id, &body.reason, &caller.principal, &caller.origin).await)
}

/// Calls off what was not done yet.
#[utoipa::path(post, path = "/api/v1/approvals/{id}/cancel", tag = "admin", params(("id" = String, Path)),
    request_body = Reason, responses((status = 200, body = ApprovalView), (status = 409, body = Problem)))]
pub(super) async fn cancel(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<Reason>,
) -> Result<Json<ApprovalView>, Problem> {
    let id = named(&caller, &id)?;
    closed(&front, &caller, front.service.cancel(id, &body.reason, &caller.principal, &caller.origin).await)
}

fn closed(
    front: &Front,
    caller: &CallingOperator,
    row: Result<Approval, ServiceError>,
) -> Result<Json<ApprovalView>, Problem> {
    let row = row.map_err(|e| Problem::of(&e, caller.origin.request))?;
    Ok(Json(ApprovalView::of(&row, front.service.clock().unix_ms())))
}
