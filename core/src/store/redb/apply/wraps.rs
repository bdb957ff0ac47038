//! Recovery wraps: stored in the commit that stores what they open, and gone with it.

use redb::ReadableTable;

use super::super::super::Row;
use super::super::tables;
use super::{Apply, Failed};
use crate::id::TenantId;
use crate::recovery::WrapId;

impl Apply<'_> {
    /// Stores the wraps that came with a row, and removes those of what the row no longer holds.
    pub(super) fn index_wraps(
        &mut self,
        before: Option<&Row>,
        now: Option<&Row>,
        came: Vec<(WrapId, Vec<u8>)>,
    ) -> Result<(), Failed> {
        let kept = now.map(Row::wrap_ids).unwrap_or_default();
        let mut changed = !came.is_empty();
        for id in before.map(Row::wrap_ids).unwrap_or_default().into_iter().filter(|id| !kept.contains(id)) {
            changed |= self.wraps.remove(id)?.is_some();
        }
        for (id, wrap) in came {
            self.wraps.insert(id, wrap.as_slice())?;
        }
        if changed { self.count_wraps() } else { Ok(()) }
    }

    /// Removes the wraps of everything that is sealed under a version of a tenant's KEK: a KEK that is taken away takes
    /// with it what could be opened without it.
    pub(super) fn remove_wraps_under(&mut self, tenant: TenantId, version: u32) -> Result<(), Failed> {
        let (first, last) = tables::under(tenant, version..=version);
        let mut ids = Vec::new();
        for row in self.sealed_under.range(first..=last)? {
            let (under, _) = row?;
            let key = under.value().2;
            if let Some(stored) = self.records.get(key)?
                && let Some(row) = tables::sealed_row(key, stored.value())?
            {
                ids.extend(row.wrap_ids_under(tenant, version));
            }
        }
        let mut changed = false;
        for id in ids {
            changed |= self.wraps.remove(id)?.is_some();
        }
        if changed { self.count_wraps() } else { Ok(()) }
    }

    fn count_wraps(&mut self) -> Result<(), Failed> {
        let changed = self.meta.get(tables::WRAPS_CHANGED)?.map_or(0, |changed| changed.value());
        self.meta.insert(tables::WRAPS_CHANGED, changed.saturating_add(1))?;
        Ok(())
    }
}
