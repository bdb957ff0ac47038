//! Tradovate.

use serde_json::{Value, json};

use crate::client::{Reply, Sim, json_request};

const PASSWORD: &str = "correct horse battery staple";
const SEC: &str = "f03741b6-f634-48d6-9308-c8fb871150c2";
const LOGIN: &str = "/tradovate/v1/auth/accesstokenrequest";
const RENEWAL: &str = "/tradovate/v1/auth/renewaccesstoken";

async fn start(parts: Value, token_life_ms: Option<u64>) -> Sim {
    let sim = Sim::start().await;
    let registration = json!({
        "venue": "tradovate", "key_id": "user1", "secret": PASSWORD, "parts": parts, "token_life_ms": token_life_ms,
        "permissions": { "read": true, "trade_derivatives": true },
    });
    sim.control("POST", "/_sim/keys", &registration).await;
    sim
}

async fn login(sim: &Sim, password: &str, ticket: Option<&str>) -> Value {
    let mut body = json!({
        "name": "user1", "password": password, "appId": "Claviger", "appVersion": "1.0", "cid": 1234, "sec": SEC,
        "deviceId": "123e4567-e89b-12d3-a456-426614174000",
    });
    if let Some(ticket) = ticket {
        body["p-ticket"] = ticket.into();
    }
    let reply = sim.send(json_request("POST", LOGIN, None, &body)).await.unwrap();
    assert_eq!(reply.status, 200, "a login that fails is 200 too");
    reply.json()
}

async fn token(sim: &Sim) -> String {
    let answer = login(sim, PASSWORD, None).await;
    assert!(answer["accessToken"].is_string(), "{answer}");
    answer["accessToken"].as_str().unwrap().to_owned()
}

async fn call(sim: &Sim, token: &str, method: &str, path: &str, body: Value) -> Reply {
    sim.send(json_request(method, &format!("/tradovate/v1{path}"), Some(token), &body)).await.unwrap()
}

async fn is_valid(sim: &Sim, token: &str) -> bool {
    call(sim, token, "GET", "/auth/me", Value::Null).await.status == 200
}

fn limit(client_id: &str) -> Value {
    json!({
        "accountSpec": "DEMO1234567", "accountId": 1_234_567, "action": "Buy", "symbol": "MNQZ6", "orderQty": 2,
        "orderType": "Limit", "price": 24000.25, "timeInForce": "Day", "isAutomated": true, "clOrdId": client_id,
    })
}

#[tokio::test]
async fn an_order_rests_is_modified_and_canceled() {
    let sim = start(json!({}), None).await;
    let token = token(&sim).await;
    let post = async |path: &str, body: Value| call(&sim, &token, "POST", path, body).await.json();
    let get = async |path: String| call(&sim, &token, "GET", &path, Value::Null).await.json();

    let id = post("/order/placeorder", limit("mine-1")).await["orderId"].as_u64().unwrap();
    assert_eq!(get(format!("/order/item?id={id}")).await["ordStatus"], "Working");
    assert_eq!(get(format!("/command/deps?masterid={id}")).await[0]["clOrdId"], "mine-1");
    assert!(
        post("/order/modifyorder", json!({ "orderId": id, "orderQty": 3, "price": 23000 })).await["commandId"].is_u64()
    );
    let version = get(format!("/orderVersion/deps?masterid={id}")).await;
    assert_eq!((&version[0]["orderQty"], &version[0]["price"]), (&json!(3), &json!(23000)));
    assert!(post("/order/cancelorder", json!({ "orderId": id })).await["commandId"].is_u64());
    assert_eq!(post("/order/cancelorder", json!({ "orderId": id })).await["failureReason"], "TooLate");

    let first = post("/order/placeorder", limit("twice")).await;
    let second = post("/order/placeorder", limit("twice")).await;
    assert!(first["orderId"].is_u64() && second["orderId"].is_u64(), "a repeated name is another order");
    let foreign = post("/order/placeorder", json!({ "accountId": 7, "symbol": "MNQZ6" })).await;
    assert_eq!(foreign["failureReason"], "AccountClosed");
}

#[tokio::test]
async fn a_position_opens_by_a_fill_and_is_liquidated() {
    let sim = start(json!({ "accounts": "42" }), None).await;
    let token = token(&sim).await;
    let market = json!({ "accountId": 42, "action": "Sell", "symbol": "MNQZ6", "orderQty": 2, "orderType": "Market" });

    let placed = call(&sim, &token, "POST", "/order/placeorder", market).await.json();
    let positions = call(&sim, &token, "GET", "/position/list", Value::Null).await.json();
    assert_eq!((&positions[0]["netPos"], &positions[0]["accountId"]), (&json!(-2), &json!(42)), "{placed}");
    let liquidate = json!({ "accountId": 42, "contractId": positions[0]["contractId"], "admin": false });
    let closed = call(&sim, &token, "POST", "/order/liquidateposition", liquidate).await.json();
    assert!(closed["orderId"].is_u64(), "{closed}");
    assert_eq!(call(&sim, &token, "GET", "/position/list", Value::Null).await.json(), json!([]));
    assert_eq!(call(&sim, &token, "GET", "/fill/list", Value::Null).await.json().as_array().unwrap().len(), 2);
    let account = call(&sim, &token, "GET", "/account/find?name=DEMO42", Value::Null).await.json();
    assert_eq!(account["id"], 42);
}

