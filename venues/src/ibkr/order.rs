//! How Interactive Brokers' orders, modifications and cancels read.

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, decimal, expect, owned, text},
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => {
            let dry_run = call.operation().name == "order.test";
            let orders = call.items("orders");
            let orders = orders.iter().map(|order| Ok(Order { dry_run, ..self::order(order, params)? }));
            Ok(Reading::Orders(orders.collect::<Result<_, ReadError>>()?))
        }
        // A modification states the whole order, so it is judged as one.
        Kind::Amend => Ok(Reading::Orders(vec![order(params, params)?])),
        Kind::Cancel => Ok(Reading::Cancels(vec![Cancel { order_id: owned(params, "orderId"), ..Cancel::default() }])),
        // The answer to a question about an order that was judged when it was sent; what the question is, only the
        // caller has seen.
        Kind::Setting => Ok(Reading::Setting(Setting::default())),
        Kind::Close | Kind::CancelAll => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// Reads one order of a call. `price` is the limit of the kinds that have one, and the trigger of a plain stop; a
/// stop with a limit has its trigger in `auxPrice`.
fn order(order: &Params, call: &Params) -> Result<Order, ReadError> {
    if order.get("acctId").is_some_and(|account| call.get("accountId") != Some(account)) {
        return Err(ReadError::Contradiction { name: "acctId" });
    }
    // The type may name the contract once more, before a colon; which of two IBKR would trade is not to be guessed.
    let named_twice = order.get("secType").and_then(|given| given.split_once(':'));
    if named_twice.is_some_and(|(conid, _)| order.get("conid") != Some(conid)) {
        return Err(ReadError::Contradiction { name: "secType" });
    }
    let kind = match text(order, "orderType")? {
        "MKT" => OrderKind::Market,
        "LMT" => OrderKind::Limit,
        "STP" => OrderKind::Stop,
        "STOP_LIMIT" => OrderKind::StopLimit,
        _ => return Err(ReadError::Unreadable { name: "orderType" }),
    };
    let price = expect(decimal(order, "price")?, kind != OrderKind::Market, "price")?;
    let auxiliary = expect(decimal(order, "auxPrice")?, kind == OrderKind::StopLimit, "auxPrice")?;
    let (price, stop_price) = if kind == OrderKind::Stop { (None, price) } else { (price, auxiliary) };
    Ok(Order {
        symbol: text(order, "conid")?.to_owned(),
        side: match text(order, "side")? {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return Err(ReadError::Unreadable { name: "side" }),
        },
        kind,
        quantity: None,
        quote_quantity: None,
        contracts: decimal(order, "quantity")?,
        price,
        stop_price,
        reduce_only: false,
        client_order_id: owned(order, "cOID"),
        product: Product::Derivatives,
        leverage: None,
        dry_run: false,
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{VenueId, check, name_order, operation};

    fn read(name: &str, orders: &str) -> Result<Reading, ReadError> {
        let params = Params::from_iter([("accountId", "U1234567"), ("orders", orders)]);
        crate::read(&check(operation(VenueId::Ibkr, name).unwrap(), &params).unwrap())
    }

    fn one(rest: &str) -> Result<Order, ReadError> {
        let common = r#""conid":265598,"side":"BUY","quantity":2,"tif":"DAY""#;
        Ok(read("order.place", &format!("[{{{common},{rest}}}]"))?.orders()[0].clone())
    }

    #[test]
    fn each_type_has_its_prices() {
        let order = one(r#""orderType":"LMT","price":230.5,"cOID":"mine""#).unwrap();
        assert_eq!((order.symbol.as_str(), order.price), ("265598", Some(Decimal::new(2305, 1))));
        assert_eq!((order.contracts, order.client_order_id.as_deref()), (Some(Decimal::TWO), Some("mine")));
        assert_eq!(one(r#""orderType":"STP","price":9"#).unwrap().stop_price, Some(Decimal::from(9)));
        let both = one(r#""orderType":"STOP_LIMIT","price":9,"auxPrice":8"#).unwrap();
        assert_eq!((both.price, both.stop_price), (Some(Decimal::from(9)), Some(Decimal::from(8))));
        assert_eq!(one(r#""orderType":"MKT","price":9"#), Err(ReadError::Contradiction { name: "price" }));
        assert_eq!(one(r#""orderType":"LMT""#), Err(ReadError::Missing { name: "price" }));
        let other = one(r#""orderType":"MKT","acctId":"U7654321""#);
        assert_eq!(other, Err(ReadError::Contradiction { name: "acctId" }));
        assert!(one(r#""orderType":"MKT","secType":"265598:STK""#).is_ok());
        let other = one(r#""orderType":"MKT","secType":"8314:STK""#);
        assert_eq!(other, Err(ReadError::Contradiction { name: "secType" }));
    }

    #[test]
    fn a_preview_is_marked_and_a_batch_reads_in_full() {
        let order = r#"{"conid":1,"side":"SELL","quantity":1,"tif":"GTC","orderType":"MKT"}"#;
        assert!(read("order.test", &format!("[{order}]")).unwrap().orders()[0].dry_run);
        assert_eq!(read("order.place", &format!("[{order},{order}]")).unwrap().orders().len(), 2);
    }

    #[test]
    fn a_lone_order_is_named() {
        let order = r#"{"conid":1,"side":"SELL","quantity":1,"tif":"GTC","orderType":"MKT"}"#;
        let place = operation(VenueId::Ibkr, "order.place").unwrap();
        let named = |orders: &str| {
            let mut params = Params::from_iter([("accountId", "U1"), ("orders", orders)]);
            name_order(place, &mut params, &[0xab; 16]);
            let reading = crate::read(&check(place, &params).unwrap()).unwrap();
            reading.orders().iter().map(|order| order.client_order_id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(named(&format!("[{order}]")), [Some("ab".repeat(16))]);
        assert_eq!(named(&format!("[{order},{order}]")), [None, None]);
        assert_eq!(named(&format!("[{}]", order.replace('}', r#","cOID":"x"}"#))), [Some("x".to_owned())]);
    }
}
