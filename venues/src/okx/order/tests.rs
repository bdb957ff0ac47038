use super::*;
use crate::{Products, VenueId, check, operation};

fn read(name: &str, pairs: &[(&str, &str)]) -> Result<Reading, ReadError> {
    let params = pairs.iter().copied().collect();
    super::read(&check(operation(VenueId::Okx, name).unwrap(), &params).unwrap())
}

fn place(name: &str, pairs: &[(&str, &str)]) -> Result<Order, ReadError> {
    read(name, pairs).map(|reading| reading.orders()[0].clone())
}

fn number(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

/// An order of an instrument, in a mode, for one.
fn of(
    instrument: &'static str,
    mode: &'static str,
    side: &'static str,
    rest: &[(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    let common = [("instId", instrument), ("tdMode", mode), ("side", side), ("sz", "2")];
    [common.as_slice(), rest].concat()
}

const MARKET: (&str, &str) = ("ordType", "market");
const LIMIT: &[(&str, &str)] = &[("ordType", "limit"), ("px", "5")];

#[test]
fn the_name_and_the_mode_tell_the_product() {
    let product =
        |instrument, mode| place("order.place", &of(instrument, mode, "buy", LIMIT)).map(|order| order.product);
    assert_eq!(product("BTC-USDT", "cash"), Ok(Product::Spot));
    assert_eq!(product("BTC-USDT", "cross"), Ok(Product::Margin));
    assert_eq!(product("BTC-USDT", "isolated"), Ok(Product::Margin));
    for contract in ["BTC-USDT-SWAP", "BTC-USD_UM-SWAP", "BTC-USD-260626"] {
        assert_eq!(product(contract, "cross"), Ok(Product::Derivatives));
        assert_eq!(product(contract, "cash"), Err(ReadError::Contradiction { name: "tdMode" }));
    }
    for other in ["BTC", "BTC-USD-260626-90000-C", "BTC-260626", "BTC-USD-UP", "BTC-USD-SWAP-SWAP"] {
        assert_eq!(product(other, "cross"), Err(ReadError::Unreadable { name: "instId" }), "{other}");
    }
}

#[test]
fn kinds_have_the_prices_they_need() {
    for (kind, expected, price) in [
        ("market", Ok(OrderKind::Market), None),
        ("limit", Ok(OrderKind::Limit), Some("5")),
        ("fok", Ok(OrderKind::Limit), Some("5")),
        ("ioc", Ok(OrderKind::Limit), Some("5")),
        ("post_only", Ok(OrderKind::LimitMaker), Some("5")),
        ("limit", Err(ReadError::Missing { name: "px" }), None),
        ("market", Err(ReadError::Contradiction { name: "px" }), Some("5")),
        ("optimal_limit_ioc", Err(ReadError::Contradiction { name: "ordType" }), None),
    ] {
        let priced: Vec<_> = [("ordType", kind)].into_iter().chain(price.map(|price| ("px", price))).collect();
        let order = place("order.place", &of("BTC-USDT", "cash", "sell", &priced));
        assert_eq!(order.map(|order| order.kind), expected, "{kind}");
    }
    let ioc = place("order.place", &of("BTC-USDT-SWAP", "cross", "buy", &[("ordType", "optimal_limit_ioc")])).unwrap();
    assert_eq!((ioc.kind, ioc.contracts), (OrderKind::Market, number("2")));
}

#[test]
fn sizes_count_what_they_say() {
    let (base, quote, wrong) = (Ok((true, false)), Ok((false, true)), Err(ReadError::Contradiction { name: "tgtCcy" }));
    for (mode, side, market, unit, expected) in [
        ("cash", "buy", true, None, quote),
        ("cash", "buy", true, Some("quote_ccy"), quote),
        ("cash", "buy", true, Some("base_ccy"), base),
        ("cash", "sell", true, None, base),
        ("cash", "sell", true, Some("quote_ccy"), quote),
        ("cash", "buy", false, None, base),
        ("cash", "buy", false, Some("base_ccy"), base),
        ("cash", "sell", false, Some("quote_ccy"), wrong),
        ("cross", "buy", true, None, quote),
        ("cross", "buy", true, Some("quote_ccy"), quote),
        ("cross", "buy", true, Some("base_ccy"), wrong),
        ("cross", "sell", true, None, base),
        ("cross", "sell", true, Some("quote_ccy"), wrong),
        ("cross", "buy", false, None, base),
    ] {
        let mut rest = if market { vec![MARKET] } else { LIMIT.to_vec() };
        rest.extend(unit.map(|unit| ("tgtCcy", unit)));
        let order = place("order.place", &of("BTC-USDT", mode, side, &rest));
        let read = order.map(|order| (order.quantity.is_some(), order.quote_quantity.is_some()));
        assert_eq!(read, expected, "{mode} {side} {market} {unit:?}");
    }
    let contract = |rest: &[_]| place("order.place", &of("BTC-USDT-SWAP", "cross", "buy", rest));
    let order = contract(LIMIT).unwrap();
    assert_eq!((order.contracts, order.quantity, order.notional()), (number("2"), None, None));
    assert_eq!(contract(&[MARKET, ("tgtCcy", "base_ccy")]), Err(ReadError::Contradiction { name: "tgtCcy" }));
}

#[test]
fn reduce_only_is_what_okx_guarantees() {
    let reduces = |instrument, mode, side, rest: &[(&'static str, &'static str)]| {
        place("order.place", &of(instrument, mode, side, &[LIMIT, rest].concat())).map(|order| order.reduce_only)
    };
    let contract = |side, rest: &[_]| reduces("BTC-USDT-SWAP", "cross", side, rest);
    let asked = ("reduceOnly", "true");
    assert_eq!(contract("sell", &[asked]), Ok(true));
    assert_eq!(contract("sell", &[asked, ("posSide", "net")]), Ok(true));
    assert_eq!(contract("sell", &[("reduceOnly", "false")]), Ok(false));
    assert_eq!(contract("sell", &[("posSide", "long")]), Ok(true));
    assert_eq!(contract("buy", &[("posSide", "short"), asked]), Ok(true));
    assert_eq!(contract("buy", &[("posSide", "long")]), Ok(false));
    assert_eq!(contract("sell", &[("posSide", "short"), asked]), Err(ReadError::Contradiction { name: "reduceOnly" }));
    assert_eq!(reduces("BTC-USDT", "cross", "sell", &[asked]), Ok(false));
    assert_eq!(reduces("BTC-USDT", "cash", "sell", &[asked]), Err(ReadError::Contradiction { name: "reduceOnly" }));
    let sided = [("posSide", "long")];
    assert_eq!(reduces("BTC-USDT", "cross", "sell", &sided), Err(ReadError::Contradiction { name: "posSide" }));
}

#[test]
fn triggers_say_what_they_lead_to() {
    let algo = |kind, rest: &[_]| {
        place("order.place_algo", &of("BTC-USDT", "cross", "sell", &[&[("ordType", kind)], rest].concat()))
            .map(|order| (order.kind, order.stop_price, order.price))
    };
    let stop = [("slTriggerPx", "4"), ("slOrdPx", "-1")];
    let take = [("tpTriggerPx", "9"), ("tpOrdPx", "8")];
    assert_eq!(algo("conditional", &stop), Ok((OrderKind::Stop, number("4"), None)));
    assert_eq!(algo("conditional", &take), Ok((OrderKind::TakeProfitLimit, number("9"), number("8"))));
    let plain = [("triggerPx", "4"), ("orderPx", "3")];
    assert_eq!(algo("trigger", &plain), Ok((OrderKind::StopLimit, number("4"), number("3"))));
    let both = [stop, take].concat();
    assert_eq!(algo("conditional", &both), Err(ReadError::Contradiction { name: "slTriggerPx" }));
    assert_eq!(algo("trigger", &both), Err(ReadError::Contradiction { name: "slTriggerPx" }));
    assert_eq!(algo("oco", &stop), Err(ReadError::Missing { name: "tpOrdPx" }));
    assert_eq!(algo("conditional", &[]), Err(ReadError::Missing { name: "slOrdPx" }));
    assert_eq!(algo("conditional", &[stop[1]]), Err(ReadError::Missing { name: "slTriggerPx" }));
    let negative = [("slTriggerPx", "4"), ("slOrdPx", "-2")];
    assert_eq!(algo("conditional", &negative), Err(ReadError::Unreadable { name: "slOrdPx" }));

    let pair = [("ordType", "oco"), ("algoClOrdId", "mine")];
    let reading =
        read("order.place_algo", &of("BTC-USDT-SWAP", "cross", "sell", &[&pair, &both[..]].concat())).unwrap();
    let kinds: Vec<_> = reading.orders().iter().map(|order| (order.kind, order.client_order_id.as_deref())).collect();
    assert_eq!(kinds, [(OrderKind::Stop, Some("mine")), (OrderKind::TakeProfitLimit, Some("mine"))]);
}

#[test]
fn a_triggered_market_buy_is_by_value_where_that_is_documented() {
    let buy =
        |mode, kind, rest: &[_]| place("order.place_algo", &of("BTC-USDT", mode, "buy", &[&[kind], rest].concat()));
    let stop = [("slTriggerPx", "4"), ("slOrdPx", "-1")];
    let order = buy("cash", ("ordType", "conditional"), &stop).unwrap();
    assert_eq!((order.quote_quantity, order.quantity), (number("2"), None));
    let plain = [("triggerPx", "4"), ("orderPx", "-1")];
    assert_eq!(buy("cash", ("ordType", "trigger"), &plain), Err(ReadError::Unreadable { name: "sz" }));
}

#[test]
fn amends_and_cancels_name_one_order() {
    let amends = |name, pairs: &[_]| match read(name, pairs) {
        Ok(Reading::Amends(amends)) => Ok(amends),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    let swap = ("instId", "BTC-USDT-SWAP");
    let amend = &amends("order.amend", &[swap, ("ordId", "1"), ("newPx", "4")]).unwrap()[0];
    assert_eq!(
        (amend.product, amend.price, amend.order_id.as_deref()),
        (Some(Product::Derivatives), number("4"), Some("1"))
    );
    let pair = &amends("order.amend", &[("instId", "BTC-USDT"), ("clOrdId", "a"), ("newSz", "4")]).unwrap()[0];
    assert_eq!((pair.product, pair.quantity, pair.client_order_id.as_deref()), (None, number("4"), Some("a")));
    let changed = [swap, ("algoId", "1"), ("newSlTriggerPx", "4"), ("newTpTriggerPx", "9"), ("newTpOrdPx", "8")];
    let prices: Vec<_> =
        amends("order.amend_algo", &changed).unwrap().iter().map(|a| (a.stop_price, a.price)).collect();
    assert_eq!(prices, [(number("4"), None), (number("9"), number("8"))]);
    assert_eq!(amends("order.amend_algo", &[swap, ("algoId", "1"), ("newSz", "3")]).unwrap().len(), 1);

    let two = r#"[{"instId":"BTC-USDT","ordId":"1","clOrdId":"a"}]"#;
    let none = r#"[{"instId":"BTC-USDT","ordId":"1"},{"instId":"BTC-USDT"}]"#;
    for name in ["orders.cancel_batch", "orders.amend_batch"] {
        assert_eq!(read(name, &[("orders", two)]), Err(ReadError::Contradiction { name: "clOrdId" }), "{name}");
        assert_eq!(read(name, &[("orders", none)]), Err(ReadError::Missing { name: "ordId" }), "{name}");
    }
    let algos = r#"[{"instId":"BTC-USDT","algoId":"7"}]"#;
    let cancel = Cancel { symbol: Some("BTC-USDT".to_owned()), order_id: Some("7".to_owned()), client_order_id: None };
    assert_eq!(read("orders.cancel_algos", &[("orders", algos)]), Ok(Reading::Cancels(vec![cancel])));
}

#[test]
fn batches_read_item_by_item() {
    let batch = r#"[{"instId":"BTC-USDT","tdMode":"cash","side":"buy","ordType":"market","sz":"1"},
        {"instId":"ETH-USDT-SWAP","tdMode":"cross","side":"sell","ordType":"limit","sz":"1","px":"2000"}]"#;
    let reading = read("orders.place_batch", &[("orders", batch)]).unwrap();
    assert_eq!(reading.products(), Products::SPOT.union(Products::DERIVATIVES));
    assert_eq!(reading.symbols(), [Some("BTC-USDT"), Some("ETH-USDT-SWAP")]);
    let bad = batch.replace("limit", "market");
    assert_eq!(read("orders.place_batch", &[("orders", &bad)]), Err(ReadError::Contradiction { name: "px" }));
}

#[test]
fn tests_trade_nothing_and_closes_close() {
    assert!(place("order.test", &of("BTC-USDT", "cash", "buy", LIMIT)).unwrap().dry_run);
    let close = Reading::Close { symbol: "BTC-USDT-SWAP".to_owned(), quantity: None };
    assert_eq!(read("position.close", &[("instId", "BTC-USDT-SWAP"), ("mgnMode", "cross")]), Ok(close));
    let lever = [("instId", "BTC-USDT-SWAP"), ("lever", "5"), ("mgnMode", "cross")];
    let setting = Setting { symbol: Some("BTC-USDT-SWAP".to_owned()), leverage: number("5") };
    assert_eq!(read("leverage.set", &lever), Ok(Reading::Setting(setting)));
    assert_eq!(read("orders.cancel_after", &[("timeOut", "60")]), Ok(Reading::CancelAll { symbol: None }));
}
