//! An owner's own wish: one credential deleted, or everything about the person.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, House, Key, Role, Signal, VirtualKey, until};
use serde_json::json;

const OWNER: &str = "erasmus-of-rotterdam";

/// Erasures that are cut short, each a credential later than the one before.
const ROUNDS: usize = 4;

/// Credentials of each owner's.
const OWNED: usize = 24;

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_owner_leaves_a_log_that_verifies_and_no_trace_in_it() -> Result<()> {
    let house = House::open().await?;
    let mut own = Vec::new();
    for _ in 0..2 {
        let key = house.sim.knows(Key::binance().map(|key| key.owned_by(OWNER))).await?;
        own.push(house.app.enrolled(&key).await?);
    }
    let other_key = house.sim.knows(Key::binance().map(|key| key.owned_by("another-owner"))).await?;
    let other = house.app.enrolled(&other_key).await?;
    for credential in own.iter().chain([&other]) {
        house.app.acked(&Call::limit_order(credential, "binance")).await?;
    }
    let body = json!({ "credential": own[0] });
    house.app.call("POST", "/api/v1/virtual-keys", Some(&body)).await?.ok()?;
    let path = format!("/api/v1/owners/{OWNER}");
    let reason = json!({ "reason": "the owner asked for it" });

    let bare =
        house.operator.post(&format!("/api/v1/tenants/{}/apps", house.tenant), &json!({ "name": "bare" })).await?;
    let bare = bare.ok()?;
    let grant = json!({ "operations": ["read"], "enroll": false });
    house.operator.grant(&house.tenant, &bare.text_at("/id")?, &grant).await?;
    let ready = house.home.ready_file();
    let bare = claviger_e2e::App::log_in(&ready, &bare.text_at("/id")?, &bare.text_at("/secret")?).await?;
    bare.call("DELETE", &path, Some(&reason)).await?.problem(403, "enroll_not_granted")?;
    house.neighbour.app.call("DELETE", &path, Some(&reason)).await?.problem(404, "not_found")?;
    house.app.call("DELETE", &path, Some(&json!({}))).await?.problem(400, "reason_missing")?;

    let erased = house.app.call("DELETE", &path, Some(&reason)).await?.ok()?.json();
    let again = house.app.call("DELETE", &path, Some(&reason)).await?.ok()?.json();

    let mut deleted: Vec<String> = serde_json::from_value(erased["credentials"].clone())?;
    deleted.sort();
    own.sort();
    assert_eq!((deleted, &erased["virtual_keys"]), (own.clone(), &json!(1)), "{erased}");
    assert_eq!(again["credentials"], json!([]));
    for credential in &own {
        let call = Call::limit_order(credential, "binance");
        house.app.execute(&call).await?.problem(404, "not_found")?;
    }
    house.app.acked(&Call::limit_order(&other, "binance")).await?;
    let returned = house.sim.knows(Key::binance().map(|key| key.owned_by(OWNER))).await?;
    house.app.enroll(&returned).await?.problem(409, "owner_revoked")?;

    let house = house.crash().await?;
    let export = verified_export(&house).await?;
    assert!(export.contains("owner.erase") && !export.contains(OWNER), "{export}");
    Ok(())
}

