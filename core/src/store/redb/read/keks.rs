//! What is sealed under which KEK.

use std::collections::BTreeMap;

use redb::ReadTransaction;

use super::super::super::{Key, StoreError, Versioned};
use super::super::tables;
use super::{LIMIT_MAX, failed, get};
use crate::id::TenantId;

pub(in super::super) fn sealed_before(
    tx: &ReadTransaction,
    tenant: TenantId,
    version: u32,
    limit: usize,
) -> Result<Vec<(Key, Versioned)>, StoreError> {
    let Some(newest) = version.checked_sub(1) else { return Ok(Vec::new()) };
    let table = tx.open_table(tables::SEALED_UNDER).map_err(failed)?;
    let (first, last) = tables::under(tenant, 0..=newest);
    let mut found = Vec::new();
    for row in table.range(first..=last).map_err(failed)?.take(limit.min(LIMIT_MAX)) {
        let (under, _) = row.map_err(failed)?;
        let key = tables::sealed_key(under.value().2);
        let key = key.ok_or_else(|| StoreError::Corrupt("a row that holds nothing sealed is listed".to_owned()))?;
        let row = get(tx, &key)?;
        let row = row.ok_or_else(|| StoreError::Corrupt(format!("{key:?} is listed, and not there")))?;
        found.push((key, row));
    }
    Ok(found)
}

pub(in super::super) fn sealed_under(tx: &ReadTransaction, tenant: TenantId) -> Result<BTreeMap<u32, u64>, StoreError> {
    let table = tx.open_table(tables::SEALED_UNDER).map_err(failed)?;
    let (first, last) = tables::under(tenant, 0..=u32::MAX);
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for row in table.range(first..=last).map_err(failed)? {
        let count = counts.entry(row.map_err(failed)?.0.value().1).or_default();
        *count = count.saturating_add(1);
    }
    Ok(counts)
}
