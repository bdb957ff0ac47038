//! Rotations of KEKs: one batch after the other, of all tenants in turn, so that they never crowd out executions. That of
//! the root key begins those of tenants, one at a time; the end of a deletion epoch begins one of the root key.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use claviger_core::execution::Origin;
use claviger_core::id::TenantId;
use claviger_core::service::{Service, ServiceError, Step, Unopened};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// It is asked this often whether a rotation began, and what failed is tried again.
const EVERY: Duration = Duration::from_secs(1);

/// One tenant's rotation.
#[derive(Debug)]
struct Run {
    unopened: Unopened,
    due: Instant,
}

/// Has rotations go on until `stopped` says so.
pub(crate) async fn rotate(service: Arc<Service>, mut stopped: watch::Receiver<bool>) {
    let mut runs = HashMap::new();
    loop {
        let next = tokio::select! {
            next = round(&service, &mut runs) => next.unwrap_or_else(|error| {
                tracing::warn!(%error, "rotations of KEKs wait");
                later(EVERY)
            }),
            // What was moved is stored, and the next start goes on.
            _ = stopped.changed() => return,
        };
        tokio::select! {
            () = sleep_until(next) => {}
            _ = stopped.changed() => return,
        }
    }
}

/// One batch of each rotation that is due. Says when the next one is.
async fn round(service: &Arc<Service>, runs: &mut HashMap<TenantId, Run>) -> Result<Instant, ServiceError> {
    let origin = Origin::system(service.clock());
    let mut next = later(EVERY);
    if let Ok(Step::After(wait)) = service.advance_root(&origin).await.inspect_err(|error| {
        tracing::warn!(%error, "the rotation of the root key waits");
    }) {
        next = next.min(later(wait));
    }
    if let Ok(Step::After(wait)) = service.advance_epoch(&origin).await.inspect_err(|error| {
        tracing::warn!(%error, "the deletion epoch waits");
    }) {
        next = next.min(later(wait));
    }
    if let Err(error) = service.bury_roots().await {
        tracing::warn!(%error, "a root key that is to go is still in the token");
    }
    if let Ok(Step::After(wait)) = service.clear_wraps(&origin).await.inspect_err(|error| {
        tracing::warn!(%error, "recovery wraps under a KEK that was taken away are still there");
    }) {
        next = next.min(later(wait));
    }
    let tenants = service.rotations_under_way().await?;
    runs.retain(|tenant, _| tenants.contains(tenant));
    for tenant in tenants {
        let run = runs.entry(tenant).or_insert_with(|| Run { unopened: Unopened::default(), due: Instant::now() });
        if run.due <= Instant::now() {
            let wait = match service.move_rows(tenant, &mut run.unopened, &origin).await {
                Ok(Step::After(wait)) => wait,
                // Another may begin at once.
                Ok(Step::Ended) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, %tenant, "the rotation of a KEK waits");
                    EVERY
                }
            };
            run.due = later(wait);
        }
        next = next.min(run.due);
    }
    Ok(next)
}

fn later(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}
