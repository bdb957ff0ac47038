//! Whether the service lives, and which part is red.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use claviger_core::keeper::KeeperError;
use claviger_core::view::ReadyView;

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// The process runs.
#[utoipa::path(get, path = "/livez", tag = "public", responses((status = 200, body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Executions are served; if not, the part that is red says so.
#[utoipa::path(get, path = "/readyz", tag = "public",
    responses((status = 200, body = ReadyView), (status = 503, body = ReadyView)))]
pub(super) async fn ready(State(front): State<Front>) -> Response {
    let view = view(&front).await;
    let status = if view.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // What exactly is wrong is the operators' business.
    let parts =
        view.parts.into_iter().map(|(part, state)| (part, if state == "ok" { state } else { "down".to_owned() }));
    (status, Json(ReadyView { ready: view.ready, parts: parts.collect(), warnings: Vec::new() })).into_response()
}

/// The parts, with what is wrong with each and what to do.
#[utoipa::path(get, path = "/api/v1/status", tag = "admin", responses((status = 200, body = ReadyView)))]
pub(super) async fn status(State(front): State<Front>, caller: CallingOperator) -> Result<Json<ReadyView>, Problem> {
    super::audit::read(&front, &caller.origin, None, "status").await?;
    Ok(Json(view(&front).await))
}

async fn view(front: &Front) -> ReadyView {
    let ok = || "ok".to_owned();
    let no_keeper = front.notes.no_keeper.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (keeper, token) = match front.service.keeper().health().await {
        Ok(()) => (ok(), ok()),
        Err(KeeperError::Gone) => {
            let why = no_keeper.unwrap_or_else(|| "the keeper is being started".to_owned());
            (why, "not known without the keeper".to_owned())
        }
        Err(error) => (ok(), error.to_string()),
    };
    let store = front.service.store().health().await.map_or_else(|e| e.to_string(), |()| ok());
    let audit = if store == "ok" { ok() } else { "not writable: it is part of the store".to_owned() };
    let parts: BTreeMap<String, String> = [("keeper", keeper), ("token", token), ("store", store), ("audit", audit)]
        .into_iter()
        .map(|(part, state)| (part.to_owned(), state))
        .collect();
    let warnings = front.notes.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ReadyView { ready: parts.values().all(|state| state == "ok"), parts, warnings }
}
