//! Recovery wraps, and what has none.

use std::ops::Bound;

use redb::{ReadTransaction, TableError};

use super::super::super::{Key, Page, StoreError, Versioned};
use super::super::tables;
use super::{LIMIT_MAX, failed, get};
use crate::recovery::WrapId;

pub(in super::super) fn wrap(tx: &ReadTransaction, id: &WrapId) -> Result<Option<Vec<u8>>, StoreError> {
    match tx.open_table(tables::WRAPS) {
        // A file that is older than the table, and was not written since.
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        opened => {
            let wrap = opened.map_err(failed)?.get(id).map_err(failed)?;
            Ok(wrap.map(|wrap| wrap.value().to_vec()))
        }
    }
}

/// The cursor is a key of the index: tenant, version, and the key of the record.
pub(in super::super) fn sealed(
    tx: &ReadTransaction,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<(Key, Versioned)>, StoreError> {
    let table = tx.open_table(tables::SEALED_UNDER).map_err(failed)?;
    let from = after.map(|cursor| {
        let (tenant, rest) = cursor.split_first_chunk::<16>()?;
        let (version, record) = rest.split_first_chunk::<4>()?;
        Some(Bound::Excluded((*tenant, u32::from_be_bytes(*version), record)))
    });
    let from = match from {
        None => Bound::Unbounded,
        Some(after) => after.ok_or_else(|| StoreError::NotApplied("no cursor of this list".to_owned()))?,
    };
    let limit = limit.clamp(1, LIMIT_MAX);
    let (mut page, mut newest) = (Page { rows: Vec::new(), next: None }, Vec::new());
    for row in table.range((from, Bound::Unbounded)).map_err(failed)? {
        let (under, _) = row.map_err(failed)?;
        if page.rows.len() == limit {
            page.next = Some(newest);
            break;
        }
        let (tenant, version, record) = under.value();
        newest = [tenant.as_slice(), &version.to_be_bytes(), record].concat();
        let key = tables::sealed_key(record);
        let key = key.ok_or_else(|| StoreError::Corrupt("a row that holds nothing sealed is listed".to_owned()))?;
        let row = get(tx, &key)?;
        let row = row.ok_or_else(|| StoreError::Corrupt(format!("{key:?} is listed, and not there")))?;
        page.rows.push((key, row));
    }
    Ok(page)
}
