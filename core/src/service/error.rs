//! What can go wrong, by what a caller can do about it.

use claviger_venues::Objection;

use crate::audit::EntryOutcome;
use crate::execution::SignError;
use crate::execution::budget::UsedUp;
use crate::keeper::KeeperError;
use crate::keeper::message::Refused;
use crate::policy::Denied;
use crate::store::{Key, Scope, StoreError};

/// A part of the service that can be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The keeper process.
    Keeper,
    /// The token.
    Token,
    /// The store, and with it the audit log.
    Store,
    /// A venue.
    Venue,
    /// The disk, of which trades and stops get what is left.
    Disk,
    /// Nothing is down; there is too much to do.
    Load,
}

impl Part {
    /// The stable code of its being down.
    pub fn code(self) -> &'static str {
        match self {
            Self::Keeper => "keeper_unavailable",
            Self::Token => "token_unavailable",
            Self::Store => "store_unavailable",
            Self::Venue => "venue_unavailable",
            Self::Disk => "disk_full",
            Self::Load => "overloaded",
        }
    }
}

/// Why a use-case did not do what was asked. The text says what to do, and holds nothing secret.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The caller is not who he says, or says nothing.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The password was right, and a second factor is set up.
    #[error("send a code with it: six digits of your authenticator, or a backup code")]
    CodeMissing,
    /// A rule refuses.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What was sent cannot be right.
    #[error("{text}")]
    Invalid {
        /// A stable code.
        code: &'static str,
        /// What to do.
        text: String,
    },
    /// The venue or its answer speaks against enrolling the key.
    #[error("the key is refused: {}", advice(.0))]
    Objections(Vec<Objection>),
    /// No such thing, or not the caller's.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// It is not as the caller believes.
    #[error("{text}")]
    Conflict {
        /// A stable code.
        code: &'static str,
        /// What to do.
        text: String,
    },
    /// The caller may not do it, or not like this.
    #[error("{text}")]
    Forbidden {
        /// A stable code.
        code: &'static str,
        /// What to do.
        text: String,
    },
    /// Things are not as the plan says that the caller acts on.
    #[error("things are not as the plan says: ask for the plan again; nothing was done")]
    PlanChanged,
    /// The row changed since the caller read it.
    #[error("it changed since you read it: read it again")]
    Changed,
    /// Something is down. Nothing was changed, or the text says what.
    #[error("{text}")]
    Unavailable {
        /// What.
        part: Part,
        /// What is known.
        text: String,
    },
    /// The venue's rate budget is used up. Nothing was sent.
    #[error("the venue's rate budget is used up: try again in {wait_ms} ms; nothing was sent")]
    Limited {
        /// How long to wait, milliseconds.
        wait_ms: u64,
    },
    /// Stored bytes do not open: an alarm was raised.
    #[error("the stored credential does not open; an alarm was raised, and nothing was signed")]
    Tampered,
}

fn advice(objections: &[Objection]) -> String {
    objections.iter().map(|o| o.advice.as_str()).collect::<Vec<_>>().join("; ")
}

impl ServiceError {
    /// How the audit log calls it.
    pub(crate) fn outcome(&self) -> EntryOutcome {
        if let Self::Unavailable { .. } | Self::Limited { .. } = self {
            EntryOutcome::Failed
        } else {
            EntryOutcome::Denied
        }
    }

    /// The stable tag of what refused, for the audit log.
    pub(crate) fn tag(&self) -> String {
        match self {
            Self::Denied(denied) => denied.rule.to_owned(),
            Self::Objections(all) => all.iter().map(|o| o.code).collect::<Vec<_>>().join(","),
            Self::Invalid { code, .. } | Self::Conflict { code, .. } | Self::Forbidden { code, .. } => {
                (*code).to_owned()
            }
            Self::PlanChanged => "plan_changed".to_owned(),
            Self::Unavailable { part, .. } => part.code().to_owned(),
            Self::Unauthenticated(_) => "unauthenticated".to_owned(),
            Self::CodeMissing => "code_missing".to_owned(),
            Self::NotFound(_) => "not_found".to_owned(),
            Self::Changed => "changed".to_owned(),
            Self::Limited { .. } => "rate.budget".to_owned(),
            Self::Tampered => "tampered".to_owned(),
        }
    }

