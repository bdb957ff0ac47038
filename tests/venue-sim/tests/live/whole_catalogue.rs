//! Every entry of the catalogue, for the venues whose whole surface is meant to be here.

use serde_json::{Value, json};

use crate::client::{Reply, Sim};

/// Market data that no client library needs.
const UNMODELLED: [&str; 8] = [
    "/api/v3/executionRules",
    "/api/v3/historicalBlockTrades",
    "/api/v3/referencePrice",
    "/api/v3/referencePrice/calculation",
    "/fapi/v1/constituents",
    "/fapi/v1/tradingSchedule",
    "/0/public/*",
    "/0/private/Level3",
];

#[tokio::test]
async fn every_allowed_operation_is_modelled() {
    let sim = Sim::start().await;
    for venue in ["binance", "binance-usdm", "kraken"] {
        sim.register(venue, json!({ "read": true, "trade_spot": true, "trade_derivatives": true })).await;
        for (method, path) in entries(venue) {
            let reply = call(&sim, venue, &method, &path).await;
            let modelled = reply.header("x-sim-unmodelled").is_empty();
            assert_eq!(modelled, !UNMODELLED.contains(&path.as_str()), "{venue} {method} {path}: {}", reply.text);
            assert_ne!(reply.status, 404, "{venue} {method} {path}: {}", reply.text);
        }
    }
    assert_eq!(sim.control("GET", "/_sim/tripwire", &Value::Null).await["count"], 0);
}

async fn call(sim: &Sim, venue: &str, method: &str, path: &str) -> Reply {
    if path.starts_with("/0/private/") {
        return sim.kraken(path, "").await;
    }
    sim.binance(method, &format!("/{venue}{path}"), "symbol=BTCUSDT").await
}

/// Methods and paths of the allowed entries, remarks left out.
fn entries(venue: &str) -> Vec<(String, String)> {
    let catalogue: Value = serde_json::from_str(include_str!("../../data/catalogue.json")).unwrap();
    let lists = catalogue["venues"][venue]["allow"].as_object().unwrap();
    let entries = lists.values().flat_map(|entries| entries.as_array().unwrap());
    entries
        .map(|entry| {
            let mut words = entry.as_str().unwrap().split(' ').map(str::to_owned);
            (words.next().unwrap(), words.next().unwrap())
        })
        .collect()
}
