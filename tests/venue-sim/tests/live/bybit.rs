//! Bybit.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::client::{Reply, Sim, now_ms};

const KEY: &str = "bybTESTKEY0000001";
const SECRET: &str = "bybTESTSECRET000000000000000000000001";
const CREATE: &str = "/v5/order/create";

async fn registered(permissions: Value) -> Sim {
    let sim = Sim::start().await;
    let key = json!({ "venue": "bybit", "key_id": KEY, "secret": SECRET, "permissions": permissions });
    sim.control("POST", "/_sim/keys", &key).await;
    sim
}

async fn trader() -> Sim {
    registered(json!({ "read": true, "trade_spot": true, "trade_derivatives": true })).await
}

fn mac(text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

/// `payload` is the query of a GET, or the body of a POST.
fn request(method: &str, path: &str, payload: &str, at_ms: u64, signature: &str) -> Request<Full<Bytes>> {
    let (query, body) = if method == "GET" { (format!("?{payload}"), "") } else { (String::new(), payload) };
    Request::builder()
        .method(method)
        .uri(format!("/bybit{path}{query}"))
        .header("X-BAPI-API-KEY", KEY)
        .header("X-BAPI-TIMESTAMP", at_ms.to_string())
        .header("X-BAPI-RECV-WINDOW", "5000")
        .header("X-BAPI-SIGN", signature)
        .header("Content-Type", "application/json")
        .body(body.to_owned().into())
        .unwrap()
}

async fn send_at(sim: &Sim, method: &str, path: &str, payload: &str, at_ms: u64) -> Reply {
    let signature = HEXLOWER.encode(&mac(&format!("{at_ms}{KEY}5000{payload}")));
    sim.send(request(method, path, payload, at_ms, &signature)).await.unwrap()
}

async fn get(sim: &Sim, path: &str, query: &str) -> Value {
    send_at(sim, "GET", path, query, now_ms()).await.json()
}

async fn post(sim: &Sim, path: &str, body: Value) -> Value {
    send_at(sim, "POST", path, &body.to_string(), now_ms()).await.json()
}

fn limit(category: &str, name: &str) -> Value {
    json!({
        "category": category, "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit",
        "qty": "0.5", "price": "60000", "orderLinkId": name,
    })
}

fn named(category: &str, name: &str) -> Value {
    json!({ "category": category, "symbol": "BTCUSDT", "orderLinkId": name })
}

#[tokio::test]
async fn an_order_rests_is_amended_and_canceled_on_either_market() {
    let sim = trader().await;
    for (category, duplicate, unknown) in [("spot", 170_141, 170_213), ("linear", 110_072, 110_001)] {
        let placed = post(&sim, CREATE, limit(category, "mine")).await;
        assert_eq!((&placed["retCode"], &placed["result"]["orderLinkId"]), (&json!(0), &json!("mine")), "{placed}");
        assert_eq!(post(&sim, CREATE, limit(category, "mine")).await["retCode"], duplicate);

        let mut change = named(category, "mine");
        change["price"] = json!("59000.50");
        assert_eq!(post(&sim, "/v5/order/amend", change).await["retCode"], 0);
        let open = get(&sim, "/v5/order/realtime", &format!("category={category}&symbol=BTCUSDT")).await;
        let order = &open["result"]["list"][0];
        assert_eq!((&order["price"], &order["orderStatus"]), (&json!("59000.5"), &json!("New")));
        assert_eq!(order["orderId"], placed["result"]["orderId"]);

        assert_eq!(post(&sim, "/v5/order/cancel", named(category, "mine")).await["retCode"], 0);
        assert_eq!(post(&sim, "/v5/order/cancel", named(category, "mine")).await["retCode"], unknown);
        let closed = get(&sim, "/v5/order/history", &format!("category={category}&orderLinkId=mine")).await;
        assert_eq!(closed["result"]["list"][0]["orderStatus"], "Cancelled");
    }
}

#[tokio::test]
async fn the_markets_are_told_apart_although_their_symbols_are_called_alike() {
    let sim = trader().await;
    post(&sim, CREATE, limit("spot", "on-spot")).await;
    post(&sim, CREATE, limit("linear", "on-linear")).await;

    assert_eq!(post(&sim, "/v5/order/cancel", named("spot", "on-linear")).await["retCode"], 170_213);
    assert_eq!(post(&sim, "/v5/order/cancel-all", json!({ "category": "linear" })).await["retCode"], 10_001);
    let canceled = post(&sim, "/v5/order/cancel-all", json!({ "category": "linear", "settleCoin": "USDT" })).await;
    assert_eq!(canceled["result"]["list"].as_array().unwrap().len(), 1);
    let left = get(&sim, "/v5/order/realtime", "category=spot").await;
    assert_eq!(left["result"]["list"][0]["orderLinkId"], "on-spot");
}

#[tokio::test]
async fn each_item_of_a_batch_succeeds_or_fails_for_itself() {
    let sim = trader().await;
    let item =
        |symbol: &str| json!({ "symbol": symbol, "side": "Sell", "orderType": "Limit", "qty": "1", "price": "9" });
    let items = json!({ "category": "linear", "request": [item("BTCUSDT"), item("NOPE")] });

    let said = post(&sim, "/v5/order/create-batch", items).await;
    assert_eq!(said["retCode"], 0);
    let codes = &said["retExtInfo"]["list"];
    assert_eq!((&codes[0]["code"], &codes[1]["code"]), (&json!(0), &json!(10_001)), "{said}");
    let id = &said["result"]["list"][0]["orderId"];
    let gone = json!({ "category": "linear", "request": [{ "symbol": "BTCUSDT", "orderId": id }] });
    let said = post(&sim, "/v5/order/cancel-batch", gone).await;
    assert_eq!(said["retExtInfo"]["list"][0]["code"], 0);

    let twice = r#"{"category":"linear","request":[{"symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"1","qty":"9","price":"9"}]}"#;
    let said = send_at(&sim, "POST", "/v5/order/create-batch", twice, now_ms()).await.json();
    assert_eq!(said["retExtInfo"]["list"][0]["code"], 10_001);
}

#[tokio::test]
async fn market_orders_move_balances_or_positions() {
    let sim = trader().await;
    let market = |category: &str, side: &str, reduce_only: bool| {
        json!({
            "category": category, "symbol": "BTCUSDT", "side": side, "orderType": "Market",
            "qty": "2", "reduceOnly": reduce_only, "marketUnit": "baseCoin",
        })
    };
    post(&sim, CREATE, market("spot", "Buy", false)).await;
    let wallet = get(&sim, "/v5/account/wallet-balance", "accountType=UNIFIED&coin=USDT,BTC").await;
    let coins = &wallet["result"]["list"][0]["coin"];
    assert_eq!((&coins[0]["walletBalance"], &coins[1]["walletBalance"]), (&json!("870000"), &json!("12")));

    assert_eq!(post(&sim, CREATE, market("linear", "Sell", true)).await["retCode"], 110_017);
    post(&sim, CREATE, market("linear", "Sell", false)).await;
    let twelve = json!({ "category": "linear", "symbol": "BTCUSDT", "buyLeverage": "12", "sellLeverage": "12" });
    assert_eq!(post(&sim, "/v5/position/set-leverage", twelve.clone()).await["retCode"], 0);
    assert_eq!(post(&sim, "/v5/position/set-leverage", twelve).await["retCode"], 110_043);
    let held = get(&sim, "/v5/position/list", "category=linear&settleCoin=USDT").await;
    let position = &held["result"]["list"][0];
    assert_eq!((&position["side"], &position["size"]), (&json!("Sell"), &json!("2")));
    assert_eq!(position["leverage"], "12");
    let fills = get(&sim, "/v5/execution/list", "category=linear&symbol=BTCUSDT").await;
    assert_eq!(fills["result"]["list"][0]["execValue"], "130000");
}

#[tokio::test]
async fn a_list_is_turned_over_page_by_page() {
    let sim = trader().await;
    for name in ["first", "second", "third"] {
        post(&sim, CREATE, limit("linear", name)).await;
    }
    let page = async |cursor: &str| {
        let query = format!("category=linear&symbol=BTCUSDT&limit=2&cursor={cursor}");
        get(&sim, "/v5/order/realtime", &query).await["result"].clone()
    };
    let newest = page("").await;
    assert_eq!(newest["list"][0]["orderLinkId"], "third");
    let oldest = page(newest["nextPageCursor"].as_str().unwrap()).await;
    assert_eq!((&oldest["list"][0]["orderLinkId"], &oldest["nextPageCursor"]), (&json!("first"), &json!("")));
}

#[tokio::test]
async fn only_the_exact_bytes_in_time_are_accepted() {
    let sim = trader().await;
    let (path, query) = ("/v5/account/info", "a=1");
    let code = async |request: Request<Full<Bytes>>| sim.send(request).await.unwrap().json()["retCode"].clone();
    let at = now_ms();
    let right = mac(&format!("{at}{KEY}5000{query}"));

    assert_eq!(code(request("GET", path, query, at, &HEXLOWER.encode(&right))).await, 0);
    assert_eq!(code(request("GET", path, query, at, &HEXUPPER.encode(&right))).await, 10_004, "upper-case");
    assert_eq!(code(request("GET", path, "a=2", at, &HEXLOWER.encode(&right))).await, 10_004, "altered");
    assert_eq!(code(request("GET", path, query, at, "")).await, 10_004, "unsigned");
    assert_eq!(send_at(&sim, "GET", path, query, now_ms() - 10_000).await.json()["retCode"], 10_002, "late");
    assert_eq!(send_at(&sim, "GET", path, query, now_ms() + 10_000).await.json()["retCode"], 10_002, "early");
    assert_eq!(send_at(&sim, "GET", path, "a=1&a=2", now_ms()).await.json()["retCode"], 10_001, "twice");
    let twice = r#"{"category":"spot","qty":"1","qty":"2"}"#;
    assert_eq!(send_at(&sim, "POST", CREATE, twice, now_ms()).await.json()["retCode"], 10_001, "twice in JSON");
    sim.control("DELETE", &format!("/_sim/keys/bybit/{KEY}"), &Value::Null).await;
    assert_eq!(send_at(&sim, "GET", path, query, now_ms()).await.json()["retCode"], 10_003, "dead");
}

#[tokio::test]
async fn a_registered_rsa_key_signs_too() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let sim = Sim::start().await;
    let public = BASE64.encode(pair.public_key().as_der().unwrap().as_ref());
    let key = json!({
        "venue": "bybit", "key_id": KEY, "kind": "rsa", "public_key": public, "permissions": { "read": true },
    });
    sim.control("POST", "/_sim/keys", &key).await;

    let at = now_ms();
    let mut signature = vec![0; pair.public_modulus_len()];
    let text = format!("{at}{KEY}5000");
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    let signed = request("GET", "/v5/user/query-api", "", at, &BASE64.encode(&signature));
    assert_eq!(sim.send(signed).await.unwrap().json()["result"]["apiKey"], KEY);
    let foreign = send_at(&sim, "GET", "/v5/user/query-api", "", now_ms()).await;
    assert_eq!(foreign.json()["retCode"], 10_004);
}

