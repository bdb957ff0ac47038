//! How often somebody may try to prove who they are.
//!
//! A try counts from its beginning, so that many at once are no more than many in a row, and is given back when it turns
//! out to be none. A device that the operator has logged in from counts by itself, so nobody can lock an operator out.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Mutex;

use claviger_core::identity::{hash_secret, network_of};

use super::lock;

/// Failures within [`WINDOW_MS`] of one address, or of one known device.
const TRIES: usize = 10;
const WINDOW_MS: u64 = 15 * 60 * 1_000;

/// Failures of an account by unknown devices before they have to wait; then 1 s, and twice as long each time.
const FREE: u32 = 3;
const DELAY_MS: u64 = 1_000;

/// What is remembered at most of each kind.
const REMEMBERED: usize = 10_000;

/// Who tries.
#[derive(Clone, Copy, Debug)]
pub enum Who<'a> {
    /// A device that the operator has logged in from, by its secret's hash.
    Known([u8; 32]),
    /// Anybody else: where they are, and whom they say they are.
    Stranger(IpAddr, &'a str),
    /// Somebody with an invitation.
    Invited(IpAddr),
    /// A browser with the code of a terminal. It counts by itself: whoever guesses codes keeps nobody there from logging in.
    Code(IpAddr),
}

/// A try; it counts as a failure unless it is given back.
#[derive(Debug)]
pub struct Try {
    at_ms: u64,
    device: Option<[u8; 32]>,
    address: Option<IpAddr>,
    account: Option<[u8; 32]>,
    code: Option<IpAddr>,
}

impl Try {
    /// Whether it is a known device's.
    pub fn is_known(&self) -> bool {
        self.device.is_some()
    }
}

/// Failures so far.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    devices: HashMap<[u8; 32], Vec<u64>>,
    addresses: HashMap<IpAddr, Vec<u64>>,
    accounts: HashMap<[u8; 32], Account>,
    codes: HashMap<IpAddr, Vec<u64>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Account {
    failures: u32,
    next_ms: u64,
}

impl Throttle {
    /// Counts a try, if one is free.
    ///
    /// # Errors
    /// The seconds to wait, at least 1.
    pub fn take(&self, who: Who<'_>, now_ms: u64) -> Result<Try, u64> {
        let mut counts = lock(&self.0);
        let Counts { devices, addresses, accounts, codes } = &mut *counts;
        let mut tried = Try { at_ms: now_ms, device: None, address: None, account: None, code: None };
        match who {
            Who::Known(hash) => {
                window(devices, &hash, now_ms)?.push(now_ms);
                tried.device = Some(hash);
            }
            Who::Stranger(address, name) => {
                let (address, name) = (network_of(address), hash_secret(name));
                let window = window(addresses, &address, now_ms)?;
                slowed(accounts, name, now_ms)?;
                window.push(now_ms);
                tried.address = Some(address);
                tried.account = Some(name);
            }
            Who::Invited(address) => {
                let address = network_of(address);
                window(addresses, &address, now_ms)?.push(now_ms);
                tried.address = Some(address);
            }
            Who::Code(address) => {
                let address = network_of(address);
                window(codes, &address, now_ms)?.push(now_ms);
                tried.code = Some(address);
            }
        }
        Ok(tried)
    }

    /// Gives a try back that was no failure: nothing was learned by it.
    pub fn give_back(&self, tried: &Try) {
        let mut counts = lock(&self.0);
        counts.uncount(tried);
        if let Some(account) = tried.account.and_then(|name| counts.accounts.get_mut(&name)) {
            account.failures = account.failures.saturating_sub(1);
            account.next_ms = account.next_ms.min(tried.at_ms);
        }
    }

    /// Gives a try back that succeeded: the account's failures are forgotten.
    pub fn succeeded(&self, tried: &Try) {
        let mut counts = lock(&self.0);
        counts.uncount(tried);
        if let Some(name) = tried.account {
            counts.accounts.remove(&name);
        }
    }
}

