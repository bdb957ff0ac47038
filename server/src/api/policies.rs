//! Policies: stored by version, shown, and tried on what was asked lately.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use claviger_core::act::Act;
use claviger_core::service::ServiceError;
use claviger_core::view::{ApprovalView, DifferenceView, PageView, PlanView, PolicyView, TrialView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::{ActBody, How, perform};
use super::body::{JsonBody, PageQuery, page};
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// A policy as it is written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyBody {
    /// The document, TOML: see docs/policy.md.
    text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    version: u32,
}

/// What begins a record of requests: the policy that decided them.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RecordHeader {
    /// `ten_…`
    pub(crate) tenant: String,
    /// The version in force; 0 for none.
    pub(crate) version: u32,
    /// Its document, TOML.
    pub(crate) text: String,
}

/// A tenant's policies, oldest first.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/policies", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = PageView<PolicyView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    query: PageQuery,
) -> Result<Json<PageView<PolicyView>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let in_force = front.service.policy_in_force(tenant).await.map_err(told)?;
    let rows = front.service.policies(tenant, query.after, query.limit).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, Some(tenant), "policy").await?;
    Ok(page(rows, |row| PolicyView::of(row, in_force, false)))
}

/// Stores a version of a tenant's policy. It decides nothing until it is activated.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/policies", tag = "admin", params(("t" = String, Path)),
    request_body = PolicyBody, responses((status = 201, body = PolicyView), (status = 400, body = Problem)))]
pub(super) async fn store(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(body): JsonBody<PolicyBody>,
) -> Result<(StatusCode, Json<PolicyView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let stored = front.service.store_policy(tenant, &body.text, &caller.origin).await.map_err(told)?;
    let in_force = front.service.policy_in_force(tenant).await.map_err(told)?;
    Ok((StatusCode::CREATED, Json(PolicyView::of(&stored, in_force, true))))
}

/// One version of a tenant's policy.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/policies/{version}", tag = "admin",
    params(("t" = String, Path), ("version" = u32, Path)),
    responses((status = 200, body = PolicyView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Version { version }): Path<Version>,
) -> Result<Json<PolicyView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let stored = front.service.stored_policy(tenant, version).await.map_err(told)?;
    let in_force = front.service.policy_in_force(tenant).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, Some(tenant), "policy").await?;
    Ok(Json(PolicyView::of(&stored, in_force, true)))
}

/// Puts a version into force: at once where it lets nothing more through, else once a second operator has approved it.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/policies/{version}/activate", tag = "admin",
    params(("t" = String, Path), ("version" = u32, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header)), request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 204),
        (status = 403, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn activate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Version { version }): Path<Version>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    perform(&front, &caller, &how, Act::ActivatePolicy { tenant, version }, &body).await
}

/// What another policy would have decided otherwise about what was asked lately.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/policies/test", tag = "admin", params(("t" = String, Path)),
    request_body = PolicyBody, responses((status = 200, body = TrialView), (status = 400, body = Problem)))]
pub(super) async fn test(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(body): JsonBody<PolicyBody>,
) -> Result<Json<TrialView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let (requests, found) = front.service.try_policy(tenant, &body.text).await.map_err(told)?;
    super::audit::read(&front, &caller.origin, Some(tenant), "policy").await?;
    Ok(Json(TrialView { requests, differences: found.iter().map(DifferenceView::from).collect() }))
}

/// What was asked lately, as policy saw it, for `claviger policy test`: the policy that decided, then one request per
/// line. It is kept in memory alone, 1,000 requests of a tenant at most and fewer where there are many.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/policies/requests", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, content_type = "application/x-ndjson", body = String)))]
pub(super) async fn requests(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let version = front.service.policy_in_force(tenant).await.map_err(told)?;
    let text = match version {
        0 => String::new(),
        version => front.service.stored_policy(tenant, version).await.map_err(told)?.text,
    };
    let header = RecordHeader { tenant: tenant.to_string(), version, text };
    let requests = front.service.recorded_requests(tenant);
    super::audit::read(&front, &caller.origin, Some(tenant), "execution").await?;
    let mut lines = line(&header);
    for request in &requests {
        lines.push_str(&line(request));
    }
    let mut response = lines.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    Ok(response)
}

fn line(value: &impl Serialize) -> String {
    // Plain data always serialises; a line that did not would be missing, and the count of decisions shows it.
    serde_json::to_string(value).map(|line| line + "\n").unwrap_or_default()
}
