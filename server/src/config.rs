//! The configuration: one struct per concern, read from `claviger.toml` and the environment, checked as a whole.
//!
//! Precedence: command-line flag, `CLAVIGER__SECTION__KEY`, file, default. Unknown keys are errors with a suggestion.
//! Secrets appear as file paths only.

mod approvals;
mod audit;
mod backup;
mod deletion;
mod health;
mod incidents;
mod listen;
mod notices;
mod recovery;
mod settings;
mod sources;
mod store;
mod webhooks;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use claviger_core::id::TenantId;
use claviger_core::keeper::service::Hosts;
use claviger_core::view::SettingView;
use claviger_venues::{Host, HostRole, VenueId};
use serde::{Deserialize, Serialize};

use crate::egress::Reach;
use crate::passkeys::Passkeys;

pub use approvals::Approvals;
pub use audit::{Audit, Sink, Target};
pub use backup::Backup;
pub use deletion::Deletion;
pub use health::Health;
pub use incidents::Incidents;
pub use listen::Listen;
pub use notices::{Notices, Security, Smtp};
pub use recovery::Recovery;
pub use sources::{Terminal, home, overrides, terminal};
pub use store::Store;
pub use webhooks::Webhooks;

/// The file's name in the home.
pub const FILE: &str = "claviger.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The token.
    pub hsm: Hsm,
    /// The listeners.
    #[serde(default)]
    pub listen: Listen,
    /// The listeners' certificate.
    #[serde(default)]
    pub tls: Tls,
    /// The audit log.
    pub audit: Audit,
    /// The store.
    #[serde(default)]
    pub store: Store,
    /// Backups.
    #[serde(default)]
    pub backup: Backup,
    /// How long what was deleted opens from backups.
    #[serde(default)]
    pub deletion: Deletion,
    /// The recovery file.
    #[serde(default)]
    pub recovery: Recovery,
    /// Access tokens.
    #[serde(default)]
    pub tokens: Tokens,
    /// Operators.
    #[serde(default)]
    pub operators: Operators,
    /// Acts that take a second operator.
    #[serde(default)]
    pub approvals: Approvals,
    /// Incidents.
    #[serde(default)]
    pub incidents: Incidents,
    /// How owners are told what happens to their keys.
    #[serde(default)]
    pub notices: Notices,
    /// How often venues are asked about keys.
    #[serde(default)]
    pub health: Health,
    /// Tenants' webhooks.
    #[serde(default)]
    pub webhooks: Webhooks,
    /// The way out to the venues.
    #[serde(default)]
    pub egress: Egress,
    /// Logs.
    #[serde(default)]
    pub log: Log,
    /// The venues.
    #[serde(default)]
    pub venues: BTreeMap<String, Venue>,
}

/// The token. Paths are relative to the home.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hsm {
    /// The PKCS#11 module.
    pub module: PathBuf,
    /// The token's label.
    pub token_label: String,
    /// The file with the PIN, readable by its owner only.
    pub pin_file: PathBuf,
    /// The configuration of a soft token; nothing else is read from the system's.
    #[serde(default)]
    pub softhsm_conf: Option<PathBuf>,
    /// The directory that the module writes to, for a soft token.
    #[serde(default)]
    pub token_dir: Option<PathBuf>,
    /// Sessions that work at the same time. A soft token gains nothing from more.
    #[serde(default = "two")]
    pub threads: usize,
    /// TCP ports that the module connects to, for an HSM in the network. Without, the keeper has no network.
    #[serde(default)]
    pub network: Vec<u16>,
    /// Further environment of the keeper, as a vendor's module may want.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Further files that the module reads.
    #[serde(default)]
    pub reads: Vec<PathBuf>,
    /// Further files that the module writes.
    #[serde(default)]
    pub writes: Vec<PathBuf>,
    /// Credentials' keys that the token may hold as objects: born ones that it cannot wrap.
    #[serde(default = "sixty_four")]
    pub objects_max: usize,
    /// Tenants that may bring their own KEKs, by id. Whoever brings one can read what moves under it.
    #[serde(default)]
    pub import_tenants: Vec<TenantId>,
    /// How much memory the module may lose in a keeper, bytes, before another keeper relieves it.
    #[serde(default = "thirty_two_mebibytes")]
    pub leak_bytes_max: u64,
}

