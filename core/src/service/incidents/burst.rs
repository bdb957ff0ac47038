//! Counting what is harmless once and an attack in numbers: failed logins, and denied requests of one app.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::id::AppId;

/// Denied requests of one app in a minute that make a burst.
const DENIED: Burst = Burst { window_ms: 60_000, most: 100 };

/// Failed logins, wherever from, in a quarter of an hour that make a burst.
const LOGINS: Burst = Burst { window_ms: 15 * 60_000, most: 50 };

/// Apps that are counted at once; with more, all counts begin anew.
const COUNTS_MAX: usize = 10_000;

#[derive(Clone, Copy)]
struct Burst {
    window_ms: u64,
    most: u32,
}

/// When a window began, milliseconds since the Unix epoch, and how many there were in it: of an app's denied requests,
/// or for none of failed logins.
#[derive(Debug, Default)]
pub(in super::super) struct Bursts(Mutex<HashMap<Option<AppId>, (u64, u32)>>);

impl Bursts {
    /// Counts a denied request of an app. Says of one in each window that it makes a burst.
    pub(super) fn denied(&self, app: AppId, now_ms: u64) -> bool {
        self.count(Some(app), DENIED, now_ms)
    }

    /// Counts a failed login. Says of one in each window that it makes a burst.
    pub(super) fn failed_login(&self, now_ms: u64) -> bool {
        self.count(None, LOGINS, now_ms)
    }

    fn count(&self, of: Option<AppId>, burst: Burst, now_ms: u64) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTS_MAX && !counts.contains_key(&of) {
            counts.clear();
        }
        let (since, count) = counts.entry(of).or_insert((now_ms, 0));
        if now_ms.saturating_sub(*since) >= burst.window_ms {
            (*since, *count) = (now_ms, 0);
        }
        *count = count.saturating_add(1);
        *count == burst.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APP: AppId = AppId::MIN;

    #[test]
    fn a_burst_is_told_once_in_a_window() {
        let bursts = Bursts::default();
        let told = |now_ms| (0..300).filter(|_| bursts.denied(APP, now_ms)).count();
        assert_eq!((told(1_000), told(1_500)), (1, 0));
        assert_eq!(told(1_000 + DENIED.window_ms), 1);
    }

    #[test]
    fn apps_and_logins_are_counted_by_themselves() {
        let bursts = Bursts::default();
        for _ in 1..DENIED.most {
            assert!(!bursts.denied(APP, 0));
        }
        assert!(!bursts.denied(AppId::MAX, 0));
        assert!(!bursts.failed_login(0));
        assert!(bursts.denied(APP, 0));
    }

    #[test]
    fn apps_without_end_are_not_remembered_without_end() {
        let bursts = Bursts::default();
        for at in 0..COUNTS_MAX + 10 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&at.to_be_bytes());
            bursts.denied(AppId::from_bytes(id), 0);
        }
        assert!(bursts.0.lock().unwrap().len() <= COUNTS_MAX);
    }
}
