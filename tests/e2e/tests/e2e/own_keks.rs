//! Tenants' own KEKs: wrapped by the tenant with openssl, brought, taken away, and brought again.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_core::keeper::{KekOrigin, KekRow};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{Ask, Call, Command, House, Key, Needle, REASON, Reply, Server, VirtualKey, until};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::backups::{Keyholder, backed_up, resumed};
use crate::stops::nothing_is_signed_in;
use crate::tamper::{behind_its_back, sealed, write};

pub(crate) const OWN: &[u8; 32] = b"what the tenant keeps to itself.";
const OTHER: &[u8; 32] = b"another one, of 32 bytes as well";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_brings_its_kek_takes_it_away_and_brings_it_again() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let virtual_key = VirtualKey::made(&house.app, &credential, None).await?;
    house.operator.get(&at(&house, "import-key")).await?.problem(400, "kek_refused")?;
    let house = allowed(house).await?;
    let v2 = RowKey::Kek(house.tenant.parse()?, 2);
    withdraw(&house).await?.problem(409, "kek_generated")?;
    house
        .operator
        .post(&at(&house, "import"), &json!({ "wrapped": "AAAA", "rotation": { "reason": REASON } }))
        .await?
        .problem(400, "kek_refused")?;
    let rubbish = json!({ "wrapped": BASE64.encode(&[1; 256]), "rotation": { "reason": REASON } });
    house.operator.post(&at(&house, "import"), &rubbish).await?.problem(400, "kek_refused")?;

    brought(&house, OWN).await?;
    let keks = listed(&house).await?;
    assert_eq!((&keks[1]["origin"], &keks[1]["rows"], &keks[1]["root"]), (&json!("imported"), &json!(2), &json!(0)));
    let order = Call::limit_order(&credential, "binance");
    house.app.acked(&order).await?;
    import(&house, OWN).await?.problem(409, "kek_same")?;

    let answer = withdraw(&house).await?.ok()?.json();
    assert_eq!((&answer["state"], &answer["in_flight"]), (&json!("withdrawn"), &json!([])), "{answer}");
    let denied = house.app.execute(&order).await?;
    assert_eq!(denied.json()["rule"], "state.kek-withdrawn", "{}", denied.text());
    let key = house.sim.knows(Key::binance()).await?;
    house.app.enroll(&key).await?.problem(409, "kek_withdrawn")?;
    let client = VirtualKey::client(&house.home.ready_file())?;
    let account = Ask::new("GET", "/api/v3/account", &[]);
    ensure!(virtual_key.send(&client, &account).await?.status >= 400);
    house.operator.act(&house.tenant, &credential, "probe").await?.problem(409, "kek_withdrawn")?;
    house.operator.post(&at(&house, "rotate"), &json!({ "reason": REASON })).await?.problem(409, "kek_withdrawn")?;
    house.neighbour.app.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
    let withdrawn = listed(&house).await?;
    assert_eq!((&withdrawn[1]["withdrawn"], &withdrawn[1]["rows"]), (&json!(true), &json!(2)), "the rows stay");
    until("the recovery wraps to be gone", async || {
        let left = listed(&house).await?[1]["wraps_left"].clone();
        ensure!(left == json!(false), "{left}");
        Ok(())
    })
    .await?;
    // Also a keeper and a front that know nothing of it, and the root key's rotation, which passes the tenant over.
    let house = house.restart().await?;
    ensure!(house.app.execute(&order).await?.status == 403);
    house.operator.post("/api/v1/roots/rotate", &json!({ "reason": REASON })).await?.ok()?;
    until("the rotation to end", async || {
        let now = house.operator.get("/api/v1/roots/rotation").await?.ok()?.json();
        ensure!(now["state"] == "done", "{now}");
        Ok(())
    })
    .await?;
    let house = behind_its_back(house, async |store| {
        let kek = kek(store, &v2).await?;
        ensure!(kek.blob.wrapped.is_empty(), "the key is nowhere");
        Ok(())
    })
    .await?;

    import(&house, OTHER).await?.problem(409, "kek_other")?;
    let back = import(&house, OWN).await?.ok()?.json();
    assert_eq!((&back["version"], &back["missing"]), (&json!(2), &json!([])));
    house.app.acked(&order).await?;
    virtual_key.send(&VirtualKey::client(&house.home.ready_file())?, &account).await?.ok()?;
    let entries = house.operator.audit(&house.tenant).await?;
    for action in ["kek.import", "kek.withdraw", "kek.withdraw.end", "kek.return"] {
        ensure!(entries.iter().any(|entry| entry["action"] == action), "{action}");
    }
    ensure!(entries.iter().all(|entry| !entry["action"].as_str().unwrap_or_default().starts_with("alarm.")));
    // Another one takes its place by the same job, and the first can be destroyed.
    brought(&house, OTHER).await?;
    house.app.acked(&order).await?;
    let reason = json!({ "reason": "another has its place" });
    house.operator.two_do("DELETE", &at(&house, "2"), &reason, &[]).await?.ok()?;
    house.restart().await?.app.acked(&order).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_signed_after_the_answer_of_a_withdrawal() -> Result<()> {
    let house = allowed(House::open().await?).await?;
    brought(&house, OWN).await?;
    nothing_is_signed_in(house, async |house, _| withdraw(house).await?.ok().map(drop)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kek_is_not_taken_away_while_rows_would_open_without_it() -> Result<()> {
    let house = allowed(House::open().await?).await?;
    for _ in 0..4 {
        house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    }
    let wrapped = wrapped(&house, OWN).await?;
    let slowly = json!({ "wrapped": BASE64.encode(&wrapped), "rotation": { "rows_per_second": 1, "reason": REASON } });
    house.operator.post(&at(&house, "import"), &slowly).await?;
    let steer = async |body: Value| house.operator.call("PATCH", &at(&house, "rotation"), Some(&body)).await?.ok();
    steer(json!({ "state": "paused" })).await?;

    withdraw(&house).await?.problem(409, "kek_rotation_under_way")?;

    assert_eq!(listed(&house).await?[1]["withdrawn"], false);
    steer(json!({ "rows_per_second": null })).await?;
    steer(json!({ "state": "running" })).await?;
    until("nothing to be left", async || withdraw(&house).await?.ok()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kek_that_came_back_before_the_other_is_taken_away_again() -> Result<()> {
    let house = House::open().await?;
    let mut credentials = Vec::new();
    for _ in 0..4 {
        credentials.push(house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?);
    }
    let house = allowed(house).await?;
    brought(&house, OWN).await?;
    let wrapped = BASE64.encode(&wrapped(&house, OTHER).await?);
    let slowly = json!({ "wrapped": wrapped, "rotation": { "rows_per_second": 1, "reason": REASON } });
    let begun = house.operator.post(&at(&house, "import"), &slowly).await?;
    ensure!(begun.status == 202, "{}", begun.text());
    let paused = json!({ "state": "paused" });
    house.operator.call("PATCH", &at(&house, "rotation"), Some(&paused)).await?.ok()?;
    withdraw(&house).await?.ok()?;
    let back = import(&house, OWN).await?.ok()?.json();
    assert_eq!((&back["version"], &back["missing"]), (&json!(2), &json!([3])));

    withdraw(&house).await?.ok()?;

    let keks = listed(&house).await?;
    ensure!(keks[1..].iter().all(|kek| kek["withdrawn"] == true), "{keks:?}");
    for key in [OTHER, OWN] {
        let refused = house.app.execute(&Call::limit_order(&credentials[0], "binance")).await?;
        ensure!(refused.json()["rule"] == "state.kek-withdrawn", "{}", refused.text());
        import(&house, key).await?.ok()?;
    }
    for credential in &credentials {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_kek_never_takes_a_generated_ones_place() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let house = allowed(house).await?;
    let v1 = RowKey::Kek(house.tenant.parse()?, 1);
    let v2 = RowKey::Kek(house.tenant.parse()?, 2);
    let order = Call::limit_order(&credential, "binance");

    let id = credential.parse()?;
    let (mut generated, mut old, mut own) = (None, Vec::new(), None);

    // Version 1, which was generated, as if it had been brought.
    let mut house = behind_its_back(house, async |store| {
        let row = kek(store, &v1).await?;
        (generated, old) = (Some(row.clone()), sealed(store, id).await?);
        write(store, v1.clone(), Row::Kek(KekRow { origin: KekOrigin::Imported, ..row })).await
    })
    .await?;
    house.app.execute(&order).await?.problem(500, "tampered")?;
    let generated = generated.context("no row")?;
    house = behind_its_back(house, async |store| write(store, v1.clone(), Row::Kek(generated.clone())).await).await?;
    brought(&house, OWN).await?;
    house.app.acked(&order).await?;

    // Version 2, which was brought, as if it had been generated.
    house = behind_its_back(house, async |store| {
        let row = kek(store, &v2).await?;
        own = Some(row.clone());
        write(store, v2.clone(), Row::Kek(KekRow { origin: KekOrigin::Generated, ..row })).await
    })
    .await?;
    house.app.execute(&order).await?.problem(500, "tampered")?;
    let own = own.context("no row")?;
    house = behind_its_back(house, async |store| write(store, v2.clone(), Row::Kek(own.clone())).await).await?;
    house.app.acked(&order).await?;

    // And in the place of the first, with what was sealed under that.
    for origin in [KekOrigin::Imported, KekOrigin::Generated] {
        let placed = KekRow { version: 1, origin, ..own.clone() };
        house = behind_its_back(house, async |store| {
            write(store, v1.clone(), Row::Kek(placed)).await?;
            write(store, RowKey::Sealed(id), Row::Sealed(old.clone())).await
        })
        .await?;
        house.app.execute(&order).await?.problem(500, "tampered")?;
    }
    house = behind_its_back(house, async |store| write(store, v1.clone(), Row::Kek(generated)).await).await?;
    house.app.acked(&order).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_backup_holds_a_tenants_own_kek_and_a_restored_tenant_brings_it() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let house = allowed(house).await?;
    brought(&house, OWN).await?;
    let v2 = RowKey::Kek(house.tenant.parse()?, 2);
    let file = backed_up(&house.operator, &house.home).await?;
    let mut wrapped = Vec::new();
    let house = behind_its_back(house, async |store| {
        wrapped = kek(store, &v2).await?.blob.wrapped;
        Ok(())
    })
    .await?;
    let needle = Needle::new("the wrapped KEK", &wrapped);
    ensure!(!needle.found_in(&fs::read(house.home.file("claviger.redb"))?, "the store").is_empty());
    ensure!(needle.found_in(&holder.decrypt(&file)?, "the backup").is_empty());
    let House { server, home, app, sim, neighbour, scratch, tenant, .. } = house;
    server.stop().await?;

    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;

    ensure!(restored.stdout.contains(&format!("{tenant} waits for its own KEK")), "{}", restored.stdout);
    let server = Server::start(&home).await?;
    let operator = resumed(&home, &neighbour.app, &neighbour.credential).await?;
    let house = House { app, tenant, neighbour, operator, server, sim, home, scratch };
    let order = Call::limit_order(&credential, "binance");
    ensure!(house.app.execute(&order).await?.json()["rule"] == "state.kek-withdrawn");
    house.neighbour.app.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
    import(&house, OWN).await?.ok()?;
    house.app.acked(&order).await?;
    Ok(())
}

/// With a tenant that may bring its own.
async fn allowed(house: House) -> Result<House> {
    house.home.configure("hsm.import_tenants", vec![house.tenant.clone()])?;
    house.restart().await
}

/// Has the tenant's KEK be this one, and waits until everything is under it.
pub(crate) async fn brought(house: &House, key: &[u8; 32]) -> Result<()> {
    let begun = import(house, key).await?;
    ensure!(begun.status == 202, "{}", begun.text());
    until("everything to be under it", async || {
        let now = house.operator.get(&at(house, "rotation")).await?.ok()?.json();
        ensure!(now["state"] == "done", "{now}");
        Ok(())
    })
    .await
}

pub(crate) async fn import(house: &House, key: &[u8; 32]) -> Result<Reply> {
    let wrapped = wrapped(house, key).await?;
    let body = json!({ "wrapped": BASE64.encode(&wrapped), "rotation": { "reason": REASON } });
    house.operator.post(&at(house, "import"), &body).await
}

/// The key as the tenant wraps it, by the command that the service names.
async fn wrapped(house: &House, key: &[u8; 32]) -> Result<Vec<u8>> {
    let door = house.operator.get(&at(house, "import-key")).await?.ok()?;
    let folder = house.scratch.path().join("tenant");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("import-key.pem"), door.text_at("/public_key")?)?;
    fs::write(folder.join("kek.bin"), key)?;
    let script = format!("cd {} && {}", folder.display(), door.text_at("/command")?);
    Command::new(Path::new("sh")).args(["-c", &script]).output().await?.ok()?;
    Ok(fs::read(folder.join("kek.wrapped"))?)
}

pub(crate) async fn withdraw(house: &House) -> Result<Reply> {
    house.operator.post(&at(house, "withdraw"), &json!({ "reason": "the tenant wants it so" })).await
}

async fn listed(house: &House) -> Result<Vec<Value>> {
    let path = format!("/api/v1/tenants/{}/keks", house.tenant);
    Ok(house.operator.get(&path).await?.ok()?.json().as_array().context("no list")?.clone())
}

fn at(house: &House, rest: &str) -> String {
    format!("/api/v1/tenants/{}/keks/{rest}", house.tenant)
}

async fn kek(store: &RedbStore, key: &RowKey) -> Result<KekRow> {
    match store.get(key.clone()).await? {
        Some(Versioned { row: Row::Kek(row), .. }) => Ok(row),
        other => anyhow::bail!("no KEK: {other:?}"),
    }
}
