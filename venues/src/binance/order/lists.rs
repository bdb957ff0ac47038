//! How Binance spot's order lists read: as all the orders that they may place.

use super::{kind, side};
use crate::{
    params::Params,
    product::Product,
    reading::{Order, OrderKind, ReadError, Side, decimal, expect, owned, text},
};

/// Where a list keeps what makes one of its orders.
struct Leg {
    kind: &'static str,
    side: &'static str,
    quantity: &'static str,
    price: &'static str,
    stop_price: &'static str,
    client_order_id: &'static str,
}

const ABOVE: Leg = Leg {
    kind: "aboveType",
    side: "side",
    quantity: "quantity",
    price: "abovePrice",
    stop_price: "aboveStopPrice",
    client_order_id: "aboveClientOrderId",
};
const BELOW: Leg = Leg {
    kind: "belowType",
    side: "side",
    quantity: "quantity",
    price: "belowPrice",
    stop_price: "belowStopPrice",
    client_order_id: "belowClientOrderId",
};
/// The first order of a list waits for no price; its list has no such parameter.
const WORKING: Leg = Leg {
    kind: "workingType",
    side: "workingSide",
    quantity: "workingQuantity",
    price: "workingPrice",
    stop_price: "workingStopPrice",
    client_order_id: "workingClientOrderId",
};
const PENDING: Leg = Leg {
    kind: "pendingType",
    side: "pendingSide",
    quantity: "pendingQuantity",
    price: "pendingPrice",
    stop_price: "pendingStopPrice",
    client_order_id: "pendingClientOrderId",
};
const PENDING_ABOVE: Leg = Leg {
    kind: "pendingAboveType",
    price: "pendingAbovePrice",
    stop_price: "pendingAboveStopPrice",
    client_order_id: "pendingAboveClientOrderId",
    ..PENDING
};
const PENDING_BELOW: Leg = Leg {
    kind: "pendingBelowType",
    price: "pendingBelowPrice",
    stop_price: "pendingBelowStopPrice",
    client_order_id: "pendingBelowClientOrderId",
    ..PENDING
};

pub(super) fn read(operation: &str, params: &Params) -> Result<Vec<Order>, ReadError> {
    let legs: &[Leg] = match operation {
        "order_list.place_pair" => return pair(params),
        "order_list.place_oco" => &[ABOVE, BELOW],
        "order_list.place_oto" => &[WORKING, PENDING],
        "order_list.place_otoco" => &[WORKING, PENDING_ABOVE, PENDING_BELOW],
        _ => return Err(ReadError::Unreadable { name: "operation" }),
    };
    legs.iter().map(|leg| order(params, leg)).collect()
}

fn order(params: &Params, leg: &Leg) -> Result<Order, ReadError> {
    let kind = kind(params, leg.kind)?;
    Ok(Order {
        quantity: decimal(params, leg.quantity)?,
        price: expect(decimal(params, leg.price)?, kind.has_price(), leg.price)?,
        stop_price: expect(decimal(params, leg.stop_price)?, kind.has_trigger(), leg.stop_price)?,
        client_order_id: owned(params, leg.client_order_id),
        ..plain(params, side(params, leg.side)?, kind)?
    })
}

/// The older form: a maker-only limit order, and a stop that is a limit order exactly if it has a limit.
fn pair(params: &Params) -> Result<Vec<Order>, ReadError> {
    let side = side(params, "side")?;
    let quantity = decimal(params, "quantity")?;
    let stop_limit = decimal(params, "stopLimitPrice")?;
    let stop = if stop_limit.is_some() { OrderKind::StopLimit } else { OrderKind::Stop };
    Ok(vec![
        Order {
            quantity,
            price: expect(decimal(params, "price")?, true, "price")?,
            client_order_id: owned(params, "limitClientOrderId"),
            ..plain(params, side, OrderKind::LimitMaker)?
        },
        Order {
            quantity,
            price: stop_limit,
            stop_price: expect(decimal(params, "stopPrice")?, true, "stopPrice")?,
            client_order_id: owned(params, "stopClientOrderId"),
            ..plain(params, side, stop)?
        },
    ])
}