impl Counts {
    fn uncount(&mut self, tried: &Try) {
        let device = tried.device.and_then(|hash| self.devices.get_mut(&hash));
        let address = tried.address.and_then(|address| self.addresses.get_mut(&address));
        let code = tried.code.and_then(|address| self.codes.get_mut(&address));
        for times in device.into_iter().chain(address).chain(code) {
            if let Some(at) = times.iter().position(|at| *at == tried.at_ms) {
                times.remove(at);
            }
        }
    }
}

/// The failures of the last quarter of an hour, if another one is free. When there is no room for one more key, the one
/// with the fewest failures is forgotten, the oldest of these first: many who fail once neither keep others out nor set
/// those free who have to wait.
fn window<'a, K: Copy + Eq + Hash>(
    all: &'a mut HashMap<K, Vec<u64>>,
    key: &K,
    now_ms: u64,
) -> Result<&'a mut Vec<u64>, u64> {
    let recent = |at: &u64| at.saturating_add(WINDOW_MS) > now_ms;
    if all.len() >= REMEMBERED && !all.contains_key(key) {
        all.retain(|_, times| times.iter().any(recent));
        if all.len() >= REMEMBERED {
            let harmless = all.iter().filter(|(_, times)| times.len() < TRIES);
            let least = harmless.min_by_key(|(_, times)| (times.len(), times.last().copied()));
            let least = least.map(|(key, _)| *key).ok_or(WINDOW_MS / 1_000)?;
            all.remove(&least);
        }
    }
    let times = all.entry(*key).or_default();
    times.retain(recent);
    match times.first() {
        Some(first) if times.len() >= TRIES => Err(seconds(first.saturating_add(WINDOW_MS), now_ms)),
        _ => Ok(times),
    }
}

/// Counts a failure of an account by an unknown device, if the last one is long enough ago.
fn slowed(accounts: &mut HashMap<[u8; 32], Account>, name: [u8; 32], now_ms: u64) -> Result<(), u64> {
    let over = |account: &Account| account.next_ms.saturating_add(WINDOW_MS) <= now_ms;
    if accounts.len() >= REMEMBERED && !accounts.contains_key(&name) {
        accounts.retain(|_, account| !over(account));
        // Names that nobody has must not push out one that somebody guesses at: the least tried is forgotten.
        if accounts.len() >= REMEMBERED
            && let Some(least) = accounts.iter().min_by_key(|(_, account)| account.failures).map(|(name, _)| *name)
        {
            accounts.remove(&least);
        }
    }
    let account = accounts.entry(name).or_default();
    if over(account) {
        *account = Account { failures: 0, next_ms: now_ms };
    }
    if account.next_ms > now_ms {
        return Err(seconds(account.next_ms, now_ms));
    }
    account.failures = account.failures.saturating_add(1);
    let doublings = account.failures.checked_sub(FREE.saturating_add(1));
    let wait = doublings.map_or(0, |n| DELAY_MS.checked_shl(n.min(20)).unwrap_or(WINDOW_MS).min(WINDOW_MS));
    account.next_ms = now_ms.saturating_add(wait);
    Ok(())
}

