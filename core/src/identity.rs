//! Who calls: tenants, apps with their bearers, operators with their logins.

use std::net::{IpAddr, Ipv6Addr};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::id::{AppId, CredentialId, GrantId, LoginId, OperatorId, TenantId, VirtualKeyId};

/// A tenant: one customer organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// A name for people, unique.
    pub name: String,
    /// The newest version of its KEK.
    pub kek_version: u32,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// An app: a program with grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// A name for people.
    pub name: String,
    /// SHA-256 of its secret. The secret has 256 random bits, so no slow hash is needed.
    pub secret_hash: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// What one app may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The tenant.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// The credentials it is for.
    pub credentials: Credentials,
    /// Operation names (`order.place`) or classes (`market`, `read`, `trade`); at least one.
    pub operations: Vec<String>,
    /// Symbols that orders may name, in the venue's spelling; empty for any.
    pub symbols: Vec<String>,
    /// Networks that requests may come from; empty for any.
    pub networks: Vec<Network>,
    /// Whether the app may enroll credentials.
    pub enroll: bool,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// Which credentials a grant is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Credentials {
    /// All of the tenant's, also those enrolled later.
    All,
    /// These.
    These(Vec<CredentialId>),
}

/// A network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
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

/// An operator: a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Their id.
    pub id: OperatorId,
    /// Their login name.
    pub name: String,
    /// Salt of the password hash.
    pub salt: [u8; 16],
    /// HMAC by the token's pepper over the argon2id output.
    pub password: [u8; 32],
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
}

/// One login of an operator. Its bearer is stored as a hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Its id.
    pub id: LoginId,
    /// Whose it is.
    pub operator: OperatorId,
    /// The operator's name, for audit entries.
    pub name: String,
    /// Where it was made from.
    pub address: String,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

/// An authenticated app.
#[derive(Clone, Debug)]
pub struct AppPrincipal {
    /// The app.
    pub app: AppId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Where the request came from.
    pub address: IpAddr,
    /// The virtual key that it authenticated with, at the gateway.
    pub virtual_key: Option<VirtualKeyId>,
}

/// An authenticated operator.
#[derive(Clone, Debug)]
pub struct OperatorPrincipal {
    /// The operator.
    pub operator: OperatorId,
    /// Their name.
    pub name: String,
    /// The login used.
    pub login: LoginId,
    /// Where the request came from.
    pub address: IpAddr,
}

/// A caller's secret: `clv_<kind>_<43 base62 characters><6 of CRC-32>`. The prefix and the checksum let secret scanners
/// recognise a leaked one.
pub struct CallerSecret(Zeroizing<String>);

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

impl CallerSecret {
    /// A new one of `kind` (`app`, `login`), with 256 random bits.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn generate(kind: &str) -> Result<Self, NoRandom> {
        // 43 characters of 62 are 256 bits.
        let body = random_text(43)?;
        Ok(Self(Zeroizing::new(format!("clv_{kind}_{}{}", *body, checksum(kind, &body)))))
    }

    /// The text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        hash_secret(&self.0)
    }
}

impl std::fmt::Debug for CallerSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallerSecret(…)")
    }
}

/// The operating system gave no random numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoRandom;

/// SHA-256 of a caller's secret.
#[must_use]
pub fn hash_secret(text: &str) -> [u8; 32] {
    let digest = digest(&SHA256, text.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// Whether two hashes are equal, in constant time.
#[must_use]
pub fn same_hash(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.ct_eq(b).into()
}

/// So many random letters and digits.
pub(crate) fn random_text(chars: usize) -> Result<Zeroizing<String>, NoRandom> {
    let mut random = Zeroizing::new([0_u8; 64]);
    let mut text = Zeroizing::new(String::with_capacity(chars));
    while text.len() < chars {
        aws_lc_rs::rand::fill(random.as_mut()).map_err(|_| NoRandom)?;
        // Bytes from 248 on are skipped, so that every character is equally likely.
        for byte in random.iter().filter(|b| **b < 248) {
            if text.len() < chars {
                text.push(base62(u32::from(*byte)));
            }
        }
    }
    Ok(text)
}

fn checksum(kind: &str, body: &str) -> String {
    let mut crc = crc32fast::hash(format!("{kind}_{body}").as_bytes());
    let mut text = String::with_capacity(6);
    for _ in 0..6 {
        text.push(base62(crc));
        crc /= 62;
    }
    text
}

fn base62(value: u32) -> char {
    usize::try_from(value % 62).ok().and_then(|i| BASE62.get(i)).map_or('0', |b| char::from(*b))
}

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

    #[test]
    fn caller_secrets_have_form_and_checksum() {
        let secret = CallerSecret::generate("app").unwrap();
        let body = secret.reveal().strip_prefix("clv_app_").unwrap();
        assert_eq!(body.len(), 49);
        let (body, sum) = body.split_at(43);
        assert_eq!(checksum("app", body), sum);
        assert!(!format!("{secret:?}").contains(body));
        assert_ne!(secret.hash(), CallerSecret::generate("app").unwrap().hash());
    }
}
