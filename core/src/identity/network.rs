//! Networks and addresses that callers come from.

use std::net::{IpAddr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// How many leading bits its addresses share: with 0 it is everybody's.
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// Whether `address` lies in it. An IPv4 address inside IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        fn shared(a: &[u8], b: &[u8], bits: u8) -> bool {
            let mut left = u32::from(bits);
            a.iter().zip(b).all(|(a, b)| {
                let here = left.min(8);
                left = left.saturating_sub(8);
                let mask = u8::try_from(0xff00_u32.checked_shr(here).unwrap_or(0) & 0xff).unwrap_or(0);
                a & mask == b & mask
            })
        }
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => shared(&a.octets(), &b.octets(), self.bits),
            (IpAddr::V6(a), IpAddr::V6(b)) => shared(&a.octets(), &b.octets(), self.bits),
            _ => false,
        }
    }
}

/// Whom an address stands for: whoever has one IPv6 address has the whole /64 it lies in.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

impl Network {
    /// Whether every address in it is also in `other`.
    pub fn lies_in(&self, other: &Self) -> bool {
        self.bits >= other.bits && self.address.is_ipv4() == other.address.is_ipv4() && other.contains(self.address)
    }
}

/// As text where people read it, else as address and bits.
impl Serialize for Network {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { (self.address, self.bits).serialize(to) }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let text = std::borrow::Cow::<'_, str>::deserialize(from)?;
            return text.parse().map_err(D::Error::custom);
        }
        let (address, bits) = <(IpAddr, u8)>::deserialize(from)?;
        Ok(Self { address, bits })
    }
}

impl std::str::FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, bits) = text.split_once('/').unwrap_or((text, ""));
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = if bits.is_empty() { most } else { bits.parse().map_err(|_| BadNetwork)? };
        if bits > most { Err(BadNetwork) } else { Ok(Self { address, bits }) }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// The text is not a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a network in CIDR notation, such as 192.0.2.0/24")]
pub struct BadNetwork;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let check =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(check("192.0.2.0/24", "192.0.2.255"));
        assert!(!check("192.0.2.0/24", "192.0.3.0"));
        assert!(check("192.0.2.0/23", "192.0.3.1"));
        assert!(check("0.0.0.0/0", "198.51.100.1"));
        assert!(check("192.0.2.7", "::ffff:192.0.2.7"));
        assert!(check("2001:db8::/33", "2001:db8:7fff::1"));
        assert!(!check("2001:db8::/33", "2001:db8:8000::1"));
        assert!("192.0.2.0/33".parse::<Network>().is_err());
        assert!("everywhere".parse::<Network>().is_err());
    }
}
