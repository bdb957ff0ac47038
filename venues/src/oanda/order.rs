//! How OANDA's orders, cancels and closings read.

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Cancel, Order, OrderKind, ReadError, Reading, Side, decimal, expect, owned, text},
};

/// The caller's own name for an order.
pub(super) const CLIENT_ID: &str = "order.clientExtensions.id";

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        // A replacement states the whole order, so it is judged as one.
        Kind::Place | Kind::Amend => Ok(Reading::Orders(vec![order(params)?])),
        Kind::Cancel => Ok(Reading::Cancels(vec![cancel(params)?])),
        Kind::Close => Ok(Reading::Close { symbol: text(params, "instrument")?.to_owned(), quantity: None }),
        Kind::CancelAll | Kind::Setting => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// Units are negative for a sale. `price` is the limit of a limit order, and what triggers the others.
fn order(params: &Params) -> Result<Order, ReadError> {
    let units = decimal(params, "order.units")?.ok_or(ReadError::Missing { name: "order.units" })?;
    let kind = match text(params, "order.type")? {
        "MARKET" => OrderKind::Market,
        "LIMIT" => OrderKind::Limit,
        "STOP" => OrderKind::Stop,
        "MARKET_IF_TOUCHED" => OrderKind::TakeProfit,
        _ => return Err(ReadError::Unreadable { name: "order.type" }),
    };
    let price = expect(decimal(params, "order.price")?, kind.has_price() || kind.has_trigger(), "order.price")?;
    if kind == OrderKind::Limit && params.get("order.priceBound").is_some() {
        return Err(ReadError::Contradiction { name: "order.priceBound" });
    }
    Ok(Order {
        symbol: text(params, "order.instrument")?.to_owned(),
        side: if units.is_sign_negative() { Side::Sell } else { Side::Buy },
        kind,
        quantity: Some(units.abs()),
        quote_quantity: None,
        contracts: None,
        price: price.filter(|_| kind.has_price()),
        stop_price: price.filter(|_| kind.has_trigger()),
        reduce_only: params.get("order.positionFill") == Some("REDUCE_ONLY"),
        client_order_id: owned(params, CLIENT_ID),
        product: Product::Derivatives,
        leverage: None,
        dry_run: false,
    })
}

fn cancel(params: &Params) -> Result<Cancel, ReadError> {
    let named = text(params, "orderSpecifier")?;
    Ok(match named.strip_prefix('@') {
        Some(id) => Cancel { client_order_id: Some(id.to_owned()), ..Cancel::default() },
        None => Cancel { order_id: Some(named.to_owned()), ..Cancel::default() },
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = [("accountID", "101")].iter().chain(pairs).copied().collect();
        crate::read(&check(operation(VenueId::Oanda, name).unwrap(), &params).unwrap())
    }

    fn place(kind: &str, units: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("order.type", kind), ("order.instrument", "EUR_USD"), ("order.units", units)];
        let reading = read("order.place", &[common.as_slice(), pairs].concat())?;
        let [order] = reading.orders() else { panic!("{reading:?}") };
        Ok(order.clone())
    }

    #[test]
    fn the_sign_is_the_side() {
        let order = place("LIMIT", "-100", &[("order.price", "1.1"), (CLIENT_ID, "mine")]).unwrap();
        assert_eq!((order.side, order.quantity), (Side::Sell, Some(Decimal::from(100))));
        assert_eq!((order.price, order.stop_price), (Some(Decimal::new(11, 1)), None));
        assert_eq!(order.client_order_id.as_deref(), Some("mine"));
        assert_eq!(place("MARKET", "100", &[]).unwrap().side, Side::Buy);
    }

    #[test]
    fn the_price_is_limit_or_trigger() {
        let price = [("order.price", "1.1")];
        assert_eq!(place("STOP", "1", &price).unwrap().stop_price, Some(Decimal::new(11, 1)));
        assert_eq!(place("MARKET_IF_TOUCHED", "1", &price).unwrap().kind, OrderKind::TakeProfit);
        assert_eq!(place("LIMIT", "1", &[]), Err(ReadError::Missing { name: "order.price" }));
        assert_eq!(place("MARKET", "1", &price), Err(ReadError::Contradiction { name: "order.price" }));
        let bound = [price[0], ("order.priceBound", "1.2")];
        assert_eq!(place("LIMIT", "1", &bound), Err(ReadError::Contradiction { name: "order.priceBound" }));
        assert!(place("STOP", "1", &bound).is_ok());
        assert!(place("MARKET", "1", &[("order.positionFill", "REDUCE_ONLY")]).unwrap().reduce_only);
    }

    #[test]
    fn orders_are_named_either_way() {
        let named = |specifier| match read("order.cancel", &[("orderSpecifier", specifier)]) {
            Ok(Reading::Cancels(cancels)) => (cancels[0].order_id.clone(), cancels[0].client_order_id.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(named("17"), (Some("17".to_owned()), None));
        assert_eq!(named("@mine"), (None, Some("mine".to_owned())));
        let close = read("position.close", &[("instrument", "EUR_USD"), ("longUnits", "ALL")]);
        assert_eq!(close, Ok(Reading::Close { symbol: "EUR_USD".to_owned(), quantity: None }));
    }
}
