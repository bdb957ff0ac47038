//! Bybit's permission probe, and its boxes in Bybit's words.
//!
//! Source: `bybit-exchange.github.io/docs/v5/user/apikey-info` (2026-11-21).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::{Product, Products},
};

/// How much of a name or address from the answer is kept.
const TEXT_CHARS_MAX: usize = 64;

/// One box covers spot and margin; only an order's `isLeverage` tells them apart.
pub(super) const BUNDLED: Products = Products::SPOT_AND_MARGIN;

#[derive(Deserialize)]
struct Answer {
    result: KeyInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInfo {
    read_only: u8,
    permissions: BTreeMap<String, Vec<String>>,
    ips: Vec<String>,
    #[serde(default)]
    expired_at: Option<String>,
}

/// Reads the probe's answer; `None` if it is not the documented one.
pub(super) fn permissions(body: &[u8]) -> Option<KeyFacts> {
    let Answer { result } = serde_json::from_slice(body).ok()?;
    let mut facts = KeyFacts {
        read: true,
        ip: ip(&result.ips),
        expires_ms: result.expired_at.as_deref().and_then(milliseconds),
        ..KeyFacts::default()
    };
    match result.read_only {
        // Such a key lists boxes that it may only look into.
        1 => return Some(facts),
        0 => {}
        _ => return None,
    }
    for (group, words) in &result.permissions {
        for word in words {
            apply(&mut facts, group, word);
        }
    }
    facts.cancel = !facts.trade.is_empty();
    Some(facts)
}

fn apply(facts: &mut KeyFacts, group: &str, word: &str) {
    let mut trade = |products| facts.trade = facts.trade.union(products);
    match (group, word) {
        ("Spot", "SpotTrade") => trade(Products::SPOT_AND_MARGIN),
        ("ContractTrade", "Order" | "Position")
        | ("Derivatives", "DerivativesTrade")
        | ("Options", "OptionsTrade")
        | ("CopyTrading", "CopyTrading") => trade(Products::DERIVATIVES),
        ("BlockTrade", "BlockTrade") => trade(Products::SPOT_AND_MARGIN.union(Products::DERIVATIVES)),
        // The boxes for transfers also let a key make keys, and widen itself.
        ("Wallet", "AccountTransfer" | "SubMemberTransfer" | "SubMemberTransferList") => {
            facts.transfer = true;
            facts.key_management = true;
        }
        ("Exchange" | "Earn", _) => facts.transfer = true,
        ("Wallet", "Withdraw") | ("FiatP2P" | "FiatBitPay" | "FiatConvertBroker" | "BitCard" | "ByXPost", _) => {
            facts.withdraw = true;
        }
        (group, word) => facts.unknown.push(printable(&[group, ".", word].concat(), TEXT_CHARS_MAX)),
    }
}

fn ip(addresses: &[String]) -> IpRestriction {
    if addresses.iter().all(|address| address == "*") {
        return IpRestriction::None;
    }
    IpRestriction::List(addresses.iter().map(|entry| printable(entry, TEXT_CHARS_MAX)).collect())
}

/// Reads a moment; one that is none, or at the beginning of time, says that there is no end.
fn milliseconds(text: &str) -> Option<u64> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(moment.as_millisecond()).ok().filter(|ms| *ms > 0)
}

/// Says what to do about a fault, in the words of Bybit's page.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled => "untick “Withdrawal”, “P2P”, “Bybit Pay”, “Fiat” and “Card”".to_owned(),
        Fault::TransferEnabled => {
            "untick “Account Transfer”, “Subaccount Transfer”, “Exchange” (Convert) and “Earn”".to_owned()
        }
        Fault::KeyManagementEnabled => {
            "untick “Account Transfer” and “Subaccount Transfer”: they also let a key make and change keys".to_owned()
        }
        Fault::UnknownPermission(name) => {
            format!("untick the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted => "choose “Read-Only” instead of “Read-Write”".to_owned(),
        Fault::ProductNotWanted(product) => format!("untick {}", boxes(*product)),
        Fault::ReadMissing => "choose at least “Read-Only” and tick the products to look into".to_owned(),
        Fault::TradeMissing(product) => format!("choose “Read-Write” and tick {}", wanted_box(*product)),
        Fault::CancelMissing => "choose “Read-Write” and tick “Orders” or “SPOT Trade”".to_owned(),
    };
    format!("On Bybit, API → Edit the key → {act}, then submit.")
}

