//! Tenants' own KEKs: what they are wrapped to, brought, and taken away.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claviger_core::service::{Brought, ServiceError};
use claviger_core::view::{KekDoorView, ReturnedKekView, RotationView, StopView};
use data_encoding::BASE64;
use serde::Deserialize;
use utoipa::ToSchema;

use super::body::{JsonBody, Reason};
use super::credentials::in_flight;
use super::gate::InTenant;
use super::keks::{RotateBody, view};
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// A KEK that a tenant brings.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportBody {
    /// RSA-OAEP of its 32 bytes to the import key, base64.
    wrapped: String,
    /// How everything moves under it, if it is new, and why it is brought.
    #[serde(default)]
    rotation: RotateBody,
}

/// What the tenant wraps its KEK to. The token makes it when it is asked for first.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/keks/import-key", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = KekDoorView), (status = 400, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn import_key(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
) -> Result<Json<KekDoorView>, Problem> {
    let door = front.service.kek_door(tenant).await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, Some(tenant), "kek").await?;
    Ok(Json(KekDoorView::from(&door)))
}

/// Takes the tenant's KEK in: a new one, to which the tenant's is rotated, or the one that it took away.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/keks/import", tag = "admin", params(("t" = String, Path)),
    request_body = ImportBody,
    responses((status = 200, body = ReturnedKekView), (status = 202, body = RotationView),
        (status = 400, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn import(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(body): JsonBody<ImportBody>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let wrapped = BASE64.decode(body.wrapped.as_bytes()).map_err(|_| {
        let text = "`wrapped` is base64 with padding; nothing was changed".to_owned();
        told(ServiceError::Invalid { code: "kek_refused", text })
    })?;
    let (pace, reason) = (body.rotation.pace(), &body.rotation.reason);
    let brought = front.service.import_kek(tenant, wrapped, pace, reason, &caller.origin).await;
    Ok(match brought.map_err(told)? {
        Brought::New(_) => (StatusCode::ACCEPTED, Json(view(&front, tenant).await.map_err(told)?)).into_response(),
        Brought::Back { version, missing } => Json(ReturnedKekView { version, missing }).into_response(),
    })
}

/// Takes the tenant's own KEK away. When this answers, nothing of the tenant is signed until it brings the KEK again.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/keks/withdraw", tag = "admin", params(("t" = String, Path)),
    request_body = Reason,
    responses((status = 200, body = StopView), (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn withdraw(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<StopView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let reason = reason.required().map_err(told)?;
    let open = front.service.withdraw_kek(tenant, &reason, &caller.origin).await.map_err(told)?;
    let (scope, state) = (format!("tenant {tenant}"), "withdrawn".to_owned());
    Ok(Json(StopView { scope, state, in_flight: in_flight(&open), at_venue: None }))
}
