//! Operators whose role shows only what needs a look.

use anyhow::Result;
use claviger_e2e::{Call, House, Key, Operator, PASSWORD};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_flagged_things_sees_nothing_that_is_well() -> Result<()> {
    let house = House::open().await?;
    let (well, frozen) = (enrolled(&house).await?, enrolled(&house).await?);
    house.operator.act(&house.tenant, &frozen, "freeze").await?.ok()?;
    let acked = house.app.acked(&Call::limit_order(&well, "binance")).await?.text_at("/id")?;
    let nonsense = Call::with(&well, "order.cancel").param("symbol", "BTCUSDT").param("orderId", "1");
    let rejected = house.app.execute(&nonsense).await?.ok()?.text_at("/id")?;
    let watcher = watcher(&house).await?;
    let (credentials, executions) = (at(&house, "credentials"), at(&house, "executions"));

    assert_eq!(house.operator.get(&credentials).await?.ok()?.ids().len(), 2);
    assert_eq!(house.operator.get(&executions).await?.ok()?.ids().len(), 2);
    assert_eq!(watcher.get(&credentials).await?.ok()?.ids(), [frozen.as_str()]);
    assert_eq!(watcher.get(&executions).await?.ok()?.ids(), [rejected.as_str()]);
    watcher.get(&format!("{credentials}/{frozen}")).await?.ok()?;
    watcher.get(&format!("{credentials}/{well}")).await?.problem(404, "not_found")?;
    watcher.get(&format!("{executions}/{rejected}")).await?.ok()?;
    watcher.get(&format!("{executions}/{acked}")).await?.problem(404, "not_found")?;

    // What was well is shown from the moment that it is not.
    house.operator.act(&house.tenant, &well, "reduce-only").await?.ok()?;
    watcher.get(&format!("{credentials}/{well}")).await?.ok()?;
    Ok(())
}

async fn enrolled(house: &House) -> Result<String> {
    house.app.enrolled(&house.sim.knows(Key::binance()).await?).await
}

/// An operator with a role of that kind.
async fn watcher(house: &House) -> Result<Operator> {
    let reason = "somebody has to watch";
    let role = json!({ "permissions": ["credential.read", "execution.read"], "flagged_only": true, "reason": reason });
    house.operator.two_do("PUT", "/api/v1/roles/watch", &role, &[]).await?.ok()?;
    let operator = json!({ "name": "watcher", "role": "watch", "reason": reason });
    let asked = house.operator.ask_for("POST", "/api/v1/operators", &operator, &[]).await?.ok()?;
    let approve = format!("/api/v1/approvals/{}/approve", asked.text_at("/id")?);
    let approved = house.operator.second()?.post(&approve, &json!({ "reason": reason })).await?.ok()?;
    let invitation = format!("{}.{}", asked.text_at("/invitation")?, approved.text_at("/invitation")?);
    let accept = json!({ "invitation": invitation, "password": PASSWORD });
    house.operator.client().call("POST", "/api/v1/factors", None, Some(&accept)).await?.ok()?;
    Operator::log_in(&house.home.ready_file(), "watcher", PASSWORD).await
}

fn at(house: &House, what: &str) -> String {
    format!("/api/v1/tenants/{}/{what}", house.tenant)
}
