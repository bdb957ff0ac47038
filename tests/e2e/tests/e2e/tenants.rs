//! The end of a tenant: frozen when it is asked for, gone with everything that is its, and nobody else touched.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_core::id::{AppId, CredentialId, TenantId};
use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Key as RowKey, Range, Row, Store as _, Versioned};
use claviger_e2e::{Call, House, Key, Role, Server, Signal, VirtualKey, until};
use serde_json::{Value, json};

use crate::backups::{Keyholder, backed_up, resumed};
use crate::tamper::behind_its_back;

/// Credentials of the tenant, so that a kill comes in the middle.
const CREDENTIALS: usize = 24;

const OWNER: &str = "trader-of-the-tenant";

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_tenant_leaves_a_log_that_verifies_and_its_neighbour_untouched() -> Result<()> {
    let house = House::open().await?;
    let (credentials, _) = furnished(&house, 3).await?;
    let (tenant, neighbour) = (house.tenant.clone(), house.neighbour.tenant.clone());
    house.log_in().await?;
    let (house, before) = dumped(house, &neighbour).await?;

    let path = format!("/api/v1/tenants/{tenant}");
    house.operator.get(&format!("/api/v1/deletions/{tenant}")).await?.problem(404, "not_found")?;
    let body = json!({ "reason": "the contract has ended" });
    let asked = house.operator.ask_for("DELETE", &path, &body, &[]).await?;
    ensure!(asked.status == 202, "{}", asked.text());
    let approval = asked.json();
    let lines = approval["plan"].to_string();
    ensure!(lines.contains("3 keys still exist at binance: their owners delete them at https://"), "{lines}");
    ensure!(approval["danger"] == "D3" && approval["name"] == "default", "{approval}");
    let order = Call::limit_order(&credentials[0], "binance");
    house.app.execute(&order).await?.problem(403, "policy_denied").context("frozen from the moment it is asked for")?;
    let theirs = Call::limit_order(&house.neighbour.credential, "binance");
    house.neighbour.app.acked(&theirs).await?;
    let (house, before_again) = dumped(house, &neighbour).await?;
    ensure!(before.len() == before_again.len());

    let id = approval["id"].as_str().context("no id")?;
    let approve = format!("/api/v1/approvals/{id}/approve");
    let approved = house.operator.second()?.post(&approve, &json!({ "reason": "it has ended indeed" })).await?.ok()?;
    ensure!(approved.json()["state"] == "executed" && approved.json()["name"] == "", "{}", approved.text());
    house.operator.get(&format!("{path}/credentials")).await?.problem(404, "not_found")?;
    let done = ended(&house, &tenant).await?;
    assert_eq!(
        (&done["credentials"], &done["virtual_keys"], &done["apps"]),
        (&json!(3), &json!(1), &json!(1)),
        "{done}"
    );
    assert_eq!((&done["operators"], &done["owners"]), (&json!(1), &json!(2)), "{done}");
    assert_eq!((&done["venues"][0]["venue"], &done["venues"][0]["keys"]), (&json!("binance"), &json!(3)), "{done}");

    ensure!(house.app.execute(&order).await?.status == 401, "its apps are nobody's");
    let told = house.home.client(["tenant", "deletion", &tenant])?.output().await?.ok()?.stdout;
    ensure!(told.contains("is deleted: 3 credentials") && told.contains("3 keys still exist at binance"), "{told}");
    let (export, key) = house.operator.export().await?;
    let file = house.scratch.path().join("export");
    fs::write(&file, &export)?;
    house.home.claviger(["audit", "verify", "--key", key.trim()])?.args([&file]).output().await?.ok()?;
    ensure!(export.contains("tenant.delete.end") && !export.contains(OWNER));

    let (house, after) = dumped(house, &neighbour).await?;
    assert_eq!(after, before_again, "nothing of another tenant is touched");
    let ids = credentials.iter().map(|id| id.parse()).collect::<Result<Vec<CredentialId>, _>>()?;
    let (parsed, app): (TenantId, AppId) = (tenant.parse()?, house.app.id.parse()?);
    let house = behind_its_back(house, async |store| nothing_left(store, parsed, app, &ids).await).await?;
    house.neighbour.app.acked(&theirs.once("after")).await?;
    // The name is free; the id is another one.
    let anew = house.operator.post("/api/v1/tenants", &json!({ "name": "default" })).await?.ok()?.text_at("/id")?;
    assert_ne!(anew, tenant);
    Ok(())
}

