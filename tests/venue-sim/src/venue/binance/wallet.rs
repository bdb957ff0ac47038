//! The account and the wallet, as far as they are only looked at.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::PLACES;
use crate::book::Book;
use crate::market::{BINANCE, fixed};
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call, Caller};

/// What every account starts with.
const DEPOSITS: [(&str, u32); 5] = [("BTC", 10), ("ETH", 100), ("BNB", 100), ("SOL", 1_000), ("USDT", 1_000_000)];

/// Answers `/sapi`.
pub(in crate::venue) fn answer(call: &Call<'_>, caller: &Caller) -> Answer {
    match call.path {
        "/sapi/v1/account/status" => Answer::ok(&json!({ "data": "Normal" })),
        "/sapi/v1/account/apiTradingStatus" => Answer::ok(&json!({
            "data": { "isLocked": false, "plannedRecoverTime": 0, "triggerCondition": {}, "updateTime": 0 },
        })),
        "/sapi/v1/capital/config/getall" => caller.account.with_book(|book| coins(book)),
        "/sapi/v3/asset/getUserAsset" => caller.account.with_book(|book| assets(book)),
        "/sapi/v1/asset/get-funding-asset"
        | "/sapi/v1/capital/deposit/hisrec"
        | "/sapi/v1/capital/withdraw/history" => Answer::ok(&json!([])),
        "/sapi/v1/asset/tradeFee" => {
            let fee = |symbol: &crate::market::Symbol| json!({ "symbol": symbol.name, "makerCommission": "0.001", "takerCommission": "0.001" });
            Answer::ok(&BINANCE.iter().map(fee).collect::<Vec<_>>())
        }
        _ => protocol::unmodelled(),
    }
}

fn coins(book: &Book) -> Answer {
    let coin = |asset: &str, free: Decimal| {
        json!({
            "coin": asset, "name": asset, "free": fixed(free, PLACES), "locked": "0", "freeze": "0",
            "withdrawing": "0", "ipoing": "0", "ipoable": "0", "storage": "0",
            "depositAllEnable": true, "withdrawAllEnable": true, "trading": true, "isLegalMoney": false,
            "networkList": [{
                "network": "ETH", "coin": asset, "name": "Ethereum (ERC20)", "isDefault": true, "busy": false,
                "depositEnable": true, "withdrawEnable": true, "withdrawFee": "0.1", "withdrawMin": "1",
                "withdrawMax": "1000000", "withdrawIntegerMultiple": "0.00000001", "minConfirm": 6, "unLockConfirm": 64,
            }],
        })
    };
    Answer::ok(&free(book).map(|(asset, free)| coin(asset, free)).collect::<Vec<_>>())
}

fn assets(book: &Book) -> Answer {
    let asset = |(asset, free)| {
        json!({
            "asset": asset, "free": fixed(free, PLACES), "locked": "0", "freeze": "0", "withdrawing": "0",
            "ipoable": "0", "btcValuation": "0",
        })
    };
    Answer::ok(&free(book).map(asset).collect::<Vec<_>>())
}

fn free(book: &Book) -> impl Iterator<Item = (&'static str, Decimal)> {
    DEPOSITS.iter().map(|(asset, deposit)| {
        let change = book.balance_changes.get(asset).copied().unwrap_or_default();
        (*asset, Decimal::from(*deposit).saturating_add(change))
    })
}

/// `GET /api/v3/account`.
pub(super) fn show_account(book: &Book, caller: &Caller, call: &Call<'_>) -> Answer {
    let balance = |(asset, free)| json!({ "asset": asset, "free": fixed(free, PLACES), "locked": "0.00000000" });
    let balances: Vec<Value> = free(book).map(balance).collect();
    Answer::ok(&json!({
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
        "canTrade": caller.key.permissions.trade_spot, "canWithdraw": true, "canDeposit": true,
        "brokered": false, "requireSelfTradePrevention": false, "preventSor": false,
        "updateTime": call.received.at.ms(),
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": 354_937_868,
    }))
}
