use OrderKind::{Stop, StopLimit, TakeProfit, TakeProfitLimit};

use super::*;
use crate::{VenueId, check, operation};

fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
    let params: Params = pairs.iter().copied().collect();
    crate::read(&check(operation(VenueId::Bybit, name).unwrap(), &params).unwrap())
}

fn place(category: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
    let symbol = if category == "inverse" { "BTCUSD" } else { "BTCUSDT" };
    let common = [("category", category), ("symbol", symbol), ("qty", "2")];
    let reading = read("order.place", &[common.as_slice(), pairs].concat())?;
    let [order] = reading.orders() else { panic!("{reading:?}") };
    Ok(order.clone())
}

fn number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

#[test]
fn a_limit_order_reads_in_full() {
    let pairs = [
        ("side", "Buy"),
        ("orderType", "Limit"),
        ("price", "20000.5"),
        ("orderLinkId", "mine-1"),
        ("reduceOnly", "true"),
        ("positionIdx", "0"),
    ];
    let order = place("linear", &pairs).unwrap();
    assert_eq!(
        order,
        Order {
            symbol: "BTCUSDT".to_owned(),
            side: Side::Buy,
            kind: OrderKind::Limit,
            quantity: number("2"),
            quote_quantity: None,
            contracts: None,
            price: number("20000.5"),
            stop_price: None,
            reduce_only: true,
            client_order_id: Some("mine-1".to_owned()),
            product: Product::Derivatives,
            leverage: None,
            dry_run: false,
        }
    );
    assert_eq!(order.notional(), number("40001.0"));
}

#[test]
fn the_category_says_what_the_quantity_counts() {
    let sized = |category, pairs: &[(&str, &str)]| {
        let order = place(category, pairs)?;
        Ok((order.quantity.is_some(), order.quote_quantity.is_some(), order.product))
    };
    let (buy, sell) = (("side", "Buy"), ("side", "Sell"));
    let (market, limit) = (("orderType", "Market"), [("orderType", "Limit"), ("price", "5")]);
    let unit = |unit| ("marketUnit", unit);
    let contradiction = Err(ReadError::Contradiction { name: "marketUnit" });
    assert_eq!(sized("spot", &[buy, market]), Ok((false, true, Product::Spot)));
    assert_eq!(sized("spot", &[buy, market, unit("quoteCoin")]), Ok((false, true, Product::Spot)));
    assert_eq!(sized("spot", &[buy, market, unit("baseCoin")]), Ok((true, false, Product::Spot)));
    assert_eq!(sized("spot", &[sell, market]), Ok((true, false, Product::Spot)));
    assert_eq!(sized("spot", &[sell, market, unit("quoteCoin")]), contradiction);
    assert_eq!(sized("spot", &[buy, limit[0], limit[1]]), Ok((true, false, Product::Spot)));
    assert_eq!(sized("spot", &[buy, limit[0], limit[1], unit("quoteCoin")]), contradiction);
    assert_eq!(sized("spot", &[buy, market, ("isLeverage", "1")]), Ok((false, true, Product::Margin)));
    assert_eq!(sized("linear", &[buy, market]), Ok((true, false, Product::Derivatives)));
    assert_eq!(sized("inverse", &[sell, market]), Ok((false, true, Product::Derivatives)));
    assert_eq!(sized("linear", &[buy, market, unit("baseCoin")]), contradiction);
    let mixed = [("category", "inverse"), ("symbol", "BTCUSDT"), ("qty", "2"), buy, market];
    assert_eq!(read("order.place", &mixed), Err(ReadError::Contradiction { name: "category" }));
    let borrowed = sized("linear", &[buy, market, ("isLeverage", "1")]);
    assert_eq!(borrowed, Err(ReadError::Contradiction { name: "isLeverage" }));
}

