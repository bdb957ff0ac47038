//! How Binance's orders and cancels read.

mod lists;

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{
        Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, cancel_all, decimal, expect, flag, owned,
        text,
    },
};

/// Reads a trading call; `product` is what its market trades.
pub(super) fn read(call: &Call<'_>, product: Product) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(placed(call, product)?)),
        Kind::Amend => {
            Ok(Reading::Amends(changed(call).iter().map(|item| amend(item, product)).collect::<Result<_, _>>()?))
        }
        Kind::Cancel => Ok(Reading::Cancels(cancels(call))),
        Kind::CancelAll => Ok(cancel_all(params, "countdownTime")),
        Kind::Setting => {
            Ok(Reading::Setting(Setting { symbol: owned(params, "symbol"), leverage: decimal(params, "leverage")? }))
        }
        Kind::Close => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

fn placed(call: &Call<'_>, product: Product) -> Result<Vec<Order>, ReadError> {
    let params = call.params();
    match call.operation().name {
        "orders.place_batch" => call.items("batchOrders").iter().map(|item| order(item, product)).collect(),
        "order.place_algo" => Ok(vec![algo(params, product)?]),
        "order.replace" => {
            one_of(params, "cancelOrderId", "cancelOrigClientOrderId")?;
            Ok(vec![order(params, product)?])
        }
        "order.test" | "order.test_routed" => Ok(vec![Order { dry_run: true, ..order(params, product)? }]),
        name if name.starts_with("order_list.") => lists::read(name, params),
        _ => Ok(vec![order(params, product)?]),
    }
}

/// Demands one of two names for an order, and not both: which one Binance goes by is not to be guessed.
fn one_of(params: &Params, first: &'static str, second: &'static str) -> Result<(), ReadError> {
    match (params.get(first), params.get(second)) {
        (None, None) => Err(ReadError::Missing { name: first }),
        (Some(_), Some(_)) => Err(ReadError::Contradiction { name: second }),
        (Some(_), None) | (None, Some(_)) => Ok(()),
    }
}

/// The items of a batch, or the call itself.
fn changed(call: &Call<'_>) -> Vec<Params> {
    let items = call.items("batchOrders");
    if items.is_empty() { vec![call.params().clone()] } else { items }
}

fn amend(params: &Params, product: Product) -> Result<Amend, ReadError> {
    one_of(params, "orderId", "origClientOrderId")?;
    Ok(Amend {
        product: Some(product),
        symbol: owned(params, "symbol"),
        order_id: owned(params, "orderId"),
        client_order_id: owned(params, "origClientOrderId"),
        quantity: decimal(params, "newQty")?.or(decimal(params, "quantity")?),
        price: decimal(params, "price")?,
        stop_price: None,
    })
}

/// One cancel for each name, whatever the call calls the names.
fn cancels(call: &Call<'_>) -> Vec<Cancel> {
    let params = call.params();
    let symbol = || owned(params, "symbol");
    let first = |names: &[&str]| names.iter().find_map(|name| owned(params, name));
    let listed = |name: &str| call.items(name).into_iter().filter_map(|item| owned(&item, "")).collect::<Vec<_>>();
    let ids = listed("orderIdList").into_iter().map(|id| (Some(id), None));
    let names = listed("origClientOrderIdList").into_iter().map(|name| (None, Some(name)));
    let single = (
        first(&["orderId", "orderListId", "algoId"]),
        first(&["origClientOrderId", "listClientOrderId", "clientAlgoId"]),
    );
    let single = Some(single).filter(|(id, name)| id.is_some() || name.is_some());
    ids.chain(names)
        .chain(single)
        .map(|(order_id, client_order_id)| Cancel { symbol: symbol(), order_id, client_order_id })
        .collect()
}

/// A conditional futures order: its names for the kinds are not those of spot.
fn algo(params: &Params, product: Product) -> Result<Order, ReadError> {
    let side = side(params, "side")?;
    let kind = match text(params, "type")? {
        "STOP" => OrderKind::StopLimit,
        "STOP_MARKET" => OrderKind::Stop,
        "TAKE_PROFIT" => OrderKind::TakeProfitLimit,
        "TAKE_PROFIT_MARKET" => OrderKind::TakeProfit,
        _ => return Err(ReadError::Unreadable { name: "type" }),
    };
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side,
        kind,
        quantity: decimal(params, "quantity")?,
        quote_quantity: None,
        contracts: None,
        price: expect(decimal(params, "price")?, kind.has_price(), "price")?,
        stop_price: expect(decimal(params, "triggerPrice")?, true, "triggerPrice")?,
        reduce_only: reduces(params, side)?,
        client_order_id: owned(params, "clientAlgoId"),
        product,
        leverage: None,
        dry_run: false,
    })
}

fn order(params: &Params, product: Product) -> Result<Order, ReadError> {
    let side = side(params, "side")?;
    let kind = kind(params, "type")?;
    let quote_quantity = decimal(params, "quoteOrderQty")?;
    if quote_quantity.is_some() && kind != OrderKind::Market {
        return Err(ReadError::Contradiction { name: "quoteOrderQty" });
    }
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side,
        kind,
        quantity: decimal(params, "quantity")?,
        quote_quantity,
        contracts: None,
        price: expect(decimal(params, "price")?, kind.has_price(), "price")?,
        stop_price: expect(decimal(params, "stopPrice")?, kind.has_trigger(), "stopPrice")?,
        reduce_only: reduces(params, side)?,
        client_order_id: owned(params, "newClientOrderId"),
        product,
        leverage: None,
        dry_run: false,
    })
}

fn side(params: &Params, name: &'static str) -> Result<Side, ReadError> {
    match text(params, name)? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(ReadError::Unreadable { name }),
    }
}

fn kind(params: &Params, name: &'static str) -> Result<OrderKind, ReadError> {
    match text(params, name)? {
        "MARKET" => Ok(OrderKind::Market),
        // GTX is good till crossing: futures spell a maker-only order that way.
        "LIMIT" if params.get("timeInForce") == Some("GTX") => Ok(OrderKind::LimitMaker),
        "LIMIT" => Ok(OrderKind::Limit),
        "LIMIT_MAKER" => Ok(OrderKind::LimitMaker),
        "STOP_LOSS" => Ok(OrderKind::Stop),
        "STOP_LOSS_LIMIT" => Ok(OrderKind::StopLimit),
        "TAKE_PROFIT" => Ok(OrderKind::TakeProfit),
        "TAKE_PROFIT_LIMIT" => Ok(OrderKind::TakeProfitLimit),
        _ => Err(ReadError::Unreadable { name }),
    }
}

/// Whether the order can only make a position smaller.
///
/// In hedge mode a sell against `LONG` and a buy against `SHORT` close by definition, and `reduceOnly` is not accepted;
/// in one-way mode those sides are not accepted. An order that states both holds in neither.
fn reduces(params: &Params, side: Side) -> Result<bool, ReadError> {
    let reduce_only = flag(params, "reduceOnly");
    match (params.get("positionSide"), side) {
        (Some("LONG" | "SHORT"), _) if reduce_only => Err(ReadError::Contradiction { name: "reduceOnly" }),
        (Some("LONG"), Side::Sell) | (Some("SHORT"), Side::Buy) => Ok(true),
        _ => Ok(reduce_only),
    }
}

#[cfg(test)]
mod tests;
