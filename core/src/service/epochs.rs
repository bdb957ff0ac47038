//! Deletion epochs: what was deleted opens from no backup any more, some time after, and nobody has to do anything for it.
//!
//! Each step is one commit, and the next call goes on from whatever the last one left. The order matters: the marks of
//! what was deleted are taken away before the new root key is made, so that every mark that is gone stands for something
//! older than the key; old KEKs leave the store when nothing is under them; and old root keys leave the token only when
//! nothing is under those, here or in a backup whose time is not over.

use std::time::Duration;

use super::keks::{Pace, Steer, Step};
use super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome, timestamp};
use crate::epoch::{Aging, EpochTimes, Epochs, Phase, Unerased};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::{KekOrigin, KekRow};
use crate::rotation::RotationState;
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};

/// How often it is looked whether something is due.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Tenants that are read at once.
const PAGE: usize = 500;

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
        let epochs = self.epochs_row().await?.map_or_else(|| Epochs::first(self.clock.unix_ms()), |(_, epochs)| epochs);
        Ok(epochs.unrecoverable_ms(deleted_ms, self.epoch_times))
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
        let retired = self.store.scan(Range::RetiredRoots, None, PAGE).await?.rows.into_iter();
        let number = |found: Versioned| match found.row {
            Row::RetiredRoot(number) | Row::RetiringRoot(number) => Some(number),
            _ => None,
        };
        Ok(EpochState {
            epochs,
            times: self.epoch_times,
            unerased: self.unerased().await?,
            destroying: retired.filter_map(number).collect(),
        })
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
            Phase::Making { root } => {
                if !self.root_rotation_to(root).await? {
                    self.rotate_root_to(root, Pace::default(), origin).await?;
                }
                let moving = Epochs { phase: Phase::Moving { root }, ..epochs };
                self.replace_epochs(version, moving, Vec::new(), Vec::new()).await
            }
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
        if self.is_root_rotating().await? {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let newest = self.keeper.roots().await?.last().copied().unwrap_or_default();
        let root = newest.saturating_add(1);
        let entry = entry("epoch.end", epochs.number, origin)
            .detail("tenants", unerased.len().to_string())
            .detail("root", root.to_string());
        let taken = unerased.iter().map(|mark| Change::remove(Key::Unerased(mark.tenant))).collect();
        let next = Epochs { number, began_ms: now, phase: Phase::Making { root }, ..epochs };
        self.replace_epochs(version, next, taken, vec![entry]).await
    }

    /// When all that is sealed has moved under the new root key, has the KEKs go that nothing is under.
    async fn end_move(&self, version: u64, epochs: Epochs, root: u32, origin: &Origin) -> Result<Step, ServiceError> {
        if self.is_root_rotating().await? || !self.has_moved_to(root).await? {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let ended = epochs.number.saturating_sub(1);
        let mut is_all = true;
        for (tenant, keks) in self.all_keks().await? {
            is_all &= self.drop_old_keks(tenant, &keks, ended, origin).await?;
        }
        self.directory.forget_keks();
        self.forget_keks().await?;
        if !is_all {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let now = self.clock.unix_ms();
        let mut next = Epochs { phase: Phase::Open, ended_ms: Some(now), ..epochs };
        next.aging.push(Aging { number: ended, until_ms: next.began_ms, below: root, moved_ms: now });
        let entry = entry("epoch.moved", ended, origin).detail("root", root.to_string());
        self.replace_epochs(version, next, Vec::new(), vec![entry]).await
    }

    /// Removes a tenant's KEKs before the newest, each of which nothing may be under. Says whether they could go.
    async fn drop_old_keks(
        &self,
        tenant: TenantId,
        keks: &[(u64, KekRow)],
        epoch: u64,
        origin: &Origin,
    ) -> Result<bool, ServiceError> {
        let Some(((_, newest), old)) = keks.split_last() else { return Ok(true) };
        if old.is_empty() {
            return Ok(true);
        }
        if newest.is_withdrawn() {
            return self.drop_unused_keks(tenant, old, epoch, origin).await.map(|()| true);
        }
        match self.rotation(tenant).await {
            // A row came late, after the count.
            Ok((_, rotation, left)) if left > 0 && rotation.state == RotationState::Done => {
                self.steer_rotation(tenant, Steer::Resume, origin).await?;
                return Ok(false);
            }
            Ok((_, rotation, _)) if rotation.state == RotationState::Done && rotation.to == newest.version => {}
            // The tenant's own goes on, or waits for an operator.
            Ok(_) | Err(ServiceError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        let names: Vec<String> = old.iter().map(|(_, kek)| kek.version.to_string()).collect();
        let gone = old.iter().map(|(version, kek)| Change::lapse(Key::Kek(tenant, kek.version), *version)).collect();
        let entry = entry("kek.lapse", epoch, origin).tenant(tenant.to_string()).on("kek", names.join(" "));
        match self.store.put_cas(gone, vec![entry]).await {
            Ok(_) => Ok(true),
            // Something came under one of them meanwhile.
            Err(StoreError::Conflict(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes those of a tenant's generated KEKs that nothing is under. Its own, which it has taken away, it may bring again.
    async fn drop_unused_keks(
        &self,
        tenant: TenantId,
        keks: &[(u64, KekRow)],
        epoch: u64,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        for (version, kek) in keks.iter().filter(|(_, kek)| kek.origin == KekOrigin::Generated) {
            let entry = entry("kek.lapse", epoch, origin).tenant(tenant.to_string());
            let entry = entry.on("kek", kek.version.to_string());
            match self.store.put_cas(vec![Change::lapse(Key::Kek(tenant, kek.version), *version)], vec![entry]).await {
                // Something is under it.
                Ok(_) | Err(StoreError::Conflict(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Has the token destroy root keys that only backups need whose time is over.
    async fn end_root_keys(
        &self,
        version: u64,
        epochs: &Epochs,
        origin: &Origin,
    ) -> Result<Option<Step>, ServiceError> {
        let (Some(keep), Some(aging)) = (self.epoch_times.keep_ms(), epochs.aging.first().copied()) else {
            return Ok(None);
        };
        let now = self.clock.unix_ms();
        if now < aging.moved_ms.saturating_add(keep) {
            return Ok(None);
        }
        let numbers: Vec<u32> =
            self.roots().await?.into_iter().map(|root| root.number).filter(|number| *number < aging.below).collect();
        for number in &numbers {
            if self.hangs_on_root(*number).await? {
                tracing::warn!(root = number, "an epoch waits: KEKs are under a root key whose time is over");
                return Ok(None);
            }
        }
        let mut next = epochs.clone();
        next.aging.remove(0);
        next.erased = Some((aging.until_ms, now));
        let words: Vec<String> = numbers.iter().map(|number| format!("root/{number}")).collect();
        let entry = entry("root.destroy", aging.number, origin).on("root", words.join(" "));
        let marks = numbers.into_iter().map(|number| Change::set(Key::RetiredRoot(number), Row::RetiredRoot(number)));
        let step = self.replace_epochs(version, next, marks.collect(), vec![entry]).await?;
        Ok(Some(step))
    }

    /// What was deleted in the epoch that goes on.
    async fn unerased(&self) -> Result<Vec<Unerased>, ServiceError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.scan(Range::Unerased, after, PAGE).await?;
            let mark = |row: Versioned| if let Row::Unerased(mark) = row.row { Some(mark) } else { None };
            found.extend(page.rows.into_iter().filter_map(mark));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
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