fn two() -> usize {
    2
}

fn sixty_four() -> usize {
    64
}

fn thirty_two_mebibytes() -> u64 {
    32 << 20
}

/// The listeners' certificate. Paths are relative to the home.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM, leaf first.
    pub certificate: PathBuf,
    /// PEM, readable by its owner only.
    pub key: PathBuf,
    /// The CA that clients are told to trust.
    pub ca: PathBuf,
    /// TLS 1.2 with AEAD suites for clients that know nothing better.
    pub allow_tls12: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            certificate: "tls/server.pem".into(),
            key: "tls/server.key".into(),
            ca: "tls/ca.pem".into(),
            allow_tls12: false,
        }
    }
}

/// Access tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// How long one lasts, seconds; 24 hours at most.
    pub access_seconds: u64,
    /// Where apps get them, `https://…/api/v1/token`: besides the log's name, the audience of their assertions.
    pub endpoint: Option<String>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { access_seconds: 900, endpoint: None }
    }
}

/// Operators.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Operators {
    /// Whether a password alone is enough.
    pub second_factor: SecondFactor,
    /// The listener `public` as browsers see it, `https://name` or `https://name:port`: passkeys are bound to the name.
    /// Without, `https://localhost` at any port.
    pub origin: Option<String>,
    /// The name that passkeys are bound to, if it is a domain that the origin's name lies in.
    pub rp_id: Option<String>,
}

/// Whether operators need a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecondFactor {
    /// Whoever has none can set one up, and nothing else.
    #[default]
    Required,
    /// Whoever has none logs in by password alone.
    Optional,
}

/// Logs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`; other crates say `info` at most.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned() }
    }
}

/// The way out to the venues.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// The addresses that venues see: shown to owners, who bind their keys to them. Nothing is sent differently for it.
    pub addresses: Vec<IpAddr>,
}

/// A venue.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file, for people to switch")]
pub struct Venue {
    /// Whether it may be used. Live venues need this said.
    pub enabled: bool,
    /// Where it is, if not where its documentation says: a test or a private endpoint.
    pub base_url: Option<String>,
    /// The CA to trust for it, PEM. Relative to the home.
    pub ca_file: Option<PathBuf>,
    /// Whether it is in this machine or network.
    pub local: bool,
    /// Whether the venue's documented rate limits are kept; only for a venue that has none.
    pub rate_limits: bool,
    /// Whether a key may be held although the venue does not show what it may do.
    pub accept_unproven: bool,
}

impl Default for Venue {
    fn default() -> Self {
        Self { enabled: false, base_url: None, ca_file: None, local: false, rate_limits: true, accept_unproven: false }
    }
}

/// Why a configuration is not used. Nothing was started.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct ConfigError {
    /// What is wrong and what to do.
    pub text: String,
}

impl ConfigError {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}

impl Config {
    /// Reads the home's configuration, with the environment's overrides.
    ///
    /// # Errors
    /// [`ConfigError`] names the key and what to do.
    pub fn load(home: &Path) -> Result<Self, ConfigError> {
        Self::load_shown(home).map(|(config, _)| config)
    }