#[tokio::test]
async fn a_key_does_what_its_boxes_say_and_the_probe_shows_them() {
    let probe = async |sim: &Sim| get(sim, "/v5/user/query-api", "").await["result"].clone();

    let reader = registered(json!({ "read": true, "ip_restricted": true })).await;
    let shown = probe(&reader).await;
    assert_eq!((&shown["readOnly"], &shown["ips"]), (&json!(1), &json!(["127.0.0.1"])));
    assert_eq!(post(&reader, CREATE, limit("spot", "x")).await["retCode"], 10_005);

    let spot = registered(json!({ "trade_spot": true, "extra": ["Earn.Earn", "Novelty"] })).await;
    let shown = probe(&spot).await;
    assert_eq!((&shown["readOnly"], &shown["ips"]), (&json!(0), &json!(["*"])));
    let groups = &shown["permissions"];
    assert_eq!((&groups["Spot"], &groups["ContractTrade"]), (&json!(["SpotTrade"]), &json!([])));
    assert_eq!((&groups["Earn"], &groups["Novelty"]), (&json!(["Earn"]), &json!(["Novelty"])));
    assert_eq!(post(&spot, CREATE, limit("linear", "x")).await["retCode"], 10_005);
    assert_eq!(post(&spot, CREATE, limit("spot", "x")).await["retCode"], 0);
}

