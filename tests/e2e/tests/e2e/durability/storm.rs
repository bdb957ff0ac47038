//! Kill -9 of any process at any moment, while several clients write.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Result, ensure};
use claviger_e2e::{Home, House, Random, Role, Server, Signal, children, is_running, until};
use tokio::task::{JoinSet, LocalSet};

use super::Scene;
use super::desk::Desk;

/// Kills of each of the three processes.
const KILLS_OF_EACH: usize = 50;

/// Clients that write at the same time.
const DESKS: usize = 4;

/// Between two kills the clients begin fewer requests than this.
const REQUESTS_BETWEEN: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill_and_nothing_is_half_done() -> Result<()> {
    // The desks share the test's own thread: what they wait for is elsewhere.
    LocalSet::new().run_until(Box::pin(weather(Random::seeded()?))).await
}

#[expect(clippy::print_stderr, reason = "what a storm disturbed is part of its result")]
async fn weather(mut random: Random) -> Result<()> {
    let House { operator, server, sim, home, scratch, neighbour, .. } = House::open().await?;
    let scene = Scene::new(operator, sim, home, scratch);
    let earlier = checkpoint_of_now(&scene).await?;
    let mut desks = JoinSet::new();
    for number in 0..DESKS {
        let mut desk = Desk::open(&scene, &format!("desk-{number}"), random.fork()).await?;
        desks.spawn_local(async move { desk.work().await.map(|()| desk) });
    }

    let server = tokio::select! {
        server = storm(&scene, server, &mut random) => server?,
        Some(failed) = desks.join_next() => return failed?.and_then(|_| anyhow::bail!("a desk ended too early")),
    };

    scene.over.store(true, Ordering::Relaxed);
    let mut credentials = 0_usize;
    while let Some(desk) = desks.join_next().await {
        credentials = credentials.saturating_add(desk??.settle().await?);
    }
    let verdict = scene.log_verifies(&earlier).await?;
    ensure!(verdict.contains("entries are what was signed") && !verdict.contains("not proven"), "{verdict}");
    neighbour.app.get(&format!("/api/v1/credentials/{}", neighbour.credential)).await?.ok()?;
    ensure!(scene.sim.tripped().await? == 0);
    let (begun, lost) = (scene.begun.load(Ordering::Relaxed), scene.lost.load(Ordering::Relaxed));
    eprintln!("{KILLS_OF_EACH} kills of each process; {begun} requests, {lost} of them not acknowledged");
    eprintln!("{credentials} credentials\n{verdict}");
    // A storm that never came between an intent and its outcome has shown nothing.
    ensure!(verdict.contains("intents have no outcome"), "{verdict}");
    server.stop().await?;
    Ok(())
}

/// A copy of what the witness file says before the first kill.
async fn checkpoint_of_now(scene: &Scene) -> Result<std::path::PathBuf> {
    let copy = scene.scratch.path().join("checkpoints.earlier");
    until("a checkpoint", async || {
        let text = std::fs::read_to_string(scene.home.file("audit/checkpoints"))?;
        ensure!(!text.is_empty(), "none yet");
        Ok(std::fs::write(&copy, text)?)
    })
    .await?;
    Ok(copy)
}

async fn storm(scene: &Arc<Scene>, mut server: Server, random: &mut Random) -> Result<Server> {
    let mut roles = [Role::Supervisor, Role::Front, Role::Keeper].repeat(KILLS_OF_EACH);
    roles.sort_by_cached_key(|_| random.number());
    for role in roles {
        let due = scene.begun.load(Ordering::Relaxed).saturating_add(random.below(REQUESTS_BETWEEN));
        until("the clients to go on", async || {
            let begun = scene.begun.load(Ordering::Relaxed);
            ensure!(begun >= due, "{begun} of {due} requests were begun");
            Ok(())
        })
        .await?;
        server = killed(server, role, &scene.home).await?;
    }
    Ok(server)
}

/// Kills one process and sees to it that all three are there again. The children of a supervisor die with it.
pub(super) async fn killed(mut server: Server, role: Role, home: &Home) -> Result<Server> {
    if role != Role::Supervisor {
        server.replace(role).await?;
        return Ok(server);
    }
    let orphans = children(server.pid(Role::Supervisor)?);
    server.signal(Role::Supervisor, Signal::Kill)?;
    server.ends().await?;
    until("the orphans to be dead", async || {
        ensure!(orphans.iter().copied().all(is_gone), "{orphans:?}");
        Ok(())
    })
    .await?;
    drop(server);
    Server::start(home).await
}

/// Whether a process holds nothing any more: its first thread may be dead before those that have files open.
fn is_gone(pid: u32) -> bool {
    !is_running(pid) && std::fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count) <= 1
}
