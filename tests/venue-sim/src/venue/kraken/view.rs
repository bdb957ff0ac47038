//! How Kraken shows orders, balances and positions.

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::txid::txid;
use crate::book::{Book, Draft, Order, Side, Status};
use crate::clock::Moment;
use crate::market::{self, KRAKEN, Symbol, fixed};

const PLACES: u32 = 8;

/// What every account starts with.
const DEPOSITS: [(&str, u32); 4] = [("ZUSD", 1_000_000), ("XXBT", 10), ("XETH", 100), ("SOL", 1_000)];

/// The key under which answers carry a pair: its long name where it has one.
pub(super) fn wire_name(pair: &Symbol) -> &'static str {
    pair.aliases.first().copied().filter(|alias| !alias.contains('/')).unwrap_or(pair.name)
}

/// `buy 1.25000000 XBTUSD @ limit 37500`.
pub(super) fn describe(draft: &Draft) -> String {
    let (side, pair, kind) = (side_word(draft.side), draft.symbol.name, &draft.kind);
    let quantity = fixed(draft.quantity, PLACES);
    match draft.price {
        Some(price) => format!("{side} {quantity} {pair} @ {kind} {price}"),
        None => format!("{side} {quantity} {pair} @ {kind}"),
    }
}

/// Orders by transaction id.
pub(super) fn orders<'a>(orders: impl Iterator<Item = &'a Order>) -> Map<String, Value> {
    orders.map(|order| (txid(order.id), show(order))).collect()
}

/// The number that older clients name their orders by.
pub(super) fn user_reference(order: &Order) -> i64 {
    let params: Value = serde_json::from_str(&order.draft.params).unwrap_or_default();
    params.get("userref").and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Amounts by asset.
pub(super) fn balances(book: &Book) -> Value {
    let balances = DEPOSITS.iter().map(|(asset, deposit)| {
        let change = book.balance_changes.get(asset).copied().unwrap_or_default();
        let amount = Decimal::from(*deposit).saturating_add(change);
        ((*asset).to_owned(), Value::String(fixed(amount, 10)))
    });
    Value::Object(balances.collect())
}

/// Amounts by asset, with what open orders hold.
pub(super) fn balances_in_detail(book: &Book) -> Value {
    let held = |asset: &str| -> Decimal {
        let open = book.open().filter(|order| !order.draft.on_margin);
        open.filter_map(|order| holds(&order.draft)).filter(|(of, _)| *of == asset).map(|(_, amount)| amount).sum()
    };
    let Value::Object(balances) = balances(book) else { return Value::Null };
    let in_detail = balances.into_iter().map(|(asset, balance)| {
        let held = fixed(held(&asset), PLACES);
        (asset, json!({ "balance": balance, "hold_trade": held }))
    });
    Value::Object(in_detail.collect())
}

/// Executions by an id of their own; every order is executed at once or not at all.
pub(super) fn trades(book: &Book) -> Map<String, Value> {
    let executed = book.all().filter(|order| !order.executed.is_zero());
    executed.map(|order| (txid(!order.id).replacen('O', "T", 1), show_trade(order))).collect()
}

/// Positions, one for each pair.
pub(super) fn positions_by_market(book: &Book) -> Value {
    let Value::Object(positions) = positions(book) else { return Value::Null };
    positions.into_iter().map(|(_, position)| position).collect()
}

/// Positions by an id of their own.
pub(super) fn positions(book: &Book) -> Value {
    let positions = book.positions.iter().zip(1..).filter_map(|((name, held), number)| {
        let pair = market::find(KRAKEN, name)?;
        let volume = held.amount.abs();
        let side = if held.amount.is_sign_negative() { Side::Sell } else { Side::Buy };
        let cost = volume.saturating_mul(held.entry_price);
        let position = json!({
            "posstatus": "open", "pair": wire_name(pair), "type": side_word(side), "ordertype": "market",
            "vol": fixed(volume, PLACES), "vol_closed": fixed(Decimal::ZERO, PLACES),
            "cost": fixed(cost, 5), "fee": "0.00000", "margin": fixed(cost, 5),
            "value": fixed(cost, 5), "net": "+0.00000", "misc": "", "oflags": "",
        });
        Some((txid(number), position))
    });
    Value::Object(positions.collect())
}

/// What an open order takes out of use: the price when it buys, the amount when it sells.
fn holds(draft: &Draft) -> Option<(&'static str, Decimal)> {
    Some(match draft.side {
        Side::Buy => (draft.symbol.quote, draft.quantity.saturating_mul(draft.price?)),
        Side::Sell => (draft.symbol.base, draft.quantity),
    })
}

fn show_trade(order: &Order) -> Value {
    let draft = &order.draft;
    json!({
        "ordertxid": txid(order.id), "postxid": "", "pair": wire_name(draft.symbol), "time": seconds(order.updated),
        "type": side_word(draft.side), "ordertype": draft.kind, "price": fixed(order.average_price(), 5),
        "cost": fixed(order.executed_quote, 5), "fee": "0.00000", "vol": fixed(order.executed, PLACES),
        "margin": "0.00000", "leverage": "0", "misc": "", "maker": false, "trade_id": order.id,
    })
}

fn show(order: &Order) -> Value {
    let draft = &order.draft;
    let price = draft.price.unwrap_or_default().to_string();
    json!({
        "refid": null,
        "userref": user_reference(order),
        "cl_ord_id": order.client_order_id(),
        "status": match order.status {
            Status::New => "open",
            Status::Filled => "closed",
            Status::Canceled => "canceled",
            Status::Expired => "expired",
        },
        "opentm": seconds(draft.received),
        "closetm": if order.status == Status::New { json!(0) } else { seconds(order.updated) },
        "starttm": 0,
        "expiretm": 0,
        "descr": {
            "pair": draft.symbol.name, "type": side_word(draft.side), "ordertype": draft.kind,
            "price": price, "price2": "0", "leverage": if draft.on_margin { "2:1" } else { "none" },
            "order": describe(draft), "close": "",
        },
        "vol": fixed(draft.quantity, PLACES),
        "vol_exec": fixed(order.executed, PLACES),
        "cost": fixed(order.executed_quote, 5),
        "fee": "0.00000",
        "price": fixed(order.average_price(), 5),
        "stopprice": "0.00000",
        "limitprice": "0.00000",
        "reduce_only": draft.reduce_only,
        "misc": "",
        "oflags": "fciq",
    })
}

/// Seconds with the microseconds behind the point, as a number.
fn seconds(moment: Moment) -> Value {
    let text = format!("{}.{:06}", moment.secs(), moment.us() % 1_000_000);
    serde_json::from_str(&text).unwrap_or_default()
}

const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}
