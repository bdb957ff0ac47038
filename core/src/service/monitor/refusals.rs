//! Whose keys a venue says nothing about, although it answers.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use claviger_venues::VenueId;

use crate::credential::Credential;
use crate::id::TenantId;

/// By venue the owner whose key was refused last, with none that was answered since.
#[derive(Debug, Default)]
pub(in super::super) struct Refusals(Mutex<HashMap<VenueId, (TenantId, String)>>);

impl Refusals {
    /// Notes that a key was refused, and says whether the one before was too, and another owner's: one owner alone, with
    /// however many keys, is no gap of the venue's.
    pub(super) fn of_others(&self, row: &Credential) -> bool {
        let owner = (row.tenant, row.owner.clone());
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(row.venue, owner).is_some_and(|before| before != (row.tenant, row.owner.clone()))
    }

    /// Notes that the venue has said something about a key.
    pub(super) fn end(&self, venue: VenueId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&venue);
    }
}
