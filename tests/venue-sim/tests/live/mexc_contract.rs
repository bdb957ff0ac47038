//! MEXC futures.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use hyper::Request;
use serde_json::{Value, json};

use crate::client::{Reply, Sim, now_ms};

const KEY: &str = "mx0vglTESTKEY0001";
const SECRET: &str = "3f1c9a0d5e7b4c2f8a6d0e1b2c3d4e5f";

async fn registered(permissions: Value) -> Sim {
    let sim = Sim::start().await;
    let key = json!({ "venue": "mexc-contract", "key_id": KEY, "secret": SECRET, "permissions": permissions });
    sim.control("POST", "/_sim/keys", &key).await;
    sim
}

async fn trader() -> Sim {
    registered(json!({ "read": true, "trade_derivatives": true })).await
}

fn mac(text: &str) -> String {
    HEXLOWER.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes()).as_ref())
}

/// `sent` is the query of a GET, or the body of a POST; `signed` is what the signature is made of.
async fn send(sim: &Sim, method: &str, path: &str, sent: &str, signed: &str, at_ms: u64) -> Reply {
    let (query, body) = if method == "GET" { (format!("?{sent}"), "") } else { (String::new(), sent) };
    let request = Request::builder()
        .method(method)
        .uri(format!("/mexc-contract/api/v1/private/{path}{query}"))
        .header("ApiKey", KEY)
        .header("Request-Time", at_ms.to_string())
        .header("Signature", mac(&format!("{KEY}{at_ms}{signed}")))
        .header("Content-Type", "application/json")
        .body(body.to_owned().into())
        .unwrap();
    sim.send(request).await.unwrap()
}

async fn get(sim: &Sim, path: &str, query: &str) -> Value {
    send(sim, "GET", path, query, query, now_ms()).await.json()
}

async fn post(sim: &Sim, path: &str, body: Value) -> Value {
    let text = body.to_string();
    send(sim, "POST", path, &text, &text, now_ms()).await.json()
}

/// A call of the spot API, signed as that wants it.
async fn spot(sim: &Sim, method: &str, path: &str, params: &str) -> Value {
    let query = format!("{params}&timestamp={}", now_ms());
    let request = Request::builder()
        .method(method)
        .uri(format!("/mexc-contract{path}?{query}&signature={}", mac(&query)))
        .header("X-MEXC-APIKEY", KEY)
        .body(http_body_util::Full::default())
        .unwrap();
    sim.send(request).await.unwrap().json()
}

fn limit(name: &str) -> Value {
    json!({ "symbol": "BTC_USDT", "price": 60000.5, "vol": 3, "side": 1, "type": 1, "openType": 2, "externalOid": name })
}

