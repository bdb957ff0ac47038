//! `[backup]`: to whom backups are encrypted, where they go, how often and for how long.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Backups. Without a recipient there are none.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// Who can open them: age recipients, `age1…`. Their identities belong on another machine.
    pub recipients: Vec<String>,
    /// The folder. Relative to the home.
    pub folder: PathBuf,
    /// One is made this often, hours; 8760 at most, 0 for only when asked.
    pub every_hours: u64,
    /// One is removed after so many days; 3650 at most, 0 for never.
    pub keep_days: u64,
}

impl Default for Backup {
    fn default() -> Self {
        Self { recipients: Vec::new(), folder: "backups".into(), every_hours: 24, keep_days: 30 }
    }
}

impl Backup {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.recipients().map(drop)?;
        if self.every_hours > 8_760 || self.keep_days > 3_650 {
            return Err(ConfigError::new("backup.every_hours is 8760 at most (a year), backup.keep_days 3650"));
        }
        Ok(())
    }

    /// Who can open them.
    ///
    /// # Errors
    /// [`ConfigError`] for what is no recipient.
    pub fn recipients(&self) -> Result<Vec<age::x25519::Recipient>, ConfigError> {
        let parsed = |text: &String| {
            text.parse().map_err(|_| {
                let text =
                    "backup.recipients: not an age recipient, `age1…`; `age-keygen` on another machine makes one";
                ConfigError::new(text)
            })
        };
        self.recipients.iter().map(parsed).collect()
    }

    /// How often one is made; zero for only when asked.
    pub(crate) fn every(&self) -> Duration {
        Duration::from_hours(self.every_hours)
    }

    /// How long one is kept; zero for ever.
    pub(crate) fn keep(&self) -> Duration {
        Duration::from_hours(self.keep_days.saturating_mul(24))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_recipient_is_refused() {
        let with = |text: &str| Backup { recipients: vec![text.to_owned()], ..Backup::default() }.check();
        let good = age::x25519::Identity::generate().to_public().to_string();
        assert!(with(&good).is_ok());
        assert!(with(&good.replace("age1", "age2")).is_err());
        assert!(with("AGE-SECRET-KEY-1").is_err_and(|e| !e.text.contains("SECRET")), "an identity is not repeated");
        assert!(Backup { every_hours: 8_761, ..Backup::default() }.check().is_err());
    }
}
