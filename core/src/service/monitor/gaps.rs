//! When a venue could not be asked about keys.

use claviger_venues::VenueId;

use super::super::{Service, ServiceError};
use crate::agenda::Gap;
use crate::audit::{EntryOutcome, timestamp};
use crate::execution::Origin;
use crate::store::{Change, Expect, Key, Row, StoreError, Versioned};

impl Service {
    /// Records that a venue cannot be asked from now on, if that is not known yet.
    pub(super) async fn gap_begins(&self, venue: VenueId, why: &str, origin: &Origin) -> Result<(), ServiceError> {
        let key = Key::Gap(venue);
        if self.store.get(key.clone()).await?.is_some() {
            return Ok(());
        }
        tracing::warn!(%venue, %why, "the venue cannot be asked about keys: their health stays as it was");
        let entry = origin.draft("venue.gap.begin", EntryOutcome::Failed).on("venue", venue.as_str());
        let gap = Gap { venue, since_ms: self.clock.unix_ms(), why: why.to_owned() };
        let begun = self.store.put_cas(vec![Change::create(key, Row::Gap(gap))], vec![entry.detail("why", why)]).await;
        once(begun)
    }

    /// Records that a venue can be asked again, if it could not.
    pub(super) async fn gap_ends(&self, venue: VenueId, origin: &Origin) -> Result<(), ServiceError> {
        let key = Key::Gap(venue);
        let Some(Versioned { version, row: Row::Gap(gap) }) = self.store.get(key.clone()).await? else {
            return Ok(());
        };
        let seconds = self.clock.unix_ms().saturating_sub(gap.since_ms) / 1_000;
        tracing::warn!(%venue, seconds, "the venue can be asked about keys again");
        let entry = origin
            .draft("venue.gap.end", EntryOutcome::Allowed)
            .on("venue", venue.as_str())
            .detail("since", timestamp(gap.since_ms))
            .detail("seconds", seconds.to_string())
            .detail("why", gap.why);
        let change = Change { key, expect: Expect::Version(version), row: None };
        once(self.store.put_cas(vec![change], vec![entry]).await)
    }
}

/// Several who are asked at the same time see the same.
fn once<T>(done: Result<T, StoreError>) -> Result<(), ServiceError> {
    match done {
        Ok(_) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
