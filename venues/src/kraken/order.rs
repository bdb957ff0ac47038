//! How Kraken's orders and cancels read.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::{
    operation::Kind,
    params::{Call, Params},
    product::Product,
    reading::{
        Amend, Cancel, Order, OrderKind, ReadError, Reading, Side, cancel_all, decimal, expect, flag, owned, text,
    },
    retrieval::Found,
};

pub(super) fn read(call: &Call<'_>) -> Result<Reading, ReadError> {
    let params = call.params();
    match call.operation().kind {
        Kind::Place => Ok(Reading::Orders(placed(call)?)),
        Kind::Amend => Ok(Reading::Amends(vec![amend(params)?])),
        Kind::Cancel => Ok(Reading::Cancels(cancels(call))),
        Kind::CancelAll => Ok(cancel_all(params, "timeout")),
        Kind::Close | Kind::Setting => Err(ReadError::Unreadable { name: "operation" }),
        Kind::Data | Kind::Probe | Kind::Login => Ok(Reading::None),
    }
}

/// The order of a call, or those of a batch, each with what the batch says for all.
fn placed(call: &Call<'_>) -> Result<Vec<Order>, ReadError> {
    let params = call.params();
    if call.operation().name != "orders.place_batch" {
        return Ok(vec![order(params)?]);
    }
    let common = || params.iter().filter(|(name, _)| matches!(*name, "pair" | "validate"));
    call.items("orders").iter().map(|item| order(&common().chain(item.iter()).collect())).collect()
}

/// Whether the order is a spot or a margin order only Kraken knows. It finds the order by its name alone, so the pair
/// that the call tells may be any other than the order's and is not read.
fn amend(params: &Params) -> Result<Amend, ReadError> {
    Ok(Amend {
        product: None,
        symbol: None,
        order_id: owned(params, "txid"),
        client_order_id: owned(params, "cl_ord_id"),
        quantity: decimal(params, "order_qty")?,
        price: decimal(params, "limit_price")?,
        stop_price: decimal(params, "trigger_price")?,
    })
}

fn cancels(call: &Call<'_>) -> Vec<Cancel> {
    let params = call.params();
    let cancel = |order_id, client_order_id| Cancel { symbol: None, order_id, client_order_id };
    let listed = |name| call.items(name).into_iter().filter_map(|item| owned(&item, ""));
    let ids = owned(params, "txid").into_iter().chain(listed("orders")).map(|id| cancel(Some(id), None));
    let names = owned(params, "cl_ord_id").into_iter().chain(listed("cl_ord_ids")).map(|name| cancel(None, Some(name)));
    ids.chain(names).collect()
}

/// Whether an accepted list of open or of ended orders holds any.
pub(super) fn found(body: &[u8]) -> Found {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let lists = answer.as_ref().and_then(|answer| answer.get("result"));
    let list = lists.and_then(|lists| lists.get("open").or_else(|| lists.get("closed"))).and_then(Value::as_object);
    match list.map(serde_json::Map::is_empty) {
        Some(true) => Found::No,
        Some(false) => Found::Yes,
        None => Found::Unclear,
    }
}

fn order(params: &Params) -> Result<Order, ReadError> {
    let side = side(params)?;
    let kind = kind(params)?;
    let leverage = leverage(params)?;
    let (price, stop_price) = prices(params, kind)?;
    let (quantity, quote_quantity) = quantities(params, side, kind, leverage)?;
    let reduce_only = flag(params, "reduce_only");
    if reduce_only && leverage.is_none() {
        // Only margin has positions. What the venue would make of it must not be taken for a closing order.
        return Err(ReadError::Contradiction { name: "reduce_only" });
    }
    Ok(Order {
        symbol: text(params, "pair")?.to_owned(),
        side,
        kind,
        quantity,
        quote_quantity,
        contracts: None,
        price,
        stop_price,
        reduce_only,
        client_order_id: owned(params, "cl_ord_id"),
        product: if leverage.is_some() { Product::Margin } else { Product::Spot },
        leverage,
        dry_run: flag(params, "validate"),
    })
}

fn side(params: &Params) -> Result<Side, ReadError> {
    match text(params, "type")? {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(ReadError::Unreadable { name: "type" }),
    }
}

