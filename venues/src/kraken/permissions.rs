//! Kraken's permission probe, and its boxes in Kraken's words.
//!
//! Source: `docs.kraken.com`, *Get API Key Info* and the guide *API keys*.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::{Product, Products},
};

/// How much of a name or address from the answer is kept.
const TEXT_CHARS_MAX: usize = 64;

/// One permission covers spot and margin; only an order's `leverage` tells them apart.
pub(super) const BUNDLED: Products = Products::SPOT_AND_MARGIN;

/// What every read of the catalogue needs, together.
const READS: &[&str] = &["query-funds", "query-open-trades"];

#[derive(Deserialize)]
struct Answer {
    result: KeyInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyInfo {
    permissions: Vec<String>,
    #[serde(default)]
    ip_allowlist: Option<Vec<String>>,
    #[serde(default)]
    valid_until: Value,
}

/// Reads the probe's answer; `None` if it is not the documented one.
pub(super) fn permissions(body: &[u8]) -> Option<KeyFacts> {
    let Answer { result } = serde_json::from_slice(body).ok()?;
    let expiry_s = expiry_s(&result.valid_until)?;
    let has = |name: &&str| result.permissions.iter().any(|given| given == name);
    let mut facts = KeyFacts {
        read: READS.iter().all(has),
        ip: ip(result.ip_allowlist.as_deref().unwrap_or_default()),
        expires_ms: (expiry_s > 0).then(|| expiry_s.saturating_mul(1_000)),
        ..KeyFacts::default()
    };
    for name in &result.permissions {
        apply(&mut facts, name);
    }
    Some(facts)
}

fn apply(facts: &mut KeyFacts, permission: &str) {
    match permission {
        "query-funds" | "query-open-trades" | "query-closed-trades" | "query-ledger" | "export-data" => {}
        "modify-trades" => facts.trade = Products::SPOT_AND_MARGIN,
        "close-trades" => facts.cancel = true,
        "create-ws-token" => facts.trade_token = true,
        "add-funds" | "earn-funds" => facts.transfer = true,
        "withdraw-funds" => facts.withdraw = true,
        "add-withdraw-address" | "update-withdraw-address" => {
            facts.withdraw = true;
            facts.key_management = true;
        }
        unknown => facts.unknown.push(printable(unknown, TEXT_CHARS_MAX)),
    }
}

fn ip(allowlist: &[String]) -> IpRestriction {
    if allowlist.is_empty() {
        return IpRestriction::None;
    }
    IpRestriction::List(allowlist.iter().map(|entry| printable(entry, TEXT_CHARS_MAX)).collect())
}

/// Reads the expiry, in seconds as a number or as text; zero is never, `None` is unreadable.
fn expiry_s(valid_until: &Value) -> Option<u64> {
    match valid_until {
        Value::Null => Some(0),
        Value::String(text) if text.is_empty() => Some(0),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Says what to do about a fault, in the words of Kraken's page.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled => "untick “Withdraw Funds” and everything about withdrawal addresses".to_owned(),
        Fault::TransferEnabled => "untick “Deposit Funds” and “Earn Funds”".to_owned(),
        Fault::KeyManagementEnabled => "untick “Add Withdrawal Address” and “Update Withdrawal Address”".to_owned(),
        Fault::UnknownPermission(name) => {
            format!("untick the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted => {
            "untick “Create & Modify Orders”, “Cancel/Close Orders” and “Get WebSocket Token”".to_owned()
        }
        Fault::ProductNotWanted(Product::Spot | Product::Margin | Product::Derivatives) => {
            "untick “Create & Modify Orders”".to_owned()
        }
        Fault::ReadMissing => "tick “Query Funds” and “Query Open Orders & Trades”".to_owned(),
        Fault::TradeMissing(_) => "tick “Create & Modify Orders” and “Cancel/Close Orders”".to_owned(),
        Fault::CancelMissing => "tick “Cancel/Close Orders”".to_owned(),
    };
    format!("On Kraken, Settings → API → Edit the key → {act}, then save.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(granted: &[&str], rest: &str) -> Option<KeyFacts> {
        let list = serde_json::to_string(granted).unwrap();
        let body = format!(r#"{{"error":[],"result":{{"apiKey":"k","permissions":{list}{rest}}}}}"#);
        permissions(body.as_bytes())
    }

    #[test]
    fn each_permission_grants_what_it_says() {
        let none = KeyFacts::default();
        for (permissions, expected) in [
            (vec![], none.clone()),
            (vec!["query-funds"], none.clone()),
            (vec!["query-funds", "query-open-trades"], KeyFacts { read: true, ..none.clone() }),
            (vec!["query-closed-trades", "query-ledger", "export-data"], none.clone()),
            (vec!["modify-trades"], KeyFacts { trade: Products::SPOT_AND_MARGIN, ..none.clone() }),
            (vec!["close-trades"], KeyFacts { cancel: true, ..none.clone() }),
            (vec!["create-ws-token"], KeyFacts { trade_token: true, ..none.clone() }),
            (vec!["add-funds"], KeyFacts { transfer: true, ..none.clone() }),
            (vec!["earn-funds"], KeyFacts { transfer: true, ..none.clone() }),
            (vec!["withdraw-funds"], KeyFacts { withdraw: true, ..none.clone() }),
            (vec!["add-withdraw-address"], KeyFacts { withdraw: true, key_management: true, ..none.clone() }),
            (vec!["update-withdraw-address"], KeyFacts { withdraw: true, key_management: true, ..none.clone() }),
            (vec!["teleport"], KeyFacts { unknown: vec!["teleport".to_owned()], ..none.clone() }),
        ] {
            assert_eq!(read(&permissions, ""), Some(expected), "{permissions:?}");
        }
    }

    #[test]
    fn expiry_and_addresses() {
        let facts = read(&[], r#","validUntil":"1767225600","ipAllowlist":["192.0.2.1","2001:db8::/32"]"#).unwrap();
        assert_eq!(facts.expires_ms, Some(1_767_225_600_000));
        let list = ["192.0.2.1", "2001:db8::/32"].map(str::to_owned).to_vec();
        assert_eq!(facts.ip, IpRestriction::List(list));
        for rest in [r#","validUntil":"0""#, r#","validUntil":0,"ipAllowlist":[]"#, r#","ipAllowlist":null"#] {
            assert_eq!(read(&[], rest), Some(KeyFacts::default()), "{rest}");
        }
        let far = read(&[], r#","validUntil":18446744073709551615"#).unwrap();
        assert_eq!(far.expires_ms, Some(u64::MAX));
    }

    #[test]
    fn half_an_answer_is_not_believed() {
        for body in ["", "{}", r#"{"error":[]}"#, r#"{"error":[],"result":{}}"#, r#"{"result":{"permissions":"all"}}"#]
        {
            assert_eq!(permissions(body.as_bytes()), None, "{body}");
        }
        for rest in [r#","validUntil":"soon""#, r#","validUntil":-1"#, r#","ipAllowlist":"any""#] {
            assert_eq!(read(&[], rest), None, "{rest}");
        }
    }

    #[test]
    fn advice_names_the_box() {
        let text = advice(&Fault::CancelMissing);
        assert_eq!(text, "On Kraken, Settings → API → Edit the key → tick “Cancel/Close Orders”, then save.");
    }
}
