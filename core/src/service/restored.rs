//! What a restored store is put through before it serves: its log is verified, what was deleted since is deleted again,
//! and keys that do not open any more go with all that is under them.
//!
//! Nothing serves meanwhile, and no keeper needs to be there but for the keys.

use std::collections::BTreeSet;

use super::tenants::decided;
use super::{Service, ServiceError};
use crate::audit::{Checkpoint, Draft, EntryOutcome, Frontier, SignedCheckpoint, Subject, VerifierKey, leaf_hash};
use crate::deletion::Deletion;
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::message::{Refused, Rewrap};
use crate::keeper::{KeeperError, KekOrigin, KekRow};
use crate::store::{AuditRange, Change, Key, Range, Row, StoreError, Versioned};

/// Rows that are looked at in one read.
const PAGE: usize = 1_000;

/// Rows under a KEK that are looked at in one read.
const SEALED_PAGE: usize = 10_000;

/// Rows under a KEK of which one is enough that opens.
const TRIED_MAX: usize = 64;

const REASON: &str = "it was deleted before the restore";

/// Of what went with its KEK, or with the token.
const OPENS_NO_MORE: &str = "it opens no more";

/// A log that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLog {
    /// How many entries it has.
    pub entries: u64,
    /// How many signed checkpoints agree with them.
    pub checkpoints: u64,
    /// The newest of these.
    pub newest: Option<Checkpoint>,
}

/// What a KEK does in the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Something under it was opened, and sealed under another.
    Opens,
    /// There is nothing under it to be tried, and the token has its root key.
    Unused,
    /// The keeper says that what is under it does not open. A token that is not well can make it say so.
    Fails,
    /// The token has no such root key: nothing under it opens ever again.
    Rootless,
}

impl Service {
    /// Verifies the whole log against every checkpoint that is stored.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] says where it does not verify.
    pub async fn verify_log(&self, key: &VerifierKey) -> Result<VerifiedLog, StoreError> {
        let head = self.store.tree_head().await?;
        let (mut frontier, mut checkpoints, mut newest) = (Frontier::new(), 0_u64, None);
        while frontier.size() < head.size {
            let from = frontier.size();
            let to = head.size.min(from.saturating_add(u64::try_from(PAGE).unwrap_or(u64::MAX)));
            let hashes = self.store.leaf_hashes(from, to).await?;
            if hashes.is_empty() {
                return Err(StoreError::Corrupt(format!("the audit log lacks entry {from}")));
            }
            let leaves = self.store.audit_scan(AuditRange { tenant: None, from, limit: hashes.len() }).await?;
            let mut leaves = leaves.into_iter().peekable();
            let mut signed = Vec::new();
            for note in self.store.checkpoints(from.saturating_add(1), hashes.len()).await? {
                let read = SignedCheckpoint::unverified(note).verify(key);
                signed.push(read.map_err(|e| StoreError::Corrupt(format!("a checkpoint does not verify: {e}")))?);
            }
            let mut signed = signed.into_iter().peekable();
            for hash in hashes {
                let seq = frontier.size();
                // Those that are in segments are there as hashes.
                let leaf = leaves.next_if(|leaf| leaf.seq == seq);
                if leaf.is_none_or(|leaf| leaf_hash(&leaf.bytes) != hash) && seq >= head.oldest {
                    return Err(StoreError::Corrupt(format!("entry {seq} is not the one that was hashed")));
                }
                frontier.push(hash);
                while let Some(checkpoint) = signed.next_if(|checkpoint| checkpoint.size == frontier.size()) {
                    if checkpoint.root != frontier.root() {
                        let why = format!("the first {} entries are not those that were signed", checkpoint.size);
                        return Err(StoreError::Corrupt(why));
                    }
                    checkpoints = checkpoints.saturating_add(1);
                    newest = Some(checkpoint);
                }
            }
        }
        if frontier.root() != head.root {
            return Err(StoreError::Corrupt("the audit tree is not that of its entries".to_owned()));
        }
        Ok(VerifiedLog { entries: head.size, checkpoints, newest })
    }

    /// Every KEK of every tenant, oldest first, but for those that their tenants bring.
    ///
    /// # Errors
    /// [`ServiceError`] when rows cannot be read.
    pub async fn stored_keks(&self) -> Result<Vec<KekRow>, ServiceError> {
        let keks = self.all_keks().await?.into_values().flatten().map(|(_, kek)| kek);
        Ok(keks.filter(|kek| !kek.is_withdrawn()).collect())
    }

