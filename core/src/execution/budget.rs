//! The venues' rate budgets: what leaves never asks more of a venue than it lets be asked, and cancels go first.
//!
//! A budget is a venue's own limit ([`claviger_venues::Budget`]), held per egress address or per credential. A call takes
//! its share of each before its intent is recorded, or waits for it: cancels before everything else, and with a share of
//! every budget that nothing else may use.

mod share;
mod state;

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use claviger_venues::{Per, VenueId};
use tokio::sync::Notify;

use crate::clock::{BootTime, Clock};
use share::Holder;
use state::{QUIET_MAX, State};

pub use share::Share;

/// All budgets, in memory. What was spent before the service started the venue may still count, so for the length of each
/// window half of it counts as spent.
#[derive(Debug)]
pub struct Budgets {
    started: BootTime,
    /// Venues whose limits somebody else keeps.
    unlimited: HashSet<VenueId>,
    state: Mutex<State>,
    freed: Notify,
}

/// The budget is used up for longer than the caller would wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the venue's rate budget is used up for another {} ms", wait.as_millis())]
pub struct UsedUp {
    /// How long.
    pub wait: Duration,
}

/// What keeps a share from being taken.
#[derive(Clone, Copy, Debug)]
struct Short {
    /// How long.
    wait: Duration,
    /// Whose budget it is that has no room for the longest.
    holder: Holder,
}

impl Budgets {
    /// The budgets of a service that starts now.
    pub fn new(started: BootTime, unlimited: HashSet<VenueId>) -> Self {
        Self { started, unlimited, state: Mutex::default(), freed: Notify::new() }
    }

    /// Takes a share, after waiting for it at most `patience`. What is taken is spent, whatever becomes of the call.
    ///
    /// # Errors
    /// [`UsedUp`]; nothing is taken then.
    pub async fn take(&self, share: Share, clock: &dyn Clock, patience: Duration) -> Result<(), UsedUp> {
        let begun = clock.boot();
        // What it waits for nothing else takes meanwhile; a key that waits for its own budget keeps no other waiting.
        let mut waiting: Option<Waits<'_>> = None;
        loop {
            let now = clock.boot();
            let Short { wait, holder } = match self.try_take(&share, now) {
                Ok(()) => return Ok(()),
                Err(short) => short,
            };
            let left = patience.saturating_sub(begun.until(now));
            if wait > left {
                return Err(UsedUp { wait });
            }
            if share.reduces && waiting.as_ref().is_none_or(|waits| waits.holder != holder) {
                waiting = Some(self.waits(holder));
            }
            // Woken early when the cancels before it are gone.
            let _woken = tokio::time::timeout(wait.max(Duration::from_millis(1)), self.freed.notified()).await;
        }
    }

