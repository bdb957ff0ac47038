//! What a recovery sets out to do. It is made once and kept, so that a run that was cut off is gone on with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PAGE, Recovery};
use crate::audit::Subject;
use crate::id::TenantId;
use crate::service::{Service, ServiceError};

/// What a recovery sets out to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the KEK that each tenant's rows are sealed anew under.
    pub keks: BTreeMap<TenantId, u32>,
    /// Tenants that took their own KEK away.
    pub waiting: Vec<TenantId>,
    /// Rows to be sealed anew, those that will turn out not to open among them.
    pub rows: u64,
}

/// What happens in a recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// So many rows more are sealed anew, for good.
    Sealed(u64),
    /// A credential does not come back, because its key was made in the lost token. Said before it is dropped.
    Reenroll(String),
    /// Something else does not come back, and why. Said before it is dropped.
    Lost(String),
}

impl Recovery {
    /// Counts an event, once.
    pub fn add(&mut self, event: Event) {
        let (list, text) = match event {
            Event::Sealed(rows) => {
                self.opened = self.opened.saturating_add(rows);
                return;
            }
            Event::Reenroll(text) => (&mut self.reenroll, text),
            Event::Lost(text) => (&mut self.lost, text),
        };
        if !list.contains(&text) {
            list.push(text);
        }
    }
}

impl Service {
    /// Makes the plan of a recovery, by what is in the draft before anything is sealed anew. `buried` is what tombstones
    /// name: no KEK takes the place of one that was destroyed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn plan_recovery(&self, buried: &[Subject]) -> Result<Plan, ServiceError> {
        let mut plan = Plan { keks: BTreeMap::new(), waiting: self.waiting().await?, rows: 0 };
        for (tenant, keks) in self.all_keks().await? {
            if plan.waiting.contains(&tenant) {
                continue;
            }
            let destroyed = buried.iter().filter_map(|subject| match subject {
                Subject::Kek(whose, version) if *whose == tenant => Some(*version),
                Subject::Kek(..) | Subject::Tenant(_) | Subject::Credential(..) | Subject::Owner(..) => None,
            });
            // Of a backup there may be tombstones of later ones.
            let versions = keks.iter().map(|(_, kek)| kek.version);
            plan.keks.extend(versions.chain(destroyed).max().map(|newest| (tenant, newest.saturating_add(1))));
        }
        plan.rows = self.sealed_rows(|tenant, _| plan.keks.contains_key(&tenant)).await?;
        Ok(plan)
    }

    /// How many rows are sealed anew, as a plan wants them.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn recovered_rows(&self, plan: &Plan) -> Result<u64, ServiceError> {
        self.sealed_rows(|tenant, version| plan.keks.get(&tenant) == Some(&version)).await
    }

    async fn sealed_rows(&self, counts: impl Fn(TenantId, u32) -> bool) -> Result<u64, ServiceError> {
        let (mut rows, mut after) = (0_u64, None);
        loop {
            let page = self.store.sealed(after, PAGE).await?;
            for (_, found) in page.rows {
                let keks = found.row.keks();
                let all = !keks.is_empty() && keks.into_iter().all(|(tenant, version)| counts(tenant, version));
                rows = rows.saturating_add(u64::from(all));
            }
            after = page.next;
            if after.is_none() {
                return Ok(rows);
            }
        }
    }
}
