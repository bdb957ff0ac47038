//! Recovery: everything sealed gets a wrap, and the wraps are copied off.

use std::sync::Arc;
use std::time::Duration;

use claviger_core::clock::BootTime;
use claviger_core::recovery::RecoveryKey;
use claviger_core::service::{Pass, Service, ServiceError};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::recovery::{Place, Written};

/// It is looked this often whether wraps were written or removed: what was sealed is copied off well within a minute.
const EVERY: Duration = Duration::from_secs(5);

/// All sealed rows are looked at this often for wraps that are missing, beside the first time.
const PASS_EVERY: Duration = Duration::from_hours(1);

/// Rows get wraps for so long at a time: then what there is is copied off.
const WRAP_FOR: Duration = Duration::from_secs(5);

/// The file is read back this often.
const DRILL_EVERY: Duration = Duration::from_mins(10);

/// When nothing could be written for so long, it is an incident.
const STALE_AFTER: Duration = Duration::from_mins(1);

/// What the job knows.
#[derive(Default)]
struct State {
    /// The look at all rows that goes on.
    pass: Pass,
    /// When the last one ended.
    passed: Option<BootTime>,
    newest: Option<Written>,
    /// The generation of the file before the newest.
    previous: Option<u64>,
    drilled: Option<BootTime>,
    /// Since when it fails, and whether that was told.
    failing: Option<(BootTime, bool)>,
}

/// Does what is due until `stopped` says so.
pub(crate) async fn keep_recoverable(place: Place, service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = State::default();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stopped.changed() => return,
        }
        match look(&place, &service, &mut state).await {
            Ok(()) => state.failing = None,
            Err(why) => state.fail(&service, &why).await,
        }
    }
}

impl State {
    async fn fail(&mut self, service: &Service, why: &str) {
        tracing::warn!(%why, "the recovery file is not what the store is yet");
        let now = service.clock().boot();
        let (since, told) = *self.failing.get_or_insert((now, false));
        if !told && since.until(now) >= STALE_AFTER {
            self.failing = Some((since, true));
            stale(service, &format!("it is not what the store is, for a minute: {why}")).await;
        }
    }
}

async fn look(place: &Place, service: &Service, state: &mut State) -> Result<(), String> {
    let Some(key) = service.recovery_key().await.map_err(|e| e.to_string())? else { return Ok(()) };
    let wrapped = wrap(service, state, &key).await;
    // No row that gets no wrap keeps those of others from being copied off.
    copy_off(place, service, state, &key).await?;
    wrapped.map_err(|error| format!("a row has no wrap yet: {error}"))
}

/// Has rows get the wraps that they lack, for a while; the next call goes on.
async fn wrap(service: &Service, state: &mut State, key: &RecoveryKey) -> Result<(), ServiceError> {
    let now = service.clock().boot();
    if state.passed.is_some_and(|at| at.until(now) < PASS_EVERY) {
        return Ok(());
    }
    while now.until(service.clock().boot()) < WRAP_FOR {
        if !service.wrap_more(key, &mut state.pass).await? {
            state.passed = Some(now);
            break;
        }
    }
    Ok(())
}

/// Writes the file, if wraps came or went since it was written last, or something is wrong with it.
async fn copy_off(place: &Place, service: &Service, state: &mut State, key: &RecoveryKey) -> Result<(), String> {
    let now = service.clock().boot();
    if let Some(fault) = fault(place, service, state, now).await? {
        state.newest = None;
        stale(service, &fault).await;
    }
    let changed = service.store().wraps_changed().await.map_err(|e| e.to_string())?;
    let newest = state.newest.as_ref().map(|written| &written.contents);
    let is_newest = newest.is_some_and(|newest| newest.generation == changed && newest.key == *key);
    // Also when only the one before it is older: what was deleted is in neither after a minute.
    if !is_newest || state.previous != Some(changed) {
        let before = newest.map(|newest| newest.generation);
        if let Some(written) = place.write(service).await? {
            service.recovery_file_written(written.contents.clone());
            (state.previous, state.newest) = (before, Some(written));
        }
    }
    Ok(())
}

/// What is wrong with the file that was written last.
async fn fault(place: &Place, service: &Service, state: &mut State, now: BootTime) -> Result<Option<String>, String> {
    let Some(written) = &state.newest else { return Ok(None) };
    if !place.is_there(written) {
        return Ok(Some("it is not there, or was cut; it is written again".to_owned()));
    }
    if state.drilled.is_some_and(|at| at.until(now) < DRILL_EVERY) {
        return Ok(None);
    }
    let key = service.log_key().await.map_err(|e| e.to_string())?;
    let (place, written) = (place.clone(), written.clone());
    let fault = tokio::task::spawn_blocking(move || place.fault(&written, &key)).await.map_err(|e| e.to_string())?;
    state.drilled = Some(now);
    Ok(fault)
}

async fn stale(service: &Service, why: &str) {
    metrics::counter!("claviger_alarms_total", "kind" => "backup").increment(1);
    service.recovery_stale(why).await;
}
