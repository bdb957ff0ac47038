//! MEXC's balances, and what surrounds them.

use hyper::Method;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::market::SYMBOLS;
use crate::venue::{Answer, Call, Caller};

/// What every account starts with.
const DEPOSITS: [(&str, u32); 4] = [("USDT", 1_000_000), ("BTC", 10), ("ETH", 100), ("SOL", 1_000)];

const LISTEN_KEY: &str = "5f1b6a04c9d24e7c8a1f3b2d6e907c45a8d1e2f3b4c5d6e7f8091a2b3c4d5e6f";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the venue's")]
struct Balances {
    can_trade: bool,
    can_withdraw: bool,
    can_deposit: bool,
    update_time: Option<u64>,
    account_type: &'static str,
    balances: Vec<Balance>,
    permissions: [&'static str; 1],
}

#[derive(Serialize)]
struct Balance {
    asset: &'static str,
    free: String,
    locked: &'static str,
    available: String,
}

/// What may be done is said of the account here, not of the key.
pub(super) fn balances(_call: &Call<'_>, caller: &Caller) -> Answer {
    let balances = caller.account.with_book(|book| {
        let balance = |(asset, deposit): &(&'static str, u32)| {
            let change = book.balance_changes.get(asset).copied().unwrap_or_default();
            let free = Decimal::from(*deposit).saturating_add(change).normalize().to_string();
            Balance { asset, available: free.clone(), free, locked: "0" }
        };
        DEPOSITS.iter().map(balance).collect()
    });
    Answer::ok(&Balances {
        can_trade: true,
        can_withdraw: true,
        can_deposit: true,
        update_time: None,
        account_type: "SPOT",
        balances,
        permissions: ["SPOT"],
    })
}

/// The symbols that may be traded by API.
pub(super) fn tradable() -> Answer {
    let names: Vec<&str> = SYMBOLS.iter().map(|symbol| symbol.name).collect();
    Answer::ok(&json!({ "code": 200, "data": names, "msg": null }))
}

/// What the account pays for trades.
pub(super) fn trade_fee(call: &Call<'_>) -> Answer {
    Answer::ok(&json!({
        "data": { "makerCommission": 0, "takerCommission": 0.0005 },
        "code": 0, "msg": "success", "timestamp": call.received.at.ms(),
    }))
}

/// The coins and the networks that they live on.
pub(super) fn coins() -> Answer {
    let coins: Vec<Value> = DEPOSITS
        .iter()
        .map(|(coin, _)| {
            json!({
                "coin": coin, "Name": coin,
                "networkList": [{
                    "coin": coin, "depositDesc": null, "depositEnable": true, "minConfirm": 6, "Name": coin,
                    "network": coin, "netWork": coin, "withdrawEnable": true, "withdrawFee": "0.0001",
                    "withdrawIntegerMultiple": null, "withdrawMax": "100", "withdrawMin": "0.001",
                    "sameAddress": false, "contract": "", "withdrawTips": null, "depositTips": null,
                }],
            })
        })
        .collect();
    Answer::ok(&coins)
}

/// A bearer for the user stream: whoever has it may listen.
pub(super) fn listen_key(call: &Call<'_>) -> Answer {
    if call.received.method == Method::GET {
        return Answer::ok(&json!({ "listenKey": [LISTEN_KEY] }));
    }
    Answer::ok(&json!({ "listenKey": LISTEN_KEY }))
}
