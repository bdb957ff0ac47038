//! Requests that wait for an operator's approval.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use claviger_core::audit::timestamp;
use claviger_core::identity::LoginKind;
use claviger_core::service::{Held, ServiceError};
use claviger_core::view::PageView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, Reason};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// A request that a rule of the policy holds until an operator approves it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HeldView {
    /// What it is called here.
    id: String,
    /// When it was made last, RFC 3339.
    at: String,
    /// `app_…`
    app: String,
    /// `cred_…`
    credential: Option<String>,
    /// The venue.
    venue: String,
    /// The operation.
    operation: String,
    /// Its parameters.
    params: Vec<(String, String)>,
}

impl From<&Held> for HeldView {
    fn from(held: &Held) -> Self {
        let Held { id, request } = held;
        Self {
            id: id.clone(),
            at: timestamp(request.at_ms),
            app: request.app.to_string(),
            credential: request.credential.map(|id| id.to_string()),
            venue: request.venue.to_string(),
            operation: request.operation.clone(),
            params: request.params.clone(),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Id {
    id: String,
}

/// A tenant's requests that wait for an operator, oldest first.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/held", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = PageView<HeldView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
) -> Result<Json<PageView<HeldView>>, Problem> {
    let held = front.service.held(tenant);
    super::audit::read(&front, &caller.origin, Some(tenant), "execution").await?;
    Ok(Json(PageView { data: held.iter().map(HeldView::from).collect(), next_cursor: None }))
}

/// Lets the app make a held request once, within a quarter of an hour.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/held/{id}/approve", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = Reason,
    responses((status = 200, body = HeldView), (status = 404, body = Problem)))]
pub(super) async fn approve(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<HeldView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    if caller.principal.kind == LoginKind::BreakGlass {
        let text = "a break-glass login approves nothing: log in with your own factors; nothing was done";
        let (status, code) = (StatusCode::FORBIDDEN, "second_operator_required");
        return Err(Problem::new(status, code, text, caller.origin.request));
    }
    let reason = reason.required().map_err(told)?;
    let held = front.service.approve_held(tenant, &id, &reason, &caller.origin).await.map_err(told)?;
    Ok(Json((&held).into()))
}
