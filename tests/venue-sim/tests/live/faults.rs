//! Misbehaviour on demand, and that it ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Sim;

const ORDER: &str = "/binance/api/v3/order";
const LIMIT: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=60000";

async fn trader() -> Sim {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true, "trade_spot": true })).await;
    sim
}

async fn break_once(sim: &Sim, kind: &str) {
    let fault = json!({ "kind": kind, "venue": "binance", "path": "/api/v3/order", "count": 1, "delay_ms": 120 });
    sim.control("POST", "/_sim/faults", &fault).await;
}

async fn orders(sim: &Sim) -> usize {
    let orders = sim.control("GET", "/_sim/orders", &Value::Null).await;
    orders["orders"].as_array().unwrap().len()
}

#[tokio::test]
async fn refusals_come_once_and_execute_nothing() {
    let sim = trader().await;
    for (kind, status, code, retry_after) in [
        ("status_429", 429, -1003, "1"),
        ("status_418", 418, -1003, "120"),
        ("status_5xx", 503, -1001, ""),
        ("dead_key", 401, -2015, ""),
    ] {
        break_once(&sim, kind).await;
        let refused = sim.binance("POST", ORDER, LIMIT).await;
        assert_eq!((refused.status, refused.json()["code"].as_i64()), (status, Some(code)), "{kind}");
        assert_eq!(refused.header("retry-after"), retry_after, "{kind}");
        assert_eq!(orders(&sim).await, 0, "{kind}");
    }
    assert_eq!(sim.binance("POST", ORDER, LIMIT).await.status, 200);
}

#[tokio::test]
async fn an_answer_can_be_lost_although_the_order_was_taken() {
    let sim = trader().await;

    break_once(&sim, "cut_before").await;
    assert!(sim.try_binance("POST", ORDER, LIMIT).await.is_err());
    assert_eq!(orders(&sim).await, 0);
    break_once(&sim, "cut_mid_answer").await;
    assert!(sim.try_binance("POST", ORDER, LIMIT).await.is_err());
    assert_eq!(orders(&sim).await, 1);
    break_once(&sim, "bad_json").await;
    let broken = sim.binance("POST", ORDER, LIMIT).await;
    assert_eq!(broken.status, 200);
    assert!(serde_json::from_str::<Value>(&broken.text).is_err(), "{}", broken.text);
    assert_eq!(orders(&sim).await, 2);

    let executed = json!({ "kind": "status_5xx", "count": 1, "executed": true });
    sim.control("POST", "/_sim/faults", &executed).await;
    assert_eq!(sim.binance("POST", ORDER, LIMIT).await.status, 503);
    assert_eq!(orders(&sim).await, 3, "a 5xx whose order was taken nevertheless");
}

#[tokio::test]
async fn answers_come_late_or_never_until_faults_are_deleted() {
    let sim = trader().await;

    break_once(&sim, "slow").await;
    let asked = Instant::now();
    assert_eq!(sim.binance("POST", ORDER, LIMIT).await.status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(120));

    sim.control("POST", "/_sim/faults", &json!({ "kind": "hang" })).await;
    let patience = Duration::from_millis(150);
    assert!(tokio::time::timeout(patience, sim.binance("POST", ORDER, LIMIT)).await.is_err());
    sim.control("DELETE", "/_sim/faults", &Value::Null).await;
    assert_eq!(sim.binance("POST", ORDER, LIMIT).await.status, 200);
    let receipts = sim.control("GET", "/_sim/requests?venue=binance", &Value::Null).await;
    let faults: Vec<&Value> = receipts["requests"].as_array().unwrap().iter().map(|one| &one["fault"]).collect();
    assert_eq!(faults, [&json!("slow"), &json!("hang"), &Value::Null]);
}

#[tokio::test]
async fn a_fault_keeps_to_its_key() {
    let sim = trader().await;
    sim.control("POST", "/_sim/faults", &json!({ "kind": "status_5xx", "key_id": "somebody else" })).await;
    assert_eq!(sim.binance("POST", ORDER, LIMIT).await.status, 200);
}