    /// The same, and its values as operators are shown them.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_shown(home: &Path) -> Result<(Self, Vec<SettingView>), ConfigError> {
        let file = home.join(FILE);
        let text = std::fs::read_to_string(&file).map_err(|e| {
            let hint = "make a home with `claviger init`, or name another with --home";
            ConfigError::new(format!("{}: {e}; {hint}", file.display()))
        })?;
        let overrides = overrides();
        let config =
            sources::merge(&text, &overrides).map_err(|e| ConfigError::new(format!("{}: {e}", file.display())))?;
        config.check()?;
        let settings = config.settings(&text, &overrides);
        Ok((config, settings))
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !(1..=64).contains(&self.hsm.threads) {
            return Err(ConfigError::new("hsm.threads is 1 to 64"));
        }
        if self.hsm.objects_max > 1_000 {
            return Err(ConfigError::new("hsm.objects_max is 1000 at most: a token finds its objects one by one"));
        }
        if self.hsm.leak_bytes_max < 65_536 {
            return Err(ConfigError::new("hsm.leak_bytes_max is at least 65536 bytes: the start alone loses some"));
        }
        if !(30..=86_400).contains(&self.tokens.access_seconds) {
            return Err(ConfigError::new("tokens.access_seconds is 30 to 86400 (24 hours)"));
        }
        self.listen.check()?;
        if self.tokens.endpoint.as_ref().is_some_and(|endpoint| !endpoint.starts_with("https://")) {
            return Err(ConfigError::new("tokens.endpoint is an address of the form https://host/api/v1/token"));
        }
        self.store.check()?;
        Passkeys::new(&self.operators, self.listen.public).map_err(ConfigError::new)?;
        self.audit.check()?;
        self.approvals.check()?;
        self.backup.check()?;
        self.deletion.check()?;
        self.recovery.check()?;
        self.health.check()?;
        self.notices.check()?;
        self.venues().map(drop)
    }

    /// The configured venues by id.
    ///
    /// # Errors
    /// [`ConfigError`] names the entry.
    pub fn venues(&self) -> Result<BTreeMap<VenueId, (&Venue, Option<Host>)>, ConfigError> {
        let entry = |(name, venue): (&String, _)| -> Result<_, ConfigError> {
            let venue: &Venue = venue;
            let id: VenueId = name.parse().map_err(|_| {
                let known: Vec<_> = VenueId::ALL.iter().map(|id| id.as_str()).collect();
                ConfigError::new(format!("venues.{name}: there is no such venue; known are {}", known.join(", ")))
            })?;
            let base = venue.base_url.as_deref().map(Host::parse).transpose();
            let base = base.map_err(|e| ConfigError::new(format!("venues.{name}.base_url: {e}")))?;
            Ok((id, (venue, base)))
        };
        self.venues.iter().map(entry).collect()
    }

    /// Where each configured venue is.
    ///
    /// # Errors
    /// [`ConfigError`] names the entry.
    pub fn hosts(&self) -> Result<Hosts, ConfigError> {
        let mut hosts = Hosts::default();
        for (id, (_, base)) in self.venues()? {
            hosts.add(id, base);
        }
        Ok(hosts)
    }

    /// The routes of egress.
    ///
    /// # Errors
    /// [`ConfigError`] names the entry.
    pub fn routes(&self, home: &Path) -> Result<crate::egress::EgressConfig, ConfigError> {
        let mut routes = crate::egress::EgressConfig::default();
        for (id, (venue, base)) in self.venues()? {
            let hosts = match base {
                Some(base) => vec![base],
                None => [HostRole::Main, HostRole::Probe]
                    .into_iter()
                    .filter_map(|role| Host::parse(claviger_venues::default_host(id, role)).ok())
                    .collect(),
            };
            let ca_pem = venue.ca_file.as_ref().map(|file| {
                let file = home.join(file);
                std::fs::read(&file)
                    .map_err(|e| ConfigError::new(format!("venues.{id}.ca_file: {}: {e}", file.display())))
            });
            let route = crate::egress::Route {
                ca_pem: ca_pem.transpose()?,
                reach: if venue.local { Reach::Local } else { Reach::Public },
                // Requests that hold more than a signature leave nothing behind in a connection that is kept.
                keep_alive: !claviger_venues::shows_secrets(id),
                ..crate::egress::Route::new(hosts)
            };
            routes.venues.insert(id, route);
        }
        Ok(routes)
    }
}
