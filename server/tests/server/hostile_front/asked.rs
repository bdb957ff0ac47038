//! What is asked for: the operation, its parameters, the ceiling, the time and the intent.

use std::time::Duration;

use claviger_core::clock::{BootTime, Clock as _, SystemClock};
use claviger_core::keeper::message::{Hello, Refused, Reply, Request};
use claviger_core::store::{IntentKind, Scope};
use claviger_venues::{Product, SecretKind, VenueId};

use super::front::{Enrolled, Front, HIGHEST, HMAC_SECRET, Home, READ, limit_order, refusal, trade};

#[test]
fn nothing_is_answered_before_hello_and_hello_is_said_once() {
    let home = Home::new("hello");
    let (credential, sign) = {
        let mut front = home.keeper();
        front.hello();
        let credential = front.enrolled();
        let sign = front.order(&credential);
        front.end();
        (credential, sign)
    };
    let mut front = home.keeper();

    let tenant = credential.scopes.tenant;
    let early = [
        Request::Sign(Box::new(sign)),
        Request::NewKek { tenant, version: 2 },
        Request::Index { tenant, venue: VenueId::Binance, key_id: "key".to_owned() },
        Request::Pepper { argon2: [1; 32] },
        Request::Bar { scope: Scope::All, up_to: u64::MAX },
        Request::Health,
    ];
    for request in early {
        assert_eq!(refusal(front.ask(&request)), Refused::Hello, "{request:?}");
    }
    let greeting = front.hello();
    assert!(greeting.checkpoint.is_some(), "the token holds what init planted");
    // Nor does another hello lower what the first one said.
    let again = Hello { highest_intent: 0, checkpoint: None, recovery: None };
    assert_eq!(refusal(front.ask(&Request::Hello(again))), Refused::Hello);
    let mut sign = front.order(&credential);
    sign.intent = HIGHEST;
    assert_eq!(front.refused(sign), Refused::Older);
    // The bar that came too early was not set.
    signs(&mut front);
}

#[test]
fn only_intents_above_hellos_highest_are_signed() {
    let home = Home::new("intents");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    for intent in [0, 1, HIGHEST - 1, HIGHEST] {
        let mut sign = front.order(&credential);
        sign.intent = intent;
        assert_eq!(front.refused(sign), Refused::Older, "{intent}");
    }
    let mut sign = front.order(&credential);
    sign.intent = HIGHEST + 1;
    front.signed(sign);
}

#[test]
fn a_deadline_is_neither_past_nor_far_ahead() {
    let home = Home::new("deadlines");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    let now = SystemClock.boot();
    let hour = now.after(Duration::from_hours(1));
    for deadline in [BootTime(0), BootTime(now.0 - 1), now.after(Duration::from_secs(5)), hour, BootTime(u64::MAX)] {
        let mut sign = front.order(&credential);
        sign.deadline = deadline;
        assert_eq!(front.refused(sign), Refused::Deadline, "{deadline:?}, and it is {now:?}");
    }
    signs(&mut front);
}

#[test]
fn the_ceiling_holds_for_class_and_product() {
    let home = Home::new("ceilings");
    let mut front = home.keeper();
    front.hello();
    let reader = front.enrolled_at(VenueId::Binance, SecretKind::Hmac, READ, HMAC_SECRET);
    let trades: [(&str, &[(&str, &str)]); 3] = [
        ("order.place", limit_order(VenueId::Binance)),
        ("order.cancel", &[("symbol", "BTCUSDT"), ("orderId", "1")]),
        ("orders.cancel_all", &[("symbol", "BTCUSDT")]),
    ];
    for (operation, params) in trades {
        let sign = front.sign(&reader, operation, params);
        assert_eq!(front.refused(sign), Refused::Ceiling, "{operation}");
    }
    let account = front.sign(&reader, "account", &[]);
    front.signed(account);

    for (venue, product) in [
        (VenueId::Binance, Product::Derivatives),
        (VenueId::Binance, Product::Margin),
        (VenueId::BinanceUsdm, Product::Spot),
    ] {
        let credential = front.enrolled_at(venue, SecretKind::Hmac, trade(product), HMAC_SECRET);
        let sign = front.order(&credential);
        assert_eq!(front.refused(sign), Refused::Ceiling, "{venue} {product}");
    }
    let spot = front.enrolled_at(VenueId::Kraken, SecretKind::Hmac, trade(Product::Spot), KRAKEN_SECRET);
    let on_margin = [limit_order(VenueId::Kraken), &[("leverage", "2")]].concat();
    let sign = front.sign(&spot, "order.place", &on_margin);
    assert_eq!(front.refused(sign), Refused::Ceiling, "a margin order within the same operation");
    let sign = front.order(&spot);
    front.signed(sign);
}

#[test]
fn the_system_only_probes() {
    let home = Home::new("probes");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    for (operation, params) in [("account", [].as_slice()), ("order.place", limit_order(VenueId::Binance))] {
        let mut sign = front.sign(&credential, operation, params);
        sign.kind = IntentKind::System;
        assert_eq!(front.refused(sign), Refused::System, "{operation}");
    }
}

