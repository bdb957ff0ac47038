//! Owners who are erased: what is kept of one is a salted hash, so that nothing about the person is written again.

use data_encoding::HEXLOWER;
use redb::ReadableTable;

use super::super::super::{Draft, Erased, Key, Row, Scope, Stop, StoreError};
use super::super::tables;
use super::audit::random;
use super::{Apply, Failed};
use crate::audit::{OwnerHash, Subject};
use crate::credential::Credential;
use crate::id::TenantId;

impl Apply<'_> {
    pub(in super::super) fn erase_owner(
        &mut self,
        tenant: TenantId,
        owner: &str,
        entry: &Draft,
    ) -> Result<Erased, Failed> {
        self.live(std::slice::from_ref(entry))?;
        let salt = self.salt()?;
        let name = tenant.to_string();
        let erased = OwnerHash::of(salt, tenant, owner);
        let is_new = self.erased.insert(erased.hash.as_slice(), [].as_slice())?.is_none();
        if is_new {
            self.engrave_later(Subject::Owner(tenant, erased))?;
        }
        self.audit_keys.remove((name.as_str(), owner))?;
        // The tombstone stands for the stop from here on, and does not name the owner.
        let stop = Key::Stopped(Scope::Owner(tenant, owner.to_owned()));
        self.records.remove(tables::key(&stop).as_slice())?;
        let receipt = self.append(&entry.clone().on("owner", HEXLOWER.encode(&erased.hash)))?;
        Ok(Erased { is_new, receipt })
    }

    /// Whether the owner of this tenant was erased.
    pub(super) fn is_erased(&self, tenant: TenantId, owner: &str) -> Result<bool, Failed> {
        let Some(salt) = self.erased.get(tables::ERASED_SALT)? else { return Ok(false) };
        Ok(self.erased.get(owner_hash(salt.value(), tenant, owner)?.as_slice())?.is_some())
    }

    /// Whether a credential would come to an owner whose scope is stopped for good.
    pub(super) fn comes_too_late(&self, key: &Key, row: Option<&Row>) -> Result<Option<Key>, Failed> {
        let Some(Row::Credential(Credential { tenant, owner, .. })) = row else { return Ok(None) };
        let scope = Scope::Owner(*tenant, owner.clone());
        let is_too_late = self.row(key)?.is_none() && self.stopped(&scope)? == Some(Stop::Revoked);
        Ok(is_too_late.then_some(Key::Stopped(scope)))
    }

    /// This store's own, made when it is first needed.
    fn salt(&mut self) -> Result<[u8; 32], Failed> {
        if let Some(salt) = self.erased.get(tables::ERASED_SALT)? {
            return Ok(whole(salt.value())?);
        }
        let salt: [u8; 32] = random()?;
        self.erased.insert(tables::ERASED_SALT, salt.as_slice())?;
        Ok(salt)
    }
}

/// What is kept of an owner.
pub(in super::super) fn owner_hash(salt: &[u8], tenant: TenantId, owner: &str) -> Result<[u8; 32], StoreError> {
    Ok(OwnerHash::of(whole(salt)?, tenant, owner).hash)
}

fn whole(salt: &[u8]) -> Result<[u8; 32], StoreError> {
    salt.try_into().map_err(|_| StoreError::Corrupt("the salt of erased owners has another length".to_owned()))
}
