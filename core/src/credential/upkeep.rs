//! What a credential needs between its enrollment and its end: a key that works, no more powers than it had, and a
//! successor before it expires.

use serde::{Deserialize, Serialize};

use super::{Credential, Powers, State};

/// What is known of a credential's key beside what it may be used for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upkeep {
    /// What the venue last said that the key may do; none before it said so.
    pub powers: Option<Powers>,
    /// When the key is not to be used any more, milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
    /// When the venue says that the key stops working, milliseconds since the Unix epoch.
    pub venue_expires_ms: Option<u64>,
    /// How it was frozen for having expired.
    pub lapsed: Option<Lapsed>,
    /// Whether a new key is waited for.
    pub reenroll: Option<Reenroll>,
}

/// How a credential was frozen for having expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lapsed {
    /// Its state before.
    pub was: State,
    /// Its epoch from then on: with a later one somebody else has stopped it, too.
    pub epoch: u64,
}

/// Why a new key is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reenroll {
    /// The venue does not know the key any more.
    Wanted,
    /// An operator asked for it: nothing is signed before there is one.
    Required,
}

impl Credential {
    /// When it is not to be used any more: what comes first of what was asked for and what the venue says.
    pub fn expires_ms(&self) -> Option<u64> {
        [self.upkeep.expires_ms, self.upkeep.venue_expires_ms].into_iter().flatten().min()
    }

    /// Its state once a new key is proven: a pending one and one that has only expired go on, and what somebody has
    /// stopped stays stopped.
    pub(crate) fn state_renewed(&self) -> State {
        let state = match self.upkeep.lapsed {
            Some(lapsed) if self.state == State::Frozen && lapsed.epoch == self.epoch => lapsed.was,
            _ => self.state,
        };
        if state == State::Pending { State::Active } else { state }
    }
}
