//! What everybody reads of incidents. Any stranger asks for it, so it is read once a second at most.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::super::{Service, ServiceError};
use crate::incident::PublicIncident;
use crate::store::{Range, Row, Versioned};

/// Incidents that everybody is shown.
const SHOWN_MAX: usize = 200;

/// So long everybody is shown what was read once, milliseconds.
const KEPT_MS: u64 = 1_000;

/// What everybody may know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The newest published incidents, newest first.
    pub incidents: Vec<PublicIncident>,
    /// Of when the newest signed checkpoint is, RFC 3339: so old is at most what this says.
    pub as_of: Option<String>,
}

/// What was read last, and when, milliseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(in super::super) struct Shown(Mutex<Option<(u64, Arc<History>)>>);

impl Shown {
    /// Something else is to be read from now on.
    pub(super) async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

impl Service {
    /// What everybody may know of incidents, as it stood within the last second.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn public_incidents(&self) -> Result<Arc<History>, ServiceError> {
        // Held while it is read: those who come meanwhile read what the first one does.
        let mut shown = self.shown.0.lock().await;
        let now = self.clock.unix_ms();
        if let Some((_, history)) = shown.as_ref().filter(|(at_ms, _)| now.abs_diff(*at_ms) < KEPT_MS) {
            return Ok(history.clone());
        }
        let newest = self.newest_checkpoint().await?;
        let as_of = newest.and_then(|(checkpoint, _)| checkpoint.time().map(str::to_owned));
        let page = self.store.scan(Range::PublicIncidents, None, SHOWN_MAX).await?;
        let pick = |row: Versioned| if let Row::PublicIncident(row) = row.row { Some(row) } else { None };
        let history = Arc::new(History { incidents: page.rows.into_iter().filter_map(pick).collect(), as_of });
        *shown = Some((now, history.clone()));
        Ok(history)
    }
}
