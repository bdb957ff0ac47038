//! When a signed request that may still be on its way is worth nothing any more.

use crate::venue::VenueId;

/// What ends a signature that the venue has not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lapse {
    /// Time: the end of the window that is signed along ([`SigningTime::valid_ms`](crate::SigningTime::valid_ms)).
    Window,
    /// Time: so many milliseconds after the signing, which nobody can shorten.
    Fixed(u32),
    /// The next request: the venue refuses a nonce below one that it has taken. Time alone ends nothing.
    Nonce,
    /// Nothing: the request holds what the key holder shows, and is as good tomorrow.
    Never,
}

impl Lapse {
    /// For how long a signature is good, milliseconds, when a window of `window_ms` is asked for; `None` where time does
    /// not end it.
    pub fn after_ms(self, window_ms: u32) -> Option<u32> {
        match self {
            Self::Window => Some(window_ms),
            Self::Fixed(ms) => Some(ms),
            Self::Nonce | Self::Never => None,
        }
    }
}

/// Returns what ends a signature at the venue.
pub fn lapse(venue: VenueId) -> Lapse {
    venue.rules().lapse()
}
