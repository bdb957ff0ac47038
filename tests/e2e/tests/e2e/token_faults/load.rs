//! Callers that place orders without a pause, and remember what became of each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use claviger_e2e::{Call, House, Key, Sim, now_ms, until};
use tokio::task::JoinHandle;

const CALLERS: usize = 3;

/// The callers at work.
#[derive(Debug)]
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    /// When the newest acknowledged call was begun.
    acked_ms: Arc<AtomicU64>,
    callers: Vec<JoinHandle<Result<Vec<Asked>>>>,
}

/// All that was asked.
#[derive(Debug)]
pub(super) struct AllAsked(Vec<Asked>);

/// One order and its answer.
#[derive(Debug)]
struct Asked {
    /// The client's own name for the order.
    name: String,
    begun_ms: u64,
    ended_ms: u64,
    status: u16,
    code: String,
}

impl Load {
    /// Begins, and waits until the first order is acknowledged.
    pub(super) async fn begin(house: &Arc<House>, credential: &str) -> Result<Self> {
        let (stop, acked_ms) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let caller = |number: usize| {
            let (house, credential) = (Arc::clone(house), credential.to_owned());
            let (stop, acked_ms) = (Arc::clone(&stop), Arc::clone(&acked_ms));
            tokio::spawn(async move { place_orders(&house, &credential, number, &stop, &acked_ms).await })
        };
        let callers = (0..CALLERS).map(caller).collect();
        let load = Self { stop, acked_ms, callers };
        load.acks_again(now_ms()).await?;
        Ok(load)
    }

    /// Waits until an order is acknowledged that was begun after that moment.
    pub(super) async fn acks_again(&self, after_ms: u64) -> Result<()> {
        until("an order to be acknowledged", async || {
            ensure!(!self.callers.iter().any(JoinHandle::is_finished), "a caller gave up");
            ensure!(self.acked_ms.load(Ordering::Relaxed) > after_ms, "none since");
            Ok(())
        })
        .await
    }

    /// Ends the callers.
    pub(super) async fn end(self) -> Result<AllAsked> {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Vec::new();
        for caller in self.callers {
            all.extend(caller.await??);
        }
        Ok(AllAsked(all))
    }
}

async fn place_orders(
    house: &House,
    credential: &str,
    number: usize,
    stop: &AtomicBool,
    acked_ms: &AtomicU64,
) -> Result<Vec<Asked>> {
    let mut all = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let name = format!("caller-{number}-{}", all.len());
        let begun_ms = now_ms();
        let reply = house.app.execute(&Call::limit_order(credential, "binance").named("binance", &name)).await?;
        let known = ["keeper_unavailable", "token_unavailable", "overloaded"];
        let code = reply.code();
        match reply.status {
            200 if reply.text_at("/state")? == "acked" => drop(acked_ms.fetch_max(begun_ms, Ordering::Relaxed)),
            503 if known.contains(&code.as_str()) => {}
            status => anyhow::bail!("status {status}: {}", reply.text()),
        }
        all.push(Asked { name, begun_ms, ended_ms: now_ms(), status: reply.status, code });
    }
    Ok(all)
}

impl AllAsked {
    /// How long after that moment the first order was acknowledged that was begun later, milliseconds.
    pub(super) fn back_after(&self, moment_ms: u64) -> Result<u64> {
        let acked = self.0.iter().filter(|asked| asked.status == 200 && asked.begun_ms >= moment_ms);
        let first = acked.map(|asked| asked.ended_ms).min().context("nothing was acknowledged since")?;
        Ok(first.saturating_sub(moment_ms))
    }

    /// How many orders were refused for want of the keeper or the token.
    pub(super) fn refused_between(&self, from_ms: u64, to_ms: u64) -> usize {
        let within = |asked: &&Asked| asked.begun_ms >= from_ms && asked.ended_ms <= to_ms;
        self.0.iter().filter(within).filter(|asked| asked.status == 503 && asked.code != "overloaded").count()
    }

    /// What was acknowledged is at the venue once, what was refused is not, and every signature is right.
    pub(super) async fn agrees_with(&self, sim: &Sim, key: &Key) -> Result<()> {
        let requests = sim.requests(key).await?;
        ensure!(requests.iter().all(|request| request.signed_ok == Some(true)), "a wrong signature: {requests:?}");
        let orders = sim.orders(key).await?;
        let mut placed: Vec<&str> = orders.iter().filter_map(|order| order.client_order_id.as_deref()).collect();
        let mut acked: Vec<&str> =
            self.0.iter().filter(|asked| asked.status == 200).map(|asked| asked.name.as_str()).collect();
        placed.sort_unstable();
        acked.sort_unstable();
        ensure!(placed == acked, "{} orders are placed, {} acknowledged", placed.len(), acked.len());
        Ok(())
    }
}
