//! Apps that place orders at a steady pace, whatever happens to the service meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use claviger_e2e::{App, Call, DEADLINE};
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep};

use crate::bench::stats::Round;

/// Before what was cut is asked for again.
const AGAIN: Duration = Duration::from_millis(20);

/// Numbers all orders of this run.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Callers at their work.
#[derive(Debug)]
pub(super) struct Load {
    callers: JoinSet<Asked>,
    signs: Arc<Signs>,
    began: Instant,
}

/// What callers are told.
#[derive(Debug, Default)]
struct Signs {
    over: AtomicBool,
    /// The service is being killed, and started again.
    cut: AtomicBool,
}

/// What became of their orders. Each is counted once, however often it was asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Orders that the venue has, and those that failed.
    pub(super) round: Round,
    /// Orders that a kill cut, or that came before the service was back: they were asked for again, under the same
    /// idempotency key, until the venue had them.
    pub(super) cut: u32,
}

impl Load {
    /// Has each of these orders placed again and again, all together so often a second. A caller who is late catches up.
    pub(super) fn start(app: &Arc<App>, orders: &[Call], per_second: u32) -> Self {
        let (signs, began) = (Arc::<Signs>::default(), Instant::now());
        let tick = Duration::from_secs(1).checked_div(per_second).unwrap_or_default();
        let count = u32::try_from(orders.len()).unwrap_or(u32::MAX);
        let mut callers = JoinSet::new();
        for (place, order) in (1_u32..).zip(orders) {
            let first = began.checked_add(tick.saturating_mul(place)).unwrap_or(began);
            let mut ticks = interval_at(first, tick.saturating_mul(count));
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            callers.spawn(calls(app.clone(), order.clone(), ticks, signs.clone()));
        }
        Self { callers, signs, began }
    }

    /// Says that the service is being killed, or that it serves again.
    pub(super) fn is_cut(&self, cut: bool) {
        self.signs.cut.store(cut, Ordering::SeqCst);
    }

    /// Lets every caller finish what was begun.
    pub(super) async fn stop(mut self) -> Result<Asked> {
        self.signs.over.store(true, Ordering::SeqCst);
        let mut all = Asked::default();
        while let Some(ended) = self.callers.join_next().await {
            let Asked { round, cut } = ended?;
            all.round.absorb(round);
            all.cut = all.cut.saturating_add(cut);
        }
        all.round.elapsed = self.began.elapsed();
        Ok(all)
    }
}

async fn calls(app: Arc<App>, order: Call, mut ticks: Interval, signs: Arc<Signs>) -> Asked {
    let mut all = Asked::default();
    while !signs.over.load(Ordering::SeqCst) {
        ticks.tick().await;
        let asked = Instant::now();
        match placed(&app, &order, &signs).await {
            Ok(cut) => {
                all.round.took(asked.elapsed());
                all.cut = all.cut.saturating_add(u32::from(cut));
            }
            Err(error) => all.round.failed(&error),
        }
    }
    all
}

/// Places an order. Says whether a kill cut it meanwhile; whatever else goes wrong is a failure, at once.
async fn placed(app: &App, order: &Call, signs: &Signs) -> Result<bool> {
    let order = order.clone().once(&format!("drill-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    let (began, mut cut) = (Instant::now(), false);
    loop {
        cut |= signs.cut.load(Ordering::SeqCst);
        let error = match app.execute(&order).await {
            Ok(reply) if reply.status == 200 && reply.text_at("/state")? == "acked" => return Ok(cut),
            Ok(reply) => anyhow!("status {}: {}", reply.status, reply.text()),
            Err(error) => error,
        };
        cut |= signs.cut.load(Ordering::SeqCst);
        if !cut || began.elapsed() > DEADLINE {
            return Err(error);
        }
        sleep(AGAIN).await;
    }
}
