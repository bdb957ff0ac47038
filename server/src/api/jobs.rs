//! What goes on beside requests, and by which configuration: for operators of all tenants.

use axum::Json;
use axum::extract::State;
use claviger_core::audit::timestamp;
use claviger_core::notice::Queue;
use claviger_core::rotation::RotationState;
use claviger_core::service::ServiceError;
use claviger_core::store::{Key, Range, Row, Versioned};
use claviger_core::view::{EpochsView, JobView, PageView, RotationView, SettingView};

use super::problem::Problem;
use crate::auth::CallingOperator;
use crate::front::Front;

/// What waits in a queue is counted up to so many.
const COUNTED_MAX: usize = 1_000;

/// What goes on beside requests.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "admin", responses((status = 200, body = PageView<JobView>)))]
pub(super) async fn list(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<JobView>>, Problem> {
    super::audit::read(&front, &caller.origin, None, "job").await?;
    let data = all(&front).await.map_err(|error| Problem::of(&error, caller.origin.request))?;
    Ok(Json(PageView { data, next_cursor: None }))
}

/// The configuration in force, each value with where it comes from. Files with secrets are named, and never read for it.
#[utoipa::path(get, path = "/api/v1/settings", tag = "admin", responses((status = 200, body = PageView<SettingView>)))]
pub(super) async fn settings(
    State(front): State<Front>,
    caller: CallingOperator,
) -> Result<Json<PageView<SettingView>>, Problem> {
    super::audit::read(&front, &caller.origin, None, "settings").await?;
    Ok(Json(PageView { data: front.settings.to_vec(), next_cursor: None }))
}

async fn all(front: &Front) -> Result<Vec<JobView>, ServiceError> {
    let mut jobs = rotations(front).await?;
    jobs.push(root_rotation(front).await?);
    jobs.push(deletions(front).await?);
    jobs.push(backups(front).await?);
    jobs.push(recovery(front).await?);
    jobs.push(monitor(front).await?);
    jobs.extend(sinks(front).await?);
    let letters = [("notices: who is on the list", Queue::Tend), ("notices: letters", Queue::Mail)];
    for (name, queue) in letters {
        jobs.push(queued(front, name, Range::Deliveries(queue)).await?);
    }
    jobs.push(queued(front, "webhooks: what happened", Range::Events).await?);
    jobs.push(queued(front, "webhooks: messages", Range::WebhooksDueAfter(None)).await?);
    Ok(jobs)
}

/// Rotations of tenants' KEKs that go on.
async fn rotations(front: &Front) -> Result<Vec<JobView>, ServiceError> {
    let mut jobs = Vec::new();
    for tenant in front.service.rotations_under_way().await?.into_iter().take(COUNTED_MAX) {
        let (_, rotation, left) = front.service.rotation(tenant).await?;
        jobs.push(JobView::of_rotation(format!("KEK of {tenant}"), RotationView::of(&rotation, left)));
    }
    Ok(jobs)
}

async fn root_rotation(front: &Front) -> Result<JobView, ServiceError> {
    match front.service.root_rotation().await {
        Ok(progress) if progress.rotation.sum.state != RotationState::Done => {
            Ok(JobView::of_rotation("root key", RotationView::of(&progress.rotation.sum, progress.left)))
        }
        Ok(_) | Err(ServiceError::NotFound(_)) => Ok(JobView::new("root key", "idle")),
        Err(error) => Err(error),
    }
}

/// The epoch at whose end what was deleted opens from no backup any more.
async fn deletions(front: &Front) -> Result<JobView, ServiceError> {
    let epochs = EpochsView::of(&front.service.epoch_state().await?, front.service.clock().unix_ms());
    let rows = epochs.unerased.iter().fold(0_u64, |sum, tenant| sum.saturating_add(tenant.rows));
    let held = epochs.waiting.iter().any(|waiting| waiting.late);
    let late = epochs.late.then(|| "its end, or the move after the one before, hangs".to_owned());
    let state = if epochs.state == "open" { "idle" } else { "running" };
    Ok(JobView {
        since: Some(epochs.began_at),
        left: Some(rows),
        error: late.or(held.then(|| "root keys of an epoch that is over are not destroyed yet".to_owned())),
        ..JobView::new("deletion epoch", state)
    })
}

async fn backups(front: &Front) -> Result<JobView, ServiceError> {
    let backups = front.service.backups().await?;
    let newest = backups.first();
    let fault = newest.and_then(|newest| newest.checked.as_ref()?.fault.clone());
    let state = match (&front.backups, &fault) {
        (None, _) => "off",
        (Some(_), Some(_)) => "failing",
        (Some(_), None) => "idle",
    };
    let since = newest.map(|newest| timestamp(newest.at_ms));
    Ok(JobView { since, error: fault, ..JobView::new("backups", state) })
}

async fn recovery(front: &Front) -> Result<JobView, ServiceError> {
    if front.service.recovery_key().await?.is_none() {
        return Ok(JobView::new("recovery file", "off"));
    }
    let generation = front.service.store().wraps_changed().await?;
    let (found, file) = front.service.recovery_state();
    let is_newest = file.as_ref().is_some_and(|file| file.generation == generation);
    Ok(JobView {
        since: file.map(|file| timestamp(file.at_ms)),
        done: Some(found.rows.saturating_sub(found.lacking)),
        left: Some(found.lacking),
        ..JobView::new("recovery file", if is_newest { "idle" } else { "running" })
    })
}

/// The health monitor, which asks about every key once in a cycle.
async fn monitor(front: &Front) -> Result<JobView, ServiceError> {
    let gaps = front.service.gaps().await?;
    let venues: Vec<String> = gaps.iter().map(|gap| gap.venue.to_string()).collect();
    let error = (!gaps.is_empty()).then(|| format!("cannot be asked about keys: {}", venues.join(", ")));
    let since = gaps.iter().map(|gap| gap.since_ms).min().map(timestamp);
    Ok(JobView { since, error, ..JobView::new("health monitor", if gaps.is_empty() { "running" } else { "failing" }) })
}

/// The sinks of the audit log, in entries.
async fn sinks(front: &Front) -> Result<Vec<JobView>, ServiceError> {
    let size = front.service.store().tree_head().await?.size;
    let mut jobs = Vec::new();
    for name in front.sinks.iter() {
        let done = match front.service.store().get(Key::Sink(name.clone())).await? {
            Some(Versioned { row: Row::Sink(cursor), .. }) => cursor.leaf,
            _ => 0,
        };
        let left = size.saturating_sub(done);
        let job = JobView::new(format!("audit sink {name}"), if left == 0 { "idle" } else { "running" });
        jobs.push(JobView { done: Some(done), left: Some(left), ..job });
    }
    Ok(jobs)
}

/// A queue, counted up to [`COUNTED_MAX`].
async fn queued(front: &Front, name: &str, range: Range) -> Result<JobView, ServiceError> {
    let waiting = front.service.store().scan(range, None, COUNTED_MAX).await?.rows.len();
    let left = u64::try_from(waiting).unwrap_or(u64::MAX);
    Ok(JobView { left: Some(left), ..JobView::new(name, if left == 0 { "idle" } else { "running" }) })
}
