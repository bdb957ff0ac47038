//! Recovery wraps: stored in the commit that stores what they open, and gone with it. Those of a KEK that a tenant took
//! away go page by page, and are in no recovery file meanwhile.

use std::ops::Bound;

use redb::ReadableTable;

use super::super::super::{Draft, Key, Row, Versioned};
use super::super::tables::{self, Bytes, Id};
use super::{Apply, Failed};
use crate::id::TenantId;
use crate::recovery::WrapId;

/// Rows whose wraps one commit removes at most: whoever waits for the same commit does not wait long.
const WRAPS_MAX: usize = 1_000;

/// A version of a tenant's KEK, and the key of a record that is sealed under it.
type Place = (u32, Vec<u8>);

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

    /// Has the wraps go of what is under KEKs that a tenant took away: all that it could be opened with goes with the KEK.
    /// From this commit on no recovery file holds them.
    pub(super) fn leave_wraps(&mut self, tenant: TenantId) -> Result<(), Failed> {
        self.write(&Key::WrapsLeft(tenant), &Row::WrapsLeft { tenant, after: None })?;
        self.count_wraps()
    }

    pub(in super::super) fn clear_wraps(&mut self, tenant: TenantId, entry: &Draft) -> Result<bool, Failed> {
        self.live(std::slice::from_ref(entry))?;
        let key = Key::WrapsLeft(tenant);
        let Some(Versioned { row: Row::WrapsLeft { after, .. }, .. }) = self.row(&key)? else { return Ok(false) };
        let (ids, next) = wraps_under_taken(&self.records, &self.sealed_under, (tenant, after), WRAPS_MAX)?;
        let mut changed = false;
        for id in ids {
            changed |= self.wraps.remove(id)?.is_some();
        }
        if changed {
            self.count_wraps()?;
        }
        let is_more = next.is_some();
        if is_more {
            self.write(&key, &Row::WrapsLeft { tenant, after: next })?;
        } else {
            self.remove(&key)?;
            self.append(entry)?;
        }
        Ok(is_more)
    }

    fn count_wraps(&mut self) -> Result<(), Failed> {
        let changed = self.meta.get(tables::WRAPS_CHANGED)?.map_or(0, |changed| changed.value());
        self.meta.insert(tables::WRAPS_CHANGED, changed.saturating_add(1))?;
        Ok(())
    }
}

/// The wraps of a tenant's rows that are under KEKs it took away: those of at most `limit` rows behind a place, and the
/// place where they end if there are more.
pub(in super::super) fn wraps_under_taken(
    records: &impl ReadableTable<Bytes, Bytes>,
    sealed_under: &impl ReadableTable<(Id, u32, Bytes), ()>,
    (tenant, after): (TenantId, Option<Place>),
    limit: usize,
) -> Result<(Vec<WrapId>, Option<Place>), Failed> {
    let (first, last) = tables::under(tenant, 0..=u32::MAX);
    let first = match &after {
        Some((version, record)) => Bound::Excluded((*tenant.as_bytes(), *version, record.as_slice())),
        None => Bound::Included(first),
    };
    let (mut ids, mut place, mut kek) = (Vec::new(), None, None);
    let mut rows = sealed_under.range::<(Id, u32, &[u8])>((first, Bound::Included(last)))?;
    for row in rows.by_ref().take(limit) {
        let (under, _) = row?;
        let (_, version, record) = under.value();
        let is_taken = match kek {
            Some((known, is_taken)) if known == version => is_taken,
            _ => is_taken(records, tenant, version)?,
        };
        kek = Some((version, is_taken));
        if is_taken
            && let Some(stored) = records.get(record)?
            && let Some(row) = tables::sealed_row(record, stored.value())?
        {
            ids.extend(row.wrap_ids_under(tenant, version));
        }
        place = Some((version, record.to_vec()));
    }
    Ok((ids, place.filter(|_| rows.next().is_some())))
}

fn is_taken(records: &impl ReadableTable<Bytes, Bytes>, tenant: TenantId, version: u32) -> Result<bool, Failed> {
    let found = records.get(tables::key(&Key::Kek(tenant, version)).as_slice())?;
    let found = found.map(|bytes| tables::decode_row(bytes.value())).transpose()?;
    Ok(matches!(found, Some(Versioned { row: Row::Kek(kek), .. }) if kek.is_withdrawn()))
}
