//! Kraken's public methods, on a market that never moves.

use serde_json::{Map, Value, json};

use super::{error, result, unmodelled, view};
use crate::market::{self, KRAKEN, Symbol, fixed};
use crate::venue::{Answer, Call};

/// What the pairs are made of: name, other name, decimals.
const ASSETS: [(&str, &str, u32); 5] =
    [("ZUSD", "USD", 4), ("XXBT", "XBT", 10), ("XETH", "ETH", 10), ("SOL", "SOL", 10), ("USDT", "USDT", 8)];

/// Answers a public method.
pub(super) fn answer(call: &Call<'_>) -> Result<Answer, Answer> {
    let now = call.received.at;
    let s = now.secs();
    Ok(match call.path {
        "/0/public/Time" => result(&json!({ "unixtime": s, "rfc1123": "" })),
        "/0/public/SystemStatus" => result(&json!({ "status": "online", "timestamp": now.rfc3339() })),
        "/0/public/Assets" => result(&assets()),
        "/0/public/AssetPairs" => result(&by_pair(call, asset_pair)?),
        "/0/public/Ticker" => result(&by_pair(call, ticker)?),
        "/0/public/Depth" => result(&by_pair(call, |pair| {
            let price = fixed(pair.price, 5);
            json!({ "asks": [[price, "10.000", s]], "bids": [[price, "10.000", s]] })
        })?),
        "/0/public/Trades" => {
            let trades = by_pair(call, |pair| json!([[fixed(pair.price, 5), "0.10000000", s, "b", "l", "", 1]]))?;
            result(&with_last(trades, json!(now.ns().to_string())))
        }
        "/0/public/Spread" => {
            let spread = by_pair(call, |pair| json!([[s, fixed(pair.price, 5), fixed(pair.price, 5)]]))?;
            result(&with_last(spread, json!(s)))
        }
        "/0/public/OHLC" => {
            let candles = by_pair(call, |pair| {
                let price = fixed(pair.price, 1);
                json!([[s, price, price, price, price, price, "1.00000000", 1]])
            })?;
            result(&with_last(candles, json!(s)))
        }
        _ => unmodelled(),
    })
}

/// The pair that goes by a name.
pub(super) fn pair(name: &str) -> Result<&'static Symbol, Answer> {
    market::find(KRAKEN, name).ok_or_else(|| error("EQuery:Unknown asset pair"))
}

/// What `show` says of the pairs of a comma-separated `pair`, or of all.
fn by_pair(call: &Call<'_>, show: impl Fn(&Symbol) -> Value) -> Result<Value, Answer> {
    let pairs: Vec<&Symbol> = match call.params.get("pair") {
        None => KRAKEN.iter().collect(),
        Some(names) => names.split(',').map(pair).collect::<Result<_, _>>()?,
    };
    let shown: Map<String, Value> =
        pairs.into_iter().map(|pair| (view::wire_name(pair).to_owned(), show(&call.shown(pair)))).collect();
    Ok(Value::Object(shown))
}

fn with_last(mut shown: Value, last: Value) -> Value {
    if let Value::Object(members) = &mut shown {
        members.insert("last".to_owned(), last);
    }
    shown
}

fn assets() -> Value {
    let assets = ASSETS.iter().map(|(name, altname, decimals)| {
        let asset = json!({
            "aclass": "currency", "altname": altname, "decimals": decimals, "display_decimals": 5, "status": "enabled",
        });
        ((*name).to_owned(), asset)
    });
    Value::Object(assets.collect())
}

fn ticker(pair: &Symbol) -> Value {
    let price = fixed(pair.price, 5);
    json!({
        "a": [price, "1", "1.000"], "b": [price, "1", "1.000"], "c": [price, "0.10000000"],
        "v": ["1000.0", "1000.0"], "p": [price, price], "t": [1000, 1000],
        "l": [price, price], "h": [price, price], "o": price,
    })
}

fn asset_pair(pair: &Symbol) -> Value {
    json!({
        "altname": pair.name, "wsname": pair.aliases.iter().find(|alias| alias.contains('/')),
        "aclass_base": "currency", "base": pair.base, "aclass_quote": "currency", "quote": pair.quote,
        "lot": "unit", "pair_decimals": 1, "lot_decimals": 8, "cost_decimals": 5, "lot_multiplier": 1,
        "leverage_buy": [2, 3], "leverage_sell": [2, 3],
        "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "fee_volume_currency": "ZUSD",
        "margin_call": 80, "margin_stop": 40,
        "ordermin": "0.00005", "costmin": "0.5", "tick_size": "0.1", "status": "online",
    })
}
