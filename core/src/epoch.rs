//! Deletion epochs: when what was deleted opens from no backup any more.
//!
//! Deleting takes bytes out of the store, not out of the backups that were made before. Those open as long as the token
//! has the root key that wraps the KEKs in them. So time is cut into epochs: at the end of one in which something was
//! deleted, all tenants move under a new root key, and once the last backup from before is past its time the token
//! destroys the old one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::TenantId;

/// A backup's time is cut into so many epochs at most: each keeps a root key in the token until it is over.
const EPOCHS_PER_KEEP: u32 = 12;

/// How long epochs are, and how long backups are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochTimes {
    every: Duration,
    keep: Option<Duration>,
}

impl EpochTimes {
    /// Epochs of `every`, and no more than twelve in the time that backups are kept; none for backups that are kept for
    /// ever.
    #[must_use]
    pub fn new(every: Duration, keep: Option<Duration>) -> Self {
        let least = keep.and_then(|keep| keep.checked_div(EPOCHS_PER_KEEP)).unwrap_or_default();
        Self { every: every.max(least), keep }
    }

    /// How long an epoch is, milliseconds.
    pub(crate) fn every_ms(self) -> u64 {
        millis(self.every)
    }

    /// How long backups are kept, milliseconds; none for ever.
    pub(crate) fn keep_ms(self) -> Option<u64> {
        self.keep.map(millis)
    }

    /// The longest that what is deleted opens from a backup, in whole days rounded up; none for ever.
    #[must_use]
    pub fn days(self) -> Option<u64> {
        let day = Duration::from_hours(24).as_secs();
        self.keep.map(|keep| self.every.saturating_add(keep).as_secs().div_ceil(day))
    }
}

impl Default for EpochTimes {
    fn default() -> Self {
        Self::new(Duration::from_hours(24 * 7), Some(Duration::from_hours(24 * 30)))
    }
}

/// The epoch that goes on, and those before it that backups still hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epochs {
    /// The number of the epoch that goes on, from 1.
    pub number: u64,
    /// When it began, milliseconds since the Unix epoch: what is deleted from then on is its own.
    pub began_ms: u64,
    /// What the end of the one before has come to.
    pub phase: Phase,
    /// Epochs that are over, the oldest first.
    pub aging: Vec<Aging>,
    /// When one came to its end last, milliseconds since the Unix epoch.
    pub ended_ms: Option<u64>,
    /// What was deleted before the first of these times opens from nothing since the second, both milliseconds since the
    /// Unix epoch.
    pub erased: Option<(u64, u64)>,
}

/// What the end of an epoch has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// None is being ended.
    Open,
    /// A new root key is to be made.
    Making {
        /// Its number.
        root: u32,
    },
    /// All tenants move under it.
    Moving {
        /// Its number.
        root: u32,
    },
}

/// An epoch that is over: nothing is under the root keys from before, but in backups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aging {
    /// Its number.
    pub number: u64,
    /// When the one after it began, milliseconds since the Unix epoch.
    pub until_ms: u64,
    /// Root keys of smaller numbers go when the last backup from before is past its time.
    pub below: u32,
    /// Since when nothing is under them, milliseconds since the Unix epoch.
    pub moved_ms: u64,
}

/// What was deleted of a tenant in the epoch that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unerased {
    /// The tenant.
    pub tenant: TenantId,
    /// Sealed rows that are gone.
    pub count: u64,
    /// When the first went, milliseconds since the Unix epoch.
    pub first_ms: u64,
    /// When the last went, milliseconds since the Unix epoch.
    pub last_ms: u64,
}

impl Epochs {
    /// The first one.
    pub(crate) fn first(now_ms: u64) -> Self {
        Self { number: 1, began_ms: now_ms, phase: Phase::Open, aging: Vec::new(), ended_ms: None, erased: None }
    }

    /// When it comes to its end, milliseconds since the Unix epoch.
    pub(crate) fn due_ms(&self, times: EpochTimes) -> u64 {
        self.began_ms.saturating_add(times.every_ms())
    }

    /// From when on what was deleted at a time opens from no backup, as it looks at `now_ms`, all milliseconds since the
    /// Unix epoch; none if backups are kept for ever. What is to move yet moves at `now_ms` at the earliest.
    pub(crate) fn unrecoverable_ms(&self, deleted_ms: u64, times: EpochTimes, now_ms: u64) -> Option<u64> {
        if let Some((_, since_ms)) = self.erased.filter(|(until_ms, _)| deleted_ms < *until_ms) {
            return Some(since_ms);
        }
        let keep = times.keep_ms()?;
        let moved_ms = match self.aging.iter().find(|aging| deleted_ms < aging.until_ms) {
            Some(aging) => aging.moved_ms,
            None if deleted_ms >= self.began_ms => self.due_ms(times).max(now_ms),
            None if self.phase != Phase::Open => now_ms,
            // Nothing was to move then.
            None => self.began_ms,
        };
        Some(moved_ms.saturating_add(keep))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    fn days(every: u32, keep: u32) -> EpochTimes {
        EpochTimes::new(DAY.saturating_mul(every), Some(DAY.saturating_mul(keep)))
    }

    #[test]
    fn a_backups_time_has_room_for_so_many_root_keys() {
        assert_eq!(days(7, 30).every_ms(), 7 * DAY_MS);
        assert_eq!(days(1, 36).every_ms(), 3 * DAY_MS);
        assert_eq!((days(7, 30).days(), days(1, 36).days()), (Some(37), Some(39)));
        assert_eq!(EpochTimes::new(DAY, None).days(), None);
    }

    #[test]
    fn what_is_deleted_is_gone_after_its_own_epoch() {
        let times = days(7, 30);
        let aging = vec![Aging { number: 1, until_ms: 10 * DAY_MS, below: 2, moved_ms: 11 * DAY_MS }];
        let epochs = Epochs { number: 2, began_ms: 10 * DAY_MS, aging, ..Epochs::first(0) };
        let day_of = |epochs: &Epochs, deleted: u64| {
            epochs.unrecoverable_ms(deleted * DAY_MS, times, 12 * DAY_MS).map(|after_ms| after_ms / DAY_MS)
        };
        assert_eq!((day_of(&epochs, 9), day_of(&epochs, 10)), (Some(41), Some(47)));
        assert_eq!(epochs.unrecoverable_ms(0, EpochTimes::new(DAY, None), 0), None);
        let erased = Epochs { erased: Some((5 * DAY_MS, 36 * DAY_MS)), ..epochs.clone() };
        assert_eq!((day_of(&erased, 4), day_of(&erased, 9)), (Some(36), Some(41)));
        let unheld = Epochs { aging: Vec::new(), ..epochs };
        assert_eq!(day_of(&unheld, 9), Some(40), "nothing was sealed in it");
    }

    #[test]
    fn an_end_and_a_move_that_hang_take_the_date_along() {
        let times = days(7, 30);
        let epochs = Epochs { number: 2, began_ms: 10 * DAY_MS, ..Epochs::first(0) };
        let now_ms = 48 * DAY_MS;
        assert_eq!(epochs.unrecoverable_ms(now_ms, times, now_ms), Some(78 * DAY_MS), "it has not ended");
        for phase in [Phase::Making { root: 2 }, Phase::Moving { root: 2 }] {
            let moving = Epochs { phase, ..epochs.clone() };
            assert_eq!(moving.unrecoverable_ms(9 * DAY_MS, times, now_ms), Some(78 * DAY_MS), "it has not moved");
            assert_eq!(moving.unrecoverable_ms(now_ms, times, now_ms), Some(78 * DAY_MS), "nor has the next one");
        }
    }
}
