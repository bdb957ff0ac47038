//! Tenants, apps and grants, for operators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claviger_core::act::Act;
use claviger_core::id::{AppId, CredentialId, GrantId, TenantId};
use claviger_core::identity::{AppUse, Credentials, Network, Terms};
use claviger_core::policy::{Budget, Hours, Limits};
use claviger_core::service::ServiceError;
use claviger_core::store::{Page, Scope, Stop};
use claviger_core::view::{
    AppView, ApprovalView, ForesightView, GrantView, NewAppView, PageView, PlanView, StopView, TenantView,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::acts::{ActBody, How, foreseen, perform};
use super::audit::Asked;
use super::body::{Id, JsonBody, PageQuery, Reason, page};
use super::executions::OfCredential;
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// A name: 1 to 64 of `a-z A-Z 0-9 . _ -`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// The name.
    name: String,
}

/// A grant to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantBody {
    /// Credentials; empty for all of the tenant's, also those enrolled later.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    credentials: Vec<CredentialId>,
    /// Operation names (`order.place`) or classes (`market`, `read`, `trade`).
    #[serde(default)]
    operations: Vec<String>,
    /// Symbols that orders may name; empty for any. The same as `orders.symbols`.
    #[serde(default)]
    symbols: Vec<String>,
    /// Networks that requests may come from, CIDR; empty for any.
    #[serde(default)]
    networks: Vec<String>,
    /// When requests may be made, UTC; empty for always. Cancels and closing orders always go.
    #[serde(default)]
    hours: Vec<Hours>,
    /// What orders must be like.
    #[serde(default)]
    orders: Limits,
    /// How much may be spent under it.
    #[serde(default)]
    budget: Budget,
    /// Whether the app may enroll credentials.
    #[serde(default)]
    enroll: bool,
    /// Why, where the tenant's policy wants a second operator for each grant; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// All tenants that the operator reaches.
#[utoipa::path(get, path = "/api/v1/tenants", tag = "admin", responses((status = 200, body = PageView<TenantView>)))]
pub(super) async fn tenants(
    State(front): State<Front>,
    caller: CallingOperator,
    query: PageQuery,
) -> Result<Json<PageView<TenantView>>, Problem> {
    let rows = front.service.tenants(query.after, query.limit).await;
    let mut rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    rows.rows.retain(|tenant| caller.principal.reaches(tenant.id));
    super::audit::read(&front, &caller.origin, None, "tenant").await?;
    Ok(page(rows, |row| row.into()))
}

/// Makes a tenant, with a KEK of its own.
#[utoipa::path(post, path = "/api/v1/tenants", tag = "admin", request_body = Named,
    responses((status = 201, body = TenantView), (status = 409, body = Problem)))]
pub(super) async fn make_tenant(
    State(front): State<Front>,
    caller: CallingOperator,
    JsonBody(named): JsonBody<Named>,
) -> Result<(StatusCode, Json<TenantView>), Problem> {
    let made = front.service.make_tenant(&named.name, &caller.origin).await;
    let made = made.map_err(|e| Problem::of(&e, caller.origin.request))?;
    Ok((StatusCode::CREATED, Json((&made).into())))
}

/// The app of a path, if it is the tenant's.
pub(super) async fn app(front: &Front, caller: &CallingOperator, tenant: TenantId, id: &str) -> Result<AppId, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id: AppId = id.parse().map_err(|_| told(ServiceError::NotFound("app")))?;
    let known = front.service.app(id).await.map_err(told)?;
    if known.app.tenant == tenant { Ok(id) } else { Err(told(ServiceError::NotFound("app"))) }
}

/// A tenant's apps.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/apps", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = PageView<AppView>)))]
pub(super) async fn apps(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    query: PageQuery,
) -> Result<Json<PageView<AppView>>, Problem> {
    let rows = front.service.apps(tenant, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    let mut views = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        let used = front.service.app_use(row).await.map_err(|e| Problem::of(&e, caller.origin.request))?;
        views.push(AppView::of(row, &used));
    }
    super::audit::read(&front, &caller.origin, Some(tenant), "app").await?;
    Ok(page(Page { rows: views, next: rows.next }, Clone::clone))
}

/// Makes an app. Its secret is shown once.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/apps", tag = "admin", params(("t" = String, Path)),
    request_body = Named, responses((status = 201, body = NewAppView)))]
pub(super) async fn make_app(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(named): JsonBody<Named>,
) -> Result<(StatusCode, Json<NewAppView>), Problem> {
    let made = front.service.make_app(tenant, &named.name, &caller.origin).await;
    let made = made.map_err(|e| Problem::of(&e, caller.origin.request))?;
    let view = NewAppView { app: AppView::of(&made.app, &AppUse::default()), secret: made.secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(view)))
}

/// Revokes an app: its access tokens are refused and nothing is signed for it any more. `?dry_run=true` only says what
/// that does.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/apps/{id}/revoke", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("dry_run" = Option<bool>, Query)), request_body = Reason,
    responses((status = 200, body = StopView), (status = 404, body = Problem)))]
pub(super) async fn revoke_app(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = app(&front, &caller, tenant, &id).await?;
    if let Some(seen) = foreseen(&front, &caller, &how, tenant, &Scope::App(id)).await? {
        return Ok(seen);
    }
    let reason = reason.required().map_err(told)?;
    let stopped = front.service.stop(Some(tenant), Scope::App(id), Stop::Revoked, &reason, &caller.origin).await;
    let stopped = stopped.map_err(told)?;
    let in_flight = super::credentials::in_flight(&stopped.open);
    let view = StopView { scope: format!("app {id}"), state: "revoked".to_owned(), in_flight, at_venue: None };
    Ok(Json(view).into_response())
}

