//! How Binance's orders and cancels read.

use crate::{
    intent::{Cancel, Intent, Order, OrderKind, ReadError, Side, decimal, expect, flag, owned, text},
    operation::Kind,
    params::Call,
    product::Product,
};

/// Reads a trading call; `product` is what its market trades.
pub(super) fn read(call: &Call<'_>, product: Product) -> Result<Intent, ReadError> {
    match call.operation().kind {
        Kind::Place => order(call, product).map(Intent::Order),
        Kind::Cancel => Ok(Intent::Cancel(Cancel {
            symbol: owned(call, "symbol"),
            order_id: owned(call, "orderId"),
            client_order_id: owned(call, "origClientOrderId"),
        })),
        Kind::CancelAll => Ok(Intent::CancelAll { symbol: owned(call, "symbol") }),
        Kind::Data | Kind::Probe => Ok(Intent::None),
    }
}

fn order(call: &Call<'_>, product: Product) -> Result<Order, ReadError> {
    let side = side(call)?;
    let kind = kind(call)?;
    let quote_quantity = decimal(call, "quoteOrderQty")?;
    if quote_quantity.is_some() && kind != OrderKind::Market {
        return Err(ReadError::Contradiction { name: "quoteOrderQty" });
    }
    Ok(Order {
        symbol: text(call, "symbol")?.to_owned(),
        side,
        kind,
        quantity: decimal(call, "quantity")?,
        quote_quantity,
        price: expect(decimal(call, "price")?, kind.has_price(), "price")?,
        stop_price: expect(decimal(call, "stopPrice")?, kind.has_trigger(), "stopPrice")?,
        reduce_only: reduces(call, side)?,
        client_order_id: owned(call, "newClientOrderId"),
        product,
        leverage: None,
        dry_run: false,
    })
}

fn side(call: &Call<'_>) -> Result<Side, ReadError> {
    match text(call, "side")? {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(ReadError::Unreadable { name: "side" }),
    }
}

fn kind(call: &Call<'_>) -> Result<OrderKind, ReadError> {
    match text(call, "type")? {
        "MARKET" => Ok(OrderKind::Market),
        // GTX is good till crossing: futures spell a maker-only order that way.
        "LIMIT" if call.get("timeInForce") == Some("GTX") => Ok(OrderKind::LimitMaker),
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
fn reduces(call: &Call<'_>, side: Side) -> Result<bool, ReadError> {
    let reduce_only = flag(call, "reduceOnly");
    match (call.get("positionSide"), side) {
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

    fn read(venue: VenueId, name: &str, pairs: &[(&str, &str)]) -> Result<Intent, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(venue, name).unwrap(), &params).unwrap())
    }

    fn place(venue: VenueId, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("symbol", "BTCUSDT"), ("side", "SELL")];
        let intent = read(venue, "order.place", &[common.as_slice(), pairs].concat())?;
        let Intent::Order(order) = intent else { panic!("{intent:?}") };
        Ok(order)
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
            let Intent::Cancel(cancel) = one else { panic!("{one:?}") };
            assert_eq!(cancel.order_id.as_deref(), Some("28"));
            let all = read(venue, "orders.cancel_all", &[("symbol", "BTCUSDT")]).unwrap();
            assert_eq!(all, Intent::CancelAll { symbol: Some("BTCUSDT".to_owned()) });
            assert_eq!(read(venue, "account", &[]), Ok(Intent::None));
        }
    }
}
