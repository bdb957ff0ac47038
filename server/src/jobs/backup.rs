//! Backups: made when they are due, looked at, and removed when their time is over.

use std::sync::Arc;
use std::time::Duration;

use claviger_core::backup::Backup;
use claviger_core::execution::Origin;
use claviger_core::service::{Service, ServiceError};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::backup::Backups;
use crate::config;

/// It is looked this often whether something is due.
const EVERY: Duration = Duration::from_mins(1);

/// Each backup is looked at this often: milliseconds.
const DRILL_MS: u64 = 24 * 60 * 60 * 1_000;

/// Does what is due until `stopped` says so.
pub(crate) async fn back_up(
    backups: Arc<Backups>,
    config: config::Backup,
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        if let Err(error) = look(&backups, &config, &service).await {
            tracing::warn!(%error, "backups are looked at again in a minute");
        }
    }
}

async fn look(backups: &Arc<Backups>, config: &config::Backup, service: &Service) -> Result<(), ServiceError> {
    let known = service.backups().await?;
    let now = service.clock().unix_ms();
    let newest = known.first().map_or(0, |backup| backup.at_ms);
    let (every, keep) = (millis(config.every()), millis(config.keep()));
    if every > 0 && newest.saturating_add(every) <= now {
        // A failure is told where it happens.
        let _ = backups.make(service, &Origin::system(service.clock())).await;
    }
    for backup in known {
        if keep > 0 && backup.at_ms.saturating_add(keep) <= now {
            match backups.remove(&backup.name) {
                Ok(()) => service.forget_backup(&backup.name).await?,
                Err(error) => tracing::warn!(%error, backup = backup.name, "an old backup could not be removed"),
            }
        } else if backup.checked.as_ref().is_none_or(|checked| checked.at_ms.saturating_add(DRILL_MS) <= now) {
            drill(backups, service, backup).await?;
        }
    }
    Ok(())
}

/// Looks at one as far as it can be done without its identity.
async fn drill(backups: &Arc<Backups>, service: &Service, backup: Backup) -> Result<(), ServiceError> {
    let (folder, asked) = (backups.clone(), backup.clone());
    let Ok(fault) = tokio::task::spawn_blocking(move || folder.fault(&asked)).await else { return Ok(()) };
    if fault.is_some() {
        metrics::counter!("claviger_alarms_total", "kind" => "backup").increment(1);
    }
    service.judge_backup(backup, fault).await
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
