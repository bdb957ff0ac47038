//! Searches: each looks at a bounded number of rows, and says where the next one goes on.

use redb::ReadTransaction;

use super::super::super::{Execution, Key, LOOKED_AT_MAX, Page, Range, Scopes, StoreError, Versioned};
use super::super::tables;
use super::{LIMIT_MAX, execution, failed};
use crate::credential::{Glimpse, Sought};
use crate::id::{CredentialId, ExecutionId, TenantId};

pub(in super::super) fn credentials(
    tx: &ReadTransaction,
    tenant: TenantId,
    sought: &Sought,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Page<Versioned>, StoreError> {
    let table = tx.open_table(tables::RECORDS).map_err(failed)?;
    let (first, last) = match sought {
        Sought::Ids(first, last) => {
            let key = |id: &CredentialId| tables::key(&Key::Credential(tenant, *id));
            (key(first), key(last))
        }
        Sought::Words(_) => tables::range(&Range::Credentials(tenant)),
    };
    let Some(bounds) = super::bounds(&first, &last, after) else { return Ok(Page { rows: Vec::new(), next: None }) };
    let limit = limit.clamp(1, LIMIT_MAX);
    let (mut page, mut newest) = (Page { rows: Vec::new(), next: None }, Vec::new());
    for (looked_at, row) in table.range::<&[u8]>(bounds).map_err(failed)?.enumerate() {
        let (key, stored) = row.map_err(failed)?;
        if page.rows.len() == limit || looked_at == LOOKED_AT_MAX {
            page.next = Some(newest);
            break;
        }
        newest.clear();
        newest.extend_from_slice(key.value());
        // The row's version and kind come first.
        let (_, _, seen) = tables::decode_beginning::<(u64, u32, Glimpse<'_>)>(stored.value())?;
        if sought.wants(&seen) {
            page.rows.push(tables::decode_row(stored.value())?);
        }
    }
    Ok(page)
}

pub(in super::super) fn executions_of(
    tx: &ReadTransaction,
    (tenant, credential): (TenantId, CredentialId),
    before: Option<ExecutionId>,
    limit: usize,
) -> Result<Page<Execution>, StoreError> {
    let index = tx.open_table(tables::TENANT_EXECUTIONS).map_err(failed)?;
    let rows = tx.open_table(tables::EXECUTIONS).map_err(failed)?;
    let limit = limit.clamp(1, LIMIT_MAX);
    let mut page = Page { rows: Vec::new(), next: None };
    let mut oldest = ExecutionId::MAX;
    let range = super::executions_before(tenant, before);
    for (looked_at, row) in index.range(range).map_err(failed)?.rev().enumerate() {
        let (_, id) = row.map_err(failed)?.0.value();
        if page.rows.len() == limit || looked_at == LOOKED_AT_MAX {
            page.next = Some(oldest.as_bytes().to_vec());
            break;
        }
        oldest = ExecutionId::from_bytes(id);
        let Some(stored) = rows.get(id).map_err(failed)? else { continue };
        let (_, _, scopes) = tables::decode_beginning::<(ExecutionId, u64, Scopes)>(stored.value())?;
        if scopes.credential == Some(credential) {
            page.rows.extend(execution(tx, oldest)?);
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use redb::ReadableDatabase as _;

    use super::super::super::apply;
    use super::*;

    #[test]
    fn executions_of_one_credential_are_looked_for_among_so_many() {
        let memory = redb::backends::InMemoryBackend::new();
        let database = redb::Database::builder().create_with_backend(memory).unwrap();
        let of = |n: usize| ExecutionId::from_bytes(u128::try_from(n).unwrap().to_be_bytes());
        let writing = database.begin_write().unwrap();
        apply::make_tables(&writing).unwrap();
        let mut index = writing.open_table(tables::TENANT_EXECUTIONS).unwrap();
        // None of them is of that credential.
        for n in 0..LOOKED_AT_MAX + 2 {
            index.insert((*TenantId::MAX.as_bytes(), *of(n).as_bytes()), ()).unwrap();
        }
        drop(index);
        writing.commit().unwrap();

        let tx = database.begin_read().unwrap();
        let sought = |before| executions_of(&tx, (TenantId::MAX, CredentialId::MAX), before, 9).unwrap();
        let (first, rest) = (sought(None), sought(Some(of(2))));
        assert_eq!((first.rows.len(), first.next), (0, Some(of(2).as_bytes().to_vec())), "two are left to look at");
        assert_eq!((rest.rows.len(), rest.next), (0, None));
    }
}
