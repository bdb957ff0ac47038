//! Keys between enrollment and end: asked about by and by, red when they die, frozen when they gain too much, and told of
//! before they expire.

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, House, Key, Reply, Setup, now_ms, until};
use serde_json::{Value, json};

/// A cycle of the monitor in these tests, seconds.
const CYCLE: i64 = 2;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_dies_turns_red_and_one_that_gains_a_permission_is_frozen() -> Result<()> {
    let house = watched().await?;
    let (dying, widened, fine) = (enrolled(&house).await?, enrolled(&house).await?, enrolled(&house).await?);
    house.sim.forgets(&dying.0).await?;
    house.sim.knows(Ok(widened.0.clone().that_may("withdraw"))).await?;

    let red = health(&house, &dying.1, "dead").await?;
    assert_eq!((&red["reenroll"], &red["state"]), (&json!("wanted"), &json!("active")), "{red}");
    let frozen = health(&house, &widened.1, "suspect").await?;
    assert_eq!(frozen["state"], "frozen", "{frozen}");
    house.app.execute(&Call::limit_order(&widened.1, "binance")).await?.problem(403, "policy_denied")?;
    house.app.acked(&Call::limit_order(&fine.1, "binance")).await?;

    let drift = entry(&house, "credential.drift", &widened.1).await?;
    assert_eq!((&drift["detail"]["gained"], &drift["detail"]["lost"]), (&json!("withdraw"), &json!("")), "{drift}");
    let alarm = entry(&house, "alarm.scope-gained", &widened.1).await?;
    assert_eq!(alarm["rule"], "withdraw_enabled", "{alarm}");
    let opened = house.operator.get("/api/v1/incidents").await?.ok()?.json();
    assert_eq!(opened["data"][0]["opened_by"], "detector scope-gained", "{opened}");
    until("the counters", async || {
        let metrics = house.server.metrics().await?;
        for line in [
            "claviger_alarms_total{kind=\"scope-gained\"} 1",
            "claviger_probes_total{venue=\"binance\",outcome=\"dead\"}",
            "claviger_credentials{venue=\"binance\",health=\"dead\"} 1",
        ] {
            ensure!(metrics.contains(line), "{line} is not in\n{metrics}");
        }
        Ok(())
    })
    .await?;

    // It stays one alarm, and the key that is fine is not told of: each look is no news.
    let asked = house.sim.requests(&fine.0).await?.len();
    until("two cycles more", async || {
        let now = house.sim.requests(&fine.0).await?.len();
        ensure!(now > asked + 2, "{now}");
        Ok(())
    })
    .await?;
    assert_eq!(entries(&house, "alarm.scope-gained", &widened.1).await?.len(), 1);
    assert_eq!(entries(&house, "credential.probe", &fine.1).await?.len(), 0);
    let before = house.operator.credential(&house.tenant, &fine.1).await?.ok()?;
    assert_eq!(before.json()["health"], "ok");
    ensure!(before.json()["probed_at"].as_str() > before.json()["changed_at"].as_str(), "{}", before.text());

    // What its owner took back is known, and a new key clears what was asked for.
    let listed = |needs: &str| format!("/api/v1/tenants/{}/credentials{needs}", house.tenant);
    let waiting = house.operator.get(&listed("?needs=reenroll")).await?.ok()?;
    assert_eq!(waiting.ids(), std::slice::from_ref(&dying.1));
    let old = house.sim.knows(Key::binance()).await?;
    let rotated = rotate(&house, &dying.1, &old, None).await?.ok()?.json();
    assert_eq!((&rotated["health"], &rotated["reenroll"]), (&json!("ok"), &Value::Null));
    ensure!(rotated["at_venue"].as_str().is_some_and(|text| text.contains("old key")), "{rotated}");
    ensure!(house.operator.get(&listed("?needs=reenroll")).await?.ok()?.ids().is_empty());
    house.operator.get(&listed("?needs=rest")).await?.problem(400, "page_invalid")?;
    house.app.acked(&Call::limit_order(&dying.1, "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_is_down_turns_no_key_red_and_leaves_a_gap_with_two_ends() -> Result<()> {
    let house = watched().await?;
    let (key, credential) = enrolled(&house).await?;
    let other = house.sim.knows(Key::kraken()).await?;
    let elsewhere = house.app.enrolled(&other).await?;
    for kind in ["status_5xx", "status_429"] {
        house.sim.fault(&json!({ "kind": kind, "venue": "binance" })).await?;
        let asked = house.sim.requests(&key).await?.len();
        until("a cycle to pass without an answer", async || {
            let now = house.sim.requests(&key).await?.len();
            ensure!(now > asked + 2, "{now}");
            Ok(())
        })
        .await?;
        let gaps = status(&house).await?["gaps"].clone();
        assert_eq!((gaps.as_array().map(Vec::len), &gaps[0]["venue"]), (Some(1), &json!("binance")), "{gaps}");
        let shown = house.operator.credential(&house.tenant, &credential).await?.ok()?.json();
        assert_eq!((&shown["health"], &shown["state"]), (&json!("ok"), &json!("active")), "{shown}");

        house.sim.heal().await?;
        until("the gap to end", async || {
            let status = status(&house).await?;
            ensure!(status["gaps"] == json!([]), "{}", status["gaps"]);
            Ok(())
        })
        .await?;
    }
    let log = all_entries(&house).await?;
    let of = |action: &str| log.iter().filter(|entry| entry["action"] == action).collect::<Vec<_>>();
    let (begun, ended) = (of("venue.gap.begin"), of("venue.gap.end"));
    let mut reasons: Vec<_> = begun.iter().map(|entry| &entry["detail"]["why"]).collect();
    // An answer that was on its way when the fault came may part a gap in two.
    reasons.dedup();
    assert_eq!(reasons, ["unavailable", "rate_limited"], "{begun:?}");
    assert_eq!(begun.len(), ended.len(), "{ended:?}");
    ensure!(
        begun
            .iter()
            .zip(&ended)
            .all(|(begun, ended)| begun["resource_id"] == "binance" && begun["at"].as_str() < ended["at"].as_str())
    );
    ensure!(ended.iter().all(|entry| entry["detail"]["since"].is_string()));
    ensure!(
        entries(&house, "credential.probe", &elsewhere).await?.is_empty(),
        "another venue's keys are what they were"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_its_venue_refuses_is_no_gap_and_holds_up_no_other() -> Result<()> {
    let house = watched().await?;
    let refused = house.sim.knows(Key::kraken()).await?;
    let other = house.sim.knows(Key::kraken().map(|key| key.owned_by("trader-2"))).await?;
    for key in [&refused, &other] {
        house.app.enrolled(key).await?;
    }
    house.sim.fault(&json!({ "kind": "status_429", "venue": "kraken", "key_id": refused.key_id })).await?;
    let asked = house.sim.requests(&other).await?.len();
    until("two cycles more", async || {
        let metrics = house.server.metrics().await?;
        ensure!(metrics.contains("claviger_probes_total{venue=\"kraken\",outcome=\"refused\"}"), "{metrics}");
        let now = house.sim.requests(&other).await?.len();
        ensure!(now > asked + 2, "{now}");
        Ok(())
    })
    .await?;
    assert_eq!(status(&house).await?["gaps"], json!([]));
    ensure!(all_entries(&house).await?.iter().all(|entry| entry["action"] != "venue.gap.begin"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_goes_on_with_the_keys_that_are_due() -> Result<()> {
    let house = watched().await?;
    let (key, credential) = enrolled(&house).await?;
    house.server.stop().await?;
    house.sim.forgets(&key).await?;
    // Another plan would come after minutes; a look that nothing came of is made again after half a minute.
    house.home.configure("health.cycle_seconds", 300)?;
    let server = claviger_e2e::Server::start(&house.home).await?;
    let house = House { server, ..house };
    health(&house, &credential, "dead").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_comes_is_told_of_three_times_and_freezes_the_key_until_it_is_exchanged() -> Result<()> {
    let house = House::open().await?;
    let key = house.sim.knows(Key::binance()).await?;
    let mut body = key.enrollment();
    body["expires_at"] = json!(at(30 * DAY_MS)?);
    let credential = house.app.call("POST", "/api/v1/credentials", Some(&body)).await?.ok()?.text_at("/id")?;
    assert_eq!(status(&house).await?["expiring"], json!([]));
    for (left, days, count) in [(13, "14", 1), (6, "7", 2), (0, "1", 3)] {
        expire(&house, &credential, json!(at(left * DAY_MS + DAY_MS / 2)?)).await?.ok()?;
        let notices = until("a notice", async || {
            let notices = entries(&house, "credential.expiring", &credential).await?;
            ensure!(notices.len() >= count, "{notices:?}");
            Ok(notices)
        })
        .await?;
        assert_eq!((notices.len(), &notices[count - 1]["detail"]["days"]), (count, &json!(days)));
    }
    let expiring = status(&house).await?["expiring"].clone();
    assert_eq!(expiring[0]["credential"], json!(credential), "{expiring}");
    let overview = house.operator.get("/api/v1/overview").await?.ok()?.json();
    assert_eq!(overview["expiring"], json!({ "count": 1, "first": expiring, "more": false }), "{overview}");

    // A crash repeats none, and a restart none.
    let house = house.crash().await?;
    expire(&house, &credential, json!("yesterday")).await?.problem(400, "body_invalid")?;
    expire(&house, &credential, json!("2020-01-01T00:00:00Z")).await?.problem(400, "expires_at_past")?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    assert_eq!(entries(&house, "credential.expiring", &credential).await?.len(), 3);

    expire(&house, &credential, json!(at(3_000)?)).await?.ok()?;
    state(&house, &credential, "frozen").await?;
    entry(&house, "credential.expire", &credential).await?;
    house.app.execute(&Call::limit_order(&credential, "binance")).await?.problem(403, "policy_denied")?;
    expire(&house, &credential, json!(at(DAY_MS)?)).await?.problem(409, "expired")?;
    let reason = json!({ "reason": "it is wanted again" });
    house.operator.act_if_unchanged(&house.tenant, &credential, "unfreeze", &reason).await?.problem(409, "expired")?;
    let next = house.sim.knows(Key::binance()).await?;
    let rotated = rotate(&house, &credential, &next, Some(at(90 * DAY_MS)?)).await?.ok()?.json();
    assert_eq!(rotated["state"], "active", "it had only expired: {rotated}");
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;

    // What somebody else has stopped, too, is not started by another key.
    expire(&house, &credential, json!(at(3_000)?)).await?.ok()?;
    state(&house, &credential, "frozen").await?;
    house.operator.act(&house.tenant, &credential, "freeze").await?.ok()?;
    let next = house.sim.knows(Key::binance()).await?;
    assert_eq!(rotate(&house, &credential, &next, None).await?.ok()?.json()["state"], "frozen");
    house.operator.act_if_unchanged(&house.tenant, &credential, "unfreeze", &reason).await?.ok()?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_for_a_new_key_goes_on_with_a_new_key_only() -> Result<()> {
    let house = House::open().await?;
    let (_, credential) = enrolled(&house).await?;
    let stopped = house.operator.act(&house.tenant, &credential, "reenroll").await?.ok()?.json();
    assert_eq!(stopped["state"], "frozen", "{stopped}");
    house.app.execute(&Call::limit_order(&credential, "binance")).await?.problem(403, "policy_denied")?;
    let reason = json!({ "reason": "it is wanted again" });
    let unfreeze = async || house.operator.act_if_unchanged(&house.tenant, &credential, "unfreeze", &reason).await;
    unfreeze().await?.problem(409, "reenroll_required")?;
    // That the key works is not enough.
    let probed = house.operator.act(&house.tenant, &credential, "probe").await?.ok()?.json();
    assert_eq!((&probed["health"], &probed["reenroll"]), (&json!("ok"), &json!("required")));
    unfreeze().await?.problem(409, "reenroll_required")?;
    let next = house.sim.knows(Key::binance()).await?;
    let rotated = rotate(&house, &credential, &next, None).await?.ok()?.json();
    assert_eq!((&rotated["state"], &rotated["reenroll"]), (&json!("frozen"), &Value::Null));
    unfreeze().await?.ok()?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    Ok(())
}

/// A house whose keys are asked about every other second.
async fn watched() -> Result<House> {
    Setup::default().config("health.cycle_seconds", CYCLE).open().await
}

async fn enrolled(house: &House) -> Result<(Key, String)> {
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    Ok((key, credential))
}

/// The credential, once its health is that.
async fn health(house: &House, credential: &str, wanted: &str) -> Result<Value> {
    shown(house, credential, "health", wanted).await
}

async fn state(house: &House, credential: &str, wanted: &str) -> Result<Value> {
    shown(house, credential, "state", wanted).await
}

async fn shown(house: &House, credential: &str, field: &str, wanted: &str) -> Result<Value> {
    until("the credential to change", async || {
        let shown = house.operator.credential(&house.tenant, credential).await?.ok()?.json();
        ensure!(shown[field] == wanted, "{shown}");
        Ok(shown)
    })
    .await
}

async fn rotate(house: &House, credential: &str, key: &Key, expires_at: Option<String>) -> Result<Reply> {
    let body = json!({ "key_id": key.key_id, "secret": key.secret, "expires_at": expires_at });
    house.operator.act_if_unchanged(&house.tenant, credential, "rotate", &body).await
}

async fn status(house: &House) -> Result<Value> {
    Ok(house.operator.get("/api/v1/status").await?.ok()?.json())
}

async fn entries(house: &House, action: &str, credential: &str) -> Result<Vec<Value>> {
    let all = house.operator.audit(&house.tenant).await?;
    Ok(all.into_iter().filter(|entry| entry["action"] == action && entry["resource_id"] == credential).collect())
}

async fn entry(house: &House, action: &str, credential: &str) -> Result<Value> {
    until("the entry", async || {
        entries(house, action, credential).await?.into_iter().next().context("it is not there yet")
    })
    .await
}

/// The whole log.
async fn all_entries(house: &House) -> Result<Vec<Value>> {
    let page = house.operator.get("/api/v1/audit?limit=10000").await?.ok()?.json();
    Ok(page["data"].as_array().context("no data")?.clone())
}

/// So many milliseconds from now on, RFC 3339.
fn at(ms: u64) -> Result<String> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(now_ms() + ms)?)?;
    Ok(time.to_string())
}

async fn expire(house: &House, credential: &str, time: Value) -> Result<Reply> {
    let etag = house.operator.credential(&house.tenant, credential).await?.ok()?.header("etag").to_owned();
    let path = format!("/api/v1/tenants/{}/credentials/{credential}", house.tenant);
    house.operator.send("PATCH", &path, &json!({ "expires_at": time }), &[("if-match", &etag)]).await
}