/// An order that the venue is slow to answer has the deletion wait in its middle, where everything is killed: the next
/// start goes on, and each thing is counted once.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_that_is_killed_goes_on_until_nothing_is_left() -> Result<()> {
    let mut house = House::open().await?;
    let (credentials, keys) = furnished(&house, CREDENTIALS).await?;
    let tenant = house.tenant.clone();
    let neighbour = house.neighbour.tenant.clone();
    let (reopened, before) = dumped(house, &neighbour).await?;
    house = reopened;
    let already = house.sim.requests(&keys[0]).await?.len();
    let body = json!({ "reason": "the contract has ended" });
    let path = format!("/api/v1/tenants/{tenant}");
    let slow = json!({ "kind": "slow", "key_id": keys[0].key_id, "delay_ms": 30_000, "count": 1 });
    house.sim.fault(&slow).await?;
    let order = Call::limit_order(&credentials[0], "binance").once("slow");
    let killing = async {
        until("the order to be on its way", async || {
            let sent = house.sim.requests(&keys[0]).await?.len();
            ensure!(sent > already, "{sent}");
            Ok(())
        })
        .await?;
        house.operator.two_do("DELETE", &path, &body, &[]).await?.ok()?;
        let middle = until("the deletion to wait in the middle", async || {
            let now = house.operator.get(&format!("/api/v1/deletions/{tenant}")).await?.ok()?.json();
            ensure!(now["apps"] == 1, "{now}");
            Ok(now)
        })
        .await?;
        let all = [Role::Supervisor, Role::Front, Role::Keeper];
        all.iter().try_for_each(|role| house.server.signal(*role, Signal::Kill))?;
        Ok::<_, anyhow::Error>(middle)
    };
    let (cut, middle) = tokio::join!(house.app.execute(&order), killing);
    let middle = middle?;
    ensure!(cut.is_err(), "the order was answered");
    assert_eq!((&middle["state"], &middle["owners"]), (&json!("under-way"), &json!(0)), "{middle}");
    house = house.crash().await?;
    house.operator.get(&format!("{path}/credentials")).await?.problem(404, "not_found")?;
    let done = ended(&house, &tenant).await?;
    assert_eq!((&done["credentials"], &done["apps"]), (&json!(CREDENTIALS), &json!(1)), "each is counted once: {done}");
    let entries = house.operator.audit(&tenant).await?;
    assert_eq!(entries.iter().filter(|entry| entry["action"] == "tenant.delete.end").count(), 1);
    let (house, after) = dumped(house, &neighbour).await?;
    assert_eq!(after, before);
    let ids = credentials.iter().map(|id| id.parse()).collect::<Result<Vec<CredentialId>, _>>()?;
    let (tenant, app): (TenantId, AppId) = (tenant.parse()?, house.app.id.parse()?);
    behind_its_back(house, async |store| nothing_left(store, tenant, app, &ids).await).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_was_deleted_since_loses_all_of_its_rows_in_a_restore() -> Result<()> {
    let (house, holder) = Keyholder::of_a_house().await?;
    let House { operator, home, neighbour, tenant, .. } = &house;
    let stays = house.app.enrolled(&house.sim.knows(Key::binance()).await?).await?;
    let file = backed_up(operator, home).await?;
    let gone = neighbour.tenant.clone();
    let reason = json!({ "reason": "the contract has ended" });
    let scope = json!({ "kind": "owner", "tenant": gone, "id": "neighbour-1" });
    let incident = json!({ "severity": "low", "title": "A lost laptop", "scope": scope });
    let incident = operator.post("/api/v1/incidents", &incident).await?.ok()?.text_at("/id")?;
    operator.two_do("DELETE", &format!("/api/v1/tenants/{gone}"), &reason, &[]).await?.ok()?;
    until("the deletion to end", async || {
        let now = operator.get(&format!("/api/v1/deletions/{gone}")).await?.ok()?.json();
        ensure!(now["state"] == "done" && now["unrecoverable_after"].is_string(), "{now}");
        Ok(())
    })
    .await?;
    // An incident is kept, and names no owner of a tenant that is gone.
    let kept = operator.get(&format!("/api/v1/incidents/{incident}")).await?.ok()?.json();
    ensure!(kept["title"] == "A lost laptop" && !kept.to_string().contains("neighbour-1"), "{kept}");
    ensure!(fs::read_to_string(home.file("tombstones/tombstones"))?.contains(&format!("tenant {gone}")));
    let (tenant, credential) = (tenant.clone(), neighbour.credential.clone());
    let named: AppId = neighbour.app.id.parse()?;
    let House { server, home, app, sim, neighbour, scratch, .. } = house;
    server.stop().await?;

    let restored = holder.restore(&home, &file, &["--force", "--accept-rollback"]).await?.ok()?;

    ensure!(restored.stdout.contains(&format!("left out, as a tombstone says: tenant {gone}")), "{}", restored.stdout);
    let server = Server::start(&home).await?;
    let operator = resumed(&home, &app, &stays).await?;
    operator.get(&format!("/api/v1/tenants/{gone}/credentials")).await?.problem(404, "not_found")?;
    let done = operator.get(&format!("/api/v1/deletions/{gone}")).await?.ok()?.json();
    assert_eq!((&done["state"], &done["credentials"], &done["apps"]), (&json!("done"), &json!(1), &json!(1)), "{done}");
    ensure!(neighbour.app.execute(&Call::limit_order(&credential, "binance")).await?.status == 401);
    let house = House { app, tenant, neighbour, operator, server, sim, home, scratch };
    let (gone, credential): (TenantId, CredentialId) = (gone.parse()?, credential.parse()?);
    behind_its_back(house, async |store| nothing_left(store, gone, named, &[credential]).await).await?;
    Ok(())
}

