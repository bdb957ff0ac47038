//! An owner's own wish: one credential deleted, or everything about the person.

use std::fs;

use anyhow::Result;
use claviger_e2e::{Call, House, Key, VirtualKey};
use serde_json::json;

const OWNER: &str = "erasmus-of-rotterdam";

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
    let (export, key) = house.operator.export().await?;
    assert!(export.contains("owner.erase") && !export.contains(OWNER), "{export}");
    let file = house.scratch.path().join("export");
    fs::write(&file, &export)?;
    let verify = house.home.claviger(["audit", "verify", "--key", key.trim()])?.args([&file]);
    verify.output().await?.ok()?;
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