#[tokio::test]
async fn what_moves_money_or_keys_trips_the_wire_let_through_or_not() {
    let sim = registered(json!({ "read": true, "transfer": true })).await;

    assert_eq!(post(&sim, "/v5/asset/withdraw/create", json!({ "coin": "USDT" })).await["retCode"], 10_005);
    assert_eq!(post(&sim, "/v5/asset/transfer/inter-transfer", json!({})).await["retCode"], 0);
    assert_eq!(post(&sim, "/v5/user/create-sub-api", json!({})).await["retCode"], 0, "transfer makes keys, too");
    get(&sim, "/v5/p2p/user/personal/info", "").await;

    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(4), &json!(4)), "{tripwire}");
}

#[tokio::test]
async fn haste_is_answered_with_status_200_and_an_address_is_shut_out() {
    let sim = trader().await;
    let budget =
        |scope: &str, window_ms: u64| json!({ "venue": "bybit", "scope": scope, "window_ms": window_ms, "max": 2 });
    sim.control("POST", "/_sim/limits", &budget("key", 1 << 50)).await;
    sim.control("POST", "/_sim/limits", &budget("endpoint", 1 << 50)).await;

    let ask = async || send_at(&sim, "GET", "/v5/account/info", "", now_ms()).await;
    ask().await;
    ask().await;
    let hasty = ask().await;
    assert_eq!((hasty.status, &hasty.json()["retCode"]), (200, &json!(10_006)));

    sim.control("DELETE", "/_sim/limits", &Value::Null).await;
    sim.control("POST", "/_sim/limits", &budget("address", 1 << 50)).await;
    for _ in 0..2 {
        sim.get("/bybit/v5/market/time").await;
    }
    assert_eq!(sim.get("/bybit/v5/market/time").await.status, 403);
}

#[tokio::test]
async fn answers_tell_what_is_left() {
    let sim = trader().await;
    let reply = send_at(&sim, "GET", "/v5/position/list", "category=linear&symbol=BTCUSDT", now_ms()).await;
    assert_eq!((reply.header("x-bapi-limit"), reply.header("x-bapi-limit-status")), ("50", "49"));
    let price = sim.get("/bybit/v5/market/tickers?category=linear&symbol=ETHUSDT").await.json();
    assert_eq!(price["result"]["list"][0]["lastPrice"], "3200.00");
    assert_eq!(sim.get("/bybit/v5/nothing").await.status, 404);
}