fn plain(params: &Params, side: Side, kind: OrderKind) -> Result<Order, ReadError> {
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side,
        kind,
        quantity: None,
        quote_quantity: None,
        contracts: None,
        price: None,
        stop_price: None,
        reduce_only: false,
        client_order_id: None,
        product: Product::Spot,
        leverage: None,
        dry_run: false,
    })
}

#[cfg(test)]
mod tests {
    use rust_decimal::Decimal;

    use super::*;
    use crate::{VenueId, check, operation};

    type Row = (Side, OrderKind, Option<i64>, Option<i64>);

    fn rows(name: &str, pairs: &[(&str, &str)]) -> Result<Vec<Row>, ReadError> {
        let params: Params = [("symbol", "BTCUSDT")].iter().chain(pairs).copied().collect();
        let reading = crate::read(&check(operation(VenueId::Binance, name).unwrap(), &params).unwrap())?;
        let whole = |value: Option<Decimal>| value.map(|value| value.try_into().unwrap());
        let row = |order: &Order| {
            assert_eq!(order.quantity, Some(Decimal::TWO));
            (order.side, order.kind, whole(order.price), whole(order.stop_price))
        };
        Ok(reading.orders().iter().map(row).collect())
    }

    #[test]
    fn each_list_reads_as_its_orders() {
        let sell = |kind, price, stop| (Side::Sell, kind, price, stop);
        let pair = [("side", "SELL"), ("quantity", "2"), ("price", "110"), ("stopPrice", "90")];
        assert_eq!(
            rows("order_list.place_pair", &pair).unwrap(),
            [sell(OrderKind::LimitMaker, Some(110), None), sell(OrderKind::Stop, None, Some(90))]
        );
        let limited = rows("order_list.place_pair", &[pair.as_slice(), &[("stopLimitPrice", "89")]].concat()).unwrap();
        assert_eq!(limited[1], sell(OrderKind::StopLimit, Some(89), Some(90)));

        let oco = [
            ("side", "SELL"),
            ("quantity", "2"),
            ("aboveType", "LIMIT_MAKER"),
            ("abovePrice", "110"),
            ("belowType", "STOP_LOSS_LIMIT"),
            ("belowStopPrice", "90"),
            ("belowPrice", "89"),
        ];
        assert_eq!(
            rows("order_list.place_oco", &oco).unwrap(),
            [sell(OrderKind::LimitMaker, Some(110), None), sell(OrderKind::StopLimit, Some(89), Some(90))]
        );

        let working =
            [("workingType", "LIMIT"), ("workingSide", "BUY"), ("workingPrice", "100"), ("workingQuantity", "2")];
        let bought = (Side::Buy, OrderKind::Limit, Some(100), None);
        let pending = [("pendingSide", "SELL"), ("pendingQuantity", "2")];
        let oto = [working.as_slice(), &pending, &[("pendingType", "MARKET")]].concat();
        assert_eq!(rows("order_list.place_oto", &oto).unwrap(), [bought, sell(OrderKind::Market, None, None)]);

        let otoco = [
            working.as_slice(),
            &pending,
            &[("pendingAboveType", "TAKE_PROFIT"), ("pendingAboveStopPrice", "110")],
            &[("pendingBelowType", "STOP_LOSS"), ("pendingBelowStopPrice", "90")],
        ];
        assert_eq!(
            rows("order_list.place_otoco", &otoco.concat()).unwrap(),
            [bought, sell(OrderKind::TakeProfit, None, Some(110)), sell(OrderKind::Stop, None, Some(90))]
        );
    }

    #[test]
    fn a_leg_without_its_price_is_refused() {
        let oco = |more: &[(&'static str, &'static str)]| {
            let common =
                [("side", "SELL"), ("quantity", "2"), ("aboveType", "LIMIT_MAKER"), ("belowType", "STOP_LOSS")];
            rows("order_list.place_oco", &[common.as_slice(), more].concat())
        };
        assert_eq!(oco(&[]), Err(ReadError::Missing { name: "abovePrice" }));
        assert_eq!(oco(&[("abovePrice", "1")]), Err(ReadError::Missing { name: "belowStopPrice" }));
        let stray = [("abovePrice", "1"), ("belowStopPrice", "1"), ("belowPrice", "1")];
        assert_eq!(oco(&stray), Err(ReadError::Contradiction { name: "belowPrice" }));
    }
}
