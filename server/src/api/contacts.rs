//! Where owners are told what happens to their keys. What is put in is never shown again.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use claviger_core::execution::Origin;
use claviger_core::id::TenantId;
use claviger_core::secret::Plaintext;
use claviger_core::service::ServiceError;
use claviger_core::view::ContactView;
use serde::Deserialize;
use serde::de::IgnoredAny;
use utoipa::ToSchema;

use super::body::{Id, RawJson};
use super::credentials::{closing, named};
use super::enroll::may_enroll;
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;

/// Where an owner is told what happens to a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContactBody {
    /// An e-mail address in ASCII.
    #[serde(rename = "contact")]
    #[schema(value_type = String)]
    _contact: IgnoredAny,
}

#[derive(Deserialize)]
struct Given {
    contact: Plaintext,
}

/// The address in a body, straight into locked memory.
pub(super) fn contact_of(body: &RawJson) -> Result<Plaintext, String> {
    body.part::<Given>().map(|given| given.contact)
}

/// Sets where the owner of a credential is told what happens to it. The address before it is told of the change.
#[utoipa::path(put, path = "/api/v1/credentials/{id}/contact", tag = "api", params(("id" = String, Path)),
    request_body = ContactBody,
    responses((status = 200, body = ContactView), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn set_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
    body: RawJson,
) -> Response {
    let set = async {
        let credential = named(&caller.origin, &id)?;
        may_enroll(&front, &caller, Some(credential)).await?;
        set_to(&front, caller.principal.tenant, &id, &body, &caller.origin).await
    };
    closing(set.await)
}

/// Has the owner of a credential no longer told what happens to it. The address is told so, and then destroyed.
#[utoipa::path(delete, path = "/api/v1/credentials/{id}/contact", tag = "api", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn remove_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let credential = named(&caller.origin, &id)?;
    may_enroll(&front, &caller, Some(credential)).await?;
    removed(&front, caller.principal.tenant, &id, &caller.origin).await
}

/// Whether the owner of a credential can be told what happens to it, and since when. Nobody is shown where.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/credentials/{id}/contact", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = ContactView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Json<ContactView>, Problem> {
    let credential = named(&caller.origin, &id)?;
    let contact = front.service.contact(tenant, credential).await;
    let contact = contact.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read_one(&front, &caller.origin, Some(tenant), "credential", &id).await?;
    Ok(Json(ContactView::from(&contact)))
}

/// The same as an app may, for an operator.
#[utoipa::path(put, path = "/api/v1/tenants/{t}/credentials/{id}/contact", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = ContactBody,
    responses((status = 200, body = ContactView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn set(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    body: RawJson,
) -> Response {
    closing(set_to(&front, tenant, &id, &body, &caller.origin).await)
}

/// The same as an app may, for an operator.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/credentials/{id}/contact", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn remove(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<StatusCode, Problem> {
    removed(&front, tenant, &id, &caller.origin).await
}

async fn set_to(
    front: &Front,
    tenant: TenantId,
    id: &str,
    body: &RawJson,
    origin: &Origin,
) -> Result<Json<ContactView>, Problem> {
    let id = named(origin, id)?;
    body.read::<ContactBody>()?;
    let set = front.service.set_contact(tenant, id, || contact_of(body), origin).await;
    set.map(|contact| Json(ContactView::from(&contact))).map_err(|e| told(&e, origin))
}

async fn removed(front: &Front, tenant: TenantId, id: &str, origin: &Origin) -> Result<StatusCode, Problem> {
    let id = named(origin, id)?;
    let removed = front.service.remove_contact(tenant, id, origin).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(|e| told(&e, origin))
}

fn told(error: &ServiceError, origin: &Origin) -> Problem {
    Problem::of(error, origin.request)
}
