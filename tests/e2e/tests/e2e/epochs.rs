//! Deletion epochs: what was deleted opens from no backup, once its epoch and the backups' time are over.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_core::epoch::{Epochs, Phase};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Key as RowKey, Row, Store as _, Versioned};
use claviger_e2e::{Call, House, Key, Server, until};
use serde_json::{Value, json};

use crate::backups::{Keyholder, backed_up, deleted, resumed};
use crate::tamper::{behind_its_back, write};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// An epoch of the default configuration, and the time of its backups.
const EPOCH_MS: u64 = 7 * DAY_MS;
const KEPT_MS: u64 = 30 * DAY_MS;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_opens_from_no_backup_once_its_epoch_and_their_time_are_over() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let stays = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let goes = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let old = backed_up(&house.operator, &house.home).await?;
    let before = state(&house).await?;
    let reason = json!({ "reason": "the owner asked for it" });
    let gone = house.app.call("DELETE", &format!("/api/v1/credentials/{goes}"), Some(&reason)).await?.ok()?.json();
    let promised = gone["unrecoverable_after"].as_str().context("no promise")?;
    assert_eq!(promised, at(&before["ends_at"], KEPT_MS)?);
    let noted = state(&house).await?;
    assert_eq!((&noted["unerased"][0]["rows"], &noted["unerased"][0]["tenant"]), (&json!(1), &json!(house.tenant)));
    assert_eq!(noted["unrecoverable_after"], promised);
    let entries = house.operator.audit(&house.tenant).await?;
    let entry = entries.iter().find(|entry| entry["action"] == "credential.delete").context("no entry")?;
    assert_eq!(entry["detail"]["unrecoverable_after"], promised);

    let house = moved(ended(house).await?).await?;
    let state_then = state(&house).await?;
    assert_eq!((&state_then["waiting"][0]["epoch"], &state_then["unerased"]), (&json!(1), &json!([])), "{state_then}");
    assert_eq!(roots(&house).await?, [(1, 0), (2, 3)], "each tenant has one KEK, under the new root key");
    house.app.acked(&Call::limit_order(&stays, "binance")).await?;
    house.log_in().await?;
    let told = house.home.client(["deletion", "status"])?.output().await?.ok()?.stdout;
    ensure!(told.contains("deleted in epoch 1: unrecoverable from backups after 20"), "{told}");
    let young = backed_up(&house.operator, &house.home).await?;
    let house = erased(house).await?;
    assert_eq!(roots(&house).await?, [(2, 3)]);
    house.app.acked(&Call::limit_order(&stays, "binance")).await?;
    let entries = house.operator.get("/api/v1/audit?limit=10000").await?.ok()?.json();
    let entries = entries["data"].as_array().context("no entries")?;
    for action in ["epoch.end", "epoch.moved", "kek.lapse", "root.destroy"] {
        let entry = entries.iter().find(|entry| entry["action"] == action).context(action)?;
        assert_eq!((&entry["detail"]["epoch"], &entry["user_id"]), (&json!("1"), &json!("claviger")), "{entry}");
    }

    let House { server, home, app, sim, neighbour, .. } = house;
    server.stop().await?;
    // A backup from after the epoch has nothing of it, and opens.
    let restored = holder.restore(&home, &young, &["--force", "--accept-rollback"]).await?.ok()?;
    ensure!(!restored.stdout.contains("lost"), "{}", restored.stdout);
    let server = Server::start(&home).await?;
    resumed(&home, &app, &stays).await?;
    app.acked(&Call::limit_order(&stays, "binance")).await?;
    app.execute(&Call::limit_order(&goes, "binance")).await?.problem(404, "not_found")?;
    server.stop().await?;

    // With the token, and what would keep it from coming back removed by hand.
    fs::remove_file(home.file("tombstones/tombstones"))?;
    fs::remove_file(home.file("claviger.redb.replaced"))?;
    let restored = holder.restore(&home, &old, &["--force", "--accept-rollback"]).await?.ok()?;
    for credential in [&goes, &stays, &neighbour.credential] {
        let lost = format!("lost, because its key opens no more: credential {credential}");
        ensure!(restored.stdout.contains(&lost), "{}", restored.stdout);
    }
    let server = Server::start(&home).await?;
    app.execute(&Call::limit_order(&goes, "binance")).await?.problem(404, "not_found")?;
    let again = app.enrolled(&sim.knows(Key::binance()).await?).await?;
    resumed(&home, &app, &again).await?;
    app.acked(&Call::limit_order(&again, "binance")).await?;
    server.stop().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_whose_time_is_not_over_opens_and_what_was_deleted_stays_so() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let stays = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let goes = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let later = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let old = backed_up(&house.operator, &house.home).await?;
    deleted(&house, &goes).await?;
    let house = moved(ended(house).await?).await?;
    // Every tombstone there is is written before this is answered: that of an old KEK would take all of its rows along.
    deleted(&house, &later).await?;
    let House { server, home, app, sim, neighbour, scratch, tenant, .. } = house;
    server.stop().await?;

    let restored = holder.restore(&home, &old, &["--force", "--accept-rollback"]).await?.ok()?;

    ensure!(restored.stdout.contains(&format!("left out, as a tombstone says: credential {tenant} {goes}")));
    ensure!(!restored.stdout.contains("lost"), "{}", restored.stdout);
    let server = Server::start(&home).await?;
    let operator = resumed(&home, &app, &stays).await?;
    let house = House { app, tenant, neighbour, operator, server, sim, home, scratch };
    for gone in [&goes, &later] {
        house.app.execute(&Call::limit_order(gone, "binance")).await?.problem(404, "not_found")?;
    }
    house.app.acked(&Call::limit_order(&stays, "binance")).await?;
    // It was deleted anew, so an epoch follows: under a root key that nothing was under yet.
    assert_eq!(state(&house).await?["unerased"][0]["rows"], 2);
    let house = moved(ended(house).await?).await?;
    assert_eq!(roots(&house).await?, [(1, 0), (2, 0), (3, 3)]);
    let house = erased(house).await?;
    assert_eq!(roots(&house).await?, [(3, 3)]);
    house.app.acked(&Call::limit_order(&stays, "binance")).await?;
    house.neighbour.app.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_without_a_deletion_makes_no_root_key_and_one_that_is_killed_goes_on() -> Result<()> {
    let house = House::open().await?;
    let credential = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let house = ended(house).await?;
    until("the next epoch to begin", async || {
        let now = state(&house).await?;
        ensure!(now["epoch"] == 2, "{now}");
        Ok(())
    })
    .await?;
    assert_eq!(roots(&house).await?.len(), 1);

    // What a crash leaves right after an epoch's first commit; the marks are gone by then.
    let house = behind_its_back(house, async |store| {
        edit(store, |epochs| {
            epochs.number += 1;
            epochs.phase = Phase::Making { root: 2 };
        })
        .await
    })
    .await?;
    let house = moved(house.crash().await?).await?;
    assert_eq!(roots(&house).await?, [(1, 0), (2, 3)]);
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;

    // After the root key was made, and the rotation was stored, and nothing else.
    let house = behind_its_back(house, async |store| {
        edit(store, |epochs| {
            epochs.number += 1;
            epochs.phase = Phase::Making { root: 2 };
            epochs.aging.clear();
        })
        .await
    })
    .await?;
    let house = moved(house).await?;
    assert_eq!(roots(&house).await?, [(1, 0), (2, 3)]);
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    until("the metrics to say so", async || {
        let metrics = house.server.metrics().await?;
        ensure!(metrics.contains("claviger_deletion_epochs_waiting 1"), "{metrics}");
        Ok(())
    })
    .await
}

