//! The disk: health is red while there is still room, and reads are refused before it is gone.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::config::Store;
use crate::front::Front;

/// The disk is looked at this often.
const EVERY: Duration = Duration::from_secs(1);

/// Watches the file system that `file` is on until `stopped` says so.
pub(crate) async fn watch(file: PathBuf, limits: Store, front: Front, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut full = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        // What cannot be known is no reason to refuse anybody: the store itself says when nothing more fits.
        let Ok(disk) = rustix::fs::statvfs(&file) else { continue };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        #[expect(
            clippy::cast_precision_loss,
            clippy::as_conversions,
            reason = "a gauge need not be exact to the byte"
        )]
        metrics::gauge!("claviger_disk_free_bytes").set(free as f64);
        full = is_full(full, free, limits.free_bytes_least);
        front.notes.set_disk(little(free, &limits, full));
        if let Err(error) = front.service.set_disk_full(full).await {
            tracing::warn!(%error, full, "the disk's turn is not recorded yet");
        }
    }
}

/// A disk that was full has room again when there is an eighth more than the least, so that it does not turn every second.
fn is_full(was: bool, free: u64, least: u64) -> bool {
    free < if was { least.saturating_add(least / 8) } else { least }
}

/// What health says of a disk with so many bytes free.
fn little(free: u64, limits: &Store, full: bool) -> Option<String> {
    let Store { free_bytes_low: low, free_bytes_least: least } = limits;
    let stage = if full { ", and reads and enrollments are refused" } else { "" };
    let text = || {
        format!(
            "{free} bytes are free on the store's disk{stage}: make room; below {low} this is red, below {least} only \
             trades and stops go on"
        )
    };
    (full || free < *low).then(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_red_before_it_is_full_and_does_not_turn_back_at_once() {
        let limits = Store { free_bytes_low: 1_000, free_bytes_least: 80 };
        assert_eq!(little(1_000, &limits, false), None);
        assert!(little(999, &limits, false).unwrap().starts_with("999 bytes are free"));
        assert!(little(79, &limits, true).unwrap().contains("refused"));
        assert!(!is_full(false, 80, 80) && is_full(false, 79, 80));
        assert!(is_full(true, 89, 80) && !is_full(true, 90, 80));
        assert!(!is_full(false, 0, 0) && !is_full(true, 0, 0));
    }
}
