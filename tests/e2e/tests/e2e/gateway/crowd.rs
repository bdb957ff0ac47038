//! Many clients on one credential whose venue wants rising nonces, through the end and the return of the server.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, bail, ensure};
use claviger_e2e::{Client, Message, Reply, VirtualKey, now_ms, until, until_in_task};
use serde_json::Value;

use super::scenes::Scene;
use super::{Desk, good};

const CLIENTS: usize = 200;
/// How long they go on.
const CROWD_MS: u64 = 30_000;

/// What says that nothing was sent.
const NOTHING_SENT: &[&str] =
    &["overloaded", "keeper_unavailable", "token_unavailable", "store_unavailable", "venue_unavailable"];

/// What became of an order, as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The venue took it.
    Placed,
    /// Claviger says that nothing was sent.
    Refused,
    /// The connection was cut, and after it the venue had the order.
    Found,
    /// The connection was cut, and after it the venue did not have the order.
    Lost,
}

type Fates = HashMap<String, Fate>;

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_on_one_credential_never_meets_an_invalid_nonce() -> Result<()> {
    let desk = Desk::open(Scene::of("kraken")).await?;
    let mut keys = Vec::new();
    for _ in 0..CLIENTS {
        keys.push(VirtualKey::made(&desk.house.app, &desk.credential, None).await?);
    }
    let (stop, placed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let begun_ms = now_ms();
    let mut clients = tokio::task::JoinSet::new();
    for (number, key) in keys.into_iter().enumerate() {
        let one = One::new(number, key, desk.scene, &desk.house.home.ready_file())?;
        let (stop, placed) = (Arc::clone(&stop), Arc::clone(&placed));
        clients.spawn(async move { one.trades(&stop, &placed).await });
    }

    reached(begun_ms + CROWD_MS / 2).await?;
    let before = placed.load(Ordering::Relaxed);
    let Desk { house, key, .. } = desk;
    let house = house.crash().await?;
    reached(begun_ms + CROWD_MS).await?;
    stop.store(true, Ordering::Relaxed);

    let mut fates = Fates::new();
    let mut after_the_crash = 0;
    while let Some(client) = clients.join_next().await {
        let (theirs, last) = client??;
        after_the_crash += usize::from(last > 0);
        fates.extend(theirs);
    }
    let count = |fate| fates.values().filter(|theirs| **theirs == fate).count();
    let counts = [Fate::Placed, Fate::Refused, Fate::Found, Fate::Lost].map(count);
    ensure!(before > 500 && placed.load(Ordering::Relaxed) > before + 500, "{counts:?}");
    ensure!(after_the_crash == CLIENTS, "{after_the_crash} clients went on: {counts:?}");

    let orders = house.sim.orders(&key).await?;
    let mut names = HashSet::new();
    for order in &orders {
        let name = order.client_order_id.as_deref().context("a name")?;
        ensure!(names.insert(name), "{name} was placed twice");
        let fate = fates.get(name);
        ensure!(matches!(fate, Some(Fate::Placed | Fate::Found)), "{name} was placed and is {fate:?}");
    }
    ensure!(names.len() == count(Fate::Placed) + count(Fate::Found), "{} orders, {counts:?}", names.len());
    let nonces: Vec<u64> = orders.iter().map(nonce).collect::<Result<_>>()?;
    ensure!(nonces.is_sorted_by(|one, next| one < next), "the nonces do not rise");
    Ok(())
}

/// One client with its virtual key and its connection.
struct One {
    number: usize,
    key: VirtualKey,
    scene: &'static Scene,
    client: Client,
}

impl One {
    fn new(number: usize, key: VirtualKey, scene: &'static Scene, ready_file: &Path) -> Result<Self> {
        Ok(Self { number, key, scene, client: VirtualKey::client(ready_file)? })
    }

    /// Places orders until it is told to stop; says what became of each, and how many were placed since the last cut.
    async fn trades(self, stop: &AtomicBool, placed: &AtomicU64) -> Result<(Fates, u64)> {
        let (mut fates, mut since_the_cut) = (Fates::new(), 0);
        let mut cut = false;
        for count in 0_u64.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let name = format!("c{}-{count}", self.number);
            let message = self.key.signed(&self.scene.place(&name))?;
            let fate = if let Ok(reply) = message.send(&self.client).await {
                fate(self.scene, &reply)?
            } else {
                (cut, since_the_cut) = (true, 0);
                self.asked_after(&name, &message).await?
            };
            if fate == Fate::Placed {
                placed.fetch_add(1, Ordering::Relaxed);
                since_the_cut += u64::from(cut);
            }
            fates.insert(name, fate);
        }
        Ok((fates, since_the_cut))
    }

    /// After a cut: the same bytes once more, which are carried out at most once; and if they were, the venue is asked.
    async fn asked_after(&self, name: &str, message: &Message) -> Result<Fate> {
        let again = until_in_task("the server to be back", || message.send(&self.client)).await?;
        if again.header("x-claviger-rule") != "request_replayed" {
            return fate(self.scene, &again);
        }
        let ask = self.scene.open().with("cl_ord_id", name);
        let found = until_in_task("the venue to be asked", || async {
            let reply = self.key.send(&self.client, &ask).await?;
            good(self.scene, &reply)?;
            Ok(reply)
        });
        let known =
            found.await?.json().pointer("/result/open").and_then(Value::as_object).is_some_and(|open| !open.is_empty());
        Ok(if known { Fate::Found } else { Fate::Lost })
    }
}

fn fate(scene: &Scene, reply: &Reply) -> Result<Fate> {
    let rule = reply.header("x-claviger-rule");
    if good(scene, reply).is_ok() {
        return Ok(Fate::Placed);
    }
    if NOTHING_SENT.contains(&rule) {
        return Ok(Fate::Refused);
    }
    bail!("{rule:?}: {}", reply.text())
}

/// The nonce that the venue saw an order with.
fn nonce(order: &claviger_e2e::Order) -> Result<u64> {
    let nonce = order.params.get("nonce").with_context(|| format!("no nonce: {order:?}"))?;
    nonce.as_str().and_then(|text| text.parse().ok()).or_else(|| nonce.as_u64()).context("no number")
}

async fn reached(at_ms: u64) -> Result<()> {
    until("the time to pass", async || {
        ensure!(now_ms() >= at_ms, "not yet");
        Ok(())
    })
    .await
}
