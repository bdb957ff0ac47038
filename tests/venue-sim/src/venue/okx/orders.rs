//! What OKX does with orders, one by one and in lists.

use hyper::StatusCode;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::{MARKET, data, error, view};
use crate::book::{Book, Draft, Fate, Order, Rejected, Side};
use crate::market;
use crate::params::Params;
use crate::venue::{Answer, Call};

/// The order that an instruction made or changed, or the code and words of its refusal.
type Outcome = Result<(u64, String), (&'static str, String)>;

const BATCH_MAX: usize = 20;
const CLIENT_ID_LENGTH_MAX: usize = 32;
const NOT_CANCELABLE: &str = "Cancellation failed as the order has been filled, canceled or does not exist.";
const NOT_AMENDABLE: &str = "Order modification failed as the order does not exist.";

/// Follows the instruction in the body.
pub(super) fn single(call: &Call<'_>, book: &mut Book, act: fn(&Call<'_>, &mut Book) -> Outcome) -> Answer {
    let outcome = act(call, book);
    let all_failed = outcome.is_err();
    reply(if all_failed { "1" } else { "0" }, vec![status(call, outcome)])
}

/// Follows a list of instructions in its order; one that fails does not stop the others.
pub(super) fn batch(call: &Call<'_>, book: &mut Book, act: fn(&Call<'_>, &mut Book) -> Outcome) -> Answer {
    let Ok(instructions) = serde_json::from_slice::<Vec<Map<String, Value>>>(&call.received.body) else {
        return error(StatusCode::BAD_REQUEST, "50002", "Incorrect json data format.");
    };
    if instructions.is_empty() || instructions.len() > BATCH_MAX {
        return error(StatusCode::OK, "51000", "Parameter length error");
    }
    let mut failed = 0_usize;
    let count = instructions.len();
    let statuses = instructions.into_iter().map(|instruction| {
        let one = Call { params: Params::object(instruction), ..*call };
        let outcome = act(&one, book);
        failed = failed.saturating_add(usize::from(outcome.is_err()));
        status(&one, outcome)
    });
    let statuses = statuses.collect();
    reply(
        if failed == 0 {
            "0"
        } else if failed == count {
            "1"
        } else {
            "2"
        },
        statuses,
    )
}

/// Places an order.
pub(super) fn place(call: &Call<'_>, book: &mut Book) -> Outcome {
    match book.place(draft(call)?) {
        Ok(order) => Ok(name(order)),
        Err(Rejected::DuplicateClientOrderId) => Err(("51016", "Client order ID already exists".to_owned())),
        Err(Rejected::NothingToReduce) => {
            let msg = "Order failed because you don't have any positions in this direction to reduce or close.";
            Err(("51169", msg.to_owned()))
        }
    }
}

/// Changes an open order.
pub(super) fn amend(call: &Call<'_>, book: &mut Book) -> Outcome {
    let (quantity, price) = (positive(call, "newSz")?, positive(call, "newPx")?);
    let id = wanted(call, book).map(|order| order.id);
    let amended = id.and_then(|id| book.amend(id, price, quantity, call.received.at));
    amended.map(name).ok_or_else(|| ("51503", NOT_AMENDABLE.to_owned()))
}

/// Cancels an open order.
pub(super) fn cancel(call: &Call<'_>, book: &mut Book) -> Outcome {
    let id = wanted(call, book).map(|order| order.id);
    let canceled = id.and_then(|id| book.cancel(id, call.received.at));
    canceled.map(name).ok_or_else(|| ("51400", NOT_CANCELABLE.to_owned()))
}

/// The order of `instId` that `ordId` or `clOrdId` means.
pub(super) fn wanted<'a>(call: &Call<'_>, book: &'a Book) -> Option<&'a Order> {
    let params = &call.params;
    let order = match params.get("ordId") {
        Some(id) => book.by_id(id.parse().ok()?),
        None => book.by_client_id(params.get("clOrdId")?),
    };
    order.filter(|order| params.get("instId") == Some(order.draft.symbol.name))
}

