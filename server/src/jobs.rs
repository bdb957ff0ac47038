//! What goes on beside requests: checkpoints, health, lost orders, expiry, retention.

mod backup;
mod certificate;
mod disk;
mod epochs;
mod incidents;
mod keks;
mod monitor;
mod notices;
mod recovery;
mod retention;
mod webhooks;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use claviger_core::keeper::KeeperError;
use claviger_core::service::Service;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::boot::FromFront;
use crate::front::Front;
use crate::supervisor::SILENT_AFTER;

pub(crate) use backup::back_up;
pub(crate) use certificate::renew;
pub(crate) use disk::watch;
pub(crate) use keks::rotate;
pub(crate) use monitor::monitor;
pub(crate) use notices::tell;
pub(crate) use recovery::keep_recoverable;
pub(crate) use retention::retain;
pub(crate) use webhooks::{deliver, forget_deliveries};

/// Checkpoints are signed this often, when there are new entries.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);

/// The token is asked for a sign of life this often.
const HEALTH_EVERY: Duration = Duration::from_secs(2);

/// Acts that were approved are looked at this often: their time comes by the hour.
const DUE_EVERY: Duration = Duration::from_secs(10);

/// Clocks of incidents, and deletion epochs, are looked at this often.
const CLOCKS_EVERY: Duration = Duration::from_secs(5);

/// It is asked this often which lost orders it is time to look for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Venues' tokens are looked at this often: the shortest-lived of them lives for seconds.
const TOKENS_EVERY: Duration = Duration::from_millis(250);

/// Answers and idempotency keys are kept this long, milliseconds.
const KEPT_MS: u64 = 72 * 60 * 60 * 1_000;
const EXPIRE_EVERY: Duration = Duration::from_mins(1);

/// Starts all jobs; they end when `stopped` says so. `tell` reaches the supervisor: the keeper does not answer at all, or
/// asks to be relieved.
pub fn start(
    front: &Front,
    home: &Path,
    stopped: &watch::Receiver<bool>,
    tell: impl Fn(FromFront) + Clone + Send + Sync + 'static,
) {
    let service = &front.service;
    let witness = Witness(home.join("audit").join("checkpoints"));
    every(CHECKPOINT_EVERY, service, stopped, move |service| {
        let witness = witness.clone();
        async move {
            match service.settle_again().await {
                Ok(0) => {}
                Ok(count) => tracing::warn!(count, "outcomes are recorded that could not be recorded before"),
                Err(error) => tracing::warn!(%error, "outcomes wait to be recorded"),
            }
            match service.sign_head().await {
                Ok(Some(note)) => witness.keep(&note),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "no checkpoint this time"),
            }
        }
    });
    let silence = Arc::new(AtomicU32::new(0));
    every(HEALTH_EVERY, service, stopped, move |service| {
        let (tell, silence) = (tell.clone(), silence.clone());
        async move {
            let healthy = |ok: bool| if ok { 1.0 } else { 0.0 };
            let token = timeout(SILENT_AFTER, service.keeper().health()).await.unwrap_or_else(|_| {
                // A process that was stopped answers nobody. Whoever waits for it is told that it is gone, and nothing
                // that it signs later can leave it.
                service.keeper().detach();
                tell(FromFront::KeeperSilent);
                Err(KeeperError::Gone)
            });
            if let Ok(true) = token {
                tell(FromFront::KeeperWorn);
            }
            if let Err(error) = &token {
                tracing::warn!(%error, "the token gives no sign of life");
            }
            incidents::count_silence(&service, &silence, token.is_ok()).await;
            metrics::gauge!("claviger_token_up").set(healthy(token.is_ok()));
            metrics::gauge!("claviger_store_up").set(healthy(service.store().health().await.is_ok()));
        }
    });
    every(DUE_EVERY, service, stopped, |service| async move {
        if let Err(error) = service.execute_due().await {
            tracing::warn!(%error, "acts that are due wait");
        }
    });
    every(CLOCKS_EVERY, service, stopped, incidents::tell_clocks);
    every(CLOCKS_EVERY, service, stopped, epochs::tell_epochs);
    every(LOOK_EVERY, service, stopped, |service| async move {
        match service.lost().await {
            // A venue that is slow to say keeps nothing waiting but its own.
            Ok(lost) => lost.into_iter().for_each(|order| {
                let service = service.clone();
                tokio::spawn(async move { service.look_for(order).await });
            }),
            Err(error) => tracing::warn!(%error, "lost orders cannot be read"),
        }
    });
    every(LOOK_EVERY, service, stopped, |service| async move {
        let told = service.tell_decoys(service.clock().unix_ms()).await;
        metrics::counter!("claviger_alarms_total", "kind" => "decoy").increment(told);
    });
    every(LOOK_EVERY, service, stopped, |service| async move {
        if let Err(error) = service.delete_tenants().await {
            tracing::warn!(%error, "deletions of tenants wait");
        }
    });
    every(TOKENS_EVERY, service, stopped, |service| async move {
        for (tenant, id) in service.aging_tokens() {
            let service = service.clone();
            // Each by itself: one venue that is slow must not keep the others' tokens from being renewed.
            tokio::spawn(async move {
                if let Err(error) = service.tend_token(tenant, id).await {
                    tracing::warn!(%error, credential.id = %id, "a venue's token could not be renewed yet");
                }
            });
        }
    });
    every(EXPIRE_EVERY, service, stopped, |service| async move { tidy(&service).await });
}

/// What is over goes, and what waits to be written is written.
async fn tidy(service: &Service) {
    if let Err(error) = service.bury().await {
        tracing::warn!(%error, "keys of deleted credentials are still in the token");
    }
    if let Err(error) = service.engrave().await {
        tracing::warn!(%error, "tombstones wait to be written");
    }
    if let Err(error) = service.store_uses().await {
        tracing::warn!(%error, "when apps were last used is not stored yet");
    }
    if let Err(error) = service.forget_assertions().await {
        tracing::warn!(%error, "assertions that are over could not be forgotten");
    }
    if let Err(error) = service.expire_logins().await {
        tracing::warn!(%error, "logins that have expired are still stored");
    }
    let before = service.clock().unix_ms().saturating_sub(KEPT_MS);
    // A bounded number at a time, until none is left: they may come faster than one lot a minute.
    loop {
        match service.store().expire(before).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "old answers could not be expired");
                break;
            }
        }
    }
}

fn every<F: Future<Output = ()> + Send + 'static>(
    period: Duration,
    service: &Arc<Service>,
    stopped: &watch::Receiver<bool>,
    job: impl Fn(Arc<Service>) -> F + Send + Sync + 'static,
) {
    let (service, mut stopped) = (service.clone(), stopped.clone());
    tokio::spawn(async move {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => job(service.clone()).await,
                _ = stopped.changed() => return,
            }
        }
    });
}

/// A file that signed checkpoints are copied to, one after the other. Copy it elsewhere, and a rollback of the whole
/// machine shows.
#[derive(Clone, Debug)]
struct Witness(PathBuf);

impl Witness {
    /// A witness that cannot be written never stops anything.
    fn keep(&self, note: &str) {
        let written = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.0)
            .and_then(|mut file| file.write_all(format!("{note}\n").as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, file = %self.0.display(), "the checkpoint was not copied to its file");
        }
    }
}
