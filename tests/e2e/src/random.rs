//! Chance that can be replayed.

use anyhow::{Context as _, Result};

/// Random numbers from a seed (`SplitMix64`); good for choices, worthless for keys.
#[derive(Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The seed that `CLAVIGER_SEED` names, else a new one; it is printed, so that a failure can be replayed.
    ///
    /// # Errors
    /// When `CLAVIGER_SEED` is no number.
    #[expect(clippy::print_stderr, reason = "a seed that nobody sees cannot be replayed")]
    pub fn seeded() -> Result<Self> {
        let state = match std::env::var_os("CLAVIGER_SEED") {
            Some(text) => text.to_str().and_then(|text| text.parse().ok()).context("CLAVIGER_SEED is no number")?,
            None => std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), "seed"),
        };
        eprintln!("replay with CLAVIGER_SEED={state}");
        Ok(Self { state })
    }

    /// Random numbers of one's own for each of several tasks.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self { state: self.number() }
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.number().checked_rem(limit).unwrap_or(0)
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(u64::try_from(from.len()).ok()?);
        from.get(usize::try_from(index).ok()?)
    }
}
