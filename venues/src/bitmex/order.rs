//! How `BitMEX`' orders and cancels read.

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{
        Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, cancel_all, decimal, expect, owned, text,
    },
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(vec![order(params)?])),
        Kind::Amend => Ok(Reading::Amends(vec![amend(params)?])),
        Kind::Cancel => Ok(Reading::Cancels(vec![Cancel {
            symbol: None,
            order_id: owned(params, "orderID"),
            client_order_id: owned(params, "clOrdID"),
        }])),
        Kind::CancelAll => Ok(cancel_all(params, "timeout")),
        Kind::Close => Ok(Reading::Close { symbol: text(params, "symbol")?.to_owned(), quantity: None }),
        Kind::Setting => {
            Ok(Reading::Setting(Setting { symbol: owned(params, "symbol"), leverage: decimal(params, "leverage")? }))
        }
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// Quantities count in contracts, or in the smallest unit of a pair; what that is worth only the instrument tells.
fn order(params: &Params) -> Result<Order, ReadError> {
    let kind = kind(params)?;
    let symbol = text(params, "symbol")?;
    let (product, reduce_only) = (product(symbol), instructs(params, "ReduceOnly"));
    if product == Product::Spot && reduce_only {
        // Spot has no positions. What BitMEX would make of it must not be taken for a closing order.
        return Err(ReadError::Contradiction { name: "execInst" });
    }
    Ok(Order {
        symbol: symbol.to_owned(),
        side: match text(params, "side")? {
            "Buy" => Side::Buy,
            "Sell" => Side::Sell,
            _ => return Err(ReadError::Unreadable { name: "side" }),
        },
        kind,
        quantity: None,
        quote_quantity: None,
        contracts: decimal(params, "orderQty")?,
        price: expect(decimal(params, "price")?, kind.has_price(), "price")?,
        stop_price: expect(decimal(params, "stopPx")?, kind.has_trigger(), "stopPx")?,
        reduce_only,
        client_order_id: owned(params, "clOrdID"),
        product,
        leverage: None,
        dry_run: false,
    })
}

/// Pairs have an underscore in their names and are quoted in a stablecoin; some contracts have the first, too. What is
/// neither for certain is taken for the riskier one.
pub(super) fn product(symbol: &str) -> Product {
    match symbol.split_once('_') {
        Some((_, "USDT" | "USDC")) => Product::Spot,
        _ => Product::Derivatives,
    }
}

fn kind(params: &Params) -> Result<OrderKind, ReadError> {
    let maker = instructs(params, "ParticipateDoNotInitiate");
    match text(params, "ordType")? {
        "Limit" if maker => Ok(OrderKind::LimitMaker),
        _ if maker => Err(ReadError::Contradiction { name: "execInst" }),
        "Market" => Ok(OrderKind::Market),
        "Limit" => Ok(OrderKind::Limit),
        "Stop" => Ok(OrderKind::Stop),
        "StopLimit" => Ok(OrderKind::StopLimit),
        "MarketIfTouched" => Ok(OrderKind::TakeProfit),
        "LimitIfTouched" => Ok(OrderKind::TakeProfitLimit),
        _ => Err(ReadError::Unreadable { name: "ordType" }),
    }
}

fn instructs(params: &Params, instruction: &str) -> bool {
    params.get("execInst").is_some_and(|given| given.split(',').any(|given| given == instruction))
}

fn amend(params: &Params) -> Result<Amend, ReadError> {
    Ok(Amend {
        product: None,
        symbol: None,
        order_id: owned(params, "orderID"),
        client_order_id: owned(params, "origClOrdID"),
        quantity: decimal(params, "orderQty")?,
        price: decimal(params, "price")?,
        stop_price: decimal(params, "stopPx")?,
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(VenueId::Bitmex, name).unwrap(), &params).unwrap())
    }

    fn place(kind: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("symbol", "XBTUSD"), ("side", "Sell"), ("orderQty", "100"), ("ordType", kind)];
        let reading = read("order.place", &[common.as_slice(), pairs].concat())?;
        let [order] = reading.orders() else { panic!("{reading:?}") };
        Ok(order.clone())
    }

    #[test]
    fn orders_count_in_contracts() {
        let order = place("Limit", &[("price", "219.0"), ("clOrdID", "a/b"), ("execInst", "ReduceOnly")]).unwrap();
        assert_eq!((order.contracts, order.quantity, order.notional()), (Some(Decimal::from(100)), None, None));
        assert_eq!((order.kind, order.reduce_only, order.product), (OrderKind::Limit, true, Product::Derivatives));
        assert_eq!(product("XBT_USDT"), Product::Spot);
        // Contracts that settle in another coin than their twin bear its name after an underscore, too.
        assert_eq!(product("ETHUSD_ETH"), Product::Derivatives);
        let pair = [("symbol", "XBT_USDT"), ("side", "Sell"), ("orderQty", "100"), ("ordType", "Market")];
        let flagged = read("order.place", &[pair.as_slice(), &[("execInst", "ReduceOnly")]].concat());
        assert_eq!(flagged, Err(ReadError::Contradiction { name: "execInst" }));
    }

    #[test]
    fn prices_belong_to_the_kinds_that_have_them() {
        use ReadError::{Contradiction, Missing};
        let (price, stop) = (("price", "5"), ("stopPx", "6"));
        let maker = ("execInst", "ReduceOnly,ParticipateDoNotInitiate");
        for (kind, pairs, expected) in [
            ("Market", [].as_slice(), Ok(OrderKind::Market)),
            ("Market", &[price], Err(Contradiction { name: "price" })),
            ("Market", &[maker], Err(Contradiction { name: "execInst" })),
            ("Limit", &[], Err(Missing { name: "price" })),
            ("Limit", &[price, maker], Ok(OrderKind::LimitMaker)),
            ("Stop", &[stop], Ok(OrderKind::Stop)),
            ("Stop", &[], Err(Missing { name: "stopPx" })),
            ("StopLimit", &[stop, price], Ok(OrderKind::StopLimit)),
            ("MarketIfTouched", &[stop], Ok(OrderKind::TakeProfit)),
            ("LimitIfTouched", &[stop, price], Ok(OrderKind::TakeProfitLimit)),
        ] {
            assert_eq!(place(kind, pairs).map(|order| order.kind), expected, "{kind} {pairs:?}");
        }
    }

    #[test]
    fn everything_else_that_trades() {
        let close = read("position.close", &[("symbol", "XBTUSD")]);
        assert_eq!(close, Ok(Reading::Close { symbol: "XBTUSD".to_owned(), quantity: None }));
        assert_eq!(read("orders.cancel_all", &[]), Ok(Reading::CancelAll { symbol: None }));
        let setting = read("leverage.set", &[("symbol", "XBTUSD"), ("leverage", "10")]);
        let expected = Setting { symbol: Some("XBTUSD".to_owned()), leverage: Some(Decimal::TEN) };
        assert_eq!(setting, Ok(Reading::Setting(expected)));
        let Ok(Reading::Amends(amends)) = read("order.amend", &[("origClOrdID", "abc"), ("price", "2")]) else {
            panic!()
        };
        assert_eq!((amends[0].client_order_id.as_deref(), amends[0].price), (Some("abc"), Some(Decimal::TWO)));
    }
}