#[tokio::test]
async fn a_renewal_keeps_the_old_token_and_a_third_session_ends_the_first() {
    let sim = start(json!({}), None).await;
    let first = token(&sim).await;
    let renewed = sim.send(json_request("GET", RENEWAL, Some(&first), &Value::Null)).await.unwrap().json();
    let renewed = renewed["accessToken"].as_str().unwrap().to_owned();
    assert!(renewed != first && is_valid(&sim, &first).await && is_valid(&sim, &renewed).await);

    let second = token(&sim).await;
    assert!(is_valid(&sim, &renewed).await, "a renewal opens no session");
    token(&sim).await;
    assert!(!is_valid(&sim, &first).await && !is_valid(&sim, &renewed).await && is_valid(&sim, &second).await);
}

#[tokio::test]
async fn tokens_end_by_themselves_and_on_demand() {
    let sim = start(json!({}), Some(0)).await;
    let spent = token(&sim).await;
    let refused = call(&sim, &spent, "GET", "/auth/me", Value::Null).await;
    assert_eq!((refused.status, refused.text.as_str()), (401, "Access is denied"));

    let sim = start(json!({}), None).await;
    let token = token(&sim).await;
    assert!(is_valid(&sim, &token).await);
    sim.control("DELETE", "/_sim/tokens/tradovate/user1", &Value::Null).await;
    assert!(!is_valid(&sim, &token).await);
}

#[tokio::test]
async fn guessing_is_slowed_down_until_the_ticket_is_redeemed() {
    let sim = start(json!({ "sec": SEC, "p-time": "0" }), None).await;
    for _ in 0..2 {
        assert!(login(&sim, "wrong", None).await["errorText"].is_string());
    }
    let penalty = login(&sim, "wrong", None).await;
    let ticket = penalty["p-ticket"].as_str().unwrap();
    assert_eq!(login(&sim, PASSWORD, None).await["p-ticket"], ticket, "the right password needs the ticket, too");
    assert!(login(&sim, PASSWORD, Some(ticket)).await["accessToken"].is_string());

    let sim = start(json!({ "cid": "99" }), None).await;
    assert!(login(&sim, PASSWORD, None).await["errorText"].is_string(), "another cid is registered");
    let sim = start(json!({}), None).await;
    for _ in 0..3 {
        login(&sim, "wrong", None).await;
    }
    assert_eq!(login(&sim, PASSWORD, None).await["p-time"].as_u64(), Some(15));
}

#[tokio::test]
async fn logins_are_counted_apart_and_show_no_secret() {
    let sim = start(json!({}), None).await;
    let token = token(&sim).await;
    login(&sim, "wrong", None).await;
    sim.send(json_request("POST", RENEWAL, Some(&token), &json!({}))).await.unwrap();

    let logins = sim.control("GET", "/_sim/logins?venue=tradovate", &Value::Null).await;
    let seen: Vec<(&Value, &Value)> =
        logins["logins"].as_array().unwrap().iter().map(|one| (&one["key_id"], &one["accepted"])).collect();
    let (user, yes, no) = (json!("user1"), json!(true), json!(false));
    assert_eq!(seen, [(&user, &yes), (&json!(""), &no), (&user, &yes)]);
    assert_eq!(sim.control("GET", "/_sim/tripwire", &Value::Null).await["count"], 0);
    for shown in ["raw", "requests", "orders", "tripwire", "logins"] {
        let text = sim.get(&format!("/_sim/{shown}")).await.text;
        assert!(!text.contains(PASSWORD) && !text.contains(SEC) && !text.contains(&token), "{shown}: {text}");
    }
}

#[tokio::test]
async fn what_costs_money_or_changes_the_user_trips_the_wire() {
    let sim = start(json!({}), None).await;
    let token = token(&sim).await;
    for path in [
        "/user/modifypassword",
        "/auth/oauthtoken",
        "/tradovateSubscription/create",
        "/userAccountAutoLiq/update",
        "/cashBalance/changedemobalance",
    ] {
        call(&sim, &token, "POST", path, json!({ "password": PASSWORD })).await;
    }
    let elsewhere =
        json_request("POST", "/topstepx/v1/auth/accesstokenrequest", None, &json!({ "password": PASSWORD }));
    sim.send(elsewhere).await.unwrap();

    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(6), &json!(5)), "{tripwire}");
    assert!(!sim.get("/_sim/raw").await.text.contains(PASSWORD));
}