/// As if the epoch that goes on had begun so long ago that it is over.
async fn ended(house: House) -> Result<House> {
    behind_its_back(house, async |store| edit(store, |epochs| epochs.began_ms -= EPOCH_MS + DAY_MS).await).await
}

/// Waits until everything has moved under another root key.
async fn moved(house: House) -> Result<House> {
    until("the epoch to be over", async || {
        let now = state(&house).await?;
        ensure!(now["state"] == "open" && now["waiting"][0].is_object(), "{now}");
        Ok(())
    })
    .await?;
    Ok(house)
}

/// As if everything had moved so long ago that no backup from before is kept, and until the old root keys are gone.
async fn erased(house: House) -> Result<House> {
    let house = behind_its_back(house, async |store| {
        edit(store, |epochs| epochs.aging.iter_mut().for_each(|aging| aging.moved_ms -= KEPT_MS + DAY_MS)).await
    })
    .await?;
    until("the old root keys to be gone", async || {
        let now = state(&house).await?;
        ensure!(now["waiting"] == json!([]) && now["destroying"] == json!([]), "{now}");
        Ok(())
    })
    .await?;
    Ok(house)
}

async fn edit(store: &RedbStore, change: impl FnOnce(&mut Epochs)) -> Result<()> {
    let found = store.get(RowKey::Epochs).await?;
    let Some(Versioned { row: Row::Epochs(mut epochs), .. }) = found else { anyhow::bail!("no epochs: {found:?}") };
    change(&mut epochs);
    write(store, RowKey::Epochs, Row::Epochs(epochs)).await
}

async fn state(house: &House) -> Result<Value> {
    Ok(house.operator.get("/api/v1/deletions").await?.ok()?.json())
}

/// Numbers of the token's root keys, and how many KEKs each wraps.
async fn roots(house: &House) -> Result<Vec<(u64, u64)>> {
    let listed = house.operator.get("/api/v1/roots").await?.ok()?.json();
    let listed = listed.as_array().context("no list")?;
    let number = |root: &Value, name: &str| root[name].as_u64().unwrap_or_default();
    Ok(listed.iter().map(|root| (number(root, "number"), number(root, "keks"))).collect())
}

/// A time that is so many milliseconds after another.
fn at(time: &Value, later_ms: u64) -> Result<String> {
    let time: jiff::Timestamp = time.as_str().context("no time")?.parse()?;
    let ms = u64::try_from(time.as_millisecond())?;
    Ok(claviger_core::audit::timestamp(ms + later_ms))
}
