//! Backups: every table of one read transaction as a stream, and a file made from such a stream.

use std::collections::HashSet;
use std::io;
use std::path::Path;

use redb::{ReadTransaction, ReadableTable, TableDefinition, TableHandle, WriteTransaction};

use super::super::{Key, Range, Row, StoreError, Versioned};
use super::{apply, file, read, tables};
use crate::backup::{MAGIC, Part, Reader, Sink, Snapshot, Writer, malformed};
use crate::id::TenantId;
use crate::recovery::file::Contents;
use crate::recovery::{self, WrapId};

/// Writes all rows as `transaction` sees them, and returns when they are durable.
pub(super) fn dump(
    transaction: &ReadTransaction,
    (origin, at_ms): (String, u64),
    mut sink: Box<dyn Sink>,
) -> Result<Snapshot, StoreError> {
    let snapshot = Snapshot {
        origin,
        at_ms,
        format: read::meta(transaction, tables::FORMAT)?,
        commits: read::meta(transaction, tables::COMMITS)?,
        intents: read::meta(transaction, tables::INTENTS)?,
        entries: read::meta(transaction, tables::LEAF_COUNT)?,
        checkpoint: read::newest_checkpoint(transaction)?,
    };
    write_all(transaction, &snapshot, sink.as_mut())?;
    sink.finish().map_err(|e| unwritten(&e))?;
    Ok(snapshot)
}

/// Writes all recovery wraps as `transaction` sees them, and returns when they are durable.
pub(super) fn dump_wraps(
    transaction: &ReadTransaction,
    (origin, at_ms): (String, u64),
    mut sink: Box<dyn Sink>,
) -> Result<Option<Contents>, StoreError> {
    let found = read::get(transaction, &Key::RecoveryKey)?;
    let Some(Versioned { row: Row::RecoveryKey(key), .. }) = found else { return Ok(None) };
    let generation = read::meta(transaction, tables::WRAPS_CHANGED)?;
    let contents = Contents { origin, key: *key, generation, at_ms };
    let to: &mut dyn io::Write = sink.as_mut();
    let mut writer = Writer::begin(to, recovery::file::MAGIC, &contents).map_err(|e| unwritten(&e))?;
    let leaving = leaving(transaction)?;
    dump_table(transaction, tables::WRAPS, &mut writer, |id| !leaving.contains(id))?;
    writer.end().and_then(|()| sink.finish()).map_err(|e| unwritten(&e))?;
    Ok(Some(contents))
}

/// Wraps that are still to be removed, because tenants took away the KEKs of what they open.
fn leaving(tx: &ReadTransaction) -> Result<HashSet<WrapId>, StoreError> {
    let records = tx.open_table(tables::RECORDS).map_err(read::failed)?;
    let sealed_under = tx.open_table(tables::SEALED_UNDER).map_err(read::failed)?;
    let (mut leaving, mut next) = (HashSet::new(), None);
    loop {
        let marks = read::scan(tx, &Range::WrapsLeft, next.as_deref(), usize::MAX)?;
        for mark in marks.rows {
            let Row::WrapsLeft { tenant, after } = mark.row else { continue };
            leaving.extend(apply::wraps_under_taken(&records, &sealed_under, (tenant, after), usize::MAX)?.0);
        }
        next = marks.next;
        if next.is_none() {
            return Ok(leaving);
        }
    }
}

/// Puts recovery wraps into a store that nothing has open, in place of those of the same id: only those of what is there,
/// so that nothing that was deleted since can be opened by them, and none of what a tenant took its KEK away from.
///
/// # Errors
/// What the file system says; nothing was changed then.
pub fn put_wraps(path: &Path, wraps: &[(WrapId, Vec<u8>)]) -> io::Result<()> {
    let database = file::open(path).map_err(io::Error::other)?;
    let transaction = database.begin_write().map_err(io::Error::other)?;
    {
        let claimed = claimed(&transaction)?;
        let mut table = transaction.open_table(tables::WRAPS).map_err(io::Error::other)?;
        for (id, wrap) in wraps.iter().filter(|(id, _)| claimed.contains(id)) {
            table.insert(id, wrap.as_slice()).map_err(io::Error::other)?;
        }
    }
    transaction.commit().map_err(io::Error::other)
}

/// The ids of all wraps that there may be.
fn claimed(tx: &WriteTransaction) -> Result<HashSet<WrapId>, io::Error> {
    let failed = |error: redb::StorageError| io::Error::other(error);
    let (under, records) = (tx.open_table(tables::SEALED_UNDER), tx.open_table(tables::RECORDS));
    let (under, records) = (under.map_err(io::Error::other)?, records.map_err(io::Error::other)?);
    let mut claimed = HashSet::new();
    for listed in under.iter().map_err(failed)? {
        let (listed, _) = listed.map_err(failed)?;
        let (tenant, version, key) = listed.value();
        let tenant = TenantId::from_bytes(tenant);
        if records.get(tables::key(&Key::Withdrawn(tenant)).as_slice()).map_err(failed)?.is_some() {
            continue;
        }
        if let Some(stored) = records.get(key).map_err(failed)?
            && let Some(row) = tables::sealed_row(key, stored.value()).map_err(io::Error::other)?
        {
            claimed.extend(row.wrap_ids_under(tenant, version));
        }
    }
    Ok(claimed)
}

