//! Which addresses may be connected to.
//!
//! A venue's name is an outsider's word. What it resolves to must not lead into this machine, its network or its
//! cloud's metadata service.
//! Source: IANA IPv4 and IPv6 Special-Purpose Address Registries, read 2026-11.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where somebody may be that is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// On the Internet: a venue.
    Public,
    /// On this machine or in a private network: a venue that the configuration calls local.
    Local,
    /// Where the operator says: a sink of the audit log is the operator's own.
    Anywhere,
}

impl Reach {
    /// Whether a connection to `address` may be made.
    pub(super) fn permits(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::Anywhere, _) => true,
            (Self::Public, IpAddr::V4(address)) => !within_v4(address, NOT_PUBLIC_V4),
            (Self::Public, IpAddr::V6(address)) => {
                within_v6(address, GLOBAL_UNICAST_V6) && !within_v6(address, NOT_PUBLIC_V6)
            }
            (Self::Local, IpAddr::V4(address)) => within_v4(address, LOCAL_V4),
            (Self::Local, IpAddr::V6(address)) => within_v6(address, LOCAL_V6) && !within_v6(address, METADATA_V6),
        }
    }
}

/// A network: its address and the length of its prefix.
type Net<A> = (A, u32);

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u32) -> Net<Ipv4Addr> {
    (Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u32) -> Net<Ipv6Addr> {
    (Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

const NOT_PUBLIC_V4: &[Net<Ipv4Addr>] = &[
    v4(0, 0, 0, 0, 8),       // this network, unspecified
    v4(10, 0, 0, 0, 8),      // private
    v4(100, 64, 0, 0, 10),   // shared by carriers (CGNAT), and some clouds' metadata
    v4(127, 0, 0, 0, 8),     // loopback
    v4(169, 254, 0, 0, 16),  // link-local, most clouds' metadata
    v4(172, 16, 0, 0, 12),   // private
    v4(192, 0, 0, 0, 24),    // protocol assignments
    v4(192, 0, 2, 0, 24),    // documentation
    v4(192, 88, 99, 0, 24),  // 6to4 relays
    v4(192, 168, 0, 0, 16),  // private
    v4(198, 18, 0, 0, 15),   // benchmarks
    v4(198, 51, 100, 0, 24), // documentation
    v4(203, 0, 113, 0, 24),  // documentation
    v4(224, 0, 0, 0, 4),     // multicast
    v4(240, 0, 0, 0, 4),     // reserved, broadcast
];

const LOCAL_V4: &[Net<Ipv4Addr>] =
    &[v4(10, 0, 0, 0, 8), v4(127, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16)];

/// All that is routed; what maps or translates IPv4, loopback, link-local and multicast lie outside.
const GLOBAL_UNICAST_V6: &[Net<Ipv6Addr>] = &[v6(0x2000, 0, 0, 3)];

const NOT_PUBLIC_V6: &[Net<Ipv6Addr>] = &[
    v6(0x2001, 0, 0, 23),     // protocol assignments: Teredo, ORCHID, benchmarks
    v6(0x2001, 0xdb8, 0, 32), // documentation
    v6(0x2002, 0, 0, 16),     // 6to4: any IPv4 address inside
    v6(0x3fff, 0, 0, 20),     // documentation
];

const LOCAL_V6: &[Net<Ipv6Addr>] = &[(Ipv6Addr::LOCALHOST, 128), v6(0xfc00, 0, 0, 7)];

/// A cloud's metadata service under a unique local address.
const METADATA_V6: &[Net<Ipv6Addr>] = &[v6(0xfd00, 0xec2, 0, 32)];

fn within_v4(address: Ipv4Addr, nets: &[Net<Ipv4Addr>]) -> bool {
    nets.iter().any(|(net, length)| {
        let host_bits = u32::MAX.checked_shr(*length).unwrap_or(0);
        address.to_bits() | host_bits == net.to_bits() | host_bits
    })
}

fn within_v6(address: Ipv6Addr, nets: &[Net<Ipv6Addr>]) -> bool {
    nets.iter().any(|(net, length)| {
        let host_bits = u128::MAX.checked_shr(*length).unwrap_or(0);
        address.to_bits() | host_bits == net.to_bits() | host_bits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reach: Reach, permitted: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(reach.permits(address.parse().unwrap()), permitted, "{reach:?} {address}");
        }
    }

    /// Never a venue, wherever it is said to be.
    const NOWHERE: &[&str] = &[
        "0.0.0.0",
        "0.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "169.254.0.1",
        "169.254.169.254",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::127.0.0.1",
        "::ffff:0:0",
        "::ffff:8.8.8.8",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fd00:ec2::254",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "ff02::1",
    ];

    const PUBLIC: &[&str] = &[
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2606:4700::1111",
        "2a00:1450:4001::1",
    ];

    const LOCAL: &[&str] = &[
        "10.0.0.1",
        "10.255.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "192.168.255.255",
        "::1",
        "fc00::1",
        "fd12:3456:789a::1",
    ];

    #[test]
    fn a_public_venue_is_on_the_internet() {
        check(Reach::Public, true, PUBLIC);
        check(Reach::Public, false, LOCAL);
        check(Reach::Public, false, NOWHERE);
    }

    #[test]
    fn a_local_venue_is_near() {
        check(Reach::Local, true, LOCAL);
        check(Reach::Local, false, PUBLIC);
        check(Reach::Local, false, NOWHERE);
    }
}