fn kind(params: &Params) -> Result<OrderKind, ReadError> {
    let post_only = has_flag(params, "post");
    match text(params, "ordertype")? {
        // Only a part of it is shown; all of it may trade.
        "limit" | "iceberg" if post_only => Ok(OrderKind::LimitMaker),
        _ if post_only => Err(ReadError::Contradiction { name: "oflags" }),
        "market" => Ok(OrderKind::Market),
        "limit" | "iceberg" => Ok(OrderKind::Limit),
        "stop-loss" => Ok(OrderKind::Stop),
        "stop-loss-limit" => Ok(OrderKind::StopLimit),
        "take-profit" => Ok(OrderKind::TakeProfit),
        "take-profit-limit" => Ok(OrderKind::TakeProfitLimit),
        _ => Err(ReadError::Unreadable { name: "ordertype" }),
    }
}

fn leverage(params: &Params) -> Result<Option<u32>, ReadError> {
    let read = |value: &str| value.parse().map_err(|_| ReadError::Unreadable { name: "leverage" });
    params.get("leverage").map(read).transpose()
}

/// Reads limit and trigger price. `price` is the trigger of the kinds that have one, and their limit is `price2`.
fn prices(params: &Params, kind: OrderKind) -> Result<(Option<Decimal>, Option<Decimal>), ReadError> {
    let (first, second) = (decimal(params, "price")?, decimal(params, "price2")?);
    if kind.has_trigger() {
        let trigger = expect(first, true, "price")?;
        Ok((expect(second, kind.has_price(), "price2")?, trigger))
    } else {
        expect(second, false, "price2")?;
        Ok((expect(first, kind.has_price(), "price")?, None))
    }
}

/// Reads the volume, which `viqc` turns into an amount of the quote asset; only spot market buys know that flag.
fn quantities(
    params: &Params,
    side: Side,
    kind: OrderKind,
    leverage: Option<u32>,
) -> Result<(Option<Decimal>, Option<Decimal>), ReadError> {
    let volume = decimal(params, "volume")?;
    if !has_flag(params, "viqc") {
        return Ok((volume, None));
    }
    if (side, kind, leverage) != (Side::Buy, OrderKind::Market, None) {
        return Err(ReadError::Contradiction { name: "oflags" });
    }
    Ok((None, volume))
}

