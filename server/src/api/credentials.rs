//! Credentials: listed, stopped, rotated, deleted.

mod query;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use claviger_core::act::Act;
use claviger_core::credential::Credential;
use claviger_core::execution::Origin;
use claviger_core::id::{CredentialId, TenantId};
use claviger_core::secret::Plaintext;
use claviger_core::service::{NewKey, Rotated, SeenCredential, ServiceError};
use claviger_core::store::{OpenIntent, Scope, Stop};
use claviger_core::view::{
    ApprovalView, CeilingView, CredentialView, InFlightView, PageView, PlanView, StopView, at_venue, old_key_at_venue,
};
use claviger_venues::Ceiling;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::acts::{ActBody, How, foreseen, perform};
use super::body::{Id, IfMatch, JsonBody, RawJson, Reason, page, tagged};
use super::gate::InTenant;
use super::problem::Problem;
use super::upkeep::At;
use crate::auth::{CallingApp, CallingOperator};
use crate::front::Front;
use crate::net::CloseConnection;
use query::{NeedsQuery, SoughtQuery};

/// A new key for a credential.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RotateBody {
    /// The new key id.
    key_id: String,
    /// The new secret.
    #[serde(rename = "secret")]
    #[schema(value_type = String)]
    _secret: IgnoredAny,
    /// What the new version may be used for at most, if not what the present one may. A wider one takes an approval.
    #[serde(default)]
    ceiling: Option<CeilingView>,
    /// When the new key is not to be used any more, RFC 3339; not given, as long as the venue takes it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    expires_at: Option<At>,
}

/// Found in the body where it stands; everything else is passed over.
#[derive(Deserialize)]
struct Secret<'a> {
    #[serde(borrow)]
    secret: &'a RawValue,
}

/// Decodes the secret straight into the locked arena: a text, or an object of texts as it came, which the keeper reads.
pub(super) fn secret_of(body: &RawJson) -> Result<Plaintext, String> {
    let secret = body.part::<Secret<'_>>()?.secret.get();
    if secret.starts_with('{') {
        return Plaintext::copy_of(secret.as_bytes()).map_err(|error| error.to_string());
    }
    serde_json::from_str(secret).map_err(|_| "not a secret, or one that is too long".to_owned())
}

/// Closes the connection after the answer: its buffers held a secret.
pub(super) fn closing(response: impl IntoResponse) -> Response {
    let mut response = response.into_response();
    response.extensions_mut().insert(CloseConnection);
    response
}

/// The tenant's credentials, oldest first.
#[utoipa::path(get, path = "/api/v1/credentials", tag = "api",
    params(("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query), ("needs" = Option<String>, Query)),
    responses((status = 200, body = PageView<CredentialView>)))]
pub(super) async fn list_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    query: NeedsQuery,
) -> Result<Json<PageView<CredentialView>>, Problem> {
    let query = SoughtQuery { needs: query, sought: None };
    listed(&front, &caller.origin, caller.principal.tenant, query, |_| true).await
}

/// A tenant's credentials, oldest first.
///
/// With `q` only those are shown that have each of its words, in whatever case, in label, owner, venue, ceiling, state,
/// health or hint, and words of six characters or more in the id; a `q` that is an id, or how one begins, goes straight
/// there. One answer looks at a bounded number of credentials: a page may be short, or empty, and yet have a
/// `next_cursor`, with which the search goes on.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/credentials", tag = "admin", params(("t" = String, Path),
    ("limit" = Option<usize>, Query), ("cursor" = Option<String>, Query), ("needs" = Option<String>, Query),
    ("q" = Option<String>, Query, description = "At most 8 words of 64 characters.")),
    responses((status = 200, body = PageView<CredentialView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    query: SoughtQuery,
) -> Result<Json<PageView<CredentialView>>, Problem> {
    let flagged_only = caller.principal.flagged_only;
    listed(&front, &caller.origin, tenant, query, |row| !flagged_only || row.is_flagged()).await
}

async fn listed(
    front: &Front,
    origin: &Origin,
    tenant: TenantId,
    SoughtQuery { needs: NeedsQuery { page: query, reenroll }, sought }: SoughtQuery,
    shows: impl Fn(&Credential) -> bool,
) -> Result<Json<PageView<CredentialView>>, Problem> {
    let rows = front.service.credentials(tenant, sought, query.after, query.limit).await;
    let mut rows = rows.map_err(|e| Problem::of(&e, origin.request))?;
    rows.rows.retain(|seen| shows(&seen.row) && (!reenroll || seen.row.upkeep.reenroll.is_some()));
    super::audit::read(front, origin, Some(tenant), "credential").await?;
    Ok(page(rows, |seen: &SeenCredential| seen.into()))
}

/// One credential of the app's tenant.
#[utoipa::path(get, path = "/api/v1/credentials/{id}", tag = "api", params(("id" = String, Path)),
    responses((status = 200, body = CredentialView), (status = 404, body = Problem)))]
