//! What was spent of each budget, and who rests or goes first.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use claviger_venues::Budget;

use super::share::{Holder, Share};
use crate::clock::BootTime;

/// One part in so many of each budget is kept for cancels and closing orders.
pub(super) const KEPT_FOR_CANCELS: u32 = 10;

/// One part in so many is kept for calls with a key: anybody may ask for market data.
pub(super) const KEPT_FOR_KEYS: u32 = 4;

/// One part in so many is kept from calls that nobody waits for.
pub(super) const KEPT_FROM_BACKGROUND: u32 = 2;

/// How soon a call looks again that a cancel goes before.
const BEHIND_A_CANCEL: Duration = Duration::from_millis(5);

/// Pauses that are kept at once.
pub(super) const QUIET_MAX: usize = 1_000;

/// Counters that are kept at once; above that, those of keys that rest are dropped.
const SPENT_MAX: usize = 100_000;
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct State {
    spent: HashMap<(Holder, usize), Spent>,
    /// Until when a venue has asked for quiet.
    pub(super) quiet: HashMap<Holder, BootTime>,
    pub(super) cancels_waiting: HashMap<Holder, usize>,
}

impl State {
    /// How long a holder's calls rest for the venue's quiet, or for a cancel that goes first.
    pub(super) fn pause(&self, holder: Holder, share: &Share, now: BootTime) -> Duration {
        let quiet = self.quiet.get(&holder).map_or(Duration::ZERO, |until| now.until(*until));
        let behind = !share.reduces && self.cancels_waiting.get(&holder).is_some_and(|waiting| *waiting > 0);
        if behind { quiet.max(BEHIND_A_CANCEL) } else { quiet }
    }

    pub(super) fn wait(
        &mut self,
        at: usize,
        budget: &Budget,
        share: &Share,
        started: BootTime,
        now: BootTime,
    ) -> Duration {
        let amount = share.amount(budget.counts);
        let Some(holder) = share.holder(budget.per).filter(|_| amount > 0) else { return Duration::ZERO };
        if self.spent.len() >= SPENT_MAX {
            self.spent.retain(|_, spent| spent.calls.back().is_some_and(|(at, _)| at.until(now) < FORGOTTEN_AFTER));
        }
        let window = Duration::from_millis(budget.window_ms.into());
        let kept = match (share.reduces, share.credential) {
            _ if share.background => budget.max.div_ceil(KEPT_FROM_BACKGROUND),
            (true, _) => 0,
            (false, Some(_)) => budget.max.div_ceil(KEPT_FOR_CANCELS),
            (false, None) => budget.max.div_ceil(KEPT_FOR_KEYS),
        };
        let spent = self.spent.entry((holder, at)).or_insert_with(|| Spent::before(started, budget.max / 2));
        spent.forget(window, now);
        // What is larger than the budget itself goes when nothing else is counted.
        let room = budget.max.saturating_sub(kept).max(1);
        spent.wait(amount.min(room), room, window, now)
    }

    pub(super) fn spend(&mut self, at: usize, budget: &Budget, share: &Share, now: BootTime) {
        let amount = share.amount(budget.counts);
        let holder = share.holder(budget.per).filter(|_| amount > 0);
        if let Some(spent) = holder.and_then(|holder| self.spent.get_mut(&(holder, at))) {
            spent.calls.push_back((now, amount));
            spent.sum = spent.sum.saturating_add(amount);
        }
    }
}

/// What was spent in the window that ends now.
#[derive(Debug, Default)]
struct Spent {
    calls: VecDeque<(BootTime, u32)>,
    sum: u32,
}

impl Spent {
    /// What may have been spent before the service started.
    fn before(started: BootTime, amount: u32) -> Self {
        Self { calls: VecDeque::from([(started, amount)]), sum: amount }
    }

    fn forget(&mut self, window: Duration, now: BootTime) {
        while let Some((at, amount)) = self.calls.front().copied()
            && at.until(now) >= window
        {
            self.sum = self.sum.saturating_sub(amount);
            self.calls.pop_front();
        }
    }

    /// How long until `amount` fits under `max`; zero if it does.
    fn wait(&self, amount: u32, max: u32, window: Duration, now: BootTime) -> Duration {
        let mut left = self.sum.saturating_add(amount);
        if left <= max {
            return Duration::ZERO;
        }
        for (at, spent) in &self.calls {
            left = left.saturating_sub(*spent);
            if left <= max {
                return window.saturating_sub(at.until(now));
            }
        }
        window
    }
}
