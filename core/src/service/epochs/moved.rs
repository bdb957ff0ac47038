//! The end of a move: KEKs that nothing is under leave the store. A tenant whose rows do not open keeps its own alone.

use std::collections::BTreeSet;

use super::super::keks::{Steer, Step};
use super::super::{Service, ServiceError};
use super::{LOOK_AGAIN, entry};
use crate::epoch::{Aging, Epochs, Phase};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::{KekOrigin, KekRow};
use crate::rotation::RotationState;
use crate::store::{Change, Key, StoreError};

impl Service {
    /// When all that is sealed and opens has moved under the new root key, has the KEKs go that nothing is under.
    pub(super) async fn end_move(
        &self,
        version: u64,
        epochs: Epochs,
        root: u32,
        origin: &Origin,
    ) -> Result<Step, ServiceError> {
        if !self.has_moved_to(root).await? {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let ended = epochs.number.saturating_sub(1);
        let mut is_all = true;
        for (tenant, keks) in self.all_keks().await? {
            is_all &= self.drop_old_keks(tenant, &keks, root, ended, origin).await?;
        }
        self.directory.forget_keks();
        self.forget_keks().await?;
        if !is_all {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let holders: BTreeSet<TenantId> =
            self.held_roots().await?.range(..root).flat_map(|(_, of)| of.clone()).collect();
        for tenant in &holders {
            let text = format!(
                "rows of {tenant} stay under an older root key, because they do not open, or wait for the tenant's own \
                 KEK: until somebody sees to that, what was deleted in epoch {ended} opens from the backups that hold it"
            );
            self.deletion_alarm(Some(*tenant), text).await;
        }
        let now = self.clock.unix_ms();
        let mut next = Epochs { phase: Phase::Open, ended_ms: Some(now), ..epochs };
        next.aging.push(Aging { number: ended, until_ms: next.began_ms, below: root, moved_ms: now });
        let held = holders.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let entry = entry("epoch.moved", ended, origin).detail("root", root.to_string());
        let entry = if held.is_empty() { entry } else { entry.detail("held_by", held) };
        self.replace_epochs(version, next, Vec::new(), vec![entry]).await
    }

    /// Removes a tenant's KEKs before the newest, each of which nothing may be under. Says whether it is done with.
    async fn drop_old_keks(
        &self,
        tenant: TenantId,
        keks: &[(u64, KekRow)],
        root: u32,
        epoch: u64,
        origin: &Origin,
    ) -> Result<bool, ServiceError> {
        let Some(((_, newest), old)) = keks.split_last() else { return Ok(true) };
        if old.is_empty() {
            return Ok(true);
        }
        if newest.is_withdrawn() {
            self.drop_unused_keks(tenant, keks, epoch, origin).await?;
            return Ok(true);
        }
        match self.rotation(tenant).await {
            // A row came late, after the count.
            Ok((_, rotation, left)) if left > 0 && rotation.state == RotationState::Done => {
                self.steer_rotation(tenant, Steer::Resume, origin).await?;
                return Ok(false);
            }
            Ok((_, rotation, _)) if rotation.state == RotationState::Done && rotation.to == newest.version => {}
            // What does not open stays, and holds up nobody else.
            Ok((_, rotation, _)) if rotation.state == RotationState::Blocked && rotation.to == newest.version => {
                self.drop_unused_keks(tenant, keks, epoch, origin).await?;
                return Ok(true);
            }
            // One of the tenant's own goes on, or waits for an operator: from a KEK that may stay, it holds up nobody.
            found @ (Ok(_) | Err(ServiceError::NotFound(_))) => {
                self.drop_unused_keks(tenant, keks, epoch, origin).await?;
                let is_moved = !self.kek_rows(tenant).await?.iter().any(|(_, kek)| kek.is_behind(root));
                if !is_moved && found.is_ok_and(|(_, rotation, _)| rotation.state == RotationState::Paused) {
                    self.steer_rotation(tenant, Steer::Resume, origin).await?;
                }
                return Ok(is_moved);
            }
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

    /// Removes those of a tenant's generated KEKs before the newest that nothing is under. Its own, which it has taken
    /// away, it may bring again.
    pub(super) async fn drop_unused_keks(
        &self,
        tenant: TenantId,
        keks: &[(u64, KekRow)],
        epoch: u64,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let Some(((_, newest), old)) = keks.split_last() else { return Ok(()) };
        let listed = self.store.sealed_under(tenant).await?;
        let is_unlisted = |kek: &KekRow| listed.get(&kek.version).is_none_or(|rows| *rows == 0);
        let unlisted = old.iter().filter(|(_, kek)| kek.origin == KekOrigin::Generated && is_unlisted(kek));
        let unlisted: Vec<_> = unlisted.collect();
        if unlisted.is_empty() {
            return Ok(());
        }
        // What cannot be undone rests on a count of the rows, not on the list alone.
        let needed = self.count_sealed(tenant, newest.version).await?.keks;
        for (version, kek) in unlisted.into_iter().filter(|(_, kek)| !needed.contains(&kek.version)) {
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
}