/// Every box that grants the product.
const fn boxes(product: Product) -> &'static str {
    match product {
        Product::Spot | Product::Margin => "“SPOT Trade” and “Block Trade”",
        Product::Derivatives => {
            "“Contract: Orders” and “Positions”, “USDC Contracts”, “Options”, “Copy Trading” and “Block Trade”"
        }
    }
}

/// The boxes that grant the product and little else.
const fn wanted_box(product: Product) -> &'static str {
    match product {
        Product::Spot | Product::Margin => "“SPOT Trade”",
        Product::Derivatives => "“Contract: Orders” and “Positions”",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(read_only: u8, boxes: &str, ips: &str) -> Option<KeyFacts> {
        let body = format!(
            r#"{{"retCode":0,"result":{{"apiKey":"x","readOnly":{read_only},"permissions":{boxes},"ips":{ips},
                "expiredAt":"2027-05-15T03:21:05Z","deadlineDay":83}}}}"#
        );
        permissions(body.as_bytes())
    }

    #[test]
    fn each_box_grants_what_it_says() {
        let plain = KeyFacts { read: true, expires_ms: Some(1_810_351_265_000), ..KeyFacts::default() };
        let trades = |trade| KeyFacts { trade, cancel: true, ..plain.clone() };
        let transfers = KeyFacts { transfer: true, ..plain.clone() };
        let manages = KeyFacts { key_management: true, ..transfers.clone() };
        let withdraws = KeyFacts { withdraw: true, ..plain.clone() };
        for (group, word, facts) in [
            ("Spot", "SpotTrade", trades(Products::SPOT_AND_MARGIN)),
            ("ContractTrade", "Order", trades(Products::DERIVATIVES)),
            ("ContractTrade", "Position", trades(Products::DERIVATIVES)),
            ("Derivatives", "DerivativesTrade", trades(Products::DERIVATIVES)),
            ("Options", "OptionsTrade", trades(Products::DERIVATIVES)),
            ("CopyTrading", "CopyTrading", trades(Products::DERIVATIVES)),
            ("BlockTrade", "BlockTrade", trades(Products::SPOT_AND_MARGIN.union(Products::DERIVATIVES))),
            ("Wallet", "AccountTransfer", manages.clone()),
            ("Wallet", "SubMemberTransfer", manages.clone()),
            ("Wallet", "SubMemberTransferList", manages),
            ("Wallet", "Withdraw", withdraws.clone()),
            ("Exchange", "ExchangeHistory", transfers.clone()),
            ("Earn", "Earn", transfers),
            ("FiatP2P", "FiatP2POrder", withdraws.clone()),
            ("FiatBitPay", "FaitPayOrder", withdraws.clone()),
            ("BitCard", "BitCard", withdraws),
        ] {
            let listed = format!(r#"{{"{group}":["{word}"],"NFT":[]}}"#);
            assert_eq!(read(0, &listed, r#"["*"]"#), Some(facts), "{group}.{word}");
            assert_eq!(read(1, &listed, r#"["*"]"#), Some(plain.clone()), "{group}.{word}");
        }
    }

    #[test]
    fn unknown_boxes_are_kept_by_name() {
        let facts = read(0, r#"{"Spot":["SpotTeleport"],"Wallet":["Mint"],"NFT":["Nft"]}"#, "[]").unwrap();
        assert_eq!(facts.unknown, ["NFT.Nft", "Spot.SpotTeleport", "Wallet.Mint"]);
    }

    #[test]
    fn addresses_and_times() {
        let ip = |ips| read(0, "{}", ips).unwrap().ip;
        assert_eq!((ip(r#"["*"]"#), ip("[]")), (IpRestriction::None, IpRestriction::None));
        assert_eq!(ip(r#"["192.0.2.1"]"#), IpRestriction::List(vec!["192.0.2.1".to_owned()]));
        assert_eq!((milliseconds(""), milliseconds("1970-01-01T00:00:00Z")), (None, None));
    }

    #[test]
    fn half_an_answer_is_not_believed() {
        assert_eq!(read(2, "{}", "[]"), None);
        assert_eq!(read(0, r#"{"Spot":true}"#, "[]"), None);
        for body in ["", "{}", r#"{"result":{"readOnly":1,"ips":[]}}"#, r#"{"result":{"permissions":{},"ips":[]}}"#] {
            assert_eq!(permissions(body.as_bytes()), None, "{body}");
        }
    }
}
