//! The store's disk.

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The room that the store's disk must have, in bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Below this, health is red.
    pub free_bytes_low: u64,
    /// Below this, reads and enrollments are refused, so that trades and stops go on.
    pub free_bytes_least: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { free_bytes_low: 512 << 20, free_bytes_least: 64 << 20 }
    }
}

impl Store {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.free_bytes_low < self.free_bytes_least {
            let text =
                "store.free_bytes_low is at least store.free_bytes_least: health is red before reads are refused";
            return Err(ConfigError::new(text));
        }
        Ok(())
    }
}
