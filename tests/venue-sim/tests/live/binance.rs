//! Spot.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use data_encoding::BASE64;
use hyper::Request;
use serde_json::{Value, json};

use crate::client::{BINANCE_KEY, Sim, binance_request, binance_signature, now_ms};

const ORDER: &str = "/binance/api/v3/order";
const LIMIT: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=60000";

async fn trader() -> Sim {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true, "trade_spot": true })).await;
    sim
}

#[tokio::test]
async fn an_order_rests_until_it_is_canceled() {
    let sim = trader().await;

    let placed = sim.binance("POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine-1")).await;
    assert_eq!(placed.status, 200, "{}", placed.text);
    assert_eq!(placed.header("x-mbx-order-count-10s"), "1");
    let placed = placed.json();
    assert_eq!((&placed["status"], &placed["price"]), (&json!("NEW"), &json!("60000.00000000")));

    let duplicate = sim.binance("POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine-1")).await;
    assert_eq!((duplicate.status, duplicate.json()["code"].clone()), (400, json!(-2010)));

    let open = sim.binance("GET", "/binance/api/v3/openOrders", "").await.json();
    assert_eq!(open[0]["clientOrderId"], "mine-1");
    let one = sim.binance("GET", ORDER, &format!("symbol=BTCUSDT&orderId={}", placed["orderId"])).await.json();
    assert_eq!(one["origQty"], "0.50000000");

    let canceled = sim.binance("DELETE", ORDER, "symbol=BTCUSDT&origClientOrderId=mine-1").await.json();
    assert_eq!((&canceled["status"], &canceled["origClientOrderId"]), (&json!("CANCELED"), &json!("mine-1")));
    let again = sim.binance("DELETE", ORDER, "symbol=BTCUSDT&origClientOrderId=mine-1").await.json();
    assert_eq!(again["code"], -2011);
    let reused = sim.binance("POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine-1")).await;
    assert_eq!(reused.status, 200, "a canceled order's id is free again");
}

#[tokio::test]
async fn a_market_order_fills_at_the_ticker_and_moves_balances() {
    let sim = trader().await;
    let price = sim.get("/binance/api/v3/ticker/price?symbol=ETHUSDT").await.json();

    let filled = sim.binance("POST", ORDER, "symbol=ETHUSDT&side=SELL&type=MARKET&quantity=2").await.json();

    assert_eq!(filled["status"], "FILLED");
    assert_eq!(filled["fills"][0]["price"], price["price"]);
    let account = sim.binance("GET", "/binance/api/v3/account", "").await.json();
    let free = |asset: &str| {
        let balances = account["balances"].as_array().unwrap();
        balances.iter().find(|balance| balance["asset"] == asset).unwrap()["free"].clone()
    };
    assert_eq!((free("ETH"), free("USDT")), (json!("98.00000000"), json!("1006400.00000000")));
}

