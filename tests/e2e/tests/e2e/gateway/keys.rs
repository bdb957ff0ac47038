//! Virtual keys: made, shown once, listed, revoked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{App, ClientPair, House, VirtualKey, now_ms, until};
use serde_json::json;

use super::scenes::{Says, Scene};
use super::{Desk, good};

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_is_shown_once_and_only_to_its_own() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    let (house, client) = (&desk.house, &desk.client);
    let other = house.operator.make_app(&house.home.ready_file(), &house.tenant, "second-desk").await?;
    assert!(client.key_id.len() == 64 && client.secret.len() == 64 && client.key_id.starts_with("clv"), "{client:?}");

    let own = house.app.get("/api/v1/virtual-keys").await?.ok()?;
    let operators = house.operator.get(&at(&house.tenant, "")).await?.ok()?;
    for list in [&own, &operators] {
        assert_eq!(list.ids(), [client.id.as_str()]);
        assert!(list.text().contains(&client.key_id) && !list.text().contains(&client.secret), "{}", list.text());
    }
    let of = |id: &str| format!("{}?credential={id}", at(&house.tenant, ""));
    assert_eq!(house.operator.get(&of(&desk.credential)).await?.ok()?.ids(), [client.id.as_str()]);
    assert_eq!(house.operator.get(&of(&house.neighbour.credential)).await?.ok()?.ids(), [""; 0]);
    house.operator.get(&of("all")).await?.problem(400, "query_invalid")?;
    for stranger in [&other, &house.neighbour.app] {
        assert_eq!(stranger.get("/api/v1/virtual-keys").await?.ok()?.ids(), [""; 0]);
        let path = format!("/api/v1/virtual-keys/{}", client.id);
        stranger.call("DELETE", &path, None).await?.problem(404, "not_found")?;
    }
    let elsewhere = at(&house.neighbour.tenant, &client.id);
    house.operator.call("DELETE", &elsewhere, None).await?.problem(404, "not_found")?;

    let entries = house.operator.audit(&house.tenant).await?;
    let made: Vec<_> = entries.iter().filter(|entry| entry["action"] == "virtual-key.create").collect();
    ensure!(made.len() == 1 && !made[0].to_string().contains(&client.secret), "{made:?}");
    good(desk.scene, &desk.send(&desk.scene.balances()).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_key_is_for_what_its_maker_may_use() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    let house = &desk.house;
    let make = |credential: &str| json!({ "credential": credential, "label": "" });
    for credential in [&house.neighbour.credential, "cred_00000000000000000000000000"] {
        let refused = house.app.call("POST", "/api/v1/virtual-keys", Some(&make(credential))).await?;
        refused.problem(404, "not_found")?;
    }
    // An app without a grant for the credential does not get to know that there is one.
    let app =
        house.operator.post(&format!("/api/v1/tenants/{}/apps", house.tenant), &json!({ "name": "bare" })).await?;
    let (id, secret) = (app.text_at("/id")?, app.text_at("/secret")?);
    let bare = App::log_in(&house.home.ready_file(), &id, &secret).await?;
    bare.call("POST", "/api/v1/virtual-keys", Some(&make(&desk.credential))).await?.problem(404, "not_found")?;
    // Nor does it make keys for others, and operators say for whom.
    let for_other = json!({ "credential": desk.credential, "app": house.app.id });
    bare.call("POST", "/api/v1/virtual-keys", Some(&for_other)).await?.problem(404, "not_found")?;
    let path = at(&house.tenant, "");
    house.operator.post(&path, &make(&desk.credential)).await?.problem(400, "app_missing")?;
    let theirs = json!({ "credential": desk.credential, "app": house.neighbour.app.id });
    house.operator.post(&path, &theirs).await?.problem(404, "not_found")?;
    let nonsense = json!({ "credential": desk.credential, "public_key": "-----BEGIN PUBLIC KEY-----" });
    house.app.call("POST", "/api/v1/virtual-keys", Some(&nonsense)).await?.problem(400, "public_key_invalid")?;
    let kraken = Desk::open(Scene::of("kraken")).await?;
    let unsupported = json!({ "credential": kraken.credential, "public_key": ClientPair::ed25519()?.public_key()? });
    let refused = kraken.house.app.call("POST", "/api/v1/virtual-keys", Some(&unsupported)).await?;
    refused.problem(400, "public_key_unsupported")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_make_list_and_revoke_on_the_command_line() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    let (house, scene) = (&desk.house, desk.scene);
    house.log_in().await?;
    let create = house.home.client(["--json", "virtual-key", "create", &house.app.id, &desk.credential])?;
    let made = create.args(["--label", "by-hand"]).output().await?.ok()?.json()?;
    let client = VirtualKey::shown(&made, None)?;
    good(scene, &client.send(desk.door(), &scene.balances()).await?)?;

    let pair = ClientPair::ed25519()?;
    let file = house.home.beside("client.pem");
    std::fs::write(&file, pair.public_key()?)?;
    let create =
        house.home.client(["--json", "virtual-key", "create", &house.app.id, &desk.credential, "--public-key"])?;
    let own = VirtualKey::shown(&create.args([&file]).output().await?.ok()?.json()?, Some(pair))?;
    good(scene, &own.send(desk.door(), &scene.balances()).await?)?;

    let list = house.home.client(["virtual-key", "list"])?.output().await?.ok()?.stdout;
    for key in [&client, &own, &desk.client] {
        assert!(list.contains(&key.id), "{list}");
    }
    assert!(list.contains("ed25519") && !list.contains(&client.secret), "{list}");
    house.home.client(["virtual-key", "revoke", &client.id])?.output().await?.ok()?;
    house.home.client(["virtual-key", "revoke", &client.id])?.output().await?.exits(4)?;
    desk.refused(&client.send(desk.door(), &scene.balances()).await?, Says::UnknownKey, "virtual_key_unknown")?;
    good(scene, &own.send(desk.door(), &scene.balances()).await?)?;
    let list = house.home.client(["virtual-key", "list"])?.output().await?.ok()?.stdout;
    assert!(!list.contains(&client.id), "{list}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_carried_out_after_the_answer_of_a_revoke() -> Result<()> {
    for by_app in [true, false] {
        let desk = Arc::new(Desk::open(Scene::of("binance")).await?);
        let (accepted, refused, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::default());
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..64 {
            let counts = (Arc::clone(&accepted), Arc::clone(&refused), Arc::clone(&stop));
            let desk = Arc::clone(&desk);
            callers.spawn(async move { spin(&desk, caller, &counts.0, &counts.1, &counts.2).await });
        }
        reaches("orders placed", &accepted, 300).await?;

        let path = format!("/api/v1/virtual-keys/{}", desk.client.id);
        if by_app {
            desk.house.app.call("DELETE", &path, None).await?.ok()?;
        } else {
            desk.house.operator.call("DELETE", &at(&desk.house.tenant, &desk.client.id), None).await?.ok()?;
        }
        let answered_ms = now_ms();

        let so_far = refused.load(Ordering::Relaxed);
        reaches("orders refused", &refused, so_far + 640).await?;
        stop.store(true, Ordering::Relaxed);
        while let Some(caller) = callers.join_next().await {
            caller??;
        }
        for order in desk.house.sim.orders(&desk.key).await? {
            let signed_ms: u64 = order.params["timestamp"].as_str().context("a timestamp")?.parse()?;
            ensure!(signed_ms <= answered_ms, "{order:?} was signed after {answered_ms}");
        }
        // The credential itself goes on.
        let another = VirtualKey::made(&desk.house.app, &desk.credential, None).await?;
        good(desk.scene, &another.send(desk.door(), &desk.scene.place("after")).await?)?;
    }
    Ok(())
}

async fn spin(desk: &Desk, caller: u32, accepted: &AtomicU64, refused: &AtomicU64, stop: &AtomicBool) -> Result<()> {
    for count in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let reply = desk.send(&desk.scene.place(&format!("c{caller}-{count}"))).await?;
        match (reply.status, reply.header("x-claviger-rule")) {
            (200, "") => accepted.fetch_add(1, Ordering::Relaxed),
            (401, "virtual_key_unknown" | "state.virtual-key-stopped") => refused.fetch_add(1, Ordering::Relaxed),
            // Shed load, or stopped while it was on its way: nothing was signed.
            (503, "overloaded" | "keeper_unavailable") => continue,
            _ => anyhow::bail!("status {}: {:?}: {}", reply.status, reply.headers, reply.text()),
        };
    }
    Ok(())
}

