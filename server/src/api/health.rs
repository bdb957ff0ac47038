//! Whether the service lives, and which part is red.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claviger_core::audit::timestamp;
use claviger_core::identity::role::{Action, Permission, Resource};
use claviger_core::keeper::KeeperError;
use claviger_core::service::Expiring;
use claviger_core::view::{ExpiringView, GapView, LoginView, ReadyView, StatusView};
use tokio::time::timeout;

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// How long an answer about readiness holds.
pub(super) const FRESH: Duration = Duration::from_millis(100);

/// How long the keeper may take to say that it is well.
const PATIENCE: Duration = Duration::from_secs(1);

/// The process runs.
#[utoipa::path(get, path = "/livez", tag = "public", responses((status = 200, body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Executions are served; if not, the part that is red says so.
#[utoipa::path(get, path = "/readyz", tag = "public",
    responses((status = 200, body = ReadyView), (status = 503, body = ReadyView)))]
pub(super) async fn ready(State(front): State<Front>) -> Response {
    let view = seen(&front, FRESH).await;
    let status = if view.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // What exactly is wrong is the operators' business; that something is to be mended is everybody's who watches.
    let parts =
        view.parts.into_iter().map(|(part, state)| (part, if state == "ok" { state } else { "down".to_owned() }));
    (status, Json(ReadyView { ready: view.ready, parts: parts.collect(), warnings: front.notes.codes() }))
        .into_response()
}

/// How the parts are, or were no longer ago than `fresh`.
///
/// Anybody may ask, and each look costs the token a call: one serves all who ask within a moment.
pub(super) async fn seen(front: &Front, fresh: Duration) -> ReadyView {
    let mut seen = front.notes.seen.lock().await;
    let now = front.service.clock().boot();
    match &*seen {
        Some((at, view)) if at.until(now) < fresh => view.clone(),
        Some(_) | None => seen.insert((now, view(front).await)).1.clone(),
    }
}

/// The parts, with what is wrong with each and what to do.
#[utoipa::path(get, path = "/api/v1/status", tag = "admin", responses((status = 200, body = StatusView)))]
pub(super) async fn status(State(front): State<Front>, caller: CallingOperator) -> Result<Json<StatusView>, Problem> {
    // With the disk all but full this is where an operator reads so.
    super::audit::note(&front, &caller.origin, None, "status", "").await?;
    // A store that is down shows in its part.
    let unreviewed = front.service.unreviewed_logins().await.unwrap_or_default();
    let unreviewed_logins = unreviewed.iter().map(LoginView::from).collect();
    let mut ready = view(&front).await;
    // Not among what everybody is told: an incident is not public before somebody publishes it.
    let running = front.service.running_incidents(caller.principal.tenant).await.unwrap_or_default();
    ready.warnings.extend(running.overdue.iter().map(|(id, deadline)| {
        let (duty, due) = (deadline.duty.as_str(), timestamp(deadline.due_ms));
        format!("{id}: the clock `{duty}` ran out at {due}: do what it asks for, then `claviger incident clock`")
    }));
    let gaps = front.service.gaps().await.unwrap_or_default().iter().map(GapView::from).collect();
    // Whoever sees flagged records only sees none of these before they are frozen.
    let principal = &caller.principal;
    let shown = !principal.flagged_only && principal.permissions.has(Permission(Resource::Credential, Action::Read));
    let expiring =
        if shown { front.service.expiring(principal.tenant).await.unwrap_or_default() } else { Expiring::default() };
    let expiring = expiring.credentials.iter().map(ExpiringView::from).collect();
    Ok(Json(StatusView { ready, unreviewed_logins, gaps, expiring }))
}

async fn view(front: &Front) -> ReadyView {
    let ok = || "ok".to_owned();
    let unknown = || "not known without the keeper".to_owned();
    let (keeper, token) = match timeout(PATIENCE, front.service.keeper().health()).await {
        Ok(Ok(_worn)) => (ok(), ok()),
        Err(_) => ("the keeper does not answer".to_owned(), unknown()),
        Ok(Err(KeeperError::Gone)) => {
            let why = front.notes.no_keeper().unwrap_or_else(|| "the keeper is being started".to_owned());
            (why, unknown())
        }
        Ok(Err(error)) => (ok(), error.to_string()),
    };
    let store = front.service.store().health().await.map_or_else(|e| e.to_string(), |()| ok());
    let audit = if store == "ok" { ok() } else { "not writable: it is part of the store".to_owned() };
    let disk = front.notes.disk().unwrap_or_else(ok);
    let parts = [("keeper", keeper), ("token", token), ("store", store), ("audit", audit), ("disk", disk)];
    let parts: BTreeMap<String, String> = parts.map(|(part, state)| (part.to_owned(), state)).into();
    ReadyView { ready: parts.values().all(|state| state == "ok"), parts, warnings: front.notes.warnings() }
}
