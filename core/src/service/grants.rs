//! Grants: what apps may do.

use std::sync::Arc;

use super::acts::Prepared;
use super::place::Lists;
use super::policies::in_force;
use super::stops::scope_entry;
use super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::{AppId, CredentialId, GrantId, TenantId};
use crate::identity::{Credentials, Grant, Terms};
use crate::policy::{Hours, Policy, check_limits, widens};
use crate::store::{Change, Key, Page, Row, Scope, Stop, Versioned};

/// Looks at an app's grants for one page, at most.
const READS_MAX: usize = 500;

impl Service {
    /// Gives an app a grant; none where the tenant's policy wants a second operator for each: that is an act.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_grant(
        &self,
        tenant: TenantId,
        app: AppId,
        terms: &Terms,
        origin: &Origin,
    ) -> Result<Option<Grant>, ServiceError> {
        let policy = self.policy_for_grants(tenant).await?;
        if policy.document().approve_new_grants {
            return Ok(None);
        }
        let grant = self.new_grant(tenant, app, terms.clone()).await?;
        let entry = origin.stamp(made(&grant));
        self.store.put_cas(gives(&grant, &policy), vec![entry]).await?;
        self.directory.forget_app(app);
        Ok(Some(grant))
    }

    /// The policy that decides whether a new grant takes a second operator, as the store has it at this moment.
    async fn policy_for_grants(&self, tenant: TenantId) -> Result<Arc<Policy>, ServiceError> {
        self.directory.forget_policy(tenant);
        Ok(self.directory.policy(self.store(), tenant).await?)
    }

    /// Giving an app a grant, where that is planned and approved.
    pub(super) async fn prepare_new_grant(
        &self,
        tenant: TenantId,
        app: AppId,
        terms: &Terms,
    ) -> Result<Prepared, ServiceError> {
        let grant = self.new_grant(tenant, app, terms.clone()).await?;
        let policy = self.policy_for_grants(tenant).await?;
        Ok(Prepared {
            name: app.to_string(),
            lines: vec![format!("{app} gets a grant that allows {}", words(terms))],
            seen: vec![("in_force", in_force(&policy))],
            wider: policy.document().approve_new_grants,
            entries: vec![made(&grant)],
            changes: gives(&grant, &policy),
            ..Prepared::default()
        })
    }

    async fn new_grant(&self, tenant: TenantId, app: AppId, terms: Terms) -> Result<Grant, ServiceError> {
        if self.app(app).await?.app.tenant != tenant {
            return Err(ServiceError::NotFound("app"));
        }
        self.well_formed_terms(tenant, &terms).await?;
        let id = GrantId::new(self.clock());
        let Terms { credentials, operations, networks, hours, orders, budget, enroll } = terms;
        let created_ms = self.clock.unix_ms();
        Ok(Grant { id, tenant, app, credentials, operations, networks, hours, orders, budget, enroll, created_ms })
    }

    /// Takes a grant away. When this answers, nothing is signed under it any more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn revoke_grant(
        &self,
        tenant: TenantId,
        app: AppId,
        id: GrantId,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        self.grant(tenant, app, id).await?;
        let scope = Scope::Grant(id);
        let entry = scope_entry("grant.revoke", &scope, reason, origin).tenant(tenant.to_string());
        let changes = vec![
            Change::remove(Key::Grant(app, id)),
            // What was checked with the grant a moment ago is refused by the commit.
            Change::set(Key::Stopped(scope.clone()), Row::Stopped(Stop::Revoked)),
        ];
        let done = self.store.put_cas(changes, vec![entry]).await?;
        self.directory.forget_app(app);
        self.bar(scope, done.up_to).await
    }

    /// Changing what a grant allows. Each request that arrives once it is done is judged by the new terms.
    pub(super) async fn prepare_grant(
        &self,
        tenant: TenantId,
        app: AppId,
        id: GrantId,
        to: &Terms,
    ) -> Result<Prepared, ServiceError> {
        let (version, grant) = self.grant(tenant, app, id).await?;
        self.well_formed_terms(tenant, to).await?;
        let old = grant.terms();
        if old == *to {
            return Err(ServiceError::conflict("not_changed", "the grant allows just this already"));
        }
        let wider = widens(&old, to);
        let verb = if wider { "widened" } else { "narrowed" };
        let changed = grant.with_terms(to.clone());
        Ok(Prepared {
            name: id.to_string(),
            lines: vec![
                format!("{id} of {app} is {verb}"),
                format!("it allowed {}", words(&old)),
                format!("it will allow {}", words(to)),
            ],
            seen: vec![("grant", words(&old))],
            etag: Some(version),
            wider,
            changes: vec![Change::replace(Key::Grant(app, id), version, Row::Grant(changed))],
            entries: vec![
                Draft::new("grant.change", EntryOutcome::Allowed)
                    .tenant(tenant.to_string())
                    .on("grant", id.to_string())
                    .detail("app", app.to_string())
                    .detail("operations", to.operations.join(" ")),
            ],
            ..Prepared::default()
        })
    }

    /// A page of a tenant's grants, or of those that are for one credential, app by app. Of one credential's a page may be
    /// short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn grants(
        &self,
        tenant: TenantId,
        credential: Option<CredentialId>,
        cursor: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Grant>, ServiceError> {
        let wanted = |found: Versioned| {
            let Row::Grant(grant) = found.row else { return None };
            Some(grant).filter(|grant| credential.is_none_or(|id| grant.credentials.has(id)))
        };
        self.walk(&Lists::GrantsOf(tenant), cursor, limit, READS_MAX, wanted).await
    }

    /// A grant of a tenant's app, with its row's version.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn grant(&self, tenant: TenantId, app: AppId, id: GrantId) -> Result<(u64, Grant), ServiceError> {
        match self.store.get(Key::Grant(app, id)).await? {
            Some(Versioned { version, row: Row::Grant(grant) }) if grant.tenant == tenant => Ok((version, grant)),
            _ => Err(ServiceError::NotFound("grant")),
        }
    }

    async fn well_formed_terms(&self, tenant: TenantId, terms: &Terms) -> Result<(), ServiceError> {
        if terms.operations.is_empty() && !terms.enroll {
            return Err(ServiceError::invalid("operations_missing", "a grant names operations or classes"));
        }
        for name in &terms.operations {
            let known = claviger_venues::VenueId::ALL.iter().any(|v| claviger_venues::operation(*v, name).is_some());
            if !known && !crate::policy::is_grantable(name) {
                let text = "operations are names of the catalogue, `market`, `read`, `trade`, `signatures`, or `stream.` \
                            and a stream's name";
                return Err(ServiceError::invalid("operations_invalid", text));
            }
        }
        let checked = terms.hours.iter().try_for_each(Hours::check);
        let checked = checked.and_then(|()| check_limits(&terms.orders, &[&terms.budget]));
        checked.map_err(|why| ServiceError::invalid("limits_invalid", why))?;
        if let Credentials::These(ids) = &terms.credentials {
            for id in ids {
                if self.store.get(Key::Credential(tenant, *id)).await?.is_none() {
                    return Err(ServiceError::NotFound("credential"));
                }
            }
        }
        Ok(())
    }
}

