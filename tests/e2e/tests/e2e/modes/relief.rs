use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{App, Call, Key, Role, Setup, until};
use serde_json::json;

/// How many apps call at the same time.
const CALLERS: usize = 4;

/// What a keeper may lose here: a few hundred session objects.
const LEAK_BYTES_MAX: i64 = 80_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_worn_keeper_is_relieved_and_no_call_is_lost() -> Result<()> {
    let house = Setup::default().config("hsm.leak_bytes_max", LEAK_BYTES_MAX).open().await?;
    let mut credentials = Vec::new();
    for kind in [Key::binance, || Key::binance().map(Key::resident), || Key::binance().map(Key::resident)] {
        credentials.push(house.app.enrolled(&house.sim.knows(kind()).await?).await?);
    }
    let (done, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let app = App::log_in(&house.home.ready_file(), &house.app.id, &house.app.secret).await?;
        let (credentials, done, calls) = (credentials.clone(), done.clone(), calls.clone());
        callers.push(tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                for credential in &credentials {
                    let reply = app.execute(&Call::with(credential, "account")).await?;
                    ensure!(reply.status == 200, "{}: {}", reply.status, reply.text());
                    calls.fetch_add(1, Ordering::SeqCst);
                }
            }
            anyhow::Ok(())
        }));
    }

    // Each stop has every session give its keys up, and unwrap them again.
    let elsewhere = json!({ "kind": "venue", "id": "kraken" });
    let first = house.server.pid(Role::Keeper)?;
    let mut relieved = 0;
    let mut now = first;
    until("two keepers to have been relieved", async || {
        for _ in 0..20 {
            house.operator.stop(&elsewhere, "frozen").await?.ok()?;
            house.operator.resume(&elsewhere).await?.ok()?;
        }
        let pid = house.server.pid(Role::Keeper)?;
        if pid != now {
            now = pid;
            relieved += 1;
        }
        ensure!(relieved >= 2, "{relieved} so far");
        Ok(())
    })
    .await?;
    done.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await?.context("a call was lost")?;
    }

    let log = house.server.log()?;
    assert!(log.contains("a keeper relieved the one before"), "no relief in the log");
    assert!(!log.contains("the keeper ended and is started again"), "a keeper ended by itself");
    assert!(calls.load(Ordering::SeqCst) > 100, "there was load");
    Ok(())
}
