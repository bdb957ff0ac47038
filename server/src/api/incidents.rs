//! Incidents, for operators.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use claviger_core::id::{IncidentId, TenantId};
use claviger_core::incident::{Duty, Incident, NoteKind, Severity};
use claviger_core::service::{NewIncident, ServiceError};
use claviger_core::store::{Page, Scope, Stop};
use claviger_core::view::{AffectedView, ContainedView, IncidentView, NoteView, PageView, UnreachedView};
use serde::Deserialize;
use utoipa::ToSchema;

use super::audit::list::moment_ms;
use super::body::{Id, JsonBody, OrderedQuery, PageQuery, page};
use super::problem::Problem;
use super::stops::{self, ScopeBody};
use crate::auth::CallingOperator;
use crate::front::Front;

pub(super) mod public;

/// An incident to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OpenBody {
    /// How bad it is.
    severity: Severity,
    /// What it is called, in at most 120 characters; everybody reads it once it is published.
    title: String,
    /// What everybody reads once it is published, in at most 2000 characters.
    #[serde(default)]
    summary: String,
    /// When it was known, RFC 3339, if not just now.
    #[serde(default)]
    detected_at: Option<String>,
    /// What it touches: as for a stop, or of kind `credential`.
    scope: ScopeBody,
}

/// An entry for a timeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NoteBody {
    /// What it is about.
    kind: NoteKind,
    /// The text, in at most 2000 characters.
    text: String,
}

/// How far what an incident touches is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ContainBody {
    /// `reduce-only`, `frozen` or `revoked`.
    state: Containment,
    /// Why, in at most 200 characters.
    reason: String,
    /// For `revoked`, which is for good: the id in the incident's scope.
    #[serde(default)]
    confirm: String,
}

/// See [`ContainBody`].
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Containment {
    ReduceOnly,
    Frozen,
    Revoked,
}

/// What owners are to be told.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NotifyBody {
    /// What was affected and what they are to do, in at most 2000 characters.
    text: String,
}

/// What everybody is to read.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PublishBody {
    /// In place of the summary that it has.
    summary: Option<String>,
}

/// That what a clock is about was done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClockBody {
    /// `publish`, `notify`, `dora-initial`, `dora-intermediate` or `dora-final`.
    clock: Duty,
    /// How it was done, or why it need not be.
    text: String,
}

/// A review.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CloseBody {
    /// Why it could happen; everybody reads it if the incident is published.
    root_cause: String,
    /// What was changed, so that it does not happen again; as public as that.
    measures: String,
}

fn named(caller: &CallingOperator, id: &str) -> Result<IncidentId, Problem> {
    id.parse().map_err(|_| Problem::of(&ServiceError::NotFound("incident"), caller.origin.request))
}

/// All incidents that the operator reaches.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "admin",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query),
        ("order" = Option<String>, Query, description = "`oldest`, the default, or `newest`: which comes first.")),
    responses((status = 200, body = PageView<IncidentView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    OrderedQuery { page: asked, order }: OrderedQuery,
) -> Result<Json<PageView<IncidentView>>, Problem> {
    let rows = front.service.incidents(&caller.principal, order, asked.after, asked.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, caller.principal.tenant, "incident").await?;
    let now = front.service.clock().unix_ms();
    Ok(page(rows, |row| IncidentView::of(row, now)))
}

/// Opens an incident. Its clocks run from the moment that it was known.
#[utoipa::path(post, path = "/api/v1/incidents", tag = "admin", request_body = OpenBody,
    responses((status = 201, body = IncidentView), (status = 400, body = Problem)))]
pub(super) async fn open(
    State(front): State<Front>,
    caller: CallingOperator,
    JsonBody(body): JsonBody<OpenBody>,
) -> Result<(StatusCode, Json<IncidentView>), Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let invalid = || {
        let text = "`detected_at` is a time as of RFC 3339, such as 2026-11-22T08:00:00Z; nothing was opened";
        told(ServiceError::Invalid { code: "detected_at_invalid", text: text.to_owned() })
    };
    let detected_ms = body.detected_at.map(|at| moment_ms(&at).ok_or_else(invalid)).transpose()?;
    let (tenant, scope) = scope(&front, &caller, &body.scope).await?;
    let OpenBody { severity, title, summary, .. } = body;
    let new = NewIncident { severity, title, summary, detected_ms, tenant, scope };
    let opened = front.service.open_incident(new, &caller.principal, &caller.origin).await.map_err(told)?;
    Ok((StatusCode::CREATED, Json(IncidentView::of(&opened, front.service.clock().unix_ms()))))
}

