//! MEXC's permission probe, and its boxes in MEXC's words.
//!
//! Source: `mexc.com/api-docs/spot-v3`, *Get API key info* and *Sub-account endpoints* (2026-11-21).

use serde::Deserialize;

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::{Product, Products},
};

/// How much of a name or address from the answer is kept.
const TEXT_CHARS_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInfo {
    permissions: String,
    ip_white_list: Option<String>,
}

/// Reads the probe's answer; `None` if it is not the documented one. `reads` are the permissions that the reads of a
/// market need, together.
///
/// To read the account is enough, by MEXC's documentation, for a master account's key to make sub-accounts and keys for
/// them, and no box prevents it. So every key is taken to manage keys, and the catalogue is what keeps it from that.
pub(super) fn permissions(body: &[u8], reads: &[&str]) -> Option<KeyFacts> {
    let info: KeyInfo = serde_json::from_slice(body).ok()?;
    let names: Vec<_> = info.permissions.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let mut facts = KeyFacts {
        read: reads.iter().all(|name| names.contains(name)),
        key_management_assumed: true,
        ip: ip(info.ip_white_list.as_deref().unwrap_or_default()),
        ..KeyFacts::default()
    };
    for name in names {
        apply(&mut facts, name);
    }
    facts.cancel = !facts.trade.is_empty();
    Some(facts)
}

fn apply(facts: &mut KeyFacts, permission: &str) {
    match permission {
        "SPOT_ACCOUNT_READ"
        | "SPOT_DEAL_READ"
        | "SPOT_TRANSFER_READ"
        | "SPOT_WITHDRAW_READ"
        | "CONTRACT_ACCOUNT_READ"
        | "CONTRACT_DEAL_READ" => {}
        "SPOT_DEAL_WRITE" => facts.trade = facts.trade.with(Product::Spot),
        "CONTRACT_DEAL_WRITE" | "CONTRACT_ACCOUNT_WRITE" => facts.trade = facts.trade.with(Product::Derivatives),
        "SPOT_TRANSFER_WRITE" | "SPOT_ACCOUNT_WRITE" => facts.transfer = true,
        "SPOT_WITHDRAW_WRITE" => facts.withdraw = true,
        unknown => facts.unknown.push(printable(unknown, TEXT_CHARS_MAX)),
    }
}

fn ip(list: &str) -> IpRestriction {
    let addresses: Vec<_> = list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| printable(entry, TEXT_CHARS_MAX))
        .collect();
    if addresses.is_empty() { IpRestriction::None } else { IpRestriction::List(addresses) }
}

/// MEXC has a box for each product.
pub(super) const BUNDLED: Products = Products::NONE;

/// Says what to do about a fault, in the words of MEXC's page.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled => "untick “Withdraw” under Spot".to_owned(),
        Fault::TransferEnabled => "untick “Transfer” and “Modify Account Info” under Spot".to_owned(),
        Fault::KeyManagementEnabled => "make the key on a sub-account: its keys manage no others".to_owned(),
        Fault::UnknownPermission(name) => {
            format!("untick the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted => "untick “Trade” under Spot, “Order Placing” and “Modify Account Info” under Futures, \
                                  leaving what begins with “View”"
            .to_owned(),
        Fault::ProductNotWanted(Product::Derivatives) => {
            "untick “Order Placing” and “Modify Account Info” under Futures".to_owned()
        }
        Fault::ProductNotWanted(Product::Spot | Product::Margin) => "untick “Trade” under Spot".to_owned(),
        Fault::ReadMissing => {
            "tick “View Account Details” and “View Order Details” of what is used, Spot or Futures".to_owned()
        }
        Fault::TradeMissing(Product::Derivatives) | Fault::CancelMissing => {
            "tick “Order Placing” under Futures".to_owned()
        }
        Fault::TradeMissing(Product::Spot | Product::Margin) => "tick “Trade” under Spot".to_owned(),
    };
    format!("On MEXC, API Management → Edit the key → {act}, then confirm.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const READS: &[&str] = &["SPOT_ACCOUNT_READ", "SPOT_DEAL_READ"];

    fn read(names: &str) -> Option<KeyFacts> {
        let body = format!(r#"{{"accessKey":"x","permissions":"{names}","ipWhiteList":"","status":"VALID"}}"#);
        permissions(body.as_bytes(), READS)
    }

    #[test]
    fn each_permission_grants_what_it_says() {
        let none = KeyFacts { key_management_assumed: true, ..KeyFacts::default() };
        let trades = |trade| KeyFacts { trade, cancel: true, ..none.clone() };
        let transfers = KeyFacts { transfer: true, ..none.clone() };
        for (name, facts) in [
            ("", none.clone()),
            ("SPOT_ACCOUNT_READ", none.clone()),
            ("SPOT_TRANSFER_READ", none.clone()),
            ("SPOT_WITHDRAW_READ", none.clone()),
            ("CONTRACT_ACCOUNT_READ,CONTRACT_DEAL_READ", none.clone()),
            ("SPOT_ACCOUNT_READ, SPOT_DEAL_READ", KeyFacts { read: true, ..none.clone() }),
            ("SPOT_DEAL_WRITE", trades(Products::SPOT)),
            ("CONTRACT_DEAL_WRITE", trades(Products::DERIVATIVES)),
            ("CONTRACT_ACCOUNT_WRITE", trades(Products::DERIVATIVES)),
            ("SPOT_TRANSFER_WRITE", transfers.clone()),
            ("SPOT_ACCOUNT_WRITE", transfers),
            ("SPOT_WITHDRAW_WRITE", KeyFacts { withdraw: true, ..none.clone() }),
            ("SPOT_DEAL_W", KeyFacts { unknown: vec!["SPOT_DEAL_W".to_owned()], ..none }),
        ] {
            assert_eq!(read(name), Some(facts), "{name}");
        }
    }

    /// Were it an objection, no key of MEXC's could be held at all.
    #[test]
    fn what_no_box_prevents_is_known_and_not_objected_to() {
        use crate::{Ceiling, CeilingClass, VenueId, objections};
        let facts = read("SPOT_ACCOUNT_READ,SPOT_DEAL_READ").unwrap();
        assert!(facts.key_management_assumed);
        let ceiling = Ceiling { class: CeilingClass::Read, products: Products::NONE };
        assert_eq!(objections(VenueId::Mexc, &facts, ceiling), []);
    }

    #[test]
    fn addresses_are_listed() {
        let list = |text: &str| {
            permissions(format!(r#"{{"permissions":"","ipWhiteList":"{text}"}}"#).as_bytes(), READS).unwrap().ip
        };
        assert_eq!(list(""), IpRestriction::None);
        let both = vec!["192.0.2.1".to_owned(), "192.0.2.2".to_owned()];
        assert_eq!(list("192.0.2.1, 192.0.2.2"), IpRestriction::List(both));
        for body in ["", "[]", "{}", r#"{"permissions":["SPOT_DEAL_READ"]}"#] {
            assert_eq!(permissions(body.as_bytes(), READS), None, "{body}");
        }
    }
}