#[tokio::test]
async fn cancel_all_empties_one_symbol() {
    let sim = trader().await;
    for symbol in ["BTCUSDT", "BTCUSDT", "ETHUSDT"] {
        let order = LIMIT.replace("BTCUSDT", symbol);
        assert_eq!(sim.binance("POST", ORDER, &order).await.status, 200);
    }

    let canceled = sim.binance("DELETE", "/binance/api/v3/openOrders", "symbol=BTCUSDT").await.json();

    assert_eq!(canceled.as_array().unwrap().len(), 2);
    let open = sim.binance("GET", "/binance/api/v3/openOrders", "").await.json();
    assert_eq!(open.as_array().unwrap().len(), 1);
    let none_left = sim.binance("DELETE", "/binance/api/v3/openOrders", "symbol=BTCUSDT").await.json();
    assert_eq!(none_left["code"], -2011);
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_binances_codes() {
    let sim = trader().await;
    let code = |reply: crate::client::Reply| (reply.status, reply.json()["code"].as_i64().unwrap());
    let now = now_ms();
    let signed = |query: String| {
        let signature = binance_signature(&query);
        binance_request("GET", "/binance/api/v3/account", &query, &signature)
    };

    for (query, expected) in [
        (format!("timestamp={}", now - 6_000), (400, -1021)),
        (format!("timestamp={}", now + 10_000), (400, -1021)),
        (format!("timestamp={}&recvWindow=60001", now - 6_000), (400, -1131)),
        ("recvWindow=5000".to_owned(), (400, -1102)),
    ] {
        assert_eq!(code(sim.send(signed(query.clone())).await.unwrap()), expected, "{query}");
    }
    let wide = sim.send(signed(format!("timestamp={}&recvWindow=60000", now - 6_000))).await.unwrap();
    assert_eq!(wide.status, 200);

    let query = format!("timestamp={now}");
    let forged = binance_request("GET", "/binance/api/v3/account", &query, &binance_signature("timestamp=0"));
    assert_eq!(code(sim.send(forged).await.unwrap()), (400, -1022));
    assert_eq!(code(sim.get("/binance/api/v3/account?timestamp=1").await), (401, -2014));
    let stranger = |key: &str| {
        let request = Request::get("/binance/api/v3/account?timestamp=1").header("X-MBX-APIKEY", key);
        request.body(http_body_util::Full::default()).unwrap()
    };
    assert_eq!(code(sim.send(stranger("short")).await.unwrap()), (401, -2014));
    assert_eq!(code(sim.send(stranger(&"k".repeat(64))).await.unwrap()), (401, -2008));

    for (params, expected) in [
        ("symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&price=1", (400, -1102)),
        ("symbol=BTCUSDT&side=BUY&type=MARKET", (400, -1102)),
        ("symbol=NOPE&side=BUY&type=MARKET&quantity=1", (400, -1121)),
        ("symbol=BTCUSDT&side=HOLD&type=MARKET&quantity=1", (400, -1117)),
        ("symbol=BTCUSDT&side=BUY&type=GUESS&quantity=1", (400, -1116)),
        ("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=-1", (400, -1013)),
        ("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=many", (400, -1100)),
        ("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&quantity=2", (400, -1101)),
        ("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&newClientOrderId=a+b", (400, -1100)),
    ] {
        assert_eq!(code(sim.binance("POST", ORDER, params).await), expected, "{params}");
    }
    assert_eq!(code(sim.get("/binance/api/v3/nothing").await), (404, -5000));
}

#[tokio::test]
async fn query_and_body_are_signed_together_and_the_query_wins() {
    let sim = trader().await;
    let query = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1";
    let body = format!("quantity=9&price=60000&timestamp={}", now_ms());
    let signature = binance_signature(&format!("{query}{body}"));
    let request = Request::post(format!("{ORDER}?{query}"))
        .header("X-MBX-APIKEY", BINANCE_KEY)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(format!("{body}&signature={signature}").into())
        .unwrap();

    let placed = sim.send(request).await.unwrap();

    assert_eq!(placed.json()["origQty"], "1.00000000", "{}", placed.text);
}

#[tokio::test]
async fn a_key_does_what_its_boxes_say_and_the_probe_shows_them() {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true, "ip_restricted": true, "extra": ["enableTomorrow"] })).await;

    let refused = sim.binance("POST", ORDER, LIMIT).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (401, json!(-2015)));
    let shown = sim.binance("GET", "/binance/sapi/v1/account/apiRestrictions", "").await.json();
    for (field, value) in [
        ("enableReading", true),
        ("enableSpotAndMarginTrading", false),
        ("enableWithdrawals", false),
        ("ipRestrict", true),
        ("enableTomorrow", true),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_registered_public_key_is_enough() {
    let sim = Sim::start().await;
    let pair = Ed25519KeyPair::generate().unwrap();
    let public = BASE64.encode(pair.public_key().as_der().unwrap().as_ref());
    let registration = json!({
        "venue": "binance", "key_id": BINANCE_KEY, "kind": "ed25519",
        "public_key": format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n"),
        "permissions": { "read": true },
    });
    sim.control("POST", "/_sim/keys", &registration).await;
    let query = format!("timestamp={}", now_ms());
    let signature = BASE64.encode(pair.sign(query.as_bytes()).as_ref());
    let encoded = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");

    let path = "/binance/api/v3/account";
    let accepted = sim.send(binance_request("GET", path, &query, &encoded)).await.unwrap();
    let hmac = sim.send(binance_request("GET", path, &query, &binance_signature(&query))).await.unwrap();

    assert_eq!(accepted.status, 200, "{}", accepted.text);
    assert_eq!(hmac.json()["code"], -1022);
}

#[tokio::test]
async fn a_dead_key_is_unknown_and_its_orders_can_still_be_read() {
    let sim = trader().await;
    sim.binance("POST", ORDER, LIMIT).await;

    sim.control("DELETE", &format!("/_sim/keys/binance/{BINANCE_KEY}"), &Value::Null).await;

    let refused = sim.binance("POST", ORDER, LIMIT).await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (401, json!(-2008)));
    let orders = sim.control("GET", &format!("/_sim/orders?venue=binance&key_id={BINANCE_KEY}"), &Value::Null).await;
    assert_eq!(orders["orders"][0]["params"]["price"], "60000");
}

