//! Wrong signatures at the gateway, counted per virtual key and source, so that guessing costs a minute for every few
//! tries. A key id is no secret: who knows one must not be able to shut its owner out from somewhere else.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::identity::network_of;

/// Wrong signatures of one virtual key from one source in a window, before no more are looked at.
const WRONG_MAX: u32 = 20;
const WINDOW_MS: u64 = 60_000;
/// Keys and sources that are counted at once; with more, all counts begin anew.
const COUNTS_MAX: usize = 10_000;

/// Whose tries are counted together: a key's name, and where they come from.
type Tried = ([u8; 32], IpAddr);

/// When a window began, milliseconds since the Unix epoch, and how many were wrong in it.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<Tried, (u64, u32)>>);

impl Failures {
    /// Whether another signature of the key is looked at that comes from there.
    pub(super) fn may_try(&self, key: [u8; 32], from: IpAddr, now_ms: u64) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&(key, network_of(from)));
        count.is_none_or(|(since, wrong)| *wrong < WRONG_MAX || now_ms.saturating_sub(*since) >= WINDOW_MS)
    }

    /// Counts a wrong one.
    pub(super) fn failed(&self, key: [u8; 32], from: IpAddr, now_ms: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= COUNTS_MAX {
            counts.clear();
        }
        let (since, wrong) = counts.entry((key, network_of(from))).or_insert((now_ms, 0));
        if now_ms.saturating_sub(*since) >= WINDOW_MS {
            (*since, *wrong) = (now_ms, 0);
        }
        *wrong = wrong.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [1; 32];

    #[test]
    fn wrong_signatures_use_up_a_minute() {
        let (failures, here) = (Failures::default(), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..WRONG_MAX {
            assert!(failures.may_try(KEY, here, 1_000));
            failures.failed(KEY, here, 1_000);
        }
        assert!(!failures.may_try(KEY, here, 1_000));
        assert!(failures.may_try([2; 32], here, 1_000));
        assert!(failures.may_try(KEY, here, 1_000 + WINDOW_MS));
        failures.failed(KEY, here, 1_000 + WINDOW_MS);
        assert!(failures.may_try(KEY, here, 1_000 + WINDOW_MS));
    }

    #[test]
    fn who_only_knows_a_key_id_shuts_nobody_out_elsewhere() {
        let failures = Failures::default();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..WRONG_MAX {
            failures.failed(KEY, ip("2001:db8::1"), 1_000);
        }
        assert!(failures.may_try(KEY, ip("192.0.2.1"), 1_000));
        assert!(failures.may_try(KEY, ip("2001:db8:0:1::1"), 1_000));
        assert!(!failures.may_try(KEY, ip("2001:db8::2"), 1_000), "an IPv6 host has more than one address");
    }
}