/// Terms in words, everything that counts.
fn words(terms: &Terms) -> String {
    let credentials = match &terms.credentials {
        Credentials::All => "all credentials".to_owned(),
        Credentials::These(ids) => ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let networks: Vec<String> = terms.networks.iter().map(ToString::to_string).collect();
    let from = if networks.is_empty() { "anywhere".to_owned() } else { networks.join(" ") };
    let enroll = if terms.enroll { ", and enrolling" } else { "" };
    // What is limited by figures is written as it is given.
    let figures = serde_json::json!({ "hours": terms.hours, "orders": terms.orders, "budget": terms.budget });
    format!("{} with {credentials} from {from}{enroll}; {figures}", terms.operations.join(" "))
}

/// A new grant, which rests on the policy that said what it takes.
fn gives(grant: &Grant, policy: &Policy) -> Vec<Change> {
    vec![
        Change::still(Key::PolicyInForce(grant.tenant), policy.row_version()),
        Change::create(Key::Grant(grant.app, grant.id), Row::Grant(grant.clone())),
    ]
}

fn made(grant: &Grant) -> Draft {
    Draft::new("grant.create", EntryOutcome::Allowed)
        .tenant(grant.tenant.to_string())
        .on("grant", grant.id.to_string())
        .detail("app", grant.app.to_string())
        .detail("operations", grant.operations.join(" "))
}
