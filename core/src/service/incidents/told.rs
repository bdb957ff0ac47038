//! What is said of incidents: to everybody, and of clocks that have run out; and what is not said any more.

use super::super::{Service, ServiceError};
use super::incident_of;
use crate::id::{IncidentId, TenantId};
use crate::incident::{Deadline, IncidentState, PublicIncident};
use crate::store::{Change, Key, Range, Row, Scope, StoreError, Versioned};

/// Incidents read at once.
const PAGE: usize = 500;

/// Incidents that everybody is shown: the newest.
const PUBLIC_MAX: usize = 200;

/// How incidents stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Incidents that are not closed.
    pub open: u64,
    /// Clocks that have run out without being met, of closed ones too.
    pub overdue: Vec<(IncidentId, Deadline)>,
}

impl Service {
    /// How all incidents stand, or those of a tenant.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn running_incidents(&self, tenant: Option<TenantId>) -> Result<Running, ServiceError> {
        let now = self.clock.unix_ms();
        let (mut running, mut after) = (Running::default(), None);
        loop {
            let page = self.store.scan(Range::Incidents, after, PAGE).await?;
            let own = |id: Option<TenantId>| tenant.is_none() || tenant == id;
            for (_, incident) in page.rows.into_iter().filter_map(incident_of).filter(|(_, row)| own(row.tenant)) {
                running.open = running.open.saturating_add(u64::from(incident.state() != IncidentState::Closed));
                running.overdue.extend(incident.overdue(now).map(|deadline| (incident.id, deadline.clone())));
            }
            after = page.next;
            if after.is_none() {
                return Ok(running);
            }
        }
    }

    /// The newest published incidents, newest first, and of when the newest signed checkpoint is, RFC 3339: so old is at
    /// most what this says.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn public_incidents(&self) -> Result<(Vec<PublicIncident>, Option<String>), ServiceError> {
        let newest = self.newest_checkpoint().await?;
        let as_of = newest.and_then(|(checkpoint, _)| checkpoint.time().map(str::to_owned));
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.scan(Range::PublicIncidents, after, PAGE).await?;
            let pick = |row: Versioned| if let Row::PublicIncident(row) = row.row { Some(row) } else { None };
            all.extend(page.rows.into_iter().filter_map(pick));
            let old = all.len().saturating_sub(PUBLIC_MAX);
            all.drain(..old);
            after = page.next;
            if after.is_none() {
                all.reverse();
                return Ok((all, as_of));
            }
        }
    }

    /// Takes an owner's name out of the incidents that are about this one owner, or every owner's of a tenant; what they
    /// touched is gone.
    pub(in super::super) async fn unname_incidents(
        &self,
        tenant: TenantId,
        owner: Option<&str>,
    ) -> Result<(), ServiceError> {
        let is_named = |scope: &Scope| {
            let Scope::Owner(of, name) = scope else { return false };
            *of == tenant && !name.is_empty() && owner.is_none_or(|owner| owner == name)
        };
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Incidents, after, PAGE).await?;
            for (version, mut incident) in page.rows.into_iter().filter_map(incident_of) {
                if !is_named(&incident.scope) {
                    continue;
                }
                incident.scope = Scope::Owner(tenant, String::new());
                let key = Key::Incident(incident.id);
                let change = Change::replace(key, version, Row::Incident(Box::new(incident)));
                match self.store.put_cas(vec![change], Vec::new()).await {
                    // The caller repeats the erasure, which goes on from here.
                    Err(StoreError::Conflict(_)) => return Err(ServiceError::Changed),
                    done => done.map(drop)?,
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}