async fn reaches(what: &str, count: &AtomicU64, enough: u64) -> Result<()> {
    until(what, async || {
        let count = count.load(Ordering::Relaxed);
        ensure!(count >= enough, "{count} so far");
        Ok(())
    })
    .await
}

/// An operator's path to a tenant's virtual keys, or to one.
fn at(tenant: &str, id: &str) -> String {
    let path = format!("/api/v1/tenants/{tenant}/virtual-keys");
    if id.is_empty() { path } else { format!("{path}/{id}") }
}

/// What was there before the gateway was touched is there afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn virtual_keys_survive_a_crash_and_go_with_their_app() -> Result<()> {
    let desk = Desk::open(Scene::of("kraken")).await?;
    good(desk.scene, &desk.send(&desk.scene.balances()).await?)?;
    let Desk { house, scene, key, credential, client } = desk;
    let house: House = house.crash().await?;
    let desk = Desk { house, scene, key, credential, client };
    desk.door().hang_up();
    good(scene, &desk.send(&scene.balances()).await?)?;

    let (house, reason) = (&desk.house, json!({ "reason": "the test says so" }));
    house
        .operator
        .post(&format!("/api/v1/tenants/{}/apps/{}/revoke", house.tenant, house.app.id), &reason)
        .await?
        .ok()?;
    desk.refused(&desk.send(&scene.balances()).await?, Says::UnknownKey, "virtual_key_unknown")
}
