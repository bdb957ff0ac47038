//! Tenants' KEKs: listed, rotated, watched, steered, and destroyed by act.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use claviger_core::act::Act;
use claviger_core::id::TenantId;
use claviger_core::identity::role::Resource;
use claviger_core::rotation::RotationState;
use claviger_core::service::{Pace, ServiceError, Steer};
use claviger_core::view::{ApprovalView, KekView, PlanView, RotationPlanView, RotationView};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acts::{ActBody, How, perform};
use super::body::JsonBody;
use super::events::Listener;
use super::gate::InTenant;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;
use crate::net::Streaming;

/// A stream says this often how far a rotation is.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// How many rows a second at most.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = u32, minimum = 1)]
pub(super) struct Most(NonZeroU32);

impl Most {
    const fn get(self) -> u32 {
        self.0.get()
    }
}

/// How a rotation is to go, and why.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RotateBody {
    /// Whether every payload is sealed anew under a fresh DEK, too.
    rekey: bool,
    /// Rows a second at most; left out for as many as the token can.
    rows_per_second: Option<Most>,
    /// Why, for the audit log: 10 to 200 characters. A dry run takes none.
    pub(super) reason: String,
}

/// What is done to a rotation: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(super) enum SteerBody {
    /// `running` or `paused`.
    State(SteerState),
    /// Rows a second at most; null for as many as the token can.
    RowsPerSecond(Option<Most>),
}

/// See [`SteerBody`].
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SteerState {
    Running,
    Paused,
}

impl From<SteerBody> for Steer {
    fn from(body: SteerBody) -> Self {
        match body {
            SteerBody::State(SteerState::Running) => Self::Resume,
            SteerBody::State(SteerState::Paused) => Self::Pause,
            SteerBody::RowsPerSecond(most) => Self::Pace(most.map(Most::get)),
        }
    }
}

impl RotateBody {
    pub(super) fn pace(&self) -> Pace {
        Pace { rekey: self.rekey, per_second: self.rows_per_second.map(Most::get) }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Version {
    version: u32,
}

/// A tenant's KEKs, oldest first.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/keks", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = Vec<KekView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
) -> Result<Json<Vec<KekView>>, Problem> {
    let keks = front.service.keks(tenant).await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, Some(tenant), "kek").await?;
    Ok(Json(keks.iter().map(KekView::from).collect()))
}

/// Makes a tenant a new KEK and has everything that is sealed move under it, while it is used.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/keks/rotate", tag = "admin",
    params(("t" = String, Path), ("dry_run" = Option<bool>, Query)), request_body = RotateBody,
    responses((status = 200, body = RotationPlanView), (status = 202, body = RotationView),
        (status = 400, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn rotate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    how: How,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<Response, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    if how.is_dry() {
        let plan = front.service.plan_rotation(tenant).await.map_err(told)?;
        super::audit::read(&front, &caller.origin, Some(tenant), "kek").await?;
        return Ok(Json(plan).into_response());
    }
    let (service, pace) = (&front.service, body.pace());
    match caller.principal.tenant {
        None => service.rotate_kek(tenant, pace, &body.reason, &caller.origin).await,
        Some(_) => service.rotate_own_kek(tenant, pace, &body.reason, &caller.origin).await,
    }
    .map_err(told)?;
    Ok((StatusCode::ACCEPTED, Json(view(&front, tenant).await.map_err(told)?)).into_response())
}

/// How far a tenant's newest rotation is: once, or every second as `text/event-stream` until it waits or has ended.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/keks/rotation", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = RotationView, content_type = "application/json"),
        (status = 200, body = RotationView, content_type = "text/event-stream"), (status = 404, body = Problem),
        (status = 429, body = Problem, description = "too many streams")))]
pub(super) async fn rotation(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now = view(&front, tenant).await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    let origin = caller.origin.clone();
    let goes_on = |now: &RotationView| now.state == RotationState::Running;
    let look = move |front| async move { view(&front, tenant).await.ok() };
    let told = told_until((front.clone(), caller, &headers), Some(tenant), now, goes_on, look)?;
    super::audit::read(&front, &origin, Some(tenant), "kek").await?;
    Ok(told)
}

/// Has a rotation wait, go on, or go on at another pace.
#[utoipa::path(patch, path = "/api/v1/tenants/{t}/keks/rotation", tag = "admin", params(("t" = String, Path)),
    request_body = SteerBody, responses((status = 200, body = RotationView), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn steer(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    JsonBody(body): JsonBody<SteerBody>,
) -> Result<Json<RotationView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let (service, steer) = (&front.service, body.into());
    match caller.principal.tenant {
        None => service.steer_rotation(tenant, steer, &caller.origin).await,
        Some(_) => service.steer_own_rotation(tenant, steer, &caller.origin).await,
    }
    .map_err(told)?;
    Ok(Json(view(&front, tenant).await.map_err(told)?))
}

/// Destroys a version that nothing is sealed under, once a second operator has approved it and its time has come.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/keks/{version}", tag = "admin",
    params(("t" = String, Path), ("version" = u32, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header)), request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
pub(super) async fn destroy(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Version { version }): Path<Version>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    perform(&front, &caller, &how, Act::DestroyKek { tenant, version }, &body).await
}

pub(super) async fn view(front: &Front, tenant: TenantId) -> Result<RotationView, ServiceError> {
    let (_, rotation, left) = front.service.rotation(tenant).await?;
    Ok(RotationView::of(&rotation, left))
}

/// How far a rotation is, a tenant's or that of all: once, or for who wants a stream every second for as long as it goes on and
/// the login is there, with a role that lets it read that.
///
/// # Errors
/// 429 `too_many_streams`.
pub(super) fn told_until<V, F>(
    (front, caller, headers): (Front, CallingOperator, &HeaderMap),
    tenant: Option<TenantId>,
    now: V,
    goes_on: fn(&V) -> bool,
    look: impl Fn(Front) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    V: Serialize + Send + 'static,
    F: Future<Output = Option<V>> + Send + 'static,
{
    if headers.get(ACCEPT).is_none_or(|accept| accept != "text/event-stream") {
        return Ok(Json(now).into_response());
    }
    let listener = Listener::seated(front, caller)?;
    let more = goes_on(&now);
    let begin = (Some(now), more, listener, look);
    let events = futures_util::stream::unfold(begin, move |(first, more, mut listener, look)| async move {
        let now = match first {
            Some(first) => first,
            None if !more => return None,
            None => {
                tokio::time::sleep(TOLD_EVERY).await;
                let now = look(listener.front.clone()).await?;
                let may_read = listener.may_read(Resource::Kek).await.is_ok_and(|may| may);
                let by_then = &listener.caller.principal;
                let reaches = tenant.map_or(by_then.tenant.is_none(), |tenant| by_then.reaches(tenant));
                if listener.is_sent_home() || !may_read || !reaches {
                    return None;
                }
                now
            }
        };
        let more = goes_on(&now);
        // Numbers and words always serialise.
        let event = Event::default().event("rotation").json_data(&now).unwrap_or_default();
        Some((Ok::<_, Infallible>(event), (None, more, listener, look)))
    });
    let mut response = Sse::new(events).into_response();
    response.extensions_mut().insert(Streaming);
    Ok(response)
}