/// Killed at another moment each time, and at least once in the middle: the same call goes on where it ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_cut_short_is_completed_by_asking_again() -> Result<()> {
    let mut house = House::open().await?;
    let reason = json!({ "reason": "the owner asked for it" });
    let mut was_cut = false;
    for round in 0..ROUNDS {
        let owner = format!("{OWNER}-{round}");
        let path = format!("/api/v1/owners/{owner}");
        for _ in 0..OWNED {
            let key = house.sim.knows(Key::binance().map(|key| key.owned_by(&owner))).await?;
            house.app.enrolled(&key).await?;
        }
        let killing = async {
            until("the erasure to be under way", async || {
                let left = credentials(&house).await?.len();
                ensure!(left < OWNED, "{left} are left");
                Ok(())
            })
            .await?;
            [Role::Supervisor, Role::Front, Role::Keeper]
                .iter()
                .try_for_each(|role| house.server.signal(*role, Signal::Kill))
        };
        let (cut, killed) = tokio::join!(house.app.call("DELETE", &path, Some(&reason)), killing);
        killed?;
        house = house.crash().await?;
        let left = credentials(&house).await?;
        was_cut |= cut.is_err() && !left.is_empty();
        for credential in &left {
            let refused = house.app.execute(&Call::limit_order(credential, "binance")).await?;
            refused.problem(403, "policy_denied").context("stopped before anything was deleted")?;
        }

        let erased = house.app.call("DELETE", &path, Some(&reason)).await?.ok()?.json();
        assert_eq!(erased["credentials"].as_array().map(Vec::len), Some(left.len()), "{erased}");
        assert_eq!(credentials(&house).await?, [""; 0]);
        let returned = house.sim.knows(Key::binance().map(|key| key.owned_by(&owner))).await?;
        house.app.enroll(&returned).await?.problem(409, "owner_revoked")?;
    }
    assert!(was_cut, "no kill came in the middle");
    let export = verified_export(&house).await?;
    assert!(!export.contains(OWNER), "{export}");
    assert_eq!(export.matches("owner.erase").count(), ROUNDS, "{export}");
    Ok(())
}

/// Whatever characters a tenant's ids have, the command is about that owner and no other.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_names_an_owner_as_the_tenant_does() -> Result<()> {
    let house = House::open().await?;
    let owner = "../é/a b?dry_run=true#%2f";
    let key = house.sim.knows(Key::binance().map(|key| key.owned_by(owner))).await?;
    house.app.enrolled(&key).await?;
    house.log_in().await?;

    let erase = ["owner", "erase", owner, "--yes", "--confirm", owner, "--reason", "the owner asked for it"];
    let asked = house.home.client(erase)?.output().await?.ok()?;

    assert!(asked.stdout.contains(owner), "{}", asked.stdout);
    let approvals = house.operator.get("/api/v1/approvals").await?.ok()?.json();
    assert_eq!(approvals["data"][0]["name"], owner, "{approvals}");
    let unknown = ["owner", "erase", "a/b", "--yes", "--confirm", "a/b", "--reason", "the owner asked for it"];
    house.home.client(unknown)?.output().await?.exits(4)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_has_one_credential_deleted_at_once() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let (credential, other) = (house.app.enrolled(&key).await?, house.neighbour.credential.clone());
    VirtualKey::made(&house.app, &credential, None).await?;
    let delete = async |id: &str| {
        let reason = json!({ "reason": "the owner asked for it" });
        house.app.call("DELETE", &format!("/api/v1/credentials/{id}"), Some(&reason)).await
    };

    delete(&other).await?.problem(404, "not_found")?;
    let deleted = delete(&credential).await?.ok()?.json();

    assert_eq!((&deleted["credentials"], &deleted["virtual_keys"]), (&json!([credential]), &json!(1)));
    delete(&credential).await?.problem(404, "not_found")?;
    let listed = house.app.get("/api/v1/credentials").await?.ok()?;
    assert_eq!(listed.ids(), [""; 0]);
    Ok(())
}

/// The credentials of the app's tenant.
async fn credentials(house: &House) -> Result<Vec<String>> {
    Ok(house.operator.get(&format!("/api/v1/tenants/{}/credentials", house.tenant)).await?.ok()?.ids())
}

/// The whole log, which verifies.
async fn verified_export(house: &House) -> Result<String> {
    let (export, key) = house.operator.export().await?;
    let file = house.scratch.path().join("export");
    fs::write(&file, &export)?;
    let verify = house.home.claviger(["audit", "verify", "--key", key.trim()])?.args([&file]);
    verify.output().await?.ok()?;
    Ok(export)
}
