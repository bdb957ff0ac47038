//! What was spent of budgets: counted in the commit that records an intent, so that no budget is ever exceeded, whoever
//! asks at the same time and whatever crashes.
//!
//! A budget holds over *every* minute and every day, not over those of the clock: what was spent is kept by slices of
//! the window, and a slice counts as long as any part of it lies within the window.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::id::{AppId, CredentialId, GrantId};

/// Who spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Spender {
    /// An app.
    App(AppId),
    /// A credential, whichever app uses it.
    Credential(CredentialId),
    /// A grant.
    Grant(GrantId),
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Unit {
    /// Requests to venues, reads among them.
    Requests,
    /// Orders placed or changed.
    Orders,
    /// What orders are worth, in an asset.
    Notional(String),
}

/// Over what time it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Window {
    /// Any 60 seconds.
    Minute,
    /// Any 24 hours.
    Day,
}

impl Window {
    /// The length of a slice, milliseconds, and how many make the window.
    const fn slices(self) -> (u64, u64) {
        match self {
            Self::Minute => (5_000, 12),
            Self::Day => (3_600_000, 24),
        }
    }

    /// The word used in refusals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Day => "day",
        }
    }
}

/// One thing that an intent spends, and how much of it there may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Who.
    pub spender: Spender,
    /// What.
    pub unit: Unit,
    /// Over what time.
    pub window: Window,
    /// How much; not negative.
    pub amount: Decimal,
    /// The most there may be within the window.
    pub most: Decimal,
}

/// What one spender spent, as far back as it counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent(Vec<Meter>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Meter {
    unit: Unit,
    window: Window,
    /// Slices by number, oldest first, none empty.
    slices: Vec<(u64, Decimal)>,
}

impl Spent {
    /// Takes a charge, if it fits at `now_ms`, milliseconds since the Unix epoch.
    ///
    /// A clock that went back frees nothing: the newest slice stays the newest. What a decimal cannot hold does not fit.
    #[must_use]
    pub fn take(&mut self, charge: &Charge, now_ms: u64) -> bool {
        let (slice_ms, count) = charge.window.slices();
        let meter = self.meter(charge);
        let newest = meter.slices.last().map_or(0, |(slice, _)| *slice);
        let slice = newest.max(now_ms.checked_div(slice_ms).unwrap_or_default());
        // One slice more than the window has: its oldest part may lie in the slice where the window begins.
        meter.slices.retain(|(old, _)| old.saturating_add(count) >= slice);
        let spent = meter.slices.iter().try_fold(charge.amount, |sum, (_, amount)| sum.checked_add(*amount));
        if spent.is_none_or(|spent| spent > charge.most) {
            return false;
        }
        match meter.slices.last_mut() {
            // Parts of a sum that fits fit, too.
            Some((last, amount)) if *last == slice => *amount = amount.saturating_add(charge.amount),
            _ => meter.slices.push((slice, charge.amount)),
        }
        true
    }

    fn meter(&mut self, charge: &Charge) -> &mut Meter {
        let place = self.0.iter().position(|meter| meter.unit == charge.unit && meter.window == charge.window);
        let place = place.unwrap_or_else(|| {
            self.0.push(Meter { unit: charge.unit.clone(), window: charge.window, slices: Vec::new() });
            self.0.len().saturating_sub(1)
        });
        #[expect(clippy::indexing_slicing, reason = "found there, or pushed there a line before")]
        &mut self.0[place]
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the numbers of tests are small")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::SystemClock;

    fn charge(amount: u32, most: u32, window: Window) -> Charge {
        let spender = Spender::App(AppId::new(&SystemClock));
        Charge { spender, unit: Unit::Orders, window, amount: amount.into(), most: most.into() }
    }

    #[test]
    fn a_charge_that_does_not_fit_leaves_no_trace() {
        let mut spent = Spent::default();
        assert!(spent.take(&charge(3, 5, Window::Minute), 1_000_000));
        assert!(!spent.take(&charge(3, 5, Window::Minute), 1_000_000));
        assert!(spent.take(&charge(2, 5, Window::Minute), 1_000_000));
        assert!(!spent.take(&charge(1, 5, Window::Minute), 1_060_000), "a minute has not passed for all of it");
        assert!(!spent.take(&charge(1, 5, Window::Minute), 900_000), "a clock that went back");
        assert!(spent.take(&charge(5, 5, Window::Minute), 1_065_000));
    }

    #[test]
    fn what_no_decimal_holds_does_not_fit() {
        let mut spent = Spent::default();
        let huge = Charge { amount: Decimal::MAX, most: Decimal::MAX, ..charge(0, 0, Window::Day) };
        assert!(spent.take(&huge, 0));
        assert!(!spent.take(&huge, 0));
    }

    proptest! {
        #[test]
        fn no_minute_and_no_day_holds_more_than_the_most(
            steps in prop::collection::vec((0_u64..20_000, 0_u32..4), 1..200),
            day in any::<bool>(),
        ) {
            let (window, scale) = if day { (Window::Day, 3_600) } else { (Window::Minute, 1) };
            let (mut spent, mut now, mut taken) = (Spent::default(), 1_700_000_000_000_u64, Vec::new());
            for (pause, amount) in steps {
                now += pause * scale;
                if spent.take(&charge(amount, 6, window), now) {
                    taken.push((now, amount));
                }
            }
            let length = if day { 86_400_000 } else { 60_000 };
            for (begin, _) in &taken {
                let within = taken.iter().filter(|(at, _)| (*begin..begin + length).contains(at));
                prop_assert!(within.map(|(_, amount)| amount).sum::<u32>() <= 6);
            }
        }
    }
}