/// Sets the leverage of an instrument.
pub(super) fn set_leverage(call: &Call<'_>, book: &mut Book) -> Answer {
    let params = &call.params;
    let Some(symbol) = params.get("instId").and_then(|name| market::find(MARKET, name)) else {
        return error(StatusCode::OK, "51001", "Instrument ID does not exist");
    };
    match positive(call, "lever") {
        Ok(Some(leverage)) => {
            book.leverage.insert(symbol.name, leverage);
            data(view::leverages(book, call))
        }
        Ok(None) | Err(_) => error(StatusCode::OK, "51000", "Parameter lever error"),
    }
}

fn reply(code: &str, statuses: Vec<Value>) -> Answer {
    let msg = if code == "0" { "" } else { "All operations failed" };
    Answer::ok(&json!({ "code": code, "msg": msg, "data": Value::Array(statuses) }))
}

fn status(call: &Call<'_>, outcome: Outcome) -> Value {
    let sent = |name: &str| call.params.get(name).unwrap_or_default().to_owned();
    let (id, client_id, code, msg) = match outcome {
        Ok((id, client_id)) => (id.to_string(), client_id, "0", String::new()),
        Err((code, msg)) => (sent("ordId"), sent("clOrdId"), code, msg),
    };
    let now_ms = call.received.at.ms().to_string();
    json!({ "ordId": id, "clOrdId": client_id, "tag": sent("tag"), "ts": now_ms, "sCode": code, "sMsg": msg })
}

fn name(order: &Order) -> (u64, String) {
    (order.id, order.chosen_client_order_id().to_owned())
}

fn draft(call: &Call<'_>) -> Result<Draft, (&'static str, String)> {
    let params = &call.params;
    let symbol = params.get("instId").and_then(|name| market::find(MARKET, name));
    let symbol = symbol.ok_or_else(|| ("51001", "Instrument ID does not exist".to_owned()))?;
    let derivative = view::is_swap(symbol);
    let modes: &[&str] = if derivative { &["cross", "isolated"] } else { &["cash", "cross", "isolated"] };
    params.get("tdMode").filter(|mode| modes.contains(mode)).ok_or_else(|| invalid("tdMode"))?;
    let side = match params.get("side") {
        Some("buy") => Side::Buy,
        Some("sell") => Side::Sell,
        _ => return Err(invalid("side")),
    };
    let kind = params.get("ordType").unwrap_or_default();
    let fate = match kind {
        "market" => Fate::Fill,
        "limit" | "post_only" => Fate::Rest,
        "ioc" | "fok" => Fate::Expire,
        _ => return Err(invalid("ordType")),
    };
    let price = positive(call, "px")?;
    if kind != "market" && price.is_none() {
        return Err(invalid("px"));
    }
    let legal = |id: &str| id.len() <= CLIENT_ID_LENGTH_MAX && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !params.get("clOrdId").is_none_or(legal) {
        return Err(invalid("clOrdId"));
    }
    let amount = positive(call, "sz")?.ok_or_else(|| invalid("sz"))?;
    // What a spot market order buys is counted in the quote currency unless it says otherwise.
    let in_quote = !derivative && kind == "market" && side == Side::Buy && params.get("tgtCcy") != Some("base_ccy");
    let quantity = if in_quote { amount.checked_div(symbol.price).unwrap_or_default().round_dp(8) } else { amount };
    Ok(Draft {
        symbol,
        side,
        kind: kind.to_owned(),
        time_in_force: String::new(),
        price,
        quantity,
        client_order_id: params.get("clOrdId").map(str::to_owned),
        reduce_only: params.flag("reduceOnly"),
        on_margin: derivative,
        fate,
        seq: call.received.seq,
        received: call.received.at,
        params: call.params_json(&[]),
    })
}

/// A decimal greater than zero, if it was sent.
fn positive(call: &Call<'_>, name: &str) -> Result<Option<Decimal>, (&'static str, String)> {
    let parse = |text: &str| text.parse().ok().filter(|value| *value > Decimal::ZERO);
    call.params.get(name).map(|text| parse(text).ok_or_else(|| invalid(name))).transpose()
}

fn invalid(name: &str) -> (&'static str, String) {
    ("51000", format!("Parameter {name} error"))
}
