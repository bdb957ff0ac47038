//! How TopstepX's orders, amendments, cancels and closings read.

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Amend, Cancel, Order, OrderKind, ReadError, Reading, Side, decimal, expect, owned, text},
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(vec![order(params)?])),
        Kind::Amend => Ok(Reading::Amends(vec![Amend {
            product: Some(Product::Derivatives),
            order_id: owned(params, "orderId"),
            quantity: decimal(params, "size")?,
            price: decimal(params, "limitPrice")?,
            stop_price: decimal(params, "stopPrice")?,
            ..Amend::default()
        }])),
        Kind::Cancel => Ok(Reading::Cancels(vec![Cancel { order_id: owned(params, "orderId"), ..Cancel::default() }])),
        Kind::Close => {
            Ok(Reading::Close { symbol: text(params, "contractId")?.to_owned(), quantity: decimal(params, "size")? })
        }
        Kind::CancelAll | Kind::Setting => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

fn order(params: &Params) -> Result<Order, ReadError> {
    let kind = match text(params, "type")? {
        "1" => OrderKind::Limit,
        "2" => OrderKind::Market,
        "3" => OrderKind::StopLimit,
        "4" => OrderKind::Stop,
        _ => return Err(ReadError::Unreadable { name: "type" }),
    };
    Ok(Order {
        symbol: text(params, "contractId")?.to_owned(),
        side: match text(params, "side")? {
            "0" => Side::Buy,
            "1" => Side::Sell,
            _ => return Err(ReadError::Unreadable { name: "side" }),
        },
        kind,
        quantity: None,
        quote_quantity: None,
        contracts: decimal(params, "size")?,
        price: expect(decimal(params, "limitPrice")?, kind.has_price(), "limitPrice")?,
        stop_price: expect(decimal(params, "stopPrice")?, kind.has_trigger(), "stopPrice")?,
        reduce_only: false,
        client_order_id: owned(params, "customTag"),
        product: Product::Derivatives,
        leverage: None,
        dry_run: false,
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = [("accountId", "465")].iter().chain(pairs).copied().collect();
        crate::read(&check(operation(VenueId::Topstepx, name).unwrap(), &params).unwrap())
    }

    fn place(kind: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("contractId", "CON.F.US.MNQ.H25"), ("type", kind), ("side", "1"), ("size", "2")];
        let reading = read("order.place", &[common.as_slice(), pairs].concat())?;
        let [order] = reading.orders() else { panic!("{reading:?}") };
        Ok(order.clone())
    }

    #[test]
    fn numbers_stand_for_types_and_sides() {
        let order = place("2", &[("customTag", "mine")]).unwrap();
        assert_eq!((order.kind, order.side), (OrderKind::Market, Side::Sell));
        assert_eq!((order.contracts, order.quantity, order.notional()), (Some(Decimal::TWO), None, None));
        assert_eq!(order.client_order_id.as_deref(), Some("mine"));
        let (limit, stop) = (("limitPrice", "10.25"), ("stopPrice", "11"));
        assert_eq!(place("1", &[limit]).unwrap().price, Some(Decimal::new(1025, 2)));
        assert_eq!(place("4", &[stop]).unwrap().stop_price, Some(Decimal::from(11)));
        assert_eq!(place("3", &[limit, stop]).unwrap().kind, OrderKind::StopLimit);
        assert_eq!(place("1", &[]), Err(ReadError::Missing { name: "limitPrice" }));
        assert_eq!(place("2", &[limit]), Err(ReadError::Contradiction { name: "limitPrice" }));
        assert_eq!(place("1", &[limit, stop]), Err(ReadError::Contradiction { name: "stopPrice" }));
    }

    #[test]
    fn the_rest_reads() {
        let amend = read("order.amend", &[("orderId", "7"), ("size", "3")]).unwrap();
        let Reading::Amends(amends) = amend else { panic!("{amend:?}") };
        assert_eq!((amends[0].order_id.as_deref(), amends[0].quantity), (Some("7"), Some(Decimal::from(3))));
        let contract = ("contractId", "CON.F.US.MNQ.H25");
        let closes = |quantity| Ok(Reading::Close { symbol: contract.1.to_owned(), quantity });
        assert_eq!(read("position.close", &[contract]), closes(None));
        assert_eq!(read("position.reduce", &[contract, ("size", "1")]), closes(Some(Decimal::ONE)));
    }
}
