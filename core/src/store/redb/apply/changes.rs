//! Typed changes of rows, and stops.

use std::collections::HashSet;

use redb::ReadableTable;

use super::super::super::rules::{lies_in, tightened};
use super::super::super::{
    Change, Changed, Draft, Expect, Key, OpenIntent, Revoked, Row, Scope, Stop, StoreError, Versioned,
};
use super::super::tables;
use super::{Apply, Failed};
use crate::id::{CredentialId, TenantId};

impl Apply<'_> {
    pub(in super::super) fn revoke(&mut self, scope: &Scope, stop: Stop, entry: &Draft) -> Result<Revoked, Failed> {
        self.live(std::slice::from_ref(entry))?;
        let up_to = self.log.intents;
        if let Scope::Credential(id) = scope {
            self.stop_credential(*id, stop, entry)?;
        } else {
            let key = Key::Stopped(scope.clone());
            let was = self.stopped(scope)?;
            // What stands for the stop of an owner who was erased does not name him, and stays so; a tenant that is
            // being deleted names none any more.
            let names_nobody = if let Scope::Owner(tenant, _) = scope { self.is_deleted(*tenant)? } else { false };
            if !names_nobody && (was != Some(Stop::Revoked) || self.row(&key)?.is_some()) {
                self.write(&key, &Row::Stopped(was.map_or(stop, |was| was.max(stop))))?;
            }
        }
        let receipt = self.append(entry)?;
        Ok(Revoked { up_to, open: self.open_in(scope)?, receipt })
    }

    fn stop_credential(&mut self, id: CredentialId, stop: Stop, entry: &Draft) -> Result<(), Failed> {
        let nameless = |_| StoreError::NotApplied("the entry of a credential's stop names its tenant".to_owned());
        let tenant: TenantId = entry.tenant.parse().map_err(nameless).map_err(Failed::Refused)?;
        let key = Key::Credential(tenant, id);
        let Some(Versioned { row: Row::Credential(mut row), .. }) = self.row(&key)? else {
            return Err(Failed::Refused(StoreError::Conflict(Box::new(key))));
        };
        row.state = tightened(row.state, stop);
        row.epoch = row.epoch.saturating_add(1);
        row.changed_ms = self.clock.unix_ms();
        if stop == Stop::Revoked {
            self.remove(&Key::Token(id))?;
        }
        self.write(&key, &Row::Credential(row))
    }

    /// How far a scope is stopped, credentials' own states apart.
    pub(super) fn stopped(&self, scope: &Scope) -> Result<Option<Stop>, Failed> {
        match (self.row(&Key::Stopped(scope.clone()))?.map(|found| found.row), scope) {
            (Some(Row::Stopped(stop)), _) => Ok(Some(stop)),
            (_, Scope::Owner(tenant, owner)) => Ok(self.is_erased(*tenant, owner)?.then_some(Stop::Revoked)),
            _ => Ok(None),
        }
    }

    /// The scope's intents that are open, and those whose signatures are out and valid.
    fn open_in(&self, scope: &Scope) -> Result<Vec<OpenIntent>, Failed> {
        let mut found = Vec::new();
        for row in self.open.iter()? {
            found.push(tables::decode::<OpenIntent>(row?.1.value())?);
        }
        for row in self.released.range((self.clock.unix_ms(), 0)..)? {
            found.push(tables::decode(row?.1.value())?);
        }
        found.retain(|open| lies_in(&open.scopes, scope));
        Ok(found)
    }

    pub(in super::super) fn put(&mut self, changes: &[Change], entries: &[Draft]) -> Result<Changed, Failed> {
        self.live(entries)?;
        let mut named = HashSet::with_capacity(changes.len());
        for change in changes {
            if change.row.as_ref().is_some_and(|row| !change.key.holds(row)) {
                let misfit = StoreError::NotApplied(format!("a row of another kind under {:?}", change.key));
                return Err(Failed::Refused(misfit));
            }
            let stored = self.row(&change.key)?.map(|row| row.version);
            let as_expected = match change.expect {
                Expect::Absent => stored.is_none(),
                Expect::Version(version) | Expect::Lapsed(version) => stored == Some(version),
                Expect::Any => true,
                Expect::Still(version) => stored.unwrap_or(0) == version,
            };
            if !as_expected || !named.insert(&change.key) {
                return Err(Failed::Refused(StoreError::Conflict(Box::new(change.key.clone()))));
            }
            if let Some(kek) = self.kek_in_the_way(change)? {
                return Err(Failed::Refused(StoreError::Conflict(Box::new(kek))));
            }
            if let Some(deletion) = self.comes_after_deletion(change)? {
                return Err(Failed::Refused(StoreError::Conflict(Box::new(deletion))));
            }
            if let Some(tombstone) = self.risen(change)? {
                return Err(Failed::Refused(StoreError::Conflict(Box::new(tombstone))));
            }
            if let Some(stop) = self.comes_too_late(&change.key, change.row.as_ref())? {
                return Err(Failed::Refused(StoreError::Conflict(Box::new(stop))));
            }
        }
        for change in changes.iter().filter(|change| !matches!(change.expect, Expect::Still(_))) {
            match &change.row {
                Some(row) => self.write(&change.key, row)?,
                None if matches!(change.expect, Expect::Lapsed(_)) => self.remove(&change.key)?,
                None => self.bury(&change.key)?,
            }
        }
        Ok(Changed { up_to: self.log.intents, receipts: self.append_all(entries)? })
    }

    pub(in super::super) fn checkpoint(&mut self, size: u64, note: &str) -> Result<(), Failed> {
        self.checkpoints.insert(size, note)?;
        Ok(())
    }

    pub(super) fn row(&self, key: &Key) -> Result<Option<Versioned>, Failed> {
        let bytes = self.records.get(tables::key(key).as_slice())?;
        Ok(bytes.map(|bytes| tables::decode_row(bytes.value())).transpose()?)
    }

    pub(super) fn write(&mut self, key: &Key, row: &Row) -> Result<(), Failed> {
        self.log.changes = self.log.changes.saturating_add(1);
        if let Row::Kek(kek) = row
            && kek.is_withdrawn()
        {
            self.leave_wraps(kek.tenant)?;
        }
        let (row, wraps) = row.parted();
        let bytes = tables::encode_row(self.log.changes, &row)?;
        let key = tables::key(key);
        let before = self.records.insert(key.as_slice(), bytes.as_slice())?;
        let before = before.map(|before| tables::sealed_row(&key, before.value())).transpose()?.flatten();
        self.index_wraps(before.as_ref(), Some(&row), wraps)?;
        self.index_keks(&key, before, Some(&row))
    }

    pub(super) fn remove(&mut self, key: &Key) -> Result<(), Failed> {
        self.remove_at(&tables::key(key))
    }

    /// Removes the row whose key is spelled so.
    pub(super) fn remove_at(&mut self, key: &[u8]) -> Result<(), Failed> {
        let before = self.records.remove(key)?;
        let before = before.map(|before| tables::sealed_row(key, before.value())).transpose()?.flatten();
        self.index_wraps(before.as_ref(), None, Vec::new())?;
        self.index_keks(key, before, None)
    }
}
