//! Everything at a glance, for the first screen of whoever watches; and by which rules requests are refused.

use axum::Json;
use axum::extract::State;
use claviger_core::audit::timestamp;
use claviger_core::id::TenantId;
use claviger_core::identity::OperatorPrincipal;
use claviger_core::identity::role::{Action, Permission, Resource};
use claviger_core::service::{Service, ServiceError};
use claviger_core::view::{
    DenialsView, DeniedByView, FirstView, GapView, OverviewView, RotationView, TenantRotationView, VenueStateView,
};

use super::gate::InTenant;
use super::health;
use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// Rotations that are shown at most: those of the root key go on one at a time.
const ROTATIONS_MAX: usize = 20;

/// Refusals are counted for so long, milliseconds.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Everything at a glance, as far as the role lets the operator read it.
#[utoipa::path(get, path = "/api/v1/overview", tag = "admin", responses((status = 200, body = OverviewView)))]
pub(super) async fn show(State(front): State<Front>, caller: CallingOperator) -> Result<Json<OverviewView>, Problem> {
    super::audit::note(&front, &caller.origin, None, "overview", "").await?;
    let (service, principal) = (&front.service, &caller.principal);
    let may = |resource| principal.permissions.has(Permission(resource, Action::Read));
    let ready = health::seen(&front, health::FRESH).await;
    // A store that is down shows in its part: what it would say is absent then.
    let incidents = if may(Resource::Incident) { service.running_incidents(principal.tenant).await.ok() } else { None };
    let approvals_waiting =
        if may(Resource::Approval) { service.approvals_waiting(principal).await.ok() } else { None };
    let rotating = if may(Resource::Kek) { rotations(service, principal).await.ok() } else { None };
    let (rotations, more_rotations) = rotating.unwrap_or_default();
    let expiring = if may(Resource::Credential) && !principal.flagged_only {
        service.expiring(principal.tenant).await.ok()
    } else {
        None
    };
    // Logins belong to no tenant.
    let unreviewed =
        if may(Resource::Login) && principal.tenant.is_none() { service.unreviewed_logins().await.ok() } else { None };
    let counted = may(Resource::Execution) && !principal.flagged_only;
    Ok(Json(OverviewView {
        ready,
        now: timestamp(service.clock().unix_ms()),
        started_at: timestamp(service.since_ms()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        last_minute: counted.then(|| service.last_minute(principal.tenant).into()),
        venues: venues(service).await,
        incidents: incidents.as_ref().map(Into::into),
        approvals_waiting,
        expiring: expiring.map(|found| FirstView::of(&found.credentials, found.more)),
        unreviewed_logins: unreviewed.map(|found| FirstView::of(&found, false)),
        rotations,
        more_rotations,
    }))
}

async fn venues(service: &Service) -> Vec<VenueStateView> {
    let gaps = service.gaps().await.unwrap_or_default();
    let mut enabled: Vec<_> = service.venues().enabled.iter().copied().collect();
    enabled.sort_unstable();
    let views = enabled.into_iter().map(|venue| VenueStateView {
        id: venue.to_string(),
        gap: gaps.iter().find(|gap| gap.venue == venue).map(GapView::from),
        quiet_ms: service.quiet_of(venue).map(|quiet| u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX)),
    });
    views.collect()
}

/// The first rotations that go on, and whether there are more.
async fn rotations(
    service: &Service,
    principal: &OperatorPrincipal,
) -> Result<(Vec<TenantRotationView>, bool), ServiceError> {
    let mut under_way = service.rotations_under_way().await?;
    under_way.retain(|tenant: &TenantId| principal.reaches(*tenant));
    let more = under_way.len() > ROTATIONS_MAX;
    let mut views = Vec::new();
    for tenant in under_way.into_iter().take(ROTATIONS_MAX) {
        let (_, rotation, left) = service.rotation(tenant).await?;
        views.push(TenantRotationView { tenant: tenant.to_string(), rotation: RotationView::of(&rotation, left) });
    }
    Ok((views, more))
}

/// By which rules a tenant's requests were refused in the last 24 hours, or since the service started.
#[utoipa::path(get, path = "/api/v1/tenants/{t}/denials", tag = "admin", params(("t" = String, Path)),
    responses((status = 200, body = DenialsView)))]
pub(super) async fn denials(
    State(front): State<Front>,
    caller: CallingOperator,
    InTenant(tenant): InTenant,
) -> Result<Json<DenialsView>, Problem> {
    super::audit::read(&front, &caller.origin, Some(tenant), "denial").await?;
    let service = &front.service;
    let since_ms = service.since_ms().max(service.clock().unix_ms().saturating_sub(DAY_MS));
    let data = service.denials(tenant).iter().map(DeniedByView::from).collect();
    Ok(Json(DenialsView { since: timestamp(since_ms), data }))
}
