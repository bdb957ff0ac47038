//! How often venues are asked about keys.

use std::time::Duration;

use claviger_core::service::CYCLE;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// How often venues are asked about keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Health {
    /// In this time every key is asked about once, seconds; 1 to 86400.
    pub cycle_seconds: u64,
}

impl Default for Health {
    fn default() -> Self {
        Self { cycle_seconds: CYCLE.as_secs() }
    }
}

impl Health {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if (1..=86_400).contains(&self.cycle_seconds) {
            return Ok(());
        }
        Err(ConfigError::new("health.cycle_seconds is 1 to 86400 (a day)"))
    }

    /// The same as a time.
    pub fn cycle(&self) -> Duration {
        Duration::from_secs(self.cycle_seconds)
    }
}