/// Credentials with orders, a virtual key, a decoy, a policy, a stopped owner, a bound operator, and an open request.
async fn furnished(house: &House, count: usize) -> Result<(Vec<String>, Vec<Key>)> {
    let tenant = &house.tenant;
    let (mut credentials, mut keys) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        let key = house.sim.knows(Key::binance().map(|key| key.owned_by(OWNER))).await?;
        credentials.push(house.app.enrolled(&key).await?);
        keys.push(key);
    }
    house.app.acked(&Call::limit_order(&credentials[0], "binance")).await?;
    VirtualKey::made(&house.app, &credentials[0], None).await?;
    let at = |rest: &str| format!("/api/v1/tenants/{tenant}/{rest}");
    let post = async |path: String, body: Value| house.operator.post(&path, &body).await?.ok();
    post(at("decoys"), json!({ "label": "a wiki page", "venue": "binance" })).await?;
    let owner = json!({ "kind": "owner", "tenant": tenant, "id": "somebody-stopped" });
    house.operator.stop(&owner, "frozen").await?.ok()?;
    let bound = json!({ "name": "bound-to-it", "role": "viewer", "tenant": tenant, "reason": "somebody looks" });
    house.operator.two_do("POST", "/api/v1/operators", &bound, &[]).await?.ok()?;
    let reason = json!({ "reason": "it is asked for and waits" });
    let waits = house.operator.ask_for("DELETE", &at(&format!("owners/{OWNER}")), &reason, &[]).await?;
    ensure!(waits.status == 202, "{}", waits.text());
    house.operator.post(&format!("/api/v1/approvals/{}/cancel", waits.text_at("/id")?), &reason).await?.ok()?;
    let owner = json!({ "kind": "owner", "tenant": tenant, "id": OWNER });
    house.operator.resume(&owner).await?.ok()?;
    Ok((credentials, keys))
}