#[tokio::test]
async fn an_order_list_is_shown_and_canceled_as_one() {
    let sim = trader().await;
    let oco = "symbol=BTCUSDT&side=SELL&quantity=1&aboveType=LIMIT_MAKER&abovePrice=70000\
               &belowType=STOP_LOSS_LIMIT&belowPrice=60000&belowStopPrice=60100&belowTimeInForce=GTC&listClientOrderId=both";
    let otoco = "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=60000&workingQuantity=2\
                 &workingTimeInForce=GTC&pendingSide=SELL&pendingQuantity=2&pendingAboveType=LIMIT_MAKER\
                 &pendingAbovePrice=70000&pendingBelowType=STOP_LOSS&pendingBelowStopPrice=50000";

    let placed = sim.binance("POST", "/binance/api/v3/orderList/oco", oco).await.json();
    assert_eq!(
        (&placed["contingencyType"], &placed["orderReports"][1]["price"]),
        (&json!("OCO"), &json!("60000.00000000"))
    );
    let three = sim.binance("POST", "/binance/api/v3/orderList/otoco", otoco).await.json();
    let sides: Vec<&Value> = three["orderReports"].as_array().unwrap().iter().map(|order| &order["side"]).collect();
    assert_eq!(sides, [&json!("BUY"), &json!("SELL"), &json!("SELL")]);

    let canceled =
        sim.binance("DELETE", "/binance/api/v3/orderList", "symbol=BTCUSDT&listClientOrderId=both").await.json();
    assert_eq!((&canceled["listOrderStatus"], &canceled["orderListId"]), (&json!("ALL_DONE"), &placed["orderListId"]));
    let open = sim.binance("GET", "/binance/api/v3/openOrderList", "").await.json();
    assert_eq!((open.as_array().unwrap().len(), &open[0]["orderListId"]), (1, &three["orderListId"]));
}

#[tokio::test]
async fn cancel_and_replace_says_how_far_it_came() {
    let sim = trader().await;
    let replace = async |mode: &str, id: &str| {
        let params = format!("{LIMIT}&cancelReplaceMode={mode}&cancelOrigClientOrderId={id}");
        sim.binance("POST", "/binance/api/v3/order/cancelReplace", &params).await
    };
    sim.binance("POST", ORDER, &format!("{LIMIT}&newClientOrderId=first")).await;

    let both = replace("STOP_ON_FAILURE", "first").await;
    assert_eq!((both.status, both.json()["newOrderResponse"]["status"].clone()), (200, json!("NEW")));
    let neither = replace("STOP_ON_FAILURE", "first").await;
    assert_eq!((neither.status, neither.json()["data"]["newOrderResult"].clone()), (400, json!("NOT_ATTEMPTED")));
    let half = replace("ALLOW_FAILURE", "first").await;
    assert_eq!((half.status, half.json()["data"]["cancelResponse"]["code"].clone()), (409, json!(-2011)));
}

#[tokio::test]
async fn an_amended_order_is_smaller_and_keeps_its_id() {
    let sim = trader().await;
    let id = sim.binance("POST", ORDER, LIMIT).await.json()["orderId"].clone();
    let amend = async |quantity: &str| {
        let params = format!("symbol=BTCUSDT&orderId={id}&newQty={quantity}");
        sim.binance("PUT", "/binance/api/v3/order/amend/keepPriority", &params).await.json()
    };

    assert_eq!(amend("0.2").await["amendedOrder"]["origQty"], "0.20000000");
    assert_eq!(amend("0.3").await["code"], -2038);
}

#[tokio::test]
async fn an_rsa_key_signs_too() {
    let sim = Sim::start().await;
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = BASE64.encode(pair.public_key().as_der().unwrap().as_ref());
    let registration = json!({
        "venue": "binance", "key_id": BINANCE_KEY, "kind": "rsa", "public_key": public, "permissions": { "read": true },
    });
    sim.control("POST", "/_sim/keys", &registration).await;

    for (altered, status) in [("", 200), ("&omitted=1", 400)] {
        let query = format!("timestamp={}", now_ms());
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), query.as_bytes(), &mut signature).unwrap();
        let signature = BASE64.encode(&signature).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let request = binance_request("GET", "/binance/api/v3/account", &format!("{query}{altered}"), &signature);
        assert_eq!(sim.send(request).await.unwrap().status, status, "{altered}");
    }
}
