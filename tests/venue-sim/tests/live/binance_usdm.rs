//! USD-M futures.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::client::Sim;

const ORDER: &str = "/binance-usdm/fapi/v1/order";
const LIMIT: &str = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.5&price=60000";

async fn trader() -> Sim {
    let sim = Sim::start().await;
    sim.register("binance-usdm", json!({ "read": true, "trade_derivatives": true })).await;
    sim
}

#[tokio::test]
async fn an_order_rests_is_amended_and_canceled() {
    let sim = trader().await;

    let placed = sim.binance("POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine-1")).await;
    assert_eq!((placed.status, placed.header("x-mbx-order-count-1m")), (200, "1"), "{}", placed.text);
    let duplicate = sim.binance("POST", ORDER, &format!("{LIMIT}&newClientOrderId=mine-1")).await.json();
    assert_eq!(duplicate["code"], -4116);
    let amend = "symbol=BTCUSDT&side=BUY&origClientOrderId=mine-1&quantity=0.4&price=59000";
    let amended = sim.binance("PUT", ORDER, amend).await.json();
    assert_eq!((&amended["price"], &amended["origQty"]), (&json!("59000.00"), &json!("0.400")));
    let open = sim.binance("GET", "/binance-usdm/fapi/v1/openOrders", "symbol=BTCUSDT").await.json();
    assert_eq!(open[0]["clientOrderId"], "mine-1");

    let canceled = sim.binance("DELETE", ORDER, "symbol=BTCUSDT&origClientOrderId=mine-1").await.json();
    assert_eq!(canceled["status"], "CANCELED");
    let all = sim.binance("DELETE", "/binance-usdm/fapi/v1/allOpenOrders", "symbol=BTCUSDT").await.json();
    assert_eq!(all["code"], 200);
}

#[tokio::test]
async fn a_position_opens_by_a_fill_and_reduce_only_cannot_turn_it() {
    let sim = trader().await;
    let positions = async || sim.binance("GET", "/binance-usdm/fapi/v3/positionRisk", "").await.json();
    let buy = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.2";
    let reduce = "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=0.5&reduceOnly=true&newOrderRespType=RESULT";

    let nothing = sim.binance("POST", ORDER, reduce).await.json();
    assert_eq!(nothing["code"], -2022);
    let acknowledged = sim.binance("POST", ORDER, buy).await.json();
    assert_eq!(acknowledged["status"], "NEW", "an acknowledgement says nothing of fills");
    assert_eq!(positions().await[0]["positionAmt"], "0.200");
    let reduced = sim.binance("POST", ORDER, reduce).await.json();
    assert_eq!((&reduced["status"], &reduced["executedQty"]), (&json!("FILLED"), &json!("0.200")));
    assert_eq!(positions().await, json!([]));

    let flat = sim.binance("GET", "/binance-usdm/fapi/v2/positionRisk", "symbol=BTCUSDT").await.json();
    assert_eq!(flat[0]["positionAmt"], "0.000");
}

#[tokio::test]
async fn conditional_orders_and_spot_permission_do_not_fit_here() {
    let sim = trader().await;
    let stop = "symbol=BTCUSDT&side=SELL&type=STOP_MARKET&stopPrice=50000&quantity=1";
    assert_eq!(sim.binance("POST", ORDER, stop).await.json()["code"], -4120);

    sim.register("binance-usdm", json!({ "read": true, "trade_spot": true })).await;
    assert_eq!(sim.binance("POST", ORDER, LIMIT).await.json()["code"], -2015);
}

#[tokio::test]
async fn the_probe_is_here_too_and_nothing_else_of_the_wallet() {
    let sim = trader().await;

    let shown = sim.binance("GET", "/binance-usdm/sapi/v1/account/apiRestrictions", "").await.json();
    assert_eq!((&shown["enableFutures"], &shown["enableInternalTransfer"]), (&json!(true), &json!(false)));
    let tripwire = async || sim.control("GET", "/_sim/tripwire", &Value::Null).await;
    assert_eq!(tripwire().await["count"], 0);
    let refused = sim.binance("POST", "/binance-usdm/sapi/v1/asset/transfer", "type=UMFUTURE_MAIN").await.json();
    assert_eq!(refused["code"], -2015);
    assert_eq!((&tripwire().await["count"], &tripwire().await["correctly_signed"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn in_a_batch_each_order_stands_for_itself() {
    let sim = trader().await;
    let batch = r#"[{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.1","price":"60000"},
                    {"symbol":"BTCUSDT","side":"BUY","type":"STOP_MARKET","quantity":"0.1"}]"#;
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();

    let path = "/binance-usdm/fapi/v1/batchOrders";
    let placed = sim.binance("POST", path, &format!("batchOrders={}", encoded(batch))).await.json();
    assert_eq!((&placed[0]["status"], &placed[1]["code"]), (&json!("NEW"), &json!(-4120)));

    let ids = encoded(&format!("[{},1]", placed[0]["orderId"]));
    let canceled = sim.binance("DELETE", path, &format!("symbol=BTCUSDT&orderIdList={ids}")).await.json();
    assert_eq!((&canceled[0]["status"], &canceled[1]["code"]), (&json!("CANCELED"), &json!(-2011)));
}

#[tokio::test]
async fn conditional_orders_live_beside_the_others() {
    let sim = trader().await;
    let stop = "algoType=CONDITIONAL&symbol=BTCUSDT&side=SELL&type=STOP_MARKET&quantity=0.1&triggerPrice=50000&clientAlgoId=stop-1";

    let placed = sim.binance("POST", "/binance-usdm/fapi/v1/algoOrder", stop).await.json();
    assert_eq!((&placed["algoStatus"], &placed["triggerPrice"]), (&json!("NEW"), &json!("50000")));
    assert_eq!(sim.binance("GET", "/binance-usdm/fapi/v1/openOrders", "").await.json(), json!([]));
    sim.binance("DELETE", "/binance-usdm/fapi/v1/allOpenOrders", "symbol=BTCUSDT").await;
    let open = sim.binance("GET", "/binance-usdm/fapi/v1/openAlgoOrders", "").await.json();
    assert_eq!(open[0]["clientAlgoId"], "stop-1");

    let canceled = sim.binance("DELETE", "/binance-usdm/fapi/v1/algoOrder", "clientAlgoId=stop-1").await.json();
    assert_eq!(canceled["code"], "200");
    assert_eq!(sim.binance("GET", "/binance-usdm/fapi/v1/openAlgoOrders", "").await.json(), json!([]));
}
