//! The end of a tenant, and how far it is.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_core::act::Act;
use claviger_core::id::TenantId;
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, DeletionView, PlanView};

use super::acts::{ActBody, How, perform};
use super::body::{Id, JsonBody};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// Has a tenant deleted: frozen when it is asked for, gone some time after a second operator approved it. Operators of
/// all tenants ask for it and approve it.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}", tag = "admin",
    params(("t" = String, Path), ("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn delete(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    caller.everywhere()?;
    perform(&front, &caller, &how, Act::DeleteTenant { tenant }, &body).await
}

/// How far the deletion of a tenant is, and what its owners have to delete at which venue. The tenant is named by its id:
/// its name is gone.
#[utoipa::path(get, path = "/api/v1/deletions/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = DeletionView), (status = 404, body = Problem)))]
pub(super) async fn deletion(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
) -> Result<Json<DeletionView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant: TenantId = id.parse().map_err(|_| told(ServiceError::NotFound("deletion")))?;
    let row = front.service.deletion(tenant).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, Some(tenant), "tenant").await?;
    let unrecoverable_ms = match row.ended_ms {
        Some(ended_ms) => front.service.unrecoverable_ms(ended_ms).await.map_err(told)?,
        None => None,
    };
    Ok(Json(DeletionView::of(&row, unrecoverable_ms)))
}
