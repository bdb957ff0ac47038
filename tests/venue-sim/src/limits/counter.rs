//! What one address or key has used of one budget.

use super::Limit;

/// What is used, in milliseconds of the window times units, so that a decaying budget drains without fractions.
#[derive(Debug, Default)]
pub(super) struct Counter {
    level: u64,
    /// The start of the window, or the last time that a decaying budget was looked at.
    since_ms: u64,
    /// Refusals since the window began or the budget had room.
    refused: u32,
    banned_until_ms: u64,
}

/// Whether a call fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    Taken,
    Refused { banned: bool, retry_after_ms: u64 },
}

impl Counter {
    /// Takes `cost` units; if the budget is enforced and has no room for them, or a ban holds, takes none.
    pub(super) fn charge(&mut self, limit: &Limit, enforced: bool, cost: u32, now_ms: u64) -> Charge {
        self.pass_time(limit, now_ms);
        if !enforced {
            self.level = self.level.saturating_add(units(limit, cost));
            return Charge::Taken;
        }
        if now_ms < self.banned_until_ms {
            return Charge::Refused { banned: true, retry_after_ms: self.banned_until_ms.saturating_sub(now_ms) };
        }
        let wanted = self.level.saturating_add(units(limit, cost));
        if wanted <= units(limit, limit.max) {
            self.level = wanted;
            if limit.decays {
                self.refused = 0;
            }
            return Charge::Taken;
        }
        self.refused = self.refused.saturating_add(1);
        if limit.ban_after > 0 && self.refused >= limit.ban_after {
            self.banned_until_ms = now_ms.saturating_add(limit.ban_ms);
            return Charge::Refused { banned: true, retry_after_ms: limit.ban_ms };
        }
        Charge::Refused { banned: false, retry_after_ms: self.room_after_ms(limit, wanted, now_ms) }
    }

    /// Units in use, rounded up.
    pub(super) fn used(&self, limit: &Limit) -> u32 {
        u32::try_from(self.level.div_ceil(limit.window_ms.max(1))).unwrap_or(u32::MAX)
    }

    fn pass_time(&mut self, limit: &Limit, now_ms: u64) {
        if limit.decays {
            let drained = now_ms.saturating_sub(self.since_ms).saturating_mul(u64::from(limit.max));
            self.level = self.level.saturating_sub(drained);
            self.since_ms = self.since_ms.max(now_ms);
            return;
        }
        let start_ms = now_ms.saturating_sub(now_ms.checked_rem(limit.window_ms).unwrap_or_default());
        if start_ms > self.since_ms {
            *self = Self { since_ms: start_ms, banned_until_ms: self.banned_until_ms, ..Self::default() };
        }
    }

    fn room_after_ms(&self, limit: &Limit, wanted: u64, now_ms: u64) -> u64 {
        if limit.decays {
            let excess = wanted.saturating_sub(units(limit, limit.max));
            return excess.div_ceil(u64::from(limit.max.max(1)));
        }
        self.since_ms.saturating_add(limit.window_ms).saturating_sub(now_ms)
    }
}

fn units(limit: &Limit, cost: u32) -> u64 {
    limit.window_ms.saturating_mul(u64::from(cost))
}
