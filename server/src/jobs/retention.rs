//! Retention: what is older than `audit.keep_days` moves from the store to segments under `audit/segments`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use claviger_core::service::{Folder, RetentionError, Service};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The first time this long after the start, when there is less to do than at once.
const FIRST: Duration = Duration::from_secs(10);

/// Then this often.
const EVERY: Duration = Duration::from_hours(1);

/// Moves old entries to segments in `folder` until `stopped` says so; none if `keep` is zero.
pub(crate) async fn retain(folder: PathBuf, keep: Duration, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    if keep.is_zero() {
        return;
    }
    let start = Instant::now().checked_add(FIRST).unwrap_or_else(Instant::now);
    let mut ticks = interval_at(start, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        let (folder, service, mut stop) = (folder.clone(), service.clone(), stopped.clone());
        let runtime = Handle::current();
        // Files are read and written there, and whoever waits for an answer is not kept waiting by the disk.
        let round = tokio::task::spawn_blocking(move || {
            runtime.block_on(async {
                tokio::select! {
                    round = round(folder, keep, &service) => round,
                    // What was begun goes on after the next start.
                    _ = stop.changed() => Ok(0),
                }
            })
        });
        match round.await {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => tracing::info!(count, "audit entries left the store; segments have them"),
            Ok(Err(error)) => tracing::error!(%error, "old audit entries stay in the store"),
            Err(error) => tracing::error!(%error, "old audit entries stay in the store"),
        }
    }
}

async fn round(folder: PathBuf, keep: Duration, service: &Service) -> Result<u64, RetentionError> {
    service.retain(keep, &Folder::open(folder)?).await
}
