//! How long what was deleted opens from backups.

use std::time::Duration;

use claviger_core::epoch::EpochTimes;
use serde::{Deserialize, Serialize};

use super::{Backup, ConfigError};

/// How long what was deleted opens from backups.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deletion {
    /// An epoch is so many days: at its end all tenants move under a new root key, if anything was deleted; 1 to 90.
    pub epoch_days: u64,
}

impl Default for Deletion {
    fn default() -> Self {
        Self { epoch_days: 7 }
    }
}

impl Deletion {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if (1..=90).contains(&self.epoch_days) {
            return Ok(());
        }
        Err(ConfigError::new("deletion.epoch_days is 1 to 90"))
    }

    /// The lengths of epochs, for backups that are kept so long.
    pub fn times(&self, backup: &Backup) -> EpochTimes {
        let keep = Some(backup.keep()).filter(|keep| !keep.is_zero());
        EpochTimes::new(Duration::from_hours(self.epoch_days.saturating_mul(24)), keep)
    }
}
