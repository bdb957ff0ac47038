//! The same, one thing at a time: what holds after the kill of each process.

use anyhow::{Context as _, Result};
use claviger_e2e::{Call, House, Key, Role};
use serde_json::json;

use super::storm::killed;

const ROLES: [Role; 3] = [Role::Supervisor, Role::Front, Role::Keeper];

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_remembered() -> Result<()> {
    let mut house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    let order = Call::limit_order(&credential, "binance").once("order-1");
    let first = house.app.acked(&order).await?;
    for role in ROLES {
        house = after_kill(house, role).await?;

        let again = house.app.acked(&order).await?;

        assert_eq!(again.json(), first.json(), "{role:?}");
        assert_eq!(again.header("idempotent-replayed"), "true", "{role:?}");
        let another = Call::limit_order(&credential, "binance").named("binance", "another").once("order-1");
        assert_eq!(house.app.execute(&another).await?.code(), "idempotency_key_reused", "{role:?}");
        assert_eq!(house.sim.orders(&key).await?.len(), 1, "{role:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_on_its_way_is_unknown_and_not_placed_again() -> Result<()> {
    // The keeper is not needed any more once the order is at the venue.
    for role in [Role::Supervisor, Role::Front] {
        let house = House::open().await?;
        let key = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&key).await?;
        let order = Call::limit_order(&credential, "binance").once("order-1");
        house.sim.fault(&json!({ "kind": "slow", "key_id": key.key_id, "delay_ms": 30_000, "count": 1 })).await?;

        let House { app, sim, server, home, .. } = house;
        let (cut, server) = tokio::join!(app.execute(&order), async {
            claviger_e2e::until("the order to be at the venue", async || {
                sim.orders(&key).await?.pop().context("it is not there")
            })
            .await?;
            killed(server, role, &home).await
        });
        assert!(cut.is_err(), "{role:?}: {cut:?}");
        let again = app.execute(&order).await?;

        // Nobody knows, until the venue was asked for it.
        let known = (again.status, again.json()["state"].clone());
        assert!([(202, json!("unknown")), (200, json!("acked"))].contains(&known), "{role:?}: {}", again.text());
        assert_eq!(sim.orders(&key).await?.len(), 1, "{role:?}");
        server?.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nonces_go_on_rising() -> Result<()> {
    let mut house = House::open().await?;
    let key = house.sim.knows(Key::kraken()).await?;
    let credential = house.app.enrolled(&key).await?;
    for role in ROLES.into_iter().cycle().take(6) {
        for _ in 0..5 {
            house.app.acked(&Call::with(&credential, "balances")).await?;
        }
        house = after_kill(house, role).await?;
    }
    house.app.acked(&Call::with(&credential, "balances")).await?;

    let nonces = nonces(&house, &key).await?;
    assert!(nonces.len() > 30, "{nonces:?}");
    assert!(nonces.is_sorted_by(|earlier, later| earlier < later), "{nonces:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stopped_stays_stopped() -> Result<()> {
    let mut house = House::open().await?;
    let mut stopped = Vec::new();
    for (act, status, rule) in [("freeze", 403, "state.frozen"), ("revoke", 403, "state.revoked"), ("delete", 404, "")]
    {
        let key = house.sim.knows(Key::binance()).await?;
        let credential = house.app.enrolled(&key).await?;
        if act == "delete" {
            let reason = json!({ "reason": "the test says so" });
            house.operator.act_if_unchanged(&house.tenant, &credential, act, &reason).await?.ok()?;
        } else {
            house.operator.act(&house.tenant, &credential, act).await?.ok()?;
        }
        stopped.push((key, credential, status, rule));
    }
    let app = house.operator.make_app(&house.home.ready_file(), &house.tenant, "second-desk").await?;
    let path = format!("/api/v1/tenants/{}/apps/{}/revoke", house.tenant, app.id);
    house.operator.post(&path, &json!({ "reason": "the test says so" })).await?.ok()?;

    for role in ROLES {
        house = after_kill(house, role).await?;
        for (key, credential, status, rule) in &stopped {
            let refused = house.app.execute(&Call::limit_order(credential, "binance")).await?;
            let told = (refused.status, refused.text_at("/rule").unwrap_or_default());
            assert_eq!(told, (*status, (*rule).to_owned()), "{role:?}: {}", refused.text());
            assert_eq!(house.sim.orders(key).await?.len(), 0, "{role:?}");
        }
        assert_eq!(app.get("/api/v1/credentials").await?.status, 401, "{role:?}");
        house.neighbour.app.acked(&Call::with(&house.neighbour.credential, "account")).await?;
    }
    Ok(())
}

async fn after_kill(house: House, role: Role) -> Result<House> {
    Ok(House { server: killed(house.server, role, &house.home).await?, ..house })
}

/// The nonces that a venue was sent, in the order in which they came in.
async fn nonces(house: &House, key: &Key) -> Result<Vec<u64>> {
    let mut nonces = Vec::new();
    for request in house.sim.raw().await? {
        let sent_by = |pair: &serde_json::Value| pair.get(1).is_some_and(|value| *value == json!(key.key_id));
        let headers = request.get("headers").and_then(serde_json::Value::as_array).context("no headers")?;
        if headers.iter().any(sent_by) {
            let body = request.get("body").and_then(serde_json::Value::as_str).context("no body")?;
            let nonce = body.split('&').find_map(|pair| pair.strip_prefix("nonce=")).context("no nonce")?;
            nonces.push(nonce.parse()?);
        }
    }
    Ok(nonces)
}
