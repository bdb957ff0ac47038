//! How incidents stand: which clocks have run out; and what is not said of them any more.

use super::super::{Service, ServiceError};
use super::incident_of;
use crate::id::{IncidentId, TenantId};
use crate::incident::{Deadline, IncidentState};
use crate::store::{Change, Key, Range, Row, Scope, StoreError};

/// Incidents read at once.
const PAGE: usize = 500;

/// How incidents stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Incidents that are not closed.
    pub open: u64,
    /// Clocks that have run out without being met, of closed ones too.
    pub overdue: Vec<(IncidentId, Deadline)>,
    /// The clock that is not met and runs out first, or ran out first.
    pub nearest: Option<(IncidentId, Deadline)>,
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
            let range = tenant.map_or(Range::OpenIncidents, |tenant| Range::OpenIncidentsOf(Some(tenant)));
            let page = self.store.scan(range, after, PAGE).await?;
            for (_, incident) in page.rows.into_iter().filter_map(incident_of) {
                running.open = running.open.saturating_add(u64::from(incident.state() != IncidentState::Closed));
                running.overdue.extend(incident.overdue(now).map(|deadline| (incident.id, deadline.clone())));
                let unmet = incident.deadlines.iter().filter(|deadline| deadline.met_ms.is_none());
                let clocks = unmet.map(|deadline| (incident.id, deadline.clone())).chain(running.nearest.take());
                running.nearest = clocks.min_by_key(|(_, deadline)| deadline.due_ms);
            }
            after = page.next;
            if after.is_none() {
                return Ok(running);
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
