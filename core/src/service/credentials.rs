//! Reading credentials and executions, and asking the venue again.

use std::sync::Arc;

use super::directory::KnownCredential;
use super::enroll::with_facts;
use super::probe::{self, Probed};
use super::{Service, ServiceError};
use crate::audit::EntryOutcome;
use crate::credential::{Credential, Health};
use crate::execution::Origin;
use crate::id::{CredentialId, ExecutionId, TenantId};
use crate::policy::Stored;
use crate::store::{Change, Execution, Key, Page, Range, Row, Versioned};

impl Service {
    /// A credential as it is stored now.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn fresh_credential(
        &self,
        tenant: TenantId,
        id: CredentialId,
    ) -> Result<Arc<KnownCredential>, ServiceError> {
        self.directory.forget_credential(tenant, id);
        let known = self.directory.credential(self.store(), tenant, id).await?;
        known.ok_or(ServiceError::NotFound("credential"))
    }

    /// A page of a tenant's credentials, oldest first, with their rows' versions.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn credentials(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<(u64, Credential)>, ServiceError> {
        let page = self.store.scan(Range::Credentials(tenant), after, limit).await?;
        let rows = page.rows.into_iter().filter_map(|row| match row {
            Versioned { version, row: Row::Credential(row) } => Some((version, row)),
            _ => None,
        });
        Ok(Page { rows: rows.collect(), next: page.next })
    }

    /// A tenant's execution.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn execution(&self, tenant: TenantId, id: ExecutionId) -> Result<Execution, ServiceError> {
        let found = self.store.execution(id).await?;
        found.filter(|row| row.scopes.tenant == tenant).ok_or(ServiceError::NotFound("execution"))
    }

    /// Asks the venue again what a key may do, and stores what it says.
    ///
    /// # Errors
    /// [`ServiceError`]; the health stays as it was.
    pub async fn reprobe(
        &self,
        tenant: TenantId,
        id: CredentialId,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        if known.row.is_unnamed() {
            return Err(super::birth::not_activated());
        }
        let probed = self.probe(&known.row, Stored::Yes, &known.material, origin).await;
        let probed = match probed {
            Err(ServiceError::Tampered) => {
                self.tampered(&known).await;
                return Err(ServiceError::Tampered);
            }
            other => other?,
        };
        let now = self.clock.unix_ms();
        let row = match probed {
            Probed::Facts(facts) => {
                let against = claviger_venues::objections(known.row.venue, &facts, known.row.ceiling);
                let row = with_facts(known.row.clone(), &facts, now);
                if against.is_empty() { row } else { Credential { health: Health::Suspect, ..row } }
            }
            Probed::Refused(meaning) => match probe::health_of(&meaning) {
                Some(health) => Credential { health, probed_ms: now, ..known.row.clone() },
                None => return Err(probe::refusal(&known.row, &meaning)),
            },
        };
        let entry = origin
            .draft("credential.probe", EntryOutcome::Allowed)
            .tenant(tenant.to_string())
            .on("credential", id.to_string())
            .detail("health", row.health.as_str());
        let change = Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(row.clone()));
        self.store.put_cas(vec![change], vec![entry]).await?;
        self.directory.forget_credential(tenant, id);
        Ok(row)
    }
}
