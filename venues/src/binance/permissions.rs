//! Binance's permission probe, and its boxes in Binance's words.
//!
//! Source: wallet documentation, *Get API Key Permission* (`GET /sapi/v1/account/apiRestrictions`).

use serde_json::{Map, Value};

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::{Product, Products},
};

/// How much of an unknown permission's name is kept.
const NAME_CHARS_MAX: usize = 64;

/// What a flag that is on grants.
enum Grant {
    Read,
    Trade(Products),
    Transfer,
    Withdraw,
    IpRestricted,
}

const FLAGS: &[(&str, Grant)] = &[
    ("enableReading", Grant::Read),
    ("enableFixReadOnly", Grant::Read),
    ("enableSpotAndMarginTrading", Grant::Trade(Products::SPOT_AND_MARGIN)),
    ("enableFixApiTrade", Grant::Trade(Products::SPOT)),
    ("enableFutures", Grant::Trade(Products::DERIVATIVES)),
    ("enableVanillaOptions", Grant::Trade(Products::DERIVATIVES)),
    ("enablePortfolioMarginTrading", Grant::Trade(Products::DERIVATIVES.with(Product::Margin))),
    ("enableMargin", Grant::Transfer),
    ("enableInternalTransfer", Grant::Transfer),
    ("permitsUniversalTransfer", Grant::Transfer),
    ("enableWithdrawals", Grant::Withdraw),
    ("ipRestrict", Grant::IpRestricted),
];

/// Without these an answer says too little to be believed.
const INDISPENSABLE: &[&str] = &["enableReading", "enableWithdrawals", "ipRestrict"];

/// Spot and margin share one box; borrowing has a box of its own, which is refused as a transfer.
pub(super) const BUNDLED: Products = Products::SPOT_AND_MARGIN;

/// Reads the probe's answer; `None` if a known flag is not a boolean or an indispensable one is not there.
pub(super) fn permissions(body: &[u8]) -> Option<KeyFacts> {
    let answer: Map<String, Value> = serde_json::from_slice(body).ok()?;
    if !INDISPENSABLE.iter().all(|name| answer.contains_key(*name)) {
        return None;
    }
    let mut facts = KeyFacts::default();
    for (name, value) in &answer {
        if let Some((_, grant)) = FLAGS.iter().find(|(flag, _)| flag == name) {
            if value.as_bool()? {
                apply(&mut facts, grant);
            }
        } else if is_granted(name, value) {
            facts.unknown.push(printable(name, NAME_CHARS_MAX));
        }
    }
    facts.cancel = !facts.trade.is_empty();
    // It is the end of trading: a key that only reads goes on.
    let expiry = answer.get("tradingAuthorityExpirationTime").and_then(Value::as_u64);
    facts.expires_ms = expiry.filter(|_| !facts.trade.is_empty());
    Some(facts)
}

fn apply(facts: &mut KeyFacts, grant: &Grant) {
    match grant {
        Grant::Read => facts.read = true,
        Grant::Trade(products) => facts.trade = facts.trade.union(*products),
        Grant::Transfer => facts.transfer = true,
        Grant::Withdraw => facts.withdraw = true,
        Grant::IpRestricted => facts.ip = IpRestriction::Flag,
    }
}

/// Whether an unknown field grants something: anything that is `true`, and anything not plainly off that is called a
/// permission.
fn is_granted(name: &str, value: &Value) -> bool {
    let called_so = name.starts_with("enable") || name.starts_with("permit");
    match value {
        Value::Bool(on) => *on,
        Value::Null => false,
        Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => called_so,
    }
}

/// Says what to do about a fault, in the words of Binance's page.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled => "untick “Enable Withdrawals”".to_owned(),
        Fault::TransferEnabled => "untick “Permits Universal Transfer”, “Enable Internal Transfer” and “Enable Margin \
                                   Loan, Repay & Transfer”"
            .to_owned(),
        Fault::KeyManagementEnabled => "untick every permission for sub-accounts and API keys".to_owned(),
        Fault::UnknownPermission(name) => {
            format!("untick the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted => "untick “Enable Spot & Margin Trading”, “Enable Futures”, “Enable European Options” \
                                  and every other trading permission, leaving “Enable Reading”"
            .to_owned(),
        Fault::ProductNotWanted(product) => format!("untick {}", boxes(*product)),
        Fault::ReadMissing => "tick “Enable Reading”".to_owned(),
        Fault::TradeMissing(product) => format!("tick {}", wanted_box(*product)),
        Fault::CancelMissing => "tick “Enable Spot & Margin Trading” or “Enable Futures”".to_owned(),
    };
    format!("On Binance, API Management → Edit restrictions → {act}, then save.")
}

