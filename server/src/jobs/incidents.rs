//! Incidents: how many are open, whose clocks have run out, and one for a token that is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use claviger_core::incident::Detector;
use claviger_core::service::{Service, Sighting};
use claviger_core::store::Scope;

/// So many times in a row the token gives no sign of life before it counts as lost. A keeper that is started anew is back
/// in a second or two.
const LOST_AFTER: u32 = 15;

/// Tells the metrics how incidents stand.
pub(super) async fn tell_clocks(service: Arc<Service>) {
    match service.running_incidents(None).await {
        Ok(running) => {
            let overdue = u32::try_from(running.overdue.len()).unwrap_or(u32::MAX);
            let open = u32::try_from(running.open).unwrap_or(u32::MAX);
            metrics::gauge!("claviger_incidents_open").set(open);
            metrics::gauge!("claviger_incident_clocks_overdue").set(overdue);
        }
        Err(error) => tracing::warn!(%error, "the clocks of incidents cannot be read"),
    }
}

/// Counts how often in a row the token gave no sign of life, and opens an incident when it is lost: one for each time.
pub(super) async fn count_silence(service: &Service, silence: &AtomicU32, lives: bool) {
    if lives {
        silence.store(0, Ordering::Relaxed);
        return;
    }
    if silence.fetch_add(1, Ordering::Relaxed).saturating_add(1) == LOST_AFTER {
        metrics::counter!("claviger_alarms_total", "kind" => Detector::HsmLost.as_str()).increment(1);
        let text = "the token gave no sign of life for half a minute: nothing is signed until it does".to_owned();
        let sighting = Sighting { detector: Detector::HsmLost, tenant: None, scope: Scope::All, text };
        service.alarmed(sighting).await;
    }
}