#[test]
fn triggers_read_by_their_direction() {
    let kind = |category, side, direction: Option<&'static str>, filter: Option<&'static str>, kind| {
        let mut pairs = vec![("side", side), ("orderType", kind), ("triggerPrice", "7")];
        pairs.extend(direction.map(|direction| ("triggerDirection", direction)));
        pairs.extend(filter.map(|filter| ("orderFilter", filter)));
        pairs.extend((kind == "Limit").then_some(("price", "6")));
        place(category, &pairs).map(|order| (order.kind, order.stop_price.is_some()))
    };
    for (category, side, direction, filter, order_type, expected) in [
        ("linear", "Sell", Some("2"), None, "Market", Stop),
        ("linear", "Buy", Some("1"), None, "Limit", StopLimit),
        ("linear", "Sell", Some("1"), None, "Market", TakeProfit),
        ("inverse", "Buy", Some("2"), None, "Limit", TakeProfitLimit),
        ("spot", "Sell", None, Some("StopOrder"), "Market", Stop),
        ("spot", "Sell", Some("2"), Some("tpslOrder"), "Limit", StopLimit),
    ] {
        assert_eq!(kind(category, side, direction, filter, order_type), Ok((expected, true)), "{category} {side}");
    }
    let contradiction = |name| Err(ReadError::Contradiction { name });
    assert_eq!(kind("linear", "Sell", None, None, "Market"), contradiction("triggerPrice"));
    assert_eq!(kind("linear", "Sell", Some("1"), Some("StopOrder"), "Market"), contradiction("orderFilter"));
    assert_eq!(kind("spot", "Sell", None, None, "Market"), Err(ReadError::Missing { name: "orderFilter" }));
    let waits_for_nothing = place("linear", &[("side", "Buy"), ("orderType", "Market"), ("triggerDirection", "1")]);
    assert_eq!(waits_for_nothing, Err(ReadError::Missing { name: "triggerPrice" }));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let contradiction = |name| Err(ReadError::Contradiction { name });
    let market = [("side", "Buy"), ("orderType", "Market")];
    let with = |category, pair| place(category, &[market.as_slice(), &[pair]].concat());
    assert_eq!(with("linear", ("price", "5")), contradiction("price"));
    assert_eq!(with("linear", ("timeInForce", "PostOnly")), contradiction("timeInForce"));
    assert_eq!(with("spot", ("reduceOnly", "true")), contradiction("reduceOnly"));
    assert_eq!(with("spot", ("closeOnTrigger", "true")), contradiction("reduceOnly"));
    let makes = [("side", "Buy"), ("orderType", "Limit"), ("price", "5"), ("timeInForce", "PostOnly")];
    assert_eq!(place("spot", &makes).unwrap().kind, OrderKind::LimitMaker);
}

#[test]
fn a_check_before_an_order_trades_nothing() {
    let pairs = [("category", "linear"), ("symbol", "BTCUSDT"), ("side", "Buy"), ("orderType", "Market"), ("qty", "1")];
    assert!(read("order.test", &pairs).unwrap().orders()[0].dry_run);
}

#[test]
fn batches_read_item_by_item() {
    let batch = |name, items| read(name, &[("category", "spot"), ("request", items)]);
    let orders = batch(
        "orders.place_batch",
        r#"[{"symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"1","price":"9"},
            {"symbol":"ETHUSDT","side":"Sell","orderType":"Market","qty":"3"}]"#,
    )
    .unwrap();
    let read: Vec<_> = orders.orders().iter().map(|order| (order.symbol.as_str(), order.kind, order.product)).collect();
    let spot = Product::Spot;
    assert_eq!(read, [("BTCUSDT", OrderKind::Limit, spot), ("ETHUSDT", OrderKind::Market, spot)]);
    let one_is_bad = r#"[{"symbol":"A","orderId":"1"},{"symbol":"B"}]"#;
    assert_eq!(batch("orders.cancel_batch", one_is_bad), Err(ReadError::Missing { name: "orderId" }));
    let two_names = r#"[{"symbol":"A","orderId":"1","orderLinkId":"x"}]"#;
    assert_eq!(batch("orders.amend_batch", two_names), Err(ReadError::Contradiction { name: "orderLinkId" }));
    let amends = batch("orders.amend_batch", r#"[{"symbol":"A","orderLinkId":"x","price":"4"}]"#).unwrap();
    assert_eq!(amends.products(), crate::Products::SPOT);
    let Reading::Amends(amends) = amends else { panic!("{amends:?}") };
    assert_eq!((amends[0].price, amends[0].client_order_id.as_deref()), (number("4"), Some("x")));
}

#[test]
fn stops_close_and_settings_set() {
    let stop = |pairs: &[(&str, &str)]| {
        let common = [("category", "linear"), ("symbol", "BTCUSDT"), ("positionIdx", "0")];
        read("position.stops", &[common.as_slice(), pairs].concat())
    };
    let closes = |quantity| Ok(Reading::Close { symbol: "BTCUSDT".to_owned(), quantity });
    let (full, part) = (("tpslMode", "Full"), ("tpslMode", "Partial"));
    assert_eq!(stop(&[full, ("stopLoss", "5")]), closes(None));
    assert_eq!(stop(&[part, ("stopLoss", "5"), ("slSize", "1")]), closes(number("1")));
    assert_eq!(stop(&[full]), Err(ReadError::Missing { name: "stopLoss" }));
    assert_eq!(stop(&[part, ("takeProfit", "5")]), Err(ReadError::Missing { name: "slSize" }));
    assert_eq!(stop(&[full, ("stopLoss", "5"), ("slSize", "1")]), Err(ReadError::Contradiction { name: "tpslMode" }));
    let unequal = stop(&[part, ("stopLoss", "5"), ("slSize", "1"), ("tpSize", "2")]);
    assert_eq!(unequal, Err(ReadError::Contradiction { name: "slSize" }));

    let pairs = [("category", "linear"), ("symbol", "BTCUSDT"), ("buyLeverage", "3"), ("sellLeverage", "10")];
    let setting = Setting { symbol: Some("BTCUSDT".to_owned()), leverage: number("10") };
    assert_eq!(read("leverage.set", &pairs), Ok(Reading::Setting(setting)));
    let all = read("orders.cancel_all", &[("category", "spot")]);
    assert_eq!(all, Ok(Reading::CancelAll { symbol: None }));
}
