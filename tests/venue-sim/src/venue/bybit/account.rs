//! Bybit's wallet, positions and settings.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::view::{number, side_word};
use super::{Category, Listed, Mistake, Page, market, ok};
use crate::book::{Book, Position, Side};
use crate::clock::Moment;
use crate::market::Symbol;
use crate::venue::{Answer, Call, Caller};

const LEVERAGE: Decimal = Decimal::TEN;
const LEVERAGE_MAX: Decimal = Decimal::ONE_HUNDRED;

/// What every account starts with.
const DEPOSITS: [(&str, u32); 4] = [("USDT", 1_000_000), ("BTC", 10), ("ETH", 100), ("SOL", 1_000)];

/// Unified trading account 2.0, cross margin.
pub(super) fn info() -> Value {
    json!({
        "marginMode": "REGULAR_MARGIN", "updatedTime": "1697078946000", "unifiedMarginStatus": 6,
        "dcpStatus": "OFF", "timeWindow": 10, "smpGroup": 0, "isMasterTrader": false, "spotHedgingStatus": "OFF",
    })
}

/// The balances, worth what the ticker says.
pub(super) fn wallet_balance(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    if call.params.get("accountType") != Some("UNIFIED") {
        return Err(Mistake::params("accountType only support UNIFIED."));
    }
    let wanted: Option<Vec<&str>> = call.params.get("coin").map(|coins| coins.split(',').collect());
    let coin: Vec<Coin> = caller.account.with_book(|book| {
        let shown = DEPOSITS.iter().filter(|(coin, _)| wanted.as_ref().is_none_or(|wanted| wanted.contains(coin)));
        shown.map(|(coin, deposit)| Coin::of(book, coin, *deposit)).collect()
    });
    let total = number(coin.iter().map(|coin| coin.worth).fold(Decimal::ZERO, Decimal::saturating_add));
    Ok(ok(call, Listed { list: vec![Wallet::of(coin, &total)] }))
}

/// What the account pays for trades.
pub(super) fn fee_rate(call: &Call<'_>) -> Result<Answer, Mistake> {
    let category = Category::of(&call.params)?;
    let wanted = call.params.get("symbol").map(|name| category.symbol(Some(name))).transpose()?;
    let rates: Vec<Value> = category
        .symbols()
        .iter()
        .filter(|symbol| wanted.is_none_or(|wanted| wanted.name == symbol.name))
        .map(|symbol| json!({ "symbol": symbol.name, "takerFeeRate": "0.001", "makerFeeRate": "0.001" }))
        .collect();
    Ok(ok(call, Listed { list: rates }))
}

/// The coins and the chains that they live on.
pub(super) fn coins(call: &Call<'_>) -> Value {
    let wanted = call.params.get("coin");
    let rows: Vec<Value> = DEPOSITS
        .iter()
        .filter(|(coin, _)| wanted.is_none_or(|wanted| wanted == *coin))
        .map(|(coin, _)| {
            json!({
                "name": coin, "coin": coin, "remainAmount": "10000000",
                "chains": [{
                    "chain": coin, "chainType": coin, "confirmation": "6", "withdrawFee": "0.0001",
                    "depositMin": "0.0001", "withdrawMin": "0.001", "minAccuracy": "8",
                    "chainDeposit": "1", "chainWithdraw": "1", "withdrawPercentageFee": "0", "contractAddress": "",
                }],
            })
        })
        .collect();
    json!({ "rows": rows })
}

/// The position of a symbol, flat or not, or all that are held.
pub(super) fn positions(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let params = &call.params;
    let category = Category::of(params)?;
    if category == Category::Spot {
        return Err(Mistake::params("Category is invalid"));
    }
    let wanted = params.get("symbol").map(|name| category.symbol(Some(name))).transpose()?;
    if wanted.is_none() && params.get("settleCoin").is_none() && params.get("baseCoin").is_none() {
        return Err(Mistake::params("symbol or settleCoin is required"));
    }
    let list: Vec<PositionView> = caller.account.with_book(|book| {
        let held = |symbol: &Symbol| book.positions.get(symbol.name).copied();
        category
            .symbols()
            .iter()
            .filter(|symbol| wanted.is_none_or(|wanted| wanted.name == symbol.name))
            .filter(|symbol| wanted.is_some() || held(symbol).is_some())
            .map(|symbol| PositionView::of(book, symbol, held(symbol).unwrap_or_default(), call.received.at))
            .collect()
    });
    Ok(ok(call, Page { list, next_page_cursor: String::new(), category: category.word() }))
}

