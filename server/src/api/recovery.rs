//! Whether everything could be recovered without the token.

use axum::Json;
use axum::extract::State;
use claviger_core::service::ServiceError;
use claviger_core::view::RecoveryView;

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// The recovery key's shares in numbers, what has no wrap, and how old the recovery file is.
#[utoipa::path(get, path = "/api/v1/recovery", tag = "admin",
    responses((status = 200, body = RecoveryView), (status = 404, body = Problem)))]
pub(super) async fn show(State(front): State<Front>, caller: CallingOperator) -> Result<Json<RecoveryView>, Problem> {
    let view = view(&front).await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, None, "backup").await?;
    Ok(Json(view))
}

async fn view(front: &Front) -> Result<RecoveryView, ServiceError> {
    let key = front.service.recovery_key().await?.ok_or(ServiceError::NotFound("recovery key"))?;
    let generation = front.service.store().wraps_changed().await?;
    Ok(RecoveryView::of(&key, generation, front.service.recovery_state()))
}
