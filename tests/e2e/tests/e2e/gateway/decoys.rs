//! Decoys: nobody can tell one from a revoked key, nothing comes of one, and the first use says where it leaked from.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Ask, House, Reply, VirtualKey, now_ms, until};
use serde_json::{Value, json};

use super::Desk;
use super::scenes::{Says, Scene};

const PLANTED: &str = "wiki page of the desk, second table";

#[tokio::test(flavor = "multi_thread")]
async fn a_decoy_is_answered_as_a_revoked_key_and_names_where_it_leaked_from() -> Result<()> {
    for venue in ["binance", "okx", "oanda"] {
        told_apart_by_nobody(Scene::of(venue)).await.context(venue)?;
    }
    Ok(())
}

async fn told_apart_by_nobody(scene: &'static Scene) -> Result<()> {
    let desk = Desk::open(scene).await?;
    let house = &desk.house;
    let (decoy, made) = planted(house, scene.venue).await?;
    let revoked = VirtualKey::made(&house.app, &desk.credential, None).await?;
    house.app.call("DELETE", &format!("/api/v1/virtual-keys/{}", revoked.id), None).await?.ok()?;
    let forms = |key: &VirtualKey| {
        [&key.key_id, &key.secret, &key.passphrase].map(|text| (text.len(), text.get(..3) == Some("clv")))
    };
    assert_eq!(forms(&decoy), forms(&revoked));

    let place = scene.place("never");
    let mut shown = Vec::new();
    for key in [&decoy, &revoked] {
        let reply = key.send(desk.door(), &place).await?;
        desk.refused(&reply, Says::UnknownKey, "virtual_key_unknown")?;
        shown.push(looks(&reply));
    }
    assert_eq!(shown[0], shown[1]);
    assert_eq!(desk.placed().await?, [""; 0]);

    let alarm = alarm(house).await?;
    let detail = &alarm["detail"];
    assert_eq!(
        (&detail["label"], &detail["venue"], &detail["uses"]),
        (&json!(PLANTED), &json!(scene.venue), &json!("1"))
    );
    let path = place.path.as_str();
    assert_eq!(
        (&detail["path"], &alarm["ip_address"], &alarm["resource_id"]),
        (&json!(path), &json!("127.0.0.1"), &made["id"])
    );
    ensure!(!alarm.to_string().contains(&decoy.secret), "{alarm}");
    let opened = until("the incident", async || {
        let all = house.operator.get("/api/v1/incidents").await?.ok()?.json();
        all["data"].get(0).cloned().context("none is open")
    })
    .await?;
    assert_eq!((&opened["opened_by"], &opened["tenant"]), (&json!("detector decoy"), &json!(house.tenant)), "{opened}");
    let id = opened["id"].as_str().context("no id")?;
    let timeline = house.operator.get(&format!("/api/v1/incidents/{id}/timeline")).await?.ok()?.text();
    ensure!(timeline.contains(PLANTED), "{timeline}");
    let secret: &[u8] = decoy.secret.as_bytes();
    let stored = std::fs::read(house.home.file("claviger.redb"))?;
    ensure!(!stored.windows(secret.len()).any(|bytes| bytes == secret), "what looks like a secret is stored");
    Ok(())
}

