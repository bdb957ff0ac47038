//! Deletion epochs, as they leave.

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
    /// When everything had moved last, RFC 3339; absent before the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<String>,
    /// What was deleted in the epoch that goes on.
    pub unerased: Vec<UnerasedView>,
    /// From when on that opens from no backup, RFC 3339; absent if backups are kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unrecoverable_after: Option<String>,
    /// Epochs before: what was deleted in them opens from older backups alone.
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
}

impl EpochsView {
    /// The view at a time, milliseconds since the Unix epoch.
    pub fn of(state: &EpochState, now_ms: u64) -> Self {
        let EpochState { epochs, times, unerased, destroying } = state;
        let waiting = epochs.aging.iter().map(|aging| {
            let after_ms = times.keep_ms().map(|keep| aging.moved_ms.saturating_add(keep));
            WaitingView {
                epoch: aging.number,
                roots_below: aging.below,
                unrecoverable_after: after_ms.map(timestamp),
                late: after_ms.is_some_and(|after_ms| after_ms.saturating_add(GRACE_MS) < now_ms),
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
        let after_ms = epochs.unrecoverable_ms(epochs.began_ms, *times).filter(|_| !unerased.is_empty());
        Self {
            epoch: epochs.number,
            began_at: timestamp(epochs.began_ms),
            ends_at: timestamp(epochs.due_ms(*times)),
            state: if epochs.phase == Phase::Open { "open" } else { "moving" }.to_owned(),
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