#[test]
fn who_looks_for_a_lost_order_only_reads() {
    let home = Home::new("looks");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    let cancel = [("symbol", "BTCUSDT"), ("orderId", "1")];
    for (operation, params) in
        [("order.place", limit_order(VenueId::Binance)), ("order.cancel", &cancel), ("key.permissions", &[])]
    {
        let mut sign = front.sign(&credential, operation, params);
        sign.kind = IntentKind::Resolve;
        assert_eq!(front.refused(sign), Refused::System, "{operation}");
    }
    let mut look = front.sign(&credential, "order.get", &[("symbol", "BTCUSDT"), ("origClientOrderId", "x")]);
    look.kind = IntentKind::Resolve;
    front.signed(look);
}

#[test]
fn parameters_are_a_closed_list_without_repetition_and_without_what_signing_owns() {
    let home = Home::new("parameters");
    let mut front = home.keeper();
    front.hello();
    let binance = front.enrolled();
    let kraken = front.enrolled_at(VenueId::Kraken, SecretKind::Hmac, trade(Product::Spot), KRAKEN_SECRET);
    let extra = [
        ("symbol", "ETHUSDT"),
        ("quantity", "0.01"),
        ("timestamp", "1"),
        ("recvWindow", "60000"),
        ("signature", "00"),
        ("Symbol", "BTCUSDT"),
        ("symbol ", "BTCUSDT"),
        ("symbol&side", "BUY"),
        ("sideEffectType", "AUTO_BORROW_REPAY"),
        ("", ""),
        ("\0", "1"),
        ("../../../sapi/v1/capital/withdraw/apply", "1"),
    ];
    for pair in extra {
        refuses_params(&mut front, &binance, &[limit_order(VenueId::Binance), &[pair]].concat());
    }
    for pair in [("nonce", "1"), ("otp", "1"), ("API-Sign", "x"), ("pair", "XBTUSD"), ("close[ordertype]", "market")] {
        refuses_params(&mut front, &kraken, &[limit_order(VenueId::Kraken), &[pair]].concat());
    }
    for value in ["", "BTC USDT", "BTCUSDT&side=SELL", "BTCUSDT\r\nX: y", "BTCUSDT#", "BTC/USDT", "é", "%42TCUSDT"] {
        let mut params = limit_order(VenueId::Binance).to_vec();
        params[0].1 = value;
        refuses_params(&mut front, &binance, &params);
    }
    refuses_params(&mut front, &binance, &limit_order(VenueId::Binance)[1..]);
    refuses_params(&mut front, &binance, &[]);
    signs(&mut front);
}

#[test]
fn an_answer_that_is_too_long_is_refused_and_costs_nobody_the_keeper() {
    let home = Home::new("too-long");
    let mut front = home.keeper();
    front.hello();
    let futures =
        front.enrolled_at(VenueId::KrakenFutures, SecretKind::Hmac, trade(Product::Derivatives), KRAKEN_SECRET);
    // In a form each of the colons and quotes takes three bytes.
    let order = |n: usize| {
        let (tag, id) = (format!("T{}{n:02}", ":".repeat(61)), format!("C{}{n:02}", ":".repeat(33)));
        let (symbol, number) = ("X".repeat(32), "1".repeat(28));
        format!(
            r#"{{"order":"send","order_tag":"{tag}","orderType":"stp","symbol":"{symbol}","side":"sell","size":{number},"limitPrice":{number},"stopPrice":{number},"triggerSignal":"index","reduceOnly":false,"cliOrdId":"{id}"}}"#
        )
    };
    let batch = format!("[{}]", (0..100).map(order).collect::<Vec<_>>().join(","));

    let sign = front.sign(&futures, "orders.place_batch", &[("batchOrder", &batch)]);

    let refused = front.refused(sign);
    assert!(matches!(&refused, Refused::Parameters(why) if why.contains("too long")), "{refused:?}");
    signs(&mut front);
}

#[test]
fn what_needs_no_signature_gets_none() {
    let home = Home::new("market");
    let mut front = home.keeper();
    front.hello();
    let credential = front.enrolled();
    let sign = front.sign(&credential, "ticker", &[("symbol", "BTCUSDT")]);
    let refused = front.refused(sign);
    assert!(matches!(refused, Refused::Parameters(_)), "{refused:?}");
}

const KRAKEN_SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

fn refuses_params(front: &mut Front, credential: &Enrolled, params: &[(&str, &str)]) {
    let sign = front.sign(credential, "order.place", params);
    let refused = front.refused(sign);
    assert!(matches!(refused, Refused::Parameters(_)), "{params:?}: {refused:?}");
}

/// The keeper is as well as before: the other refusals have a reason of their own.
fn signs(front: &mut Front) {
    let credential = front.enrolled();
    let sign = front.order(&credential);
    let reply = front.ask(&Request::Sign(Box::new(sign)));
    assert!(matches!(reply, Reply::Signed(_)), "{reply:?}");
}
