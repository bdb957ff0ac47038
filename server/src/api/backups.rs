//! Backups: made when asked, and listed with what the last look at them found. They are opened elsewhere.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use claviger_core::view::{BackupView, PageView};

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// The backups that are kept, newest first.
#[utoipa::path(get, path = "/api/v1/backups", tag = "admin",
    responses((status = 200, body = PageView<BackupView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<BackupView>>, Problem> {
    let backups = front.service.backups().await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    super::audit::read(&front, &caller.origin, None, "backup").await?;
    let now = front.service.clock().unix_ms();
    let data = backups.iter().map(|backup| BackupView::of(backup, now)).collect();
    Ok(Json(PageView { data, next_cursor: None }))
}

/// Makes a backup, and answers when it is durable.
#[utoipa::path(post, path = "/api/v1/backups", tag = "admin",
    responses((status = 201, body = BackupView), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn make(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<(StatusCode, Json<BackupView>), Problem> {
    let request = caller.origin.request;
    let Some(backups) = front.backups.clone() else {
        let text = "no backup was made: nobody could open it. Name recipients in `backup.recipients`, and start again";
        return Err(Problem::new(StatusCode::CONFLICT, "backup_not_configured", text, request));
    };
    // It goes on when the caller does not wait.
    let service = front.service.clone();
    let made = tokio::spawn(async move { backups.make(&service, &caller.origin).await }).await;
    let failed = |why: String| {
        let text = format!("no backup was made: {why}; see to it, and ask again");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "backup_failed", &text, request)
    };
    let backup = made.map_err(|e| failed(e.to_string()))?.map_err(failed)?;
    Ok((StatusCode::CREATED, Json(BackupView::of(&backup, front.service.clock().unix_ms()))))
}
