//! What an owner may have deleted at once, through an app that enrolls for him; and owners whom operators erase.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_core::act::Act;
use claviger_core::id::CredentialId;
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, ErasureView, PlanView};
use serde::Deserialize;

use super::acts::{ActBody, How, perform};
use super::body::{JsonBody, Reason};
use super::enroll::may_enroll;
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;

/// Erases an owner: stopped for good, all credentials and their virtual keys deleted, and what the audit log says of
/// the person unreadable. For an owner who was erased already it does nothing.
#[utoipa::path(delete, path = "/api/v1/owners/{owner}", tag = "api", params(("owner" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = ErasureView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn owner(
    State(front): State<Front>,
    caller: CallingApp,
    Path(owner): Path<String>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<ErasureView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    may_enroll(&front, &caller, None).await?;
    let reason = reason.required().map_err(told)?;
    let erased = front.service.erase_owner(caller.principal.tenant, &owner, &reason, &caller.origin).await;
    erased.map(|erasure| Json((&erasure).into())).map_err(told)
}

/// The owner that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct OfOwner {
    owner: String,
}

/// Has an owner erased: stopped when it is asked for, erased some time after a second operator approved it.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/owners/{owner}", tag = "admin",
    params(("t" = String, Path), ("owner" = String, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header)), request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn as_operator(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(OfOwner { owner }): Path<OfOwner>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    perform(&front, &caller, &how, Act::EraseOwner { tenant, owner }, &body).await
}

/// Deletes a credential and its virtual keys: its owner's own wish, at once.
#[utoipa::path(delete, path = "/api/v1/credentials/{id}", tag = "api", params(("id" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = ErasureView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn credential(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<ErasureView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id: CredentialId = id.parse().map_err(|_| told(ServiceError::NotFound("credential")))?;
    may_enroll(&front, &caller, Some(id)).await?;
    let reason = reason.required().map_err(told)?;
    let deleted = front.service.delete_with_keys(caller.principal.tenant, id, &reason, &caller.origin).await;
    deleted.map(|erasure| Json((&erasure).into())).map_err(told)
}
