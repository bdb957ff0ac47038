//! USD-M's account, positions and settings. Settings are acknowledged and not kept.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{MONEY_PLACES, PRICE_PLACES, QUANTITY_PLACES};
use crate::book::{Book, Position};
use crate::market::{BINANCE, Symbol, fixed};
use crate::venue::binance_protocol as protocol;
use crate::venue::{Answer, Call};

const DEPOSIT_USDT: u32 = 1_000_000;
const LEVERAGE: u32 = 20;

/// Answers what is about no order and shows no money.
pub(super) fn settings(call: &Call<'_>) -> Result<Answer, Answer> {
    let params = &call.params;
    let done = || Answer::ok(&json!({ "code": 200, "msg": "success" }));
    Ok(match call.endpoint() {
        ("POST", "/fapi/v1/leverage") => {
            let symbol = protocol::symbol(params)?;
            let leverage = params.get("leverage").and_then(|text| text.parse::<u8>().ok());
            let leverage = leverage.ok_or_else(|| protocol::missing("leverage"))?;
            Answer::ok(&json!({ "symbol": symbol.name, "leverage": leverage, "maxNotionalValue": "1000000" }))
        }
        ("POST", "/fapi/v1/marginType") => {
            protocol::symbol(params)?;
            match params.get("marginType") {
                Some("ISOLATED") => done(),
                Some("CROSSED") => return Err(protocol::bad_request(-4046, "No need to change margin type.")),
                _ => return Err(protocol::missing("marginType")),
            }
        }
        ("POST", "/fapi/v1/positionMargin") => {
            let amount = protocol::positive(params, "amount")?.ok_or_else(|| protocol::missing("amount"))?;
            Answer::ok(
                &json!({ "amount": amount.to_string(), "code": 200, "msg": "Successfully modify position margin.", "type": 1 }),
            )
        }
        ("POST", "/fapi/v1/positionSide/dual" | "/fapi/v1/multiAssetsMargin") => done(),
        ("GET", "/fapi/v1/positionSide/dual") => Answer::ok(&json!({ "dualSidePosition": false })),
        ("GET", "/fapi/v1/multiAssetsMargin") => Answer::ok(&json!({ "multiAssetsMargin": false })),
        ("GET", "/fapi/v1/accountConfig") => Answer::ok(&json!({
            "feeTier": 0, "canTrade": true, "canDeposit": true, "canWithdraw": true, "dualSidePosition": false,
            "multiAssetsMargin": false, "tradeGroupId": -1, "updateTime": 0,
        })),
        ("GET", "/fapi/v1/symbolConfig") => protocol::as_list(protocol::one_or_all(call, |symbol| {
            json!({
                "symbol": symbol.name, "marginType": "CROSSED", "isAutoAddMargin": false, "leverage": LEVERAGE,
                "maxNotionalValue": "1000000",
            })
        })?),
        ("GET", "/fapi/v1/leverageBracket") => {
            let bracket = json!([{
                "bracket": 1, "initialLeverage": 125, "notionalCap": 1_000_000, "notionalFloor": 0,
                "maintMarginRatio": 0.004, "cum": 0.0,
            }]);
            protocol::as_list(protocol::one_or_all(
                call,
                |symbol| json!({ "symbol": symbol.name, "notionalCoef": 1.0, "brackets": bracket }),
            )?)
        }
        ("GET", "/fapi/v1/commissionRate") => {
            let symbol = protocol::symbol(params)?.name;
            Answer::ok(&json!({ "symbol": symbol, "makerCommissionRate": "0.0002", "takerCommissionRate": "0.0005" }))
        }
        ("GET", "/fapi/v1/adlQuantile") => protocol::as_list(protocol::one_or_all(
            call,
            |symbol| json!({ "symbol": symbol.name, "adlQuantile": { "BOTH": 0 } }),
        )?),
        ("GET", "/fapi/v1/apiTradingStatus") => {
            Answer::ok(&json!({ "indicators": {}, "updateTime": call.received.at.ms() }))
        }
        ("GET", "/fapi/v1/rateLimit/order") => Answer::ok(&json!([
            { "rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 300 },
            { "rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1_200 },
        ])),
        (
            "GET",
            "/fapi/v1/income" | "/fapi/v1/forceOrders" | "/fapi/v1/orderAmendment" | "/fapi/v1/positionMargin/history",
        ) => Answer::ok(&json!([])),
        ("POST", "/fapi/v1/listenKey") => {
            Answer::ok(&json!({ "listenKey": "simulatedListenKey0simulatedListenKey0simulatedListenKey0simula" }))
        }
        ("PUT" | "DELETE", "/fapi/v1/listenKey") => Answer::ok(&json!({})),
        _ => protocol::unmodelled(),
    })
}

/// `balance`.
pub(super) fn balance(call: &Call<'_>) -> Answer {
    let money = fixed(Decimal::from(DEPOSIT_USDT), MONEY_PLACES);
    Answer::ok(&json!([{
        "accountAlias": "SgsR", "asset": "USDT",
        "balance": money, "crossWalletBalance": money, "crossUnPnl": "0.00000000",
        "availableBalance": money, "maxWithdrawAmount": money,
        "marginAvailable": true, "updateTime": call.received.at.ms(),
    }]))
}

/// `account`.
pub(super) fn show_account(book: &Book, call: &Call<'_>) -> Answer {
    let money = fixed(Decimal::from(DEPOSIT_USDT), MONEY_PLACES);
    Answer::ok(&json!({
        "feeTier": 0, "canTrade": true, "canDeposit": true, "canWithdraw": true,
        "multiAssetsMargin": false, "updateTime": 0,
        "totalWalletBalance": money, "totalMarginBalance": money,
        "totalUnrealizedProfit": "0.00000000", "availableBalance": money, "maxWithdrawAmount": money,
        "assets": [{
            "asset": "USDT", "walletBalance": money, "marginBalance": money,
            "unrealizedProfit": "0.00000000", "availableBalance": money,
            "updateTime": call.received.at.ms(),
        }],
        "positions": positions(book, None, false, call),
    }))
}

/// Version 2 shows flat symbols too, version 3 only what is held.
pub(super) fn positions(book: &Book, only: Option<&Symbol>, flat_too: bool, call: &Call<'_>) -> Vec<Value> {
    BINANCE
        .iter()
        .filter(|symbol| only.is_none_or(|only| only.name == symbol.name))
        .filter_map(|symbol| match book.positions.get(symbol.name) {
            Some(held) => Some((symbol, *held)),
            None => flat_too.then(|| (symbol, Position::default())),
        })
        .map(|(symbol, held)| show_position(symbol, held, call))
        .collect()
}

fn show_position(symbol: &Symbol, held: Position, call: &Call<'_>) -> Value {
    let notional = held.amount.saturating_mul(symbol.price);
    let margin = notional.abs().checked_div(Decimal::from(LEVERAGE)).unwrap_or_default();
    json!({
        "symbol": symbol.name,
        "positionSide": "BOTH",
        "positionAmt": fixed(held.amount, QUANTITY_PLACES),
        "entryPrice": fixed(held.entry_price, PRICE_PLACES),
        "breakEvenPrice": fixed(held.entry_price, PRICE_PLACES),
        "markPrice": fixed(symbol.price, MONEY_PLACES),
        "unRealizedProfit": "0.00000000",
        "liquidationPrice": "0",
        "notional": fixed(notional, MONEY_PLACES),
        "initialMargin": fixed(margin, MONEY_PLACES),
        "leverage": LEVERAGE.to_string(),
        "marginType": "cross",
        "marginAsset": "USDT",
        "isolatedMargin": "0.00000000",
        "isolatedWallet": "0",
        "isAutoAddMargin": "false",
        "maxNotionalValue": "1000000",
        "adl": 0,
        "updateTime": call.received.at.ms(),
    })
}
