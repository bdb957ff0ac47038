//! Acts that take a second operator.

use std::time::Duration;

use claviger_core::service::Waits;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Acts that take a second operator. How many they take is no setting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Approvals {
    /// How long a request waits for the second operator, hours; 1 to 168.
    pub expire_hours: u64,
    /// How long an approved destruction can still be cancelled, hours; 720 at most, 0 to do it at once.
    pub delay_hours: u64,
}

impl Default for Approvals {
    fn default() -> Self {
        Self { expire_hours: 24, delay_hours: 24 }
    }
}

impl Approvals {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=168).contains(&self.expire_hours) {
            return Err(ConfigError::new("approvals.expire_hours is 1 to 168 (a week)"));
        }
        if self.delay_hours > 720 {
            return Err(ConfigError::new("approvals.delay_hours is 720 at most (30 days)"));
        }
        Ok(())
    }

    /// The same as times.
    pub fn waits(&self) -> Waits {
        Waits { expire: Duration::from_hours(self.expire_hours), delay: Duration::from_hours(self.delay_hours) }
    }
}
