//! Deletion epochs, as they leave.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::epoch::Phase;
use crate::service::EpochState;

/// How it stands with what was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EpochsView {
    /// The number of the epoch that goes on.
    pub epoch: u64,
    /// When it began, RFC 3339.
    pub began_at: String,
    /// When it ends, RFC 3339.
    pub ends_at: String,
    /// `open`, or `moving` while all tenants move under a new root key for the one before.
    pub state: String,
    /// Whether the end of an epoch, or the move after it, has been due for more than an hour: `root watch` says what it
    /// waits for.
    pub late: bool,
    /// When everything had moved last, RFC 3339; absent before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<String>,
    /// What was deleted in the epoch that goes on.
    pub unerased: Vec<UnerasedView>,
    /// From when on that opens from no backup, RFC 3339; absent if backups are kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrecoverable_after: Option<String>,
    /// Epochs before, the oldest first: what was deleted in them opens from older backups alone.
    pub waiting: Vec<WaitingView>,
    /// Root keys whose time is over, and that the keeper is about to destroy.
    pub destroying: Vec<u32>,
}

/// What was deleted of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnerasedView {
    /// `ten_…`
    pub tenant: String,
    /// Sealed rows.
    pub rows: u64,
    /// When the first went, RFC 3339.
    pub first_at: String,
    /// When the last went, RFC 3339.
    pub last_at: String,
}

/// An epoch that backups hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitingView {
    /// Its number.
    pub epoch: u64,
    /// Root keys of smaller numbers are destroyed then.
    pub roots_below: u32,
    /// When, RFC 3339; absent if backups are kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrecoverable_after: Option<String>,
    /// Whether that is over, and something keeps the root keys.
    pub late: bool,
    /// Tenants, `ten_…`, that keep them: rows of theirs under one of these keys do not open, or wait for the tenant's KEK.
    pub held_by: Vec<String>,
}

impl EpochsView {
    /// The view at a time, milliseconds since the Unix epoch.
    pub fn of(state: &EpochState, now_ms: u64) -> Self {
        let EpochState { epochs, times, unerased, destroying, held } = state;
        let is_late = |by_ms: u64| by_ms.saturating_add(GRACE_MS) < now_ms;
        let waiting = epochs.aging.iter().map(|aging| {
            let after_ms = times.keep_ms().map(|keep| aging.moved_ms.saturating_add(keep));
            let of: BTreeSet<_> = held.range(..aging.below).flat_map(|(_, tenants)| tenants).collect();
            WaitingView {
                epoch: aging.number,
                roots_below: aging.below,
                unrecoverable_after: after_ms.map(timestamp),
                late: after_ms.is_some_and(is_late),
                held_by: of.iter().map(ToString::to_string).collect(),
            }
        });
        let unerased: Vec<_> = unerased
            .iter()
            .map(|mark| UnerasedView {
                tenant: mark.tenant.to_string(),
                rows: mark.count,
                first_at: timestamp(mark.first_ms),
                last_at: timestamp(mark.last_ms),
            })
            .collect();
        let end_ms = match epochs.phase {
            // Nothing is promised of an epoch in which nothing was deleted, and none ends where backups are kept for ever.
            Phase::Open => times.keep_ms().filter(|_| !unerased.is_empty()).map(|_| epochs.due_ms(*times)),
            Phase::Making { .. } | Phase::Moving { .. } => Some(epochs.began_ms),
        };
        let after_ms = epochs.unrecoverable_ms(epochs.began_ms, *times, now_ms).filter(|_| !unerased.is_empty());
        Self {
            epoch: epochs.number,
            began_at: timestamp(epochs.began_ms),
            ends_at: timestamp(epochs.due_ms(*times)),
            state: if epochs.phase == Phase::Open { "open" } else { "moving" }.to_owned(),
            late: end_ms.is_some_and(is_late),
            moved_at: epochs.ended_ms.map(timestamp),
            unerased,
            unrecoverable_after: after_ms.map(timestamp),
            waiting: waiting.collect(),
            destroying: destroying.clone(),
        }
    }
}

/// What takes longer is late.
const GRACE_MS: u64 = 60 * 60 * 1_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;
    use crate::epoch::{Aging, EpochTimes, Epochs, Unerased};
    use crate::id::TenantId;

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    fn state(epochs: Epochs) -> EpochState {
        let days = |days: u64| Duration::from_hours(days.saturating_mul(24));
        let times = EpochTimes::new(days(7), Some(days(30)));
        EpochState { epochs, times, unerased: Vec::new(), destroying: Vec::new(), held: BTreeMap::new() }
    }

    fn is_late(state: &EpochState, since_ms: u64) -> [bool; 2] {
        [0, 1].map(|more| EpochsView::of(state, since_ms.saturating_add(GRACE_MS).saturating_add(more)).late)
    }

    #[test]
    fn an_end_and_a_move_that_hang_are_late_and_nothing_else_is() {
        let due_ms = DAY_MS * 7;
        let mut open = state(Epochs::first(0));
        assert_eq!(is_late(&open, due_ms), [false, false], "nothing was deleted");
        open.unerased.push(Unerased { tenant: TenantId::MIN, count: 1, first_ms: 0, last_ms: 0 });
        assert_eq!(is_late(&open, due_ms), [false, true]);
        open.times = EpochTimes::new(Duration::from_hours(1), None);
        assert_eq!(is_late(&open, due_ms), [false, false], "backups are kept for ever");
        for phase in [Phase::Making { root: 2 }, Phase::Moving { root: 2 }] {
            assert_eq!(is_late(&state(Epochs { phase, ..Epochs::first(DAY_MS) }), DAY_MS), [false, true]);
        }
    }

    #[test]
    fn each_epoch_names_those_who_keep_its_root_keys() {
        let (one, other) = (TenantId::from_bytes([1; 16]), TenantId::from_bytes([2; 16]));
        let aging = |number, below| Aging { number, until_ms: 0, below, moved_ms: 0 };
        let mut state = state(Epochs { aging: vec![aging(1, 2), aging(2, 3)], ..Epochs::first(0) });
        state.held = BTreeMap::from([(1, [one].into()), (2, [one, other].into()), (3, [one, other].into())]);
        let waiting = EpochsView::of(&state, 30 * DAY_MS).waiting;
        assert_eq!(waiting[0].held_by, [one.to_string()]);
        assert_eq!(waiting[1].held_by, [one.to_string(), other.to_string()]);
    }
}
