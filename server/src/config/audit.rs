//! `[audit]`: the log's name, where it is sent to as it grows, and how long the store keeps it.

use std::path::PathBuf;
use std::time::Duration;

use claviger_venues::Host;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::sinks::Receiver;

/// The most sinks.
const SINKS_MAX: usize = 16;

/// How long entries stay in the store, unless it is said.
const KEEP_DAYS: u32 = 400;

/// The longest name of a sink, bytes.
const NAME_BYTES_MAX: usize = 32;

/// The audit log.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The log's origin line, `claviger/<name>`: fixed by `init`, for ever.
    pub log: String,
    /// Days that entries stay in the store, before they move to segments; 0 for ever.
    #[serde(default = "keep_days")]
    pub keep_days: u32,
    /// Who gets every entry and every checkpoint as they come.
    #[serde(default)]
    pub sinks: Vec<Sink>,
}

/// A sink: exactly one of `file`, `syslog` and `https`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sink {
    /// Its name: the place in the log is remembered under it.
    pub name: String,
    /// A file that lines are appended to. Relative to the home.
    #[serde(default)]
    pub file: Option<PathBuf>,
    /// A receiver of RFC 5424 messages: `unix:<path>`, `udp:<host>:<port>` or `tcp:<host>:<port>`.
    #[serde(default)]
    pub syslog: Option<String>,
    /// A URL that lines are posted to.
    #[serde(default)]
    pub https: Option<String>,
    /// The CA to trust for `https`, PEM. Relative to the home.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// A file with a bearer token for `https`, readable by its owner only. Relative to the home.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
}

/// Where a sink is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file.
    File(PathBuf),
    /// A receiver of syslog messages.
    Syslog(Receiver),
    /// An HTTPS URL.
    Https(Host),
}

impl Audit {
    /// How long entries stay in the store; zero for ever.
    pub(crate) fn keep(&self) -> Duration {
        Duration::from_hours(u64::from(self.keep_days).saturating_mul(24))
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let name = self.log.strip_prefix("claviger/").unwrap_or_default();
        if !is_name(name) {
            return Err(ConfigError::new("audit.log is claviger/<name>, as `claviger init` wrote it"));
        }
        if self.sinks.len() > SINKS_MAX {
            return Err(ConfigError::new(format!("audit.sinks: {SINKS_MAX} at most")));
        }
        for (position, sink) in self.sinks.iter().enumerate() {
            if !is_name(&sink.name) || sink.name.len() > NAME_BYTES_MAX {
                let text = format!("audit.sinks: a name has letters, digits, - and _, {NAME_BYTES_MAX} at most");
                return Err(ConfigError::new(text));
            }
            if self.sinks.iter().take(position).any(|other| other.name == sink.name) {
                return Err(ConfigError::new(format!("audit.sinks: {} is there twice", sink.name)));
            }
            sink.target()?;
        }
        Ok(())
    }
}

impl Sink {
    /// Where it is.
    ///
    /// # Errors
    /// [`ConfigError`] names the sink.
    pub fn target(&self) -> Result<Target, ConfigError> {
        let wrong = |text: &str| ConfigError::new(format!("audit.sinks: {}: {text}", self.name));
        let target = match (&self.file, &self.syslog, &self.https) {
            (Some(file), None, None) => Target::File(file.clone()),
            (None, Some(address), None) => {
                let text = "syslog is unix:<path>, udp:<host>:<port> or tcp:<host>:<port>";
                Target::Syslog(Receiver::parse(address).ok_or_else(|| wrong(text))?)
            }
            (None, None, Some(url)) => {
                Target::Https(Host::parse(url).map_err(|error| wrong(&format!("https: {error}")))?)
            }
            _ => return Err(wrong("give one of file, syslog and https")),
        };
        if self.https.is_none() && (self.ca_file.is_some() || self.token_file.is_some()) {
            return Err(wrong("ca_file and token_file are for https"));
        }
        Ok(target)
    }
}

fn keep_days() -> u32 {
    KEEP_DAYS
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(sinks: &str) -> Result<(), String> {
        let audit: Audit = toml::from_str(&format!("log = 'claviger/x'\n{sinks}")).map_err(|e| e.to_string())?;
        audit.check().map_err(|e| e.text)
    }

    #[test]
    fn sinks_are_read() {
        let all = "[[sinks]]\nname = 'a'\nfile = 'audit/a'\n[[sinks]]\nname = 'b'\nsyslog = 'udp:log:514'\n\
                   [[sinks]]\nname = 'c'\nhttps = 'https://logs.example/in'\nca_file = 'ca'\ntoken_file = 't'\n";
        assert_eq!(checked(all), Ok(()));
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let check = |sink: &str, said: &str| {
            let error = checked(&format!("[[sinks]]\n{sink}")).unwrap_err();
            assert!(error.contains(said), "{sink}: {error}");
        };
        check("name = 'a'", "a: give one of");
        check("name = 'a'\nfile = 'f'\nsyslog = 'udp:log:514'", "a: give one of");
        check("name = 'a'\nsyslog = 'http:log:514'", "syslog is unix");
        check("name = 'a'\nhttps = 'http://logs.example'", "a: https:");
        check("name = 'a'\nfile = 'f'\nca_file = 'c'", "are for https");
        check("name = 'a b'\nfile = 'f'", "a name has");
        check("name = 'a'\nfile = 'f'\n[[sinks]]\nname = 'a'\nfile = 'g'", "a is there twice");
        check("name = 'a'\nfiles = 'f'", "unknown field");
    }
}