#[tokio::test]
async fn an_order_rests_is_changed_and_canceled() {
    let sim = trader().await;

    let placed = post(&sim, "order/create", limit("mine")).await;
    let id: u64 = placed["data"]["orderId"].as_str().unwrap().parse().unwrap();
    assert_eq!(post(&sim, "order/submit", limit("mine")).await["code"], 603);
    assert_eq!(
        post(&sim, "order/change_limit_order", json!({ "orderId": id, "price": 59000, "vol": 2 })).await["code"],
        0
    );
    let open = get(&sim, "order/list/open_orders/BTC_USDT", "page_num=1&page_size=20").await;
    let order = &open["data"][0];
    assert_eq!((&order["price"], &order["vol"], &order["state"]), (&json!(59000), &json!(2), &json!(2)));
    assert_eq!((&order["orderId"], &order["externalOid"]), (&json!(id.to_string()), &json!("mine")));
    let by_name = get(&sim, "order/external/BTC_USDT/mine", "").await;
    assert_eq!(by_name["data"]["orderId"], id.to_string());

    let canceled = post(&sim, "order/cancel", json!([id, 7, id.to_string()])).await;
    let codes: Vec<&Value> = canceled["data"].as_array().unwrap().iter().map(|one| &one["errorCode"]).collect();
    assert_eq!(codes, [&json!(0), &json!(2040), &json!(2041)]);
    assert_eq!(get(&sim, &format!("order/get/{id}"), "").await["data"]["state"], 4);
    let history = get(&sim, "order/list/history_orders", "states=4&symbol=BTC_USDT").await;
    assert_eq!(history["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn orders_go_by_their_own_names_and_in_batches() {
    let sim = trader().await;
    let mut nowhere = limit("c");
    nowhere["symbol"] = json!("NO_PE");

    let said = post(&sim, "order/submit_batch", json!([limit("a"), limit("b"), nowhere])).await;
    assert!(said["data"][0]["orderId"].is_string(), "{said}");
    assert_eq!((&said["data"][2]["externalOid"], &said["data"][2]["errorCode"]), (&json!("c"), &json!(1001)));

    let named = |name: &str| json!({ "symbol": "BTC_USDT", "externalOid": name });
    assert_eq!(post(&sim, "order/cancel_with_external", named("a")).await["code"], 0);
    let said = post(&sim, "order/batch_cancel_with_external", json!([named("a"), named("b")])).await;
    assert_eq!((&said["data"][0]["errorCode"], &said["data"][1]["errorCode"]), (&json!(2041), &json!(0)));
    post(&sim, "order/submit", limit("d")).await;
    assert_eq!(post(&sim, "order/cancel_all", json!({})).await["success"], true);
    assert_eq!(get(&sim, "order/list/open_orders", "").await["data"], json!([]));
}

#[tokio::test]
async fn a_market_order_opens_a_position_that_only_closing_reduces() {
    let sim = trader().await;
    let market = |side: u8| json!({ "symbol": "BTC_USDT", "vol": 100, "side": side, "type": 5, "openType": 2 });

    assert_eq!(post(&sim, "order/create", market(4)).await["code"], 2009);
    post(&sim, "order/create", market(1)).await;
    let change = json!({ "openType": 2, "leverage": 50, "symbol": "BTC_USDT", "positionType": 1 });
    assert_eq!(post(&sim, "position/change_leverage", change).await["code"], 0);
    let held = get(&sim, "position/open_positions", "").await;
    let position = &held["data"][0];
    assert_eq!((&position["holdVol"], &position["positionType"]), (&json!(100), &json!(1)));
    assert_eq!((&position["im"], &position["leverage"]), (&json!(13), &json!(50)), "0.01 BTC at 65000");
    let assets = get(&sim, "account/assets", "").await;
    assert_eq!(assets["data"][0]["availableBalance"], 999_987);
    post(&sim, "order/create", market(4)).await;
    assert_eq!(get(&sim, "position/open_positions", "").await["data"], json!([]));
}

#[tokio::test]
async fn only_the_exact_bytes_in_time_are_accepted() {
    let sim = trader().await;
    let path = "order/list/history_orders";
    let code = async |sent: &str, signed: &str, at_ms: u64| {
        let reply = send(&sim, "GET", path, sent, signed, at_ms).await;
        assert_eq!(reply.status, 200, "the number tells, not the status");
        reply.json()["code"].clone()
    };
    let now = now_ms();
    assert_eq!(code("page_num=1&states=2%2C3", "page_num=1&states=2%2C3", now).await, 0);
    assert_eq!(code("states=2&page_num=1", "page_num=1&states=2", now).await, 0, "the venue sorts");
    assert_eq!(code("states=2&page_num=1", "states=2&page_num=1", now).await, 602, "unsorted");
    assert_eq!(code("page_num=2", "page_num=1", now).await, 602, "altered");
    assert_eq!(code("page_num=1&page_num=1", "page_num=1&page_num=1", now).await, 600, "twice");
    assert_eq!(code("", "", now_ms() - 11_000).await, 513, "late");
    assert_eq!(code("", "", now_ms() + 11_000).await, 513, "early");
    sim.control("DELETE", &format!("/_sim/keys/mexc-contract/{KEY}"), &Value::Null).await;
    assert_eq!(code("", "", now_ms()).await, 402, "dead");
    sim.control("POST", "/_sim/reset", &Value::Null).await;
    assert_eq!(code("", "", now_ms()).await, 401, "never known");
}

#[tokio::test]
async fn the_probe_is_the_spot_apis_and_nothing_else_of_it_is_here() {
    let sim = registered(json!({ "read": true })).await;

    let shown = spot(&sim, "GET", "/api/v3/apiKeyInfo", &format!("accessKey={KEY}")).await;
    assert_eq!(shown["accessKey"], KEY);
    assert_eq!(post(&sim, "order/create", limit("x")).await["code"], 704);
    let change = json!({ "openType": 2, "leverage": 50, "symbol": "BTC_USDT", "positionType": 1 });
    assert_eq!(post(&sim, "position/change_leverage", change).await["code"], 702);
    let tripwire = async || sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!(tripwire().await["count"], 0);
    let refused = spot(&sim, "POST", "/api/v3/capital/transfer", "fromAccountType=FUTURES").await;
    assert_eq!(refused["code"], 700_007);
    assert_eq!((&tripwire().await["count"], &tripwire().await["correctly_signed"]), (&json!(1), &json!(1)));

    let key = json!({ "venue": "mexc-contract", "key_id": KEY, "secret": SECRET, "permissions": {} });
    sim.control("POST", "/_sim/keys", &key).await;
    assert_eq!(get(&sim, "account/assets", "").await["code"], 701);
    assert_eq!(get(&sim, "order/list/open_orders", "").await["code"], 703);
}

#[tokio::test]
async fn haste_is_answered_with_status_200_and_a_number() {
    let sim = trader().await;
    let budget = json!({ "venue": "mexc-contract", "scope": "endpoint", "window_ms": 1_u64 << 50, "max": 1 });
    sim.control("POST", "/_sim/limits", &budget).await;

    assert_eq!(get(&sim, "account/assets", "").await["code"], 0);
    assert_eq!(get(&sim, "account/assets", "").await["code"], 510);
    let detail = sim.get("/mexc-contract/api/v1/contract/detail?symbol=BTC_USDT").await.json();
    assert_eq!(detail["data"]["contractSize"], 0.0001);
}
