//! Reads, each on one consistent snapshot.

mod keks;
mod log;
mod seek;
mod wraps;

use std::ops::Bound;

use redb::{AccessGuard, ReadTransaction, ReadableTable, StorageError};

use super::super::{AuditRange, Execution, Key, Leaf, OpenIntent, Page, Range, Row, StoreError, Versioned};
use super::apply::owner_hash;
use super::tables;
use crate::audit::AuditKey;
use crate::id::{ExecutionId, TenantId};

pub(super) use keks::{sealed_under, sealed_within};
pub(super) use log::{
    checkpoint_up_to, checkpoints, consistency, frontier, frontier_of, inclusion, leaf_hashes, newest_checkpoint,
    outcomes_of, segment_of, tree_head,
};
pub(super) use seek::{credentials, executions_of};
pub(super) use wraps::{sealed, wrap};

/// Where a part of a table begins and ends.
type Ends<K> = (Bound<K>, Bound<K>);

/// No read returns more rows than this.
const LIMIT_MAX: usize = 10_000;

pub(super) fn failed(error: impl Into<redb::Error>) -> StoreError {
    let error = error.into();
    let corrupt = matches!(error, redb::Error::Corrupted(_));
    if corrupt { StoreError::Corrupt(error.to_string()) } else { StoreError::NotApplied(error.to_string()) }
}

pub(super) fn meta(tx: &ReadTransaction, name: &str) -> Result<u64, StoreError> {
    let table = tx.open_table(tables::META).map_err(failed)?;
    Ok(table.get(name).map_err(failed)?.map_or(0, |value| value.value()))
}

pub(super) fn get(tx: &ReadTransaction, key: &Key) -> Result<Option<Versioned>, StoreError> {
    let table = tx.open_table(tables::RECORDS).map_err(failed)?;
    let row = table.get(tables::key(key).as_slice()).map_err(failed)?;
    row.map(|row| tables::decode_row(row.value())).transpose()
}

pub(super) fn scan(
    tx: &ReadTransaction,
    range: &Range,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<Versioned>, StoreError> {
    let table = tx.open_table(tables::RECORDS).map_err(failed)?;
    let (first, last) = tables::range(range);
    let Some(bounds) = bounds(&first, &last, after) else { return Ok(Page { rows: Vec::new(), next: None }) };
    paged(tx, table.range::<&[u8]>(bounds).map_err(failed)?, limit)
}

pub(super) fn scan_back(
    tx: &ReadTransaction,
    range: &Range,
    before: Option<&[u8]>,
    limit: usize,
) -> Result<Page<Versioned>, StoreError> {
    let table = tx.open_table(tables::RECORDS).map_err(failed)?;
    let (first, last) = tables::range(range);
    let to = match before {
        Some(before) if before <= first.as_slice() => return Ok(Page { rows: Vec::new(), next: None }),
        Some(before) if before <= last.as_slice() => Bound::Excluded(before),
        _ => Bound::Included(last.as_slice()),
    };
    paged(tx, table.range::<&[u8]>((Bound::Included(first.as_slice()), to)).map_err(failed)?.rev(), limit)
}

type RecordRow<'a> = (AccessGuard<'a, &'static [u8]>, AccessGuard<'a, &'static [u8]>);

/// The first rows, and the key of the last of them if there are more.
fn paged<'a>(
    tx: &ReadTransaction,
    rows: impl Iterator<Item = Result<RecordRow<'a>, StorageError>>,
    limit: usize,
) -> Result<Page<Versioned>, StoreError> {
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut page = Page { rows: Vec::new(), next: None };
    let mut latest = Vec::new();
    for row in rows {
        let (key, value) = row.map_err(failed)?;
        if page.rows.len() == limit {
            page.next = Some(latest);
            break;
        }
        latest = key.value().to_vec();
        page.rows.push(listed(tx, key.value(), value.value())?);
    }
    Ok(page)
}

