//! What was deleted and is in backups yet: how long, and what is done about it.

use axum::Json;
use axum::extract::State;
use claviger_core::view::EpochsView;

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// How it stands with what was deleted: what opens from backups yet, and until when.
#[utoipa::path(get, path = "/api/v1/deletions", tag = "admin", responses((status = 200, body = EpochsView)))]
pub(super) async fn show(State(front): State<Front>, caller: CallingOperator) -> Result<Json<EpochsView>, Problem> {
    let state = front.service.epoch_state().await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, None, "backup").await?;
    Ok(Json(EpochsView::of(&state, front.service.clock().unix_ms())))
}
