//! How Bybit's trading calls read.

use rust_decimal::Decimal;

use super::prices::is_linear;
use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, decimal, expect, flag, owned, text},
};

/// The list of a batch.
const BATCH: &str = "request";

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    let category = call.get("category").unwrap_or_default();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(each(call, |params| order(params, category, is_test(call)))?)),
        Kind::Amend => Ok(Reading::Amends(each(call, |params| amend(params, category))?)),
        Kind::Cancel => Ok(Reading::Cancels(each(call, cancel)?)),
        Kind::CancelAll => Ok(Reading::CancelAll { symbol: owned(params, "symbol") }),
        Kind::Close => stops(params),
        Kind::Setting => setting(params),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// Reads each item of a batch, or else the one act of the call.
fn each<T>(call: &Call<'_>, read: impl Fn(&Params) -> Result<T, ReadError>) -> Result<Vec<T>, ReadError> {
    if call.operation().param(BATCH).is_some() {
        call.items(BATCH).iter().map(read).collect()
    } else {
        Ok(vec![read(call.params())?])
    }
}

fn is_test(call: &Call<'_>) -> bool {
    call.operation().name == "order.test"
}

fn order(params: &Params, category: &str, dry_run: bool) -> Result<Order, ReadError> {
    let side = side(params)?;
    let kind = kind(params, category, side)?;
    let (quantity, quote_quantity) = quantities(params, category, side)?;
    let reduce_only = flag(params, "reduceOnly");
    if category == "spot" && (reduce_only || flag(params, "closeOnTrigger")) {
        // Spot has no positions. What Bybit would make of it must not be taken for a closing order.
        return Err(ReadError::Contradiction { name: "reduceOnly" });
    }
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side,
        kind,
        quantity,
        quote_quantity,
        contracts: None,
        price: expect(decimal(params, "price")?, kind.has_price(), "price")?,
        stop_price: expect(decimal(params, "triggerPrice")?, kind.has_trigger(), "triggerPrice")?,
        reduce_only,
        client_order_id: owned(params, "orderLinkId"),
        product: product(params, category)?,
        leverage: None,
        dry_run,
    })
}

fn side(params: &Params) -> Result<Side, ReadError> {
    match text(params, "side")? {
        "Buy" => Ok(Side::Buy),
        "Sell" => Ok(Side::Sell),
        _ => Err(ReadError::Unreadable { name: "side" }),
    }
}

/// Spot borrows where the order says so, contracts are what the category says.
///
/// The category also says what a quantity counts, so a contract whose name says otherwise is refused.
fn product(params: &Params, category: &str) -> Result<Product, ReadError> {
    let borrows = params.get("isLeverage") == Some("1");
    match category {
        "inverse" if is_linear(text(params, "symbol")?) => Err(ReadError::Contradiction { name: "category" }),
        "spot" if borrows => Ok(Product::Margin),
        "spot" => Ok(Product::Spot),
        _ if borrows => Err(ReadError::Contradiction { name: "isLeverage" }),
        "linear" | "inverse" => Ok(Product::Derivatives),
        _ => Err(ReadError::Unreadable { name: "category" }),
    }
}

/// Reads the quantity, which counts the base except for contracts worth one dollar and for spot orders by value.
///
/// A market buy on spot is by value unless it says otherwise. A sale by value is refused: accounts of the older kind take
/// the same figure for the base.
fn quantities(params: &Params, category: &str, side: Side) -> Result<(Option<Decimal>, Option<Decimal>), ReadError> {
    let quantity = decimal(params, "qty")?;
    let unit = params.get("marketUnit");
    let is_market = params.get("orderType") == Some("Market");
    match (category, is_market, side, unit) {
        ("spot", true, Side::Buy, None | Some("quoteCoin")) | ("inverse", _, _, None) => Ok((None, quantity)),
        ("spot", true, Side::Buy, Some("baseCoin")) | ("spot", true, Side::Sell, None | Some("baseCoin")) => {
            Ok((quantity, None))
        }
        (_, _, _, None) => Ok((quantity, None)),
        (_, _, _, Some(_)) => Err(ReadError::Contradiction { name: "marketUnit" }),
    }
}

