//! Uses of decoys that are not written down yet.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use claviger_venues::VenueId;

use super::QUIET_MS;
use crate::execution::Origin;
use crate::id::{DecoyId, TenantId};

/// Of a path so many characters are kept.
const PATH_MAX: usize = 200;

/// Which decoy.
type Which = (TenantId, DecoyId);

/// Uses of one decoy, the first of which is told of.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// At which venue's gateway.
    pub(super) venue: VenueId,
    /// The venue's own path, cut.
    pub(super) path: String,
    /// Who it was, as far as that is known.
    pub(super) origin: Origin,
    /// Milliseconds since the Unix epoch.
    pub(super) first_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub(super) last_ms: u64,
    /// How many.
    pub(super) uses: u64,
}

impl Seen {
    pub(super) fn new(venue: VenueId, path: &str, origin: Origin, at_ms: u64) -> Self {
        let path = path.chars().take(PATH_MAX).collect();
        Self { venue, path, origin, first_ms: at_ms, last_ms: at_ms, uses: 1 }
    }
}

#[derive(Debug, Default)]
struct Noted {
    seen: Option<Seen>,
    /// When uses were written down last, milliseconds since the Unix epoch.
    told_ms: Option<u64>,
}

/// Uses that are not written down yet: one entry for each decoy, of which there is a bounded number.
#[derive(Debug, Default)]
pub(in super::super) struct Decoys(Mutex<HashMap<Which, Noted>>);

impl Decoys {
    pub(super) fn note(&self, which: Which, new: Seen) {
        let mut all = self.all();
        let noted = all.entry(which).or_default();
        match &mut noted.seen {
            Some(seen) => {
                seen.uses = seen.uses.saturating_add(1);
                seen.last_ms = new.last_ms;
            }
            none => *none = Some(new),
        }
    }

    /// What is to be written down at `now_ms`. What was told of a while ago, and not seen since, is forgotten.
    pub(super) fn due(&self, now_ms: u64) -> Vec<(Which, Seen)> {
        let mut all = self.all();
        let quiet = |told: Option<u64>| told.is_none_or(|told_ms| told_ms.saturating_add(QUIET_MS) <= now_ms);
        all.retain(|_, noted| noted.seen.is_some() || !quiet(noted.told_ms));
        let due = all.iter().filter(|(_, noted)| quiet(noted.told_ms));
        due.filter_map(|(which, noted)| Some((*which, noted.seen.clone()?))).collect()
    }

    /// Notes that `seen` was written down; what came meanwhile waits for its turn.
    pub(super) fn told(&self, which: Which, seen: &Seen, now_ms: u64) {
        let mut all = self.all();
        let Some(noted) = all.get_mut(&which) else { return };
        noted.told_ms = Some(now_ms);
        noted.seen = noted.seen.take().and_then(|mut held| {
            held.uses = held.uses.saturating_sub(seen.uses);
            held.first_ms = seen.last_ms;
            (held.uses > 0).then_some(held)
        });
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Which, Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    const WHICH: Which = (TenantId::MIN, DecoyId::MIN);

    fn seen(at_ms: u64) -> Seen {
        Seen::new(VenueId::Binance, &"/x".repeat(PATH_MAX), Origin::system(&SystemClock), at_ms)
    }

    #[test]
    fn the_first_use_is_told_at_once_and_the_rest_once_a_minute() {
        let decoys = Decoys::default();
        decoys.note(WHICH, seen(1_000));
        let due = decoys.due(1_000);
        assert_eq!((due.len(), due[0].1.uses, due[0].1.path.len()), (1, 1, PATH_MAX));
        decoys.note(WHICH, seen(1_001));
        decoys.told(WHICH, &due[0].1, 1_002);
        for at_ms in 1_003..2_000 {
            decoys.note(WHICH, seen(at_ms));
            assert!(decoys.due(at_ms).is_empty());
        }
        let due = decoys.due(1_002 + QUIET_MS);
        assert_eq!((due.len(), due[0].1.uses, due[0].1.last_ms), (1, 998, 1_999), "each use counts once");
        decoys.told(WHICH, &due[0].1, 70_000);
        assert!(decoys.due(70_000).is_empty());
        assert!(decoys.due(70_000 + QUIET_MS).is_empty() && decoys.all().is_empty());
    }
}