    pub(crate) fn invalid(code: &'static str, text: impl Into<String>) -> Self {
        Self::Invalid { code, text: text.into() }
    }

    pub(crate) fn forbidden(code: &'static str, text: impl Into<String>) -> Self {
        Self::Forbidden { code, text: text.into() }
    }

    pub(crate) fn conflict(code: &'static str, text: impl Into<String>) -> Self {
        Self::Conflict { code, text: text.into() }
    }

    pub(crate) fn owner_revoked() -> Self {
        let text = "the owner's credentials are stopped for good: enroll under another owner id; nothing was stored";
        Self::conflict("owner_revoked", text)
    }

    pub(crate) fn kek_withdrawn() -> Self {
        let text = "the tenant has taken its own KEK away: nothing of it is signed or enrolled until it brings that KEK \
                    again (`claviger kek import`); nothing was changed";
        Self::conflict("kek_withdrawn", text)
    }

    pub(crate) fn unavailable(part: Part, text: impl Into<String>) -> Self {
        Self::Unavailable { part, text: text.into() }
    }
}

impl From<UsedUp> for ServiceError {
    fn from(used_up: UsedUp) -> Self {
        Self::Limited { wait_ms: u64::try_from(used_up.wait.as_millis()).unwrap_or(u64::MAX) }
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(key) if matches!(*key, Key::Stopped(Scope::Owner(..))) => Self::owner_revoked(),
            StoreError::Conflict(_) => Self::Changed,
            StoreError::Ended => Self::Unauthenticated("the login has ended: log in again; nothing was done"),
            StoreError::Corrupt(_) | StoreError::Fenced | StoreError::NotApplied(_) => {
                Self::unavailable(Part::Store, format!("{error}; nothing was changed"))
            }
            StoreError::Unknown(_) => Self::unavailable(Part::Store, format!("{error}; read it again to see")),
        }
    }
}

impl From<KeeperError> for ServiceError {
    fn from(error: KeeperError) -> Self {
        match error {
            KeeperError::Gone => Self::unavailable(Part::Keeper, "the keeper is being started; nothing was signed"),
            KeeperError::Token(why) => Self::unavailable(Part::Token, format!("{why}; nothing was signed")),
            KeeperError::Refused(Refused::Busy) => Self::unavailable(Part::Load, "the keeper has too much to do"),
            KeeperError::Refused(Refused::Deadline) => Self::unavailable(Part::Load, "it took too long to be signed"),
            KeeperError::Refused(Refused::Older) => {
                Self::unavailable(Part::Keeper, "the keeper was replaced meanwhile; nothing was signed")
            }
            KeeperError::Refused(Refused::Tampered) => Self::Tampered,
            KeeperError::Refused(Refused::Secret(why)) => {
                Self::invalid("secret_unusable", format!("the secret is not usable: {why}"))
            }
            KeeperError::Refused(Refused::Mode(why)) => {
                Self::invalid("mode_unsupported", format!("{why}; docs/key-modes.md says what is held how"))
            }
            KeeperError::Refused(Refused::Full(why)) => {
                let text = format!("{why}: delete credentials of mode hsm_born, or raise hsm.objects_max");
                Self::conflict("token_full", text)
            }
            KeeperError::Refused(Refused::Root(why)) => {
                Self::conflict("root_refused", format!("the keeper refuses: {why}; nothing was changed"))
            }
            KeeperError::Refused(Refused::Withdrawn) => Self::kek_withdrawn(),
            KeeperError::Refused(refused @ (Refused::Import(_) | Refused::OtherKek)) => {
                Self::invalid("kek_refused", format!("{refused}; nothing was changed"))
            }
            KeeperError::Refused(refused) => Self::invalid("keeper_refused", refused.to_string()),
        }
    }
}

impl From<SignError> for ServiceError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Keeper(error) => error.into(),
            SignError::Late => Self::unavailable(Part::Load, error.to_string()),
            SignError::Unbuildable(why) => Self::invalid("unbuildable", why),
        }
    }
}