fn has_flag(params: &Params, flag: &str) -> bool {
    params.get("oflags").is_some_and(|flags| flags.split(',').any(|given| given == flag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, VenueId, check, operation};

    fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
        let params: Params = pairs.iter().copied().collect();
        crate::read(&check(operation(VenueId::Kraken, name).unwrap(), &params).unwrap())
    }

    fn place(kind: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
        let common = [("pair", "XBTUSD"), ("type", "buy"), ("ordertype", kind), ("volume", "1.25")];
        let intent = read("order.place", &[common.as_slice(), pairs].concat())?;
        let [order] = intent.orders() else { panic!("{intent:?}") };
        Ok(order.clone())
    }

    #[test]
    fn a_limit_order_reads_in_full() {
        let order = place("limit", &[("price", "37500"), ("cl_ord_id", "mine-1")]).unwrap();
        assert_eq!(
            order,
            Order {
                symbol: "XBTUSD".to_owned(),
                side: Side::Buy,
                kind: OrderKind::Limit,
                quantity: Some(Decimal::new(125, 2)),
                quote_quantity: None,
                contracts: None,
                price: Some(Decimal::from(37_500)),
                stop_price: None,
                reduce_only: false,
                client_order_id: Some("mine-1".to_owned()),
                product: Product::Spot,
                leverage: None,
                dry_run: false,
            }
        );
        assert_eq!(order.notional(), Some(Decimal::from(46_875)));
    }

    #[test]
    fn leverage_makes_it_margin() {
        let order = place("market", &[("leverage", "3"), ("reduce_only", "true")]).unwrap();
        assert_eq!((order.product, order.leverage, order.reduce_only), (Product::Margin, Some(3), true));
        let refused = place("market", &[("reduce_only", "true")]);
        assert_eq!(refused, Err(ReadError::Contradiction { name: "reduce_only" }));
    }

    #[test]
    fn triggers_and_limits_are_told_apart() {
        use ReadError::{Contradiction, Missing};
        let pair = [("price", "10"), ("price2", "11")];
        let order = place("stop-loss-limit", &pair).unwrap();
        assert_eq!((order.stop_price, order.price), (Some(Decimal::from(10)), Some(Decimal::from(11))));
        let order = place("take-profit", &pair[..1]).unwrap();
        assert_eq!((order.stop_price, order.price), (Some(Decimal::from(10)), None));
        assert_eq!(place("take-profit-limit", &pair[..1]), Err(Missing { name: "price2" }));
        assert_eq!(place("stop-loss", &pair), Err(Contradiction { name: "price2" }));
        assert_eq!(place("stop-loss", &[]), Err(Missing { name: "price" }));
        assert_eq!(place("limit", &[]), Err(Missing { name: "price" }));
        assert_eq!(place("limit", &pair), Err(Contradiction { name: "price2" }));
        assert_eq!(place("market", &pair[..1]), Err(Contradiction { name: "price" }));
    }

    #[test]
    fn flags_change_what_the_volume_means() {
        let contradiction = ReadError::Contradiction { name: "oflags" };
        let order = place("market", &[("oflags", "fciq,viqc")]).unwrap();
        assert_eq!((order.quantity, order.notional()), (None, Some(Decimal::new(125, 2))));
        assert_eq!(place("market", &[("oflags", "viqc"), ("leverage", "2")]), Err(contradiction));
        assert_eq!(place("limit", &[("oflags", "viqc"), ("price", "1")]), Err(contradiction));
        let order = place("limit", &[("oflags", "post"), ("price", "1")]).unwrap();
        assert_eq!(order.kind, OrderKind::LimitMaker);
        assert_eq!(place("market", &[("oflags", "post")]), Err(contradiction));
    }

    #[test]
    fn a_dry_run_is_marked() {
        assert!(place("market", &[("validate", "true")]).unwrap().dry_run);
        assert!(!place("market", &[("validate", "false")]).unwrap().dry_run);
    }

    #[test]
    fn cancels_and_reads() {
        let one = read("order.cancel", &[("txid", "OQCLML-BW3P3-BUCMWZ")]).unwrap();
        let Reading::Cancels(cancels) = one else { panic!("{one:?}") };
        let cancel = &cancels[0];
        assert_eq!(cancel.order_id.as_deref(), Some("OQCLML-BW3P3-BUCMWZ"));
        assert_eq!(read("orders.cancel_all", &[]), Ok(Reading::CancelAll { symbol: None }));
        assert_eq!(read("balances", &[]), Ok(Reading::None));
    }

    #[test]
    fn a_batch_shares_its_pair_and_its_dry_run() {
        let orders = r#"[{"type":"buy","ordertype":"limit","price":"20000","volume":"0.1","cl_ord_id":"a"},
            {"type":"sell","ordertype":"market","volume":0.2,"leverage":"2","reduce_only":"true"}]"#;
        let batch =
            read("orders.place_batch", &[("pair", "XBTUSD"), ("orders", orders), ("validate", "true")]).unwrap();
        let rows: Vec<_> = batch
            .orders()
            .iter()
            .map(|order| (order.symbol.as_str(), order.side, order.product, order.reduce_only, order.dry_run))
            .collect();
        assert_eq!(
            rows,
            [("XBTUSD", Side::Buy, Product::Spot, false, true), ("XBTUSD", Side::Sell, Product::Margin, true, true)]
        );
        let bad = r#"[{"type":"buy","ordertype":"limit","volume":"0.1"}]"#;
        let refused = read("orders.place_batch", &[("pair", "XBTUSD"), ("orders", bad)]);
        assert_eq!(refused, Err(ReadError::Missing { name: "price" }));
    }

    #[test]
    fn changes_and_cancels_of_several() {
        let id = "OQCLML-BW3P3-BUCMWZ".to_owned();
        let amend = read("order.amend", &[("txid", &id), ("order_qty", "2"), ("limit_price", "3"), ("pair", "XBTUSD")]);
        let expected = Amend {
            order_id: Some(id.clone()),
            quantity: Some(Decimal::TWO),
            price: Some(Decimal::from(3)),
            ..Amend::default()
        };
        assert_eq!(amend, Ok(Reading::Amends(vec![expected])));
        let named = |name: &str| Cancel { client_order_id: Some(name.to_owned()), ..Cancel::default() };
        let several = read("orders.cancel_batch", &[("cl_ord_ids", r#"["a","b"]"#)]);
        assert_eq!(several, Ok(Reading::Cancels(vec![named("a"), named("b")])));
        let several = read("orders.cancel_batch", &[("orders", r#"["OQCLML-BW3P3-BUCMWZ"]"#)]);
        assert_eq!(several, Ok(Reading::Cancels(vec![Cancel { order_id: Some(id), ..Cancel::default() }])));
        assert_eq!(read("orders.cancel_after", &[("timeout", "60")]), Ok(Reading::CancelAll { symbol: None }));
    }
}
