//! What is refused costs nothing, and a market is the same under each of its names.

use anyhow::Result;
use claviger_e2e::{Call, House, Key, Setup};
use serde_json::json;

use super::{Desk, app, rule};

/// More than Kraken's rate budget lets through at one time.
const REFUSED: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn what_no_grant_allows_takes_nothing_of_the_venues_rate_budget() -> Result<()> {
    let house = Setup::default().config("venues.kraken.rate_limits", true).open().await?;
    let key = house.sim.knows(Key::kraken()).await?;
    let credential = house.app.enrolled(&key).await?;
    let trader = app(&house, "trader", json!({ "operations": ["order.place"] })).await?;

    for _ in 0..REFUSED {
        rule(&trader.execute(&Call::with(&credential, "balances")).await?, "grant.operation")?;
    }

    house.app.acked(&Call::with(&credential, "balances")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_price_is_fetched_for_what_no_price_could_let_through() -> Result<()> {
    let orders = json!({ "collar": { "percent": "5" }, "sides": ["buy"] });
    let desk = Desk::open(json!({ "operations": ["trade"], "orders": orders })).await?;
    let asked = async || {
        let requests = desk.house.sim.all_requests().await?;
        anyhow::Ok(requests.iter().filter(|request| request.path.contains("ticker")).count())
    };

    rule(&desk.app.execute(&desk.order("SELL", "70000")).await?, "order.side")?;
    assert_eq!(asked().await?, 0);
    desk.app.acked(&desk.order("BUY", "30000")).await?;
    assert_eq!(asked().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_lacks_a_price_does_not_hide_what_the_policy_refuses() -> Result<()> {
    let orders = json!({ "notional_max": "100000", "quote": "USDT" });
    let desk = Desk::open(json!({ "operations": ["trade"], "orders": orders })).await?;
    let path = format!("/api/v1/tenants/{}/policies", desk.house.tenant);
    let text = "[[rule]]\nname = \"no-bitcoin\"\norders = { thin = [\"btcusdt\"] }\n";
    desk.house.operator.post(&path, &json!({ "text": text })).await?.ok()?;
    let reason = json!({ "reason": "the test says so" });
    desk.house.operator.ask_for("POST", &format!("{path}/1/activate"), &reason, &[]).await?.ok()?;

    rule(&desk.app.execute(&desk.order("BUY", "30000")).await?, "order.thin")?;

    let requests = desk.house.sim.all_requests().await?;
    assert!(!requests.iter().any(|request| request.path.contains("ticker")), "{requests:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_names_of_one_market_do_not_trade_with_each_other() -> Result<()> {
    let house = House::open().await?;
    let mut credentials = Vec::new();
    for _ in 0..2 {
        let key = house.sim.knows(Key::kraken()).await?;
        credentials.push(house.app.enrolled(&key).await?);
    }
    let path = format!("/api/v1/tenants/{}/policies", house.tenant);
    let text = "[[rule]]\nname = \"apart\"\nno_self_trade = true\norders = { thin = [\"ETH/EUR\"] }\n";
    house.operator.post(&path, &json!({ "text": text })).await?.ok()?;
    let reason = json!({ "reason": "the test says so" });
    house.operator.ask_for("POST", &format!("{path}/1/activate"), &reason, &[]).await?.ok()?;
    let order = |credential: &str, pair, side| {
        let order = Call::with(credential, "order.place").param("pair", pair).param("type", side);
        order.param("ordertype", "limit").param("volume", "0.01").param("price", "70000")
    };

    house.app.acked(&order(&credentials[0], "XBTUSD", "sell")).await?;
    for name in ["XXBTZUSD", "XBT/USD", "BTC/USD", "XBTUSD"] {
        rule(&house.app.execute(&order(&credentials[1], name, "buy")).await?, "self-trade")?;
    }
    rule(&house.app.execute(&order(&credentials[1], "XETHZEUR", "buy")).await?, "order.thin")?;
    Ok(())
}
