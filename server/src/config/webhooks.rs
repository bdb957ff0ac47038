//! `[webhooks]`: where tenants' webhooks may be.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::egress::{Anywhere, Reach};

/// Tenants' webhooks.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// They are in this machine or network, and nowhere else; without this, on the Internet.
    pub local: bool,
    /// The CA to trust for them, PEM; relative to the home. Without, the public ones.
    pub ca_file: Option<PathBuf>,
}

impl Webhooks {
    /// The way to them.
    ///
    /// # Errors
    /// [`ConfigError`] names the entry.
    pub(crate) fn way(&self, home: &Path) -> Result<Anywhere, ConfigError> {
        let read = |file: &PathBuf| {
            let file = home.join(file);
            std::fs::read(&file).map_err(|e| ConfigError::new(format!("webhooks.ca_file: {}: {e}", file.display())))
        };
        let ca_pem = self.ca_file.as_ref().map(read).transpose()?;
        let reach = if self.local { Reach::Local } else { Reach::Public };
        Anywhere::new("webhooks", ca_pem, reach).map_err(|e| ConfigError::new(e.to_string()))
    }
}
