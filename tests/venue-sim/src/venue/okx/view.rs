//! How OKX shows its market, and a key's orders, balances and positions. All numbers are texts.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::MARKET;
use crate::book::{Book, Order, Side, Status};
use crate::clock::Moment;
use crate::market::{self, Symbol};
use crate::venue::Call;

/// What every account starts with.
const DEPOSITS: [(&str, u32); 3] = [("USDT", 1_000_000), ("BTC", 10), ("ETH", 100)];

/// Whether it is a perpetual.
pub(super) fn is_swap(symbol: &Symbol) -> bool {
    symbol.name.ends_with("-SWAP")
}

/// The instruments of the query's `instType` and `instId`, or all.
pub(super) fn chosen(call: &Call<'_>) -> impl Iterator<Item = &'static Symbol> {
    let fits = |name: &str, value: &str| call.params.get(name).is_none_or(|wanted| wanted == value);
    MARKET.iter().filter(move |symbol| fits("instType", kind(symbol)) && fits("instId", symbol.name))
}

/// The list of instruments.
pub(super) fn instruments(call: &Call<'_>) -> impl Iterator<Item = Value> {
    chosen(call).map(|symbol| {
        let swap = is_swap(symbol);
        let in_contracts = |text: &'static str| if swap { text } else { "" };
        json!({
            "instType": kind(symbol), "instId": symbol.name, "state": "live",
            "uly": in_contracts("BTC-USDT"), "instFamily": in_contracts("BTC-USDT"),
            "baseCcy": if swap { "" } else { symbol.base }, "quoteCcy": if swap { "" } else { symbol.quote },
            "settleCcy": in_contracts("USDT"), "ctVal": in_contracts("0.01"), "ctMult": in_contracts("1"),
            "ctValCcy": in_contracts("BTC"), "ctType": in_contracts("linear"),
            "tickSz": "0.1", "lotSz": if swap { "0.01" } else { "0.00000001" },
            "minSz": if swap { "0.01" } else { "0.00001" }, "maxLmtSz": "100000", "maxMktSz": "100000",
            "lever": "100", "listTime": "1606468572000", "expTime": "", "optType": "", "stk": "",
        })
    })
}

/// A day on which nothing moved.
pub(super) fn ticker(symbol: &Symbol, now: Moment) -> Value {
    let price = symbol.price.to_string();
    json!({
        "instType": kind(symbol), "instId": symbol.name, "last": price, "lastSz": "1",
        "askPx": price, "askSz": "10", "bidPx": price, "bidSz": "10",
        "open24h": price, "high24h": price, "low24h": price, "sodUtc0": price, "sodUtc8": price,
        "vol24h": "1000", "volCcy24h": "1000", "ts": now.ms().to_string(),
    })
}

/// One bid and one offer, both at the price.
pub(super) fn order_book(symbol: &Symbol, now: Moment) -> Value {
    let level = [symbol.price.to_string(), "10".to_owned(), "0".to_owned(), "1".to_owned()];
    json!({ "asks": [level], "bids": [level], "ts": now.ms().to_string() })
}

/// The currencies, each on one chain.
pub(super) fn currencies() -> impl Iterator<Item = Value> {
    DEPOSITS.iter().map(|(currency, _)| {
        json!({
            "ccy": currency, "name": currency, "chain": format!("{currency}-Chain"), "mainNet": true,
            "canDep": true, "canWd": true, "canInternal": true, "minDep": "0.0001", "minWd": "0.001",
            "maxWd": "1000", "wdTickSz": "8", "fee": "0.0001", "minFee": "0.0001", "maxFee": "0.0001",
        })
    })
}

/// What the account owns.
pub(super) fn balance(book: &Book, now: Moment) -> Value {
    let now_ms = now.ms().to_string();
    let details = DEPOSITS.iter().map(|(currency, deposit)| {
        let change = book.balance_changes.get(currency).copied().unwrap_or_default();
        let amount = Decimal::from(*deposit).saturating_add(change).normalize().to_string();
        json!({
            "ccy": currency, "eq": amount, "cashBal": amount, "availEq": amount, "availBal": amount,
            "frozenBal": "0", "ordFrozen": "0", "upl": "0", "uTime": now_ms,
        })
    });
    json!({ "uTime": now_ms, "totalEq": "1000000", "details": details.collect::<Vec<_>>() })
}

/// What is held in perpetuals.
pub(super) fn positions(book: &Book, now: Moment) -> impl Iterator<Item = Value> {
    book.positions.iter().filter_map(move |(name, held)| {
        let symbol = market::find(MARKET, name)?;
        let now_ms = now.ms().to_string();
        Some(json!({
            "instType": kind(symbol), "instId": name, "posId": format!("id-{name}"), "posSide": "net",
            "mgnMode": "cross", "pos": held.amount.to_string(), "availPos": "", "ccy": symbol.quote,
            "avgPx": held.entry_price.to_string(), "markPx": symbol.price.to_string(), "last": symbol.price.to_string(),
            "lever": leverage(book, symbol), "liqPx": "", "imr": "0", "mmr": "0", "margin": "", "mgnRatio": "",
            "upl": "0", "uplRatio": "0", "notionalUsd": "", "adl": "1", "cTime": now_ms, "uTime": now_ms,
        }))
    })
}

/// The leverage of the instruments that `instId` names.
pub(super) fn leverages(book: &Book, call: &Call<'_>) -> Vec<Value> {
    let mode = call.params.get("mgnMode").unwrap_or("cross");
    chosen(call)
        .map(|symbol| {
            json!({ "instId": symbol.name, "mgnMode": mode, "posSide": "net", "lever": leverage(book, symbol) })
        })
        .collect()
}

/// The orders that the query's `instType`, `instId` and `ordType` choose, newest first.
pub(super) fn orders<'a>(orders: impl Iterator<Item = &'a Order>, call: &Call<'_>) -> Vec<Value> {
    let fits = |name: &str, value: &str| call.params.get(name).is_none_or(|wanted| wanted == value);
    let mut shown: Vec<Value> = orders
        .filter(|order| {
            let symbol = order.draft.symbol;
            fits("instType", kind(symbol)) && fits("instId", symbol.name) && fits("ordType", &order.draft.kind)
        })
        .map(order)
        .collect();
    shown.reverse();
    shown
}

