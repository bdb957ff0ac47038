//! How Binance's orders and cancels read.

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Cancel, Order, OrderKind, ReadError, Reading, Side, decimal, expect, flag, owned, text},
};

/// Reads a trading call; `product` is what its market trades.
pub(super) fn read(call: &Call<'_>, product: Product) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(vec![order(params, product)?])),
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

fn order(params: &Params, product: Product) -> Result<Order, ReadError> {
    let side = side(params)?;
    let kind = kind(params)?;
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

fn side(params: &Params) -> Result<Side, ReadError> {
    match text(params, "side")? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(ReadError::Unreadable { name: "side" }),
    }
}

fn kind(params: &Params) -> Result<OrderKind, ReadError> {
    match text(params, "type")? {
        "MARKET" => Ok(OrderKind::Market),
        // GTX is good till crossing: futures spell a maker-only order that way.
        "LIMIT" if params.get("timeInForce") == Some("GTX") => Ok(OrderKind::LimitMaker),
        "LIMIT" => Ok(OrderKind::Limit),
        "LIMIT_MAKER" => Ok(OrderKind::LimitMaker),
        "STOP_LOSS" => Ok(OrderKind::Stop),
        "STOP_LOSS_LIMIT" => Ok(OrderKind::StopLimit),
        "TAKE_PROFIT" => Ok(OrderKind::TakeProfit),
        "TAKE_PROFIT_LIMIT" => Ok(OrderKind::TakeProfitLimit),
        _ => Err(ReadError::Unreadable { name: "type" }),
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
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{Params, VenueId, check, operation};

    fn read(venue: VenueId, name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(venue, name).unwrap(), &params).unwrap())
    }

    fn place(venue: VenueId, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("symbol", "BTCUSDT"), ("side", "SELL")];
        let intent = read(venue, "order.place", &[common.as_slice(), pairs].concat())?;
        let [order] = intent.orders() else { panic!("{intent:?}") };
        Ok(order.clone())
    }

    #[test]
    fn a_limit_order_reads_in_full() {
        let pairs = [
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", "0.01"),
            ("price", "20000.5"),
            ("newClientOrderId", "mine-1"),
        ];
        let order = place(VenueId::Binance, &pairs).unwrap();
        assert_eq!(
            order,
            Order {
                symbol: "BTCUSDT".to_owned(),
                side: Side::Sell,
                kind: OrderKind::Limit,
                quantity: Some(Decimal::new(1, 2)),
                quote_quantity: None,
                contracts: None,
                price: Some(Decimal::new(200_005, 1)),
                stop_price: None,
                reduce_only: false,
                client_order_id: Some("mine-1".to_owned()),
                product: Product::Spot,
                leverage: None,
                dry_run: false,
            }
        );
        assert_eq!(order.notional(), Some(Decimal::new(200_005, 3)));
    }

    #[test]
    fn prices_belong_to_the_kinds_that_have_them() {
        use ReadError::{Contradiction, Missing};
        let kinds: [(&str, bool, bool); 7] = [
            ("MARKET", false, false),
            ("LIMIT", true, false),
            ("LIMIT_MAKER", true, false),
            ("STOP_LOSS", false, true),
            ("STOP_LOSS_LIMIT", true, true),
            ("TAKE_PROFIT", false, true),
            ("TAKE_PROFIT_LIMIT", true, true),
        ];
        for (kind, has_price, has_trigger) in kinds {
            let mut pairs = vec![("type", kind), ("quantity", "1")];
            if has_price {
                let refused = place(VenueId::Binance, &pairs);
                assert_eq!(refused, Err(Missing { name: "price" }), "{kind}");
                pairs.push(("price", "5"));
            }
            if has_trigger {
                let refused = place(VenueId::Binance, &pairs);
                assert_eq!(refused, Err(Missing { name: "stopPrice" }), "{kind}");
                pairs.push(("stopPrice", "6"));
            }
            let order = place(VenueId::Binance, &pairs).unwrap();
            assert_eq!((order.price.is_some(), order.stop_price.is_some()), (has_price, has_trigger), "{kind}");
            for (name, foreign) in [("price", !has_price), ("stopPrice", !has_trigger)] {
                if foreign {
                    let refused = place(VenueId::Binance, &[pairs.as_slice(), &[(name, "1")]].concat());
                    assert_eq!(refused, Err(Contradiction { name }), "{kind}");
                }
            }
        }
    }

    #[test]
    fn a_quote_quantity_belongs_to_market_orders() {
        let order = place(VenueId::Binance, &[("type", "MARKET"), ("quoteOrderQty", "150")]).unwrap();
        assert_eq!((order.quantity, order.notional()), (None, Some(Decimal::from(150))));
        let refused = place(VenueId::Binance, &[("type", "LIMIT"), ("price", "1"), ("quoteOrderQty", "150")]);
        assert_eq!(refused, Err(ReadError::Contradiction { name: "quoteOrderQty" }));
    }

    #[test]
    fn futures_know_what_reduces() {
        let read = |pairs: &[(&str, &str)]| {
            let common = [("type", "MARKET"), ("quantity", "1")];
            place(VenueId::BinanceUsdm, &[common.as_slice(), pairs].concat()).map(|order| order.reduce_only)
        };
        assert_eq!(read(&[]), Ok(false));
        assert_eq!(read(&[("reduceOnly", "false")]), Ok(false));
        assert_eq!(read(&[("reduceOnly", "true")]), Ok(true));
        assert_eq!(read(&[("reduceOnly", "true"), ("positionSide", "BOTH")]), Ok(true));
        assert_eq!(read(&[("positionSide", "LONG")]), Ok(true));
        assert_eq!(read(&[("positionSide", "SHORT")]), Ok(false));
        let both = read(&[("reduceOnly", "true"), ("positionSide", "SHORT")]);
        assert_eq!(both, Err(ReadError::Contradiction { name: "reduceOnly" }));
    }

    #[test]
    fn futures_spell_maker_only_as_a_time_in_force() {
        let pairs = [("type", "LIMIT"), ("timeInForce", "GTX"), ("quantity", "1"), ("price", "2")];
        let order = place(VenueId::BinanceUsdm, &pairs).unwrap();
        assert_eq!((order.kind, order.product), (OrderKind::LimitMaker, Product::Derivatives));
    }

    #[test]
    fn cancels_and_reads() {
        for venue in [VenueId::Binance, VenueId::BinanceUsdm] {
            let one = read(venue, "order.cancel", &[("symbol", "BTCUSDT"), ("orderId", "28")]).unwrap();
            let Reading::Cancels(cancels) = one else { panic!("{one:?}") };
            assert_eq!(cancels[0].order_id.as_deref(), Some("28"));
            let all = read(venue, "orders.cancel_all", &[("symbol", "BTCUSDT")]).unwrap();
            assert_eq!(all, Reading::CancelAll { symbol: Some("BTCUSDT".to_owned()) });
            assert_eq!(read(venue, "account", &[]), Ok(Reading::None));
        }
    }
}
