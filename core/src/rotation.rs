//! Rotations of KEKs: a tenant gets a new one, and everything that is sealed moves under it while it is used. When the
//! token's root key is rotated, that happens to all tenants, one after the other.

use serde::{Deserialize, Serialize};

use crate::id::TenantId;

/// How a rotation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RotationState {
    /// Rows move.
    Running,
    /// An operator has it wait.
    Paused,
    /// Nothing but rows that do not open is left: an alarm was raised for each.
    Blocked,
    /// Nothing is left on older versions: every row was counted.
    Done,
}

impl RotationState {
    /// Whether nothing moves any more before somebody resumes it or sees to what does not open.
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Running | Self::Paused => false,
            Self::Blocked | Self::Done => true,
        }
    }

    /// The word used in API, logs and audit entries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Done => "done",
        }
    }
}

/// How a rotation is to go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Whether every payload is sealed anew under a fresh DEK, too.
    pub rekey: bool,
    /// Rows a second at most; none for as fast as the token is.
    pub per_second: Option<u32>,
}

/// The newest rotation of a tenant's KEK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The tenant.
    pub tenant: TenantId,
    /// The version that everything moves under.
    pub to: u32,
    /// Whether every payload is sealed anew under a fresh DEK, too.
    pub rekey: bool,
    /// Rows a second at most, 1 or more; none for as fast as the token is.
    pub per_second: Option<u32>,
    /// How it stands.
    pub state: RotationState,
    /// Rows that have moved.
    pub done: u64,
    /// Rows that do not open.
    pub unopened: u64,
    /// How long rows were moving in all, milliseconds.
    pub active_ms: u64,
    /// Who asked for it.
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it came to its end, milliseconds since the Unix epoch.
    pub ended_ms: Option<u64>,
}

impl Rotation {
    /// One that begins.
    pub(crate) fn begun(tenant: TenantId, to: u32, pace: Pace, by: &str, started_ms: u64) -> Self {
        let Pace { rekey, per_second } = pace;
        Self {
            tenant,
            to,
            rekey,
            per_second,
            state: RotationState::Running,
            done: 0,
            unopened: 0,
            active_ms: 0,
            by: by.to_owned(),
            started_ms,
            ended_ms: None,
        }
    }

    /// Rows a second so far; none before the first moved.
    pub fn rate(&self) -> Option<u64> {
        self.done.saturating_mul(1_000).checked_div(self.active_ms).filter(|rate| *rate > 0)
    }

    /// How long so many rows will take at the rate so far, seconds.
    pub fn seconds_for(&self, left: u64) -> Option<u64> {
        self.rate().and_then(|rate| left.checked_div(rate))
    }
}

/// The newest rotation of the token's root key: every tenant gets a KEK under the new one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRotation {
    /// The sum over the tenants that are behind it; `to` is the number of the root key, `tenant` Claviger's own.
    pub sum: Rotation,
    /// The tenant whose rotation goes on; those before it, in the order of their ids, are behind it.
    pub at: Option<TenantId>,
    /// Tenants that are behind it.
    pub tenants: u64,
}
