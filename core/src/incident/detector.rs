//! What opens incidents by itself.

use serde::{Deserialize, Serialize};

use super::Severity;

/// What opens incidents by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Detector {
    /// Stored bytes do not open.
    Tamper,
    /// Somebody did by break-glass what takes two.
    BreakGlass,
    /// A passkey's counter went back.
    PasskeyCloned,
    /// Many logins failed.
    BruteForce,
    /// Many requests of one app were denied.
    DeniedBurst,
    /// The token gives no sign of life.
    HsmLost,
    /// A backup could not be made, or failed its drill.
    Backup,
    /// A venue's key gained a permission that no key here may have.
    ScopeGained,
    /// Somebody used a decoy.
    Decoy,
    /// What was deleted is not on its way out of backups.
    Deletion,
}

impl Detector {
    /// The word of its alarms, `alarm.<word>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tamper => "tamper",
            Self::BreakGlass => "break-glass",
            Self::PasskeyCloned => "passkey-cloned",
            Self::BruteForce => "brute-force",
            Self::DeniedBurst => "denied-burst",
            Self::HsmLost => "hsm-lost",
            Self::Backup => "backup",
            Self::ScopeGained => "scope-gained",
            Self::Decoy => "decoy",
            Self::Deletion => "deletion",
        }
    }

    /// How bad it is until somebody knows better.
    pub fn severity(self) -> Severity {
        match self {
            Self::Tamper | Self::PasskeyCloned | Self::HsmLost | Self::ScopeGained | Self::Decoy => Severity::High,
            Self::BreakGlass | Self::BruteForce | Self::DeniedBurst | Self::Backup | Self::Deletion => Severity::Medium,
        }
    }

    /// What its incidents are called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Tamper => "Stored bytes do not open",
            Self::BreakGlass => "A break-glass code was used",
            Self::PasskeyCloned => "A copy of a passkey was shown",
            Self::BruteForce => "Many logins failed",
            Self::DeniedBurst => "Many requests of one app were denied",
            Self::HsmLost => "The token gives no sign of life",
            Self::Backup => "Backups are not to be relied on",
            Self::ScopeGained => "A key gained a permission that no key here may have",
            Self::Decoy => "A decoy was used",
            Self::Deletion => "What was deleted may open longer than was promised",
        }
    }
}
