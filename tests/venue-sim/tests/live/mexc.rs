//! MEXC spot.

use aws_lc_rs::hmac;
use data_encoding::{HEXLOWER, HEXUPPER};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::{Reply, Sim, now_ms};

const KEY: &str = "mx0vglTESTKEY0001";
const SECRET: &str = "3f1c9a0d5e7b4c2f8a6d0e1b2c3d4e5f";
const ORDER: &str = "/api/v3/order";
const LIMIT: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=0.5&price=60000";

async fn registered(permissions: Value) -> Sim {
    let sim = Sim::start().await;
    let key = json!({ "venue": "mexc", "key_id": KEY, "secret": SECRET, "permissions": permissions });
    sim.control("POST", "/_sim/keys", &key).await;
    sim
}

async fn trader() -> Sim {
    registered(json!({ "read": true, "trade_spot": true })).await
}

fn mac(text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

fn request(method: &str, path: &str, query: &str, signature: &str) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(format!("/mexc{path}?{query}&signature={signature}"))
        .header("X-MEXC-APIKEY", KEY)
        .header("Content-Type", "application/json")
        .body(Full::default())
        .unwrap()
}

async fn send(sim: &Sim, method: &str, path: &str, query: &str) -> Reply {
    sim.send(request(method, path, query, &HEXLOWER.encode(&mac(query)))).await.unwrap()
}

async fn call(sim: &Sim, method: &str, path: &str, params: &str) -> Reply {
    let separator = if params.is_empty() { "" } else { "&" };
    send(sim, method, path, &format!("{params}{separator}timestamp={}", now_ms())).await
}

#[tokio::test]
async fn an_order_rests_until_it_is_canceled() {
    let sim = trader().await;

    let placed = call(&sim, "POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine")).await.json();
    let id = placed["orderId"].as_str().unwrap();
    assert!(id.starts_with("C02__"), "{placed}");
    let duplicate = call(&sim, "POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine")).await;
    assert_eq!((duplicate.status, &duplicate.json()["code"]), (400, &json!(30_026)));

    let open = call(&sim, "GET", "/api/v3/openOrders", "symbol=BTCUSDT").await.json();
    assert_eq!((&open[0]["orderId"], &open[0]["clientOrderId"]), (&json!(id), &json!("mine")));
    let one = call(&sim, "GET", ORDER, "symbol=BTCUSDT&origClientOrderId=mine").await.json();
    assert_eq!((&one["status"], &one["price"], &one["origQty"]), (&json!("NEW"), &json!("60000"), &json!("0.5")));
    let canceled = call(&sim, "DELETE", ORDER, &format!("symbol=BTCUSDT&orderId={id}")).await.json();
    assert_eq!(canceled["status"], "CANCELED");
    let again = call(&sim, "DELETE", ORDER, &format!("symbol=BTCUSDT&orderId={id}")).await.json();
    assert_eq!(again["code"], -2011);
    let unknown = call(&sim, "GET", ORDER, "symbol=ETHUSDT&origClientOrderId=mine").await.json();
    assert_eq!(unknown["code"], -2013, "another symbol's");
}