    /// Opens something under a KEK, and seals it under another that is kept nowhere.
    ///
    /// # Errors
    /// [`KeeperError`] when the keeper or the token fails: that says nothing of the KEK.
    pub async fn try_kek(&self, from: &KekRow) -> Result<Tried, ServiceError> {
        // Asked first: a keeper ends over a key that the token should have.
        if from.origin == KekOrigin::Generated && !self.keeper.roots().await?.contains(&from.blob.root) {
            return Ok(Tried::Rootless);
        }
        let rows = self.store.sealed_under_version(from.tenant, from.version, TRIED_MAX).await?;
        let mut sealed = rows.iter().filter_map(|(_, row)| row.row.sealed_under(from.tenant, from.version)).peekable();
        if sealed.peek().is_none() {
            return Ok(Tried::Unused);
        }
        let to = self.keeper.new_kek(from.tenant, from.version.saturating_add(1)).await?;
        for sealed in sealed {
            match self.keeper.rewrap(Rewrap { sealed, from: from.clone(), to: to.clone(), rekey: false }).await {
                Ok(_) => return Ok(Tried::Opens),
                // It may be the row that is damaged.
                Err(KeeperError::Refused(Refused::Tampered | Refused::Relabelled)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Tried::Fails)
    }

    /// Deletes again what tombstones name, and says what that was: nothing, if it was not there.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it goes on.
    pub async fn bury_again(
        &self,
        subjects: impl IntoIterator<Item = Subject>,
        origin: &Origin,
    ) -> Result<Vec<String>, ServiceError> {
        let (mut lost, mut tenants) = (Vec::new(), BTreeSet::new());
        for subject in subjects {
            lost.extend(self.bury_one_again(subject, origin).await?);
            if let Subject::Credential(tenant, _) = subject {
                tenants.insert(tenant);
            }
        }
        for tenant in tenants {
            self.revoke_orphans(tenant, REASON, origin).await?;
        }
        Ok(lost)
    }

    async fn bury_one_again(&self, subject: Subject, origin: &Origin) -> Result<Vec<String>, ServiceError> {
        let mut lost = Vec::new();
        let found = match subject {
            Subject::Credential(tenant, id) => match self.delete_leaving_keys(tenant, id, REASON, origin).await {
                Ok(()) => true,
                Err(ServiceError::NotFound(_)) => false,
                Err(error) => return Err(error),
            },
            Subject::Owner(tenant, hash) => {
                let owners = self.store.owners(tenant).await?;
                match owners.into_iter().find(|owner| hash.is(tenant, owner)) {
                    Some(owner) => {
                        self.erase_owner(tenant, &owner, REASON, origin).await?;
                        true
                    }
                    None => false,
                }
            }
            Subject::Tenant(tenant) => self.bury_tenant(tenant, origin).await?,
            Subject::Kek(tenant, version) => {
                let dropped = self.drop_kek(tenant, version, origin).await?;
                let found = dropped.is_some();
                lost = dropped.unwrap_or_default();
                found
            }
        };
        if !matches!(subject, Subject::Owner(..)) {
            // Also of what is not there: it never comes. The file outside of the store has it already.
            let tombstone = Change::set(Key::Tombstone(subject), Row::Tombstone(subject));
            self.store.put_cas(vec![tombstone, Change::remove(Key::Unengraved(subject))], Vec::new()).await?;
        }
        lost.extend(found.then(|| subject.to_string()));
        Ok(lost)
    }

    /// Deletes a tenant again, as it was deleted before.
    async fn bury_tenant(&self, tenant: TenantId, origin: &Origin) -> Result<bool, ServiceError> {
        let mut found = false;
        if let Some(Versioned { version, row: Row::Tenant(row) }) = self.store.get(Key::Tenant(tenant)).await? {
            let entry = origin.draft("tenant.delete", EntryOutcome::Allowed).tenant(tenant.to_string());
            let changes = decided(&row, version, self.clock.unix_ms());
            self.store.put_cas(changes, vec![entry.detail("reason", REASON)]).await?;
            found = true;
        }
        // Also one that was under way when the backup was made.
        match self.deletion(tenant).await {
            Ok(Deletion { ended_ms: None, .. }) => self.go_on_deleting(tenant).await?,
            Ok(_) | Err(ServiceError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    /// Removes a KEK that opens nothing any more, or must not, with all that is under it; says what that was. A tenant
    /// whose newest it was gets another.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it goes on.
    pub async fn drop_kek(
        &self,
        tenant: TenantId,
        version: u32,
        origin: &Origin,
    ) -> Result<Option<Vec<String>>, ServiceError> {
        if self.store.get(Key::Kek(tenant, version)).await?.is_none() {
            return Ok(None);
        }
        self.succeed(tenant, version).await?;
        let mut lost = Vec::new();
        loop {
            let rows = self.store.sealed_under_version(tenant, version, SEALED_PAGE).await?;
            if rows.is_empty() {
                break;
            }
            for (key, row) in rows {
                lost.push(self.drop_sealed(tenant, (key, row), origin).await?);
            }
        }
        self.revoke_orphans(tenant, REASON, origin).await?;
        let entry = origin.draft("kek.destroy", EntryOutcome::Allowed).tenant(tenant.to_string());
        let entry =
            entry.on("kek", version.to_string()).detail("reason", REASON).detail("lost", lost.len().to_string());
        self.store.put_cas(vec![Change::remove(Key::Kek(tenant, version))], vec![entry]).await?;
        self.directory.forget_kek(tenant, version);
        Ok(Some(lost))
    }

    /// Removes a row that opens no more, with what hangs on it, and says what it was. A credential's virtual keys are left
    /// for [`Self::revoke_orphans`].
    pub(super) async fn drop_sealed(
        &self,
        tenant: TenantId,
        (key, row): (Key, Versioned),
        origin: &Origin,
    ) -> Result<String, ServiceError> {
        match (&key, row.row) {
            (Key::Sealed(id), _) => {
                or_gone(self.delete_leaving_keys(tenant, *id, OPENS_NO_MORE, origin).await)?;
                Ok(format!("credential {id}"))
            }
            (Key::VirtualKey(_, id), _) => {
                or_gone(self.revoke_virtual_key(tenant, *id, OPENS_NO_MORE, origin).await)?;
                Ok(format!("virtual key {id}"))
            }
            (Key::Webhook(_, id), Row::Webhook(webhook)) => {
                or_gone(self.remove_webhook(tenant, *id, origin).await)?;
                Ok(format!("webhook {}", webhook.label))
            }
            (Key::Operator(id), Row::Operator(mut operator)) => {
                (operator.factors.totp, operator.factors.totp_pending) = (None, None);
                let name = format!("one-time codes of operator {}", operator.name);
                let entry = dropped("totp.drop", origin).on("operator", id.to_string());
                let change = Change::replace(Key::Operator(*id), row.version, Row::Operator(operator));
                self.store.put_cas(vec![change], vec![entry]).await?;
                Ok(name)
            }
            (Key::Contact(id), _) => {
                let entry = dropped("contact.drop", origin).tenant(tenant.to_string());
                let entry = entry.on("credential", id.to_string());
                self.store.put_cas(vec![Change::remove(key.clone())], vec![entry]).await?;
                Ok(format!("contact address of {id}"))
            }
            (Key::Token(id), _) => {
                let entry = dropped("token.drop", origin).tenant(tenant.to_string());
                let entry = entry.on("credential", id.to_string());
                self.store.put_cas(vec![Change::remove(key.clone())], vec![entry]).await?;
                Ok(format!("the venue's token of {id}"))
            }
            _ => Err(StoreError::Corrupt(format!("{key:?} holds nothing sealed")).into()),
        }
    }

    /// Makes a tenant the KEK after `version`, if that is its newest. One that is being deleted needs none.
    async fn succeed(&self, tenant: TenantId, version: u32) -> Result<(), ServiceError> {
        if self.store.get(Key::Deletion(tenant)).await?.is_some() {
            return Ok(());
        }
        let newest = self.store.last(Range::Keks(tenant)).await?;
        if !matches!(newest, Some(Versioned { row: Row::Kek(kek), .. }) if kek.version == version) {
            return Ok(());
        }
        self.put_kek(tenant, version.saturating_add(1)).await
    }

    /// Makes a tenant a KEK of this version, its newest.
    pub(super) async fn put_kek(&self, tenant: TenantId, next: u32) -> Result<(), ServiceError> {
        let kek = self.keeper.new_kek(tenant, next).await?;
        let mut changes = vec![Change::create(Key::Kek(tenant, next), Row::Kek(kek))];
        if let Some(Versioned { version, row: Row::Tenant(row) }) = self.store.get(Key::Tenant(tenant)).await? {
            let row = crate::identity::Tenant { kek_version: next, ..row };
            changes.push(Change::replace(Key::Tenant(tenant), version, Row::Tenant(row)));
        }
        self.store.put_cas(changes, Vec::new()).await?;
        Ok(())
    }

    /// Ends all logins: those that ended after the backup must not live again.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it goes on.
    pub async fn end_all_logins(&self, origin: &Origin) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Operators, after, PAGE).await?;
            for row in page.rows {
                let Row::Operator(operator) = row.row else { continue };
                match self.end_logins_of(operator.id, origin).await {
                    Ok(()) | Err(ServiceError::NotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// The entry of something sealed that opens no more, and goes.
fn dropped(action: &str, origin: &Origin) -> Draft {
    origin.draft(action, EntryOutcome::Allowed).detail("reason", OPENS_NO_MORE)
}

/// What went with something else is gone all the same.
fn or_gone<T>(done: Result<T, ServiceError>) -> Result<(), ServiceError> {
    match done {
        Ok(_) | Err(ServiceError::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
