//! When a credential is to be looked at next: asked about at its venue, told to expire soon, frozen.
//!
//! Each look is a row under the time at which it is due, so whoever looks reads what is due and nothing else, however
//! many credentials there are; the rows are in the same commit as what they are about, so a crash forgets none.

use claviger_venues::VenueId;
use serde::{Deserialize, Serialize};

use crate::id::{CredentialId, TenantId};

/// Days before the end at which a notice is given, the longest first.
pub const NOTICE_DAYS: [u64; 3] = [14, 7, 1];

/// A day in milliseconds.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// What a credential is looked at for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Errand {
    /// To ask its venue what the key may do.
    Probe(VenueId),
    /// Because it expires.
    Expiry,
}

/// A look that is due at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// When, milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The tenant.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
}

/// All that is planned for one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agenda {
    /// When the venue last answered, milliseconds since the Unix epoch.
    pub probed_ms: u64,
    /// When the venue is to be asked next, milliseconds since the Unix epoch.
    pub probe_ms: u64,
    /// When the next notice or the end is due, milliseconds since the Unix epoch.
    pub expiry_ms: Option<u64>,
    /// When the credential was last used, as far as that was known when the venue last answered, milliseconds since the
    /// Unix epoch.
    pub used_ms: Option<u64>,
}

/// Since when a venue cannot be asked about keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The venue.
    pub venue: VenueId,
    /// Milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// What was in the way, as a word.
    pub why: String,
}

/// When to ask again after an answer at `now_ms`: a cycle later at most, half a cycle at least.
///
/// Each credential has a place of its own in the cycle, by its random id, and finds back to it in two steps from wherever
/// an outage has put it: so what was late together does not stay together.
pub fn next_probe_ms(id: CredentialId, now_ms: u64, cycle_ms: u64) -> u64 {
    let cycle_ms = cycle_ms.max(1);
    let tail = id.as_bytes().last_chunk::<8>().map_or(0, |tail| u64::from_be_bytes(*tail));
    let into = |time: u64| time.checked_rem(cycle_ms).unwrap_or(0);
    // From now to its place: more than nothing, and a cycle at most.
    let to_place = cycle_ms.saturating_sub(into(into(now_ms).saturating_add(cycle_ms).saturating_sub(into(tail))));
    let wait = if to_place >= cycle_ms / 2 { to_place } else { to_place.saturating_add(cycle_ms) / 2 };
    now_ms.saturating_add(wait)
}

/// When something is to be done about a credential that expires: at once if a notice was due before `now_ms`, and was not
/// given yet.
pub fn first_expiry_ms(expires_ms: u64, now_ms: u64) -> u64 {
    let [first, ..] = NOTICE_DAYS;
    expires_ms.saturating_sub(first.saturating_mul(DAY_MS)).max(now_ms)
}

/// The notice that is due at `now_ms`, in days, and when the next one is, or the end.
pub fn notice(expires_ms: u64, now_ms: u64) -> Option<(u64, u64)> {
    let times = NOTICE_DAYS.map(|days| (days, expires_ms.saturating_sub(days.saturating_mul(DAY_MS))));
    let (days, _) = times.into_iter().rev().find(|(_, at)| *at <= now_ms)?;
    let next = times.into_iter().map(|(_, at)| at).find(|at| *at > now_ms);
    Some((days, next.unwrap_or(expires_ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_785_312_000_000;
    const CYCLE: u64 = 900_000;

    fn id(n: u64) -> CredentialId {
        let mut bytes = [7; 16];
        bytes[8..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        CredentialId::from_bytes(bytes)
    }

    #[test]
    fn a_key_is_asked_about_within_each_cycle_and_not_twice_at_once() {
        for n in 0..1_000 {
            let mut now = NOW + n * 977;
            for step in 0..5 {
                let next = next_probe_ms(id(n), now, CYCLE);
                let wait = next - now;
                assert!((CYCLE / 2..=CYCLE).contains(&wait), "{wait}");
                assert!(step < 2 || wait == CYCLE, "it has found its place: {wait}");
                now = next;
            }
        }
    }

    #[test]
    fn what_was_late_together_spreads_over_the_cycle() {
        let mut slots = [0_u32; 10];
        for n in 0..10_000 {
            let third = (0..3).fold(NOW, |now, _| next_probe_ms(id(n), now, CYCLE));
            slots[usize::try_from(third % CYCLE * 10 / CYCLE).unwrap()] += 1;
        }
        assert!(slots.iter().all(|count| (900..1_100).contains(count)), "{slots:?}");
    }

    #[test]
    fn each_notice_is_given_once_and_late_ones_are_not_repeated() {
        let expires = NOW + 30 * DAY_MS;
        let mut given = Vec::new();
        let mut at = first_expiry_ms(expires, NOW);
        while at < expires {
            let (days, next) = notice(expires, at).unwrap();
            given.push(days);
            at = next;
        }
        assert_eq!(given, NOTICE_DAYS);
        assert_eq!(first_expiry_ms(NOW + 3 * DAY_MS, NOW), NOW);
        assert_eq!(notice(NOW + 3 * DAY_MS, NOW), Some((7, NOW + 2 * DAY_MS)));
        assert_eq!(notice(NOW + DAY_MS, NOW), Some((1, NOW + DAY_MS)));
        assert_eq!(notice(expires, NOW), None);
    }
}
