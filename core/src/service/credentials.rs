//! Reading credentials and executions, and asking the venue again.

use std::sync::Arc;

use super::directory::KnownCredential;
use super::monitor::Learned;
use super::probe::{self, Probed};
use super::{Service, ServiceError};
use crate::credential::Credential;
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
        let mut page = self.credential_rows(tenant, after, limit).await?;
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
        let page = self.store.scan(Range::Credentials(tenant), after, limit).await?;
        let rows = page.rows.into_iter().filter_map(|row| match row {
            Versioned { version, row: Row::Credential(row) } => Some((version, row)),
            _ => None,
        });
        Ok(Page { rows: rows.collect(), next: page.next })
    }

    /// A credential with the time at which its venue was last asked, whether or not that changed anything.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn last_asked(&self, row: Credential) -> Result<Credential, ServiceError> {
        let asked = self.agenda(row.id).await?.map_or(0, |(_, agenda)| agenda.probed_ms);
        Ok(Credential { probed_ms: row.probed_ms.max(asked), ..row })
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
