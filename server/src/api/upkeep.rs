//! What a credential needs to stay alive: an end that is known, and a new key where one is asked for.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use claviger_core::id::CredentialId;
use claviger_core::service::ServiceError;
use claviger_core::view::{CredentialView, StopView};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::body::{Id, IfMatch, JsonBody, Reason, tagged};
use super::credentials::{in_flight, named};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// A time in a body: RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(pub(super) u64);

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: Option<Timestamp> = text.parse().ok();
        let ms = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
        ms.map(Self).ok_or_else(|| serde::de::Error::custom("a time is RFC 3339"))
    }
}

/// What can be changed of a credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CredentialChange {
    /// When its key is not to be used any more, RFC 3339; `null` for never.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<String>)]
    expires_at: Option<At>,
}

/// Sets when the key is not to be used any more.
#[utoipa::path(patch, path = "/api/v1/tenants/{t}/credentials/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("If-Match" = String, Header)), request_body = CredentialChange,
    responses((status = 200, body = CredentialView), (status = 409, body = Problem, description = "expired already"),
        (status = 412, body = Problem)))]
pub(super) async fn change(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<CredentialChange>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id: CredentialId = named(&caller.origin, &id)?;
    let expires_ms = body.expires_at.map(|at| at.0);
    let changed = front.service.set_expiry(tenant, id, if_match.0, expires_ms, &caller.origin).await;
    let (version, row) = changed.map_err(told)?;
    Ok(tagged(version, CredentialView::from(&row)))
}

/// Freezes a credential until another key was proven for it.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/reenroll", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = Reason,
    responses((status = 200, body = StopView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn reenroll(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<StopView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = named(&caller.origin, &id)?;
    let reason = reason.required().map_err(told)?;
    let stopped = front.service.ask_for_new_key(tenant, id, &reason, &caller.origin).await.map_err(told)?;
    let (scope, state) = (format!("credential {id}"), "frozen".to_owned());
    Ok(Json(StopView { scope, state, in_flight: in_flight(&stopped.open), at_venue: None }))
}
