//! Deletion epochs: what was deleted opens from no backup any more, some time after, and nobody has to do anything for it.
//!
//! Each step is one commit, and the next call goes on from whatever the last one left. The order matters: the marks of
//! what was deleted are taken away before the new root key is made, so that every mark that is gone stands for something
//! older than the key; old KEKs leave the store when nothing is under them; and old root keys leave the token only when
//! nothing is under those, here or in a backup whose time is not over.

mod alarms;
mod moved;
mod roots;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::keks::{Pace, Step};
use super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome, timestamp};
use crate::epoch::{EpochTimes, Epochs, Phase, Unerased};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};
use crate::token::ROOTS_MAX;

pub(super) use alarms::EpochAlarms;

/// Why the root key is rotated.
const REASON: &str = "a deletion epoch ended";

/// How often it is looked whether something is due.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// How it stands with what was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochState {
    /// The epochs.
    pub epochs: Epochs,
    /// How long they are.
    pub times: EpochTimes,
    /// What was deleted in the one that goes on.
    pub unerased: Vec<Unerased>,
    /// Root keys that nothing is under, and that the keeper has not let go yet.
    pub destroying: Vec<u32>,
    /// By the number of a root key, tenants that have a KEK under it; left empty while no epoch waits.
    pub held: BTreeMap<u32, BTreeSet<TenantId>>,
}

impl Service {
    /// With other lengths of epochs.
    #[must_use]
    pub fn with_epochs(self, epoch_times: EpochTimes) -> Self {
        Self { epoch_times, ..self }
    }

