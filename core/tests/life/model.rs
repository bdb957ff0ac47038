//! What there should be: plain facts about tenants and credentials, with nothing of how they are stored.

use std::collections::{BTreeMap, BTreeSet};

use claviger_core::credential::State;
use claviger_core::id::CredentialId;

/// Everything that was acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) tenants: [Tenant; 2],
}

/// One tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tenant {
    pub(crate) end: End,
    pub(crate) credentials: BTreeMap<CredentialId, Known>,
    /// Those that were deleted, and the numbers of all keys that they had.
    pub(crate) deleted: BTreeSet<CredentialId>,
    /// Versions of KEKs that were destroyed.
    pub(crate) destroyed: BTreeSet<u32>,
    /// Numbers of keys that are in use no more: nothing finds them.
    pub(crate) past: BTreeSet<u32>,
}

/// How far a tenant's end is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    #[default]
    Lives,
    /// It is not there for anybody, and is being cleared.
    Going,
    Gone,
}

/// One credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) state: State,
    pub(crate) version: u32,
    /// The number of its key.
    pub(crate) key: u32,
}

impl Tenant {
    /// The credential at a place, counted round.
    pub(crate) fn at(&self, place: u8) -> Option<CredentialId> {
        self.credentials.keys().nth(usize::from(place) % self.credentials.len().max(1)).copied()
    }

    pub(crate) fn delete(&mut self, id: CredentialId) {
        if let Some(known) = self.credentials.remove(&id) {
            self.past.insert(known.key);
            self.deleted.insert(id);
        }
    }

    pub(crate) fn delete_all(&mut self) {
        for id in self.credentials.keys().copied().collect::<Vec<_>>() {
            self.delete(id);
        }
    }
}
