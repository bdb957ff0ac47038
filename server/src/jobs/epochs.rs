//! Deletion epochs, as the metrics show them.

use std::sync::Arc;

use claviger_core::incident::Detector;
use claviger_core::service::Service;
use claviger_core::view::EpochsView;

/// Tells the metrics how it stands with what was deleted.
pub(super) async fn tell_epochs(service: Arc<Service>) {
    let kind = Detector::Deletion.as_str();
    metrics::counter!("claviger_alarms_total", "kind" => kind).increment(service.epoch_alarms());
    match service.epoch_state().await {
        Ok(state) => {
            let view = EpochsView::of(&state, service.clock().unix_ms());
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("claviger_deletion_tenants").set(count(view.unerased.len()));
            metrics::gauge!("claviger_deletion_epochs_waiting").set(count(view.waiting.len()));
            let late = view.waiting.iter().filter(|epoch| epoch.late).count().saturating_add(usize::from(view.late));
            metrics::gauge!("claviger_deletion_epochs_late").set(count(late));
        }
        Err(error) => tracing::warn!(%error, "the deletion epochs cannot be read"),
    }
}
