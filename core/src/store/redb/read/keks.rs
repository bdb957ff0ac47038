//! What is sealed under which KEK.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use redb::ReadTransaction;

use super::super::super::{Key, StoreError, Versioned};
use super::super::tables;
use super::{LIMIT_MAX, failed, get};
use crate::id::TenantId;

pub(in super::super) fn sealed_within(
    tx: &ReadTransaction,
    tenant: TenantId,
    versions: RangeInclusive<u32>,
    limit: usize,
) -> Result<Vec<(Key, Versioned)>, StoreError> {
    let table = tx.open_table(tables::SEALED_UNDER).map_err(failed)?;
    let (first, last) = tables::under(tenant, versions);
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
    let table = tx.open_table(tables::SEALED_COUNTS).map_err(failed)?;
    let tenant = *tenant.as_bytes();
    let rows = table.range((tenant, 0)..=(tenant, u32::MAX)).map_err(failed)?;
    rows.map(|row| row.map(|(of, count)| (of.value().1, count.value())).map_err(failed)).collect()
}
