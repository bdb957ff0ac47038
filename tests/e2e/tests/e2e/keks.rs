//! Tenants' KEKs: rotated while orders go on, through kills, and destroyed when nothing is under them.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Ask, Call, House, Key, REASON, Role, Signal, VirtualKey, until};
use serde_json::{Value, json};

use crate::tamper::{behind_its_back, sealed, write};

/// Credentials of a tenant, so that a rotation takes a moment.
const CREDENTIALS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn a_kek_is_rotated_while_orders_go_on_and_then_destroyed() -> Result<()> {
    let house = House::open().await?;
    let credentials = enrolled(&house, CREDENTIALS).await?;
    let virtual_key = VirtualKey::made(&house.app, &credentials[0], None).await?;
    let keks = at(&house, "");
    let dry = house.operator.post(&at(&house, "/rotate?dry_run=true"), &json!({})).await?.ok()?.json();
    assert_eq!((&dry["to"], &dry["rows"]), (&json!(2), &json!(CREDENTIALS + 1)));
    assert_eq!(listed(&house).await?, [(1, CREDENTIALS + 1)]);
    destroy(&house, 1).await?.problem(409, "kek_newest")?;

    house.operator.post(&at(&house, "/rotate"), &json!({ "rekey": true })).await?.problem(400, "reason_missing")?;
    let over = AtomicBool::new(false);
    let orders = async {
        let mut acked = 0_usize;
        while !over.load(Ordering::Relaxed) {
            for credential in &credentials {
                house.app.acked(&Call::limit_order(credential, "binance")).await?;
                acked += 1;
            }
        }
        Ok(acked)
    };
    let rotating = async {
        let begun = house.operator.post(&at(&house, "/rotate"), &json!({ "rekey": true, "reason": REASON })).await?;
        ensure!(begun.status == 202, "{}", begun.text());
        let ended = ended(&house).await?;
        over.store(true, Ordering::Relaxed);
        Ok(ended)
    };
    let (acked, ended) = tokio::try_join!(orders, rotating)?;
    assert!(acked >= CREDENTIALS, "every credential had an order, and none failed");
    assert_eq!((&ended["state"], &ended["done"], &ended["left"]), (&json!("done"), &json!(CREDENTIALS + 1), &json!(0)));
    assert_eq!(listed(&house).await?, [(1, 0), (2, CREDENTIALS + 1)]);

    // The neighbour has what it had.
    let theirs = house.operator.get(&format!("/api/v1/tenants/{}/keks", house.neighbour.tenant)).await?.ok()?.json();
    assert_eq!((theirs.as_array().map(Vec::len), &theirs[0]["rows"]), (Some(1), &json!(1)));
    destroy(&house, 2).await?.problem(409, "kek_newest")?;
    destroy(&house, 9).await?.problem(404, "not_found")?;
    destroy(&house, 1).await?.ok()?;
    let left = house.operator.get(&keks).await?.ok()?.json();
    assert_eq!((left.as_array().map(Vec::len), &left[0]["version"]), (Some(1), &json!(2)));

    let house = house.restart().await?;
    for credential in &credentials {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    let client = VirtualKey::client(&house.home.ready_file())?;
    virtual_key.send(&client, &Ask::new("GET", "/api/v3/account", &[])).await?.ok()?;
    let fresh = enrolled(&house, 1).await?;
    house.app.acked(&Call::limit_order(&fresh[0], "binance")).await?;
    let entries = house.operator.audit(&house.tenant).await?;
    let end = entries.iter().find(|entry| entry["action"] == "kek.rotate.end").context("no proof")?;
    assert_eq!(end["detail"]["left"], "0", "{end}");
    assert_eq!(end["detail"]["rows"], (CREDENTIALS + 1).to_string(), "{end}");
    ensure!(entries.iter().any(|entry| entry["action"] == "kek.destroy"));
    let begun = entries.iter().find(|entry| entry["action"] == "kek.rotate").context("no beginning")?;
    assert_eq!(begun["detail"]["reason"], REASON, "{begun}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_killed_twice_moves_each_row_once() -> Result<()> {
    let mut house = House::open().await?;
    let credentials = enrolled(&house, CREDENTIALS).await?;
    let pace = json!({ "rows_per_second": 4, "reason": REASON });
    house.operator.post(&at(&house, "/rotate"), &pace).await?;
    for kill in 1..=2 {
        let least = 4 * kill;
        until("rows to move", async || {
            let done = rotation(&house).await?["done"].as_u64().unwrap_or(0);
            ensure!(done >= least, "{done}");
            Ok(())
        })
        .await?;
        house.server.signal(Role::Front, Signal::Kill)?;
        house = house.crash().await?;
    }
    let going = rotation(&house).await?;
    assert_eq!(going["state"], "running", "{going}");
    let steer = async |body: Value| house.operator.call("PATCH", &at(&house, "/rotation"), Some(&body)).await;
    assert_eq!(steer(json!({ "state": "paused" })).await?.ok()?.json()["state"], "paused");
    let paused = rotation(&house).await?;
    steer(json!({ "state": "paused" })).await?.problem(409, "rotation_waits")?;
    house
        .operator
        .post(&at(&house, "/rotate"), &json!({ "reason": REASON }))
        .await?
        .problem(409, "rotation_under_way")?;
    destroy(&house, 1).await?.problem(409, "kek_in_use")?;
    house.app.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    assert_eq!(rotation(&house).await?["done"], paused["done"], "it waits");
    steer(json!({ "rows_per_second": null })).await?.ok()?;
    steer(json!({ "state": "running" })).await?.ok()?;
    let ended = ended(&house).await?;
    assert_eq!((&ended["state"], &ended["done"]), (&json!("done"), &json!(CREDENTIALS)), "each row once: {ended}");
    steer(json!({ "state": "running" })).await?.problem(409, "rotation_ended")?;
    for credential in &credentials {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_does_not_open_is_named_and_keeps_the_old_kek() -> Result<()> {
    let house = House::open().await?;
    let credentials = enrolled(&house, 3).await?;
    let broken = credentials[1].parse()?;
    let house = behind_its_back(house, async |store| {
        let mut bytes = sealed(store, broken).await?;
        *bytes.last_mut().context("no bytes")? ^= 1;
        write(store, claviger_core::store::Key::Sealed(broken), claviger_core::store::Row::Sealed(bytes)).await
    })
    .await?;
    house.operator.post(&at(&house, "/rotate"), &json!({ "reason": REASON })).await?.ok()?;
    let blocked = ended(&house).await?;
    assert_eq!((&blocked["state"], &blocked["done"], &blocked["unopened"]), (&json!("blocked"), &json!(2), &json!(1)));
    let entries = house.operator.audit(&house.tenant).await?;
    let alarms = entries.iter().filter(|entry| entry["action"] == "alarm.tamper").collect::<Vec<_>>();
    assert_eq!((alarms.len(), &alarms[0]["resource_id"]), (1, &json!(credentials[1])));
    destroy(&house, 1).await?.problem(409, "kek_in_use")?;

    let reason = json!({ "reason": "it does not open" });
    house.operator.act_if_unchanged(&house.tenant, &credentials[1], "delete", &reason).await?.ok()?;
    house.operator.call("PATCH", &at(&house, "/rotation"), Some(&json!({ "state": "running" }))).await?.ok()?;
    assert_eq!(ended(&house).await?["state"], "done");
    destroy(&house, 1).await?.ok()?;
    house.app.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kek_that_nothing_is_listed_under_is_destroyed_after_a_count_only() -> Result<()> {
    let house = House::open().await?;
    let credentials = enrolled(&house, 3).await?;
    house.operator.post(&at(&house, "/rotate"), &json!({ "reason": REASON })).await?.ok()?;
    assert_eq!(ended(&house).await?["state"], "done");
    house.operator.post(&at(&house, "/rotate"), &json!({ "rows_per_second": 1, "reason": REASON })).await?.ok()?;
    house.operator.call("PATCH", &at(&house, "/rotation"), Some(&json!({ "state": "paused" }))).await?.ok()?;
    assert_eq!(listed(&house).await?[0], (1, 0));

    destroy(&house, 1).await?.problem(409, "kek_uncounted")?;

    let on = json!({ "state": "running" });
    house.operator.call("PATCH", &at(&house, "/rotation"), Some(&json!({ "rows_per_second": null }))).await?.ok()?;
    house.operator.call("PATCH", &at(&house, "/rotation"), Some(&on)).await?.ok()?;
    assert_eq!(ended(&house).await?["state"], "done");
    destroy(&house, 1).await?.ok()?;
    house.app.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_and_the_stream_show_how_far_it_is() -> Result<()> {
    let house = House::open().await?;
    enrolled(&house, 8).await?;
    house.operator.post(&at(&house, "/rotate"), &json!({ "rows_per_second": 4, "reason": REASON })).await?.ok()?;
    let headers = [("accept", "text/event-stream")];
    let stream = house.operator.send("GET", &at(&house, "/rotation"), &Value::Null, &headers).await?.ok()?;
    let events: Vec<Value> = stream
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ensure!(events.len() >= 2, "{}", stream.text());
    assert_eq!(events.last().context("no event")?["state"], "done");
    ensure!(events[0]["left"].as_u64() > Some(0), "{}", events[0]);

    let password = house.home.beside("password");
    std::fs::write(&password, claviger_e2e::PASSWORD)?;
    let login = ["login", "--operator", claviger_e2e::OPERATOR, "--password-file"];
    house.home.client(login)?.args([&password]).output().await?.ok()?;
    let dry = house.home.client(["kek", "rotate", "--dry-run"])?.output().await?.ok()?;
    ensure!(dry.stdout.contains("version 3 would be made, and 8 rows would move"), "{}", dry.stdout);
    let rotated = house.home.client(["kek", "rotate", "--reason", REASON])?.output().await?.ok()?;
    ensure!(rotated.stdout.contains("version 3: done, 8 rows moved, 0 left"), "{}", rotated.stdout);
    let listed = house.home.client(["kek", "list"])?.output().await?.ok()?;
    ensure!(listed.stdout.lines().count() >= 3, "{}", listed.stdout);
    Ok(())
}

async fn enrolled(house: &House, count: usize) -> Result<Vec<String>> {
    let mut credentials = Vec::with_capacity(count);
    for _ in 0..count {
        credentials.push(house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?);
    }
    Ok(credentials)
}

fn at(house: &House, rest: &str) -> String {
    format!("/api/v1/tenants/{}/keks{rest}", house.tenant)
}

async fn rotation(house: &House) -> Result<Value> {
    Ok(house.operator.get(&at(house, "/rotation")).await?.ok()?.json())
}

async fn ended(house: &House) -> Result<Value> {
    until("the rotation to end", async || {
        let now = rotation(house).await?;
        ensure!(now["state"] != "running", "{now}");
        Ok(now)
    })
    .await
}

/// Versions, and how many rows are under each.
async fn listed(house: &House) -> Result<Vec<(usize, usize)>> {
    let listed = house.operator.get(&at(house, "")).await?.ok()?.json();
    let number = |kek: &Value, name: &str| kek[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let listed = listed.as_array().context("no list")?;
    Ok(listed.iter().map(|kek| (number(kek, "version"), number(kek, "rows"))).collect())
}

async fn destroy(house: &House, version: u32) -> Result<claviger_e2e::Reply> {
    let reason = json!({ "reason": "nothing is under it" });
    house.operator.two_do("DELETE", &at(house, &format!("/{version}")), &reason, &[]).await
}