/// An order.
pub(super) fn order(order: &Order) -> Value {
    let draft = &order.draft;
    let average = order.average_price();
    let filled_at = if order.executed.is_zero() { String::new() } else { order.updated.ms().to_string() };
    json!({
        "instType": kind(draft.symbol), "instId": draft.symbol.name,
        "ordId": order.id.to_string(), "clOrdId": order.chosen_client_order_id(), "tag": "",
        "side": match draft.side {
            Side::Buy => "buy",
            Side::Sell => "sell",
        },
        "posSide": "net", "tdMode": if is_swap(draft.symbol) { "cross" } else { "cash" },
        "ordType": draft.kind, "sz": draft.quantity.to_string(), "tgtCcy": "base_ccy",
        "px": draft.price.map(|price| price.to_string()).unwrap_or_default(),
        "state": match order.status {
            Status::New => "live",
            Status::Filled => "filled",
            Status::Canceled | Status::Expired => "canceled",
        },
        "accFillSz": order.executed.to_string(),
        "avgPx": if average.is_zero() { String::new() } else { average.to_string() },
        "fillTime": filled_at, "reduceOnly": draft.reduce_only.to_string(),
        "fee": "0", "feeCcy": draft.symbol.quote, "lever": "",
        "cTime": draft.received.ms().to_string(), "uTime": order.updated.ms().to_string(),
    })
}

fn leverage(book: &Book, symbol: &Symbol) -> String {
    book.leverage.get(symbol.name).copied().unwrap_or(Decimal::TEN).to_string()
}

fn kind(symbol: &Symbol) -> &'static str {
    if is_swap(symbol) { "SWAP" } else { "SPOT" }
}