/// A tenant's grants, app by app.
///
/// Those that are for one credential are looked for among a bounded number of apps: a page may be short, or empty, and yet
/// have a `next_cursor`, with which the search goes on.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/grants", tag = "admin", params(("t" = String, Path),
    ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query), ("credential" = Option<String>, Query)),
    responses((status = 200, body = PageView<GrantView>)))]
pub(super) async fn tenant_grants(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Asked(query): Asked<OfCredential>,
) -> Result<Json<PageView<GrantView>>, Problem> {
    let (query, credential) = query.parts(caller.origin.request)?;
    let rows = front.service.grants(tenant, credential, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, Some(tenant), "grant").await?;
    Ok(page(rows, |row| row.into()))
}

/// An app's grants.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/apps/{id}/grants", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), responses((status = 200, body = PageView<GrantView>)))]
pub(super) async fn grants(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Json<PageView<GrantView>>, Problem> {
    let id = app(&front, &caller, tenant, &id).await?;
    let known = front.service.app(id).await.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, Some(tenant), "grant").await?;
    Ok(Json(PageView { data: known.grants.iter().map(GrantView::from).collect(), next_cursor: None }))
}

/// Gives an app a grant.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/apps/{id}/grants", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = GrantBody,
    responses((status = 201, body = GrantView), (status = 400, body = Problem)))]
pub(super) async fn make_grant(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(body): JsonBody<GrantBody>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = app(&front, &caller, tenant, &id).await?;
    let networks = networks(&body.networks).map_err(told)?;
    let GrantBody { credentials, operations, symbols, hours, mut orders, budget, enroll, reason, .. } = body;
    orders.symbols.extend(symbols);
    let new = Terms { credentials: these(credentials), operations, networks, hours, orders, budget, enroll };
    if !how.is_dry()
        && let Some(grant) = front.service.make_grant(tenant, id, &new, &caller.origin).await.map_err(told)?
    {
        return Ok((StatusCode::CREATED, Json(GrantView::from(&grant))).into_response());
    }
    let body = ActBody { reason, ..ActBody::default() };
    perform(&front, &caller, &how, Act::MakeGrant { tenant, app: id, terms: Box::new(new) }, &body).await
}

/// What changes of a grant; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantPatch {
    /// Credentials; empty for all of the tenant's, also those enrolled later.
    #[schema(value_type = Option<Vec<String>>)]
    credentials: Option<Vec<CredentialId>>,
    /// Operation names or classes.
    operations: Option<Vec<String>>,
    /// Networks, CIDR; empty for any.
    networks: Option<Vec<String>>,
    /// When requests may be made, UTC; empty for always.
    hours: Option<Vec<Hours>>,
    /// What orders must be like, symbols among it.
    orders: Option<Limits>,
    /// How much may be spent under it.
    budget: Option<Budget>,
    /// Whether the app may enroll credentials.
    enroll: Option<bool>,
    /// Why, in 10 to 200 characters; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// Changes a grant: at once where it allows less, once a second operator has approved it where it allows more.
#[utoipa::path(patch, path = "/api/v1/tenants/{t}/apps/{id}/grants/{grant}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("grant" = String, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header), ("If-Match" = Option<String>, Header)), request_body = GrantPatch,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 204),
        (status = 403, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn change_grant(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path((_, id, grant)): Path<(String, String, String)>,
    how: How,
    JsonBody(patch): JsonBody<GrantPatch>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let app = app(&front, &caller, tenant, &id).await?;
    let grant: GrantId = grant.parse().map_err(|_| told(ServiceError::NotFound("grant")))?;
    let (_, row) = front.service.grant(tenant, app, grant).await.map_err(told)?;
    let old = row.terms();
    let to = Terms {
        credentials: patch.credentials.map_or(old.credentials, these),
        operations: patch.operations.unwrap_or(old.operations),
        networks: patch.networks.map_or(Ok(old.networks), |all| networks(&all)).map_err(told)?,
        hours: patch.hours.unwrap_or(old.hours),
        orders: patch.orders.unwrap_or(old.orders),
        budget: patch.budget.unwrap_or(old.budget),
        enroll: patch.enroll.unwrap_or(old.enroll),
    };
    let body = ActBody { reason: patch.reason, ..ActBody::default() };
    perform(&front, &caller, &how, Act::ChangeGrant { tenant, app, grant, to: Box::new(to) }, &body).await
}

fn networks(all: &[String]) -> Result<Vec<Network>, ServiceError> {
    let networks: Result<Vec<Network>, _> = all.iter().map(|network| network.parse()).collect();
    networks.map_err(|e: claviger_core::identity::BadNetwork| ServiceError::Invalid {
        code: "networks_invalid",
        text: e.to_string(),
    })
}

fn these(ids: Vec<CredentialId>) -> Credentials {
    if ids.is_empty() { Credentials::All } else { Credentials::These(ids) }
}

/// Takes a grant away: nothing is signed under it any more. `?dry_run=true` only says what that does.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/apps/{id}/grants/{grant}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("grant" = String, Path), ("dry_run" = Option<bool>, Query)),
    responses((status = 200, body = ForesightView), (status = 204), (status = 404, body = Problem)))]
pub(super) async fn revoke_grant(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path((_, id, grant)): Path<(String, String, String)>,
    how: How,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = app(&front, &caller, tenant, &id).await?;
    let grant: GrantId = grant.parse().map_err(|_| told(ServiceError::NotFound("grant")))?;
    front.service.grant(tenant, id, grant).await.map_err(told)?;
    if let Some(seen) = foreseen(&front, &caller, &how, tenant, &Scope::Grant(grant)).await? {
        return Ok(seen);
    }
    front.service.revoke_grant(tenant, id, grant, "", &caller.origin).await.map_err(told)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
