//! Rules on orders, by grant and by policy.

use anyhow::Result;
use claviger_e2e::Call;
use serde_json::json;

use super::{Desk, rule};

#[tokio::test(flavor = "multi_thread")]
async fn a_grants_limits_hold_orders_before_they_are_signed() -> Result<()> {
    let grant = json!({
        "operations": ["trade", "read"],
        "orders": {
            "symbols": ["BTCUSDT"], "sides": ["buy"], "types": ["limit"], "quantity_max": "0.02",
            "notional_max": "700", "quote": "USDT",
        },
    });
    let desk = Desk::open(grant).await?;
    let order = |quantity: &str, price: &str| {
        let order = Call::with(&desk.credential, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
        order.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", quantity).param("price", price)
    };

    rule(&desk.app.execute(&desk.order("SELL", "70000")).await?, "order.side")?;
    rule(&desk.app.execute(&order("0.03", "10000")).await?, "order.quantity")?;
    rule(&desk.app.execute(&order("0.02", "35001")).await?, "order.notional")?;
    let market = Call::with(&desk.credential, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
    let market = market.param("type", "MARKET").param("quantity", "0.01");
    rule(&desk.app.execute(&market).await?, "order.type")?;
    let elsewhere = Call::with(&desk.credential, "order.place").param("symbol", "ETHUSDT").param("side", "BUY");
    let elsewhere = elsewhere.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.01");
    rule(&desk.app.execute(&elsewhere.param("price", "3000")).await?, "grant.symbol")?;
    assert_eq!(desk.orders().await?, 0, "what is refused never reaches the venue");

    desk.app.acked(&order("0.02", "35000")).await?;
    assert_eq!(desk.orders().await?, 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collar_follows_the_venues_public_price() -> Result<()> {
    let grant = json!({ "operations": ["trade"], "orders": { "collar": { "percent": "5" } } });
    let desk = Desk::open(grant).await?;
    desk.house.sim.price("binance", "BTCUSDT", "60000").await?;

    rule(&desk.app.execute(&desk.order("BUY", "63100")).await?, "collar.price")?;
    rule(&desk.app.execute(&desk.order("SELL", "56900")).await?, "collar.price")?;
    let market = Call::with(&desk.credential, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
    rule(&desk.app.execute(&market.param("type", "MARKET").param("quantity", "0.01")).await?, "collar.market")?;
    desk.app.acked(&desk.order("BUY", "62900")).await?;
    // Far from the market on the harmless side: it rests.
    desk.app.acked(&desk.order("BUY", "30000")).await?;
    assert_eq!(desk.orders().await?, 2);

    // A venue that does not answer has no price, and an order that nothing can judge is refused.
    let grant = json!({ "operations": ["trade"], "orders": { "collar": { "percent": "5" } } });
    let blind = super::app(&desk.house, "blind", grant).await?;
    desk.house.sim.fault(&json!({ "kind": "status_5xx" })).await?;
    let other = Call::with(&desk.credential, "order.place").param("symbol", "ETHUSDT").param("side", "BUY");
    let other =
        other.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.1").param("price", "3000");
    rule(&blind.execute(&other).await?, "collar.no-price")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_holds_every_app_of_its_tenant_and_no_other() -> Result<()> {
    let desk = Desk::open(json!({ "operations": ["trade"] })).await?;
    let (operator, tenant) = (&desk.house.operator, &desk.house.tenant);
    desk.app.acked(&desk.order("SELL", "70000")).await?;
    let text = "[[rule]]\nname = \"buy-only\"\norders = { sides = [\"buy\"] }\n\n\
                [[rule]]\nname = \"apart\"\nno_self_trade = true\n";
    let path = format!("/api/v1/tenants/{tenant}/policies");

    operator
        .post(&path, &json!({ "text": "[[rule]]\nname = \"x\"\nnonsense = 1\n" }))
        .await?
        .problem(400, "policy_invalid")?;
    let stored = operator.post(&path, &json!({ "text": text })).await?.ok()?;
    assert_eq!((&stored.json()["version"], &stored.json()["in_force"]), (&json!(1), &json!(false)));
    let trial = operator.post(&format!("{path}/test"), &json!({ "text": text })).await?.ok()?.json();
    assert_eq!(trial["requests"], 1);
    assert_eq!(trial["differences"][0]["now"], "allowed");
    assert!(
        trial["differences"][0]["then"].as_str().unwrap().starts_with("order.side (policy 0: buy-only)"),
        "{trial}"
    );
    desk.app.acked(&desk.order("SELL", "70000")).await?;

    // Tighter than no policy at all: one operator puts it into force.
    operator
        .ask_for("POST", &format!("{path}/1/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;
    rule(&desk.app.execute(&desk.order("SELL", "70000")).await?, "order.side")?;
    rule(&desk.house.app.execute(&desk.order("SELL", "70000")).await?, "order.side")?;
    desk.app.acked(&desk.order("BUY", "30000")).await?;
    desk.house.neighbour.app.acked(&Call::limit_order(&desk.house.neighbour.credential, "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_looser_policy_decides_once_a_second_operator_approved_it() -> Result<()> {
    let desk = Desk::open(json!({ "operations": ["trade"] })).await?;
    let (operator, tenant) = (&desk.house.operator, &desk.house.tenant);
    let path = format!("/api/v1/tenants/{tenant}/policies");
    for text in ["[[rule]]\nname = \"buy-only\"\norders = { sides = [\"buy\"] }\n", ""] {
        operator.post(&path, &json!({ "text": text })).await?.ok()?;
    }
    operator
        .ask_for("POST", &format!("{path}/1/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;

    let waiting =
        operator.ask_for("POST", &format!("{path}/2/activate"), &json!({ "reason": "the test says so" }), &[]).await?;
    assert_eq!(waiting.status, 202, "{}", waiting.text());
    rule(&desk.app.execute(&desk.order("SELL", "70000")).await?, "order.side")?;
    operator
        .two_do("POST", &format!("{path}/2/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;
    desk.app.acked(&desk.order("SELL", "70000")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_a_rule_holds_go_once_when_an_operator_approved_them() -> Result<()> {
    let desk = Desk::open(json!({ "operations": ["trade", "read"] })).await?;
    let (operator, tenant) = (&desk.house.operator, &desk.house.tenant);
    let path = format!("/api/v1/tenants/{tenant}/policies");
    operator.post(&path, &json!({ "text": "[[rule]]\nname = \"ask-me\"\napproval = true\n" })).await?.ok()?;
    operator
        .ask_for("POST", &format!("{path}/1/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;
    let order = desk.order("BUY", "30000").once("held-1");

    rule(&desk.app.execute(&order).await?, "approval.needed")?;
    desk.app.acked(&Call::with(&desk.credential, "account")).await?;
    let held = operator.get(&format!("/api/v1/tenants/{tenant}/held")).await?.ok()?.json();
    let id = held["data"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(held["data"][0]["operation"], "order.place");
    operator
        .post(&format!("/api/v1/tenants/{tenant}/held/{id}/approve"), &json!({ "reason": "looks right" }))
        .await?
        .ok()?;

    rule(&desk.app.execute(&desk.order("BUY", "30001").once("held-2")).await?, "approval.needed")?;
    desk.app.acked(&order).await?;
    assert_eq!(desk.orders().await?, 1);
    rule(&desk.app.execute(&desk.order("BUY", "30000").once("held-1b")).await?, "approval.needed")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_of_a_tenant_do_not_trade_with_each_other() -> Result<()> {
    let desk = Desk::open(json!({ "operations": ["trade"] })).await?;
    let (operator, tenant) = (&desk.house.operator, &desk.house.tenant);
    let other_key = desk.house.sim.knows(claviger_e2e::Key::binance()).await?;
    let other = desk.house.app.enrolled(&other_key).await?;
    let path = format!("/api/v1/tenants/{tenant}/policies");
    operator.post(&path, &json!({ "text": "[[rule]]\nname = \"apart\"\nno_self_trade = true\n" })).await?.ok()?;
    operator
        .ask_for("POST", &format!("{path}/1/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;
    let bid = |price: &str| {
        let order = Call::with(&other, "order.place").param("symbol", "BTCUSDT").param("side", "BUY");
        order.param("type", "LIMIT").param("timeInForce", "GTC").param("quantity", "0.01").param("price", price)
    };

    desk.app.acked(&desk.order("SELL", "70000")).await?;
    rule(&desk.app.execute(&bid("70000")).await?, "self-trade")?;
    desk.app.acked(&bid("69999")).await?;
    assert_eq!(desk.house.sim.orders(&other_key).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposed_policy_is_tried_on_recorded_requests_offline() -> Result<()> {
    let desk = Desk::open(json!({ "operations": ["trade", "read"] })).await?;
    desk.app.acked(&desk.order("BUY", "30000")).await?;
    desk.app.acked(&desk.order("SELL", "70000")).await?;
    desk.app.acked(&Call::with(&desk.credential, "account")).await?;
    let operator = &desk.house.operator;
    let record = operator.get(&format!("/api/v1/tenants/{}/policies/requests", desk.house.tenant)).await?.ok()?.text();
    let folder = desk.house.scratch.path();
    let (against, proposed) = (folder.join("requests.ndjson"), folder.join("proposed.toml"));
    std::fs::write(&against, record)?;
    std::fs::write(&proposed, "[[rule]]\nname = \"buy-only\"\norders = { sides = [\"buy\"] }\n")?;

    let test = desk.house.home.claviger(["policy", "test"])?.args([&proposed]).args(["--against"]).args([&against]);
    let told = test.output().await?.ok()?.stdout;

    assert!(told.contains("1 of 3 decisions would change"), "{told}");
    assert!(told.contains("then: order.side (policy 0: buy-only)"), "{told}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_policies_that_were_never_in_force_the_newest_are_kept() -> Result<()> {
    const KEPT: u32 = 200;
    let desk = Desk::open(json!({ "operations": ["trade"] })).await?;
    let (operator, tenant) = (&desk.house.operator, &desk.house.tenant);
    let path = format!("/api/v1/tenants/{tenant}/policies");
    let store = async || operator.post(&path, &json!({ "text": "[[rule]]\nname = \"any\"\n" })).await?.ok();
    store().await?;
    operator
        .ask_for("POST", &format!("{path}/1/activate"), &json!({ "reason": "the test says so" }), &[])
        .await?
        .ok()?;

    for version in 2..=KEPT + 2 {
        assert_eq!(store().await?.json()["version"], version);
    }

    let mut found = Vec::new();
    for version in 1..=3 {
        found.push(operator.get(&format!("{path}/{version}")).await?.status);
    }
    assert_eq!(found, [200, 404, 200], "the first was in force");
    Ok(())
}
