//! The token's root key: rotated under the orders of several tenants and through kills, and destroyed, in the store and
//! in the token, when nothing is under it.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_core::identity::Operator;
use claviger_core::store::{Change, Key as RowKey, Range, Row, Store as _, Versioned};
use claviger_e2e::{
    Ask, Call, Client, Door, House, Key, OPERATOR, PASSWORD, REASON, Reply, Role, SECOND, VirtualKey, until,
};
use serde_json::{Value, json};

use crate::operators::codes;
use crate::tamper::{behind_its_back, sealed, write};

/// Credentials of a tenant, so that a rotation takes a moment.
const CREDENTIALS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn a_root_key_is_rotated_while_orders_go_on_and_then_destroyed() -> Result<()> {
    let house = House::open().await?;
    let credentials = enrolled(&house).await?;
    let virtual_key = VirtualKey::made(&house.app, &credentials[0], None).await?;
    let seed = codes::set_up(&house.operator).await?;
    // The neighbour's credential, the operator's seed, and the virtual key.
    let rows = CREDENTIALS + 3;
    let dry = house.operator.post(&at("/rotate?dry_run=true"), &json!({})).await?.ok()?.json();
    assert_eq!((&dry["to"], &dry["tenants"], &dry["rows"]), (&json!(2), &json!(3), &json!(rows)));
    assert_eq!(listed(&house).await?, [(1, 3, rows)]);
    destroy(&house, 1).await?.problem(409, "root_newest")?;
    destroy(&house, 2).await?.problem(404, "not_found")?;

    let over = AtomicBool::new(false);
    let orders = async {
        let mut acked = 0_usize;
        while !over.load(Ordering::Relaxed) {
            for credential in &credentials {
                house.app.acked(&Call::limit_order(credential, "binance")).await?;
                acked += 1;
            }
            house.neighbour.app.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
        }
        Ok(acked)
    };
    let rotating = async {
        let begun = house.operator.post(&at("/rotate"), &json!({ "rekey": true, "reason": REASON })).await?;
        ensure!(begun.status == 202, "{}", begun.text());
        let ended = ended(&house).await?;
        over.store(true, Ordering::Relaxed);
        Ok(ended)
    };
    let (acked, ended) = tokio::try_join!(orders, rotating)?;
    assert!(acked >= CREDENTIALS, "every credential had an order, and none failed");
    assert_eq!((&ended["state"], &ended["done"], &ended["left"]), (&json!("done"), &json!(rows), &json!(0)));
    assert_eq!((&ended["tenants_done"], &ended["tenants_left"]), (&json!(3), &json!(0)));
    assert_eq!(listed(&house).await?, [(1, 3, 0), (2, 3, rows)]);

    destroy(&house, 2).await?.problem(409, "root_newest")?;
    destroy(&house, 1).await?.ok()?;
    gone(&house, 1).await?;
    // A keeper that begins anew lists what the token holds.
    let house = house.restart().await?;
    assert_eq!(listed(&house).await?, [(2, 3, rows)]);
    for credential in &credentials {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    house.neighbour.app.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
    let client = VirtualKey::client(&house.home.ready_file())?;
    virtual_key.send(&client, &Ask::new("GET", "/api/v3/account", &[])).await?.ok()?;
    let body = json!({ "operator": OPERATOR, "password": PASSWORD, "code": codes::code(&seed, 1) });
    let admin = Client::of_server(&house.home.ready_file(), Door::Admin)?;
    admin.call("POST", "/api/v1/login", None, Some(&body)).await?.ok()?;
    let made = house.operator.make_tenant("later").await?;
    let keks = house.operator.get(&format!("/api/v1/tenants/{made}/keks")).await?.ok()?.json();
    assert_eq!(keks[0]["root"], 2);

    let entries = house.operator.get("/api/v1/audit?limit=10000").await?.ok()?.json();
    let entries = entries["data"].as_array().context("no entries")?;
    let entry = |action: &str| entries.iter().find(|entry| entry["action"] == action).context(action.to_owned());
    let proof = entry("root.rotate.end")?;
    assert_eq!((&proof["detail"]["left"], &proof["detail"]["rows"]), (&json!("0"), &json!(rows.to_string())));
    assert_eq!(entry("root.rotate")?["detail"]["reason"], REASON);
    entry("root.destroy")?;
    entry("root.destroy.end")?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_root_key_goes_on_after_kills() -> Result<()> {
    let house = House::open().await?;
    let credentials = enrolled(&house).await?;
    let rows = CREDENTIALS + 1;
    house.operator.post(&at("/rotate"), &json!({ "rows_per_second": 4, "reason": REASON })).await?;
    until("rows to move", async || {
        let done = rotation(&house).await?["done"].as_u64().unwrap_or(0);
        ensure!(done >= 3, "{done}");
        Ok(())
    })
    .await?;
    let mut house = house.crash().await?;
    house.server.replace(Role::Keeper).await?;
    house.app.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    let going = rotation(&house).await?;
    assert_eq!(going["state"], "running", "{going}");
    let steer = async |body: Value| house.operator.call("PATCH", &at("/rotation"), Some(&body)).await;
    assert_eq!(steer(json!({ "state": "paused" })).await?.ok()?.json()["state"], "paused");
    let paused = rotation(&house).await?;
    steer(json!({ "state": "paused" })).await?.problem(409, "rotation_waits")?;
    house.operator.post(&at("/rotate"), &json!({ "reason": REASON })).await?.problem(409, "root_rotation_under_way")?;
    destroy(&house, 1).await?.problem(409, "root_in_use")?;
    house.app.acked(&Call::limit_order(&credentials[1], "binance")).await?;
    assert_eq!(rotation(&house).await?["done"], paused["done"], "it waits");
    steer(json!({ "rows_per_second": null })).await?.ok()?;
    steer(json!({ "state": "running" })).await?.ok()?;
    let ended = ended(&house).await?;
    assert_eq!((&ended["state"], &ended["done"], &ended["left"]), (&json!("done"), &json!(rows), &json!(0)), "{ended}");
    steer(json!({ "state": "running" })).await?.problem(409, "rotation_ended")?;

    // What the commit of a destruction leaves, when everything dies right after it.
    let house = behind_its_back(house, async |store| {
        let keks = store.scan(Range::KeksAfter(None), None, 100).await?.rows;
        let old =
            keks.into_iter().filter_map(|Versioned { row, .. }| if let Row::Kek(kek) = row { Some(kek) } else { None });
        let old = old.filter(|kek| kek.blob.root == 1).map(|kek| Change::remove(RowKey::Kek(kek.tenant, kek.version)));
        let marked = Change::set(RowKey::RetiredRoot(1), Row::RetiredRoot(1));
        store.put_cas(old.chain([marked]).collect(), Vec::new()).await?;
        Ok(())
    })
    .await?;
    gone(&house, 1).await?;
    assert_eq!(listed(&house).await?, [(2, 3, rows)]);
    for credential in &credentials {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_does_not_open_keeps_the_old_root_key() -> Result<()> {
    let house = House::open().await?;
    let broken = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let id = broken.parse()?;
    let house = behind_its_back(house, async |store| {
        let mut bytes = sealed(store, id).await?;
        *bytes.last_mut().context("no bytes")? ^= 1;
        write(store, RowKey::Sealed(id), Row::Sealed(bytes)).await
    })
    .await?;
    house.log_in().await?;
    let dry = house.home.client(["root", "rotate", "--dry-run"])?.output().await?.ok()?;
    ensure!(dry.stdout.contains("root/2 would be made, and 2 rows of 3 tenants would move"), "{}", dry.stdout);
    let rotated = house.home.client(["root", "rotate", "--reason", REASON])?.output().await?.exits(1)?;
    ensure!(rotated.stdout.contains("root/2: blocked, 1 rows moved, 1 left  3 of 3 tenants"), "{}", rotated.stdout);
    ensure!(rotated.stderr.contains("then resume"), "{}", rotated.stderr);
    destroy(&house, 1).await?.problem(409, "root_in_use")?;

    let reason = json!({ "reason": "it does not open" });
    house.operator.act_if_unchanged(&house.tenant, &broken, "delete", &reason).await?.ok()?;
    house.home.client(["root", "resume"])?.output().await?.ok()?;
    let watched = house.home.client(["root", "watch"])?.output().await?.ok()?;
    ensure!(watched.stdout.contains("root/2: done"), "{}", watched.stdout);
    destroy(&house, 1).await?.ok()?;
    gone(&house, 1).await?;
    let table = house.home.client(["root", "list"])?.output().await?.ok()?.stdout;
    ensure!(table.lines().count() == 2, "{table}");
    house.neighbour.app.acked(&Call::limit_order(&house.neighbour.credential, "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_key_that_nothing_is_listed_under_is_destroyed_after_a_count_only() -> Result<()> {
    let house = House::open().await?;
    let credentials = enrolled(&house).await?;
    house.operator.post(&at("/rotate"), &json!({ "reason": REASON })).await?.ok()?;
    assert_eq!(ended(&house).await?["state"], "done");
    house.operator.post(&at("/rotate"), &json!({ "rows_per_second": 1, "reason": REASON })).await?.ok()?;
    let steer = async |body: Value| house.operator.call("PATCH", &at("/rotation"), Some(&body)).await;
    steer(json!({ "state": "paused" })).await?.ok()?;
    let before = listed(&house).await?;
    assert_eq!((before[0].0, before[0].2), (1, 0), "{before:?}");

    destroy(&house, 1).await?.problem(409, "root_uncounted")?;

    assert_eq!(listed(&house).await?[0], before[0]);
    steer(json!({ "rows_per_second": null })).await?.ok()?;
    steer(json!({ "state": "running" })).await?.ok()?;
    assert_eq!(ended(&house).await?["state"], "done");
    destroy(&house, 1).await?.ok()?;
    gone(&house, 1).await?;
    house.app.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    Ok(())
}

/// Whoever is bound to a tenant steers that tenant's rotations, and not what goes on for all.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_bound_to_a_tenant_does_not_steer_its_part_of_a_rotation_of_all() -> Result<()> {
    let house = House::open().await?;
    enrolled(&house).await?;
    let own = house.tenant.parse()?;
    let house = behind_its_back(house, async |store| {
        for Versioned { row, .. } in store.scan(Range::Operators, None, 10).await?.rows {
            if let Row::Operator(operator) = row
                && operator.name == SECOND
            {
                let bound = Operator { tenant: Some(own), ..operator };
                write(store, RowKey::Operator(bound.id), Row::Operator(bound)).await?;
            }
        }
        Ok(())
    })
    .await?;
    house.operator.post(&at("/rotate"), &json!({ "rows_per_second": 1, "reason": REASON })).await?;
    let bound = house.operator.second()?;
    let part = format!("/api/v1/tenants/{}/keks/rotation", house.tenant);
    let steer = async |body: Value| bound.call("PATCH", &part, Some(&body)).await;
    let refused = until("the tenant's turn", async || {
        let reply = steer(json!({ "state": "paused" })).await?;
        ensure!(reply.status != 404, "{}", reply.text());
        Ok(reply)
    })
    .await?;

    refused.problem(409, "root_rotation")?;

    for body in [json!({ "rows_per_second": null }), json!({ "state": "running" })] {
        steer(body).await?.problem(409, "root_rotation")?;
    }
    assert_eq!(house.operator.get(&part).await?.ok()?.json()["state"], "running");
    house.operator.call("PATCH", &part, Some(&json!({ "rows_per_second": null }))).await?.ok()?;
    assert_eq!(ended(&house).await?["state"], "done");
    // Its own is the tenant's to steer.
    let keks = format!("/api/v1/tenants/{}/keks/rotate", house.tenant);
    house.operator.post(&keks, &json!({ "rows_per_second": 1, "reason": REASON })).await?;
    steer(json!({ "state": "paused" })).await?.ok()?;
    Ok(())
}

async fn enrolled(house: &House) -> Result<Vec<String>> {
    let mut credentials = Vec::with_capacity(CREDENTIALS);
    for _ in 0..CREDENTIALS {
        credentials.push(house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?);
    }
    Ok(credentials)
}

fn at(rest: &str) -> String {
    format!("/api/v1/roots{rest}")
}

async fn rotation(house: &House) -> Result<Value> {
    Ok(house.operator.get(&at("/rotation")).await?.ok()?.json())
}

async fn ended(house: &House) -> Result<Value> {
    until("the rotation to end", async || {
        let now = rotation(house).await?;
        ensure!(now["state"] != "running", "{now}");
        Ok(now)
    })
    .await
}

/// Numbers, how many KEKs each wraps, and how many rows are under these.
async fn listed(house: &House) -> Result<Vec<(usize, usize, usize)>> {
    let listed = house.operator.get(&at("")).await?.ok()?.json();
    let number = |root: &Value, name: &str| root[name].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let listed = listed.as_array().context("no list")?;
    Ok(listed.iter().map(|root| (number(root, "number"), number(root, "keks"), number(root, "rows"))).collect())
}

/// Waits until the token does not hold a root key any more.
async fn gone(house: &House, number: usize) -> Result<()> {
    until("the root key to be gone", async || {
        let listed = listed(house).await?;
        ensure!(listed.iter().all(|(other, ..)| *other != number), "{listed:?}");
        Ok(())
    })
    .await
}

async fn destroy(house: &House, number: u32) -> Result<Reply> {
    let reason = json!({ "reason": "nothing is under it" });
    house.operator.two_do("DELETE", &at(&format!("/{number}")), &reason, &[]).await
}
