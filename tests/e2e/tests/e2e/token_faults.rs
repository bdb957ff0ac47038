//! A token that goes away, hangs or loses its process, under load: 503 meanwhile, no wrong signature, and normal within
//! two seconds of its return.

mod load;
mod start;

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, Home, House, Key, Reply, Role, Setup, Signal, is_running, now_ms, until};
use serde_json::json;

use load::Load;

/// What is promised for the time between the return of what was lost and the first good answer.
const BACK_WITHIN_MS: u64 = 2_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_away_for_ten_seconds_costs_nothing_but_these_seconds() -> Result<()> {
    let house = Arc::new(Setup::default().faulty().open().await?);
    let (key, credential) = enrolled(&house).await?;
    let (_, frozen) = enrolled(&house).await?;
    let (_, revoked) = enrolled(&house).await?;
    let (tokens, away) = (house.home.token_file("tokens"), house.home.token_file("tokens.away"));
    let load = Load::begin(&house, &credential).await?;
    let logins = logins(&house.home).len();

    fs::rename(&tokens, &away)?;
    let gone_ms = now_ms();
    until("the service to be red", async || red(&house.server.readyz().await?)).await?;
    for (id, act, state) in [(&frozen, "freeze", "frozen"), (&revoked, "revoke", "revoked")] {
        house.operator.act(&house.tenant, id, act).await?.ok().context("an act that needs no token")?;
        assert_eq!(house.operator.credential(&house.tenant, id).await?.ok()?.text_at("/state")?, state);
    }
    until_so("ten seconds to pass", || Ok(now_ms() >= gone_ms.saturating_add(10_000))).await?;
    red(&house.server.readyz().await?)?;
    let refused = house.app.execute(&Call::limit_order(&credential, "binance")).await?;
    let back_ms = now_ms();
    fs::rename(&away, &tokens)?;
    load.acks_again(back_ms).await?;

    unavailable(&refused)?;
    let asked = load.end().await?;
    let took_ms = asked.back_after(back_ms)?;
    assert!(took_ms <= BACK_WITHIN_MS, "back after {took_ms} ms");
    assert!(asked.refused_between(gone_ms, back_ms) > 0, "the token was away and nobody noticed");
    asked.agrees_with(&house.sim, &key).await?;
    let all = self::logins(&house.home);
    assert_eq!(all.len(), logins + 1, "one PIN attempt for the one return: {all:?}");
    assert!(all.iter().all(|line| line.ends_with(" C_Login 0x00000000")), "no attempt was in vain: {all:?}");
    for id in [&frozen, &revoked] {
        house.app.execute(&Call::limit_order(id, "binance")).await?.problem(403, "policy_denied")?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_hangs_is_replaced() -> Result<()> {
    let house = Setup::default().faulty().open().await?;
    let (key, credential) = enrolled(&house).await?;
    let order = Call::limit_order(&credential, "binance");
    house.app.acked(&order).await?;
    let keeper = house.server.pid(Role::Keeper)?;
    // The next keeper gets through its own tests, and hangs only when it is asked to sign.
    let tested = calls(&house.home, keeper, "C_Decrypt");

    house.home.fault(&format!("C_Decrypt hang after={tested}"))?;
    let (refused, took_ms) = until("a call that hangs", async || {
        let begun_ms = now_ms();
        let reply = house.app.execute(&order).await?;
        ensure!(reply.status != 200, "it was carried out");
        Ok((reply, now_ms().saturating_sub(begun_ms)))
    })
    .await?;
    until_so("the keeper that hangs to be gone", || Ok(!is_running(keeper))).await?;
    house.home.fault("")?;
    let lifted_ms = now_ms();
    until("an order", async || house.app.acked(&order).await).await?;
    let back_ms = now_ms().saturating_sub(lifted_ms);

    unavailable(&refused)?;
    assert!(took_ms < 2_500, "the answer took {took_ms} ms, and the deadline of an intent is 2,000 ms");
    assert!(back_ms <= BACK_WITHIN_MS, "back after {back_ms} ms");
    assert_ne!(house.server.pid(Role::Keeper)?, keeper);
    let log = house.home.fault_log();
    assert!(log.contains(&format!("{keeper} C_Decrypt hang")), "nothing hung");
    let acked = house.app.get("/api/v1/executions?limit=200").await?.ok()?.json();
    let acked = acked["data"].as_array().context("no list")?.iter().filter(|row| row["state"] == "acked").count();
    assert_eq!(house.sim.orders(&key).await?.len(), acked, "what was refused is not signed later");
    assert!(house.sim.requests(&key).await?.iter().all(|request| request.signed_ok == Some(true)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_is_killed_is_replaced_and_signs_only_what_came_later() -> Result<()> {
    let house = Arc::new(Setup::default().faulty().open().await?);
    let (key, credential) = enrolled(&house).await?;
    let load = Load::begin(&house, &credential).await?;
    let logins = logins(&house.home).len();

    for _ in 0..3 {
        let keeper = house.server.pid(Role::Keeper)?;
        house.server.signal(Role::Keeper, Signal::Kill)?;
        let killed_ms = now_ms();
        load.acks_again(killed_ms).await?;
        let took_ms = now_ms().saturating_sub(killed_ms);
        assert!(took_ms <= BACK_WITHIN_MS, "back after {took_ms} ms");
        until_so("the new keeper to be named", || Ok(house.server.pid(Role::Keeper)? != keeper)).await?;
    }

    load.end().await?.agrees_with(&house.sim, &key).await?;
    let all = self::logins(&house.home);
    assert_eq!(all.len(), logins + 3, "{all:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_answers_nobody_is_killed_and_replaced() -> Result<()> {
    let house = Setup::default().open().await?;
    let (_, credential) = enrolled(&house).await?;
    let order = Call::limit_order(&credential, "binance");
    house.app.acked(&order).await?;

    // A process that is halted neither answers nor ends: whoever waits for it is told so, and it is not waited for.
    let keeper = house.server.pid(Role::Keeper)?;
    house.server.signal(Role::Keeper, Signal::Stop)?;
    house.app.execute(&Call::limit_order(&credential, "binance")).await?.problem(503, "keeper_unavailable")?;
    until_so("the new keeper to be named", || Ok(house.server.pid(Role::Keeper)? != keeper)).await?;
    house.app.acked(&Call::limit_order(&credential, "binance")).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_token_gives_no_wrong_signature() -> Result<()> {
    let house = Setup::default().faulty().open().await?;
    let (key, credential) = enrolled(&house).await?;
    let order = Call::limit_order(&credential, "binance");
    // Each sickness strikes one call of the keeper that runs; the next keeper must be spared, or it would never serve.
    let cases = ["return=0x30", "return=0xE0", "lose-answer return=0x05", "die"];
    for case in cases {
        house.app.acked(&order).await?;
        let tested = calls(&house.home, house.server.pid(Role::Keeper)?, "C_Decrypt");
        house.home.fault(&format!("C_Decrypt {case} after={tested}"))?;

        let refused = until("a call that is struck", async || {
            let reply = house.app.execute(&order).await?;
            ensure!(reply.status != 200, "it was carried out");
            Ok(reply)
        });
        unavailable(&refused.await.context(case)?).context(case)?;

        house.home.fault("")?;
        until("an order", async || house.app.acked(&order).await).await.context(case)?;
    }
    let requests = house.sim.requests(&key).await?;
    assert!(requests.iter().all(|request| request.signed_ok == Some(true)), "{requests:?}");
    Ok(())
}

/// Waits until something is so.
async fn until_so(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    until(what, async || {
        ensure!(is_so()?, "it is not so");
        Ok(())
    })
    .await
}

/// A key that the venue knows, and the credential that it is enrolled as.
async fn enrolled(house: &House) -> Result<(Key, String)> {
    let key = house.sim.knows(Key::binance()).await?;
    let credential = house.app.enrolled(&key).await?;
    Ok((key, credential))
}

/// Not ready, because of the keeper or the token and of nothing else.
fn red(readyz: &Reply) -> Result<()> {
    let json = readyz.json();
    let part = |name: &str| json.pointer(&format!("/parts/{name}")).is_some_and(|state| state == "ok");
    ensure!(readyz.status == 503 && json.get("ready") == Some(&json!(false)), "it is ready: {json}");
    ensure!(!(part("keeper") && part("token")), "neither keeper nor token is named: {json}");
    ensure!(part("store") && part("audit"), "a part is named that is well: {json}");
    Ok(())
}

/// A refusal for want of the keeper or the token.
fn unavailable(reply: &Reply) -> Result<()> {
    let code = reply.code();
    ensure!(["keeper_unavailable", "token_unavailable"].contains(&code.as_str()), "{}: {}", reply.status, reply.text());
    reply.clone().problem(503, &code).map(drop)
}

/// The calls of `C_Login` that reached the token.
fn logins(home: &Home) -> Vec<String> {
    home.fault_log().into_iter().filter(|line| line.contains(" C_Login ")).collect()
}

/// How often a process called a function of the module.
fn calls(home: &Home, pid: u32, function: &str) -> usize {
    let start = format!("{pid} {function} ");
    home.fault_log().iter().filter(|line| line.starts_with(&start)).count()
}
