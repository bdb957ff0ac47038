//! How MEXC futures' trading calls read.

use rust_decimal::Decimal;

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{Amend, Cancel, Order, OrderKind, ReadError, Reading, Setting, Side, decimal, expect, flag, owned, text},
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(each(call).iter().map(order).collect::<Result<_, _>>()?)),
        Kind::Amend => Ok(Reading::Amends(vec![amend(params)?])),
        Kind::Cancel => Ok(Reading::Cancels(each(call).iter().map(cancel).collect())),
        Kind::CancelAll => Ok(Reading::CancelAll { symbol: owned(params, "symbol") }),
        Kind::Setting => {
            Ok(Reading::Setting(Setting { symbol: owned(params, "symbol"), leverage: decimal(params, "leverage")? }))
        }
        Kind::Close => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// The items of a batch, or else the parameters as the one item.
fn each(call: &Call<'_>) -> Vec<Params> {
    let mut lists = call.operation().params.iter().filter(|param| param.grammar.list().is_some());
    lists.next().map_or_else(|| vec![call.params().clone()], |list| call.items(list.name))
}

/// Reads an order. MEXC counts in contracts, whose size differs from one to the next and stands in no order.
fn order(params: &Params) -> Result<Order, ReadError> {
    let (side, closes) = side(params)?;
    let kind = kind(params, side)?;
    Ok(Order {
        symbol: text(params, "symbol")?.to_owned(),
        side,
        kind,
        quantity: None,
        quote_quantity: None,
        contracts: decimal(params, "vol")?,
        price: expect(decimal(params, "price")?, kind.has_price(), "price")?,
        stop_price: expect(decimal(params, "triggerPrice")?, kind.has_trigger(), "triggerPrice")?,
        reduce_only: reduces(params, closes)?,
        client_order_id: owned(params, "externalOid"),
        product: Product::Derivatives,
        leverage: leverage(params)?,
        dry_run: false,
    })
}

/// Opens long, closes short, opens short, closes long, in this order.
fn side(params: &Params) -> Result<(Side, bool), ReadError> {
    match text(params, "side")? {
        "1" => Ok((Side::Buy, false)),
        "2" => Ok((Side::Buy, true)),
        "3" => Ok((Side::Sell, false)),
        "4" => Ok((Side::Sell, true)),
        _ => Err(ReadError::Unreadable { name: "side" }),
    }
}

/// Whether the order can only make a position smaller.
///
/// In hedge mode the closing sides do so by definition, and `reduceOnly` is not accepted. In one-way mode only that flag
/// does. Of an order that does not say which mode it is for, flag and side must both say so: one of them counts.
fn reduces(params: &Params, closes: bool) -> Result<bool, ReadError> {
    match (params.get("positionMode"), flag(params, "reduceOnly")) {
        (Some("1"), true) => Err(ReadError::Contradiction { name: "reduceOnly" }),
        (Some("1"), false) => Ok(closes),
        (Some(_), reduce_only) => Ok(reduce_only),
        (None, reduce_only) => Ok(reduce_only && closes),
    }
}

fn kind(params: &Params, side: Side) -> Result<OrderKind, ReadError> {
    let Some(trigger) = params.get("triggerType") else {
        return match text(params, "type")? {
            "1" | "3" | "4" => Ok(OrderKind::Limit),
            "2" => Ok(OrderKind::LimitMaker),
            // Both trade at once at what the market gives.
            "5" | "6" => Ok(OrderKind::Market),
            _ => Err(ReadError::Unreadable { name: "type" }),
        };
    };
    let rises = trigger == "1";
    let favours = rises == (side == Side::Sell);
    let is_market = text(params, "orderType")? == "5";
    Ok(match (favours, is_market) {
        (false, true) => OrderKind::Stop,
        (false, false) => OrderKind::StopLimit,
        (true, true) => OrderKind::TakeProfit,
        (true, false) => OrderKind::TakeProfitLimit,
    })
}

fn leverage(params: &Params) -> Result<Option<u32>, ReadError> {
    let read = |value: &str| value.parse().map_err(|_| ReadError::Unreadable { name: "leverage" });
    params.get("leverage").map(read).transpose()
}

fn amend(params: &Params) -> Result<Amend, ReadError> {
    let amount = |name| -> Result<Option<Decimal>, ReadError> { decimal(params, name) };
    Ok(Amend {
        product: Some(Product::Derivatives),
        symbol: owned(params, "symbol"),
        order_id: owned(params, "orderId"),
        client_order_id: None,
        quantity: amount("vol")?,
        price: amount("price")?,
        stop_price: amount("triggerPrice")?,
    })
}

/// Reads a cancel; an item that is a plain number has the name "".
fn cancel(params: &Params) -> Cancel {
    let mut names = ["", "orderId", "stopPlanOrderId", "trackOrderId"].into_iter();
    Cancel {
        symbol: owned(params, "symbol"),
        order_id: names.find_map(|name| owned(params, name)),
        client_order_id: owned(params, "externalOid"),
    }
}

#[cfg(test)]
mod tests {
    use OrderKind::{Stop, StopLimit, TakeProfit, TakeProfitLimit};

