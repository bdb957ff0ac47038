//! How much was carried out and refused of late, and by which rules: counted in memory alone, since the service started.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Service;
use crate::id::TenantId;

/// Seconds that rates are taken over.
const SECONDS: u64 = 60;

/// Hours of refusals that are kept, the present one included.
const HOURS: u64 = 24;

const SECOND_MS: u64 = 1_000;
const HOUR_MS: u64 = 60 * 60 * SECOND_MS;

/// What was counted.
#[derive(Debug)]
pub(super) struct Tallies {
    /// Milliseconds since the Unix epoch.
    since_ms: u64,
    tenants: Mutex<HashMap<TenantId, Tally>>,
}

/// What was counted of one tenant.
#[derive(Debug, Default)]
struct Tally {
    /// The newest last.
    seconds: VecDeque<(u64, Count)>,
    /// By rule; there are so many tags and no more.
    denials: BTreeMap<&'static str, Denials>,
}

/// How much of each there was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Intents that were recorded.
    pub executions: u64,
    /// Requests that a rule refused.
    pub denials: u64,
}

#[derive(Debug, Default)]
struct Denials {
    /// By the hour, the newest last.
    hours: VecDeque<(u64, u64)>,
    last_ms: u64,
}

/// How often a rule refused something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeniedBy {
    /// The rule's tag.
    pub rule: &'static str,
    /// How often, in this hour and the 23 before it.
    pub count: u64,
    /// When last, milliseconds since the Unix epoch.
    pub last_ms: u64,
}

impl Tallies {
    pub(super) fn since(since_ms: u64) -> Self {
        Self { since_ms, tenants: Mutex::default() }
    }

    pub(super) fn executed(&self, tenant: TenantId, now_ms: u64) {
        let mut tenants = self.lock();
        tenants
            .entry(tenant)
            .or_default()
            .second(now_ms, |count| count.executions = count.executions.saturating_add(1));
    }

    fn denied(&self, tenant: TenantId, rule: &'static str, now_ms: u64) {
        let mut tenants = self.lock();
        let tally = tenants.entry(tenant).or_default();
        tally.second(now_ms, |count| count.denials = count.denials.saturating_add(1));
        let denials = tally.denials.entry(rule).or_default();
        denials.last_ms = denials.last_ms.max(now_ms);
        counted(&mut denials.hours, now_ms / HOUR_MS, HOURS, |count| *count = count.saturating_add(1));
    }

    fn minute(&self, tenant: Option<TenantId>, now_ms: u64) -> Count {
        let now = now_ms / SECOND_MS;
        let tenants = self.lock();
        let of = tenants.iter().filter(|(id, _)| tenant.is_none_or(|tenant| tenant == **id));
        // The present second is not over.
        let within = |at: u64| at < now && now.saturating_sub(at) <= SECONDS;
        of.flat_map(|(_, tally)| &tally.seconds).filter(|(at, _)| within(*at)).fold(
            Count::default(),
            |sum, (_, count)| Count {
                executions: sum.executions.saturating_add(count.executions),
                denials: sum.denials.saturating_add(count.denials),
            },
        )
    }

    fn denials(&self, tenant: TenantId, now_ms: u64) -> Vec<DeniedBy> {
        let first = (now_ms / HOUR_MS).saturating_sub(HOURS.saturating_sub(1));
        let tenants = self.lock();
        let denials = tenants.get(&tenant).into_iter().flat_map(|tally| &tally.denials);
        let counted = denials.map(|(rule, denials)| {
            let counts = denials.hours.iter().filter(|(hour, _)| *hour >= first).map(|(_, count)| count);
            DeniedBy { rule, count: counts.fold(0, |sum, count| sum.saturating_add(*count)), last_ms: denials.last_ms }
        });
        counted.filter(|denied| denied.count > 0).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Tally>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn second(&mut self, now_ms: u64, count: impl FnOnce(&mut Count)) {
        counted(&mut self.seconds, now_ms / SECOND_MS, SECONDS, count);
    }
}

/// Counts in the slot of now, after so many before it that are kept. A clock that goes back counts in the newest one.
fn counted<T: Default>(slots: &mut VecDeque<(u64, T)>, now: u64, kept: u64, count: impl FnOnce(&mut T)) {
    match slots.back_mut() {
        Some((at, newest)) if *at >= now => count(newest),
        _ => {
            slots.retain(|(at, _)| now.saturating_sub(*at) <= kept);
            let mut newest = T::default();
            count(&mut newest);
            slots.push_back((now, newest));
        }
    }
}

impl Service {
    /// Notes that a rule refused a request.
    pub(super) fn tally_denial(&self, tenant: TenantId, rule: &'static str) {
        self.tallies.denied(tenant, rule, self.clock.unix_ms());
    }

    /// What was carried out and refused in the last 60 full seconds, of all tenants or one.
    pub fn last_minute(&self, tenant: Option<TenantId>) -> Count {
        self.tallies.minute(tenant, self.clock.unix_ms())
    }

    /// How often each rule refused something of a tenant's in this hour and the 23 before it, as far back as
    /// [`Self::since_ms`].
    pub fn denials(&self, tenant: TenantId) -> Vec<DeniedBy> {
        self.tallies.denials(tenant, self.clock.unix_ms())
    }

    /// When the service started, milliseconds since the Unix epoch.
    pub fn since_ms(&self) -> u64 {
        self.tallies.since_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_785_312_000_000;

    #[test]
    fn a_minute_is_sixty_full_seconds_of_one_tenant_or_all() {
        let tallies = Tallies::since(NOW);
        for second in 0..200 {
            tallies.executed(TenantId::MIN, NOW + second * SECOND_MS);
            tallies.denied(TenantId::MAX, "grant.none", NOW + second * SECOND_MS + 999);
        }
        let now = NOW + 200 * SECOND_MS;
        assert_eq!(tallies.minute(None, now), Count { executions: 60, denials: 60 });
        assert_eq!(tallies.minute(Some(TenantId::MAX), now), Count { executions: 0, denials: 60 });
        assert_eq!(tallies.minute(None, now + 59 * SECOND_MS), Count { executions: 1, denials: 1 });
        assert_eq!(tallies.minute(None, now + 60 * SECOND_MS), Count::default());
        assert!(tallies.lock()[&TenantId::MIN].seconds.len() <= 62, "what is over is forgotten");
    }

    #[test]
    fn refusals_are_kept_for_a_day_by_their_rules() {
        let tallies = Tallies::since(NOW);
        for hour in 0..30 {
            tallies.denied(TenantId::MIN, "grant.none", NOW + hour * HOUR_MS);
        }
        tallies.denied(TenantId::MIN, "order.side", NOW + 29 * HOUR_MS);
        tallies.denied(TenantId::MAX, "self-trade", NOW);
        let last_ms = NOW + 29 * HOUR_MS;
        let expected = [("grant.none", 24), ("order.side", 1)].map(|(rule, count)| DeniedBy { rule, count, last_ms });
        assert_eq!(tallies.denials(TenantId::MIN, last_ms), expected);
        assert_eq!(tallies.denials(TenantId::MAX, last_ms), [], "a day and more ago");
    }
}
