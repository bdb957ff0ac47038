//! What is told when deletion epochs do not do what was promised.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::Service;
use super::super::incidents::Sighting;
use crate::id::TenantId;
use crate::incident::Detector;

/// What was told since the start.
#[derive(Debug, Default)]
pub(in crate::service) struct EpochAlarms {
    /// Whether it was told that there is no room for another root key.
    is_full: AtomicBool,
    /// Alarms that no metric has counted.
    uncounted: AtomicU64,
}

impl EpochAlarms {
    /// Whether there is no room, and was at the last look.
    pub(super) fn is_first_without_room(&self, has_room: bool) -> bool {
        !self.is_full.swap(!has_room, Ordering::Relaxed) && !has_room
    }
}

impl Service {
    /// How many alarms of deletion epochs there were since the last call.
    pub fn epoch_alarms(&self) -> u64 {
        self.epoch_alarms.uncounted.swap(0, Ordering::Relaxed)
    }

    pub(super) async fn deletion_alarm(&self, tenant: Option<TenantId>, text: String) {
        self.epoch_alarms.uncounted.fetch_add(1, Ordering::Relaxed);
        self.alarmed(Sighting::within(Detector::Deletion, tenant, text)).await;
    }
}
