//! Stopping whole scopes: everything, a tenant, an owner, a venue, an app.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use claviger_core::act::Act;
use claviger_core::id::TenantId;
use claviger_core::service::ServiceError;
use claviger_core::store::{Key, Row, Scope, Stop, Versioned};
use claviger_core::view::{ApprovalView, PlanView, StopView, scope_words};
use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::{ActBody, How, perform};
use super::body::JsonBody;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// What to stop.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScopeBody {
    /// `all`, `tenant`, `owner`, `venue` or `app`.
    pub(super) kind: String,
    /// The tenant's id or name; for `tenant` and `owner`.
    #[serde(default)]
    pub(super) tenant: String,
    /// The owner, the venue or the app.
    #[serde(default)]
    pub(super) id: String,
}

/// A stop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StopBody {
    /// What.
    scope: ScopeBody,
    /// `reduce-only` or `frozen`.
    state: String,
    /// Why, for the audit log.
    #[serde(default)]
    reason: String,
}

/// The end of a stop.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResumeBody {
    /// What.
    scope: ScopeBody,
    /// Why, in 10 to 200 characters; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// The scope that was meant, if the operator reaches it.
pub(super) async fn scope(
    front: &Front,
    caller: &CallingOperator,
    body: &ScopeBody,
) -> Result<(Option<TenantId>, Scope), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let bad = || {
        let text = "scope is {\"kind\": \"all\" | \"tenant\" | \"owner\" | \"venue\" | \"app\", \"tenant\", \"id\"}";
        told(ServiceError::Invalid { code: "scope_invalid", text: text.to_owned() })
    };
    Ok(match body.kind.as_str() {
        "all" => {
            caller.everywhere()?;
            (None, Scope::All)
        }
        "tenant" => {
            let tenant = caller.tenant(front, &body.tenant).await?;
            (Some(tenant), Scope::Tenant(tenant))
        }
        "owner" if !body.id.is_empty() => {
            let tenant = caller.tenant(front, &body.tenant).await?;
            (Some(tenant), Scope::Owner(tenant, body.id.clone()))
        }
        "venue" => {
            caller.everywhere()?;
            (None, Scope::Venue(body.id.parse::<VenueId>().map_err(|_| bad())?))
        }
        "app" => {
            let unknown = || told(ServiceError::NotFound("app"));
            let id = body.id.parse().map_err(|_| unknown())?;
            let tenant = front.service.app(id).await.map_err(told)?.app.tenant;
            if !caller.principal.reaches(tenant) {
                return Err(unknown());
            }
            (Some(tenant), Scope::App(id))
        }
        _ => return Err(bad()),
    })
}

/// Stops a scope. When this answers, nothing in it is signed any more.
#[utoipa::path(post, path = "/api/v1/stops", tag = "admin", request_body = StopBody,
    responses((status = 200, body = StopView), (status = 400, body = Problem)))]
pub(super) async fn stop(
    State(front): State<Front>,
    caller: CallingOperator,
    JsonBody(body): JsonBody<StopBody>,
) -> Result<Json<StopView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let (tenant, scope) = scope(&front, &caller, &body.scope).await?;
    let stop = match body.state.as_str() {
        "reduce-only" => Stop::ReduceOnly,
        "frozen" => Stop::Frozen,
        _ => {
            let text = "state is `reduce-only` or `frozen`; nothing was done".to_owned();
            return Err(told(ServiceError::Invalid { code: "state_invalid", text }));
        }
    };
    let stopped = front.service.stop(tenant, scope.clone(), stop, &body.reason, &caller.origin).await.map_err(told)?;
    let (kind, id) = scope_words(&scope);
    let in_flight = super::credentials::in_flight(&stopped.open);
    let scope = format!("{kind} {id}").trim_end().to_owned();
    Ok(Json(StopView { scope, state: body.state, in_flight, at_venue: None }))
}

/// Lets a scope go on, once a second operator has approved it.
#[utoipa::path(post, path = "/api/v1/stops/resume", tag = "admin", request_body = ResumeBody,
    params(("dry_run" = Option<bool>, Query), ("Plan-Digest" = Option<String>, Header)),
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn resume(
    State(front): State<Front>,
    caller: CallingOperator,
    how: How,
    JsonBody(body): JsonBody<ResumeBody>,
) -> Result<Response, Problem> {
    let (tenant, scope) = scope(&front, &caller, &body.scope).await?;
    let reason = ActBody { reason: body.reason, ..ActBody::default() };
    perform(&front, &caller, &how, Act::ResumeScope { tenant, scope }, &reason).await
}

/// How the widest scopes stand: everything, each venue, and the operator's own tenant.
#[utoipa::path(get, path = "/api/v1/stops", tag = "admin", responses((status = 200, body = Vec<StoppedScope>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<Vec<StoppedScope>>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let venues = VenueId::ALL.iter().map(|venue| Scope::Venue(*venue));
    let scopes = [Scope::All].into_iter().chain(venues).chain(caller.principal.tenant.map(Scope::Tenant));
    let mut stopped = Vec::new();
    for scope in scopes {
        let row = front.service.store().get(Key::Stopped(scope.clone())).await.map_err(|e| told(e.into()))?;
        if let Some(Versioned { row: Row::Stopped(stop), .. }) = row {
            stopped.push(StoppedScope::of(&scope, stop));
        }
    }
    super::audit::read(&front, &caller.origin, None, "stop").await?;
    Ok(Json(stopped))
}

/// Something that is stopped.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StoppedScope {
    /// `everything`, `venue …` or `tenant …`.
    scope: String,
    /// How far: `reduce-only`, `frozen` or `revoked`.
    state: &'static str,
}

impl StoppedScope {
    fn of(scope: &Scope, stop: Stop) -> Self {
        let (kind, id) = scope_words(scope);
        Self { scope: format!("{kind} {id}").trim_end().to_owned(), state: stop.as_str() }
    }
}
