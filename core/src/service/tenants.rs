//! Deleting a tenant: frozen when it is asked for, gone for everybody when it is done, and then cleared row by row.
//!
//! One commit decides: it takes the tenant's row and name away, stops its scope for good, and says that the deletion is
//! under way. The store takes nothing more of the tenant's from there on, so what is left only ever gets less, and
//! whoever is interrupted goes on with what is left.

use std::collections::BTreeMap;

use claviger_venues::VenueId;

use super::acts::{COUNTED_MAX, Prepared};
use super::stops::scope_draft;
use super::{Service, ServiceError};
use crate::act::{Act, ApprovalState};
use crate::audit::{Draft, EntryOutcome};
use crate::deletion::{Cleared, Deletion};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::identity::{Operator, Tenant};
use crate::store::{Change, Expect, Key, Range, Row, Scope, Stop, StoreError, Versioned};
use crate::view::keys_at_venue;

/// Rows that are looked at in one read.
const PAGE: usize = 500;

impl Service {
    /// Deleting a tenant when others agreed to it: everything of it is stopped from the moment that it is asked for.
    pub(super) async fn prepare_delete_tenant(&self, tenant: TenantId) -> Result<Prepared, ServiceError> {
        let found = self.store.get(Key::Tenant(tenant)).await?;
        let Some(Versioned { version, row: Row::Tenant(row) }) = found else {
            return Err(ServiceError::NotFound("tenant"));
        };
        let scope = Scope::Tenant(tenant);
        let entry = |action: &str| scope_draft(action, &scope).tenant(tenant.to_string());
        let mut lines = vec![
            "everything of the tenant stops at once, and stays so if this is called off".to_owned(),
            "when it is done, nothing of the tenant is left but the entries of the audit log, in which no owner can be \
             read any more: its credentials, keys, apps, policies, requests, operators and KEKs are gone for good"
                .to_owned(),
        ];
        lines.push(self.backups_open());
        lines.extend(self.keys_at_venues(tenant).await?.into_iter().map(|(venue, keys)| keys_at_venue(venue, keys)));
        let mut blast_radius = self.hangs_on_scope(Some(tenant), &scope).await?;
        let virtual_keys = self.store.scan(Range::VirtualKeys(tenant), None, COUNTED_MAX).await?.rows.len();
        blast_radius.insert("virtual_keys".to_owned(), u64::try_from(virtual_keys).unwrap_or(u64::MAX));
        Ok(Prepared {
            lines,
            blast_radius,
            seen: vec![("name", row.name.clone()), ("created_ms", row.created_ms.to_string())],
            at_once: self.frozen(&scope).await?.map(|freeze| (freeze, entry("scope.freeze"))),
            changes: decided(&row, version, self.clock.unix_ms()),
            entries: vec![entry("tenant.delete")],
            name: row.name,
            ..Prepared::default()
        })
    }

    /// How many keys of a tenant's owners are at which venue.
    async fn keys_at_venues(&self, tenant: TenantId) -> Result<BTreeMap<VenueId, u64>, ServiceError> {
        let (mut counts, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.store.scan(Range::Credentials(tenant), after, PAGE).await?;
            for found in page.rows {
                let Row::Credential(row) = found.row else { continue };
                let count: &mut u64 = counts.entry(row.venue).or_default();
                *count = count.saturating_add(1);
            }
            after = page.next;
            if after.is_none() {
                return Ok(counts);
            }
        }
    }

    /// Forgets what memory holds of a tenant.
    pub(super) fn forget_tenant(&self, tenant: TenantId) {
        self.directory.forget_tenant(tenant);
        self.tokens.forget_tenant(tenant);
        self.recorder.forget(tenant);
    }

    /// The deletion of a tenant, under way or done.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a tenant that is not being deleted, and never was.
    pub async fn deletion(&self, tenant: TenantId) -> Result<Deletion, ServiceError> {
        self.deletion_row(tenant).await.map(|(_, deletion)| deletion)
    }

    async fn deletion_row(&self, tenant: TenantId) -> Result<(u64, Deletion), ServiceError> {
        match self.store.get(Key::Deletion(tenant)).await? {
            Some(Versioned { version, row: Row::Deletion(deletion) }) => Ok((version, deletion)),
            _ => Err(ServiceError::NotFound("deletion")),
        }
    }

