//! `[recovery]`: where the wraps of all DEKs are copied to.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The recovery file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recovery {
    /// The file, in a folder of its own; the one written before it lies beside it as `<file>.previous`. Relative to the
    /// home. It is of use only if the folder is another machine's.
    pub file: PathBuf,
}

impl Default for Recovery {
    fn default() -> Self {
        Self { file: "recovery/wraps".into() }
    }
}

impl Recovery {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_none() || self.file.file_name().is_none() {
            return Err(ConfigError::new("recovery.file is a file in a folder of its own, like recovery/wraps"));
        }
        Ok(())
    }
}
