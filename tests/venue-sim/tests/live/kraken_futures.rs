//! Kraken Futures.

use aws_lc_rs::{digest, hmac};
use data_encoding::BASE64;
use hyper::Request;
use serde_json::{Value, json};

use crate::client::{KRAKEN_KEY, KRAKEN_SECRET, Sim};

const API: &str = "/derivatives/api/v3";
const LIMIT: &str = "orderType=lmt&symbol=PF_XBTUSD&side=buy&size=0.5&limitPrice=60000";

async fn registered(permissions: Value) -> Sim {
    let sim = Sim::start().await;
    let key = json!({
        "venue": "kraken-futures", "key_id": KRAKEN_KEY, "secret": KRAKEN_SECRET, "permissions": permissions,
    });
    sim.control("POST", "/_sim/keys", &key).await;
    sim
}

async fn trader() -> Sim {
    registered(json!({ "read": true, "trade_derivatives": true })).await
}

/// A request whose parameters lie in the query of a GET, or the form of any other method.
struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    params: &'a str,
    nonce: &'a str,
    signed_params: &'a str,
}

async fn send(sim: &Sim, sent: Sent<'_>) -> Value {
    let signed_path = sent.path.strip_prefix("/derivatives").unwrap_or(sent.path);
    let text = format!("{}{}{signed_path}", sent.signed_params, sent.nonce);
    let hashed = digest::digest(&digest::SHA256, text.as_bytes());
    let secret = BASE64.decode(KRAKEN_SECRET.as_bytes()).unwrap();
    let signature = BASE64.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, &secret), hashed.as_ref()).as_ref());
    let in_query = sent.method == "GET" && !sent.params.is_empty();
    let (query, body) = if in_query { (format!("?{}", sent.params), "") } else { (String::new(), sent.params) };
    let request = Request::builder()
        .method(sent.method)
        .uri(format!("/kraken-futures{}{query}", sent.path))
        .header("APIKey", KRAKEN_KEY)
        .header("Authent", signature)
        .header("Nonce", sent.nonce)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body.to_owned().into())
        .unwrap();
    sim.send(request).await.unwrap().json()
}

async fn call(sim: &Sim, method: &str, path: &str, params: &str) -> Value {
    send(sim, Sent { method, path: &format!("{API}{path}"), params, nonce: "", signed_params: params }).await
}

#[tokio::test]
async fn an_order_rests_is_edited_and_canceled() {
    let sim = trader().await;

    let placed = call(&sim, "POST", "/sendorder", &format!("{LIMIT}&cliOrdId=mine-1")).await;
    assert_eq!(placed["sendStatus"]["status"], "placed", "{placed}");
    let id = placed["sendStatus"]["order_id"].as_str().unwrap();
    let duplicate = call(&sim, "POST", "/sendorder", &format!("{LIMIT}&cliOrdId=mine-1")).await;
    assert_eq!(duplicate["sendStatus"]["status"], "clientOrderIdAlreadyExist");

    let edited = call(&sim, "POST", "/editorder", &format!("orderId={id}&size=0.4&limitPrice=59000")).await;
    assert_eq!(edited["editStatus"]["orderEvents"][0]["new"]["limitPrice"], 59000, "{edited}");
    let open = call(&sim, "GET", "/openorders", "").await;
    assert_eq!(
        (&open["openOrders"][0]["cliOrdId"], &open["openOrders"][0]["unfilledSize"]),
        (&json!("mine-1"), &json!(0.4))
    );
    for by in [format!("orderIds={id}"), "cliOrdIds=other&cliOrdIds=mine-1".to_owned()] {
        let status = call(&sim, "GET", "/orders/status", &by).await;
        assert_eq!(status["orders"][0]["status"], "ENTERED_BOOK", "{by}");
    }

    let canceled = call(&sim, "POST", "/cancelorder", "cliOrdId=mine-1").await;
    assert_eq!(canceled["cancelStatus"]["status"], "cancelled");
    let again = call(&sim, "POST", "/cancelorder", &format!("order_id={id}")).await;
    assert_eq!(again["cancelStatus"]["status"], "notFound");
    let late = call(&sim, "POST", "/editorder", &format!("orderId={id}&size=1")).await;
    assert_eq!(late["editStatus"]["status"], "orderForEditNotFound");
}

#[tokio::test]
async fn a_batch_follows_its_instructions_one_by_one() {
    let sim = trader().await;
    let send = |side: &str, id: &str| {
        json!({ "order": "send", "order_tag": id, "orderType": "lmt", "symbol": "PF_XBTUSD", "side": side,
                "size": 1, "limitPrice": 50000, "cliOrdId": id })
    };
    let batch = async |instructions: Value| {
        let body = format!("json={}", json!({ "batchOrder": instructions }));
        call(&sim, "POST", "/batchorder", &body).await["batchStatus"].clone()
    };

    let statuses = batch(json!([send("buy", "a"), send("hold", "b"), send("buy", "a"), send("sell", "c")])).await;
    let words: Vec<&Value> = statuses.as_array().unwrap().iter().map(|status| &status["status"]).collect();
    assert_eq!(words, ["placed", "invalidSide", "clientOrderIdAlreadyExist", "placed"]);
    assert_eq!(statuses[3]["order_tag"], "c");
    let id = &statuses[0]["order_id"];
    let statuses = batch(json!([
        { "order": "edit", "order_id": id, "size": 2 }, { "order": "cancel", "cliOrdId": "c" }, { "order": "dance" },
    ]))
    .await;
    let words: Vec<&Value> = statuses.as_array().unwrap().iter().map(|status| &status["status"]).collect();
    assert_eq!(words, ["edited", "cancelled", "requiredArgumentMissing"]);
    let orders = sim.control("GET", "/_sim/orders?venue=kraken-futures", &Value::Null).await;
    assert_eq!(orders["orders"][0]["quantity"], "2");
    assert_eq!(orders["orders"][1]["params"]["cliOrdId"], "c", "an order shows its own instruction");
}

