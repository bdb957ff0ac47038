//! How MEXC spot's orders and cancels read.

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Cancel, Order, OrderKind, ReadError, Reading, Side, decimal, expect, owned, text},
};

/// The list of a batch.
const BATCH: &str = "batchOrders";

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place if call.operation().param(BATCH).is_some() => {
            let orders = call.items(BATCH).iter().map(|item| order(item, false)).collect::<Result<_, _>>();
            Ok(Reading::Orders(orders?))
        }
        Kind::Place => Ok(Reading::Orders(vec![order(params, call.operation().name == "order.test")?])),
        Kind::Cancel => Ok(Reading::Cancels(vec![Cancel {
            symbol: owned(params, "symbol"),
            order_id: owned(params, "orderId"),
            client_order_id: owned(params, "origClientOrderId"),
        }])),
        Kind::CancelAll => Ok(Reading::CancelAll { symbol: owned(params, "symbol") }),
        Kind::Amend | Kind::Close | Kind::Setting => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

fn order(params: &Params, dry_run: bool) -> Result<Order, ReadError> {
    let kind = kind(params)?;
    let (quantity, quote_quantity) = (decimal(params, "quantity")?, decimal(params, "quoteOrderQty")?);
    match (quantity, quote_quantity) {
        (None, None) => return Err(ReadError::Missing { name: "quantity" }),
        (Some(_), Some(_)) => return Err(ReadError::Contradiction { name: "quoteOrderQty" }),
        (None, Some(_)) if kind != OrderKind::Market => {
            return Err(ReadError::Contradiction { name: "quoteOrderQty" });
        }
        (None, Some(_)) | (Some(_), None) => {}
    }
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side: match text(params, "side")? {
            "BUY" => Side::Buy,
            "SELL" => Side::Sell,
            _ => return Err(ReadError::Unreadable { name: "side" }),
        },
        kind,
        quantity,
        quote_quantity,
        contracts: None,
        price: expect(decimal(params, "price")?, kind.has_price(), "price")?,
        stop_price: None,
        reduce_only: false,
        client_order_id: owned(params, "newClientOrderId"),
        product: Product::Spot,
        leverage: None,
        dry_run,
    })
}

fn kind(params: &Params) -> Result<OrderKind, ReadError> {
    match text(params, "type")? {
        "MARKET" => Ok(OrderKind::Market),
        "LIMIT" | "IMMEDIATE_OR_CANCEL" | "FILL_OR_KILL" => Ok(OrderKind::Limit),
        "LIMIT_MAKER" => Ok(OrderKind::LimitMaker),
        _ => Err(ReadError::Unreadable { name: "type" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(VenueId::Mexc, name).unwrap(), &params).unwrap())
    }

    fn place(name: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let reading = read(name, &[[("symbol", "BTCUSDT"), ("side", "SELL")].as_slice(), pairs].concat())?;
        let [order] = reading.orders() else { panic!("{reading:?}") };
        Ok(order.clone())
    }

    #[test]
    fn kinds_have_the_prices_they_need() {
        for (kind, expected) in [
            ("LIMIT", OrderKind::Limit),
            ("LIMIT_MAKER", OrderKind::LimitMaker),
            ("IMMEDIATE_OR_CANCEL", OrderKind::Limit),
            ("FILL_OR_KILL", OrderKind::Limit),
        ] {
            let pairs = [("type", kind), ("quantity", "2"), ("price", "5")];
            let order = place("order.place", &pairs).unwrap();
            assert_eq!((order.kind, order.notional()), (expected, Some(10.into())), "{kind}");
            assert_eq!(place("order.place", &pairs[..2]), Err(ReadError::Missing { name: "price" }), "{kind}");
            let by_value = place("order.place", &[("type", kind), ("quoteOrderQty", "2"), ("price", "5")]);
            assert_eq!(by_value, Err(ReadError::Contradiction { name: "quoteOrderQty" }), "{kind}");
        }
        let market = [("type", "MARKET"), ("quoteOrderQty", "150")];
        assert_eq!(place("order.place", &market).unwrap().notional(), Some(150.into()));
        let priced = place("order.place", &[("type", "MARKET"), ("quantity", "1"), ("price", "5")]);
        assert_eq!(priced, Err(ReadError::Contradiction { name: "price" }));
        assert!(place("order.test", &market).unwrap().dry_run);
    }

    #[test]
    fn a_batch_is_read_item_by_item() {
        let batch = |items| read("orders.place_batch", &[("batchOrders", items)]);
        let good = r#"[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","quantity":"1","price":"2"},
            {"symbol":"BTCUSDT","side":"SELL","type":"MARKET","quantity":"3"}]"#;
        assert_eq!(batch(good).unwrap().orders().len(), 2);
        let bad = r#"[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET"}]"#;
        assert_eq!(batch(bad), Err(ReadError::Missing { name: "quantity" }));
        let both = r#"[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":"1","quoteOrderQty":"1"}]"#;
        assert_eq!(batch(both), Err(ReadError::Contradiction { name: "quoteOrderQty" }));
    }

    #[test]
    fn cancels() {
        let one = read("order.cancel", &[("symbol", "BTCUSDT"), ("orderId", "C02__468615423963070464")]).unwrap();
        let Reading::Cancels(cancels) = one else { panic!("{one:?}") };
        assert_eq!(cancels[0].order_id.as_deref(), Some("C02__468615423963070464"));
        let all = read("orders.cancel_all", &[("symbol", "BTCUSDT")]).unwrap();
        assert_eq!(all, Reading::CancelAll { symbol: Some("BTCUSDT".to_owned()) });
    }
}
