//! How much a venue lets be asked of it.

use crate::{params::Call, venue::VenueId};

/// One limit of a venue's: no more than `max` in any window of `window_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Whose calls are counted together.
    pub per: Per,
    /// What is counted.
    pub counts: Counts,
    /// How much fits into the window.
    pub max: u32,
    /// The window's length in milliseconds.
    pub window_ms: u32,
}

impl Budget {
    pub(crate) const fn new(per: Per, counts: Counts, max: u32, window_ms: u32) -> Self {
        Self { per, counts, max, window_ms }
    }
}

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Per {
    /// All calls from one source address, public ones too.
    Address,
    /// All calls with one key.
    Key,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Counts {
    /// Each call by its weight.
    Weight,
    /// The orders that a call places or changes.
    Orders,
}

/// Returns the venue's limits, as documented for accounts of the lowest tier.
pub fn budgets(venue: VenueId) -> &'static [Budget] {
    venue.rules().budgets()
}

/// Returns how much a call counts where weight is counted.
pub fn weight(call: &Call<'_>) -> u32 {
    call.operation().venue.rules().weight(call)
}
