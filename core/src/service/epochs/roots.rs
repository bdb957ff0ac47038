//! The end of root keys that only backups need whose time is over. One that a tenant holds waits for that tenant; the
//! others do not.

use std::collections::{BTreeMap, BTreeSet};

use super::super::keks::Step;
use super::super::{Service, ServiceError};
use super::entry;
use crate::epoch::{Aging, Epochs};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::KekOrigin;
use crate::store::{Change, Key, Row};

impl Service {
    /// Has the token destroy root keys whose time is over, epoch by epoch. An epoch is behind it when no root key is held
    /// that backups of its time need.
    pub(super) async fn end_root_keys(
        &self,
        version: u64,
        epochs: &Epochs,
        origin: &Origin,
    ) -> Result<Option<Step>, ServiceError> {
        let (Some(keep), now) = (self.epoch_times.keep_ms(), self.clock.unix_ms()) else { return Ok(None) };
        let is_over = |aging: &&Aging| aging.moved_ms.saturating_add(keep) <= now;
        let Some(newest) = epochs.aging.iter().filter(is_over).max_by_key(|aging| aging.below) else {
            return Ok(None);
        };
        self.drop_released_keks(newest, origin).await?;
        let held = self.held_roots().await?;
        let mut numbers = Vec::new();
        for number in self.keeper.roots().await? {
            if number < newest.below && self.store.get(Key::RetiredRoot(number)).await?.is_none() {
                numbers.push(number);
            }
        }
        for (place, aging) in epochs.aging.iter().enumerate().filter(|(_, aging)| is_over(aging)) {
            let before = numbers.iter().copied().filter(|number| *number < aging.below);
            let (kept, gone): (Vec<u32>, Vec<u32>) = before.partition(|number| held.contains_key(number));
            // What was deleted in it may be in backups from epochs before, too.
            let is_erased = place == 0 && kept.is_empty();
            if gone.is_empty() && !is_erased {
                continue;
            }
            let mut next = epochs.clone();
            if is_erased {
                next.aging.remove(place);
                next.erased = Some((aging.until_ms, now));
            }
            let words: Vec<String> = gone.iter().map(|number| format!("root/{number}")).collect();
            let entry = entry("root.destroy", aging.number, origin).on("root", words.join(" "));
            let entries = if gone.is_empty() { Vec::new() } else { vec![entry] };
            let marks = gone.into_iter().map(|number| Change::set(Key::RetiredRoot(number), Row::RetiredRoot(number)));
            return self.replace_epochs(version, next, marks.collect(), entries).await.map(Some);
        }
        Ok(None)
    }

    /// By the number of a root key, tenants that have a KEK under it. Those that tenants bring are under one that stays.
    pub(super) async fn held_roots(&self) -> Result<BTreeMap<u32, BTreeSet<TenantId>>, ServiceError> {
        let mut held: BTreeMap<u32, BTreeSet<TenantId>> = BTreeMap::new();
        for (tenant, keks) in self.all_keks().await? {
            for (_, kek) in keks.iter().filter(|(_, kek)| kek.origin == KekOrigin::Generated) {
                held.entry(kek.blob.root).or_default().insert(tenant);
            }
        }
        Ok(held)
    }

    /// Removes KEKs under older root keys that nothing is under any more, because somebody saw to what did not open.
    async fn drop_released_keks(&self, aging: &Aging, origin: &Origin) -> Result<(), ServiceError> {
        for (tenant, keks) in self.all_keks().await? {
            if keks.iter().any(|(_, kek)| kek.is_behind(aging.below)) {
                self.drop_unused_keks(tenant, &keks, aging.number, origin).await?;
            }
        }
        Ok(())
    }
}
