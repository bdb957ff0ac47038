//! Receipts, raw requests, the tripwire, and HTTP itself.

use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};

use crate::client::{BINANCE_KEY, Sim, binance_request, now_ns, read};

const WITHDRAW: &str = "/binance/sapi/v1/capital/withdraw/apply";

#[tokio::test]
async fn a_withdrawal_trips_whether_or_not_it_is_signed_and_permitted() {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true, "trade_spot": true })).await;

    let refused = sim.binance("POST", WITHDRAW, "coin=BTC&amount=1&address=x").await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (401, json!(-2015)));
    sim.register("binance", json!({ "withdraw": true })).await;
    let withdrawn = sim.binance("POST", WITHDRAW, "coin=BTC&amount=1&address=x").await;
    assert!(withdrawn.json()["id"].is_string(), "{}", withdrawn.text);
    let forged = sim.send(binance_request("POST", WITHDRAW, "timestamp=1", "00")).await.unwrap();
    assert_eq!(forged.json()["code"], -1022);
    sim.get("/binance/wapi/v3/WITHDRAW.html").await;
    sim.get("/elsewhere/api/v5/asset/transfer").await;
    sim.binance("GET", "/binance/api/v3/account", "").await;

    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(5), &json!(2)), "{tripwire}");
    let signed: Vec<&Value> =
        tripwire["calls"].as_array().unwrap().iter().map(|call| &call["correctly_signed"]).collect();
    assert_eq!(signed, [&json!(true), &json!(true), &json!(false), &json!(false), &json!(false)]);
    assert_eq!(tripwire["calls"][0]["rule"], "POST /sapi/v1/capital/withdraw/apply");
}

#[tokio::test]
async fn receipts_are_exact_and_hold_no_signature() {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true })).await;
    let before = now_ns();
    sim.binance("GET", "/binance/api/v3/account", "recvWindow=4321").await;
    sim.send(binance_request("GET", "/binance/api/v3/account", "timestamp=1", "c0ffee")).await.unwrap();
    let after = now_ns();

    let reply = sim.get("/_sim/requests?venue=binance&limit=2").await;
    let receipts = reply.json()["requests"].clone();

    assert_eq!(receipts[0]["operation"], "GET /api/v3/account");
    assert_eq!((&receipts[0]["signed_ok"], &receipts[1]["signed_ok"]), (&json!(true), &json!(false)));
    assert_eq!((&receipts[0]["status"], &receipts[1]["status"]), (&json!(200), &json!(400)));
    assert_eq!(receipts[0]["key_id"], BINANCE_KEY);
    let seen = |index: usize| receipts[index]["received_ns"].as_u64().unwrap();
    assert!(before < seen(0) && seen(0) < seen(1) && seen(1) < after);
    assert!(receipts[0]["seq"].as_u64() < receipts[1]["seq"].as_u64());
    assert!(!reply.text.contains("4321") && !reply.text.contains("c0ffee"));
}

#[tokio::test]
async fn raw_requests_show_every_header_and_byte() {
    let sim = Sim::start().await;
    let request = Request::post("/binance/api/v3/order?tell=tale")
        .header("User-Agent", "somebody/1.0")
        .header("X-Owner", "alice")
        .body("body=bytes".into())
        .unwrap();
    sim.send(request).await.unwrap();

    let raw = sim.control("GET", "/_sim/raw?limit=1", &Value::Null).await;

    assert_eq!(raw["requests"][0]["uri"], "/binance/api/v3/order?tell=tale");
    assert_eq!(raw["requests"][0]["body"], "body=bytes");
    for header in [json!(["user-agent", "somebody/1.0"]), json!(["x-owner", "alice"])] {
        assert!(raw["requests"][0]["headers"].as_array().unwrap().contains(&header), "{raw}");
    }
}

#[tokio::test]
async fn a_probe_can_be_made_to_say_anything() {
    let sim = Sim::start().await;
    let registration = json!({
        "venue": "binance", "key_id": BINANCE_KEY, "secret": crate::client::BINANCE_SECRET,
        "permissions": { "read": true },
        "raw_permissions": { "enableNovelty": true, "ipRestrict": null, "createTime": 7 },
    });
    sim.control("POST", "/_sim/keys", &registration).await;

    let shown = sim.binance("GET", "/binance/sapi/v1/account/apiRestrictions", "").await.json();

    assert_eq!((&shown["enableNovelty"], &shown["createTime"]), (&json!(true), &json!(7)));
    assert_eq!(shown.get("ipRestrict"), None);
}

#[tokio::test]
async fn reset_forgets_keys_orders_and_alarms() {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true, "trade_spot": true })).await;
    sim.binance("POST", WITHDRAW, "").await;
    sim.control("POST", "/_sim/faults", &json!({ "kind": "hang" })).await;

    sim.control("POST", "/_sim/reset", &Value::Null).await;

    assert_eq!(sim.binance("GET", "/binance/api/v3/account", "").await.json()["code"], -2008);
    assert_eq!(sim.control("GET", "/_sim/tripwire", &Value::Null).await["count"], 0);
    assert_eq!(sim.control("GET", "/_sim/health", &Value::Null).await, json!({ "status": "ok" }));
}

#[tokio::test]
async fn mistakes_in_the_control_api_are_explained() {
    let sim = Sim::start().await;
    let post = |path: &str, body: Value| {
        let request = Request::post(path).body(Full::<Bytes>::from(body.to_string())).unwrap();
        sim.send(request)
    };
    for (path, body, why) in [
        ("/_sim/keys", json!({ "venue": "nyse", "key_id": "k", "secret": "s" }), "no such venue"),
        ("/_sim/keys", json!({ "venue": "kraken", "key_id": "k", "secret": "?" }), "secret is not base64"),
        ("/_sim/keys", json!({ "venue": "binance", "key_id": "k" }), "secret is missing"),
        ("/_sim/faults", json!({ "kind": "earthquake" }), "unknown variant"),
        ("/_sim/nothing", json!({}), "no such control"),
    ] {
        let reply = post(path, body).await.unwrap();
        assert!(reply.status >= 400 && reply.text.contains(why), "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn http_2_is_spoken_too() {
    let sim = Sim::start().await;
    let stream = sim.connect(b"h2").await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);

    let uri = format!("{}/binance/api/v3/time", sim.running.url());
    for _ in 0..2 {
        let request = Request::get(&uri).body(Full::<Bytes>::default()).unwrap();
        let reply = read(sender.send_request(request).await.unwrap()).await.unwrap();
        assert!(reply.json()["serverTime"].is_u64());
    }
}
