//! Owners who are erased: what is kept of one is a salted hash, so that nothing about the person is written again.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use redb::ReadableTable;

use super::super::super::{Draft, Erased, Key, Row, Scope, Stop};
use super::super::tables;
use super::audit::random;
use super::{Apply, Failed};
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
        let tombstone = tombstone(&salt, &name, owner);
        let is_new = self.erased.insert(tombstone.as_slice(), [].as_slice())?.is_none();
        self.audit_keys.remove((name.as_str(), owner))?;
        // The tombstone stands for the stop from here on, and does not name the owner.
        let stop = Key::Stopped(Scope::Owner(tenant, owner.to_owned()));
        self.records.remove(tables::key(&stop).as_slice())?;
        let receipt = self.append(&entry.clone().on("owner", HEXLOWER.encode(&tombstone)))?;
        Ok(Erased { is_new, receipt })
    }

    /// Whether the owner of this tenant was erased.
    pub(super) fn is_erased(&self, tenant: &str, owner: &str) -> Result<bool, Failed> {
        let Some(salt) = self.erased.get(tables::ERASED_SALT)? else { return Ok(false) };
        Ok(self.erased.get(tombstone(salt.value(), tenant, owner).as_slice())?.is_some())
    }

    /// Whether a credential would come to an owner whose scope is stopped for good.
    pub(super) fn comes_too_late(&self, key: &Key, row: Option<&Row>) -> Result<Option<Key>, Failed> {
        let Some(Row::Credential(Credential { tenant, owner, .. })) = row else { return Ok(None) };
        let scope = Scope::Owner(*tenant, owner.clone());
        let is_too_late = self.row(key)?.is_none() && self.stopped(&scope)? == Some(Stop::Revoked);
        Ok(is_too_late.then_some(Key::Stopped(scope)))
    }

    /// This store's own, made when it is first needed.
    fn salt(&mut self) -> Result<Vec<u8>, Failed> {
        if let Some(salt) = self.erased.get(tables::ERASED_SALT)? {
            return Ok(salt.value().to_vec());
        }
        let salt: [u8; 32] = random()?;
        self.erased.insert(tables::ERASED_SALT, salt.as_slice())?;
        Ok(salt.to_vec())
    }
}

/// What is kept of an owner: `SHA-256(salt || tenant || 0 || owner)`. The tenant's id has no zero byte.
pub(in super::super) fn tombstone(salt: &[u8], tenant: &str, owner: &str) -> [u8; 32] {
    let text = [salt, tenant.as_bytes(), &[0], owner.as_bytes()].concat();
    let mut tombstone = [0; 32];
    tombstone.copy_from_slice(digest(&SHA256, &text).as_ref());
    tombstone
}
