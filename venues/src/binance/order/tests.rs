//! The edges of how Binance's orders read.

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

#[test]
fn a_batch_reads_as_its_orders() {
    let orders = r#"[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":0.5,
        "price":"100","newClientOrderId":"a"},
        {"symbol":"ETHUSDT","side":"SELL","type":"MARKET","quantity":"2","reduceOnly":true}]"#;
    let batch = read(VenueId::BinanceUsdm, "orders.place_batch", &[("batchOrders", orders)]).unwrap();
    let read_as: Vec<_> = batch
        .orders()
        .iter()
        .map(|order| (order.symbol.as_str(), order.side, order.kind, order.reduce_only, order.notional()))
        .collect();
    assert_eq!(
        read_as,
        [
            ("BTCUSDT", Side::Buy, OrderKind::Limit, false, Some(Decimal::from(50))),
            ("ETHUSDT", Side::Sell, OrderKind::Market, true, None),
        ]
    );
    let bad = r#"[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","quantity":"1"}]"#;
    let refused = read(VenueId::BinanceUsdm, "orders.place_batch", &[("batchOrders", bad)]);
    assert_eq!(refused, Err(ReadError::Missing { name: "price" }));
}

#[test]
fn futures_conditionals_have_kinds_of_their_own() {
    for (name, kind, priced) in [
        ("STOP", OrderKind::StopLimit, true),
        ("STOP_MARKET", OrderKind::Stop, false),
        ("TAKE_PROFIT", OrderKind::TakeProfitLimit, true),
        ("TAKE_PROFIT_MARKET", OrderKind::TakeProfit, false),
    ] {
        let mut pairs = vec![
            ("algoType", "CONDITIONAL"),
            ("symbol", "BTCUSDT"),
            ("side", "SELL"),
            ("type", name),
            ("quantity", "1"),
            ("triggerPrice", "90"),
            ("clientAlgoId", "mine"),
        ];
        if priced {
            let refused = read(VenueId::BinanceUsdm, "order.place_algo", &pairs);
            assert_eq!(refused, Err(ReadError::Missing { name: "price" }), "{name}");
            pairs.push(("price", "89"));
        }
        let reading = read(VenueId::BinanceUsdm, "order.place_algo", &pairs).unwrap();
        let [order] = reading.orders() else { panic!("{reading:?}") };
        assert_eq!((order.kind, order.stop_price), (kind, Some(Decimal::from(90))));
        assert_eq!(order.client_order_id.as_deref(), Some("mine"));
    }
}

#[test]
fn changes_cancels_and_settings_of_every_form() {
    let usdm = VenueId::BinanceUsdm;
    let id = |id: &str| Some(id.to_owned());
    let symbol = id("BTCUSDT");
    let one = [("symbol", "BTCUSDT"), ("orderId", "7"), ("side", "BUY"), ("quantity", "2"), ("price", "3")];
    let amend = Amend {
        product: Some(Product::Derivatives),
        symbol: symbol.clone(),
        order_id: id("7"),
        client_order_id: None,
        quantity: Some(Decimal::from(2)),
        price: Some(Decimal::from(3)),
        stop_price: None,
    };
    assert_eq!(read(usdm, "order.amend", &one), Ok(Reading::Amends(vec![amend.clone()])));
    let batch = r#"[{"symbol":"BTCUSDT","orderId":7,"side":"BUY","quantity":"2","price":"3"}]"#;
    let batch = read(usdm, "orders.amend_batch", &[("batchOrders", batch)]);
    assert_eq!(batch, Ok(Reading::Amends(vec![amend.clone()])));
    let nameless = r#"[{"symbol":"BTCUSDT","side":"BUY","quantity":"2","price":"3"}]"#;
    let refused = read(usdm, "orders.amend_batch", &[("batchOrders", nameless)]);
    assert_eq!(refused, Err(ReadError::Missing { name: "orderId" }));
    let less = read(VenueId::Binance, "order.amend", &[("symbol", "BTCUSDT"), ("orderId", "7"), ("newQty", "2")]);
    assert_eq!(less, Ok(Reading::Amends(vec![Amend { price: None, product: Some(Product::Spot), ..amend }])));

    let cancel = |order_id, client_order_id| Cancel { symbol: symbol.clone(), order_id, client_order_id };
    let many = read(usdm, "orders.cancel_batch", &[("symbol", "BTCUSDT"), ("orderIdList", "[7,8]")]);
    assert_eq!(many, Ok(Reading::Cancels(vec![cancel(id("7"), None), cancel(id("8"), None)])));
    let named = [("symbol", "BTCUSDT"), ("origClientOrderIdList", r#"["a"]"#)];
    let named = read(usdm, "orders.cancel_batch", &named);
    assert_eq!(named, Ok(Reading::Cancels(vec![cancel(None, id("a"))])));
    let listed = read(VenueId::Binance, "order_list.cancel", &[("symbol", "BTCUSDT"), ("orderListId", "7")]);
    assert_eq!(listed, Ok(Reading::Cancels(vec![cancel(id("7"), None)])));

    let leverage = read(usdm, "leverage.set", &[("symbol", "BTCUSDT"), ("leverage", "20")]);
    assert_eq!(leverage, Ok(Reading::Setting(Setting { symbol, leverage: Some(Decimal::from(20)) })));
    let mode = read(usdm, "position_mode.set", &[("dualSidePosition", "true")]);
    assert_eq!(mode, Ok(Reading::Setting(Setting::default())));
}

#[test]
fn a_replacement_names_the_old_order_once() {
    let common = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("cancelReplaceMode", "STOP_ON_FAILURE"),
        ("quantity", "1"),
        ("price", "2"),
    ];
    let replace = |names: &[(&str, &str)]| read(VenueId::Binance, "order.replace", &[&common, names].concat());
    assert_eq!(replace(&[]), Err(ReadError::Missing { name: "cancelOrderId" }));
    assert_eq!(replace(&[("cancelOrderId", "7")]).unwrap().orders().len(), 1);
    let both = replace(&[("cancelOrderId", "7"), ("cancelOrigClientOrderId", "a")]);
    assert_eq!(both, Err(ReadError::Contradiction { name: "cancelOrigClientOrderId" }));
}

#[test]
fn a_test_order_is_a_dry_run() {
    let pairs = [("symbol", "BTCUSDT"), ("side", "BUY"), ("type", "MARKET"), ("quantity", "1")];
    for (venue, name) in [
        (VenueId::Binance, "order.test"),
        (VenueId::Binance, "order.test_routed"),
        (VenueId::BinanceUsdm, "order.test"),
    ] {
        assert!(read(venue, name, &pairs).unwrap().orders().iter().all(|order| order.dry_run), "{venue} {name}");
    }
    let routed = read(VenueId::Binance, "order.place_routed", &pairs).unwrap();
    assert!(routed.orders().iter().all(|order| !order.dry_run));
}