/// Every box that grants the product.
const fn boxes(product: Product) -> &'static str {
    match product {
        Product::Spot => "“Enable Spot & Margin Trading” and “Enable FIX API Trading”",
        Product::Margin => "“Enable Spot & Margin Trading” and “Enable Portfolio Margin Trading”",
        Product::Derivatives => "“Enable Futures”, “Enable European Options” and “Enable Portfolio Margin Trading”",
    }
}

/// The one box that grants the product and little else.
const fn wanted_box(product: Product) -> &'static str {
    match product {
        Product::Spot | Product::Margin => "“Enable Spot & Margin Trading”",
        Product::Derivatives => "“Enable Futures”",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(extra: &str) -> Option<KeyFacts> {
        let body = format!(
            r#"{{"ipRestrict":false,"createTime":1698645219000,"enableReading":true,"enableWithdrawals":false{extra}}}"#
        );
        permissions(body.as_bytes())
    }

    #[test]
    fn each_flag_grants_what_it_says() {
        let plain = KeyFacts { read: true, ..KeyFacts::default() };
        let trades = |trade| KeyFacts { trade, cancel: true, ..plain.clone() };
        let transfers = KeyFacts { transfer: true, ..plain.clone() };
        let expected = [
            ("enableReading", plain.clone()),
            ("enableFixReadOnly", plain.clone()),
            ("enableSpotAndMarginTrading", trades(Products::SPOT_AND_MARGIN)),
            ("enableFixApiTrade", trades(Products::SPOT)),
            ("enableFutures", trades(Products::DERIVATIVES)),
            ("enableVanillaOptions", trades(Products::DERIVATIVES)),
            ("enablePortfolioMarginTrading", trades(Products::DERIVATIVES.with(Product::Margin))),
            ("enableMargin", transfers.clone()),
            ("enableInternalTransfer", transfers.clone()),
            ("permitsUniversalTransfer", transfers),
            ("enableWithdrawals", KeyFacts { withdraw: true, ..plain.clone() }),
            ("ipRestrict", KeyFacts { ip: IpRestriction::Flag, ..plain.clone() }),
        ];
        assert_eq!(expected.len(), FLAGS.len());
        assert_eq!(read(""), Some(plain));
        for (flag, facts) in expected {
            assert_eq!(read(&format!(r#","{flag}":true"#)), Some(facts), "{flag}");
        }
        let expires_ms = |extra: &str| {
            let extra = format!(r#","tradingAuthorityExpirationTime":1628985600000{extra}"#);
            read(&extra).unwrap().expires_ms
        };
        assert_eq!(expires_ms(r#","enableSpotAndMarginTrading":true"#), Some(1_628_985_600_000));
        assert_eq!(expires_ms(""), None);
    }

    #[test]
    fn unknown_permissions_are_kept_by_name() {
        for (extra, unknown) in [
            (r#","enableTeleport":true"#, Some("enableTeleport")),
            (r#","enableTeleport":"yes""#, Some("enableTeleport")),
            (r#","permitsAnything":1"#, Some("permitsAnything")),
            (r#","canTeleport":true"#, Some("canTeleport")),
            (r#","enableTeleport":false"#, None),
            (r#","someTime":17"#, None),
        ] {
            let facts = read(extra).unwrap();
            assert_eq!(facts.unknown.first().map(String::as_str), unknown, "{extra}");
        }
        let long = read(&format!(r#","enable{}\r\n":true"#, "é".repeat(500))).unwrap();
        assert!(long.unknown.iter().all(|name| name.is_ascii() && name.len() <= NAME_CHARS_MAX));
    }

    #[test]
    fn half_an_answer_is_not_believed() {
        assert_eq!(read(r#","enableMargin":"true""#), None);
        for body in ["", "[]", "{}", r#"{"enableReading":true,"ipRestrict":true}"#] {
            assert_eq!(permissions(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn advice_names_the_box() {
        let text = advice(&Fault::WithdrawEnabled);
        assert_eq!(text, "On Binance, API Management → Edit restrictions → untick “Enable Withdrawals”, then save.");
    }
}
