//! A disk that fills up: what can wait is refused first, so that trades, cancels and stops have what is left.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::SemaphorePermit;

use super::{Part, Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::store::{Effect, StoreError};

/// Whether there is room, as whoever watches the disk says.
#[derive(Debug, Default)]
pub(super) struct Disk {
    tight: AtomicBool,
    /// What was refused since it is tight.
    refused: AtomicU64,
}

impl Service {
    /// Says whether the disk is all but full: from then on reads and enrollments are refused.
    ///
    /// The refusals leave no entries, which would fill the disk as the reads do: they are counted, and the entry that
    /// there is room again has the count.
    ///
    /// # Errors
    /// [`StoreError`]: the turn has no entry. A disk that has room again counts as full until it has one.
    pub async fn set_disk_full(&self, full: bool) -> Result<(), StoreError> {
        let Disk { tight, refused } = &self.disk;
        if tight.load(Ordering::Relaxed) == full {
            return Ok(());
        }
        let entry = Origin::system(self.clock());
        if full {
            tight.store(true, Ordering::Relaxed);
            let entry = entry.draft("disk.full", EntryOutcome::Failed);
            return self.store.append(vec![entry]).await.map(drop);
        }
        let count = refused.load(Ordering::Relaxed);
        let entry = entry.draft("disk.room", EntryOutcome::Allowed).detail("refused", count.to_string());
        self.store.append(vec![entry]).await?;
        refused.fetch_sub(count, Ordering::Relaxed);
        tight.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses what can wait while the disk is all but full.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`] of [`Part::Disk`].
    pub fn spare(&self) -> Result<(), ServiceError> {
        if !self.disk.tight.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.disk.refused.fetch_add(1, Ordering::Relaxed);
        let text = "the disk of the service is all but full, so reads and enrollments wait, and trades and stops go on: \
                    try again when its operator has made room; nothing was done";
        Err(ServiceError::unavailable(Part::Disk, text))
    }

    /// Room for an app's request: on the disk for one that only reads, and among those that are under way.
    pub(super) fn room_for_app(&self, effect: Effect) -> Result<SemaphorePermit<'_>, ServiceError> {
        if effect == Effect::Reads {
            self.spare()?;
        }
        self.room(effect)
    }
}

impl ServiceError {
    /// Whether it is counted instead of recorded.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Unavailable { part: Part::Disk, .. })
    }
}