    /// Takes a share of every budget, or says how long until all of them have room.
    fn try_take(&self, share: &Share, now: BootTime) -> Result<(), Short> {
        let budgets = if self.unlimited.contains(&share.venue) { &[] } else { claviger_venues::budgets(share.venue) };
        let mut state = self.lock();
        let asked = share.holders().map(|holder| Short { wait: state.pause(holder, share, now), holder });
        let mut short = asked.collect::<Vec<_>>();
        for (at, budget) in budgets.iter().enumerate() {
            if let Some(holder) = share.holder(budget.per) {
                short.push(Short { wait: state.wait(at, budget, share, self.started, now), holder });
            }
        }
        if let Some(longest) = short.into_iter().max_by_key(|short| short.wait).filter(|short| !short.wait.is_zero()) {
            return Err(longest);
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
        // Which of its limits it was a venue does not say in one way; the wider one is the safe reading. Where there is
        // none but the keys' own, one key's excess is no reason to keep the others waiting.
        let shared = claviger_venues::budgets(share.venue).iter().any(|budget| budget.per == Per::Address);
        let key = share.holder(Per::Key).filter(|_| !shared);
        state.quiet.insert(key.unwrap_or(Holder::Address(share.venue)), now.after(pause));
    }

    /// For how long a venue is left alone as a whole, because it asked for that; zero if it is not.
    pub fn quiet_of(&self, venue: VenueId, now: BootTime) -> Duration {
        self.lock().quiet.get(&Holder::Address(venue)).map_or(Duration::ZERO, |until| now.until(*until))
    }

    fn waits(&self, holder: Holder) -> Waits<'_> {
        let mut state = self.lock();
        let waiting = state.cancels_waiting.entry(holder).or_insert(0);
        *waiting = waiting.saturating_add(1);
        Waits { budgets: self, holder }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cancel that waits: while there is one, nothing else of the holder's takes what comes free.
struct Waits<'a> {
    budgets: &'a Budgets,
    holder: Holder,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut state = self.budgets.lock();
        if let Some(waiting) = state.cancels_waiting.get_mut(&self.holder) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                state.cancels_waiting.remove(&self.holder);
            }
        }
        drop(state);
        self.budgets.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use claviger_venues::{Budget, Counts};

    use super::state::{KEPT_FOR_CANCELS, KEPT_FOR_KEYS, KEPT_FROM_BACKGROUND};
    use super::*;
    use crate::id::CredentialId;

    const BINANCE: VenueId = VenueId::Binance;
    const NOW: BootTime = BootTime(1_000_000_000_000_000);

    fn order(n: u8, reduces: bool) -> Share {
        let credential = Some(CredentialId::from_bytes([n; 16]));
        Share { venue: BINANCE, credential, weight: 1, orders: u32::from(!reduces), reduces, background: false }
    }

    fn budgets() -> Budgets {
        Budgets::new(BootTime(0), HashSet::new())
    }

    /// The limit on orders with one key that is tightest for a burst.
    fn tightest() -> &'static Budget {
        let orders = claviger_venues::budgets(BINANCE).iter().filter(|budget| budget.counts == Counts::Orders);
        orders.min_by_key(|budget| budget.max).unwrap()
    }

    #[test]
    fn a_burst_stays_under_the_limit_and_each_key_has_its_own() {
        let (budgets, limit) = (budgets(), tightest());
        let room = limit.max - limit.max.div_ceil(KEPT_FOR_CANCELS);
        for _ in 0..room {
            budgets.try_take(&order(1, false), NOW).unwrap();
        }
        let wait = budgets.try_take(&order(1, false), NOW).unwrap_err().wait;
        assert_eq!(wait, Duration::from_millis(limit.window_ms.into()));
        budgets.try_take(&order(2, false), NOW).unwrap();
        budgets.try_take(&order(1, false), NOW.after(wait)).unwrap();
    }

    #[test]
    fn cancels_have_a_share_that_nothing_else_takes() {
        let budgets = budgets();
        let address = claviger_venues::budgets(BINANCE).iter().find(|budget| budget.per == Per::Address).unwrap();
        let heavy = Share { weight: address.max, orders: 0, ..order(1, false) };
        budgets.try_take(&heavy, NOW).unwrap();
        assert!(budgets.try_take(&order(1, false), NOW).is_err());
        let (budgets, kept) = (self::budgets(), address.max.div_ceil(KEPT_FOR_CANCELS));
        let heavy = Share { weight: address.max - kept, orders: 0, ..order(1, false) };
        budgets.try_take(&heavy, NOW).unwrap();
        assert!(budgets.try_take(&order(1, false), NOW).is_err());
        budgets.try_take(&order(1, true), NOW).unwrap();
    }

    #[test]
    fn calls_without_a_key_leave_room_for_those_with_one() {
        let address = claviger_venues::budgets(BINANCE).iter().find(|budget| budget.per == Per::Address).unwrap();
        let market = |weight| Share { credential: None, weight, orders: 0, ..order(1, false) };
        let (budgets, kept) = (budgets(), address.max.div_ceil(KEPT_FOR_KEYS));
        budgets.try_take(&market(address.max - kept), NOW).unwrap();
        assert!(budgets.try_take(&market(1), NOW).is_err());
        budgets.try_take(&order(1, false), NOW).unwrap();
    }

    #[test]
    fn what_nobody_waits_for_leaves_half_of_the_room() {
        let address = claviger_venues::budgets(BINANCE).iter().find(|budget| budget.per == Per::Address).unwrap();
        let (budgets, kept) = (budgets(), address.max.div_ceil(KEPT_FROM_BACKGROUND));
        let read = |weight| Share { weight, orders: 0, ..order(1, false) };
        budgets.try_take(&read(address.max - kept).in_background(), NOW).unwrap();
        assert!(budgets.try_take(&read(1).in_background(), NOW).is_err());
        budgets.try_take(&read(kept - address.max.div_ceil(KEPT_FOR_CANCELS)), NOW).unwrap();
    }

    #[test]
    fn a_fresh_start_counts_half_as_spent_for_one_window() {
        let budgets = Budgets::new(NOW, HashSet::new());
        let limit = tightest();
        let room = limit.max - limit.max.div_ceil(KEPT_FOR_CANCELS);
        for _ in 0..room - limit.max / 2 {
            budgets.try_take(&order(1, false), NOW).unwrap();
        }
        budgets.try_take(&order(1, false), NOW).unwrap_err();
        budgets.try_take(&order(1, false), NOW.after(Duration::from_millis(limit.window_ms.into()))).unwrap();
    }

    #[test]
    fn a_venue_that_asks_for_quiet_gets_it() {
        let budgets = budgets();
        budgets.quiet(&order(1, false), Duration::from_secs(3), NOW);
        assert_eq!(budgets.try_take(&order(2, true), NOW).unwrap_err().wait, Duration::from_secs(3));
        budgets.try_take(&order(2, true), NOW.after(Duration::from_secs(3))).unwrap();
    }

    #[test]
    fn a_venue_that_counts_by_key_asks_only_that_key_for_quiet() {
        let (budgets, kraken) = (budgets(), |n| Share { venue: VenueId::Kraken, ..order(n, false) });
        budgets.quiet(&kraken(1), Duration::from_secs(3), NOW);
        assert_eq!(budgets.try_take(&kraken(1), NOW).unwrap_err().wait, Duration::from_secs(3));
        budgets.try_take(&kraken(2), NOW).unwrap();
    }

    #[test]
    fn a_closing_order_that_waits_for_its_own_key_holds_up_no_other() {
        let (budgets, closing) = (budgets(), Share { reduces: true, ..order(1, false) });
        let taken = std::iter::repeat_with(|| budgets.try_take(&closing, NOW));
        let short = taken.take(1_000).find_map(Result::err).unwrap();
        let waiting = budgets.waits(short.holder);
        budgets.try_take(&order(2, false), NOW).unwrap();
        let read = Share { orders: 0, ..order(1, false) };
        budgets.try_take(&read, NOW).unwrap_err();
        drop(waiting);
        budgets.try_take(&read, NOW).unwrap();
    }

    #[test]
    fn limits_that_somebody_else_keeps_are_not_kept_here() {
        let budgets = Budgets::new(NOW, HashSet::from([BINANCE]));
        for _ in 0..10_000 {
            budgets.try_take(&order(1, false), NOW).unwrap();
        }
    }

    #[tokio::test]
    async fn while_a_cancel_waits_nothing_else_takes_what_comes_free() {
        let budgets = budgets();
        let waiting = budgets.waits(Holder::Address(BINANCE));
        assert!(budgets.try_take(&order(1, false), NOW).is_err());
        budgets.try_take(&order(1, true), NOW).unwrap();
        drop(waiting);
        budgets.try_take(&order(1, false), NOW).unwrap();
    }

    proptest::proptest! {
        #[test]
        fn no_window_ever_holds_more_than_the_limit(steps in proptest::collection::vec((0_u64..3_000, 0_u8..2, proptest::bool::ANY), 1..2_000)) {
            let budgets = budgets();
            let mut now = NOW;
            let mut taken: Vec<(BootTime, u8)> = Vec::new();
            for (later_ms, key, reduces) in steps {
                now = now.after(Duration::from_millis(later_ms / 30));
                if budgets.try_take(&order(key, reduces), now).is_ok() && !reduces {
                    taken.push((now, key));
                }
            }
            let (limit, window) = (tightest().max, Duration::from_millis(tightest().window_ms.into()));
            for (at, key) in &taken {
                let within = taken.iter().filter(|(other, k)| k == key && other >= at && at.until(*other) < window);
                proptest::prop_assert!(within.count() <= usize::try_from(limit).unwrap());
            }
        }
    }
}
