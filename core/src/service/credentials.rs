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

/// A credential, and what is known of it beside its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenCredential {
    /// The row, with the time at which the venue was last asked.
    pub row: Credential,
    /// When it was last used, milliseconds since the Unix epoch.
    pub used_ms: Option<u64>,
}

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

    /// A page of a tenant's credentials, or of those of them that are sought, oldest first.
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
    ) -> Result<Page<SeenCredential>, ServiceError> {
        let page = match sought {
            Some(sought) => {
                let _room = self.search().await?;
                credentials_of(self.store.credentials(tenant, sought, after, limit).await?)
            }
            None => self.credential_rows(tenant, after, limit).await?,
        };
        let mut rows = Vec::with_capacity(page.rows.len());
        for (_, row) in page.rows {
            rows.push(self.seen_credential(row).await?);
        }
        Ok(Page { rows, next: page.next })
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

    /// A credential with the times at which its venue was last asked, whether or not that changed anything, and at which
    /// it was last used, as far as that is known without looking for its executions.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn seen_credential(&self, row: Credential) -> Result<SeenCredential, ServiceError> {
        // In this order: what is dropped from memory meanwhile is stored.
        let held = self.uses.of_credential(row.id);
        let agenda = self.agenda(row.id).await?.map(|(_, agenda)| agenda);
        let asked = agenda.map_or(0, |agenda| agenda.probed_ms);
        let used_ms = agenda.and_then(|agenda| agenda.used_ms).max(held);
        Ok(SeenCredential { row: Credential { probed_ms: row.probed_ms.max(asked), ..row }, used_ms })
    }

    /// The same, with its newest execution looked for where the time is not known otherwise.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn known_credential(&self, row: Credential) -> Result<SeenCredential, ServiceError> {
        let seen = self.seen_credential(row).await?;
        if seen.used_ms.is_some() {
            return Ok(seen);
        }
        let newest = self.executions(seen.row.tenant, Some(seen.row.id), None, 1).await?;
        Ok(SeenCredential { used_ms: newest.rows.first().map(|row| row.at_ms), ..seen })
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
