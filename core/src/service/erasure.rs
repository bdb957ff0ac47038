//! Erasing an owner: stopped for good, credentials deleted, and last the key over what the audit log says of the person.

use std::collections::HashSet;

use data_encoding::HEXLOWER;

use super::acts::Prepared;
use super::stops::scope_draft;
use super::{Service, ServiceError, TRIES};
use crate::audit::EntryOutcome;
use crate::credential::Credential;
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::store::{Key, OpenIntent, Range, Row, Scope, Stop, StoreError, Versioned};
use crate::virtual_key::VirtualKey;

/// Rows of a tenant that are looked at in one read.
const PAGE: usize = 500;

/// What the erasure of an owner took along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erasure {
    /// Credentials that were deleted. Their keys still exist at the venues.
    pub credentials: Vec<Credential>,
    /// Virtual keys that were revoked.
    pub virtual_keys: u64,
    /// Requests that were granted before and have no outcome yet, and signatures that are out and valid.
    pub in_flight: Vec<OpenIntent>,
    /// From when on it opens from no backup, milliseconds since the Unix epoch; none if backups are kept for ever.
    pub unrecoverable_ms: Option<u64>,
}

impl Service {
    /// Erases an owner of a tenant.
    ///
    /// The owner's scope is stopped for good first, so that nothing is signed or enrolled for him from then on; the key
    /// over his fields in the audit log goes last. After a failure in the middle the same call goes on from there, and
    /// for an owner who was erased it does nothing.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an owner of whom nothing is known. Any other: what was done stays done; repeat it.
    pub async fn erase_owner(
        &self,
        tenant: TenantId,
        owner: &str,
        reason: &str,
        origin: &Origin,
    ) -> Result<Erasure, ServiceError> {
        if self.store.audit_key(tenant, owner.to_owned()).await?.is_none() {
            let erased = self.store.is_erased(tenant, owner.to_owned()).await?;
            if !erased {
                return Err(ServiceError::NotFound("owner"));
            }
            self.engrave().await?;
            let unrecoverable_ms = self.unrecoverable_ms(self.clock.unix_ms()).await?;
            return Ok(Erasure { unrecoverable_ms, ..Erasure::default() });
        }
        let scope = Scope::Owner(tenant, owner.to_owned());
        let stopped = self.stop(Some(tenant), scope, Stop::Revoked, reason, origin).await?;
        let mut erasure = Erasure { in_flight: stopped.open, ..Erasure::default() };
        let credentials = self.credentials_of(tenant, owner).await?;
        erasure.virtual_keys = self.revoke_keys_of(tenant, &credentials, reason, origin).await?;
        for id in &credentials {
            match self.delete_now(tenant, *id, reason, origin).await {
                Ok(credential) => erasure.credentials.push(credential),
                // Somebody else deleted it meanwhile.
                Err(ServiceError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        // Those, too, that were made meanwhile: from here on none is.
        let late = self.revoke_keys_of(tenant, &credentials, reason, origin).await?;
        erasure.virtual_keys = erasure.virtual_keys.saturating_add(late);
        self.unname(tenant, owner).await?;
        self.unname_incidents(tenant, Some(owner)).await?;
        let entry = origin.draft("owner.erase", EntryOutcome::Allowed).tenant(tenant.to_string());
        let entry = entry.detail("reason", reason).detail("credentials", erasure.credentials.len().to_string());
        self.store.erase_owner(tenant, owner.to_owned(), entry).await?;
        self.engrave().await?;
        erasure.unrecoverable_ms = self.unrecoverable_ms(self.clock.unix_ms()).await?;
        Ok(erasure)
    }

    /// Erasing an owner when others agreed to it: who is stopped from the moment that it is asked for.
    pub(super) async fn prepare_erase(&self, tenant: TenantId, owner: &str) -> Result<Prepared, ServiceError> {
        let known = self.store.audit_key(tenant, owner.to_owned()).await?.ok_or(ServiceError::NotFound("owner"))?;
        let scope = Scope::Owner(tenant, owner.to_owned());
        let freeze = self.frozen(&scope).await?;
        let entry = scope_draft("scope.freeze", &scope).tenant(tenant.to_string());
        Ok(Prepared {
            name: owner.to_owned(),
            lines: vec![
                "all of the owner's credentials stop at once, and stay so if this is called off".to_owned(),
                "when it is done, they are deleted with their virtual keys, and what the audit log says of the person is \
                 unreadable, for good"
                    .to_owned(),
                "the keys still exist at the venues: the owner deletes them there".to_owned(),
                self.backups_open(),
            ],
            blast_radius: self.hangs_on_scope(Some(tenant), &scope).await?,
            // The digest outlives the owner in the log; without this key nobody finds out by guessing whose it was.
            seen: vec![("key", HEXLOWER.encode(known.as_bytes()))],
            at_once: freeze.map(|freeze| (freeze, entry)),
            ..Prepared::default()
        })
    }

    /// Deletes a credential and its virtual keys, whatever version it has: its owner's own wish.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it goes on from there.
    pub async fn delete_with_keys(
        &self,
        tenant: TenantId,
        id: CredentialId,
        reason: &str,
        origin: &Origin,
    ) -> Result<Erasure, ServiceError> {
        // Stopped first: what is in flight is known then, and nobody makes it another virtual key that counts.
        let stopped = self.stop(Some(tenant), Scope::Credential(id), Stop::Revoked, reason, origin).await?;
        let only = HashSet::from([id]);
        let virtual_keys = self.revoke_keys_of(tenant, &only, reason, origin).await?;
        let credential = self.delete_now(tenant, id, reason, origin).await?;
        // Those, too, that were made meanwhile: from here on none is.
        let late = self.revoke_keys_of(tenant, &only, reason, origin).await?;
        let virtual_keys = virtual_keys.saturating_add(late);
        self.engrave().await?;
        let unrecoverable_ms = self.unrecoverable_ms(self.clock.unix_ms()).await?;
        Ok(Erasure { credentials: vec![credential], virtual_keys, in_flight: stopped.open, unrecoverable_ms })
    }

    /// Deletes a credential while nothing serves. Its virtual keys are left for [`Self::revoke_orphans`], so that many
    /// credentials take one look at them.
    pub(super) async fn delete_leaving_keys(
        &self,
        tenant: TenantId,
        id: CredentialId,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        self.stop(Some(tenant), Scope::Credential(id), Stop::Revoked, reason, origin).await?;
        self.delete_now(tenant, id, reason, origin).await?;
        self.engrave().await
    }

    async fn delete_now(
        &self,
        tenant: TenantId,
        id: CredentialId,
        reason: &str,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        let mut tries = 1..TRIES;
        let (row, done) = loop {
            let known = self.fresh_credential(tenant, id).await?;
            let Prepared { changes, entries, .. } = self.prepare_delete(tenant, id).await?;
            let entries = entries.into_iter().map(|entry| origin.stamp(entry).detail("reason", reason)).collect();
            let done = self.store.put_cas(changes, entries).await;
            // Also after an error: it may be stored all the same.
            self.forget(Some(tenant), &Scope::Credential(id));
            match done {
                Err(StoreError::Conflict(_)) if tries.next().is_some() => {}
                done => break (known.row.clone(), done?),
            }
        };
        self.bar(Scope::Credential(id), done.up_to).await?;
        if let Err(error) = self.bury().await {
            tracing::warn!(%error, "a deleted credential's key is still in the token, and is destroyed later");
        }
        Ok(row)
    }

    async fn credentials_of(&self, tenant: TenantId, owner: &str) -> Result<HashSet<CredentialId>, ServiceError> {
        let theirs = |found: Versioned| {
            let Row::Credential(row) = found.row else { return None };
            (row.owner == owner).then_some(row.id)
        };
        Ok(self.store.all(Range::Credentials(tenant), theirs).await?.into_iter().collect())
    }

    /// Revokes the virtual keys of these credentials, and says how many.
    async fn revoke_keys_of(
        &self,
        tenant: TenantId,
        credentials: &HashSet<CredentialId>,
        reason: &str,
        origin: &Origin,
    ) -> Result<u64, ServiceError> {
        let (mut count, mut after) = (0_u64, None);
        loop {
            let (keys, next) = self.virtual_keys_after(tenant, after).await?;
            for key in keys.into_iter().filter(|key| credentials.contains(&key.credential)) {
                match self.revoke_virtual_key(tenant, key.id, reason, origin).await {
                    Ok(_) => count = count.saturating_add(1),
                    Err(ServiceError::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            after = next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    /// Revokes a tenant's virtual keys whose credentials are gone, in one look at all of them.
    pub(super) async fn revoke_orphans(
        &self,
        tenant: TenantId,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let (keys, next) = self.virtual_keys_after(tenant, after).await?;
            for key in keys {
                self.revoke_orphan(&key, reason, origin).await?;
            }
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Revokes a virtual key if its credential is gone; says whether that is so.
    pub(super) async fn revoke_orphan(
        &self,
        key: &VirtualKey,
        reason: &str,
        origin: &Origin,
    ) -> Result<bool, ServiceError> {
        if self.store.get(Key::Credential(key.tenant, key.credential)).await?.is_some() {
            return Ok(false);
        }
        match self.revoke_virtual_key(key.tenant, key.id, reason, origin).await {
            Ok(_) | Err(ServiceError::NotFound(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn virtual_keys_after(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
    ) -> Result<(Vec<VirtualKey>, Option<Vec<u8>>), ServiceError> {
        let page = self.store.scan(Range::VirtualKeys(tenant), after, PAGE).await?;
        let key = |found: Versioned| if let Row::VirtualKey(key) = found.row { Some(key) } else { None };
        Ok((page.rows.into_iter().filter_map(key).collect(), page.next))
    }
}
