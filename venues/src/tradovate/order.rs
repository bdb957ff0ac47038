//! How Tradovate's orders, amendments, cancels and liquidations read.

use rust_decimal::Decimal;

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Amend, Cancel, Order, OrderKind, ReadError, Reading, Side, decimal, expect, owned, text},
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(orders(params)?)),
        Kind::Amend => Ok(Reading::Amends(vec![amend(params)?])),
        Kind::Cancel => Ok(Reading::Cancels(vec![Cancel { order_id: owned(params, "orderId"), ..Cancel::default() }])),
        // The working orders of the contract go, and what is held of it.
        Kind::Close => Ok(Reading::Close { symbol: text(params, "contractId")?.to_owned(), quantity: None }),
        Kind::CancelAll | Kind::Setting => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// What one order is made of, by the names that it has where it stands.
struct Names {
    action: &'static str,
    kind: &'static str,
    price: &'static str,
    stop_price: &'static str,
    client_order_id: &'static str,
}

const FIRST: Names =
    Names { action: "action", kind: "orderType", price: "price", stop_price: "stopPrice", client_order_id: "clOrdId" };
/// Orders that go along with the first one; contract and size are its own.
const OTHERS: [Names; 3] = [
    Names {
        action: "other.action",
        kind: "other.orderType",
        price: "other.price",
        stop_price: "other.stopPrice",
        client_order_id: "other.clOrdId",
    },
    Names {
        action: "bracket1.action",
        kind: "bracket1.orderType",
        price: "bracket1.price",
        stop_price: "bracket1.stopPrice",
        client_order_id: "bracket1.clOrdId",
    },
    Names {
        action: "bracket2.action",
        kind: "bracket2.orderType",
        price: "bracket2.price",
        stop_price: "bracket2.stopPrice",
        client_order_id: "bracket2.clOrdId",
    },
];

fn orders(params: &Params) -> Result<Vec<Order>, ReadError> {
    let mut orders = vec![order(params, &FIRST)?];
    for other in &OTHERS {
        let named = |name| params.get(name).is_some();
        let mut all = [other.action, other.kind, other.price, other.stop_price].into_iter();
        if all.any(named) {
            orders.push(order(params, other)?);
        }
    }
    Ok(orders)
}

fn order(params: &Params, names: &Names) -> Result<Order, ReadError> {
    let (kind, price, stop_price) = prices(params, names)?;
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side: match text(params, names.action)? {
            "Buy" => Side::Buy,
            "Sell" => Side::Sell,
            _ => return Err(ReadError::Unreadable { name: names.action }),
        },
        kind,
        quantity: None,
        quote_quantity: None,
        contracts: decimal(params, "orderQty")?,
        price,
        stop_price,
        reduce_only: false,
        client_order_id: owned(params, names.client_order_id),
        product: Product::Derivatives,
        leverage: None,
        dry_run: false,
    })
}

type Prices = (OrderKind, Option<Decimal>, Option<Decimal>);

fn prices(params: &Params, names: &Names) -> Result<Prices, ReadError> {
    let kind = match text(params, names.kind)? {
        "Market" => OrderKind::Market,
        "Limit" => OrderKind::Limit,
        "Stop" => OrderKind::Stop,
        "StopLimit" => OrderKind::StopLimit,
        _ => return Err(ReadError::Unreadable { name: names.kind }),
    };
    let price = expect(decimal(params, names.price)?, kind.has_price(), names.price)?;
    let stop_price = expect(decimal(params, names.stop_price)?, kind.has_trigger(), names.stop_price)?;
    Ok((kind, price, stop_price))
}

/// An amendment states type, size and prices in full; its type shows in which prices there are.
fn amend(params: &Params) -> Result<Amend, ReadError> {
    let (_, price, stop_price) = prices(params, &FIRST)?;
    Ok(Amend {
        product: Some(Product::Derivatives),
        order_id: owned(params, "orderId"),
        client_order_id: owned(params, "clOrdId"),
        quantity: decimal(params, "orderQty")?,
        price,
        stop_price,
        ..Amend::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(VenueId::Tradovate, name).unwrap(), &params).unwrap())
    }

    fn place(name: &str, kind: &str, pairs: &[(&str, &str)]) -> Result<Vec<Order>, ReadError> {
        let common =
            [("accountId", "1"), ("action", "Buy"), ("symbol", "MNQZ6"), ("orderQty", "2"), ("orderType", kind)];
        Ok(read(name, &[common.as_slice(), pairs].concat())?.orders().to_vec())
    }

    #[test]
    fn one_order() {
        let orders = place("order.place", "Limit", &[("price", "25000.25"), ("clOrdId", "mine")]).unwrap();
        assert_eq!((orders[0].side, orders[0].contracts), (Side::Buy, Some(Decimal::TWO)));
        assert_eq!(orders[0].price, Some(Decimal::new(2_500_025, 2)));
        assert_eq!(place("order.place", "Limit", &[]), Err(ReadError::Missing { name: "price" }));
        assert_eq!(place("order.place", "Market", &[("price", "1")]), Err(ReadError::Contradiction { name: "price" }));
        assert_eq!(place("order.place", "StopLimit", &[("price", "1")]), Err(ReadError::Missing { name: "stopPrice" }));
    }

    #[test]
    fn orders_that_go_together() {
        let other = [("price", "1"), ("other.action", "Sell"), ("other.orderType", "Stop"), ("other.stopPrice", "9")];
        let orders = place("orders.place_oco", "Limit", &other).unwrap();
        let sides: Vec<_> = orders.iter().map(|order| (order.side, order.kind, order.symbol.as_str())).collect();
        assert_eq!(sides, [(Side::Buy, OrderKind::Limit, "MNQZ6"), (Side::Sell, OrderKind::Stop, "MNQZ6")]);
        let half = [("bracket1.action", "Sell"), ("bracket1.orderType", "Market"), ("bracket2.price", "7")];
        let refused = place("orders.place_oso", "Market", &half);
        assert_eq!(refused, Err(ReadError::Missing { name: "bracket2.orderType" }));
        assert_eq!(place("orders.place_oso", "Market", &half[..2]).unwrap().len(), 2);
    }

    #[test]
    fn the_rest_reads() {
        let common = [("orderId", "7"), ("orderQty", "3"), ("orderType", "Stop")];
        assert_eq!(read("order.amend", &common), Err(ReadError::Missing { name: "stopPrice" }));
        let amend = read("order.amend", &[common.as_slice(), &[("stopPrice", "5")]].concat()).unwrap();
        let Reading::Amends(amends) = amend else { panic!("{amend:?}") };
        assert_eq!((amends[0].stop_price, amends[0].price), (Some(Decimal::from(5)), None));
        let close = read("position.close", &[("accountId", "1"), ("contractId", "3570919"), ("admin", "false")]);
        assert_eq!(close, Ok(Reading::Close { symbol: "3570919".to_owned(), quantity: None }));
    }
}
