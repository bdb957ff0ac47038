//! Kraken Futures' permission probe, and its levels in Kraken's words.
//!
//! Source: `docs.kraken.com`, *Check v3 API key* (`GET /api/auth/v1/api-keys/v3/check`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    encoding::printable,
    permission::{Fault, IpRestriction, KeyFacts},
    product::Products,
};

/// How much of a name or address from the answer is kept.
const TEXT_CHARS_MAX: usize = 64;

#[derive(Deserialize)]
struct Answer {
    permissions: BTreeMap<String, String>,
    /// Both spellings are documented.
    #[serde(default, rename = "allowedCidrBlocks", alias = "allowedCidrBlock")]
    allowed: Option<Blocks>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Blocks {
    One(String),
    Many(Vec<String>),
}

/// Reads the probe's answer; `None` if it lacks one of the two levels or names an unknown one.
pub(super) fn permissions(body: &[u8]) -> Option<KeyFacts> {
    let Answer { permissions, allowed } = serde_json::from_slice(body).ok()?;
    let mut facts = KeyFacts { ip: ip(allowed), ..KeyFacts::default() };
    for name in ["general", "transfer"] {
        permissions.get(name)?;
    }
    for (name, level) in &permissions {
        match (name.as_str(), level.as_str()) {
            (_, "NO_ACCESS") => {}
            ("general", "READ_ONLY") => facts.read = true,
            ("general", "FULL_ACCESS") => {
                facts.read = true;
                facts.trade = Products::DERIVATIVES;
                facts.cancel = true;
            }
            ("transfer", "READ_ONLY" | "FULL_ACCESS") => facts.transfer = true,
            ("general" | "transfer", _) => return None,
            _ => facts.unknown.push(printable(name, TEXT_CHARS_MAX)),
        }
    }
    Some(facts)
}

fn ip(allowed: Option<Blocks>) -> IpRestriction {
    let blocks = match allowed {
        None => Vec::new(),
        Some(Blocks::One(block)) => vec![block],
        Some(Blocks::Many(blocks)) => blocks,
    };
    let blocks: Vec<_> = blocks.iter().filter(|block| !block.is_empty()).collect();
    if blocks.is_empty() || blocks.iter().any(|block| block.ends_with("/0")) {
        return IpRestriction::None;
    }
    IpRestriction::List(blocks.iter().map(|block| printable(block, TEXT_CHARS_MAX)).collect())
}

/// Says what to do about a fault, in the words of Kraken's page. Keys cannot be edited there, only made anew.
pub(super) fn advice(fault: &Fault) -> String {
    let act = match fault {
        Fault::WithdrawEnabled | Fault::TransferEnabled => "with “Withdrawal API” at “No Access”".to_owned(),
        Fault::KeyManagementEnabled => "without any right over keys".to_owned(),
        Fault::UnknownPermission(name) => {
            format!("without the permission that the API reports as “{name}”, which Claviger does not know")
        }
        Fault::TradeNotWanted | Fault::ProductNotWanted(_) => "with “General API” at “Read Only”".to_owned(),
        Fault::ReadMissing => "with “General API” at “Read Only” or “Full Access”".to_owned(),
        Fault::TradeMissing(_) | Fault::CancelMissing => "with “General API” at “Full Access”".to_owned(),
    };
    format!("On Kraken Futures, Settings → API Keys → delete this key and create another {act}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(general: &str, transfer: &str, rest: &str) -> Option<KeyFacts> {
        let body = format!(r#"{{"permissions":{{"general":"{general}","transfer":"{transfer}"{rest}}}}}"#);
        permissions(body.as_bytes())
    }

    #[test]
    fn each_level_grants_what_it_says() {
        let none = KeyFacts::default();
        let reader = KeyFacts { read: true, ..none.clone() };
        let trader = KeyFacts { trade: Products::DERIVATIVES, cancel: true, ..reader.clone() };
        let mover = KeyFacts { transfer: true, ..none.clone() };
        assert_eq!(read("NO_ACCESS", "NO_ACCESS", ""), Some(none.clone()));
        assert_eq!(read("READ_ONLY", "NO_ACCESS", ""), Some(reader));
        assert_eq!(read("FULL_ACCESS", "NO_ACCESS", ""), Some(trader));
        assert_eq!(read("NO_ACCESS", "READ_ONLY", ""), Some(mover.clone()));
        assert_eq!(read("NO_ACCESS", "FULL_ACCESS", ""), Some(mover));
        let unknown = KeyFacts { unknown: vec!["teleport".to_owned()], ..none.clone() };
        assert_eq!(read("NO_ACCESS", "NO_ACCESS", r#","teleport":"READ_ONLY""#), Some(unknown));
        assert_eq!(read("NO_ACCESS", "NO_ACCESS", r#","teleport":"NO_ACCESS""#), Some(none));
    }

    #[test]
    fn addresses_in_either_spelling() {
        let with = |rest: &str| {
            let body = format!(r#"{{"permissions":{{"general":"NO_ACCESS","transfer":"NO_ACCESS"}}{rest}}}"#);
            permissions(body.as_bytes()).map(|facts| facts.ip)
        };
        let list = IpRestriction::List(vec!["192.0.2.1/32".to_owned()]);
        assert_eq!(with(r#","allowedCidrBlocks":["192.0.2.1/32"]"#), Some(list.clone()));
        assert_eq!(with(r#","allowedCidrBlock":"192.0.2.1/32""#), Some(list));
        for open in
            ["", r#","allowedCidrBlocks":[]"#, r#","allowedCidrBlock":"0.0.0.0/0""#, r#","allowedCidrBlock":null"#]
        {
            assert_eq!(with(open), Some(IpRestriction::None), "{open}");
        }
    }

    #[test]
    fn half_an_answer_is_not_believed() {
        for body in ["", "{}", r#"{"permissions":{}}"#, r#"{"permissions":{"general":"READ_ONLY"}}"#] {
            assert_eq!(permissions(body.as_bytes()), None, "{body}");
        }
        assert_eq!(read("SOME_ACCESS", "NO_ACCESS", ""), None);
    }
}
