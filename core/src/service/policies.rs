//! Policies: stored by version, put into force, and tried on what was asked lately.

use std::sync::Arc;

use super::acts::Prepared;
use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::policy::{BadPolicy, Document, Policy, Replay, Request, Verdict};
use crate::store::{Change, Expect, Key, Page, Range, Row, StoredPolicy, Versioned};

/// Versions of one tenant's policy that were never in force: those behind the newest so many are dropped.
const UNUSED_KEPT: u32 = 200;

/// What a policy would have decided otherwise.
#[derive(Debug)]
pub struct Difference {
    /// The request.
    pub request: Request,
    /// What the policy in force decides.
    pub now: Verdict,
    /// What the other one decides.
    pub then: Verdict,
}

/// Decides the same requests by two policies and says which decisions differ.
pub fn differences(requests: &[Request], now: &Policy, then: &Policy) -> Vec<Difference> {
    let (mut before, mut after) = (Replay::of(now), Replay::of(then));
    let mut found = Vec::new();
    for request in requests {
        let (now, then) = (before.decide(request), after.decide(request));
        let rule = |verdict: &Verdict| if let Verdict::Denied(denied) = verdict { Some(denied.rule) } else { None };
        if rule(&now) != rule(&then) {
            found.push(Difference { request: request.clone(), now, then });
        }
    }
    found
}

impl Service {
    /// Stores a version of a tenant's policy. It decides nothing until it is put into force.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was stored.
    pub async fn store_policy(
        &self,
        tenant: TenantId,
        text: &str,
        origin: &Origin,
    ) -> Result<StoredPolicy, ServiceError> {
        let document = parsed(text)?;
        let version = match self.store.last(Range::Policies(tenant)).await? {
            Some(Versioned { row: Row::Policy(newest), .. }) => newest.version.saturating_add(1),
            _ => 1,
        };
        let created_ms = self.clock.unix_ms();
        let (text, by) = (text.to_owned(), origin.id.clone());
        let policy = StoredPolicy { tenant, version, text, by, created_ms, was_in_force: false };
        let entry = origin
            .draft("policy.create", EntryOutcome::Allowed)
            .tenant(tenant.to_string())
            .on("policy", version.to_string())
            .detail("rules", document.rules.len().to_string());
        let mut changes = vec![Change::create(Key::Policy(tenant, version), Row::Policy(policy.clone()))];
        let mut entries = vec![entry];
        let old = Key::Policy(tenant, version.saturating_sub(UNUSED_KEPT));
        if let Some(Versioned { version: row, row: Row::Policy(unused) }) = self.store.get(old.clone()).await?
            && !unused.was_in_force
        {
            changes.push(Change { key: old, expect: Expect::Version(row), row: None });
            let entry = origin.draft("policy.drop", EntryOutcome::Allowed);
            entries.push(entry.tenant(tenant.to_string()).on("policy", unused.version.to_string()));
        }
        self.store.put_cas(changes, entries).await?;
        Ok(policy)
    }

    /// A page of a tenant's policies, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn policies(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<StoredPolicy>, ServiceError> {
        let page = self.store.scan(Range::Policies(tenant), after, limit).await?;
        Ok(super::accounts::picked(page, |row| if let Row::Policy(policy) = row { Some(policy) } else { None }))
    }

    /// One version of a tenant's policy.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn stored_policy(&self, tenant: TenantId, version: u32) -> Result<StoredPolicy, ServiceError> {
        Ok(self.policy_row(tenant, version).await?.1)
    }

    async fn policy_row(&self, tenant: TenantId, version: u32) -> Result<(u64, StoredPolicy), ServiceError> {
        match self.store.get(Key::Policy(tenant, version)).await? {
            Some(Versioned { version, row: Row::Policy(policy) }) => Ok((version, policy)),
            _ => Err(ServiceError::NotFound("policy")),
        }
    }

    /// The version of a tenant's policy that is in force; 0 for none.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn policy_in_force(&self, tenant: TenantId) -> Result<u32, ServiceError> {
        Ok(self.directory.policy(self.store(), tenant).await?.version())
    }

    /// Puts a version into force. Requests that were decided by the one before and are not recorded yet are decided anew.
    pub(super) async fn prepare_policy(&self, tenant: TenantId, version: u32) -> Result<Prepared, ServiceError> {
        let (row_version, stored) = self.policy_row(tenant, version).await?;
        let next = parsed(&stored.text)?;
        let used = StoredPolicy { was_in_force: true, ..stored };
        self.directory.forget_policy(tenant);
        let before = self.directory.policy(self.store(), tenant).await?;
        if before.version() == version {
            return Err(ServiceError::conflict("in_force", "this version is in force already"));
        }
        let (key, to) = (Key::PolicyInForce(tenant), Row::PolicyRef(version));
        let change = match before.row_version() {
            0 => Change::create(key, to),
            row => Change::replace(key, row, to),
        };
        let wider = !next.within(before.document());
        let (_, tried) = self.tried(tenant, &before, Policy::of(version, 0, next.clone())).await?;
        let was = if before.version() == 0 { "none".to_owned() } else { format!("version {}", before.version()) };
        let verb = if wider { "it may let through what that one refuses" } else { "it lets nothing more through" };
        let count = |rules: usize| u64::try_from(rules).unwrap_or(u64::MAX);
        Ok(Prepared {
            name: format!("policy {version}"),
            lines: vec![
                format!("version {version} of the policy of {tenant} decides from then on; until then it is {was}"),
                verb.to_owned(),
                format!("{} of the requests made lately would have been decided otherwise", tried.len()),
            ],
            blast_radius: [("rules".to_owned(), count(next.rules.len()))].into(),
            seen: vec![("in_force", in_force(&before))],
            wider,
            changes: vec![change, Change::replace(Key::Policy(tenant, version), row_version, Row::Policy(used))],
            entries: vec![
                Draft::new("policy.activate", EntryOutcome::Allowed)
                    .tenant(tenant.to_string())
                    .on("policy", version.to_string())
                    .detail("before", before.version().to_string()),
            ],
            ..Prepared::default()
        })
    }

    /// What was asked lately by a tenant's apps, as policy saw it, oldest first.
    pub fn recorded_requests(&self, tenant: TenantId) -> Vec<Request> {
        self.recorder.of(tenant)
    }

    /// What another policy would have decided otherwise about what was asked lately.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a text that is no policy.
    pub async fn try_policy(&self, tenant: TenantId, text: &str) -> Result<(usize, Vec<Difference>), ServiceError> {
        let then = Policy::of(0, 0, parsed(text)?);
        let now = self.directory.policy(self.store(), tenant).await?;
        self.tried(tenant, &now, then).await
    }

    /// On a thread of its own: many requests by many rules take a while.
    async fn tried(
        &self,
        tenant: TenantId,
        now: &Arc<Policy>,
        then: Policy,
    ) -> Result<(usize, Vec<Difference>), ServiceError> {
        let (requests, now) = (self.recorder.of(tenant), Arc::clone(now));
        let tried = tokio::task::spawn_blocking(move || (requests.len(), differences(&requests, &now, &then)));
        tried.await.map_err(|_| ServiceError::unavailable(Part::Load, "the policy could not be tried; try again"))
    }
}

/// A policy as what was decided by it names it: no version is ever given again.
pub(super) fn in_force(policy: &Policy) -> String {
    format!("{} {}", policy.version(), policy.row_version())
}

fn parsed(text: &str) -> Result<Document, ServiceError> {
    Document::parse(text).map_err(|BadPolicy(why)| ServiceError::invalid("policy_invalid", why))
}