/// Every row that lies in a tenant, with its version.
async fn dumped(house: House, tenant: &str) -> Result<(House, BTreeMap<String, Vec<Versioned>>)> {
    let tenant: TenantId = tenant.parse()?;
    let mut dump = BTreeMap::new();
    let house = behind_its_back(house, async |store| {
        dump = rows_of(store, tenant).await?;
        Ok(())
    })
    .await?;
    Ok((house, dump))
}

async fn rows_of(store: &RedbStore, tenant: TenantId) -> Result<BTreeMap<String, Vec<Versioned>>> {
    let mut dump = BTreeMap::new();
    for range in ranges(tenant) {
        dump.insert(format!("{range:?}"), store.scan(range, None, 1_000).await?.rows);
    }
    for row in dump.values().flatten().cloned().collect::<Vec<_>>() {
        let mut keys = Vec::new();
        if let Row::Credential(row) = &row.row {
            keys.extend([RowKey::Sealed(row.id), RowKey::Index(row.index), RowKey::Token(row.id)]);
        }
        if let Row::App(app) = &row.row {
            let grants = store.scan(Range::Grants(app.id), None, 1_000).await?.rows;
            dump.insert(format!("grants of {}", app.id), grants);
            keys.push(RowKey::App(app.id));
        }
        if let Row::VirtualKey(row) = &row.row {
            keys.push(RowKey::VirtualName(row.name));
        }
        for key in keys {
            dump.insert(format!("{key:?}"), store.get(key).await?.into_iter().collect());
        }
    }
    let row = store.get(RowKey::Tenant(tenant)).await?;
    dump.insert("tenant".to_owned(), row.into_iter().collect());
    let executions = store.executions(tenant, None, 1_000).await?;
    dump.insert(format!("executions {:?}", executions.rows), Vec::new());
    Ok(dump)
}

fn ranges(tenant: TenantId) -> [Range; 7] {
    [
        Range::Keks(tenant),
        Range::Apps(tenant),
        Range::Credentials(tenant),
        Range::VirtualKeys(tenant),
        Range::Born(tenant),
        Range::Policies(tenant),
        Range::Decoys(tenant),
    ]
}

async fn nothing_left(store: &RedbStore, tenant: TenantId, app: AppId, credentials: &[CredentialId]) -> Result<()> {
    for range in ranges(tenant).into_iter().chain([Range::Grants(app)]) {
        let rows = store.scan(range.clone(), None, 10).await?.rows;
        ensure!(rows.is_empty(), "{range:?}: {rows:?}");
    }
    let mut keys = vec![RowKey::Tenant(tenant), RowKey::App(app), RowKey::AppUse(app), RowKey::PolicyInForce(tenant)];
    keys.extend(credentials.iter().flat_map(|id| [RowKey::Sealed(*id), RowKey::Token(*id)]));
    for key in keys {
        ensure!(store.get(key.clone()).await?.is_none(), "{key:?}");
    }
    ensure!(store.executions(tenant, None, 10).await?.rows.is_empty());
    ensure!(store.sealed_under(tenant).await?.is_empty());
    ensure!(store.audit_key(tenant, OWNER.to_owned()).await?.is_none());
    for row in store.scan(Range::Approvals, None, 1_000).await?.rows {
        let Row::Approval(approval) = row.row else { continue };
        ensure!(approval.act.tenant() != Some(tenant) && approval.name != "default", "{approval:?}");
    }
    for row in store.scan(Range::Operators, None, 1_000).await?.rows {
        let Row::Operator(operator) = row.row else { continue };
        ensure!(operator.tenant != Some(tenant), "{operator:?}");
    }
    Ok(())
}

async fn ended(house: &House, tenant: &str) -> Result<Value> {
    until("the deletion to end", async || {
        let now = house.operator.get(&format!("/api/v1/deletions/{tenant}")).await?.ok()?.json();
        ensure!(now["state"] == "done", "{now}");
        Ok(now)
    })
    .await
}