pub(super) async fn show_as_app(
    State(front): State<Front>,
    caller: CallingApp,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    shown(&front, &caller.origin, caller.principal.tenant, &id, |_| true).await
}

/// One credential, with its `ETag`.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/credentials/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = CredentialView), (status = 404, body = Problem)))]
pub(super) async fn show(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Response, Problem> {
    let flagged_only = caller.principal.flagged_only;
    shown(&front, &caller.origin, tenant, &id, |row| !flagged_only || row.is_flagged()).await
}

async fn shown(
    front: &Front,
    origin: &Origin,
    tenant: TenantId,
    id: &str,
    shows: impl Fn(&Credential) -> bool,
) -> Result<Response, Problem> {
    let id = named(origin, id)?;
    let told = |error: ServiceError| Problem::of(&error, origin.request);
    let known = front.service.fresh_credential(tenant, id).await.map_err(told)?;
    if !shows(&known.row) {
        return Err(told(ServiceError::NotFound("credential")));
    }
    let born = front.service.born_key(tenant, id).await.map_err(told)?;
    super::audit::read_one(front, origin, Some(tenant), "credential", &id.to_string()).await?;
    let seen = front.service.known_credential(known.row.clone()).await.map_err(told)?;
    let view = CredentialView { kek_version: known.material.kek_version(), ..CredentialView::from(&seen) };
    let view = if let Some(born) = born { view.with_key(known.row.venue, &born) } else { view };
    Ok(tagged(known.version, view))
}

/// The credential that a path names.
pub(super) fn named(origin: &Origin, id: &str) -> Result<CredentialId, Problem> {
    id.parse().map_err(|_| Problem::of(&ServiceError::NotFound("credential"), origin.request))
}

/// Freezes a credential.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/freeze", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = Reason,
    responses((status = 200, body = StopView), (status = 404, body = Problem)))]
pub(super) async fn freeze(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<StopView>, Problem> {
    stopped(&front, &caller, (tenant, &id), Stop::Frozen, reason.reason).await
}

/// Lets only cancels, closing orders and reads through.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/reduce-only", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)), request_body = Reason,
    responses((status = 200, body = StopView), (status = 404, body = Problem)))]
pub(super) async fn reduce_only(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Json<StopView>, Problem> {
    stopped(&front, &caller, (tenant, &id), Stop::ReduceOnly, reason.reason).await
}

/// Revokes a credential, for ever; `?dry_run=true` only says what that does.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/revoke", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("dry_run" = Option<bool>, Query)), request_body = Reason,
    responses((status = 200, body = StopView), (status = 404, body = Problem)))]
pub(super) async fn revoke(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(reason): JsonBody<Reason>,
) -> Result<Response, Problem> {
    let scope = Scope::Credential(named(&caller.origin, &id)?);
    if let Some(seen) = foreseen(&front, &caller, &how, tenant, &scope).await? {
        return Ok(seen);
    }
    let reason = reason.required().map_err(|e| Problem::of(&e, caller.origin.request))?;
    stopped(&front, &caller, (tenant, &id), Stop::Revoked, reason).await.map(IntoResponse::into_response)
}

async fn stopped(
    front: &Front,
    caller: &CallingOperator,
    (tenant, id): (TenantId, &str),
    stop: Stop,
    reason: String,
) -> Result<Json<StopView>, Problem> {
    let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
    let id = named(&caller.origin, id)?;
    let known = front.service.fresh_credential(tenant, id).await.map_err(told)?;
    let revoked =
        front.service.stop(Some(tenant), Scope::Credential(id), stop, &reason, &caller.origin).await.map_err(told)?;
    let state = match stop {
        Stop::ReduceOnly => "reduce-only",
        Stop::Frozen => "frozen",
        Stop::Revoked => "revoked",
    };
    let at_venue = (stop == Stop::Revoked).then(|| at_venue(known.row.venue));
    Ok(Json(StopView {
        scope: format!("credential {id}"),
        state: state.to_owned(),
        in_flight: in_flight(&revoked.open),
        at_venue,
    }))
}