/// One incident.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = IncidentView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
) -> Result<Json<IncidentView>, Problem> {
    let row = front.service.incident(named(&caller, &id)?, &caller.principal).await;
    let (_, row) = row.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read_one(&front, &caller.origin, row.tenant, "incident", &id).await?;
    whole(&front, &caller, &row).await.map(Json)
}

/// An incident's timeline, oldest first.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/timeline", tag = "admin",
    params(("id" = String, Path), ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PageView<NoteView>), (status = 404, body = Problem)))]
pub(super) async fn timeline(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    query: PageQuery,
) -> Result<Json<PageView<NoteView>>, Problem> {
    let rows = front.service.timeline(named(&caller, &id)?, &caller.principal, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read_one(&front, &caller.origin, caller.principal.tenant, "incident", &id).await?;
    Ok(page(rows, |note| note.into()))
}

/// Adds to an incident's timeline.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/timeline", tag = "admin", params(("id" = String, Path)),
    request_body = NoteBody,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn note(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<NoteBody>,
) -> Result<Json<IncidentView>, Problem> {
    let id = named(&caller, &id)?;
    let row = front.service.note_incident(id, body.kind, &body.text, &caller.principal, &caller.origin).await;
    viewed(&front, &caller, row).await
}

/// The credentials that an incident touches, with their owners. A page may be short, and still have a next.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/affected", tag = "admin",
    params(("id" = String, Path), ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PageView<AffectedView>), (status = 404, body = Problem)))]
pub(super) async fn affected(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    query: PageQuery,
) -> Result<Json<PageView<AffectedView>>, Problem> {
    let named = named(&caller, &id)?;
    let rows = front.service.affected_credentials(named, &caller.principal, query.after, query.limit).await;
    touched(&front, &caller, &id, rows).await
}

/// The apps that may use what an incident touches. A page may be short, and still have a next.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/affected/apps", tag = "admin",
    params(("id" = String, Path), ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PageView<AffectedView>), (status = 404, body = Problem)))]
pub(super) async fn affected_apps(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    query: PageQuery,
) -> Result<Json<PageView<AffectedView>>, Problem> {
    let named = named(&caller, &id)?;
    let rows = front.service.affected_apps(named, &caller.principal, query.after, query.limit).await;
    touched(&front, &caller, &id, rows).await
}

async fn touched<T>(
    front: &Front,
    caller: &CallingOperator,
    id: &str,
    rows: Result<Page<T>, ServiceError>,
) -> Result<Json<PageView<AffectedView>>, Problem>
where
    for<'a> AffectedView: From<&'a T>,
{
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read_one(front, &caller.origin, caller.principal.tenant, "incident", id).await?;
    Ok(page(rows, |row| row.into()))
}

/// Stops everything that an incident touches, in one act. When this answers, nothing in it is signed any more.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/contain", tag = "admin", params(("id" = String, Path)),
    request_body = ContainBody,
    responses((status = 200, body = ContainedView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn contain(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<ContainBody>,
) -> Result<Json<ContainedView>, Problem> {
    let id = named(&caller, &id)?;
    let stop = match body.state {
        Containment::ReduceOnly => Stop::ReduceOnly,
        Containment::Frozen => Stop::Frozen,
        Containment::Revoked => Stop::Revoked,
    };
    if stop == Stop::Revoked {
        caller.proven(front.service.clock().unix_ms())?;
    }
    let ContainBody { reason, confirm, .. } = body;
    let done = front.service.contain_incident(id, stop, &confirm, &reason, &caller.principal, &caller.origin).await;
    let (row, open) = done.map_err(|e| Problem::of(&e, caller.origin.request))?;
    let incident = whole(&front, &caller, &row).await?;
    Ok(Json(ContainedView { incident, in_flight: super::credentials::in_flight(&open) }))
}

/// Tells the owners of everything that an incident touches, each once, what they are to do.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/notify", tag = "admin", params(("id" = String, Path)),
    request_body = NotifyBody,
    responses((status = 200, body = IncidentView), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn notify(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<NotifyBody>,
) -> Result<Json<IncidentView>, Problem> {
    let id = named(&caller, &id)?;
    let row = front.service.notify_incident(id, &body.text, &caller.principal, &caller.origin).await;
    viewed(&front, &caller, row).await
}

/// The keys whose owners could not be told of an incident. A page may be short, and still have a next.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/unreached", tag = "admin",
    params(("id" = String, Path), ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = PageView<UnreachedView>), (status = 404, body = Problem)))]
