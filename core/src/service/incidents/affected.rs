//! Who and what an incident touches, page by page.

use claviger_venues::VenueId;

use super::super::place::Lists;
use super::super::{Service, ServiceError};
use crate::credential::Credential;
use crate::id::{AppId, CredentialId, GrantId, IncidentId, TenantId};
use crate::identity::{App, Credentials, Grant, OperatorPrincipal};
use crate::incident::Incident;
use crate::store::{Key, Page, Range, Row, Scope, StoreError, Versioned};

/// Reads for one page at most: where little of what is there is touched, a page is short and has a next one.
const READS_MAX: usize = 50;

/// Apps or grants that are read at once.
const PAGE: usize = 500;

/// Which credentials a scope has.
enum Touched {
    All,
    OwnedBy(String),
    At(VenueId),
    /// Sorted.
    These(Vec<CredentialId>),
}

impl Touched {
    fn has(&self, row: &Credential) -> bool {
        match self {
            Self::All => true,
            Self::OwnedBy(owner) => row.owner == *owner,
            Self::At(venue) => row.venue == *venue,
            Self::These(ids) => ids.binary_search(&row.id).is_ok(),
        }
    }
}

impl Service {
    /// A page of the credentials that an incident touches, with their owners. A page may be short, and still have a next.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when the incident is not one of the operator's tenant.
    pub async fn affected_credentials(
        &self,
        id: IncidentId,
        principal: &OperatorPrincipal,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Credential>, ServiceError> {
        let (_, incident) = self.incident(id, principal).await?;
        self.credentials_touched(&incident, after, limit).await
    }

    /// A page of the credentials that an incident touches.
    pub(in super::super) async fn credentials_touched(
        &self,
        incident: &Incident,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Credential>, ServiceError> {
        match (self.touched(incident).await?, incident.tenant) {
            (Touched::These(ids), Some(tenant)) => self.each_of(tenant, ids, after, limit).await,
            (touched, tenant) => {
                let pick = |found: Versioned| {
                    let Row::Credential(row) = found.row else { return None };
                    Some(row).filter(|row| touched.has(row))
                };
                self.walk(&lists(tenant, Range::Credentials), after, limit, READS_MAX, pick).await
            }
        }
    }

    /// A page of the apps that may use what an incident touches. A page may be short, and still have a next.
    ///
    /// # Errors
    /// As [`Self::affected_credentials`].
    pub async fn affected_apps(
        &self,
        id: IncidentId,
        principal: &OperatorPrincipal,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<App>, ServiceError> {
        let (_, incident) = self.incident(id, principal).await?;
        if let Scope::App(app) = incident.scope {
            return Ok(Page { rows: vec![self.app(app).await?.app.clone()], next: None });
        }
        let touched = self.touched(&incident).await?;
        let pick = |found: Versioned| if let Row::App(app) = found.row { Some(app) } else { None };
        let page = self.walk(&lists(incident.tenant, Range::Apps), after, limit, READS_MAX, pick).await?;
        let mut rows = Vec::new();
        for app in page.rows {
            if self.uses(&app, &touched).await? {
                rows.push(app);
            }
        }
        Ok(Page { rows, next: page.next })
    }

    /// What a scope has, found out once.
    async fn touched(&self, incident: &Incident) -> Result<Touched, ServiceError> {
        Ok(match &incident.scope {
            Scope::All | Scope::Tenant(_) => Touched::All,
            Scope::Owner(_, owner) => Touched::OwnedBy(owner.clone()),
            Scope::Venue(venue) => Touched::At(*venue),
            Scope::Credential(id) => Touched::These(vec![*id]),
            Scope::App(app) => granted(self.grants_of(*app).await?),
            Scope::Grant(id) => granted(self.grant_of(incident.tenant, *id).await?),
            Scope::VirtualKey(id) => {
                let Some(tenant) = incident.tenant else { return Ok(Touched::These(Vec::new())) };
                Touched::These(vec![self.virtual_key(tenant, *id).await?.credential])
            }
        })
    }

    /// Whether an app has a grant for any of them.
    async fn uses(&self, app: &App, touched: &Touched) -> Result<bool, ServiceError> {
        for grant in self.grants_of(app.id).await? {
            let Credentials::These(ids) = grant.credentials else { return Ok(true) };
            for id in ids {
                let row = self.store.get(Key::Credential(app.tenant, id)).await?;
                if matches!(row, Some(Versioned { row: Row::Credential(row), .. }) if touched.has(&row)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn grants_of(&self, app: AppId) -> Result<Vec<Grant>, StoreError> {
        let page = self.store.scan(Range::Grants(app), None, PAGE).await?.rows.into_iter();
        Ok(page.filter_map(|found| if let Row::Grant(grant) = found.row { Some(grant) } else { None }).collect())
    }

    async fn grant_of(&self, tenant: Option<TenantId>, id: GrantId) -> Result<Vec<Grant>, StoreError> {
        let Some(tenant) = tenant else { return Ok(Vec::new()) };
        let mut next = None;
        loop {
            let page = self.store.scan(Range::Apps(tenant), next, PAGE).await?;
            for found in page.rows {
                let Row::App(app) = found.row else { continue };
                if let Some(Versioned { row: Row::Grant(grant), .. }) = self.store.get(Key::Grant(app.id, id)).await? {
                    return Ok(vec![grant]);
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok(Vec::new());
            }
        }
    }

    /// The credentials of these ids, from the one behind a cursor on.
    async fn each_of(
        &self,
        tenant: TenantId,
        ids: Vec<CredentialId>,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Credential>, ServiceError> {
        let mut left =
            ids.into_iter().filter(|id| after.as_deref().is_none_or(|after| id.as_bytes().as_slice() > after));
        let mut rows = Vec::new();
        let mut last = None;
        for id in left.by_ref().take(limit) {
            last = Some(id);
            if let Some(Versioned { row: Row::Credential(row), .. }) =
                self.store.get(Key::Credential(tenant, id)).await?
            {
                rows.push(row);
            }
        }
        let next = left.next().and(last).map(|id| id.as_bytes().to_vec());
        Ok(Page { rows, next })
    }
}

/// A tenant's list, or all tenants' one after the other.
fn lists(tenant: Option<TenantId>, range: fn(TenantId) -> Range) -> Lists {
    tenant.map_or(Lists::OfTenants(range), |tenant| Lists::One(range(tenant)))
}

/// The credentials that grants are for.
fn granted(grants: Vec<Grant>) -> Touched {
    let mut ids = Vec::new();
    for grant in grants {
        match grant.credentials {
            Credentials::All => return Touched::All,
            Credentials::These(these) => ids.extend(these),
        }
    }
    ids.sort();
    ids.dedup();
    Touched::These(ids)
}