pub(super) fn in_flight(open: &[OpenIntent]) -> Vec<InFlightView> {
    open.iter().map(InFlightView::from).collect()
}

/// Makes a frozen or reduce-only credential active again, once a second operator has approved it.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/unfreeze", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header), ("If-Match" = Option<String>, Header)), request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn unfreeze(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    let credential = named(&caller.origin, &id)?;
    perform(&front, &caller, &how.matched(&caller)?, Act::UnfreezeCredential { tenant, credential }, &body).await
}

/// What the next version of a credential may be used for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CeilingBody {
    /// The most that it may be used for.
    ceiling: CeilingView,
    /// Why, in 10 to 200 characters; the plan needs none.
    #[serde(default)]
    reason: String,
}

/// Lets the next rotation enroll a key with a wider ceiling, once a second operator has approved it.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/ceiling", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header), ("If-Match" = Option<String>, Header)), request_body = CeilingBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn widen(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(body): JsonBody<CeilingBody>,
) -> Result<Response, Problem> {
    let credential = named(&caller.origin, &id)?;
    let ceiling = ceiling(&body.ceiling).map_err(|e| Problem::of(&e, caller.origin.request))?;
    let act = Act::WidenCeiling { tenant, credential, ceiling };
    let body = ActBody { reason: body.reason, ..ActBody::default() };
    perform(&front, &caller, &how.matched(&caller)?, act, &body).await
}

fn ceiling(view: &CeilingView) -> Result<Ceiling, ServiceError> {
    view.parse().map_err(|text| ServiceError::Invalid { code: "ceiling_invalid", text })
}

/// Replaces the key: the new one is proven, then the old ciphertext is gone.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/rotate", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("If-Match" = String, Header)), request_body = RotateBody,
    responses((status = 200, body = CredentialView), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn rotate(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    if_match: IfMatch,
    body: RawJson,
) -> Response {
    let rotated = async {
        let told = |error: ServiceError| Problem::of(&error, caller.origin.request);
        let id = named(&caller.origin, &id)?;
        let asked: RotateBody = body.read()?;
        let secret = move || secret_of(&body);
        let wider = asked.ceiling.as_ref().map(ceiling).transpose().map_err(told)?;
        let key = NewKey { key_id: asked.key_id, ceiling: wider, expires_ms: asked.expires_at.map(|at| at.0) };
        let rotated = front.service.rotate(tenant, id, if_match.0, key, secret, &caller.origin).await;
        let Rotated { credential, exchanged } = rotated.map_err(|error| told(error).noted())?;
        let at_venue = exchanged.then(|| old_key_at_venue(credential.venue));
        Ok::<_, Problem>(Json(CredentialView { at_venue, ..CredentialView::from(&credential) }))
    };
    closing(rotated.await)
}

/// Asks the venue again what the key may do.
#[utoipa::path(post, path = "/api/v1/tenants/{t}/credentials/{id}/probe", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path)),
    responses((status = 200, body = CredentialView), (status = 503, body = Problem)))]
pub(super) async fn probe(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
) -> Result<Json<CredentialView>, Problem> {
    let id = named(&caller.origin, &id)?;
    let probed = front.service.reprobe(tenant, id, &caller.origin).await;
    let (row, alarmed) = probed.map_err(|e| Problem::of(&e, caller.origin.request))?;
    if alarmed {
        metrics::counter!("claviger_alarms_total", "kind" => "scope-gained").increment(1);
    }
    Ok(Json((&row).into()))
}

/// Deletes a credential: frozen when it is asked for, gone for good some time after a second operator approved it.
#[utoipa::path(delete, path = "/api/v1/tenants/{t}/credentials/{id}", tag = "admin",
    params(("t" = String, Path), ("id" = String, Path), ("dry_run" = Option<bool>, Query),
        ("Plan-Digest" = Option<String>, Header), ("If-Match" = Option<String>, Header)), request_body = ActBody,
    responses((status = 200, body = PlanView), (status = 202, body = ApprovalView), (status = 403, body = Problem),
        (status = 412, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn delete(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
    Path(Id { id }): Path<Id>,
    how: How,
    JsonBody(body): JsonBody<ActBody>,
) -> Result<Response, Problem> {
    let credential = named(&caller.origin, &id)?;
    perform(&front, &caller, &how.matched(&caller)?, Act::DeleteCredential { tenant, credential }, &body).await
}