/// Both sides must have the same leverage, for the account is not hedged.
pub(super) fn set_leverage(call: &Call<'_>, caller: &Caller) -> Result<Answer, Mistake> {
    let params = &call.params;
    let symbol = Category::of(params)?.symbol(params.get("symbol"))?;
    let leverage = |name: &str| params.get(name).and_then(|text| text.parse::<Decimal>().ok());
    let wanted = leverage("buyLeverage")
        .filter(|buy| Some(*buy) == leverage("sellLeverage") && (Decimal::ONE..=LEVERAGE_MAX).contains(buy))
        .ok_or_else(|| Mistake::params("leverage invalid"))?;
    let before = caller.account.with_book(|book| book.leverage.insert(symbol.name, wanted)).unwrap_or(LEVERAGE);
    if before == wanted {
        return Err(Mistake::new(110_043, "leverage not modified"));
    }
    Ok(ok(call, json!({})))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wallet {
    total_equity: String,
    #[serde(rename = "accountIMRate")]
    account_im_rate: &'static str,
    total_margin_balance: String,
    total_initial_margin: &'static str,
    account_type: &'static str,
    total_available_balance: String,
    #[serde(rename = "accountMMRate")]
    account_mm_rate: &'static str,
    #[serde(rename = "totalPerpUPL")]
    total_perp_upl: &'static str,
    total_wallet_balance: String,
    #[serde(rename = "accountLTV")]
    account_ltv: &'static str,
    total_maintenance_margin: &'static str,
    coin: Vec<Coin>,
}

impl Wallet {
    fn of(coin: Vec<Coin>, total: &str) -> Self {
        Self {
            total_equity: total.to_owned(),
            account_im_rate: "0",
            total_margin_balance: total.to_owned(),
            total_initial_margin: "0",
            account_type: "UNIFIED",
            total_available_balance: total.to_owned(),
            account_mm_rate: "0",
            total_perp_upl: "0",
            total_wallet_balance: total.to_owned(),
            account_ltv: "0",
            total_maintenance_margin: "0",
            coin,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the venue's")]
struct Coin {
    available_to_borrow: &'static str,
    bonus: &'static str,
    accrued_interest: &'static str,
    available_to_withdraw: &'static str,
    #[serde(rename = "totalOrderIM")]
    total_order_im: &'static str,
    equity: String,
    #[serde(rename = "totalPositionMM")]
    total_position_mm: &'static str,
    usd_value: String,
    spot_hedging_qty: &'static str,
    unrealised_pnl: &'static str,
    collateral_switch: bool,
    borrow_amount: &'static str,
    #[serde(rename = "totalPositionIM")]
    total_position_im: &'static str,
    wallet_balance: String,
    cum_realised_pnl: &'static str,
    locked: &'static str,
    margin_collateral: bool,
    coin: &'static str,
    #[serde(skip)]
    worth: Decimal,
}

impl Coin {
    fn of(book: &Book, coin: &'static str, deposit: u32) -> Self {
        let change = book.balance_changes.get(coin).copied().unwrap_or_default();
        let amount = Decimal::from(deposit).saturating_add(change);
        let price = market::SYMBOLS.iter().find(|symbol| symbol.base == coin).map_or(Decimal::ONE, |found| found.price);
        let worth = amount.saturating_mul(price);
        Self {
            available_to_borrow: "",
            bonus: "0",
            accrued_interest: "0",
            available_to_withdraw: "",
            total_order_im: "0",
            equity: number(amount),
            total_position_mm: "0",
            usd_value: number(worth),
            spot_hedging_qty: "0",
            unrealised_pnl: "0",
            collateral_switch: true,
            borrow_amount: "0",
            total_position_im: "0",
            wallet_balance: number(amount),
            cum_realised_pnl: "0",
            locked: "0",
            margin_collateral: true,
            coin,
            worth,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PositionView {
    position_idx: u8,
    risk_id: u8,
    risk_limit_value: &'static str,
    symbol: &'static str,
    side: &'static str,
    size: String,
    avg_price: String,
    position_value: String,
    trade_mode: u8,
    auto_add_margin: u8,
    position_status: &'static str,
    leverage: String,
    mark_price: String,
    liq_price: &'static str,
    bust_price: &'static str,
    #[serde(rename = "positionIM")]
    position_im: String,
    #[serde(rename = "positionMM")]
    position_mm: &'static str,
    position_balance: &'static str,
    take_profit: &'static str,
    stop_loss: &'static str,
    trailing_stop: &'static str,
    unrealised_pnl: &'static str,
    cur_realised_pnl: &'static str,
    cum_realised_pnl: &'static str,
    adl_rank_indicator: u8,
    created_time: String,
    updated_time: String,
    seq: u64,
    is_reduce_only: bool,
}

impl PositionView {
    fn of(book: &Book, symbol: &Symbol, held: Position, now: Moment) -> Self {
        let side = if held.amount.is_sign_negative() { Side::Sell } else { Side::Buy };
        let value = held.amount.abs().saturating_mul(held.entry_price);
        let leverage = book.leverage.get(symbol.name).copied().unwrap_or(LEVERAGE);
        Self {
            position_idx: 0,
            risk_id: 1,
            risk_limit_value: "2000000",
            symbol: symbol.name,
            side: if held.amount.is_zero() { "" } else { side_word(side) },
            size: number(held.amount.abs()),
            avg_price: number(held.entry_price),
            position_value: if value.is_zero() { String::new() } else { number(value) },
            trade_mode: 0,
            auto_add_margin: 0,
            position_status: "Normal",
            leverage: number(leverage),
            mark_price: number(symbol.price),
            liq_price: "",
            bust_price: "",
            position_im: number(value.checked_div(leverage).unwrap_or_default()),
            position_mm: "0",
            position_balance: "0",
            take_profit: "",
            stop_loss: "",
            trailing_stop: "0",
            unrealised_pnl: "0",
            cur_realised_pnl: "0",
            cum_realised_pnl: "0",
            adl_rank_indicator: 0,
            created_time: now.ms().to_string(),
            updated_time: now.ms().to_string(),
            seq: 1,
            is_reduce_only: false,
        }
    }
}
