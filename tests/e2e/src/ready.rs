//! The ready file: where the server listens, and as which processes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// What a ready file says. It is written anew when a process is replaced.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Ready {
    /// `host:port` for apps.
    pub api: String,
    /// `host:port` for operators.
    pub admin: String,
    /// `host:port` for everybody.
    pub public: String,
    /// `host:port` of the metrics.
    pub metrics: String,
    /// The authority that vouches for the certificate.
    pub ca_file: PathBuf,
    /// The supervisor.
    pub pid: u32,
    /// The process that listens.
    pub front_pid: u32,
    /// The process that has the token.
    pub keeper_pid: u32,
}

/// One of the listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// For apps.
    Api,
    /// For operators.
    Admin,
    /// For everybody.
    Public,
    /// For metrics; it speaks plain HTTP.
    Metrics,
}

impl Ready {
    /// Reads a ready file.
    ///
    /// # Errors
    /// When it is not there yet.
    pub fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).with_context(|| format!("no ready file {}", file.display()))?;
        serde_json::from_str(&text).with_context(|| format!("not a ready file: {text}"))
    }

    /// The address of a listener.
    pub fn address(&self, door: Door) -> &str {
        match door {
            Door::Api => &self.api,
            Door::Admin => &self.admin,
            Door::Public => &self.public,
            Door::Metrics => &self.metrics,
        }
    }

    /// Supervisor, front and keeper.
    pub fn processes(&self) -> [u32; 3] {
        [self.pid, self.front_pid, self.keeper_pid]
    }
}
