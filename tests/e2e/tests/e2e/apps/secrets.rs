//! Client secrets: two at a time, each ended by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use anyhow::{Result, ensure};
use claviger_e2e::{House, ask_for_token, until};
use serde_json::json;

use super::{authenticators, command, invalid_client, lets_in, path, remove, stranger, token_by_secret};

#[tokio::test(flavor = "multi_thread")]
async fn an_app_has_two_secrets_at_most_and_each_ends_with_its_tokens() -> Result<()> {
    let house = House::open().await?;
    let (app, client) = (&house.app, stranger(&house)?);
    let add = async || house.operator.post(&path(&house, app, "/secrets"), &json!({})).await;

    let second = add().await?.ok()?;
    add().await?.problem(409, "authenticators_full")?;

    let old = token_by_secret(&client, &app.id, &app.secret).await?;
    let new = token_by_secret(&client, &app.id, &second.text_at("/secret")?).await?;
    assert!(lets_in(&client, &old).await? && lets_in(&client, &new).await?);
    let shown = authenticators(&house, app).await?;
    let kinds: Vec<_> = shown.iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["secret", "secret"]);
    assert!(!serde_json::to_string(&shown)?.contains("clv_app_"), "{shown:?}");
    let first = shown[0]["id"].as_str().unwrap();

    remove(&house, app, "keys", first).await?.problem(404, "not_found")?;
    assert_eq!(remove(&house, app, "secrets", first).await?.status, 204);

    assert!(!lets_in(&client, &old).await? && lets_in(&client, &new).await?);
    assert!(!lets_in(&client, &app.token).await?);
    invalid_client(&ask_for_token(&client, Some((&app.id, &app.secret)), &[]).await?, "id or secret")?;
    remove(&house, app, "secrets", first).await?.problem(404, "not_found")?;

    // The last one may go too; the app gets nothing until it has another.
    assert_eq!(remove(&house, app, "secrets", &second.text_at("/id")?).await?.status, 204);
    assert!(!lets_in(&client, &new).await?);
    let third = add().await?.ok()?;
    assert!(lets_in(&client, &token_by_secret(&client, &app.id, &third.text_at("/secret")?).await?).await?);
    let actions: Vec<_> = house.operator.audit(&house.tenant).await?.into_iter().map(|e| e["action"].clone()).collect();
    assert_eq!(actions.iter().filter(|action| *action == "app.secret.add").count(), 2);
    assert_eq!(actions.iter().filter(|action| *action == "app.secret.remove").count(), 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_app_has_no_secrets_here() -> Result<()> {
    let house = House::open().await?;
    let theirs = format!("/api/v1/tenants/{}/apps/{}", house.tenant, house.neighbour.app.id);

    house.operator.post(&format!("{theirs}/secrets"), &json!({})).await?.problem(404, "not_found")?;
    house.operator.get(&theirs).await?.problem(404, "not_found")?;
    Ok(())
}

/// Sixteen callers go on through three rotations: each takes the secret that is given to it, and none is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced_without_a_refused_call() -> Result<()> {
    const CALLERS: usize = 16;
    let house = Arc::new(House::open().await?);
    let over = Arc::new(AtomicBool::new(false));
    // The secret in use and its number, as a deployment would hand it to its programs.
    let given = Arc::new(RwLock::new((0_u64, house.app.secret.clone())));
    let reached: Arc<Vec<AtomicU64>> = Arc::new((0..CALLERS).map(|_| AtomicU64::new(u64::MAX)).collect());
    let calls = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (house, over, given) = (Arc::clone(&house), Arc::clone(&over), Arc::clone(&given));
            let (reached, calls) = (Arc::clone(&reached), Arc::clone(&calls));
            tokio::spawn(async move {
                let client = stranger(&house)?;
                let (mut used, mut token) = (u64::MAX, String::new());
                while !over.load(Ordering::Relaxed) {
                    let (current, secret) = given.read().unwrap_or_else(PoisonError::into_inner).clone();
                    if current != used {
                        token = token_by_secret(&client, &house.app.id, &secret).await?;
                        used = current;
                    }
                    ensure!(lets_in(&client, &token).await?, "caller {number} was refused with secret {used}");
                    reached[number].store(used, Ordering::Relaxed);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            })
        })
        .collect();
    let all_on = async |secret: u64| {
        until("all callers on the secret", async || {
            ensure!(callers.iter().all(|caller| !caller.is_finished()), "a caller ended");
            ensure!(reached.iter().all(|one| one.load(Ordering::Relaxed) == secret), "not yet");
            Ok(())
        })
        .await
    };

    let mut failed = all_on(0).await.err();
    for rotation in 1..=3 {
        if failed.is_some() {
            break;
        }
        let old = authenticators(&house, &house.app).await?[0]["id"].as_str().unwrap().to_owned();
        let new = house.operator.post(&path(&house, &house.app, "/secrets"), &json!({})).await?.ok()?;
        *given.write().unwrap_or_else(PoisonError::into_inner) = (rotation, new.text_at("/secret")?);
        failed = all_on(rotation).await.err();
        remove(&house, &house.app, "secrets", &old).await?.ok()?;
    }
    over.store(true, Ordering::Relaxed);
    for caller in callers {
        caller.await??;
    }
    assert!(failed.is_none(), "{failed:?}");
    assert!(calls.load(Ordering::Relaxed) >= 4 * 16);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_shows_when_it_was_last_used_also_after_a_restart() -> Result<()> {
    let house = House::open().await?;
    let apps = format!("/api/v1/tenants/{}/apps", house.tenant);
    let idle = house.operator.post(&apps, &json!({ "name": "idle" })).await?.ok()?.text_at("/id")?;
    let second = house.operator.post(&path(&house, &house.app, "/secrets"), &json!({})).await?.ok()?.text_at("/id")?;
    assert!(lets_in(&stranger(&house)?, &house.app.token).await?);
    let used = |list: &serde_json::Value, id: &str| {
        let rows = list["data"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == id).unwrap()
    };
    let before = house.operator.get(&apps).await?.ok()?.json();

    assert!(used(&before, &idle)["last_used_at"].is_null());
    let app = used(&before, &house.app.id);
    assert!(app["last_used_at"].is_string() && app["authenticators"][0]["last_used_at"].is_string(), "{app}");
    assert_eq!(app["authenticators"][1]["id"], second);
    assert!(app["authenticators"][1]["last_used_at"].is_null());

    let House { server, home, .. } = house;
    server.stop().await?;
    let _server = claviger_e2e::Server::start(&home).await?;
    let operator =
        claviger_e2e::Operator::log_in(&home.ready_file(), claviger_e2e::OPERATOR, claviger_e2e::PASSWORD).await?;
    let after = operator.get(&apps).await?.ok()?.json();
    assert_eq!(used(&after, app["id"].as_str().unwrap()), app);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_added_and_removed_on_the_command_line() -> Result<()> {
    let house = House::open().await?;
    let run = async |args: &[&str]| command(&house, args).await;

    let made = run(&["--json", "secret", "add", &house.app.id]).await?.ok()?.json()?;
    let shown = run(&["--json", "show", &house.app.id]).await?.ok()?.json()?;
    assert_eq!(shown["authenticators"][1]["id"], made["id"]);
    let client = stranger(&house)?;
    let token = token_by_secret(&client, &house.app.id, made["secret"].as_str().unwrap()).await?;
    assert!(lets_in(&client, &token).await?);

    run(&["secret", "remove", &house.app.id, made["id"].as_str().unwrap()]).await?.ok()?;

    assert!(!lets_in(&client, &token).await?);
    run(&["secret", "remove", &house.app.id, made["id"].as_str().unwrap()]).await?.exits(4)?;
    let list = run(&["list"]).await?.ok()?;
    assert!(list.stdout.contains("LAST_USED_AT") && list.stdout.contains(&house.app.id), "{}", list.stdout);
    Ok(())
}
