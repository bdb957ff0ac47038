//! Kraken spot.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
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

#[tokio::test]
async fn a_batch_is_taken_as_a_form_and_as_json_and_canceled_as_one() {
    let sim = trader().await;
    let order = |at: u8, price: u32| {
        format!(
            "orders[{at}][type]=buy&orders[{at}][ordertype]=limit&orders[{at}][price]={price}&orders[{at}][volume]=1"
        )
    };

    let form = format!("pair=XBTUSD&{}&{}", order(0, 60_000), order(1, 61_000));
    let placed = sim.kraken("/0/private/AddOrderBatch", &form).await.json()["result"].clone();
    assert_eq!(placed["orders"][1]["descr"]["order"], "buy 1.00000000 XBTUSD @ limit 61000");
    let list = r#"[{"ordertype":"limit","type":"sell","volume":"1","price":"70000"}]"#;
    let encoded = utf8_percent_encode(list, NON_ALPHANUMERIC).to_string();
    let third = sim.kraken("/0/private/AddOrderBatch", &format!("pair=XBTUSD&orders={encoded}")).await.json();
    assert!(third["result"]["orders"][0]["txid"].is_string(), "{third}");

    let ids: Vec<&str> = (0..2).map(|at| placed["orders"][at]["txid"].as_str().unwrap()).collect();
    let canceled =
        sim.kraken("/0/private/CancelOrderBatch", &format!("orders[0]={}&orders[1]={}", ids[0], ids[1])).await;
    assert_eq!(canceled.json()["result"]["count"], 2);
}

#[tokio::test]
async fn a_batch_with_one_bad_order_places_none() {
    let sim = trader().await;

    let form = "pair=XBTUSD&orders[0][type]=buy&orders[0][ordertype]=limit&orders[0][price]=1&orders[0][volume]=1\
                &orders[1][type]=buy&orders[1][ordertype]=limit&orders[1][volume]=1";
    let refused = sim.kraken("/0/private/AddOrderBatch", form).await.json();

    assert_eq!(refused["error"], json!(["EGeneral:Invalid arguments:price"]));
    assert_eq!(sim.kraken("/0/private/OpenOrders", "").await.json()["result"]["open"], json!({}));
}

#[tokio::test]
async fn an_edited_order_is_another_one_and_an_executed_one_is_a_trade() {
    let sim = trader().await;
    let order = "pair=XBTUSD&type=buy&ordertype=limit&price=60000&volume=0.1";
    let placed = sim.kraken(ADD, order).await.json()["result"]["txid"][0].clone();
    let held = sim.kraken("/0/private/BalanceEx", "").await.json()["result"]["ZUSD"]["hold_trade"].clone();
    assert_eq!(held, "6000.00000000");

    let edit = format!("txid={}&pair=XBTUSD&price=61000", placed.as_str().unwrap());
    let edited = sim.kraken("/0/private/EditOrder", &edit).await.json()["result"].clone();
    assert_eq!((&edited["originaltxid"], edited["txid"] == placed), (&placed, false));
    sim.kraken(ADD, "pair=XBTUSD&type=sell&ordertype=market&volume=0.2").await;

    let trades = sim.kraken("/0/private/TradesHistory", "").await.json()["result"].clone();
    assert_eq!(trades["count"], 1);
    let (id, trade) = trades["trades"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(
        (&trade["type"], &trade["vol"], &trade["price"]),
        (&json!("sell"), &json!("0.20000000"), &json!("65000.00000"))
    );
    let asked = sim.kraken("/0/private/QueryTrades", &format!("txid={id}")).await.json();
    assert_eq!(&asked["result"][id], trade);
}
