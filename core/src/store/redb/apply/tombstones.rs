//! What is deleted for good leaves a tombstone in the same commit, and nothing of its name is stored again.

use super::super::super::{Change, Expect, Key, Row};
use super::{Apply, Failed};
use crate::audit::Subject;

impl Apply<'_> {
    /// Removes a row, if it is there. One that stands for a thing of its own leaves a tombstone.
    pub(super) fn bury(&mut self, key: &Key) -> Result<(), Failed> {
        let subject = subject_of(key);
        if let Some(subject) = subject
            && self.row(key)?.is_some()
        {
            self.write(&Key::Tombstone(subject), &Row::Tombstone(subject))?;
            self.engrave_later(subject)?;
        }
        self.remove(key)
    }

    /// Remembers a tombstone that is in no file outside of the store yet.
    pub(super) fn engrave_later(&mut self, subject: Subject) -> Result<(), Failed> {
        self.write(&Key::Unengraved(subject), &Row::Tombstone(subject))
    }

    /// The tombstone of what a change would bring back.
    pub(super) fn risen(&self, change: &Change) -> Result<Option<Key>, Failed> {
        let subject = if change.row.is_some() { subject_of(&change.key) } else { None };
        let Some(subject) = subject.filter(|_| !matches!(change.expect, Expect::Still(_))) else { return Ok(None) };
        let tombstone = Key::Tombstone(subject);
        Ok(self.row(&tombstone)?.map(|_| tombstone))
    }
}

fn subject_of(key: &Key) -> Option<Subject> {
    if let Key::Tenant(id) = key {
        Some(Subject::Tenant(*id))
    } else if let Key::Credential(tenant, id) = key {
        Some(Subject::Credential(*tenant, *id))
    } else if let Key::Kek(tenant, version) = key {
        Some(Subject::Kek(*tenant, *version))
    } else {
        None
    }
}
