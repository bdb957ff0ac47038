//! `BitMEX`' permission probe, and its boxes in `BitMEX`' words.
//!
//! Source: bitmex.com, API explorer, `GET /apiKey`.

use serde::Deserialize;

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::Products,
};

/// How much of a name or address from the answer is kept.
const TEXT_CHARS_MAX: usize = 64;

/// One permission covers contracts and pairs.
pub(super) const TRADED: Products = Products::SPOT.union(Products::DERIVATIVES);

#[derive(Deserialize)]
struct Key {
    permissions: Vec<String>,
    enabled: bool,
    #[serde(default)]
    cidr: Option<String>,
    #[serde(default)]
    cidrs: Vec<String>,
}

/// Reads the probe's answer, which lists every key of the account: what any of them may do counts, since the answer is
/// read without the key's id, and a key with more power beside it is a reason to object as well.
pub(super) fn permissions(body: &[u8]) -> Option<KeyFacts> {
    let keys: Vec<Key> = serde_json::from_slice(body).ok()?;
    let keys: Vec<_> = keys.into_iter().filter(|key| key.enabled).collect();
    if keys.is_empty() {
        return None;
    }
    let mut facts = KeyFacts { read: true, ip: ip(&keys), ..KeyFacts::default() };
    for permission in keys.iter().flat_map(|key| &key.permissions) {
        match permission.as_str() {
            "order" => {
                facts.trade = TRADED;
                facts.cancel = true;
            }
            "orderCancel" => facts.cancel = true,
            "withdraw" => facts.withdraw = true,
            unknown => facts.unknown.push(printable(unknown, TEXT_CHARS_MAX)),
        }
    }
    Some(facts)
}

/// The addresses of all keys, if each has some.
fn ip(keys: &[Key]) -> IpRestriction {
    let blocks = |key: &Key| -> Vec<String> { key.cidr.iter().chain(&key.cidrs).cloned().collect() };
    let is_open = |key: &Key| blocks(key).is_empty() || blocks(key).iter().any(|block| block.ends_with("/0"));
    if keys.iter().any(is_open) {
        return IpRestriction::None;
    }
    IpRestriction::List(keys.iter().flat_map(blocks).map(|block| printable(&block, TEXT_CHARS_MAX)).collect())
}

/// Says what to do about a fault, in the words of `BitMEX`' page. Keys cannot be edited there, only made anew.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled | Fault::TransferEnabled => "without “Withdraw”".to_owned(),
        Fault::KeyManagementEnabled => "without any right over keys".to_owned(),
        Fault::UnknownPermission(name) => {
            format!("without the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted | Fault::ProductNotWanted(_) => "without “Order” and “Order Cancel”".to_owned(),
        Fault::ReadMissing => "that is enabled".to_owned(),
        Fault::TradeMissing(_) | Fault::CancelMissing => "with “Order”".to_owned(),
    };
    format!("On BitMEX, Account → API Keys → delete this key and create another {act}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &str) -> Option<KeyFacts> {
        permissions(keys.as_bytes())
    }

    #[test]
    fn each_permission_grants_what_it_says() {
        let reader = KeyFacts { read: true, ..KeyFacts::default() };
        for (granted, expected) in [
            ("", reader.clone()),
            (r#""order""#, KeyFacts { trade: TRADED, cancel: true, ..reader.clone() }),
            (r#""orderCancel""#, KeyFacts { cancel: true, ..reader.clone() }),
            (r#""withdraw""#, KeyFacts { withdraw: true, ..reader.clone() }),
            (r#""teleport""#, KeyFacts { unknown: vec!["teleport".to_owned()], ..reader.clone() }),
        ] {
            let keys = format!(r#"[{{"id":"k","permissions":[{granted}],"enabled":true,"cidr":"0.0.0.0/0"}}]"#);
            assert_eq!(read(&keys), Some(expected), "{granted}");
        }
    }

    #[test]
    fn every_enabled_key_counts() {
        let keys = r#"[{"permissions":[],"enabled":true,"cidr":"192.0.2.1/32"},
            {"permissions":["withdraw"],"enabled":true,"cidrs":["192.0.2.2/32"]},
            {"permissions":["teleport"],"enabled":false}]"#;
        let facts = read(keys).unwrap();
        assert!(facts.withdraw && facts.unknown.is_empty());
        assert_eq!(facts.ip, IpRestriction::List(vec!["192.0.2.1/32".to_owned(), "192.0.2.2/32".to_owned()]));
        for bad in ["", "{}", "[]", r#"[{"permissions":[],"enabled":false}]"#, r#"[{"enabled":true}]"#] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
