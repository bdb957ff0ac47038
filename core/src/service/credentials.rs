//! Reading credentials and executions, and asking the venue again.

use std::sync::Arc;

use tokio::sync::SemaphorePermit;

use super::directory::KnownCredential;
use super::monitor::Learned;
use super::probe::{self, Probed};
use super::{Part, Service, ServiceError};
use crate::credential::{Credential, Sought};
use crate::execution::Origin;
use crate::id::{CredentialId, ExecutionId, TenantId};
use crate::policy::Stored;
use crate::store::{Execution, Page, Range, Row, Versioned};

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

    /// A page of a tenant's credentials, or of those of them that are sought, oldest first, with their rows' versions.
    /// Where some are sought, a page may be short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn credentials(
        &self,
        tenant: TenantId,
        sought: Option<Sought>,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<(u64, Credential)>, ServiceError> {
        let mut page = match sought {
            Some(sought) => {
                let _room = self.search().await?;
                credentials_of(self.store.credentials(tenant, sought, after, limit).await?)
            }
            None => self.credential_rows(tenant, after, limit).await?,
        };
        for (_, row) in &mut page.rows {
            *row = self.last_asked(row.clone()).await?;
        }
        Ok(page)
    }

    /// The same as they are stored.
    pub(super) async fn credential_rows(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<(u64, Credential)>, ServiceError> {
        Ok(credentials_of(self.store.scan(Range::Credentials(tenant), after, limit).await?))
    }

    /// Room for a search: those that are too many wait, so that they take little of the machine.
    async fn search(&self) -> Result<SemaphorePermit<'_>, ServiceError> {
        self.seeking.acquire().await.map_err(|e| ServiceError::unavailable(Part::Load, e.to_string()))
    }

    /// A credential with the time at which its venue was last asked, whether or not that changed anything.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn last_asked(&self, row: Credential) -> Result<Credential, ServiceError> {
        let asked = self.agenda(row.id).await?.map_or(0, |(_, agenda)| agenda.probed_ms);
        Ok(Credential { probed_ms: row.probed_ms.max(asked), ..row })
    }

    /// A page of a tenant's executions, or of those that one credential was used for, newest first. Of one credential's a
    /// page may be short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn executions(
        &self,
        tenant: TenantId,
        credential: Option<CredentialId>,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Page<Execution>, ServiceError> {
        let Some(credential) = credential else { return Ok(self.store.executions(tenant, before, limit).await?) };
        let _room = self.search().await?;
        Ok(self.store.executions_of(tenant, credential, before, limit).await?)
    }

    /// A tenant's execution.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn execution(&self, tenant: TenantId, id: ExecutionId) -> Result<Execution, ServiceError> {
        let found = self.store.execution(id).await?;
        found.filter(|row| row.scopes.tenant == tenant).ok_or(ServiceError::NotFound("execution"))
    }

    /// Asks the venue again what a key may do, and stores what it says; a key that has gained what no key may have is
    /// frozen. Says whether that raised an alarm.
    ///
    /// # Errors
    /// [`ServiceError`]; the health stays as it was.
    pub async fn reprobe(
        &self,
        tenant: TenantId,
        id: CredentialId,
        origin: &Origin,
    ) -> Result<(Credential, bool), ServiceError> {
        let known = self.directory.credential_unheld(self.store(), tenant, id).await?;
        let known = known.ok_or(ServiceError::NotFound("credential"))?;
        if known.row.is_unnamed() {
            return Err(super::birth::not_activated());
        }
        let probed = match self.probe(&known.row, Stored::Yes, &known.material, origin).await {
            Err(ServiceError::Tampered) => {
                self.tampered(&known).await;
                return Err(ServiceError::Tampered);
            }
            other => other?,
        };
        if let Probed::Refused(meaning) = &probed
            && probe::health_of(meaning).is_none()
        {
            return Err(probe::refusal(&known.row, meaning));
        }
        let planned = self.agenda(id).await?;
        let Learned { row, alarmed } = self.learned(known, planned, &probed, true, origin).await?;
        Ok((row, alarmed))
    }
}

fn credentials_of(page: Page<Versioned>) -> Page<(u64, Credential)> {
    let rows = page.rows.into_iter().filter_map(|row| match row {
        Versioned { version, row: Row::Credential(row) } => Some((version, row)),
        _ => None,
    });
    Page { rows: rows.collect(), next: page.next }
}
