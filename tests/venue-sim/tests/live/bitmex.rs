//! `BitMEX`.

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use hyper::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::{Reply, Sim, now_ms};

const KEY: &str = "LAqUlngMIQkIUjXMUreyu3qn";
const SECRET: &str = "simulated-secret";
const ORDER: &str = "/api/v1/order";

async fn registered(permissions: Value) -> Sim {
    let sim = Sim::start().await;
    let key = json!({ "venue": "bitmex", "key_id": KEY, "secret": SECRET, "permissions": permissions });
    sim.control("POST", "/_sim/keys", &key).await;
    sim
}

async fn trader() -> Sim {
    registered(json!({ "read": true, "trade_derivatives": true })).await
}

fn limit(client_id: &str) -> Value {
    json!({ "symbol": "XBTUSDT", "side": "Buy", "orderQty": 1000, "price": 60000, "ordType": "Limit", "clOrdID": client_id })
}

async fn call(sim: &Sim, method: &str, path: &str, body: &Value) -> Reply {
    send(sim, method, path, body, path, now_ms().saturating_add(5_000) / 1_000).await
}

async fn send(sim: &Sim, method: &str, path: &str, body: &Value, signed_path: &str, expires: u64) -> Reply {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signed = format!("{method}{signed_path}{expires}{body}");
    let request = Request::builder()
        .method(method)
        .uri(format!("/bitmex{path}"))
        .header("api-key", KEY)
        .header("api-expires", expires)
        .header("api-signature", HEXLOWER.encode(hmac::sign(&key, signed.as_bytes()).as_ref()))
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap();
    sim.send(request).await.unwrap()
}

fn message(reply: &Reply) -> (u16, String) {
    (reply.status, reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn an_order_rests_is_amended_and_canceled() {
    let sim = trader().await;

    let placed = call(&sim, "POST", ORDER, &limit("mine-1")).await.json();
    assert_eq!((&placed["ordStatus"], &placed["leavesQty"]), (&json!("New"), &json!(1000)), "{placed}");
    let duplicate = call(&sim, "POST", ORDER, &limit("mine-1")).await;
    assert_eq!(message(&duplicate), (400, "Duplicate clOrdID".to_owned()));
    let amended = call(&sim, "PUT", ORDER, &json!({ "origClOrdID": "mine-1", "price": 59000.5 })).await.json();
    assert_eq!(amended["price"], 59000.5);

    for (filter, found) in [
        (json!({ "open": true }), 1),
        (json!({ "orderID": placed["orderID"] }), 1),
        (json!({ "clOrdID": "mine-1", "open": false }), 0),
    ] {
        let filter = filter.to_string();
        let encoded: String = utf8_percent_encode(&filter, NON_ALPHANUMERIC).to_string();
        let list = call(&sim, "GET", &format!("{ORDER}?filter={encoded}"), &Value::Null).await.json();
        assert_eq!(list.as_array().unwrap().len(), found, "{filter}");
    }

    let wanted = json!({ "orderID": [placed["orderID"]] });
    assert_eq!(call(&sim, "DELETE", ORDER, &wanted).await.json()[0]["ordStatus"], "Canceled");
    let again = call(&sim, "DELETE", ORDER, &wanted).await.json();
    assert_eq!(again[0]["error"], "Unable to cancel order due to existing state: Canceled");
    let unknown = call(&sim, "DELETE", ORDER, &json!({ "clOrdID": "nobody" })).await;
    assert_eq!(message(&unknown), (404, "Not Found".to_owned()));
}

#[tokio::test]
async fn a_fill_opens_a_position_and_cancel_all_empties_one_symbol() {
    let sim = trader().await;
    let sell = json!({ "symbol": "XBTUSD", "orderQty": -300 });
    assert_eq!(call(&sim, "POST", ORDER, &sell).await.json()["avgPx"], 65000);
    for (id, symbol) in [("a", "XBTUSDT"), ("b", "ETHUSDT")] {
        let mut order = limit(id);
        order["symbol"] = json!(symbol);
        call(&sim, "POST", ORDER, &order).await;
    }

    let canceled = call(&sim, "DELETE", "/api/v1/order/all", &json!({ "symbol": "ETHUSDT" })).await.json();
    assert_eq!((canceled.as_array().unwrap().len(), &canceled[0]["clOrdID"]), (1, &json!("b")));
    call(&sim, "POST", "/api/v1/position/leverage", &json!({ "symbol": "XBTUSD", "leverage": 5 })).await;
    let held = call(&sim, "GET", "/api/v1/position", &Value::Null).await.json();
    assert_eq!((&held[0]["currentQty"], &held[0]["leverage"]), (&json!(-300), &json!(5)));
    let margin = call(&sim, "GET", "/api/v1/user/margin?currency=all", &Value::Null).await.json();
    assert_eq!(margin[0]["availableMargin"], 1_000_000_000);
}

#[tokio::test]
async fn verb_path_query_body_and_expiry_are_bound() {
    let sim = trader().await;
    let margin = "/api/v1/user/margin?currency=XBt";
    let now = now_ms() / 1_000;
    assert_eq!(send(&sim, "GET", margin, &Value::Null, margin, now + 60).await.status, 200);
    for other in ["/api/v1/user/margin", "/api/v1/user/margin?currency=all", "/api/v1/user/wallet?currency=XBt"] {
        let forged = send(&sim, "GET", margin, &Value::Null, other, now + 60).await;
        assert_eq!(message(&forged), (401, "Signature not valid.".to_owned()), "{other}");
    }
    let late = send(&sim, "GET", margin, &Value::Null, margin, now - 1).await;
    assert!(message(&late).1.starts_with("This request has expired"), "{}", late.text);

    for (order, word) in [
        (json!({ "symbol": "XBTUSD" }), "orderQty is invalid"),
        (json!({ "symbol": "NOPE", "orderQty": 1 }), "symbol is invalid"),
        (json!({ "symbol": "XBTUSD", "orderQty": 1, "ordType": "Limit" }), "Invalid price"),
        (json!({ "symbol": "XBTUSD", "orderQty": 1, "ordType": "Stop" }), "Invalid stopPx for ordType"),
        (json!({ "symbol": "XBTUSD", "orderQty": 1, "side": "Hold" }), "side is invalid"),
    ] {
        assert_eq!(message(&call(&sim, "POST", ORDER, &order).await), (400, word.to_owned()), "{order}");
    }
}

#[tokio::test]
async fn the_probe_lists_every_key_of_the_account_and_money_trips_the_wire() {
    let sim = registered(json!({ "read": true, "ip_restricted": true })).await;
    let keys = call(&sim, "GET", "/api/v1/apiKey", &Value::Null).await.json();
    let own = keys.as_array().unwrap().iter().find(|key| key["id"] == KEY).unwrap();
    assert_eq!((&own["permissions"], &own["cidr"]), (&json!([]), &json!("127.0.0.1/32")));
    assert_eq!(keys.as_array().unwrap().len(), 2);

    let denied = call(&sim, "POST", ORDER, &limit("x")).await;
    assert_eq!(message(&denied), (403, "Access Denied".to_owned()));
    call(&sim, "POST", "/api/v1/user/requestWithdrawal", &json!({ "amount": 1 })).await;
    call(&sim, "POST", "/api/v1/guild/join", &Value::Null).await;
    call(&sim, "POST", "/api/v1/apiKey", &Value::Null).await;
    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(3), &json!(3)));
}
