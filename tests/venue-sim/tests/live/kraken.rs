//! Kraken spot.

use serde_json::{Value, json};

use crate::client::{Sim, kraken_request, kraken_signature, now_ns};

const ADD: &str = "/0/private/AddOrder";
const LIMIT: &str = "pair=XBTUSD&type=buy&ordertype=limit&price=37500&volume=1.25";

async fn trader() -> Sim {
    let sim = Sim::start().await;
    sim.register("kraken", json!({ "read": true, "trade_spot": true })).await;
    sim
}

#[tokio::test]
async fn an_order_rests_until_it_is_canceled() {
    let sim = trader().await;

    let placed = sim.kraken(ADD, &format!("{LIMIT}&cl_ord_id=mine-1&userref=7")).await.json();
    assert_eq!(placed["result"]["descr"]["order"], "buy 1.25000000 XBTUSD @ limit 37500");
    let txid = placed["result"]["txid"][0].as_str().unwrap();
    let duplicate = sim.kraken(ADD, &format!("{LIMIT}&cl_ord_id=mine-1")).await.json();
    assert_eq!(duplicate, json!({ "error": ["EGeneral:Invalid arguments:cl_ord_id"] }));

    let open = sim.kraken("/0/private/OpenOrders", "userref=7").await.json();
    assert_eq!(open["result"]["open"][txid]["cl_ord_id"], "mine-1");
    let none = sim.kraken("/0/private/OpenOrders", "userref=8").await.json();
    assert_eq!(none["result"]["open"], json!({}));
    let one = sim.kraken("/0/private/QueryOrders", &format!("txid={txid}")).await.json();
    assert_eq!(one["result"][txid]["status"], "open");

    let canceled = sim.kraken("/0/private/CancelOrder", &format!("txid={txid}")).await.json();
    assert_eq!(canceled, json!({ "error": [], "result": { "count": 1 } }));
    let again = sim.kraken("/0/private/CancelOrder", "cl_ord_id=mine-1").await.json();
    assert_eq!(again, json!({ "error": ["EOrder:Unknown order"] }));
    let closed = sim.kraken("/0/private/ClosedOrders", "").await.json();
    assert_eq!(closed["result"]["closed"][txid]["status"], "canceled");
}

#[tokio::test]
async fn a_market_order_fills_and_cancel_all_counts() {
    let sim = trader().await;
    sim.kraken(ADD, "pair=XXBTZUSD&type=buy&ordertype=market&volume=2").await;
    sim.kraken(ADD, LIMIT).await;
    sim.kraken(ADD, LIMIT).await;

    let balance = sim.kraken("/0/private/Balance", "").await.json();
    assert_eq!(balance["result"]["XXBT"], "12.0000000000");
    assert_eq!(balance["result"]["ZUSD"], "870000.0000000000");
    let canceled = sim.kraken("/0/private/CancelAll", "").await.json();
    assert_eq!(canceled["result"]["count"], 2);
    let positions = sim.kraken("/0/private/OpenPositions", "").await.json();
    assert_eq!(positions["result"], json!({}), "spot fills open no position");
}

#[tokio::test]
async fn a_dry_run_leaves_no_order() {
    let sim = trader().await;

    let tried = sim.kraken(ADD, &format!("{LIMIT}&validate=true")).await.json();

    assert_eq!(tried["result"]["txid"], Value::Null);
    let orders = sim.control("GET", "/_sim/orders", &Value::Null).await;
    assert_eq!(orders["orders"], json!([]));
}

#[tokio::test]
async fn nonces_must_rise_and_a_forged_one_is_not_used_up() {
    let sim = trader().await;
    let balance = "/0/private/Balance";
    let first = now_ns();
    let errors = |reply: crate::client::Reply| reply.json()["error"].clone();

    let far = first + 1_000_000;
    let body = format!("nonce={far}");
    let forged = kraken_request(balance, &body, &kraken_signature("/0/private/Other", far, &body));
    assert_eq!(errors(sim.send(forged).await.unwrap()), json!(["EAPI:Invalid signature"]));
    assert_eq!(errors(sim.kraken_with_nonce(balance, "", first).await), json!([]));
    for late in [first, first - 1, first / 1_000_000] {
        assert_eq!(errors(sim.kraken_with_nonce(balance, "", late).await), json!(["EAPI:Invalid nonce"]));
    }
    assert_eq!(errors(sim.kraken_with_nonce(balance, "", first + 1).await), json!([]));

    let info = sim.kraken_with_nonce("/0/private/GetApiKeyInfo", "", first + 2).await.json();
    assert_eq!(info["result"]["nonce"], (first + 2).to_string());
}

#[tokio::test]
async fn a_key_does_what_its_boxes_say_and_the_probe_shows_them() {
    let sim = Sim::start().await;
    sim.register("kraken", json!({ "read": true, "withdraw": true, "extra": ["earn-tomorrow"] })).await;

    let denied = sim.kraken(ADD, LIMIT).await.json();
    assert_eq!(denied, json!({ "error": ["EGeneral:Permission denied"] }));
    let info = sim.kraken("/0/private/GetApiKeyInfo", "").await.json();
    let expected =
        ["query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "withdraw-funds", "earn-tomorrow"];
    assert_eq!(info["result"]["permissions"], json!(expected));
    let withdrawn = sim.kraken("/0/private/Withdraw", "asset=XBT&key=mine&amount=1").await.json();
    assert!(withdrawn["result"]["refid"].is_string(), "{withdrawn}");
    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!(tripwire["calls"][0]["rule"], "POST /0/private/Withdraw");
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn an_unknown_key_or_method_is_said_in_krakens_words() {
    let sim = Sim::start().await;
    let dead = sim.kraken("/0/private/Balance", "").await.json();
    assert_eq!(dead, json!({ "error": ["EAPI:Invalid key"] }));
    let unknown = sim.kraken("/0/private/Nothing", "").await.json();
    assert_eq!(unknown, json!({ "error": ["EGeneral:Unknown method"] }));
    let ticker = sim.get("/kraken/0/public/Ticker?pair=XBTUSD").await.json();
    assert_eq!(ticker["result"]["XXBTZUSD"]["c"][0], "65000.00000");
}
