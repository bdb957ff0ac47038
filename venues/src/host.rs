//! The origin that a request goes to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const ORIGIN_CHARS_MAX: usize = 253;
const PREFIX_CHARS_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 63;

/// An https origin with an optional path prefix, such as `https://api.kraken.com` or `https://127.0.0.1:4000/kraken`.
///
/// Born valid: no userinfo, query, fragment, percent-encoding or dot segment, nothing but https, lower-case host. What
/// follows it in a URL is therefore always the path of an [`Operation`](crate::Operation).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Host(String);

/// The text is not an https origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The text does not begin with `https://`.
    #[error("the host must begin with https://")]
    Scheme,
    /// The name or address of the host is malformed.
    #[error("the host must be a lower-case name or an address")]
    Name,
    /// The port is malformed.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// The path prefix is malformed.
    #[error("the path prefix must be plain segments")]
    Prefix,
}

impl Host {
    /// Parses an origin; one trailing slash is ignored.
    ///
    /// # Errors
    /// [`HostError`] names the part that is wrong.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let rest = text.strip_prefix("https://").ok_or(HostError::Scheme)?;
        let (authority, prefix) = match rest.split_once('/') {
            Some((authority, prefix)) => (authority, Some(prefix)),
            None => (rest, None),
        };
        let (name, port) = split_port(authority);
        if !is_name(name) && !is_ipv6(name) {
            return Err(HostError::Name);
        }
        if !port.is_none_or(is_port) {
            return Err(HostError::Port);
        }
        if !prefix.is_none_or(is_prefix) {
            return Err(HostError::Prefix);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns origin and prefix without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the URL of a path at this host, without a query.
    pub(crate) fn url(&self, path: &str) -> String {
        [self.as_str(), path].concat()
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        Self::parse(&text)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0
    }
}

/// Splits at the last colon, unless that colon is inside an IPv6 address.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (authority, None),
    }
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let plain = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= ORIGIN_CHARS_MAX && name.split('.').all(is_label)
}

fn is_ipv6(name: &str) -> bool {
    let inner = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_port(port: &str) -> bool {
    port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0') && port.parse::<u16>().is_ok()
}

fn is_prefix(prefix: &str) -> bool {
    let is_segment = |segment: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        !segment.is_empty() && segment.bytes().all(plain) && segment != "." && segment != ".."
    };
    prefix.len() <= PREFIX_CHARS_MAX && prefix.split('/').all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_and_prefixes_parse() {
        for (text, kept) in [
            ("https://api.binance.com", "https://api.binance.com"),
            ("https://api.binance.com/", "https://api.binance.com"),
            ("https://127.0.0.1:4000/binance-usdm", "https://127.0.0.1:4000/binance-usdm"),
            ("https://[::1]:4000/a/b.c", "https://[::1]:4000/a/b.c"),
            ("https://localhost:65535", "https://localhost:65535"),
        ] {
            assert_eq!(Host::parse(text).map(String::from), Ok(kept.to_owned()));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, error) in [
            ("http://api.binance.com", HostError::Scheme),
            ("HTTPS://api.binance.com", HostError::Scheme),
            ("api.binance.com", HostError::Scheme),
            ("", HostError::Scheme),
            ("https://", HostError::Scheme),
            ("https:///x", HostError::Name),
            ("https://user@api.binance.com", HostError::Name),
            ("https://user:pw@api.binance.com", HostError::Port),
            ("https://API.binance.com", HostError::Name),
            ("https://api..com", HostError::Name),
            ("https://-a.com", HostError::Name),
            ("https://[::1", HostError::Name),
            ("https://api.binance.com?x", HostError::Name),
            ("https://api.binance.com#x", HostError::Name),
            ("https://api.binance.com\r\n", HostError::Name),
            ("https://äpi.com", HostError::Name),
            ("https://a.com:", HostError::Port),
            ("https://a.com:0", HostError::Port),
            ("https://a.com:65536", HostError::Port),
            ("https://a.com:+1", HostError::Port),
            ("https://a.com/..", HostError::Prefix),
            ("https://a.com/x/../y", HostError::Prefix),
            ("https://a.com//x", HostError::Prefix),
            ("https://a.com/x%2f", HostError::Prefix),
            ("https://a.com/x?y", HostError::Prefix),
            ("https://a.com/x#y", HostError::Prefix),
            ("https://a.com/x\\y", HostError::Prefix),
        ] {
            assert_eq!(Host::parse(text), Err(error), "{text:?}");
        }
        assert!(Host::parse(&format!("https://{}", "a".repeat(10_000))).is_err());
        assert!(Host::parse(&format!("https://a.com/{}", "a".repeat(10_000))).is_err());
    }
}