    /// From when on what was deleted at a time opens from no backup, milliseconds since the Unix epoch; none if backups
    /// are kept for ever.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn unrecoverable_ms(&self, deleted_ms: u64) -> Result<Option<u64>, ServiceError> {
        let now_ms = self.clock.unix_ms();
        let epochs = self.epochs_row().await?.map_or_else(|| Epochs::first(now_ms), |(_, epochs)| epochs);
        Ok(epochs.unrecoverable_ms(deleted_ms, self.epoch_times, now_ms))
    }

    /// An entry of a deletion, with the day from which on what goes opens from no backup.
    pub(super) async fn dated(&self, entry: Draft) -> Result<Draft, ServiceError> {
        let after = self.unrecoverable_ms(self.clock.unix_ms()).await?;
        Ok(entry.detail("unrecoverable_after", after.map_or_else(|| "never".to_owned(), timestamp)))
    }

    /// How long backups open what is deleted, in a sentence.
    pub(super) fn backups_open(&self) -> String {
        match self.epoch_times.days() {
            Some(days) => format!("{days} days later, at the latest, it opens from no backup"),
            None => "backups are kept for ever, and it opens from those that hold it".to_owned(),
        }
    }

    /// How it stands with what was deleted.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn epoch_state(&self) -> Result<EpochState, ServiceError> {
        let epochs = self.epochs_row().await?.map_or_else(|| Epochs::first(self.clock.unix_ms()), |(_, epochs)| epochs);
        let number = |found: Versioned| {
            if let Row::RetiredRoot(number) | Row::RetiringRoot(number) = found.row { Some(number) } else { None }
        };
        let destroying = self.store.all(Range::RetiredRoots, number).await?;
        let mut held = if epochs.aging.is_empty() { BTreeMap::new() } else { self.held_roots().await? };
        held.retain(|number, _| !destroying.contains(number));
        Ok(EpochState { epochs, times: self.epoch_times, unerased: self.unerased().await?, destroying, held })
    }

    /// Goes on with the epochs: ends the one that is due, and has root keys go whose time is over.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn advance_epoch(&self, origin: &Origin) -> Result<Step, ServiceError> {
        let Some((version, epochs)) = self.epochs_row().await? else {
            let first = Row::Epochs(Epochs::first(self.clock.unix_ms()));
            return self.put_epochs(Change::create(Key::Epochs, first), Vec::new(), Vec::new()).await;
        };
        if let Some(step) = self.end_root_keys(version, &epochs, origin).await? {
            return Ok(step);
        }
        match epochs.phase {
            Phase::Open => self.end_if_due(version, epochs, origin).await,
            Phase::Making { root } => self.begin_move(version, epochs, root, origin).await,
            Phase::Moving { root } => self.end_move(version, epochs, root, origin).await,
        }
    }

    /// Begins the next epoch when this one is over, and the move under a new root key, if anything was deleted.
    async fn end_if_due(&self, version: u64, epochs: Epochs, origin: &Origin) -> Result<Step, ServiceError> {
        let now = self.clock.unix_ms();
        if now < epochs.due_ms(self.epoch_times) || self.epoch_times.keep_ms().is_none() {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let unerased = self.unerased().await?;
        let number = epochs.number.saturating_add(1);
        if unerased.is_empty() {
            let next = Epochs { number, began_ms: now, ..epochs };
            return self.replace_epochs(version, next, Vec::new(), Vec::new()).await;
        }
        // One that operators began comes first, and may have made its root key before the last deletion.
        if self.root_rotates().await? {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let Some(root) = self.next_epochs_root().await? else { return Ok(Step::After(LOOK_AGAIN)) };
        let entry = entry("epoch.end", epochs.number, origin)
            .detail("tenants", unerased.len().to_string())
            .detail("root", root.to_string());
        let taken = unerased.iter().map(|mark| Change::remove(Key::Unerased(mark.tenant))).collect();
        let next = Epochs { number, began_ms: now, phase: Phase::Making { root }, ..epochs };
        self.replace_epochs(version, next, taken, vec![entry]).await
    }

    /// Makes the root key of an epoch that has ended, and has all tenants move under it.
    async fn begin_move(&self, version: u64, epochs: Epochs, root: u32, origin: &Origin) -> Result<Step, ServiceError> {
        let before = self.root_row().await?;
        if before.as_ref().is_none_or(|(_, before)| before.sum.to != root) {
            // One that operators began meanwhile comes first.
            if before.as_ref().is_some_and(|(_, before)| !before.sum.state.is_over()) {
                return Ok(Step::After(LOOK_AGAIN));
            }
            let newest = self.newest_root().await?;
            if newest != root {
                let Some(next) = self.next_epochs_root().await? else { return Ok(Step::After(LOOK_AGAIN)) };
                if next != root {
                    // The store was put back beside a token that has come further.
                    let again = Epochs { phase: Phase::Making { root: next }, ..epochs };
                    return self.replace_epochs(version, again, Vec::new(), Vec::new()).await;
                }
            }
            self.rotate_root_to((root, before), Pace::default(), REASON, origin).await?;
        }
        let moving = Epochs { phase: Phase::Moving { root }, ..epochs };
        self.replace_epochs(version, moving, Vec::new(), Vec::new()).await
    }

    /// The number of the root key that the next epoch is to make; none while the token has no room, which is told once.
    async fn next_epochs_root(&self) -> Result<Option<u32>, ServiceError> {
        let numbers = self.keeper.roots().await?;
        let has_room = numbers.len() < ROOTS_MAX;
        if self.epoch_alarms.is_first_without_room(has_room) {
            let text = format!(
                "the token holds {ROOTS_MAX} root keys, and no deletion epoch ends before one of them goes: `deletion \
                 status` says which tenants hold them"
            );
            self.deletion_alarm(None, text).await;
        }
        Ok(has_room.then(|| numbers.last().copied().unwrap_or_default().saturating_add(1)))
    }

    /// What was deleted in the epoch that goes on.
    async fn unerased(&self) -> Result<Vec<Unerased>, ServiceError> {
        let mark = |row: Versioned| if let Row::Unerased(mark) = row.row { Some(mark) } else { None };
        Ok(self.store.all(Range::Unerased, mark).await?)
    }

    async fn epochs_row(&self) -> Result<Option<(u64, Epochs)>, ServiceError> {
        Ok(match self.store.get(Key::Epochs).await? {
            Some(Versioned { version, row: Row::Epochs(epochs) }) => Some((version, epochs)),
            _ => None,
        })
    }

    async fn replace_epochs(
        &self,
        version: u64,
        epochs: Epochs,
        more: Vec<Change>,
        entries: Vec<Draft>,
    ) -> Result<Step, ServiceError> {
        self.put_epochs(Change::replace(Key::Epochs, version, Row::Epochs(epochs)), more, entries).await
    }

    async fn put_epochs(
        &self,
        change: Change,
        mut more: Vec<Change>,
        entries: Vec<Draft>,
    ) -> Result<Step, ServiceError> {
        more.push(change);
        match self.store.put_cas(more, entries).await {
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(Step::After(Duration::ZERO)),
            Err(error) => Err(error.into()),
        }
    }
}

/// An entry about an epoch: Claviger itself acts, as the configuration has it.
fn entry(action: &str, epoch: u64, origin: &Origin) -> Draft {
    origin.draft(action, EntryOutcome::Allowed).detail("epoch", epoch.to_string())
}
