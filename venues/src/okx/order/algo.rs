//! Orders that wait for a trigger.

use rust_decimal::Decimal;

use super::{amended, common, named};
use crate::{
    params::Params,
    reading::{Amend, Order, OrderKind, ReadError, decimal, owned, text},
};

/// What happens once a price is reached: the parameters of the trigger and of the price then asked for.
struct Trigger {
    at: &'static str,
    price: &'static str,
    takes_profit: bool,
}

/// From which side the market comes is not said; it reads as a stop.
const PLAIN: Trigger = Trigger { at: "triggerPx", price: "orderPx", takes_profit: false };
const STOP: Trigger = Trigger { at: "slTriggerPx", price: "slOrdPx", takes_profit: false };
const TAKE: Trigger = Trigger { at: "tpTriggerPx", price: "tpOrdPx", takes_profit: true };

/// Reads one order, or two of which one cancels the other.
///
/// A conditional order has one side; of two, OKX drops one or not, as the account is.
pub(super) fn orders(params: &Params) -> Result<Vec<Order>, ReadError> {
    let given = |trigger: &Trigger| [trigger.at, trigger.price].iter().any(|name| params.get(name).is_some());
    let wanted: &[Trigger] = match text(params, "ordType")? {
        "trigger" => &[PLAIN],
        "oco" => &[STOP, TAKE],
        _ if given(&TAKE) => &[TAKE],
        _ => &[STOP],
    };
    let is_wanted = |trigger: &Trigger| wanted.iter().any(|wanted| wanted.at == trigger.at);
    if let Some(stray) = [PLAIN, STOP, TAKE].iter().find(|trigger| given(trigger) && !is_wanted(trigger)) {
        return Err(ReadError::Contradiction { name: stray.at });
    }
    wanted.iter().map(|trigger| order(params, trigger)).collect()
}

fn order(params: &Params, trigger: &Trigger) -> Result<Order, ReadError> {
    let price = limit(params, trigger.price)?;
    let kind = match (trigger.takes_profit, price) {
        (false, None) => OrderKind::Stop,
        (false, Some(_)) => OrderKind::StopLimit,
        (true, None) => OrderKind::TakeProfit,
        (true, Some(_)) => OrderKind::TakeProfitLimit,
    };
    let order = common(params, price.is_some())?;
    if order.quote_quantity.is_some() && text(params, "ordType")? != "conditional" {
        // Whether these count a market buy by value or in the base OKX does not document.
        return Err(ReadError::Unreadable { name: "sz" });
    }
    let stop_price = decimal(params, trigger.at)?.ok_or(ReadError::Missing { name: trigger.at })?;
    Ok(Order { kind, price, stop_price: Some(stop_price), client_order_id: owned(params, "algoClOrdId"), ..order })
}

/// Reads the price asked for once triggered; `None` for the market's, which is written as -1.
fn limit(params: &Params, name: &'static str) -> Result<Option<Decimal>, ReadError> {
    match decimal(params, name)?.ok_or(ReadError::Missing { name })? {
        price if price == Decimal::NEGATIVE_ONE => Ok(None),
        price if price.is_sign_negative() => Err(ReadError::Unreadable { name }),
        price => Ok(Some(price)),
    }
}

/// Reads what changes of each trigger; a size alone is one change.
pub(super) fn amends(params: &Params) -> Result<Vec<Amend>, ReadError> {
    let (order_id, client_order_id) = named(params, "algoId", "algoClOrdId")?;
    let whole = Amend { order_id, client_order_id, quantity: decimal(params, "newSz")?, ..amended(params)? };
    let mut amends = Vec::new();
    for (at, price) in
        [("newTriggerPx", "newOrdPx"), ("newSlTriggerPx", "newSlOrdPx"), ("newTpTriggerPx", "newTpOrdPx")]
    {
        let (stop_price, price) = (decimal(params, at)?, decimal(params, price)?);
        if stop_price.is_some() || price.is_some() {
            amends.push(Amend { price, stop_price, ..whole.clone() });
        }
    }
    if amends.is_empty() {
        amends.push(whole);
    }
    Ok(amends)
}