fn seconds(until_ms: u64, now_ms: u64) -> u64 {
    until_ms.saturating_sub(now_ms).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn ten_failures_in_fifteen_minutes_from_one_address() {
        let throttle = Throttle::default();
        for name in 0..TRIES {
            throttle.take(Who::Stranger(here(1), &format!("op{name}")), 1_000).unwrap();
        }
        assert_eq!(throttle.take(Who::Stranger(here(1), "ada"), 1_000).unwrap_err(), 900);
        throttle.take(Who::Stranger(here(2), "ada"), 1_000).unwrap();
        throttle.take(Who::Stranger(here(1), "ada"), 1_000 + WINDOW_MS).unwrap();
    }

    #[test]
    fn an_address_of_version_6_counts_as_its_network() {
        let throttle = Throttle::default();
        for host in 0..TRIES {
            let address: IpAddr = format!("2001:db8::{host:x}").parse().unwrap();
            throttle.take(Who::Invited(address), 0).unwrap();
        }
        let neighbour: IpAddr = "2001:db8::ffff:1".parse().unwrap();
        assert_eq!(throttle.take(Who::Invited(neighbour), 0).unwrap_err(), 900);
        throttle.take(Who::Invited("2001:db8:0:1::1".parse().unwrap()), 0).unwrap();
    }

    #[test]
    fn strangers_wait_longer_and_longer_and_a_known_device_does_not() {
        let throttle = Throttle::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for address in 0..20 {
            if let Err(seconds) = throttle.take(Who::Stranger(here(address), "ada"), now) {
                waits.push(seconds);
                now += seconds * 1_000;
                throttle.take(Who::Stranger(here(address), "ada"), now).unwrap();
            }
            throttle.take(Who::Known([7; 32]), now).map(|tried| throttle.succeeded(&tried)).unwrap();
        }
        assert_eq!(waits[..11], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]);
        throttle.take(Who::Stranger(here(99), "bob"), now).unwrap();
    }

    #[test]
    fn a_known_device_has_ten_failures_of_its_own() {
        let throttle = Throttle::default();
        for _ in 0..TRIES {
            throttle.take(Who::Known([7; 32]), 0).unwrap();
        }
        assert_eq!(throttle.take(Who::Known([7; 32]), 0).unwrap_err(), 900);
        throttle.take(Who::Known([8; 32]), 0).unwrap();
    }

    #[test]
    fn a_success_is_no_failure_and_forgets_the_accounts_others() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            throttle.take(Who::Stranger(here(1), "ada"), 0).unwrap();
        }
        let tried = throttle.take(Who::Stranger(here(2), "ada"), 0).unwrap();
        throttle.succeeded(&tried);
        throttle.take(Who::Stranger(here(2), "ada"), 0).unwrap();
        for _ in 0..100 {
            let tried = throttle.take(Who::Stranger(here(3), "bob"), 0).unwrap();
            throttle.give_back(&tried);
        }
    }

    #[test]
    fn many_strangers_keep_nobody_out_and_set_nobody_free() {
        let throttle = Throttle::default();
        let at = |n: usize| IpAddr::from((u32::try_from(n).unwrap() + 0x0a00_0000).to_be_bytes());
        for _ in 0..TRIES {
            throttle.take(Who::Invited(here(1)), 0).unwrap();
        }
        for n in 0..REMEMBERED + 100 {
            throttle.take(Who::Invited(at(n)), u64::try_from(n).unwrap()).unwrap();
        }
        throttle.take(Who::Invited(here(1)), 20_000).unwrap_err();
        let counts = lock(&throttle.0);
        assert_eq!(counts.addresses.len(), REMEMBERED);
        // The oldest went.
        assert!(!counts.addresses.contains_key(&at(0)) && counts.addresses.contains_key(&at(REMEMBERED + 99)));
    }

    #[test]
    fn who_guesses_codes_keeps_nobody_from_logging_in() {
        let throttle = Throttle::default();
        for _ in 0..TRIES {
            throttle.take(Who::Code(here(1)), 0).unwrap();
        }
        assert_eq!(throttle.take(Who::Code(here(1)), 0).unwrap_err(), 900);
        throttle.take(Who::Stranger(here(1), "ada"), 0).unwrap();
        for _ in 0..100 {
            throttle.give_back(&throttle.take(Who::Code(here(2)), 0).unwrap());
        }
    }

    #[test]
    fn memory_is_bounded_and_a_name_that_is_guessed_at_stays() {
        let throttle = Throttle::default();
        for n in 0..=FREE {
            throttle.take(Who::Stranger(here(u8::try_from(n).unwrap()), "ada"), 0).unwrap();
        }
        for n in 0..u32::try_from(REMEMBERED).unwrap() + 100 {
            let address = IpAddr::from((n / 10 + 0x0a00_0000).to_be_bytes());
            let _ = throttle.take(Who::Stranger(address, &n.to_string()), 0);
        }
        let counts = lock(&throttle.0);
        assert!(counts.accounts.len() <= REMEMBERED && counts.addresses.len() <= REMEMBERED);
        assert!(counts.accounts.contains_key(&hash_secret("ada")));
    }
}
