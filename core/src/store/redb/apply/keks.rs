//! Which rows are sealed under which KEK: a KEK goes only when nothing is under it, and nothing comes under one that was
//! destroyed or taken away.

use redb::ReadableTable;

use super::super::super::{Change, Expect, Key, Row, StoreError, Versioned};
use super::super::tables;
use super::{Apply, Failed};
use crate::epoch::Unerased;
use crate::id::TenantId;

impl Apply<'_> {
    /// The KEK that stands in a change's way: it is still used, was destroyed, or was taken away.
    pub(super) fn kek_in_the_way(&self, change: &Change) -> Result<Option<Key>, Failed> {
        if let Expect::Still(_) = change.expect {
            return Ok(None);
        }
        match (&change.key, &change.row) {
            (Key::Kek(tenant, version), None) => {
                let (first, last) = tables::under(*tenant, *version..=*version);
                let is_used = self.sealed_under.range(first..=last)?.next().is_some();
                Ok(is_used.then(|| change.key.clone()))
            }
            (_, Some(row)) => {
                for (tenant, version) in row.keks() {
                    let kek = Key::Kek(tenant, version);
                    let is_in_the_way = match self.row(&kek)? {
                        Some(Versioned { row: Row::Kek(taken), .. }) if taken.is_withdrawn() => {
                            let key = tables::key(&change.key);
                            let under = (*tenant.as_bytes(), version, key.as_slice());
                            self.sealed_under.get(under)?.is_none() || row.carries_wraps()
                        }
                        Some(_) => false,
                        None => self.has_newer_kek(tenant, version)?,
                    };
                    if is_in_the_way {
                        return Ok(Some(kek));
                    }
                }
                Ok(None)
            }
            (_, None) => Ok(None),
        }
    }

    /// Whether a tenant has a KEK newer than this version: then one of this version that is not there was destroyed.
    fn has_newer_kek(&self, tenant: TenantId, version: u32) -> Result<bool, Failed> {
        let (first, last) = (Key::Kek(tenant, version), Key::Kek(tenant, u32::MAX));
        let (first, last) = (tables::key(&first), tables::key(&last));
        Ok(self.records.range(first.as_slice()..=last.as_slice())?.next().is_some())
    }

    /// Writes down under which KEKs a row is from now on, in place of `before`.
    pub(super) fn index_keks(&mut self, key: &[u8], before: Option<Row>, now: Option<&Row>) -> Result<(), Failed> {
        if let Some(before) = &before {
            for tenant in before.given_up_for(now) {
                self.note_unerased(tenant)?;
            }
        }
        for (tenant, version) in before.map(|row| row.keks()).unwrap_or_default() {
            if self.sealed_under.remove((*tenant.as_bytes(), version, key))?.is_some() {
                self.count_under(tenant, version, |count| count.saturating_sub(1))?;
            }
        }
        let now = now.map(Row::keks).unwrap_or_default();
        if !now.is_empty() && tables::sealed_key(key).is_none() {
            // It would be listed, and never taken off the list.
            return Err(StoreError::NotApplied("no row of this kind holds sealed bytes".to_owned()).into());
        }
        for (tenant, version) in now {
            if self.sealed_under.insert((*tenant.as_bytes(), version, key), ())?.is_none() {
                self.count_under(tenant, version, |count| count.saturating_add(1))?;
            }
        }
        Ok(())
    }

    /// Something sealed of a tenant's is gone from here, and not from backups.
    fn note_unerased(&mut self, tenant: TenantId) -> Result<(), Failed> {
        let (key, now_ms) = (Key::Unerased(tenant), self.clock.unix_ms());
        let next = match self.row(&key)? {
            Some(Versioned { row: Row::Unerased(before), .. }) => {
                Unerased { count: before.count.saturating_add(1), last_ms: now_ms, ..before }
            }
            _ => Unerased { tenant, count: 1, first_ms: now_ms, last_ms: now_ms },
        };
        // No row of its own, so that it is not noted in turn.
        self.write(&key, &Row::Unerased(next))
    }

    fn count_under(&mut self, tenant: TenantId, version: u32, change: impl Fn(u64) -> u64) -> Result<(), Failed> {
        let of = (*tenant.as_bytes(), version);
        let count = change(self.sealed_counts.get(of)?.map_or(0, |count| count.value()));
        if count == 0 {
            self.sealed_counts.remove(of)?;
        } else {
            self.sealed_counts.insert(of, count)?;
        }
        Ok(())
    }
}
