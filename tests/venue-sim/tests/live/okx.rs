//! OKX.

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use hyper::Request;
use serde_json::{Value, json};

use crate::client::{Sim, now_ms};

const KEY: &str = "0a1b2c3d-1111-2222-3333-444455556666";
const SECRET: &str = "22582BD0CFF14C41EDBF1AB98506286D";
const ORDER: &str = "/api/v5/trade/order";

async fn registered(permissions: Value, parts: Value) -> Sim {
    let sim = Sim::start().await;
    let key = json!({ "venue": "okx", "key_id": KEY, "secret": SECRET, "parts": parts, "permissions": permissions });
    sim.control("POST", "/_sim/keys", &key).await;
    sim
}

async fn trader() -> Sim {
    registered(json!({ "read": true, "trade_spot": true }), json!({ "passphrase": "Pass phrase!1" })).await
}

/// What can be told apart in a request's headers.
struct Headers {
    at_ms: u64,
    passphrase: &'static str,
    simulated: &'static str,
}

impl Headers {
    fn right() -> Self {
        Self { at_ms: now_ms(), passphrase: "Pass phrase!1", simulated: "0" }
    }
}

async fn call(sim: &Sim, method: &str, path: &str, body: &Value) -> Value {
    send(sim, method, path, body, path, Headers::right()).await
}

async fn send(sim: &Sim, method: &str, path: &str, body: &Value, signed_path: &str, headers: Headers) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let at_ms = i64::try_from(headers.at_ms).unwrap();
    let timestamp = format!("{:.3}", jiff::Timestamp::from_millisecond(at_ms).unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{timestamp}{method}{signed_path}{body}");
    let request = Request::builder()
        .method(method)
        .uri(format!("/okx{path}"))
        .header("OK-ACCESS-KEY", KEY)
        .header("OK-ACCESS-SIGN", BASE64.encode(hmac::sign(&key, signed.as_bytes()).as_ref()))
        .header("OK-ACCESS-TIMESTAMP", timestamp)
        .header("OK-ACCESS-PASSPHRASE", headers.passphrase)
        .header("x-simulated-trading", headers.simulated)
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap();
    sim.send(request).await.unwrap().json()
}

fn limit(client_id: &str) -> Value {
    json!({ "instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "limit", "sz": "0.5", "px": "60000",
            "clOrdId": client_id })
}

#[tokio::test]
async fn an_order_rests_is_amended_and_canceled() {
    let sim = trader().await;

    let placed = call(&sim, "POST", ORDER, &limit("mine1")).await;
    assert_eq!((&placed["code"], &placed["data"][0]["clOrdId"]), (&json!("0"), &json!("mine1")), "{placed}");
    let duplicate = call(&sim, "POST", ORDER, &limit("mine1")).await;
    assert_eq!((&duplicate["code"], &duplicate["data"][0]["sCode"]), (&json!("1"), &json!("51016")));
    let new_price = json!({ "instId": "BTC-USDT", "clOrdId": "mine1", "newPx": "59000" });
    assert_eq!(call(&sim, "POST", "/api/v5/trade/amend-order", &new_price).await["code"], "0");
    let open = call(&sim, "GET", "/api/v5/trade/orders-pending?instType=SPOT", &Value::Null).await;
    assert_eq!((&open["data"][0]["px"], &open["data"][0]["state"]), (&json!("59000"), &json!("live")));
    let id = placed["data"][0]["ordId"].as_str().unwrap();
    for by in [format!("ordId={id}"), "clOrdId=mine1".to_owned()] {
        let one = call(&sim, "GET", &format!("{ORDER}?instId=BTC-USDT&{by}"), &Value::Null).await;
        assert_eq!(one["data"][0]["ordId"], id, "{by}");
    }

    let wanted = json!({ "instId": "BTC-USDT", "ordId": id });
    assert_eq!(call(&sim, "POST", "/api/v5/trade/cancel-order", &wanted).await["code"], "0");
    let again = call(&sim, "POST", "/api/v5/trade/cancel-order", &wanted).await;
    assert_eq!(again["data"][0]["sCode"], "51400");
}

