//! What an operator sees at a glance.

use anyhow::{Result, ensure};
use claviger_e2e::{Call, House, Key, until};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_overview_says_what_goes_on_and_what_waits() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    let scope = json!({ "kind": "credential", "tenant": house.tenant, "id": credential });
    let incident =
        json!({ "severity": "low", "title": "somebody asked", "summary": "it is looked at", "scope": scope });
    house.operator.post("/api/v1/incidents", &incident).await?.ok()?;
    let operator = json!({ "name": "cy", "role": "viewer", "reason": "somebody has to watch" });
    house.operator.ask_for("POST", "/api/v1/operators", &operator, &[]).await?.ok()?;

    // The neighbour's execution is counted too: what an operator sees at a glance is of all tenants.
    let seen = until("a full second", async || {
        let seen = house.operator.get("/api/v1/overview").await?.ok()?.json();
        ensure!(seen["last_minute"] == json!({ "executions": 2, "denials": 0 }), "{seen}");
        Ok(seen)
    })
    .await?;
    assert_eq!((&seen["ready"], &seen["parts"]["token"]), (&json!(true), &json!("ok")), "{seen}");
    assert_eq!((&seen["incidents"]["open"], &seen["incidents"]["nearest"]["clock"]), (&json!(1), &json!("publish")));
    assert_eq!((&seen["approvals_waiting"], &seen["venues"][0]["gap"]), (&json!(1), &json!(null)), "{seen}");
    assert!(seen["started_at"].as_str() < seen["now"].as_str(), "{seen}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_counted_by_their_rules() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    for _ in 0..3 {
        house.app.execute(&Call::limit_order(&credential, "binance")).await?.problem(403, "policy_denied")?;
    }

    let of = |tenant: &str| format!("/api/v1/tenants/{tenant}/denials");
    let own = house.operator.get(&of(&house.tenant)).await?.ok()?.json();
    assert_eq!((&own["data"][0]["rule"], &own["data"][0]["count"]), (&json!("state.frozen"), &json!(3)), "{own}");
    assert_eq!(house.operator.get(&of(&house.neighbour.tenant)).await?.ok()?.json()["data"], json!([]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_settings_are_listed_without_secrets() -> Result<()> {
    let house = House::open().await?;
    let jobs = house.operator.get("/api/v1/jobs").await?.ok()?.json();
    let of = |name: &str| jobs["data"].as_array().into_iter().flatten().find(|job| job["name"] == name).cloned();
    for (name, state) in [("root key", "idle"), ("backups", "off"), ("health monitor", "running")] {
        assert_eq!(of(name).map(|job| job["state"].clone()), Some(json!(state)), "{name} in {jobs}");
    }

    let settings = house.operator.get("/api/v1/settings").await?.ok()?;
    let pin = std::fs::read_to_string(house.home.file("token/pin"))?;
    assert!(!settings.text().contains(pin.trim()), "{}", settings.text());
    let all = settings.json();
    let of = |key: &str| all["data"].as_array().into_iter().flatten().find(|one| one["key"] == key).cloned();
    assert_eq!(of("hsm.pin_file").map(|one| one["origin"].clone()), Some(json!("file")), "{all}");
    assert_eq!(of("health.cycle_seconds").map(|one| one["value"].clone()), Some(json!("900")), "{all}");
    Ok(())
}
