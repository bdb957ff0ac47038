//! Wrong signatures at the gateway, counted per virtual key, so that guessing costs a minute for every few tries.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Wrong signatures of one virtual key in a window, before no more are looked at.
const WRONG_MAX: u32 = 20;
const WINDOW_MS: u64 = 60_000;
/// Keys that are counted at once; with more, all counts begin anew.
const KEYS_MAX: usize = 10_000;

/// When the window of a key began, milliseconds since the Unix epoch, and how many were wrong in it.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<[u8; 32], (u64, u32)>>);

impl Failures {
    /// Whether another signature of the key is looked at.
    pub(super) fn may_try(&self, key: &[u8; 32], now_ms: u64) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(key).is_none_or(|(since, wrong)| *wrong < WRONG_MAX || now_ms.saturating_sub(*since) >= WINDOW_MS)
    }

    /// Counts a wrong one.
    pub(super) fn failed(&self, key: [u8; 32], now_ms: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEYS_MAX {
            counts.clear();
        }
        let (since, wrong) = counts.entry(key).or_insert((now_ms, 0));
        if now_ms.saturating_sub(*since) >= WINDOW_MS {
            (*since, *wrong) = (now_ms, 0);
        }
        *wrong = wrong.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_signatures_use_up_a_minute() {
        let failures = Failures::default();
        for _ in 0..WRONG_MAX {
            assert!(failures.may_try(&[1; 32], 1_000));
            failures.failed([1; 32], 1_000);
        }
        assert!(!failures.may_try(&[1; 32], 1_000));
        assert!(failures.may_try(&[2; 32], 1_000));
        assert!(failures.may_try(&[1; 32], 1_000 + WINDOW_MS));
        failures.failed([1; 32], 1_000 + WINDOW_MS);
        assert!(failures.may_try(&[1; 32], 1_000 + WINDOW_MS));
    }
}