fn write_all(tx: &ReadTransaction, snapshot: &Snapshot, sink: &mut dyn io::Write) -> Result<(), StoreError> {
    let mut writer = Writer::begin(sink, MAGIC, snapshot).map_err(|e| unwritten(&e))?;
    macro_rules! dumped {
        ($($table:ident)*) => { $(dump_table(tx, tables::$table, &mut writer, |_| true)?;)* };
    }
    tables::every_table!(dumped);
    writer.end().map_err(|e| unwritten(&e))
}

fn dump_table<K: redb::Key + 'static, V: redb::Value + 'static>(
    tx: &ReadTransaction,
    definition: TableDefinition<'_, K, V>,
    writer: &mut Writer<'_>,
    is_held: impl Fn(&[u8]) -> bool,
) -> Result<(), StoreError> {
    let table = match tx.open_table(definition) {
        // A file that is older than the table, and was not written since.
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(()),
        opened => opened.map_err(read::failed)?,
    };
    writer.table(definition.name()).map_err(|e| unwritten(&e))?;
    for row in ReadableTable::iter(&table).map_err(read::failed)? {
        let (key, value) = row.map_err(read::failed)?;
        let (key, value) = (key.value(), value.value());
        let (key, value) = (K::as_bytes(&key), V::as_bytes(&value));
        if !is_held(key.as_ref()) {
            continue;
        }
        let without = if definition.name() == tables::RECORDS.name() {
            tables::without_own_kek(key.as_ref(), value.as_ref())?
        } else {
            None
        };
        let written = writer.row(key.as_ref(), without.as_deref().unwrap_or(value.as_ref()));
        written.map_err(|e| unwritten(&e))?;
    }
    Ok(())
}

fn unwritten(error: &io::Error) -> StoreError {
    StoreError::NotApplied(format!("the copy is not written: {error}"))
}

/// Makes a store file of a backup's rows: all of them, or none.
///
/// # Errors
/// What is wrong with the backup, or what the file system says. The file is then no store.
pub fn restore(path: &Path, from: &mut dyn io::Read) -> io::Result<Snapshot> {
    let (mut reader, snapshot) = Reader::begin::<Snapshot>(from, MAGIC)?;
    if snapshot.format != tables::FORMAT_NOW {
        return Err(malformed("its rows have a format that this version does not read"));
    }
    let database = file::open(path).map_err(io::Error::other)?;
    let transaction = database.begin_write().map_err(io::Error::other)?;
    apply::make_tables(&transaction).map_err(io::Error::other)?;
    let mut part = reader.next()?;
    loop {
        part = match part {
            Part::Table(name) => fill(&transaction, &name, &mut reader)?,
            Part::Row(..) => return Err(malformed("a row is of no table")),
            Part::End => break,
        };
    }
    transaction.commit().map_err(io::Error::other)?;
    Ok(snapshot)
}

/// Fills the table of this name, and gives back what follows its rows.
fn fill(tx: &WriteTransaction, name: &str, reader: &mut Reader<'_>) -> io::Result<Part> {
    macro_rules! filled {
        ($($table:ident)*) => {
            match name {
                $(name if name == tables::$table.name() => fill_table(tx, tables::$table, reader),)*
                _ => Err(malformed("it has a table that this version does not know")),
            }
        };
    }
    tables::every_table!(filled)
}

fn fill_table<K: redb::Key + 'static, V: redb::Value + 'static>(
    tx: &WriteTransaction,
    definition: TableDefinition<'_, K, V>,
    reader: &mut Reader<'_>,
) -> io::Result<Part> {
    let mut table = tx.open_table(definition).map_err(io::Error::other)?;
    let fits = |width: Option<usize>, bytes: &[u8]| width.is_none_or(|width| width == bytes.len());
    loop {
        match reader.next()? {
            Part::Row(key, value) if fits(K::fixed_width(), &key) && fits(V::fixed_width(), &value) => {
                table.insert(K::from_bytes(&key), V::from_bytes(&value)).map_err(io::Error::other)?;
            }
            Part::Row(..) => return Err(malformed("a row is damaged")),
            other @ (Part::Table(_) | Part::End) => return Ok(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A table that nobody thought of would be missing after a restore.
    #[test]
    fn every_table_is_in_a_backup() {
        let memory = redb::backends::InMemoryBackend::new();
        let database = redb::Database::builder().create_with_backend(memory).unwrap();
        let transaction = database.begin_write().unwrap();
        apply::make_tables(&transaction).unwrap();
        let made: BTreeSet<String> = transaction.list_tables().unwrap().map(|table| table.name().to_owned()).collect();

        let mut held = BTreeSet::from([tables::PROBE.name(), tables::WRAPS.name()].map(str::to_owned));
        macro_rules! names {
            ($($table:ident)*) => { $(held.insert(tables::$table.name().to_owned());)* };
        }
        tables::every_table!(names);

        assert_eq!(made, held);
    }
}
