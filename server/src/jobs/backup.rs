//! Backups: made when they are due, looked at, and removed when their time is over.

use std::sync::Arc;
use std::time::Duration;

use claviger_core::backup::Backup;
use claviger_core::execution::Origin;
use claviger_core::service::{Service, ServiceError};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::backup::{self, Backups};
use crate::config;

/// It is looked this often whether something is due.
const EVERY: Duration = Duration::from_mins(1);

/// The longest pause between two tries of one that fails, in looks: an hour.
const PAUSE_MAX: u32 = 60;

/// A time that lies ahead by more than this, milliseconds, was not told by this machine's clock.
const AHEAD_MS: u64 = 60 * 1_000;

/// Each backup is looked at this often: milliseconds.
const DRILL_MS: u64 = 24 * 60 * 60 * 1_000;

/// Does what is due until `stopped` says so.
pub(crate) async fn back_up(
    backups: Arc<Backups>,
    config: config::Backup,
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut tries = Tries::default();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        if let Err(error) = look(&backups, &config, &service, &mut tries).await {
            tracing::warn!(%error, "backups are looked at again in a minute");
        }
    }
}

/// The tries of a backup that is due: it may fail for a long time, for want of room for one.
#[derive(Debug, Default)]
struct Tries {
    /// Looks between the last try and the next.
    pause: u32,
    /// Looks until the next.
    left: u32,
    /// When the alarm was raised, milliseconds since the Unix epoch.
    alarmed_ms: Option<u64>,
}

impl Tries {
    /// Whether it is tried at this look.
    fn turn(&mut self) -> bool {
        let is_now = self.left == 0;
        self.left = self.left.saturating_sub(1);
        is_now
    }

    /// Notes that it has failed, and says whether that is an alarm: one in the time that each backup has.
    fn failed(&mut self, now_ms: u64, every_ms: u64) -> bool {
        self.pause = self.pause.saturating_mul(2).clamp(1, PAUSE_MAX);
        self.left = self.pause.saturating_sub(1);
        let is_news = self.alarmed_ms.is_none_or(|alarmed_ms| now_ms.abs_diff(alarmed_ms) >= every_ms);
        if is_news {
            self.alarmed_ms = Some(now_ms);
        }
        is_news
    }
}

/// Whether one is to be made; `known` are those there are, newest first. A time ahead says nothing about when that was.
fn is_due(known: &[Backup], now_ms: u64, every_ms: u64) -> bool {
    let newest = known.iter().find(|backup| !is_ahead(backup, now_ms));
    every_ms > 0 && newest.is_none_or(|backup| backup.at_ms.saturating_add(every_ms) <= now_ms)
}

/// Whether a backup's time is over; without one it is kept for ever.
fn is_over(at_ms: u64, keep_ms: u64, now_ms: u64) -> bool {
    keep_ms > 0 && at_ms.saturating_add(keep_ms) <= now_ms
}

fn is_ahead(backup: &Backup, now_ms: u64) -> bool {
    backup.at_ms > now_ms.saturating_add(AHEAD_MS)
}

async fn look(
    backups: &Arc<Backups>,
    config: &config::Backup,
    service: &Service,
    tries: &mut Tries,
) -> Result<(), ServiceError> {
    let known = service.backups().await?;
    let now = service.clock().unix_ms();
    let (every, keep) = (millis(config.every()), millis(config.keep()));
    if !is_due(&known, now, every) {
        *tries = Tries::default();
    } else if tries.turn() {
        let origin = Origin::system(service.clock());
        match backups.try_make(service, &origin).await {
            Ok(_) => *tries = Tries::default(),
            Err(why) if tries.failed(now, every) => backup::failed(service, &why, &origin).await,
            Err(why) => tracing::warn!(%why, minutes = tries.pause, "no backup was made, again: it is tried anew"),
        }
    }
    match backups.strays(&known) {
        Ok(strays) => {
            for (name, _) in strays.iter().filter(|(_, at_ms)| is_over(*at_ms, keep, now)) {
                remove(backups, service, name).await?;
            }
        }
        Err(error) => tracing::warn!(%error, "the folder of the backups could not be looked through"),
    }
    for backup in known {
        if is_over(backup.at_ms, keep, now) {
            remove(backups, service, &backup.name).await?;
        } else if backup.checked.as_ref().is_none_or(|checked| now.abs_diff(checked.at_ms) >= DRILL_MS) {
            drill(backups, service, backup, now).await?;
        }
    }
    Ok(())
}

async fn remove(backups: &Backups, service: &Service, name: &str) -> Result<(), ServiceError> {
    match backups.remove(name) {
        Ok(()) => service.forget_backup(name).await,
        Err(error) => {
            tracing::warn!(%error, backup = name, "an old backup could not be removed");
            Ok(())
        }
    }
}

/// Looks at one as far as it can be done without its identity.
async fn drill(backups: &Arc<Backups>, service: &Service, backup: Backup, now_ms: u64) -> Result<(), ServiceError> {
    let (folder, asked) = (backups.clone(), backup.clone());
    let Ok(fault) = tokio::task::spawn_blocking(move || folder.fault(&asked)).await else { return Ok(()) };
    let ahead = "its time lies ahead: this machine's clock is wrong, or was when it was made; it is no newest backup";
    let fault = fault.or_else(|| is_ahead(&backup, now_ms).then(|| ahead.to_owned()));
    if fault.is_some() {
        metrics::counter!("claviger_alarms_total", "kind" => "backup").increment(1);
    }
    service.judge_backup(backup, fault).await
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * 60 * 1_000;
    const NOW_MS: u64 = 1_785_312_000_000;

    fn at(at_ms: u64) -> Backup {
        Backup { name: String::new(), at_ms, entries: 0, bytes: 0, sha256: [0; 32], checked: None }
    }

    #[test]
    fn one_that_fails_is_tried_less_and_less_often_and_told_once_in_its_time() {
        let (mut tries, mut minutes, mut told) = (Tries::default(), Vec::new(), Vec::new());
        for minute in 0..24 * 60 {
            if tries.turn() {
                minutes.push(minute);
                if tries.failed(NOW_MS + minute * 60_000, 12 * HOUR_MS) {
                    told.push(minute);
                }
            }
        }
        assert_eq!(minutes[..8], [0, 1, 3, 7, 15, 31, 63, 123]);
        assert!(minutes[7..].windows(2).all(|two| two[1] - two[0] == 60), "{minutes:?}");
        assert!(told.len() == 2 && told[1] >= 12 * 60, "{told:?}");
    }

    #[test]
    fn a_backup_of_a_time_ahead_puts_off_no_other() {
        let due = |times: &[u64]| is_due(&times.iter().map(|ms| at(*ms)).collect::<Vec<_>>(), NOW_MS, HOUR_MS);
        assert!(due(&[]) && due(&[NOW_MS - HOUR_MS]) && due(&[NOW_MS + HOUR_MS]));
        assert!(!due(&[NOW_MS - 1]) && !due(&[NOW_MS + 1]) && !due(&[NOW_MS + HOUR_MS, NOW_MS - 1]));
        assert!(!is_due(&[], NOW_MS, 0));
    }

    #[test]
    fn a_backup_goes_when_its_time_is_over_and_never_where_there_is_none() {
        assert!(is_over(NOW_MS - HOUR_MS, HOUR_MS, NOW_MS) && !is_over(NOW_MS - HOUR_MS + 1, HOUR_MS, NOW_MS));
        assert!(!is_over(0, 0, NOW_MS));
    }
}