/// What is left of a range after a cursor.
fn bounds<'a>(first: &'a [u8], last: &'a [u8], after: Option<&'a [u8]>) -> Option<Ends<&'a [u8]>> {
    let from = match after {
        Some(after) if after >= last => return None,
        // A cursor from elsewhere reads nothing that the range does not hold.
        Some(after) if after >= first => Bound::Excluded(after),
        _ => Bound::Included(first),
    };
    Some((from, Bound::Included(last)))
}

pub(super) fn last(tx: &ReadTransaction, range: &Range) -> Result<Option<Versioned>, StoreError> {
    let table = tx.open_table(tables::RECORDS).map_err(failed)?;
    let (first, last) = tables::range(range);
    let found = table.range::<&[u8]>(first.as_slice()..=last.as_slice()).map_err(failed)?.next_back();
    let Some((key, value)) = found.transpose().map_err(failed)? else { return Ok(None) };
    listed(tx, key.value(), value.value()).map(Some)
}

/// A row as a list shows it.
fn listed(tx: &ReadTransaction, key: &[u8], stored: &[u8]) -> Result<Versioned, StoreError> {
    match tables::decode_row(stored)? {
        Versioned { row: Row::Mark, .. } => marked(tx, key),
        row => Ok(row),
    }
}

/// The row that a mark of an index stands for.
fn marked(tx: &ReadTransaction, key: &[u8]) -> Result<Versioned, StoreError> {
    let key = tables::marked(key).ok_or_else(|| StoreError::Corrupt("a mark that names nothing".to_owned()))?;
    get(tx, &key)?.ok_or_else(|| StoreError::Corrupt(format!("a mark of {key:?}, which is not there")))
}

pub(super) fn execution(tx: &ReadTransaction, id: ExecutionId) -> Result<Option<Execution>, StoreError> {
    let table = tx.open_table(tables::EXECUTIONS).map_err(failed)?;
    let row = table.get(*id.as_bytes()).map_err(failed)?;
    row.map(|row| tables::decode(row.value())).transpose()
}

pub(super) fn executions(
    tx: &ReadTransaction,
    tenant: TenantId,
    before: Option<ExecutionId>,
    limit: usize,
) -> Result<Page<Execution>, StoreError> {
    let index = tx.open_table(tables::TENANT_EXECUTIONS).map_err(failed)?;
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut page = Page { rows: Vec::new(), next: None };
    for row in index.range(executions_before(tenant, before)).map_err(failed)?.rev() {
        let (key, ()) = row.map(|(key, _)| (key.value().1, ())).map_err(failed)?;
        if page.rows.len() == limit {
            page.next = page.rows.last().map(|last: &Execution| last.id.as_bytes().to_vec());
            break;
        }
        if let Some(row) = execution(tx, ExecutionId::from_bytes(key))? {
            page.rows.push(row);
        }
    }
    Ok(page)
}

/// The part of the index that has a tenant's executions before one, or all of them.
fn executions_before(tenant: TenantId, before: Option<ExecutionId>) -> Ends<(tables::Id, tables::Id)> {
    let tenant = *tenant.as_bytes();
    let end = match before {
        Some(before) => Bound::Excluded((tenant, *before.as_bytes())),
        None => Bound::Included((tenant, *ExecutionId::MAX.as_bytes())),
    };
    (Bound::Included((tenant, *ExecutionId::MIN.as_bytes())), end)
}

pub(super) fn open_intents(tx: &ReadTransaction) -> Result<Vec<OpenIntent>, StoreError> {
    let table = tx.open_table(tables::OPEN).map_err(failed)?;
    let rows = table.iter().map_err(failed)?;
    rows.map(|row| tables::decode(row.map_err(failed)?.1.value())).collect()
}

pub(super) fn lost(tx: &ReadTransaction, after: u64, limit: usize) -> Result<Vec<OpenIntent>, StoreError> {
    let table = tx.open_table(tables::UNKNOWN).map_err(failed)?;
    let rows = table.range((Bound::Excluded(after), Bound::Unbounded)).map_err(failed)?;
    rows.take(limit.min(LIMIT_MAX)).map(|row| tables::decode(row.map_err(failed)?.1.value())).collect()
}

