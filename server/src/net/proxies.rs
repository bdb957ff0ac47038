//! Whose word about their clients counts.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderName};
use claviger_core::identity::Network;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that are believed when they say where a request came from.
#[derive(Clone, Debug)]
pub struct Proxies(Arc<[Network]>);

/// A trusted proxy said something that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("X-Forwarded-For holds something that is no address")]
pub(super) struct Malformed;

impl FromIterator<Network> for Proxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

impl Proxies {
    /// Nobody is believed.
    #[must_use]
    pub fn none() -> Self {
        Self::from_iter([])
    }

    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Where the request of `peer` came from: the peer itself, unless it is trusted. Then `X-Forwarded-For` is read from
    /// its end, where the nearest proxy wrote, up to the first address that is not trusted: what stands before that is
    /// anybody's word, and not looked at.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Result<IpAddr, Malformed> {
        let mut client = peer;
        if !self.trust(peer) {
            return Ok(client);
        }
        for value in headers.get_all(FORWARDED_FOR).iter().rev() {
            for entry in value.to_str().map_err(|_| Malformed)?.rsplit(',') {
                client = address(entry.trim()).ok_or(Malformed)?;
                if !self.trust(client) {
                    return Ok(client);
                }
            }
        }
        Ok(client)
    }
}

/// An address, as proxies write it: with a port or without, IPv6 in brackets or not.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|inner| inner.contains(':'));
    let address = bare.unwrap_or(entry).parse().ok();
    let address = address.or_else(|| entry.parse().ok().map(|with_port: SocketAddr| with_port.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    /// What is believed of these headers, when they come from `peer`.
    fn client(peer: &str, headers: &[&str]) -> Option<String> {
        let trusted = ["10.0.0.0/8", "2001:db8:ffff::/48"].map(|network| network.parse::<Network>().unwrap());
        let mut map = HeaderMap::new();
        for value in headers {
            map.append(FORWARDED_FOR, value.parse().unwrap());
        }
        let client = trusted.into_iter().collect::<Proxies>().client(peer.parse().unwrap(), &map);
        client.ok().map(|client| client.to_string())
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]).unwrap(), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["10.0.0.1"]).unwrap(), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["no address"]).unwrap(), "192.0.2.1");
        assert!(!Proxies::none().trust("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn the_last_address_that_is_not_trusted_is_the_clients() {
        assert_eq!(client(PROXY, &[]).unwrap(), PROXY);
        assert_eq!(client(PROXY, &["198.51.100.7"]).unwrap(), "198.51.100.7");
        assert_eq!(client(PROXY, &["203.0.113.1, 198.51.100.7,10.2.3.4"]).unwrap(), "198.51.100.7");
        assert_eq!(client(PROXY, &["203.0.113.1", "198.51.100.7", "10.2.3.4 , 10.9.9.9"]).unwrap(), "198.51.100.7");
        assert_eq!(client(PROXY, &["10.7.7.7, 10.2.3.4"]).unwrap(), "10.7.7.7");
        assert_eq!(client("2001:db8:ffff::1", &["198.51.100.7"]).unwrap(), "198.51.100.7");
    }

    #[test]
    fn what_stands_before_it_is_not_even_read() {
        for spoofed in ["10.0.0.1", "127.0.0.1", "unknown", "", "[", "a, b", "\u{fc}"] {
            assert_eq!(client(PROXY, &[spoofed, "198.51.100.7"]).unwrap(), "198.51.100.7", "{spoofed}");
        }
    }

    #[test]
    fn ports_and_brackets_are_left_out() {
        for (entry, address) in [
            ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client(PROXY, &[entry]).as_deref(), Some(address), "{entry}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for entry in ["unknown", "", " ", "198.51.100.7,", "198.51.100", "[198.51.100.7]", "fe80::1%eth0", "\"::1\""] {
            assert_eq!(client(PROXY, &[entry]), None, "{entry}");
            assert_eq!(client(PROXY, &["198.51.100.7", entry]), None, "{entry}");
        }
    }
}
