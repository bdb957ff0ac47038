//! The listeners.

use std::net::SocketAddr;

use claviger_core::identity::Network;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The listeners; port 0 takes a free one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// For apps.
    pub api: SocketAddr,
    /// For operators.
    pub admin: SocketAddr,
    /// For everybody.
    pub public: SocketAddr,
    /// Prometheus metrics, plain HTTP: loopback only.
    pub metrics: SocketAddr,
    /// Networks of proxies whose `X-Forwarded-For` counts, in CIDR notation.
    pub trusted_proxies: Vec<String>,
}

impl Default for Listen {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            api: local(8443),
            admin: local(8444),
            public: local(8445),
            metrics: local(9464),
            trusted_proxies: Vec::new(),
        }
    }
}

impl Listen {
    /// The networks of proxies whose word counts.
    ///
    /// # Errors
    /// [`ConfigError`] names the entry.
    pub fn trusted_proxies(&self) -> Result<Vec<Network>, ConfigError> {
        let network = |text: &String| {
            let network = text.parse::<Network>();
            let network = network.map_err(|e| ConfigError::new(format!("listen.trusted_proxies: {text:?} is {e}")))?;
            if network.bits() == 0 {
                let text = format!("listen.trusted_proxies: {text} believes everybody: name the proxies' own networks");
                return Err(ConfigError::new(text));
            }
            Ok(network)
        };
        self.trusted_proxies.iter().map(network).collect()
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.metrics.ip().is_loopback() {
            return Err(ConfigError::new("listen.metrics is plain HTTP and must be a loopback address"));
        }
        self.trusted_proxies().map(drop)
    }
}
