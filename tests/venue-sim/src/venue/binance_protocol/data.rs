//! Public data that both product families show alike.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{symbol, symbol_filter};
use crate::market::{self, Symbol, fixed};
use crate::venue::{Answer, Call};

/// Shows the `symbol` asked for as an object, or all as a list.
pub(in crate::venue) fn one_or_all(call: &Call<'_>, show: impl Fn(&Symbol) -> Value) -> Result<Answer, Answer> {
    let show = |symbol| show(&call.shown(symbol));
    Ok(match symbol_filter(&call.params)? {
        Some(symbol) => Answer::ok(&show(symbol)),
        None => Answer::ok(&market::BINANCE.iter().map(show).collect::<Vec<_>>()),
    })
}

/// One thing as a list of one, for endpoints that never show it alone.
pub(in crate::venue) fn as_list(answer: Answer) -> Answer {
    if answer.body.starts_with(b"[") {
        return answer;
    }
    let body = [b"[".as_slice(), &answer.body, b"]"].concat();
    Answer { body, ..answer }
}

/// The statistics of a day on which nothing moved.
pub(in crate::venue) fn ticker_24h(symbol: &Symbol, now_ms: u64, places: u32) -> Value {
    let price = fixed(symbol.price, places);
    let volume = Decimal::ONE_THOUSAND;
    json!({
        "symbol": symbol.name,
        "priceChange": fixed(Decimal::ZERO, places), "priceChangePercent": "0.000",
        "weightedAvgPrice": price, "lastPrice": price, "lastQty": "0.100",
        "openPrice": price, "highPrice": price, "lowPrice": price,
        "volume": fixed(volume, places),
        "quoteVolume": fixed(symbol.price.saturating_mul(volume), places),
        "openTime": now_ms.saturating_sub(86_400_000), "closeTime": now_ms,
        "firstId": 1, "lastId": 1000, "count": 1000,
    })
}

/// The best bid and offer, both at the price.
pub(in crate::venue) fn book_ticker(symbol: &Symbol, places: u32) -> Value {
    let price = fixed(symbol.price, places);
    json!({
        "symbol": symbol.name,
        "bidPrice": price, "bidQty": "10.000",
        "askPrice": price, "askQty": "10.000",
    })
}

/// `depth`: one price on either side.
pub(in crate::venue) fn depth(call: &Call<'_>, places: u32) -> Result<Answer, Answer> {
    let price = fixed(call.shown(symbol(&call.params)?).price, places);
    let now_ms = call.received.at.ms();
    Ok(Answer::ok(&json!({
        "lastUpdateId": call.received.seq, "E": now_ms, "T": now_ms, "bids": [[price, "10.000"]], "asks": [[price, "10.000"]],
    })))
}

/// `trades`: the one that made the price.
pub(in crate::venue) fn trades(call: &Call<'_>, places: u32) -> Result<Answer, Answer> {
    let price = fixed(call.shown(symbol(&call.params)?).price, places);
    Ok(Answer::ok(&json!([{
        "id": 1, "price": price, "qty": "1.000", "quoteQty": price, "time": call.received.at.ms(),
        "isBuyerMaker": false, "isBestMatch": true,
    }])))
}

/// `aggTrades`: the same one.
pub(in crate::venue) fn aggregated_trades(call: &Call<'_>, places: u32) -> Result<Answer, Answer> {
    let price = fixed(call.shown(symbol(&call.params)?).price, places);
    let now_ms = call.received.at.ms();
    Ok(Answer::ok(&json!([{ "a": 1, "p": price, "q": "1.000", "f": 1, "l": 1, "T": now_ms, "m": false, "M": true }])))
}

/// `klines` and their kin: the last minute.
pub(in crate::venue) fn candles(call: &Call<'_>, places: u32) -> Result<Answer, Answer> {
    // Continuous and index candles name a pair instead.
    let name = call.params.get("symbol").or_else(|| call.params.get("pair")).unwrap_or_default();
    let symbol = market::find(market::BINANCE, name).ok_or_else(|| super::bad_request(-1121, "Invalid symbol."))?;
    let price = fixed(call.shown(symbol).price, places);
    let end_ms = call.received.at.ms();
    let start_ms = end_ms.saturating_sub(60_000);
    Ok(Answer::ok(&json!([[start_ms, price, price, price, price, "1.000", end_ms, price, 1, "0.500", price, "0"]])))
}