    use super::*;
    use crate::{VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(VenueId::MexcContract, name).unwrap(), &params).unwrap())
    }

    fn place(name: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("symbol", "BTC_USDT"), ("vol", "3"), ("openType", "2")];
        let reading = read(name, &[common.as_slice(), pairs].concat())?;
        let [order] = reading.orders() else { panic!("{reading:?}") };
        Ok(order.clone())
    }

    #[test]
    fn contracts_have_no_notional() {
        let order = place("order.place", &[("side", "1"), ("type", "1"), ("price", "5"), ("leverage", "20")]).unwrap();
        assert_eq!((order.contracts, order.quantity, order.notional()), (Some(3.into()), None, None));
        assert_eq!((order.leverage, order.kind, order.side), (Some(20), OrderKind::Limit, Side::Buy));
    }

    #[test]
    fn kinds_and_prices() {
        for (kind, expected) in [("1", OrderKind::Limit), ("2", OrderKind::LimitMaker), ("4", OrderKind::Limit)] {
            let missing = place("order.submit", &[("side", "1"), ("type", kind)]);
            assert_eq!(missing, Err(ReadError::Missing { name: "price" }));
            let order = place("order.submit", &[("side", "1"), ("type", kind), ("price", "5")]).unwrap();
            assert_eq!(order.kind, expected);
        }
        for kind in ["5", "6"] {
            assert_eq!(place("order.place", &[("side", "3"), ("type", kind)]).unwrap().kind, OrderKind::Market);
            let priced = place("order.place", &[("side", "3"), ("type", kind), ("price", "5")]);
            assert_eq!(priced, Err(ReadError::Contradiction { name: "price" }));
        }
    }

    #[test]
    fn sides_close_where_the_mode_says_so() {
        let reduces = |side, more: &[(&str, &str)]| {
            let pairs = [[("side", side), ("type", "5")].as_slice(), more].concat();
            place("order.place", &pairs).map(|order| (order.side, order.reduce_only))
        };
        let hedged = ("positionMode", "1");
        let flagged = ("reduceOnly", "true");
        assert_eq!(reduces("2", &[hedged]), Ok((Side::Buy, true)));
        assert_eq!(reduces("4", &[hedged]), Ok((Side::Sell, true)));
        assert_eq!(reduces("1", &[hedged]), Ok((Side::Buy, false)));
        assert_eq!(reduces("4", &[]), Ok((Side::Sell, false)));
        assert_eq!(reduces("4", &[("positionMode", "2")]), Ok((Side::Sell, false)));
        assert_eq!(reduces("4", &[flagged]), Ok((Side::Sell, true)));
        // An account in hedge mode may be deaf to the flag: then the side alone says that this opens.
        assert_eq!(reduces("1", &[flagged]), Ok((Side::Buy, false)));
        assert_eq!(reduces("3", &[flagged, ("positionMode", "2")]), Ok((Side::Sell, true)));
        assert_eq!(reduces("4", &[hedged, flagged]), Err(ReadError::Contradiction { name: "reduceOnly" }));
    }

    #[test]
    fn triggers_read_by_their_direction() {
        let common = [("triggerPrice", "7"), ("executeCycle", "1"), ("trend", "1")];
        for (side, direction, kind, price, expected) in [
            ("1", "1", "5", None, Stop),
            ("3", "2", "1", Some("6"), StopLimit),
            ("4", "1", "5", None, TakeProfit),
            ("2", "2", "1", Some("6"), TakeProfitLimit),
        ] {
            let mut pairs = common.to_vec();
            pairs.extend([("side", side), ("triggerType", direction), ("orderType", kind)]);
            pairs.extend(price.map(|price| ("price", price)));
            let order = place("trigger.place", &pairs).unwrap();
            assert_eq!((order.kind, order.stop_price), (expected, Some(7.into())), "{side} {direction}");
        }
    }

    #[test]
    fn cancels_amends_and_settings() {
        let ids = |name, pairs: &[(&str, &str)]| {
            let Ok(Reading::Cancels(cancels)) = read(name, pairs) else { panic!("{name}") };
            let named = cancels.into_iter().filter_map(|cancel| cancel.order_id.or(cancel.client_order_id));
            named.collect::<Vec<_>>()
        };
        assert_eq!(ids("order.cancel", &[("orderIds", r#"[7,"8"]"#)]), ["7", "8"]);
        assert_eq!(ids("order.cancel_named", &[("symbol", "A_B"), ("externalOid", "x")]), ["x"]);
        assert_eq!(ids("orders.cancel_named", &[("orders", r#"[{"symbol":"A_B","externalOid":"x"}]"#)]), ["x"]);
        assert_eq!(ids("triggers.cancel", &[("orders", r#"[{"symbol":"A_B","orderId":"9"}]"#)]), ["9"]);
        assert_eq!(ids("trailing.cancel", &[("trackOrderId", "5")]), ["5"]);
        let amend = read("order.amend", &[("orderId", "1"), ("price", "2"), ("vol", "3")]).unwrap();
        assert_eq!(amend.products(), crate::Products::DERIVATIVES);
        let pairs = [("symbol", "A_B"), ("leverage", "20"), ("openType", "1"), ("positionType", "1")];
        let setting = Setting { symbol: Some("A_B".to_owned()), leverage: Some(20.into()) };
        assert_eq!(read("leverage.set", &pairs), Ok(Reading::Setting(setting)));
    }
}