#[tokio::test]
async fn a_market_order_fills_and_cancel_all_takes_the_symbols_it_names() {
    let sim = trader().await;
    call(&sim, "POST", ORDER, "symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=130000").await;
    call(&sim, "POST", ORDER, LIMIT).await;
    call(&sim, "POST", ORDER, "symbol=ETHUSDT&side=BUY&type=LIMIT&quantity=1&price=3000").await;

    let account = call(&sim, "GET", "/api/v3/account", "").await.json();
    assert_eq!(
        account["balances"][0],
        json!({ "asset": "USDT", "free": "870000", "locked": "0", "available": "870000" })
    );
    let trades = call(&sim, "GET", "/api/v3/myTrades", "symbol=BTCUSDT").await.json();
    assert_eq!((&trades[0]["qty"], trades.as_array().unwrap().len()), (&json!("2"), 1));
    let canceled = call(&sim, "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT,ETHUSDT").await.json();
    assert_eq!(canceled.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn each_item_of_a_batch_succeeds_or_fails_for_itself() {
    let sim = trader().await;
    let items = json!([
        { "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "quantity": "1", "price": "70000", "newClientOrderId": "a" },
        { "symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT", "quantity": "1", "newClientOrderId": "b" },
    ]);
    let text = items.to_string();
    let encoded = utf8_percent_encode(&text, NON_ALPHANUMERIC);

    let said = call(&sim, "POST", "/api/v3/batchOrders", &format!("batchOrders={encoded}")).await.json();

    assert!(said[0]["orderId"].is_string(), "{said}");
    assert_eq!((&said[1]["newClientOrderId"], &said[1]["code"]), (&json!("b"), &json!(700_004)));
}

#[tokio::test]
async fn only_the_exact_bytes_in_time_are_accepted() {
    let sim = trader().await;
    let path = "/api/v3/account";
    let code = async |reply: Reply| (reply.status, reply.json()["code"].clone());
    let refused = |code: i64| (400, json!(code));
    let query = format!("timestamp={}", now_ms());
    let as_is = async |query: &str, signature: String| sim.send(request("GET", path, query, &signature)).await.unwrap();

    assert_eq!(as_is(&query, HEXLOWER.encode(&mac(&query))).await.status, 200);
    assert_eq!(code(as_is(&query, HEXUPPER.encode(&mac(&query))).await).await, refused(700_002), "upper-case");
    let longer = format!("a=1&{query}");
    assert_eq!(code(as_is(&longer, HEXLOWER.encode(&mac(&query))).await).await, refused(700_002), "altered");
    for spelling in ["a=b+c", "a=b%2fc"] {
        assert_eq!(code(call(&sim, "GET", path, spelling).await).await, refused(700_002), "{spelling}");
    }
    assert_eq!(call(&sim, "GET", path, "a=b%20c%2F").await.status, 200);
    assert_eq!(code(call(&sim, "GET", path, "a=1&a=2").await).await, refused(700_008), "twice");
    let at = |offset: i64| format!("timestamp={}", now_ms().checked_add_signed(offset).unwrap());
    assert_eq!(code(send(&sim, "GET", path, &at(-6_000)).await).await, refused(700_003), "late");
    assert_eq!(code(send(&sim, "GET", path, &at(6_000)).await).await, refused(700_003), "early");
    assert_eq!(send(&sim, "GET", path, &format!("recvWindow=60000&{}", at(-6_000))).await.status, 200);
    assert_eq!(code(call(&sim, "GET", path, "recvWindow=60001").await).await, refused(700_005));
    sim.control("DELETE", &format!("/_sim/keys/mexc/{KEY}"), &Value::Null).await;
    assert_eq!(code(call(&sim, "GET", path, "").await).await, refused(10_072), "dead");
}

#[tokio::test]
async fn a_key_does_what_its_boxes_say_and_sees_only_itself() {
    let sim = registered(json!({ "read": true, "trade_derivatives": true, "extra": ["SPOT_NOVELTY_WRITE"] })).await;
    let probe = "/api/v3/apiKeyInfo";

    let shown = call(&sim, "GET", probe, &format!("accessKey={KEY}")).await.json();
    assert_eq!((&shown["accessKey"], &shown["status"]), (&json!(KEY), &json!("VALID")));
    let names: Vec<&str> = shown["permissions"].as_str().unwrap().split(',').collect();
    assert!(names.contains(&"CONTRACT_DEAL_WRITE") && names.contains(&"SPOT_NOVELTY_WRITE"), "{names:?}");
    assert!(!names.contains(&"SPOT_DEAL_WRITE"), "{names:?}");
    assert_eq!(call(&sim, "GET", probe, "accessKey=mx0vOTHER").await.json()["code"], 730_706);
    assert_eq!(call(&sim, "POST", ORDER, LIMIT).await.json()["code"], 700_007);

    let key = json!({
        "venue": "mexc", "key_id": KEY, "secret": SECRET, "raw_permissions": ["SPOT_DEAL_WRITE"],
    });
    sim.control("POST", "/_sim/keys", &key).await;
    assert_eq!(call(&sim, "POST", ORDER, LIMIT).await.status, 200);
    assert_eq!(call(&sim, "GET", "/api/v3/account", "").await.json()["code"], 700_007);
}

#[tokio::test]
async fn what_moves_money_or_keys_trips_the_wire_even_beside_the_probe() {
    let sim = trader().await;

    assert_eq!(call(&sim, "POST", "/api/v3/capital/withdraw", "coin=USDT").await.json()["code"], 700_007);
    assert_eq!(call(&sim, "POST", "/api/v3/capital/transfer/internal", "").await.json()["code"], 700_007);
    assert_eq!(call(&sim, "POST", "/api/v3/apiKeyInfo", "").await.status, 200, "reading is enough to change keys");
    call(&sim, "GET", "/open/api/v2/account/info", "").await;

    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(4), &json!(4)), "{tripwire}");
}

#[tokio::test]
async fn haste_is_answered_with_429_and_a_time_to_wait() {
    let sim = trader().await;
    let budget = json!({ "venue": "mexc", "scope": "endpoint", "window_ms": 1_u64 << 50, "max": 15 });
    sim.control("POST", "/_sim/limits", &budget).await;

    assert_eq!(call(&sim, "GET", "/api/v3/account", "").await.status, 200);
    let hasty = call(&sim, "GET", "/api/v3/account", "").await;
    assert_eq!((hasty.status, &hasty.json()["code"]), (429, &json!(429)));
    assert!(hasty.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(sim.get("/mexc/api/v3/ticker/price?symbol=BTCUSDT").await.json()["price"], "65000.00");
}
