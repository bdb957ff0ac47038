//! `[notices]`: how owners are told what happens to their keys.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// The most connections to the relay.
const CONNECTIONS_MAX: usize = 256;

/// How owners are told what happens to their keys. Without a relay nobody is written to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notices {
    /// The relay that takes letters: `tls:<host>:<port>`, or `plain:<address>:<port>` for one on this machine.
    pub smtp: Option<String>,
    /// Who letters are from: an address, or `Name <address>`.
    pub from: Option<String>,
    /// The name that the relay wants.
    pub username: Option<String>,
    /// The file with the password, readable by its owner only. Relative to the home.
    pub password_file: Option<PathBuf>,
    /// The CA to trust for the relay, PEM. Relative to the home.
    pub ca_file: Option<PathBuf>,
    /// Connections to the relay at the same time; 256 at most.
    pub connections: usize,
}

impl Default for Notices {
    fn default() -> Self {
        let (smtp, from, username, password_file, ca_file) = (None, None, None, None, None);
        Self { smtp, from, username, password_file, ca_file, connections: 16 }
    }
}

/// Where the relay is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How what is said to it is kept from others.
    pub security: Security,
}

/// How what is said to the relay is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte on (RFC 8314 section 3.3).
    Tls,
    /// It does not leave the machine.
    Plain,
}

impl Notices {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(ConfigError::new(format!("notices.connections is 1 to {CONNECTIONS_MAX}")));
        }
        if self.username.is_some() != self.password_file.is_some() {
            return Err(ConfigError::new("notices.username and notices.password_file go together"));
        }
        match (self.smtp()?, &self.from) {
            (Some(_), None) => Err(ConfigError::new("notices.from is missing: who letters are from, an address")),
            (Some(Smtp { security: Security::Plain, .. }), _) if self.username.is_some() || self.ca_file.is_some() => {
                Err(ConfigError::new("notices.username and notices.ca_file are for a relay with TLS"))
            }
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }

    /// Where the relay is, if there is one.
    ///
    /// # Errors
    /// [`ConfigError`] for what names none, and for one that letters would go to unprotected.
    pub fn smtp(&self) -> Result<Option<Smtp>, ConfigError> {
        let Some(text) = &self.smtp else { return Ok(None) };
        let wrong = || {
            let text = "notices.smtp is tls:<host>:<port>, or plain:<address>:<port> with an address of this machine, such as \
                        127.0.0.1";
            ConfigError::new(text)
        };
        let (security, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (host, port) = rest.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|port| *port > 0).ok_or_else(wrong)?;
        let is_here = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let security = match security {
            "tls" => Security::Tls,
            "plain" if is_here => Security::Plain,
            _ => return Err(wrong()),
        };
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Some(Smtp { host: host.to_owned(), port, security }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Smtp>, String> {
        let notices: Notices = toml::from_str(text).map_err(|e| e.to_string())?;
        notices.check().and_then(|()| notices.smtp()).map_err(|e| e.text)
    }

    #[test]
    fn a_relay_is_reached_by_tls_or_on_this_machine() {
        assert_eq!(read(""), Ok(None));
        for (text, host, port, security) in [
            ("tls:mail.example.org:465", "mail.example.org", 465, Security::Tls),
            ("plain:127.0.0.1:25", "127.0.0.1", 25, Security::Plain),
            ("plain:[::1]:25", "::1", 25, Security::Plain),
        ] {
            let found = read(&format!("smtp = '{text}'\nfrom = 'a@b.example'")).unwrap().unwrap();
            assert_eq!(found, Smtp { host: host.to_owned(), port, security }, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_right_is_named() {
        let check = |text: &str, said: &str| {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        };
        for bad in ["mail.example.org:25", "plain:mail.example.org:25", "plain:10.0.0.1:25", "plain:localhost:25"] {
            check(&format!("smtp = '{bad}'\nfrom = 'a@b.example'"), "notices.smtp is");
        }
        for bad in ["starttls:h:587", "smtp:h:25", "tls:h", "tls:h:0", "tls::25", "tls"] {
            check(&format!("smtp = '{bad}'\nfrom = 'a@b.example'"), "notices.smtp is");
        }
        check("smtp = 'tls:h:465'", "notices.from is missing");
        check("username = 'u'", "go together");
        check("connections = 0", "1 to 256");
        check("smtp = 'plain:127.0.0.1:25'\nfrom = 'a@b.c'\nusername = 'u'\npassword_file = 'p'", "with TLS");
    }
}
