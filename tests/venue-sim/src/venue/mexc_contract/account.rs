//! MEXC's futures wallet, positions and leverage.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::market::{CONTRACTS, Contract, find};
use super::{Mistake, ok};
use crate::book::{Book, Position};
use crate::clock::Moment;
use crate::market::number;
use crate::venue::{Answer, Call, Caller};

const DEPOSIT_USDT: u32 = 1_000_000;
const LEVERAGE: Decimal = Decimal::from_parts(20, 0, 0, false, 0);
const LEVERAGE_MAX: Decimal = Decimal::from_parts(200, 0, 0, false, 0);

/// Every wallet; there is one.
pub(super) fn assets(caller: &Caller) -> Vec<Value> {
    vec![caller.account.with_book(|book| usdt(book))]
}

/// The wallet of a currency.
pub(super) fn asset(caller: &Caller, currency: &str) -> Result<Answer, Mistake> {
    match currency {
        "USDT" => Ok(ok(caller.account.with_book(|book| usdt(book)))),
        _ => Err(Mistake::parameter()),
    }
}

/// What is held, of one symbol or all.
pub(super) fn positions(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let wanted = call.params.get("symbol").map(find).transpose()?;
    Ok(caller.account.with_book(|book| {
        let asked_for = |contract: &&Contract| wanted.is_none_or(|wanted| wanted.symbol.name == contract.symbol.name);
        let held: Vec<Value> = CONTRACTS
            .iter()
            .filter(asked_for)
            .filter_map(|contract| {
                let position = book.positions.get(contract.symbol.name)?;
                Some(show(book, contract, *position, call.received.at))
            })
            .collect();
        ok(held)
    }))
}

/// The leverage of a symbol, for long and for short.
pub(super) fn leverage(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let contract = find(call.params.get("symbol").ok_or_else(Mistake::parameter)?)?;
    let leverage = caller.account.with_book(|book| leverage_of(book, contract));
    let shown = [1, 2].map(
        |kind| json!({ "positionType": kind, "level": 1, "imr": 0.005, "mmr": 0.004, "leverage": number(leverage) }),
    );
    Ok(ok(shown))
}

/// Sets the leverage of a symbol, or of the symbol of a position.
pub(super) fn change_leverage(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let params = &call.params;
    let by_position =
        || params.get("positionId").and_then(|id| CONTRACTS.iter().find(|known| position_id(known) == id));
    let contract = match params.get("symbol") {
        Some(name) => find(name)?,
        None => by_position().ok_or_else(|| Mistake::new(2009, "Position is not exists or closed."))?,
    };
    let wanted = params.get("leverage").and_then(|text| text.parse().ok());
    let wanted = wanted.filter(|leverage| (Decimal::ONE..=LEVERAGE_MAX).contains(leverage));
    let wanted = wanted.ok_or_else(|| Mistake::new(2006, "Leverage ratio error"))?;
    caller.account.with_book(|book| book.leverage.insert(contract.symbol.name, wanted));
    Ok(ok(json!({ "symbol": contract.symbol.name, "leverage": number(wanted) })))
}

/// What is in force for a symbol.
pub(super) fn leverage_of(book: &Book, contract: &Contract) -> Decimal {
    book.leverage.get(contract.symbol.name).copied().unwrap_or(LEVERAGE)
}

fn usdt(book: &Book) -> Value {
    let margins = CONTRACTS
        .iter()
        .filter_map(|contract| Some(margin(book, contract, *book.positions.get(contract.symbol.name)?)));
    let bound = margins.fold(Decimal::ZERO, Decimal::saturating_add);
    let all = Decimal::from(DEPOSIT_USDT);
    json!({
        "currency": "USDT", "positionMargin": number(bound), "frozenBalance": 0,
        "availableBalance": number(all.saturating_sub(bound)), "cashBalance": number(all.saturating_sub(bound)),
        "equity": number(all), "unrealized": 0, "bonus": 0,
    })
}

fn margin(book: &Book, contract: &Contract, held: Position) -> Decimal {
    let worth = held.amount.abs().saturating_mul(contract.size).saturating_mul(held.entry_price);
    worth.checked_div(leverage_of(book, contract)).unwrap_or_default()
}

fn position_id(contract: &Contract) -> String {
    CONTRACTS
        .iter()
        .position(|known| known.symbol.name == contract.symbol.name)
        .map_or(0, |at| at.saturating_add(1))
        .to_string()
}

fn show(book: &Book, contract: &Contract, held: Position, now: Moment) -> Value {
    let (price, margin) = (number(held.entry_price), number(margin(book, contract, held)));
    json!({
        "positionId": position_id(contract).parse::<u64>().unwrap_or_default(), "symbol": contract.symbol.name,
        "positionType": if held.amount.is_sign_negative() { 2 } else { 1 }, "openType": 2, "state": 1,
        "holdVol": number(held.amount.abs()), "frozenVol": 0, "closeVol": 0,
        "holdAvgPrice": price, "openAvgPrice": price, "closeAvgPrice": 0, "liquidatePrice": 0,
        "oim": margin, "im": margin, "holdFee": 0, "realised": 0,
        "leverage": number(leverage_of(book, contract)), "createTime": now.ms(), "updateTime": now.ms(), "autoAddIm": false,
    })
}
