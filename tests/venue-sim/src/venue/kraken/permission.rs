//! What Kraken's keys may do, and the probe that shows it.

use serde_json::{Value, json};

use super::result;
use crate::account::Key;
use crate::clock::Moment;
use crate::venue::{Answer, Caller};

/// Whether the permissions of a key suffice for a method.
pub(super) fn suffice(key: &Key, method: &str) -> bool {
    let Some(sufficient) = sufficient_permissions(method) else {
        return false;
    };
    let granted = permissions(key);
    sufficient.is_empty() || sufficient.iter().any(|one| granted.iter().any(|has| has == one))
}

/// The permissions of which one must be there; empty if none is needed, `None` if none suffices.
fn sufficient_permissions(method: &str) -> Option<&'static [&'static str]> {
    Some(match method {
        "GetApiKeyInfo" => &[],
        "Balance" | "BalanceEx" | "TradeBalance" | "CreditLines" => &["query-funds"],
        "OpenOrders" | "OpenPositions" => &["query-open-trades"],
        "ClosedOrders" | "TradesHistory" | "QueryTrades" | "TradeVolume" => &["query-closed-trades"],
        "QueryOrders" | "OrderAmends" | "Level3" => &["query-open-trades", "query-closed-trades"],
        "Ledgers" | "QueryLedgers" => &["query-ledger"],
        "AddOrder" | "AddOrderBatch" | "AmendOrder" | "EditOrder" => &["modify-trades"],
        "CancelOrder" | "CancelOrderBatch" | "CancelAll" | "CancelAllOrdersAfter" => &["modify-trades", "close-trades"],
        "GetWebSocketsToken" => &["create-ws-token"],
        "AddExport" | "RetrieveExport" | "RemoveExport" => &["export-data"],
        "DepositMethods" | "DepositAddresses" => &["add-funds"],
        "Earn/Allocate" | "Earn/Deallocate" => &["earn-funds"],
        "Withdraw" | "WithdrawInfo" | "WithdrawMethods" | "WithdrawAddresses" | "WithdrawStatus" | "WithdrawCancel"
        | "WalletTransfer" | "AccountTransfer" => &["withdraw-funds"],
        "CreateSubaccount" | "ListWalletAccounts" => &["add-withdraw-address"],
        _ => return None,
    })
}

/// The key's permissions in Kraken's words; a list given at registration replaces all.
fn permissions(key: &Key) -> Vec<String> {
    if let Some(Value::Array(names)) = &key.raw_permissions {
        return names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    let has = &key.permissions;
    let read = ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger"];
    let boxes: [(bool, &[&str]); 5] = [
        (has.read, &read),
        (has.trade_spot || has.trade_margin, &["modify-trades", "close-trades"]),
        (has.transfer, &["add-funds", "earn-funds"]),
        (has.withdraw, &["withdraw-funds"]),
        (has.key_management, &["add-withdraw-address", "update-withdraw-address"]),
    ];
    boxes
        .iter()
        .filter(|(ticked, _)| *ticked)
        .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned()))
        .chain(has.extra.iter().cloned())
        .collect()
}

/// The permission probe's answer.
pub(super) fn api_key_info(caller: &Caller, now: Moment) -> Answer {
    let key = &caller.key;
    let allowed: &[&str] = if key.permissions.ip_restricted { &["127.0.0.1"] } else { &[] };
    let mut info = json!({
        "apiKeyName": "simulated",
        "apiKey": caller.account.key_id,
        "nonce": caller.account.last_nonce().unwrap_or_default().to_string(),
        "nonceWindow": 0,
        "permissions": permissions(key),
        "iban": "",
        "validUntil": "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": "1700000000",
        "modifiedTime": "1700000000",
        "ipAllowlist": allowed,
        "lastUsed": now.secs().to_string(),
    });
    if let Value::Object(info) = &mut info {
        key.lay_over(info);
    }
    result(&info)
}