pub(super) async fn unreached(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    query: PageQuery,
) -> Result<Json<PageView<UnreachedView>>, Problem> {
    let rows = front.service.unreached(named(&caller, &id)?, &caller.principal, query.after, query.limit).await;
    let rows = rows.map_err(|e| Problem::of(&e, caller.origin.request))?;
    super::audit::read_one(&front, &caller.origin, caller.principal.tenant, "incident", &id).await?;
    Ok(page(rows, |row| row.into()))
}

/// Has everybody read of an incident at `/incidents`; once more, with another summary.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/publish", tag = "admin", params(("id" = String, Path)),
    request_body = PublishBody,
    responses((status = 200, body = IncidentView), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn publish(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<PublishBody>,
) -> Result<Json<IncidentView>, Problem> {
    let id = named(&caller, &id)?;
    let row = front.service.publish_incident(id, body.summary.as_deref(), &caller.principal, &caller.origin).await;
    viewed(&front, &caller, row).await
}

/// Notes that what a clock is about was done, or why it need not be.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/clocks", tag = "admin", params(("id" = String, Path)),
    request_body = ClockBody,
    responses((status = 200, body = IncidentView), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn meet(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<ClockBody>,
) -> Result<Json<IncidentView>, Problem> {
    let id = named(&caller, &id)?;
    let row = front.service.meet_deadline(id, body.clock, &body.text, &caller.principal, &caller.origin).await;
    viewed(&front, &caller, row).await
}

/// Reviews an incident and closes it; whoever opened it does not.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/close", tag = "admin", params(("id" = String, Path)),
    request_body = CloseBody,
    responses((status = 200, body = IncidentView), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn close(
    State(front): State<Front>,
    caller: CallingOperator,
    Path(Id { id }): Path<Id>,
    JsonBody(body): JsonBody<CloseBody>,
) -> Result<Json<IncidentView>, Problem> {
    let id = named(&caller, &id)?;
    let CloseBody { root_cause, measures } = body;
    let row = front.service.close_incident(id, &root_cause, &measures, &caller.principal, &caller.origin).await;
    viewed(&front, &caller, row).await
}

async fn viewed(
    front: &Front,
    caller: &CallingOperator,
    row: Result<Incident, ServiceError>,
) -> Result<Json<IncidentView>, Problem> {
    let row = row.map_err(|e| Problem::of(&e, caller.origin.request))?;
    whole(front, caller, &row).await.map(Json)
}

/// An incident with what owners were told of it.
async fn whole(front: &Front, caller: &CallingOperator, row: &Incident) -> Result<IncidentView, Problem> {
    let notices = front.service.notices_of(row).await.map_err(|e| Problem::of(&e, caller.origin.request))?;
    Ok(IncidentView::of(row, front.service.clock().unix_ms()).with_notices(&notices))
}

/// The scope that was meant, if the operator reaches it: one of a stop's, or a credential.
async fn scope(
    front: &Front,
    caller: &CallingOperator,
    body: &ScopeBody,
) -> Result<(Option<TenantId>, Scope), Problem> {
    if body.kind != "credential" {
        return stops::scope(front, caller, body).await;
    }
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let tenant = caller.tenant(front, &body.tenant).await?;
    let id = body.id.parse().map_err(|_| told(ServiceError::NotFound("credential")))?;
    front.service.fresh_credential(tenant, id).await.map_err(told)?;
    Ok((Some(tenant), Scope::Credential(id)))
}