#[tokio::test]
async fn a_fill_opens_a_position_and_cancel_all_keeps_it() {
    let sim = trader().await;
    let reduce = "orderType=mkt&symbol=pf_xbtusd&side=sell&size=0.5&reduceOnly=true";
    assert_eq!(call(&sim, "POST", "/sendorder", reduce).await["sendStatus"]["status"], "wouldNotReducePosition");
    let filled = call(&sim, "POST", "/sendorder", "orderType=mkt&symbol=PF_XBTUSD&side=buy&size=0.2").await;
    assert_eq!(filled["sendStatus"]["orderEvents"][0]["price"], 65000, "{filled}");
    for _ in 0..2 {
        call(&sim, "POST", "/sendorder", LIMIT).await;
    }

    let canceled = call(&sim, "POST", "/cancelallorders", "symbol=PF_XBTUSD").await;
    assert_eq!(canceled["cancelStatus"]["cancelledOrders"].as_array().unwrap().len(), 2);
    call(&sim, "PUT", "/leveragepreferences", "symbol=PF_XBTUSD&maxLeverage=5").await;
    let held = call(&sim, "GET", "/openpositions", "").await;
    assert_eq!(
        (&held["openPositions"][0]["size"], &held["openPositions"][0]["maxFixedLeverage"]),
        (&json!(0.2), &json!(5))
    );
    let reduced = call(&sim, "POST", "/sendorder", reduce).await;
    assert_eq!(reduced["sendStatus"]["orderEvents"][0]["amount"], 0.2);
    assert_eq!(call(&sim, "GET", "/openpositions", "").await["openPositions"], json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_venues_words() {
    let sim = trader().await;
    for (params, word) in [
        ("orderType=lmt&symbol=PF_XBTUSD&side=buy&size=1", "requiredArgumentMissing"),
        ("orderType=lmt&symbol=PF_NOPE&side=buy&size=1&limitPrice=1", "contractNotFound"),
        (&format!("{LIMIT}&processBefore=2020-01-01T00:00:00.000Z"), "invalidArgument: processBefore"),
    ] {
        assert_eq!(call(&sim, "POST", "/sendorder", params).await["error"], word, "{params}");
    }
    for (params, word) in [
        ("orderType=guess&symbol=PF_XBTUSD&side=buy&size=1", "invalidOrderType"),
        ("orderType=mkt&symbol=PF_XBTUSD&side=buy&size=-1", "invalidSize"),
        ("orderType=lmt&symbol=PF_XBTUSD&side=buy&size=1&limitPrice=many", "invalidPrice"),
        ("orderType=ioc&symbol=PF_XBTUSD&side=buy&size=1&limitPrice=60000", "iocWouldNotExecute"),
    ] {
        assert_eq!(call(&sim, "POST", "/sendorder", params).await["sendStatus"]["status"], word, "{params}");
    }
    let timely = format!("{LIMIT}&processBefore=2100-01-01T00:00:00.000Z");
    assert_eq!(call(&sim, "POST", "/sendorder", &timely).await["sendStatus"]["status"], "placed");
}

#[tokio::test]
async fn a_nonce_may_be_left_out_but_must_rise() {
    let sim = trader().await;
    let path = "/derivatives/api/v3/accounts";
    let with_nonce = async |nonce: &str, signed_params: &str| {
        let answer = send(&sim, Sent { method: "GET", path, params: "", nonce, signed_params }).await;
        answer["error"].clone()
    };

    assert_eq!(with_nonce("20", "a=forged").await, "authenticationError");
    assert_eq!(with_nonce("10", "").await, Value::Null, "a forged nonce is not used up");
    assert_eq!(with_nonce("10", "").await, "nonceDuplicate");
    assert_eq!(with_nonce("9", "").await, "nonceBelowThreshold");
    assert_eq!(with_nonce("ten", "").await, "nonceBelowThreshold");
    assert_eq!(with_nonce("", "").await, Value::Null);
    assert_eq!(with_nonce("11", "").await, Value::Null);
}

#[tokio::test]
async fn the_probe_shows_two_levels_and_money_trips_the_wire() {
    let probe = "/api/auth/v1/api-keys/v3/check";
    let check = async |sim: &Sim| {
        send(sim, Sent { method: "GET", path: probe, params: "", nonce: "", signed_params: "" }).await
    };
    let sim = registered(json!({ "read": true, "ip_restricted": true })).await;
    let shown = check(&sim).await;
    assert_eq!(shown["permissions"], json!({ "general": "READ_ONLY", "transfer": "NO_ACCESS" }));
    assert_eq!(shown["allowedCidrBlocks"], json!(["127.0.0.1/32"]));
    assert_eq!(call(&sim, "POST", "/sendorder", LIMIT).await["error"], "authenticationError");

    let sim = registered(json!({ "trade_derivatives": true, "transfer": true })).await;
    assert_eq!(check(&sim).await["permissions"], json!({ "general": "FULL_ACCESS", "transfer": "FULL_ACCESS" }));
    let moved = call(&sim, "POST", "/withdrawal", "currency=USD&amount=1").await;
    assert_eq!(moved["result"], "success");
    send(
        &sim,
        Sent { method: "POST", path: "/api/auth/v1/api-keys/v3/create", params: "", nonce: "", signed_params: "" },
    )
    .await;
    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(2), &json!(2)));

    sim.control("DELETE", &format!("/_sim/keys/kraken-futures/{KRAKEN_KEY}"), &Value::Null).await;
    assert_eq!(check(&sim).await["error"], "authenticationError");
}
