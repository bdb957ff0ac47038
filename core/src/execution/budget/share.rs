//! What one call takes, and whose calls are counted together.

use claviger_venues::{Counts, Per, Reading, VenueId};

use crate::id::CredentialId;
use crate::policy::Resolved;
use crate::store::Effect;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    Address(VenueId),
    Key(VenueId, CredentialId),
}

/// What one call takes of its venue's budgets.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// The venue.
    pub venue: VenueId,
    /// The credential; none for class market.
    pub credential: Option<CredentialId>,
    /// Its weight.
    pub weight: u32,
    /// The orders it places or changes.
    pub orders: u32,
    /// Whether it only takes risk away.
    pub reduces: bool,
    /// Whether nobody waits for it.
    pub background: bool,
}

impl Share {
    /// What a call takes.
    pub fn of(resolved: &Resolved, credential: Option<CredentialId>) -> Self {
        let changed = match resolved.reading() {
            Reading::Orders(orders) => orders.len(),
            Reading::Amends(amends) => amends.len(),
            Reading::Close { .. } => 1,
            Reading::Cancels(_) | Reading::CancelAll { .. } | Reading::Setting(_) | Reading::None => 0,
        };
        Self {
            venue: resolved.operation().venue,
            credential,
            weight: resolved.weight(),
            orders: u32::try_from(changed).unwrap_or(u32::MAX),
            reduces: resolved.effect() == Effect::Reduces,
            background: false,
        }
    }

    /// The same for a call that nobody waits for.
    #[must_use]
    pub fn in_background(self) -> Self {
        Self { background: true, ..self }
    }

    pub(super) fn holder(&self, per: Per) -> Option<Holder> {
        match per {
            Per::Address => Some(Holder::Address(self.venue)),
            Per::Key => self.credential.map(|id| Holder::Key(self.venue, id)),
        }
    }

    pub(super) fn holders(&self) -> impl Iterator<Item = Holder> {
        [Per::Address, Per::Key].into_iter().filter_map(|per| self.holder(per))
    }

    pub(super) fn amount(&self, counts: Counts) -> u32 {
        match counts {
            Counts::Weight => self.weight,
            Counts::Orders => self.orders,
        }
    }
}
