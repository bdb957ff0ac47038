//! Rates: counted always, refused only when a test says so, in each venue's own words.

use serde_json::{Value, json};

use crate::client::Sim;

const ORDER: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=60000";
/// Longer than any test runs, so that no window ends within one.
const LONG_MS: u64 = 1 << 50;

async fn trader(venue: &str) -> Sim {
    let sim = Sim::start().await;
    sim.register(venue, json!({ "read": true, "trade_spot": true, "trade_derivatives": true })).await;
    sim
}

async fn set(sim: &Sim, limit: Value) {
    sim.control("POST", "/_sim/limits", &limit).await;
}

async fn refused(sim: &Sim, venue: &str) -> Value {
    let shown = sim.control("GET", "/_sim/limits", &Value::Null).await;
    assert_eq!(shown["refused"], shown["venues"][venue]["refused"]);
    shown["refused"].clone()
}

#[tokio::test]
async fn nobody_is_refused_unless_asked_for_but_all_is_counted() {
    let sim = trader("binance").await;
    let mut used = Vec::new();
    for _ in 0..3 {
        let reply = sim.get("/binance/api/v3/ticker/price").await;
        assert_eq!(reply.status, 200);
        used.push(reply.header("x-mbx-used-weight-1m").to_owned());
    }
    // A minute may end within the test, but not two.
    assert!(used[0] == "2" && (used[1] == "4" || used[2] == "4"), "{used:?}");
    assert_eq!(refused(&sim, "binance").await, 0);
}

#[tokio::test]
async fn binance_says_429_then_418_and_counts_orders_apart() {
    let sim = trader("binance").await;
    set(&sim, json!({ "venue": "binance", "scope": "orders", "window_ms": LONG_MS, "max": 1 })).await;

    assert_eq!(sim.binance("POST", "/binance/api/v3/order", ORDER).await.status, 200);
    let order = sim.binance("POST", "/binance/api/v3/order", ORDER).await;
    assert_eq!((order.status, order.json()["code"].as_i64()), (429, Some(-1015)));
    assert_eq!(sim.binance("GET", "/binance/api/v3/account", "").await.status, 200);

    sim.control("DELETE", "/_sim/limits", &Value::Null).await;
    let by_address = json!({
        "venue": "binance", "scope": "address", "window_ms": LONG_MS, "max": 1, "ban_after": 2, "ban_ms": 60_000,
    });
    set(&sim, by_address).await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let reply = sim.get("/binance/api/v3/ping").await;
        statuses.push((reply.status, reply.header("retry-after").is_empty()));
    }
    assert_eq!(statuses, [(200, true), (429, false), (418, false)]);
    assert_eq!(refused(&sim, "binance").await, 2);
}

#[tokio::test]
async fn kraken_answers_200_and_leaves_orders_to_the_trading_engine() {
    let sim = trader("kraken").await;
    set(&sim, json!({ "venue": "kraken", "scope": "key", "window_ms": LONG_MS, "max": 1, "decays": true })).await;
    let balance = || sim.kraken("/0/private/Balance", "");

    assert_eq!(balance().await.json()["error"], json!([]));
    let over = balance().await;
    assert_eq!((over.status, over.json()["error"].clone()), (200, json!(["EAPI:Rate limit exceeded"])));
    let order = "pair=XBTUSD&type=buy&ordertype=limit&price=60000&volume=0.1";
    assert_eq!(sim.kraken("/0/private/AddOrder", order).await.json()["error"], json!([]));
}

#[tokio::test]
async fn the_documented_figures_are_a_switch() {
    let sim = trader("kraken").await;
    sim.control("POST", "/_sim/limits/strict", &json!({ "on": true })).await;

    let mut answers = Vec::new();
    for _ in 0..30 {
        answers.push(sim.kraken("/0/private/Balance", "").await.json()["error"] == json!([]));
    }

    assert!(answers.iter().take(20).all(|good| *good), "{answers:?}");
    assert!(answers.contains(&false), "{answers:?}");
    assert!(refused(&sim, "kraken").await.as_u64() > Some(0));
}

#[tokio::test]
async fn a_forged_call_takes_nothing_from_a_keys_budget() {
    let sim = trader("kraken").await;
    set(&sim, json!({ "venue": "kraken", "scope": "key", "window_ms": LONG_MS, "max": 1, "decays": true })).await;

    for _ in 0..3 {
        let forged = crate::client::kraken_request("/0/private/Balance", "nonce=1", "AAAA");
        assert_eq!(sim.send(forged).await.unwrap().json()["error"], json!(["EAPI:Invalid signature"]));
    }

    assert_eq!(sim.kraken("/0/private/Balance", "").await.json()["error"], json!([]));
}
