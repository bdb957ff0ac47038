//! How often somebody may try to log in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;

use claviger_core::identity::network_of;

use super::lock;

/// Failed logins per address: 10 in 15 minutes.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<IpAddr, Vec<u64>>>);

const TRIES: usize = 10;
const WINDOW_MS: u64 = 15 * 60 * 1_000;
const ADDRESSES: usize = 10_000;

impl Throttle {
    /// Counts a try, unless there were too many; then says in how many seconds the next one is free.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn take(&self, address: IpAddr, now_ms: u64) -> Result<(), u64> {
        let address = network_of(address);
        let mut tries = lock(&self.0);
        if tries.len() >= ADDRESSES && !tries.contains_key(&address) {
            tries.retain(|_, times| times.iter().any(|at| at.saturating_add(WINDOW_MS) > now_ms));
            if tries.len() >= ADDRESSES {
                return Err(WINDOW_MS / 1_000);
            }
        }
        let times = tries.entry(address).or_default();
        times.retain(|at| at.saturating_add(WINDOW_MS) > now_ms);
        if times.len() >= TRIES {
            let first = times.first().copied().unwrap_or(now_ms);
            return Err(first.saturating_add(WINDOW_MS).saturating_sub(now_ms).div_ceil(1_000));
        }
        times.push(now_ms);
        Ok(())
    }

    /// Forgets the tries of an address that then knew the password.
    pub fn forgive(&self, address: IpAddr) {
        lock(&self.0).remove(&network_of(address));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tries_in_fifteen_minutes() {
        let throttle = Throttle::default();
        let here = IpAddr::from([192, 0, 2, 1]);
        for _ in 0..TRIES {
            throttle.take(here, 1_000).unwrap();
        }
        assert_eq!(throttle.take(here, 1_000), Err(900));
        throttle.take(IpAddr::from([192, 0, 2, 2]), 1_000).unwrap();
        throttle.take(here, 1_000 + WINDOW_MS).unwrap();
    }
}
