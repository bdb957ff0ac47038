//! Prices that a test sets: the public sees them, orders do not.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::client::Sim;

/// A symbol of each venue that shows its prices in public, its ticker, and where in the answer bid and offer stand.
const TICKERS: &[(&str, &str, &str, [&str; 2])] = &[
    ("binance", "BTCUSDT", "/api/v3/ticker/bookTicker?symbol=BTCUSDT", ["/bidPrice", "/askPrice"]),
    ("binance-usdm", "BTCUSDT", "/fapi/v1/premiumIndex?symbol=BTCUSDT", ["/markPrice", "/markPrice"]),
    ("bitmex", "XBTUSD", "/api/v1/instrument?symbol=XBTUSD", ["/0/bidPrice", "/0/askPrice"]),
    (
        "bybit",
        "BTCUSDT",
        "/v5/market/tickers?category=spot&symbol=BTCUSDT",
        ["/result/list/0/bid1Price", "/result/list/0/ask1Price"],
    ),
    ("kraken", "XBT/USD", "/0/public/Ticker?pair=XBT/USD", ["/result/XXBTZUSD/b/0", "/result/XXBTZUSD/a/0"]),
    ("kraken-futures", "PF_XBTUSD", "/derivatives/api/v3/tickers/PF_XBTUSD", ["/ticker/bid", "/ticker/ask"]),
    ("mexc", "BTCUSDT", "/api/v3/ticker/bookTicker?symbol=BTCUSDT", ["/bidPrice", "/askPrice"]),
    ("mexc-contract", "BTC_USDT", "/api/v1/contract/ticker?symbol=BTC_USDT", ["/data/bid1", "/data/ask1"]),
    ("okx", "BTC-USDT", "/api/v5/market/ticker?instId=BTC-USDT", ["/data/0/bidPx", "/data/0/askPx"]),
];

/// Bid and offer of the ticker.
async fn shown(sim: &Sim, venue: &str, path: &str, pointers: [&str; 2]) -> [Decimal; 2] {
    let answer = sim.get(&format!("/{venue}{path}")).await.json();
    pointers.map(|pointer| {
        let figure = answer.pointer(pointer).unwrap();
        figure.as_str().map_or_else(|| figure.to_string(), ToOwned::to_owned).parse().unwrap()
    })
}

#[tokio::test]
async fn a_price_that_is_set_is_shown_until_it_is_cleared() {
    let sim = Sim::start().await;
    for (venue, symbol, path, pointers) in TICKERS.iter().copied() {
        assert_eq!(shown(&sim, venue, path, pointers).await, [Decimal::from(65_000); 2], "{venue}");
        let price = json!({ "venue": venue, "symbol": symbol, "price": "40000.5" });
        let set = sim.control("POST", "/_sim/prices", &price).await;
        assert_eq!((&set["venue"], &set["price"]), (&price["venue"], &price["price"]));
        assert_eq!(shown(&sim, venue, path, pointers).await, [Decimal::new(400_005, 1); 2], "{venue}");
    }
    sim.control("DELETE", "/_sim/prices", &Value::Null).await;
    for (venue, _, path, pointers) in TICKERS.iter().copied() {
        assert_eq!(shown(&sim, venue, path, pointers).await, [Decimal::from(65_000); 2], "{venue}");
    }
}

#[tokio::test]
async fn other_symbols_and_orders_stay_as_they_are() {
    let sim = Sim::start().await;
    sim.register("binance", json!({ "read": true, "trade_spot": true })).await;
    sim.control("POST", "/_sim/prices", &json!({ "venue": "binance", "symbol": "BTCUSDT", "price": "1" })).await;

    let ether = sim.get("/binance/api/v3/ticker/price?symbol=ETHUSDT").await.json();
    let linear = sim.get("/binance-usdm/fapi/v1/ticker/price?symbol=BTCUSDT").await.json();
    let order = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&newOrderRespType=FULL";
    let filled = sim.binance("POST", "/binance/api/v3/order", order).await.json();

    assert_eq!((&ether["price"], &linear["price"]), (&json!("3200.00000000"), &json!("65000.00")));
    assert_eq!(filled["cummulativeQuoteQty"], "65000.00000000");
}

#[tokio::test]
async fn a_price_nobody_would_see_is_refused() {
    let sim = Sim::start().await;
    for (venue, symbol, price) in [
        ("nowhere", "BTCUSDT", "1"),
        ("binance", "BTCUSD", "1"),
        ("oanda", "EUR_USD", "1"),
        ("binance", "BTCUSDT", "0"),
        ("binance", "BTCUSDT", "-1"),
        ("binance", "BTCUSDT", "many"),
    ] {
        let body = json!({ "venue": venue, "symbol": symbol, "price": price }).to_string();
        let request = hyper::Request::post("/_sim/prices").body(body.into()).unwrap();
        assert_eq!(sim.send(request).await.unwrap().status, 400, "{venue} {symbol} {price}");
    }
}
