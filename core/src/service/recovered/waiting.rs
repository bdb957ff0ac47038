//! Tenants that took their own KEKs away before the token was lost: what is theirs opens when they bring these again.
//!
//! That goes for what is sealed under such a KEK. Keys that were in the token are gone with it, and their wraps went with
//! the KEK.

use std::collections::BTreeSet;
use std::io;

use super::super::{Service, ServiceError};
use super::{BATCH, Event, PAGE, REASON, unheard};
use crate::credential::{Credential, LOST_INDEX};
use crate::envelope::{Envelope, Mode};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::keeper::message::{IndexSealed, Refused};
use crate::keeper::{KeeperError, KekOrigin, KekRow};
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};

impl Service {
    /// Those who took their newest KEK away; of a backup, which holds no tenant's own, those of whom nothing has a wrap:
    /// wraps went with the KEK.
    pub(super) async fn waiting(&self) -> Result<Vec<TenantId>, ServiceError> {
        let (mut waiting, mut unsure) = (Vec::new(), BTreeSet::new());
        for (tenant, keks) in self.all_keks().await? {
            let newest = keks.last().map(|(_, newest)| newest).filter(|newest| newest.origin == KekOrigin::Imported);
            if newest.is_some() && self.store.get(Key::Withdrawn(tenant)).await?.is_some() {
                waiting.push(tenant);
            } else if newest.is_some_and(KekRow::is_withdrawn) {
                unsure.insert(tenant);
            }
        }
        let mut after = None;
        while !unsure.is_empty() {
            let page = self.store.sealed(after, PAGE).await?;
            for (_, Versioned { row, .. }) in page.rows {
                let Some(tenant) = tenant_in(&row, &unsure) else { continue };
                for sealed in row.sealed() {
                    if self.wrap_of(sealed).await?.is_ok() {
                        unsure.remove(&tenant);
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        waiting.extend(unsure);
        Ok(waiting)
    }

    /// Why a row of a tenant that waits does not come back, if it does not.
    pub(super) async fn gone(&self, row: &Row) -> Result<Option<String>, ServiceError> {
        for sealed in row.sealed() {
            let Ok(Envelope { binding, kek_version, .. }) = Envelope::from_bytes(sealed) else {
                return Ok(Some("it is damaged".to_owned()));
            };
            if binding.mode != Mode::Sealed {
                return Ok(Some("it was in the token".to_owned()));
            }
            let kek = self.store.get(Key::Kek(binding.tenant, kek_version)).await?;
            if !matches!(kek, Some(Versioned { row: Row::Kek(kek), .. }) if kek.origin == KekOrigin::Imported) {
                return Ok(Some("its KEK was the lost token's".to_owned()));
            }
        }
        Ok(None)
    }

    /// Leaves what waits as it is, drops what does not come back, and has credentials wait for a blind index of the new
    /// token. `heard` is told what does not come back. Repeating it goes on.
    pub(super) async fn keep_waiting(
        &self,
        tenants: &[TenantId],
        origin: &Origin,
        heard: &mut impl FnMut(Event) -> io::Result<()>,
    ) -> Result<(), ServiceError> {
        let (waiting, mut after) = (tenants.iter().copied().collect(), None);
        while !tenants.is_empty() {
            let page = self.store.sealed(after, PAGE).await?;
            for (key, found) in page.rows {
                let Some(tenant) = tenant_in(&found.row, &waiting) else { continue };
                if let Some(why) = self.gone(&found.row).await? {
                    // What hangs on a credential that was lost went with it.
                    if self.store.get(key.clone()).await?.is_some() {
                        if let Some(event) = self.not_back(tenant, (&key, &found.row), &why).await? {
                            heard(event).map_err(|e| unheard(&e))?;
                        }
                        self.drop_sealed(tenant, (key, found), origin).await?;
                    }
                } else if let Key::Sealed(id) = key {
                    self.lose_index(tenant, id).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        for (tenant, keks) in self.all_keks().await?.into_iter().filter(|(tenant, _)| waiting.contains(tenant)) {
            self.revoke_orphans(tenant, REASON, origin).await?;
            for (version, kek) in keks {
                if kek.origin == KekOrigin::Generated {
                    self.lose_kek(tenant, kek.version, origin).await?;
                } else {
                    let change = Change::replace(Key::Kek(tenant, kek.version), version, Row::Kek(kek.withdrawn()));
                    self.store.put_cas(vec![change], Vec::new()).await?;
                }
            }
        }
        Ok(())
    }

    /// Has a credential wait for its blind index, if it was found by the lost token's.
    async fn lose_index(&self, tenant: TenantId, id: CredentialId) -> Result<(), ServiceError> {
        let key = Key::Credential(tenant, id);
        let Some(Versioned { version, row: Row::Credential(row) }) = self.store.get(key.clone()).await? else {
            return Err(StoreError::Corrupt(format!("sealed bytes of {id}, which is not there")).into());
        };
        let old = Key::Index(row.index);
        if self.store.get(old.clone()).await?.is_none_or(|found| found.row != Row::CredentialRef(id)) {
            return Ok(());
        }
        let row = Row::Credential(Credential { index: LOST_INDEX, ..row });
        self.store.put_cas(vec![Change::remove(old), Change::replace(key, version, row)], Vec::new()).await?;
        Ok(())
    }

    /// Makes the blind indexes that a lost token had made, of what is sealed under a KEK that its tenant brings again.
    /// Nothing of the tenant is enrolled before this is done.
    pub(in crate::service) async fn index_anew(&self, kek: &KekRow) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Credentials(kek.tenant), after, BATCH).await?;
            let mut changes = Vec::new();
            for Versioned { row, .. } in page.rows {
                let Row::Credential(Credential { id, index: LOST_INDEX, .. }) = row else { continue };
                if let Some(index) = self.index_under(kek, id).await? {
                    changes.extend(self.indexed_anew(kek.tenant, id, index).await?);
                }
            }
            self.store.put_cas(changes, Vec::new()).await?;
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// The blind index of a credential whose key id is sealed under this KEK; none of one that is under another, or that
    /// does not open.
    async fn index_under(&self, kek: &KekRow, id: CredentialId) -> Result<Option<[u8; 32]>, ServiceError> {
        let Some(Versioned { row: Row::Sealed(sealed), .. }) = self.store.get(Key::Sealed(id)).await? else {
            return Ok(None);
        };
        if !Envelope::from_bytes(&sealed).is_ok_and(|envelope| envelope.kek_version == kek.version) {
            return Ok(None);
        }
        match self.keeper.index_sealed(IndexSealed { sealed, kek: kek.clone() }).await {
            Ok(index) => Ok(Some(index)),
            Err(KeeperError::Refused(Refused::Tampered | Refused::Relabelled)) => {
                self.tell_unopened(kek.tenant, &Key::Sealed(id)).await;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Whose row it is, if that is one of these tenants.
fn tenant_in(row: &Row, tenants: &BTreeSet<TenantId>) -> Option<TenantId> {
    row.keks().first().map(|(tenant, _)| *tenant).filter(|tenant| tenants.contains(tenant))
}