fn kind(params: &Params, category: &str, side: Side) -> Result<OrderKind, ReadError> {
    let is_limit = text(params, "orderType")? == "Limit";
    let makes = params.get("timeInForce") == Some("PostOnly");
    let favours = match trigger(params, category, side)? {
        None if makes && !is_limit => return Err(ReadError::Contradiction { name: "timeInForce" }),
        None if makes => return Ok(OrderKind::LimitMaker),
        None => return Ok(if is_limit { OrderKind::Limit } else { OrderKind::Market }),
        Some(favours) => favours,
    };
    Ok(match (favours, is_limit) {
        (false, false) => OrderKind::Stop,
        (false, true) => OrderKind::StopLimit,
        (true, false) => OrderKind::TakeProfit,
        (true, true) => OrderKind::TakeProfitLimit,
    })
}

/// Whether the order waits for a better price or a worse one; `None` if it waits for none.
///
/// Contracts state the direction. On spot Bybit takes it from where the market stands, so such an order reads as a stop.
fn trigger(params: &Params, category: &str, side: Side) -> Result<Option<bool>, ReadError> {
    let conditional = matches!(params.get("orderFilter"), Some("StopOrder" | "tpslOrder"));
    match (category, params.get("triggerDirection")) {
        ("spot", _) => {
            let waits = params.get("triggerPrice").is_some();
            if waits == conditional {
                Ok(waits.then_some(false))
            } else {
                Err(ReadError::Missing { name: "orderFilter" })
            }
        }
        (_, _) if conditional => Err(ReadError::Contradiction { name: "orderFilter" }),
        (_, None) => Ok(None),
        (_, Some("1")) => Ok(Some(side == Side::Sell)),
        (_, Some(_)) => Ok(Some(side == Side::Buy)),
    }
}

fn amend(params: &Params, category: &str) -> Result<Amend, ReadError> {
    let (order_id, client_order_id) = named(params)?;
    Ok(Amend {
        product: Some(product(params, category)?),
        symbol: owned(params, "symbol"),
        order_id,
        client_order_id,
        quantity: decimal(params, "qty")?,
        price: decimal(params, "price")?,
        stop_price: decimal(params, "triggerPrice")?,
    })
}

fn cancel(params: &Params) -> Result<Cancel, ReadError> {
    let (order_id, client_order_id) = named(params)?;
    Ok(Cancel { symbol: owned(params, "symbol"), order_id, client_order_id })
}

/// Reads which order is meant. Of two names Bybit would take the first, so items of a batch, too, have exactly one.
fn named(params: &Params) -> Result<(Option<String>, Option<String>), ReadError> {
    match (owned(params, "orderId"), owned(params, "orderLinkId")) {
        (None, None) => Err(ReadError::Missing { name: "orderId" }),
        (Some(_), Some(_)) => Err(ReadError::Contradiction { name: "orderLinkId" }),
        names => Ok(names),
    }
}

/// Reads the stops of a position, which close it at the market, now or later, and open nothing.
fn stops(params: &Params) -> Result<Reading, ReadError> {
    if params.get("takeProfit").is_none() && params.get("stopLoss").is_none() {
        return Err(ReadError::Missing { name: "stopLoss" });
    }
    let sizes = (decimal(params, "tpSize")?, decimal(params, "slSize")?);
    let quantity = match (text(params, "tpslMode")?, sizes) {
        ("Full", (None, None)) => None,
        ("Full", _) => return Err(ReadError::Contradiction { name: "tpslMode" }),
        (_, (Some(take), Some(stop))) if take != stop => return Err(ReadError::Contradiction { name: "slSize" }),
        (_, (None, None)) => return Err(ReadError::Missing { name: "slSize" }),
        (_, (take, stop)) => take.or(stop),
    };
    Ok(Reading::Close { symbol: text(params, "symbol")?.to_owned(), quantity })
}

/// Reads the leverage as the higher of both sides.
fn setting(params: &Params) -> Result<Reading, ReadError> {
    let (buy, sell) = (decimal(params, "buyLeverage")?, decimal(params, "sellLeverage")?);
    Ok(Reading::Setting(Setting { symbol: owned(params, "symbol"), leverage: buy.max(sell) }))
}

#[cfg(test)]
mod tests;
