//! OANDA.

use serde_json::{Value, json};

use crate::client::{Reply, Sim, json_request};

const TOKEN: &str = "0123456789abcdef0123456789abcdef-fedcba9876543210fedcba9876543210";
const ACCOUNT: &str = "101-001-7654321-002";

async fn trader() -> Sim {
    let sim = Sim::start().await;
    let registration = json!({
        "venue": "oanda", "key_id": "main", "secret": TOKEN, "parts": { "accounts": format!("101-001-1-001,{ACCOUNT}") },
        "permissions": { "read": true, "trade_spot": true },
    });
    sim.control("POST", "/_sim/keys", &registration).await;
    sim
}

async fn call(sim: &Sim, method: &str, path: &str, body: Value) -> Reply {
    let path = format!("/oanda/v3/accounts{path}").replace("{me}", ACCOUNT);
    sim.send(json_request(method, &path, Some(TOKEN), &body)).await.unwrap()
}

fn limit(units: &str, client_id: &str) -> Value {
    json!({ "order": {
        "type": "LIMIT", "instrument": "EUR_USD", "units": units, "price": "1.05000", "timeInForce": "GTC",
        "clientExtensions": { "id": client_id },
    } })
}

#[tokio::test]
async fn an_order_rests_is_replaced_and_canceled() {
    let sim = trader().await;

    let placed = call(&sim, "POST", "/{me}/orders", limit("100", "mine-1")).await;
    assert_eq!(placed.status, 201, "{}", placed.text);
    let id = placed.json()["orderCreateTransaction"]["id"].as_str().unwrap().to_owned();
    let duplicate = call(&sim, "POST", "/{me}/orders", limit("100", "mine-1")).await;
    assert_eq!(
        (duplicate.status, duplicate.json()["errorCode"].clone()),
        (400, json!("CLIENT_ORDER_ID_ALREADY_EXISTS"))
    );

    let pending = call(&sim, "GET", "/{me}/pendingOrders", Value::Null).await.json();
    assert_eq!(pending["orders"].as_array().unwrap().len(), 1);
    let named = call(&sim, "GET", "/{me}/orders/@mine-1", Value::Null).await.json();
    assert_eq!((&named["order"]["id"], &named["order"]["state"]), (&json!(id), &json!("PENDING")));
    let replaced = call(&sim, "PUT", "/{me}/orders/@mine-1", limit("-200", "mine-1")).await;
    assert_eq!(replaced.status, 201, "{}", replaced.text);
    let next = replaced.json()["orderCreateTransaction"]["id"].as_str().unwrap().to_owned();
    assert_eq!(replaced.json()["orderCreateTransaction"]["units"], "-200");
    assert_eq!(
        call(&sim, "GET", &format!("/{{me}}/orders/{id}"), Value::Null).await.json()["order"]["state"],
        "CANCELLED"
    );

    assert_eq!(call(&sim, "PUT", &format!("/{{me}}/orders/{next}/cancel"), Value::Null).await.status, 200);
    let again = call(&sim, "PUT", &format!("/{{me}}/orders/{next}/cancel"), Value::Null).await;
    assert_eq!((again.status, again.json()["errorCode"].clone()), (404, json!("ORDER_DOESNT_EXIST")));
    let missing = call(&sim, "GET", "/{me}/orders/1", Value::Null).await;
    assert_eq!((missing.status, missing.json()["errorCode"].clone()), (404, json!("NO_SUCH_ORDER")));
}

#[tokio::test]
async fn positions_and_trades_open_by_a_fill_and_are_closed() {
    let sim = trader().await;
    let market = json!({ "order": { "type": "MARKET", "instrument": "EUR_USD", "units": "100" } });

    let filled = call(&sim, "POST", "/{me}/orders", market.clone()).await.json();
    assert_eq!(filled["orderFillTransaction"]["price"], "1.10000");
    let position = call(&sim, "GET", "/{me}/positions/EUR_USD", Value::Null).await.json();
    assert_eq!(position["position"]["long"]["units"], "100");
    let summary = call(&sim, "GET", "/{me}/summary", Value::Null).await.json();
    assert_eq!((&summary["account"]["openPositionCount"], &summary["account"]["currency"]), (&json!(1), &json!("USD")));

    let closed = call(&sim, "PUT", "/{me}/positions/EUR_USD/close", json!({ "longUnits": "40" })).await.json();
    assert_eq!(closed["longOrderFillTransaction"]["units"], "-40");
    let trades = call(&sim, "GET", "/{me}/openTrades", Value::Null).await.json();
    assert_eq!(trades["trades"][0]["currentUnits"], "60");
    let trade = trades["trades"][0]["id"].as_str().unwrap();
    let rest = call(&sim, "PUT", &format!("/{{me}}/trades/{trade}/close"), json!({ "units": "ALL" })).await.json();
    assert_eq!(rest["orderFillTransaction"]["units"], "-60");
    let flat = call(&sim, "PUT", "/{me}/positions/EUR_USD/close", json!({ "longUnits": "ALL" })).await;
    assert_eq!((flat.status, flat.json()["errorCode"].clone()), (400, json!("CLOSEOUT_POSITION_DOESNT_EXIST")));
    let prices = call(&sim, "GET", "/{me}/pricing?instruments=EUR_USD%2CUSD_JPY", Value::Null).await.json();
    assert_eq!(prices["prices"][1]["closeoutBid"], "150.000");
}

#[tokio::test]
async fn a_token_reaches_its_own_accounts_only() {
    let sim = trader().await;
    let listed = call(&sim, "GET", "", Value::Null).await.json();
    assert_eq!(listed["accounts"][1]["id"], ACCOUNT);

    let stranger = json_request("GET", "/oanda/v3/accounts", Some("another-token"), &Value::Null);
    let foreign = call(&sim, "GET", "/101-001-9999999-001/summary", Value::Null).await;
    for refused in [sim.send(stranger).await.unwrap(), foreign, sim.get("/oanda/v3/accounts").await] {
        assert_eq!(refused.status, 401);
        assert_eq!(refused.json()["errorMessage"], "Insufficient authorization to perform request.");
        assert!(!refused.header("requestid").is_empty());
    }
    let receipts = sim.control("GET", "/_sim/requests?venue=oanda", &Value::Null).await;
    let seen: Vec<&Value> = receipts["requests"].as_array().unwrap().iter().map(|one| &one["signed_ok"]).collect();
    assert_eq!(seen, [&json!(true), &json!(true), &json!(false), &json!(false)]);
    assert_eq!(receipts["requests"][0]["key_id"], "main");
}

#[tokio::test]
async fn leverage_trips_the_wire_and_the_token_is_never_shown() {
    let sim = trader().await;
    let refused = call(&sim, "PATCH", "/{me}/configuration", json!({ "marginRate": "0.5" })).await;
    assert_eq!(refused.status, 403);
    sim.get("/oanda/v3/users/1/accounts").await;

    let tripwire = sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!((&tripwire["count"], &tripwire["correctly_signed"]), (&json!(2), &json!(1)), "{tripwire}");
    for shown in ["raw", "requests", "orders", "tripwire", "logins"] {
        let reply = sim.get(&format!("/_sim/{shown}")).await;
        assert!(!reply.text.contains(TOKEN), "{shown}: {}", reply.text);
    }
}