#[tokio::test]
async fn a_batch_says_whether_all_some_or_none_worked() {
    let sim = trader().await;
    let batch = async |orders: Value| call(&sim, "POST", "/api/v5/trade/batch-orders", &orders).await["code"].clone();
    let mut wrong = limit("c");
    wrong["side"] = json!("hold");

    assert_eq!(batch(json!([limit("a"), limit("b")])).await, "0");
    assert_eq!(batch(json!([limit("a"), limit("c")])).await, "2");
    assert_eq!(batch(json!([wrong])).await, "1");
    assert_eq!(batch(json!([])).await, "51000");
}

#[tokio::test]
async fn fills_move_balances_and_positions() {
    let sim = trader().await;
    let buy = json!({ "instId": "BTC-USDT", "tdMode": "cash", "side": "buy", "ordType": "market", "sz": "65000" });
    call(&sim, "POST", ORDER, &buy).await;
    let swap = json!({ "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "market", "sz": "3" });
    call(&sim, "POST", ORDER, &swap).await;
    let lever = json!({ "instId": "BTC-USDT-SWAP", "lever": "5", "mgnMode": "cross" });
    call(&sim, "POST", "/api/v5/account/set-leverage", &lever).await;

    let balance = call(&sim, "GET", "/api/v5/account/balance", &Value::Null).await;
    assert_eq!(balance["data"][0]["details"][1]["eq"], "11", "a size without tgtCcy is in the quote currency");
    let held = call(&sim, "GET", "/api/v5/account/positions", &Value::Null).await;
    assert_eq!((&held["data"][0]["pos"], &held["data"][0]["lever"]), (&json!("-3"), &json!("5")));
}

#[tokio::test]
async fn signature_passphrase_environment_and_clock_are_checked() {
    let sim = trader().await;
    let path = "/api/v5/account/balance?ccy=BTC";
    let code = async |signed_path: &str, headers: Headers| {
        send(&sim, "GET", path, &Value::Null, signed_path, headers).await["code"].clone()
    };
    assert_eq!(code(path, Headers::right()).await, "0");
    assert_eq!(code("/api/v5/account/balance", Headers::right()).await, "50113");
    assert_eq!(code(path, Headers { passphrase: "another", ..Headers::right() }).await, "50105");
    assert_eq!(code(path, Headers { simulated: "1", ..Headers::right() }).await, "50101");
    for offset in [-31_000, 35_000] {
        let at_ms = now_ms().checked_add_signed(offset).unwrap();
        assert_eq!(code(path, Headers { at_ms, ..Headers::right() }).await, "50102", "{offset}");
    }
    let demo = registered(json!({ "read": true }), json!({ "passphrase": "Pass phrase!1", "demo": "1" })).await;
    assert_eq!(call(&demo, "GET", path, &Value::Null).await["code"], "50101");
}

#[tokio::test]
async fn the_probe_lists_permissions_and_money_trips_the_wire() {
    let sim =
        registered(json!({ "read": true, "ip_restricted": true }), json!({ "passphrase": "Pass phrase!1" })).await;
    let shown = call(&sim, "GET", "/api/v5/account/config", &Value::Null).await;
    assert_eq!((&shown["data"][0]["perm"], &shown["data"][0]["ip"]), (&json!("read_only"), &json!("127.0.0.1")));
    assert_eq!(call(&sim, "POST", ORDER, &limit("x")).await["code"], "50120");

    for path in
        ["/api/v5/asset/withdrawal", "/api/v5/finance/savings/purchase-redempt", "/api/v5/account/spot-borrow-repay"]
    {
        assert_eq!(call(&sim, "POST", path, &Value::Null).await["code"], "50120", "{path}");
    }
    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(3), &json!(3)));
}
