//! `TopstepX`.

use serde_json::{Value, json};

use crate::client::{Reply, Sim, json_request};

const USER: &str = "trader@example.com";
const API_KEY: &str = "px-test-api-key";

async fn start(token_life_ms: Option<u64>) -> Sim {
    let sim = Sim::start().await;
    let registration = json!({
        "venue": "topstepx", "key_id": USER, "secret": API_KEY, "token_life_ms": token_life_ms,
        "permissions": { "read": true, "trade_derivatives": true },
    });
    sim.control("POST", "/_sim/keys", &registration).await;
    sim
}

async fn login(sim: &Sim, api_key: &str) -> Value {
    let body = json!({ "userName": USER, "apiKey": api_key });
    let reply = sim.send(json_request("POST", "/topstepx/api/Auth/loginKey", None, &body)).await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

async fn token(sim: &Sim) -> String {
    login(sim, API_KEY).await["token"].as_str().unwrap().to_owned()
}

async fn call(sim: &Sim, token: &str, path: &str, body: Value) -> Reply {
    sim.send(json_request("POST", &format!("/topstepx/api/{path}"), Some(token), &body)).await.unwrap()
}

fn limit(tag: &str) -> Value {
    json!({
        "accountId": 465, "contractId": "CON.F.US.MNQ.Z26", "type": 1, "side": 0, "size": 2, "limitPrice": 24000.25,
        "customTag": tag,
    })
}

#[tokio::test]
async fn an_order_rests_is_modified_and_canceled() {
    let sim = start(None).await;
    let token = token(&sim).await;
    let post = async |path: &str, body: Value| call(&sim, &token, path, body).await.json();

    let placed = post("Order/place", limit("mine-1")).await;
    assert_eq!((&placed["success"], &placed["errorCode"]), (&json!(true), &json!(0)), "{placed}");
    let id = &placed["orderId"];
    assert_eq!(post("Order/place", limit("mine-1")).await["errorCode"], 2, "a tag is good for one order");
    let changed = json!({ "accountId": 465, "orderId": id, "size": 1, "limitPrice": 23000 });
    assert_eq!(post("Order/modify", changed).await["success"], true);
    let open = post("Order/searchOpen", json!({ "accountId": 465 })).await;
    let shown = &open["orders"][0];
    assert_eq!((&shown["id"], &shown["size"], &shown["limitPrice"]), (id, &json!(1), &json!(23000)));
    assert_eq!((&shown["type"], &shown["customTag"]), (&json!(1), &json!("mine-1")));

    let cancel = json!({ "accountId": 465, "orderId": id });
    assert_eq!(post("Order/cancel", cancel.clone()).await["success"], true);
    assert_eq!(post("Order/cancel", cancel).await["errorCode"], 2);
    let all = post("Order/search", json!({ "accountId": 465, "startTimestamp": "2026-01-01T00:00:00Z" })).await;
    assert_eq!(all["orders"][0]["status"], 3);
    assert_eq!(post("Order/place", limit("mine-1")).await["errorCode"], 2, "even after it was canceled");
    assert_eq!(post("Order/search", json!({ "accountId": 7 })).await["errorCode"], 1);
}

#[tokio::test]
async fn a_position_opens_by_a_fill_and_is_closed_in_parts() {
    let sim = start(None).await;
    let token = token(&sim).await;
    let post = async |path: &str, body: Value| call(&sim, &token, path, body).await.json();
    let contract = json!({ "accountId": 465, "contractId": "CON.F.US.MNQ.Z26" });
    let market = json!({ "accountId": 465, "contractId": "CON.F.US.MNQ.Z26", "type": 2, "side": 1, "size": 3 });

    post("Order/place", market).await;
    let held = post("Position/searchOpen", json!({ "accountId": 465 })).await;
    assert_eq!((&held["positions"][0]["type"], &held["positions"][0]["size"]), (&json!(2), &json!(3)));
    let part = json!({ "accountId": 465, "contractId": "CON.F.US.MNQ.Z26", "size": 1 });
    assert_eq!(post("Position/partialCloseContract", part).await["success"], true);
    assert_eq!(post("Position/closeContract", contract.clone()).await["success"], true);
    assert_eq!(post("Position/closeContract", contract).await["errorCode"], 2);
    assert_eq!(post("Trade/search", json!({ "accountId": 465 })).await["trades"].as_array().unwrap().len(), 3);
    let accounts = post("Account/search", json!({ "onlyActiveAccounts": true })).await;
    assert_eq!((&accounts["accounts"][0]["id"], &accounts["accounts"][0]["canTrade"]), (&json!(465), &json!(true)));
    assert_eq!(
        post("Contract/search", json!({ "searchText": "MNQ", "live": false })).await["contracts"][0]["name"],
        "MNQZ6"
    );
}

#[tokio::test]
async fn a_token_is_renewed_and_ends() {
    let sim = start(None).await;
    let wrong = login(&sim, "wrong").await;
    assert_eq!((&wrong["success"], &wrong["errorCode"], &wrong["token"]), (&json!(false), &json!(3), &Value::Null));
    let old = token(&sim).await;
    let validated = call(&sim, &old, "Auth/validate", Value::Null).await.json();
    let new = validated["newToken"].as_str().unwrap();
    for token in [&old, new] {
        assert_eq!(call(&sim, token, "Account/search", json!({})).await.status, 200);
    }
    sim.control("DELETE", "/_sim/tokens/topstepx/trader%40example.com", &Value::Null).await;
    assert_eq!(call(&sim, new, "Account/search", json!({})).await.status, 401);
    assert_eq!(call(&sim, new, "Auth/validate", Value::Null).await.status, 401);

    let sim = start(Some(0)).await;
    let spent = token(&sim).await;
    assert_eq!(call(&sim, &spent, "Account/search", json!({})).await.status, 401);
}

#[tokio::test]
async fn logins_are_counted_apart_and_show_no_secret() {
    let sim = start(None).await;
    let token = token(&sim).await;
    call(&sim, &token, "Auth/validate", Value::Null).await;
    call(&sim, &token, "Auth/logout", Value::Null).await;

    let logins = sim.control("GET", &format!("/_sim/logins?key_id={USER}"), &Value::Null).await;
    assert_eq!(logins["logins"].as_array().unwrap().len(), 2);
    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["calls"][0]["key_id"]), (&json!(1), &json!(USER)));
    for shown in ["raw", "requests", "orders", "tripwire", "logins"] {
        let text = sim.get(&format!("/_sim/{shown}")).await.text;
        assert!(!text.contains(API_KEY) && !text.contains(&token), "{shown}: {text}");
    }
}