/// Signed too late, not signed at all, at a venue that it is not for: whatever names it is a use, and there is one entry.
#[tokio::test(flavor = "multi_thread")]
async fn every_use_of_a_decoy_counts_and_the_log_is_not_flooded() -> Result<()> {
    let desk = Desk::open(Scene::of("binance")).await?;
    let house = &desk.house;
    let (decoy, made) = planted(house, "binance").await?;
    let place = || desk.scene.place("never");
    decoy.sign_at(decoy.arranged(&place()), now_ms() - 3_600_000)?.send(desk.door()).await?;
    for path in ["/api/v3/account", "/api/v3/ping", "/nonsense", "//"] {
        let mut unsigned = decoy.arranged(&Ask::new("GET", path, &[]));
        unsigned.set("X-MBX-APIKEY", &decoy.key_id);
        unsigned.send(desk.door()).await?;
        unsigned.prefix = "/gateway/binance-usdm".to_owned();
        unsigned.send(desk.door()).await?;
    }
    for _ in 0..40 {
        decoy.send(desk.door(), &place()).await?;
    }
    let counted = async || {
        let listed = house.operator.get(&at(house, "")).await?.ok()?.json();
        Ok::<_, anyhow::Error>(listed["data"][0].clone())
    };
    until("the alarm", async || {
        ensure!(counted().await?["uses"].as_u64() > Some(0));
        Ok(())
    })
    .await?;
    ensure!(alarms(house).await?.len() == 1);
    // What was not written down yet is when the server stops.
    let Desk { house, .. } = desk;
    let house = house.restart().await?;
    let alarms = alarms(&house).await?;
    ensure!(alarms.len() <= 2, "{alarms:?}");

    let gone = at(&house, made["id"].as_str().context("no id")?);
    house.operator.call("DELETE", &gone, None).await?.ok()?;
    house.operator.call("DELETE", &gone, None).await?.problem(404, "not_found")?;
    decoy.send(&VirtualKey::client(&house.home.ready_file())?, &Scene::of("binance").place("never")).await?;
    let entries = house.operator.audit(&house.tenant).await?;
    ensure!(entries.iter().any(|entry| entry["action"] == "decoy.delete"));
    ensure!(self::alarms(&house).await?.len() == alarms.len(), "a removed decoy is nothing");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn decoys_are_planted_on_the_command_line_and_are_one_tenants() -> Result<()> {
    let house = House::open().await?;
    house.log_in().await?;
    let add = ["--json", "decoy", "add", PLANTED, "--venue", "binance"];
    let made = house.home.client(add)?.output().await?.ok()?.json()?;
    let pem = house.home.client(["decoy", "add", PLANTED, "--venue", "binance", "--kind", "ed25519"])?;
    ensure!(pem.output().await?.ok()?.stdout.contains("-----BEGIN PRIVATE KEY-----"));
    house.home.client(["decoy", "add", PLANTED, "--venue", "kraken", "--kind", "ed25519"])?.output().await?.exits(1)?;
    house.home.client(["decoy", "add", "", "--venue", "kraken"])?.output().await?.exits(1)?;
    let list = house.home.client(["decoy", "list"])?.output().await?.ok()?.stdout;
    let (id, secret) = (made["id"].as_str().context("no id")?, made["secret"].as_str().context("no secret")?);
    ensure!(list.contains(id) && !list.contains(secret), "{list}");
    ensure!(
        house.operator.get(&format!("/api/v1/tenants/{}/virtual-keys", house.tenant)).await?.ok()?.ids().is_empty()
    );
    let elsewhere = format!("/api/v1/tenants/{}/decoys", house.neighbour.tenant);
    ensure!(house.operator.get(&elsewhere).await?.ok()?.ids().is_empty());
    house.operator.call("DELETE", &format!("{elsewhere}/{id}"), None).await?.problem(404, "not_found")?;
    house.home.client(["decoy", "remove", id])?.output().await?.ok()?;
    house.home.client(["decoy", "remove", id])?.output().await?.exits(4)?;
    Ok(())
}

/// A decoy, as a thief finds it, and as it was shown.
async fn planted(house: &House, venue: &str) -> Result<(VirtualKey, Value)> {
    let made = house.operator.post(&at(house, ""), &json!({ "label": PLANTED, "venue": venue })).await?.ok()?.json();
    Ok((VirtualKey::shown(&made, None)?, made))
}

/// What a client sees of an answer, but for when it came and what it is called.
fn looks(reply: &Reply) -> String {
    let mut headers = reply.headers.clone();
    for name in ["date", "x-request-id"] {
        headers.remove(name);
    }
    format!("{} {headers:?} {}", reply.status, reply.text())
}

async fn alarm(house: &House) -> Result<Value> {
    until("the alarm", async || alarms(house).await?.pop().context("no alarm")).await
}

async fn alarms(house: &House) -> Result<Vec<Value>> {
    let mut entries = house.operator.audit(&house.tenant).await?;
    entries.retain(|entry| entry["action"] == "alarm.decoy");
    Ok(entries)
}

fn at(house: &House, id: &str) -> String {
    let path = format!("/api/v1/tenants/{}/decoys", house.tenant);
    if id.is_empty() { path } else { format!("{path}/{id}") }
}
