//! An act that waits for a second operator, or for its time, and what became of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Act;
use crate::id::{ApprovalId, OperatorId};

/// An act that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The act.
    pub act: Act,
    /// The own name of what it is done to.
    pub name: String,
    /// What the plan said.
    pub lines: Vec<String>,
    /// What hung on it when it was asked for.
    pub blast_radius: BTreeMap<String, u64>,
    /// The plan's digest.
    pub digest: String,
    /// The span of time that the digest was made for.
    pub window: u64,
    /// Who asked.
    pub requester: Person,
    /// Why.
    pub reason: String,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Until when it can be approved, milliseconds since the Unix epoch.
    pub expires_ms: u64,
    /// Who approved it.
    pub approved: Option<Decision>,
    /// Who denied, cancelled or reviewed it.
    pub closed: Option<Decision>,
    /// How it stands.
    pub state: ApprovalState,
    /// Since when, milliseconds since the Unix epoch.
    pub changed_ms: u64,
    /// The hash of the half of an invitation that who asked was shown.
    pub invited: Option<[u8; 32]>,
}

/// A person, by identity; the name is the one they had then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub id: OperatorId,
    /// For people to read.
    pub name: String,
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who.
    pub by: Person,
    /// Why.
    pub reason: String,
    /// Milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// How an asked act stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalState {
    /// For a second operator.
    Waiting,
    /// For its time.
    Approved {
        /// Milliseconds since the Unix epoch.
        due_ms: u64,
    },
    /// It was done.
    Executed,
    /// The second operator said no.
    Denied,
    /// Somebody called it off.
    Cancelled,
    /// Nobody approved it in time.
    Expired,
    /// Things were not any more as the plan said: it has to be asked for anew.
    Stale,
    /// It could not be done.
    Failed {
        /// Why.
        why: String,
    },
    /// It was done in an emergency, and another operator has to look at it.
    ToReview,
    /// Another operator has looked at it.
    Reviewed,
}

impl ApprovalState {
    /// The word used in API and audit entries.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved { .. } => "approved",
            Self::Executed => "executed",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Stale => "stale",
            Self::Failed { .. } => "failed",
            Self::ToReview => "to-review",
            Self::Reviewed => "reviewed",
        }
    }

    /// Whether something is still to be done about it.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Waiting | Self::Approved { .. } | Self::ToReview)
    }
}

impl Approval {
    /// How it stands at `now_ms`: one that nobody approved in time has expired, whether or not that is written down.
    pub fn state_at(&self, now_ms: u64) -> &ApprovalState {
        if self.state == ApprovalState::Waiting && self.expires_ms <= now_ms {
            &ApprovalState::Expired
        } else {
            &self.state
        }
    }
}