pub(super) fn leaves(tx: &ReadTransaction, range: &AuditRange) -> Result<Vec<Leaf>, StoreError> {
    let limit = range.limit.min(LIMIT_MAX);
    let table = tx.open_table(tables::LEAVES).map_err(failed)?;
    let Some(tenant) = range.tenant else {
        return table.range(range.from..).map_err(failed)?.take(limit).map(leaf).collect();
    };
    let tenant = tenant.to_string();
    let index = tx.open_table(tables::TENANT_LEAVES).map_err(failed)?;
    let rows = index.range((tenant.as_str(), range.from)..=(tenant.as_str(), u64::MAX)).map_err(failed)?;
    rows.take(limit).map(|row| leaf_at(&table, row.map_err(failed)?.1.value())).collect()
}

pub(super) fn leaves_back(
    tx: &ReadTransaction,
    tenant: Option<TenantId>,
    before: u64,
    limit: usize,
) -> Result<Vec<Leaf>, StoreError> {
    let limit = limit.min(LIMIT_MAX);
    let table = tx.open_table(tables::LEAVES).map_err(failed)?;
    let Some(tenant) = tenant else {
        return table.range(..before).map_err(failed)?.rev().take(limit).map(leaf).collect();
    };
    let tenant = tenant.to_string();
    let index = tx.open_table(tables::TENANT_LEAVES).map_err(failed)?;
    let rows = index.range((tenant.as_str(), 0)..(tenant.as_str(), before)).map_err(failed)?;
    rows.rev().take(limit).map(|row| leaf_at(&table, row.map_err(failed)?.1.value())).collect()
}

type LeafRow<'a> = (AccessGuard<'a, u64>, AccessGuard<'a, &'static [u8]>);

fn leaf(row: Result<LeafRow<'_>, StorageError>) -> Result<Leaf, StoreError> {
    row.map(|(seq, leaf)| Leaf { seq: seq.value(), bytes: leaf.value().to_vec() }).map_err(failed)
}

fn leaf_at(table: &impl ReadableTable<u64, &'static [u8]>, seq: u64) -> Result<Leaf, StoreError> {
    let leaf = table.get(seq).map_err(failed)?;
    let leaf = leaf.ok_or_else(|| StoreError::Corrupt(format!("the audit log lacks entry {seq}")))?;
    Ok(Leaf { seq, bytes: leaf.value().to_vec() })
}

pub(super) fn audit_key(tx: &ReadTransaction, tenant: TenantId, owner: &str) -> Result<Option<AuditKey>, StoreError> {
    let table = tx.open_table(tables::AUDIT_KEYS).map_err(failed)?;
    let key = table.get((tenant.to_string().as_str(), owner)).map_err(failed)?;
    Ok(key.map(|key| AuditKey::new(key.value())))
}

pub(super) fn owners(tx: &ReadTransaction, tenant: TenantId) -> Result<Vec<String>, StoreError> {
    let table = tx.open_table(tables::AUDIT_KEYS).map_err(failed)?;
    let tenant = tenant.to_string();
    let mut owners = Vec::new();
    for row in table.range((tenant.as_str(), "")..).map_err(failed)? {
        let (key, _) = row.map_err(failed)?;
        let (found, owner) = key.value();
        if found != tenant {
            break;
        }
        owners.push(owner.to_owned());
    }
    Ok(owners)
}

pub(super) fn is_erased(tx: &ReadTransaction, tenant: TenantId, owner: &str) -> Result<bool, StoreError> {
    let table = tx.open_table(tables::ERASED).map_err(failed)?;
    let Some(salt) = table.get(tables::ERASED_SALT).map_err(failed)? else { return Ok(false) };
    let hash = owner_hash(salt.value(), tenant, owner)?;
    Ok(table.get(hash.as_slice()).map_err(failed)?.is_some())
}
