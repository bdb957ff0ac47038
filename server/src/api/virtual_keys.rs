//! Virtual keys, for the app that uses them and for operators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claviger_core::execution::Origin;
use claviger_core::id::{AppId, CredentialId, TenantId, VirtualKeyId};
use claviger_core::service::{NewVirtualKey, ServiceError};
use claviger_core::store::Scope;
use claviger_core::view::{ForesightView, NewVirtualKeyView, PageView, VirtualKeyView};
use claviger_core::virtual_key::{VirtualKey, public_key};
use serde::Deserialize;
use utoipa::ToSchema;

use super::acts::{How, foreseen};
use super::audit::Asked;
use super::body::{Id, JsonBody, PageQuery, page};
use super::executions::OfCredential;
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;

/// A virtual key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VirtualKeyBody {
    /// The credential that really signs.
    #[schema(value_type = String)]
    credential: CredentialId,
    /// A name for people.
    #[serde(default)]
    label: String,
    /// The client's own public key in PEM, where the venue's clients can sign with one; then no secret is made.
    public_key: Option<String>,
    /// The app whose grants it uses; an app makes its own only.
    #[schema(value_type = Option<String>)]
    app: Option<AppId>,
}

/// Makes a virtual key for the calling app. Its secret is shown once.
#[utoipa::path(post, path = "/api/v1/virtual-keys", tag = "api", request_body = VirtualKeyBody,
    responses((status = 201, body = NewVirtualKeyView), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn make_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    JsonBody(body): JsonBody<VirtualKeyBody>,
) -> Result<(StatusCode, Json<NewVirtualKeyView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let own = caller.principal.app;
    if body.app.is_some_and(|app| app != own) {
        return Err(told(ServiceError::NotFound("app")));
    }
    let known = front.service.live_app(own).await.map_err(told)?;
    front.service.may_have_key(&known, body.credential).map_err(told)?;
    made(&front, caller.principal.tenant, own, body, &caller.origin).await
}

/// Makes a virtual key for an app. Its secret is shown once.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/virtual-keys", tag = "admin", params(("t" = String, Path)),
    request_body = VirtualKeyBody, responses((status = 201, body = NewVirtualKeyView), (status = 404, body = Problem)))]
pub(super) async fn make(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(body): JsonBody<VirtualKeyBody>,
) -> Result<(StatusCode, Json<NewVirtualKeyView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let missing = || ServiceError::Invalid { code: "app_missing", text: "say whose key it is: app".to_owned() };
    let app = body.app.ok_or_else(|| told(missing()))?;
    made(&front, tenant, app, body, &caller.origin).await
}

async fn made(
    front: &Front,
    tenant: TenantId,
    app: AppId,
    body: VirtualKeyBody,
    origin: &Origin,
) -> Result<(StatusCode, Json<NewVirtualKeyView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let unreadable = || ServiceError::Invalid {
        code: "public_key_invalid",
        text: "public_key is a PEM block that begins with -----BEGIN PUBLIC KEY-----, of Ed25519 or of RSA with 2048 \
               bits or more"
            .to_owned(),
    };
    let read = |pem: String| public_key(&pem).ok_or_else(unreadable);
    let public_key = body.public_key.map(read).transpose().map_err(told)?;
    let new = NewVirtualKey { tenant, app, credential: body.credential, label: body.label, public_key };
    let shown = front.service.make_virtual_key(new, origin).await.map_err(told)?;
    Ok((StatusCode::CREATED, Json((&shown).into())))
}

/// The tenant's virtual keys, as far as they are the calling app's.
#[utoipa::path(get, path = "/api/v1/virtual-keys", tag = "api",
    responses((status = 200, body = PageView<VirtualKeyView>)))]
pub(super) async fn list_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    query: PageQuery,
) -> Result<Json<PageView<VirtualKeyView>>, Problem> {
    let mut rows = rows(&front, caller.principal.tenant, (query, None), &caller.origin).await?;
    rows.rows.retain(|row| row.app == caller.principal.app);
    Ok(page(rows, |row: &VirtualKey| row.into()))
}

/// A tenant's virtual keys.
///
/// Those of one credential are looked for among a bounded number of the tenant's: a page may be short, or empty, and yet
/// have a `next_cursor`, with which the search goes on.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/virtual-keys", tag = "admin", params(("t" = String, Path),
    ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query), ("credential" = Option<String>, Query)),
    responses((status = 200, body = PageView<VirtualKeyView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Asked(query): Asked<OfCredential>,
) -> Result<Json<PageView<VirtualKeyView>>, Problem> {
    let query = query.parts(caller.origin.request)?;
    Ok(page(rows(&front, tenant, query, &caller.origin).await?, |row: &VirtualKey| row.into()))
}

async fn rows(
    front: &Front,
    tenant: TenantId,
    (query, credential): (PageQuery, Option<CredentialId>),
    origin: &Origin,
) -> Result<claviger_core::store::Page<VirtualKey>, Problem> {
    let rows = front.service.virtual_keys(tenant, credential, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, origin.request))?;
    super::audit::read(front, origin, Some(tenant), "virtual-key").await?;
    Ok(rows)
}

/// Revokes a virtual key of the calling app's: nothing signed with it is carried out any more.
#[utoipa::path(delete, path = "/api/v1/virtual-keys/{id}", tag = "api", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(super) async fn revoke_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id: VirtualKeyId = id.parse().map_err(|_| told(ServiceError::NotFound("virtual key")))?;
    let row = front.service.virtual_key(caller.principal.tenant, id).await.map_err(told)?;
    if row.app != caller.principal.app {
        return Err(told(ServiceError::NotFound("virtual key")));
    }
    front.service.revoke_virtual_key(row.tenant, id, "", &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a virtual key: nothing signed with it is carried out any more. `?dry_run=true` only says what that does.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/virtual-keys/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("dry_run" = Option<bool>, Query)),
    responses((status = 200, body = ForesightView), (status = 204), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id: VirtualKeyId = id.parse().map_err(|_| told(ServiceError::NotFound("virtual key")))?;
    if let Some(seen) = foreseen(&front, &caller, &how, tenant, &Scope::VirtualKey(id)).await? {
        return Ok(seen);
    }
    front.service.revoke_virtual_key(tenant, id, "", &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
