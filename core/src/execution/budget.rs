//! The venues' rate budgets: what leaves never asks more of a venue than it lets be asked, and cancels go first.
//!
//! A budget is a venue's own limit ([`claviger_venues::Budget`]), held per egress address or per credential. A call takes
//! its share of each before its intent is recorded, or waits for it: cancels before everything else, and with a share of
//! every budget that nothing else may use.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_venues::{Budget, Counts, Operation, Per, VenueId};
use tokio::sync::Notify;

use crate::clock::{BootTime, Clock};
use crate::id::CredentialId;

/// One part in so many of each budget is kept for cancels and closing orders.
const KEPT_FOR_CANCELS: u32 = 10;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Address(VenueId),
    Key(VenueId, CredentialId),
}

/// What one call takes of its venue's budgets.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The venue.
    pub venue: VenueId,
    /// The credential; none for class market.
    pub credential: Option<CredentialId>,
    /// Its weight.
    pub weight: u32,
    /// The orders it places or changes.
    pub orders: u32,
    /// Whether it only takes risk away.
    pub reduces: bool,
}

impl Share {
    /// The share of a call that places so many orders.
    pub fn of(operation: &Operation, credential: Option<CredentialId>, orders: usize, reduces: bool) -> Self {
        let orders = u32::try_from(orders).unwrap_or(u32::MAX);
        Self { venue: operation.venue, credential, weight: claviger_venues::weight(operation), orders, reduces }
    }

    fn holder(&self, per: Per) -> Option<Holder> {
        match per {
            Per::Address => Some(Holder::Address(self.venue)),
            Per::Key => self.credential.map(|id| Holder::Key(self.venue, id)),
        }
    }

    fn amount(&self, counts: Counts) -> u32 {
        match counts {
            Counts::Weight => self.weight,
            Counts::Orders => self.orders,
        }
    }
}

/// All budgets, in memory. After a restart they begin with what a venue may still remember: see [`Budgets::new`].
#[derive(Clone, Debug)]
pub struct Budgets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct State {
    spent: HashMap<(Holder, usize), Spent>,
    /// Until when a venue has asked for quiet.
    quiet: HashMap<Holder, BootTime>,
    cancels_waiting: HashMap<VenueId, usize>,
}

/// What was spent in the window that ends now.
#[derive(Debug, Default)]
struct Spent {
    calls: VecDeque<(BootTime, u32)>,
    sum: u32,
}

impl Spent {
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

/// The budget is used up for longer than the caller would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the venue's rate budget is used up for another {} ms", wait.as_millis())]
pub struct UsedUp {
    /// How long.
    pub wait: Duration,
}

impl Default for Budgets {
    fn default() -> Self {
        Self::new()
    }
}

impl Budgets {
    /// Budgets of which nothing is spent.
    pub fn new() -> Self {
        Self(Arc::new(Inner { state: Mutex::default(), freed: Notify::new() }))
    }

    /// Takes a share, after waiting for it at most `patience`. What is taken is spent, whatever becomes of the call.
    ///
    /// # Errors
    /// [`UsedUp`]; nothing is taken then.
    pub async fn take(&self, share: Share, clock: &dyn Clock, patience: Duration) -> Result<(), UsedUp> {
        let begun = clock.boot();
        let _waiting = share.reduces.then(|| self.waits(share.venue));
        loop {
            let now = clock.boot();
            let wait = match self.try_take(&share, now) {
                Ok(()) => return Ok(()),
                Err(wait) => wait,
            };
            let left = patience.saturating_sub(begun.until(now));
            if wait > left {
                return Err(UsedUp { wait });
            }
            // Woken early when the cancels before it are gone.
            let _woken = tokio::time::timeout(wait.max(Duration::from_millis(1)), self.0.freed.notified()).await;
        }
    }

    /// Takes a share of every budget, or says how long until all of them have room.
    fn try_take(&self, share: &Share, now: BootTime) -> Result<(), Duration> {
        let mut state = self.lock();
        let budgets = claviger_venues::budgets(share.venue);
        let mut wait = state.quiet_for(share, now);
        if !share.reduces && state.cancels_waiting.get(&share.venue).is_some_and(|waiting| *waiting > 0) {
            wait = wait.max(Duration::from_millis(5));
        }
        for (at, budget) in budgets.iter().enumerate() {
            wait = wait.max(state.wait(at, budget, share, now));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        for (at, budget) in budgets.iter().enumerate() {
            state.spend(at, budget, share, now);
        }
        Ok(())
    }

    /// The venue has asked for quiet: nothing of the kind leaves before that.
    pub fn quiet(&self, share: &Share, pause: Duration, now: BootTime) {
        let mut state = self.lock();
        if state.quiet.len() >= QUIET_MAX {
            state.quiet.retain(|_, until| *until > now);
        }
        // Which of its limits it was a venue does not say in one way; the wider one is the safe reading.
        state.quiet.insert(Holder::Address(share.venue), now.after(pause));
    }

    fn waits(&self, venue: VenueId) -> Waits {
        let mut state = self.lock();
        let waiting = state.cancels_waiting.entry(venue).or_insert(0);
        *waiting = waiting.saturating_add(1);
        Waits { budgets: self.clone(), venue }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pauses that are kept at once.
const QUIET_MAX: usize = 1_000;

/// Counters that are kept at once; those of keys that rest are dropped first.
const SPENT_MAX: usize = 100_000;

impl State {
    fn quiet_for(&self, share: &Share, now: BootTime) -> Duration {
        let until = self.quiet.get(&Holder::Address(share.venue));
        until.map_or(Duration::ZERO, |until| now.until(*until))
    }

    fn wait(&mut self, at: usize, budget: &Budget, share: &Share, now: BootTime) -> Duration {
        let amount = share.amount(budget.counts);
        let Some(holder) = share.holder(budget.per).filter(|_| amount > 0) else { return Duration::ZERO };
        let window = Duration::from_millis(budget.window_ms.into());
        let kept = if share.reduces { 0 } else { budget.max.div_ceil(KEPT_FOR_CANCELS) };
        let Some(spent) = self.spent.get_mut(&(holder, at)) else { return Duration::ZERO };
        spent.forget(window, now);
        spent.wait(amount, budget.max.saturating_sub(kept), window, now)
    }

    fn spend(&mut self, at: usize, budget: &Budget, share: &Share, now: BootTime) {
        let amount = share.amount(budget.counts);
        let Some(holder) = share.holder(budget.per).filter(|_| amount > 0) else { return };
        if self.spent.len() >= SPENT_MAX {
            self.spent.retain(|_, spent| !spent.calls.is_empty());
        }
        let spent = self.spent.entry((holder, at)).or_default();
        spent.calls.push_back((now, amount));
        spent.sum = spent.sum.saturating_add(amount);
    }
}

/// A cancel that waits: while there is one, nothing else of the venue takes what comes free.
struct Waits {
    budgets: Budgets,
    venue: VenueId,
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut state = self.budgets.lock();
        if let Some(waiting) = state.cancels_waiting.get_mut(&self.venue) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                state.cancels_waiting.remove(&self.venue);
            }
        }
        drop(state);
        self.budgets.0.freed.notify_waiters();
    }
}
