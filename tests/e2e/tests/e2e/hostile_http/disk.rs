//! A disk that fills step by step: red while there is room, then no reads, then nothing, and nothing is lost.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, House, Key, Namespace, OPERATOR, Operator, PASSWORD, Reply, Server, Setup, until};
use serde_json::{Value, json};

use super::start::{enrolled, everything_is_there, fill, on_a_small_disk};

const MIB: u64 = 1 << 20;

/// What the configuration says, and what is left at each step.
const LOW: u64 = 24 * MIB;
const LEAST: u64 = 10 * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_is_red_then_refuses_reads_and_trades_to_the_last() -> Result<()> {
    if Namespace::to_mount()? != Namespace::Here {
        return Ok(());
    }
    let (home, sim, scratch) = Setup::default().init().await?;
    on_a_small_disk(&home, "64m", [LOW, LEAST])?;
    let server = Server::start(&home).await?;
    let house = Setup::furnish(home, sim, scratch, server).await?;
    let (key, credential) = enrolled(&house).await?;
    let (order, read) = (Call::limit_order(&credential, "binance"), Call::with(&credential, "account"));
    let mut acked = vec![house.app.acked(&order).await?.text_at("/id")?];
    let filler = house.home.file("filler");

    leave(&filler, house.home.path(), 16 * MIB)?;
    red(&house, "bytes are free").await?;
    acked.push(house.app.acked(&order).await?.text_at("/id")?);
    house.app.acked(&read).await?;
    house.app.get("/api/v1/executions").await?.ok()?;

    leave(&filler, house.home.path(), 6 * MIB)?;
    red(&house, "reads and enrollments are refused").await?;
    let refused = reads_wait(&house, &read).await?;
    acked.push(house.app.acked(&order).await?.text_at("/id")?);
    let tenant = json!({ "kind": "tenant", "tenant": house.neighbour.tenant });
    house.operator.stop(&tenant, "frozen").await?.ok()?;
    house.operator.resume(&tenant).await?.ok()?;
    house.operator.act(&house.neighbour.tenant, &house.neighbour.credential, "revoke").await?.ok()?;
    Operator::log_in(&house.home.ready_file(), OPERATOR, PASSWORD).await?;
    house.app.ask_for_token().await?.ok()?;
    ensure!(house.server.metrics().await?.contains("claviger_disk_free_bytes "), "no metric");

    fill(&filler)?;
    let mut open = 0_usize;
    until("the store to be full, and to say so", async || {
        let reply = house.app.execute(&order).await?;
        match reply.status {
            200 => acked.push(reply.text_at("/id")?),
            202 => open += 1,
            _ => return reply.problem(503, "store_unavailable"),
        }
        anyhow::bail!("it takes one more")
    })
    .await?;

    fs::remove_file(&filler)?;
    until("the service to be ready", async || {
        let reply = house.server.readyz().await?;
        ensure!(reply.status == 200, "{}", reply.text());
        house.app.get("/api/v1/executions").await?.ok()
    })
    .await?;
    acked.push(house.app.acked(&order).await?.text_at("/id")?);
    everything_is_there(&house, &acked).await?;
    let sent = house.sim.orders(&key).await?.len();
    ensure!((acked.len()..=acked.len() + open).contains(&sent), "{sent} orders for {} answers", acked.len());
    counted(&house, refused).await
}

/// `/readyz` is red for the disk alone, and an operator reads why.
async fn red(house: &House, why: &str) -> Result<()> {
    until("the disk to be red", async || {
        let reply = house.server.readyz().await?;
        let parts = reply.json()["parts"].clone();
        let down: Vec<_> = parts.as_object().context("no parts")?.iter().filter(|(_, state)| *state != "ok").collect();
        ensure!(reply.status == 503 && down == [(&"disk".to_owned(), &Value::from("down"))], "{}", reply.text());
        let status = house.operator.get("/api/v1/status").await?.ok()?;
        ensure!(status.text_at("/parts/disk")?.contains(why), "{}", status.text());
        Ok(())
    })
    .await
}

/// Everything that only reads is refused, and says so; returns how much that was.
async fn reads_wait(house: &House, read: &Call) -> Result<u64> {
    let key = house.sim.knows(Key::binance()).await?;
    let list = format!("/api/v1/tenants/{}/credentials", house.tenant);
    let replies: [Reply; 6] = [
        house.app.get("/api/v1/executions").await?,
        house.app.execute(read).await?,
        house.app.enroll(&key).await?,
        house.operator.get(&list).await?,
        house.operator.get("/api/v1/audit").await?,
        house.operator.get("/api/v1/audit/export").await?,
    ];
    let count = u64::try_from(replies.len())?;
    for (at, reply) in replies.into_iter().enumerate() {
        reply.problem(503, "disk_full").with_context(|| format!("the read number {at}"))?;
    }
    Ok(count)
}

/// What was refused left no entries, and one that counts it.
async fn counted(house: &House, refused: u64) -> Result<()> {
    let reply = house.operator.get("/api/v1/audit?limit=10000").await?.ok()?.json();
    let entries = reply["data"].as_array().context("no entries")?;
    let of = |action: &str| entries.iter().filter(|entry| entry["action"] == action).cloned().collect::<Vec<_>>();
    ensure!(of("disk.full").len() == 1, "{:?}", of("disk.full"));
    let [room] = of("disk.room").try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let count: u64 = room["detail"]["refused"].as_str().context("no count")?.parse()?;
    ensure!(count >= refused, "{room}");
    let said = entries.iter().filter(|entry| entry["rule"] == "disk_full" || entry["detail"]["status"] == "503");
    assert_eq!(said.count(), 0, "refusals for want of room took room");
    Ok(())
}

/// Writes until so many bytes are free.
fn leave(filler: &Path, disk: &Path, free: u64) -> Result<()> {
    let mut filler = File::options().create(true).append(true).open(filler)?;
    loop {
        let disk = rustix::fs::statvfs(disk)?;
        let surplus = (disk.f_bavail * disk.f_frsize).saturating_sub(free);
        if surplus == 0 {
            return Ok(());
        }
        filler.write_all(&vec![0; usize::try_from(surplus)?])?;
    }
}
