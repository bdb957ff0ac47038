//! Decoys: what looks like a virtual key, and tells where it was taken from when somebody tries it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use claviger_core::id::DecoyId;
use claviger_core::service::{NewDecoy, ServiceError};
use claviger_core::view::{DecoyView, NewDecoyView, PageView};
use claviger_venues::{KeyType, VenueId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{Id, JsonBody, PageQuery, page};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// A decoy to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecoyBody {
    /// Where it will be planted: the alarm says so.
    label: String,
    /// The venue whose form it has.
    #[schema(value_type = String)]
    venue: VenueId,
    /// `ed25519` for a private key in the place of the venue's usual secret.
    #[schema(value_type = Option<String>)]
    kind: Option<KeyType>,
}

/// Makes a decoy. What looks like its secret is shown once and kept nowhere.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/decoys", tag = "admin", params(("t" = String, Path)),
    request_body = DecoyBody, responses((status = 201, body = NewDecoyView), (status = 400, body = Problem)))]
pub(super) async fn make(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(DecoyBody { label, venue, kind }): JsonBody<DecoyBody>,
) -> Result<(StatusCode, Json<NewDecoyView>), Problem> {
    let new = NewDecoy { tenant, venue, label, key_type: kind };
    let shown = front.service.make_decoy(new, &caller.origin).await;
    let shown = shown.map_err(|e| Problem::of(&e, caller.origin.request))?;
    Ok((StatusCode::CREATED, Json((&shown).into())))
}

/// A tenant's decoys. Whoever sees them knows what not to touch: they are as private as the audit log.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/decoys", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = PageView<DecoyView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    query: PageQuery,
) -> Result<Json<PageView<DecoyView>>, Problem> {
    let rows = front.service.decoys(tenant, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, Some(tenant), "decoy").await?;
    Ok(page(rows, |row| row.into()))
}

/// Removes a decoy: nobody hears of its use any more.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/decoys/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn remove(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id: DecoyId = id.parse().map_err(|_| told(ServiceError::NotFound("decoy")))?;
    front.service.remove_decoy(tenant, id, &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}
