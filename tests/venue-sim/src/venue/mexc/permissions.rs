//! What a MEXC key may do, spot and futures alike, and how its probe says it.

use serde_json::{Map, Value, json};

use super::{Mistake, missing};
use crate::account::Key;
use crate::catalogue::Class;
use crate::venue::{Answer, Call, Caller};

/// Shows a key its own permissions; any key may ask.
pub(in crate::venue) const PROBE: &str = "/api/v3/apiKeyInfo";

/// Whether the key's boxes cover an operation of the spot API.
pub(super) fn permits(key: &Key, call: &Call<'_>) -> bool {
    let needed = match (call.operation.class, call.path) {
        (Class::Market, _) | (Class::Read, PROBE) => return true,
        (Class::Read, "/api/v3/capital/config/getall") => "SPOT_WITHDRAW_READ",
        (Class::Read, "/api/v3/order" | "/api/v3/openOrders" | "/api/v3/allOrders" | "/api/v3/myTrades") => {
            "SPOT_DEAL_READ"
        }
        // No box is needed for new sub-accounts and their keys but this one.
        (Class::Read | Class::KeyManagement, _) => "SPOT_ACCOUNT_READ",
        (Class::Trade, _) => "SPOT_DEAL_WRITE",
        (Class::Withdraw, _) => "SPOT_WITHDRAW_WRITE",
        (Class::Transfer, _) => "SPOT_TRANSFER_WRITE",
        (Class::Login | Class::Alarming | Class::Unknown, _) => return false,
    };
    names(key).iter().any(|name| name == needed)
}

/// The key's permissions in MEXC's words; a list given at registration replaces all.
pub(in crate::venue) fn names(key: &Key) -> Vec<String> {
    if let Some(Value::Array(names)) = &key.raw_permissions {
        return names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let has = &key.permissions;
    let read = [
        "SPOT_ACCOUNT_READ",
        "SPOT_DEAL_READ",
        "SPOT_TRANSFER_READ",
        "SPOT_WITHDRAW_READ",
        "CONTRACT_ACCOUNT_READ",
        "CONTRACT_DEAL_READ",
    ];
    let boxes: [(bool, &[&str]); 5] = [
        (has.read, &read),
        (has.trade_spot, &["SPOT_DEAL_WRITE"]),
        (has.trade_derivatives, &["CONTRACT_ACCOUNT_WRITE", "CONTRACT_DEAL_WRITE"]),
        (has.transfer, &["SPOT_TRANSFER_WRITE"]),
        (has.withdraw, &["SPOT_WITHDRAW_WRITE"]),
    ];
    boxes
        .iter()
        .filter(|(ticked, _)| *ticked)
        .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()))
        .chain(has.extra.iter().cloned())
        .collect()
}

/// The probe's answer; a key sees only itself.
pub(in crate::venue) fn show(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let asked_for = call.params.get("accessKey").ok_or_else(|| missing("accessKey"))?;
    if asked_for != caller.account.key_id {
        return Err(Mistake::new(730_706, "API KEY information does not exist"));
    }
    let key = &caller.key;
    let mut shown = Map::new();
    for (field, value) in [
        ("note", json!("simulated")),
        ("accessKey", json!(caller.account.key_id)),
        ("createTime", json!("2025-01-01 00:00:00")),
        ("permissions", json!(names(key).join(","))),
        ("remainingValidity", json!("90")),
        ("ipWhiteList", if key.permissions.ip_restricted { json!("127.0.0.1") } else { json!("") }),
        ("status", json!("VALID")),
    ] {
        shown.insert(field.to_owned(), value);
    }
    key.lay_over(&mut shown);
    Ok(Answer::ok(&shown))
}
