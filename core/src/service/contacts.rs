//! Where owners are told what happens to their keys: addresses that are sealed as their secrets are, and go with them.

use super::enroll::Enrollment;
use super::stops::credential_draft;
use super::{Service, ServiceError};
use crate::credential::{Contact, contact_binding};
use crate::envelope::{Binding, Envelope};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::keeper::KeeperError;
use crate::keeper::message::{OpenContact, Refused, Seal};
use crate::notice::Address;
use crate::secret::Plaintext;
use crate::store::{Change, Key, Row, StoreError, Versioned};

impl Service {
    /// Sets where the owner of a credential is told what happens to it, in place of what was set before.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for what is no address; nothing was changed.
    pub async fn set_contact(
        &self,
        tenant: TenantId,
        id: CredentialId,
        address: impl FnOnce() -> Result<Plaintext, String> + Send,
        origin: &Origin,
    ) -> Result<Contact, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let contact = self.sealed_contact(contact_binding(tenant, id, known.row.venue), address).await?;
        let changes = vec![
            Change::still(Key::Credential(tenant, id), known.version),
            Change::set(Key::Contact(id), Row::Contact(contact.clone())),
        ];
        let entry = origin.stamp(credential_draft("contact.set", &known.row));
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(contact)
    }

    /// Forgets where the owner of a credential is told what happens to it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where nothing is known.
    pub async fn remove_contact(
        &self,
        tenant: TenantId,
        id: CredentialId,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        self.contact(tenant, id).await?;
        let entry = origin.stamp(credential_draft("contact.remove", &known.row));
        self.store.put_cas(vec![Change::remove(Key::Contact(id))], vec![entry]).await?;
        Ok(())
    }

    /// That an address is known, and since when. What it is, nobody is told.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where none is known.
    pub async fn contact(&self, tenant: TenantId, id: CredentialId) -> Result<Contact, ServiceError> {
        self.fresh_credential(tenant, id).await?;
        self.stored_contact(id).await?.ok_or(ServiceError::NotFound("contact address"))
    }

    pub(super) async fn stored_contact(&self, id: CredentialId) -> Result<Option<Contact>, StoreError> {
        Ok(match self.store.get(Key::Contact(id)).await? {
            Some(Versioned { row: Row::Contact(contact), .. }) => Some(contact),
            _ => None,
        })
    }

    /// The row of the address that a credential comes with, if it comes with one.
    pub(super) async fn first_contact(
        &self,
        id: CredentialId,
        enrollment: &Enrollment,
        address: Option<impl FnOnce() -> Result<Plaintext, String> + Send>,
    ) -> Result<Option<Change>, ServiceError> {
        let Some(address) = address else { return Ok(None) };
        let contact = self.sealed_contact(contact_binding(enrollment.tenant, id, enrollment.venue), address).await?;
        Ok(Some(Change::create(Key::Contact(id), Row::Contact(contact))))
    }

    /// Seals an address for the place where it belongs.
    pub(super) async fn sealed_contact(
        &self,
        binding: Binding,
        address: impl FnOnce() -> Result<Plaintext, String> + Send,
    ) -> Result<Contact, ServiceError> {
        let kek = self.newest_kek(binding.tenant).await?;
        let invalid = |text: String| {
            let text = format!("`contact` is the owner's e-mail address in ASCII: {text}; nothing was stored");
            ServiceError::invalid("contact_invalid", text)
        };
        let seal = Seal { binding, key_id: String::new(), kek };
        let sealing = address().map_err(invalid).map(|address| self.keeper.seal(seal, address))?;
        let sealed = sealing.await.map_err(|error| match error {
            KeeperError::Refused(Refused::Secret(text)) => invalid(text),
            error @ (KeeperError::Refused(_) | KeeperError::Gone | KeeperError::Token(_)) => error.into(),
        })?;
        Ok(Contact { sealed, set_ms: self.clock.unix_ms() })
    }

    /// Opens an address, for a letter that is sent to it at once.
    pub(super) async fn opened_contact(
        &self,
        tenant: TenantId,
        id: CredentialId,
    ) -> Result<Option<Address>, ServiceError> {
        let Some(Contact { sealed, .. }) = self.stored_contact(id).await? else { return Ok(None) };
        let envelope = Envelope::from_bytes(&sealed).map_err(|_| ServiceError::Tampered)?;
        let kek = self.directory.kek(self.store(), tenant, envelope.kek_version).await?;
        let kek = kek.ok_or(ServiceError::Tampered)?.as_ref().clone();
        // Whoever moved the row here from another credential is told nothing.
        if (envelope.binding.tenant, envelope.binding.credential) != (tenant, id) {
            return Err(ServiceError::Tampered);
        }
        Ok(Some(self.keeper.open_contact(OpenContact { sealed, kek }).await?))
    }
}
