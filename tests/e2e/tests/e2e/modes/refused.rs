use anyhow::Result;
use claviger_e2e::{Call, House, Key, Server, Setup};
use serde_json::{Value, json};

use super::{Born, birth, delete, private_keys};

#[tokio::test(flavor = "multi_thread")]
async fn a_born_key_stays_pending_until_the_venue_speaks_for_it() -> Result<()> {
    let house = House::open().await?;
    let born = Born::at(&house, "binance", "ed25519").await?;

    let unknown = born.activate(&house, &born.key()?).await?;
    let withdraws = house.sim.knows(born.key().map(|key| key.that_may("withdraw"))).await?;
    let objected = born.activate(&house, &withdraws).await?;
    let path = format!("/api/v1/credentials/{}", born.id);
    let (activate, by) = (format!("{path}/activate"), json!({ "key_id": withdraws.key_id }));
    let neighbours = house.neighbour.app.call("POST", &activate, Some(&by)).await?;
    let still = house.app.get(&path).await?.ok()?;
    let probed = house.operator.act(&house.tenant, &born.id, "probe").await?;
    house.operator.act(&house.tenant, &born.id, "freeze").await?.ok()?;
    let frozen = born.activate(&house, &withdraws).await?;
    let reason = json!({ "reason": "the test says so" });
    house.operator.act_if_unchanged(&house.tenant, &born.id, "unfreeze", &reason).await?.ok()?;
    let thawed = house.app.get(&path).await?.ok()?;
    let key = born.used(&house).await?;
    let again = born.activate(&house, &key).await?;
    let taken = Born::at(&house, "binance", "rsa").await?.activate(&house, &key).await?;

    unknown.problem(400, "key_dead")?;
    assert_eq!(objected.status, 422, "{}", objected.text());
    assert!(objected.json()["objections"].as_array().is_some_and(|all| !all.is_empty()), "{}", objected.text());
    neighbours.problem(404, "not_found")?;
    assert_eq!(still.json()["state"], "pending");
    probed.problem(409, "not_activated")?;
    frozen.problem(409, "stopped")?;
    assert_eq!(thawed.json()["state"], "pending", "what was never proven is not active by being unfrozen");
    again.problem(409, "activated")?;
    taken.problem(409, "already_enrolled")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_held_that_way_is_refused_in_words() -> Result<()> {
    let house = House::open().await?;
    let ed25519 = house.sim.knows(Key::binance_ed25519().map(Key::resident)).await?;
    let with = |name: &str, value: Value| {
        let mut body = birth("binance", "rsa");
        body[name] = value;
        body
    };
    let cases = [
        (ed25519.enrollment(), 400, "mode_unsupported"),
        (birth("kraken", "ed25519"), 400, "kind_unsupported"),
        (with("key_id", json!("abc")), 400, "body_invalid"),
        (with("secret", json!("abc")), 400, "body_invalid"),
        (with("key_type", json!("p256")), 400, "body_invalid"),
        (with("mode", json!("hsm-born")), 400, "body_invalid"),
        (with("mode", json!("resident")), 400, "body_invalid"),
    ];
    for (body, status, code) in cases {
        house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.problem(status, code)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_room_for_so_many_keys() -> Result<()> {
    let house = Setup::default().config("hsm.objects_max", 1).open().await?;
    let before = private_keys(&house.home)?;
    let one = Born::at(&house, "binance", "ed25519").await?;

    let body = birth("binance", "ed25519");
    let full = house.app.call("POST", "/api/v1/credentials", Some(&body)).await?;
    // Those that the token wraps take no room in it.
    Born::at(&house, "binance", "rsa").await?;
    delete(&house, &one.id).await?.ok()?;
    Born::at(&house, "binance", "ed25519").await?;

    full.problem(409, "token_full")?;
    assert_eq!(private_keys(&house.home)?.len(), before.len() + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_token_lost_signs_nothing() -> Result<()> {
    let house = House::open().await?;
    let before = private_keys(&house.home)?;
    let born = Born::at(&house, "binance", "ed25519").await?;
    let key = born.used(&house).await?;

    let House { app, tenant, neighbour, operator, server, sim, home, scratch } = house;
    server.stop().await?;
    for object in private_keys(&home)?.difference(&before) {
        std::fs::remove_file(object)?;
    }
    let server = Server::start(&home).await?;
    let house = House { app, tenant, neighbour, operator, server, sim, home, scratch };
    let refused = house.app.execute(&Call::limit_order(&born.id, "binance")).await?;
    // Everything else goes on.
    let other = house.sim.knows(Key::binance().map(Key::resident)).await?;
    let credential = house.app.enrolled(&other).await?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;

    refused.problem(503, "token_unavailable")?;
    assert_eq!(house.sim.orders(&key).await?.len(), 0);
    Ok(())
}