    /// Goes on with the deletions that are under way. One that cannot go on at the moment keeps no other waiting.
    ///
    /// # Errors
    /// [`ServiceError`] when they cannot be read.
    pub async fn delete_tenants(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Deletions, after, PAGE).await?;
            for found in page.rows {
                let Row::Deletion(Deletion { tenant, ended_ms: None, .. }) = found.row else { continue };
                if let Err(error) = self.go_on_deleting(tenant).await {
                    tracing::warn!(%error, tenant.id = %tenant, "the deletion of a tenant waits");
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Goes on with a deletion for as long as something is left, and nothing of it is open.
    pub(super) async fn go_on_deleting(&self, tenant: TenantId) -> Result<(), ServiceError> {
        let origin = Origin::system(self.clock());
        self.remove_operators_of(tenant, &origin).await?;
        self.remove_approvals_of(tenant).await?;
        loop {
            match self.store.clear_tenant(tenant).await? {
                Cleared::Some(_) => {}
                Cleared::Waits => return Ok(()),
                Cleared::All => break,
            }
        }
        self.unname_incidents(tenant, None).await?;
        // What was held in memory, or unwrapped in the keeper, has nothing stored behind it any more.
        self.forget_tenant(tenant);
        self.forget_keks().await?;
        self.bury().await?;
        let (version, deletion) = self.deletion_row(tenant).await?;
        let ended = Deletion { ended_ms: Some(self.clock.unix_ms()), ..deletion };
        let entry = ended_entry(&ended, &origin);
        let change = Change::replace(Key::Deletion(tenant), version, Row::Deletion(ended));
        self.store.put_cas(vec![change], vec![entry]).await?;
        tracing::info!(tenant.id = %tenant, "a tenant is deleted");
        Ok(())
    }

    /// Operators who are bound to the tenant go with their logins, each counted in the same commit.
    async fn remove_operators_of(&self, tenant: TenantId, origin: &Origin) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Operators, after, PAGE).await?;
            for found in page.rows {
                let Row::Operator(Operator { id, tenant: Some(bound), .. }) = found.row else { continue };
                if bound != tenant {
                    continue;
                }
                let mut prepared = self.prepare_remove_operator(id, origin).await?;
                let (version, deletion) = self.deletion_row(tenant).await?;
                let counted = Deletion { operators: deletion.operators.saturating_add(1), ..deletion };
                prepared.changes.push(Change::replace(Key::Deletion(tenant), version, Row::Deletion(counted)));
                self.commit_operator(prepared).await?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// What was asked for in the tenant names people and things of it, and can be done no more.
    async fn remove_approvals_of(&self, tenant: TenantId) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Approvals, after, PAGE).await?;
            for Versioned { version, row } in page.rows {
                let Row::Approval(approval) = row else { continue };
                let deletes = approval.act == Act::DeleteTenant { tenant };
                // The one that was done says so, and names nothing.
                if approval.act.tenant() != Some(tenant) && (!deletes || approval.state == ApprovalState::Executed) {
                    continue;
                }
                let change = Change { key: Key::Approval(approval.id), expect: Expect::Version(version), row: None };
                match self.store.put_cas(vec![change], Vec::new()).await {
                    // Somebody closed it meanwhile: the next call takes it along.
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

/// The commit that decides: nobody finds the tenant from there on, and the store takes nothing more of it.
pub(super) fn decided(row: &Tenant, version: u64, now_ms: u64) -> Vec<Change> {
    let tenant = row.id;
    vec![
        Change { key: Key::Tenant(tenant), expect: Expect::Version(version), row: None },
        Change::remove(Key::TenantName(row.name.clone())),
        Change::set(Key::Stopped(Scope::Tenant(tenant)), Row::Stopped(Stop::Revoked)),
        Change::create(Key::Deletion(tenant), Row::Deletion(Deletion::new(tenant, now_ms))),
    ]
}

/// The proof: what is gone, in numbers.
fn ended_entry(ended: &Deletion, origin: &Origin) -> Draft {
    let entry = origin
        .draft("tenant.delete.end", EntryOutcome::Allowed)
        .tenant(ended.tenant.to_string())
        .on("tenant", ended.tenant.to_string())
        .detail("virtual_keys", ended.virtual_keys.to_string())
        .detail("apps", ended.apps.to_string())
        .detail("operators", ended.operators.to_string())
        .detail("owners", ended.owners.to_string());
    let venues = ended.credentials.iter().map(|(venue, count)| format!("{venue} {count}"));
    entry
        .detail("credentials", ended.credential_count().to_string())
        .detail("venues", venues.collect::<Vec<_>>().join(", "))
}
