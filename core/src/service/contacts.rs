//! Where owners are told what happens to their keys: addresses that are sealed as their secrets are, and go with them.

use super::enroll::Enrollment;
use super::stops::credential_draft;
use super::{Service, ServiceError, TRIES};
use crate::audit::{UserKind, timestamp};
use crate::credential::{Contact, Contacts, Credential, Former, contact_binding};
use crate::envelope::{Binding, Envelope};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::keeper::KeeperError;
use crate::keeper::message::{OpenContact, Refused, Seal};
use crate::notice::{About, Address, Notice, Topic};
use crate::secret::Plaintext;
use crate::store::{Change, Expect, Key, Row, StoreError, Versioned};

/// Former addresses of one owner that can wait for their letters: whoever changes it over and over waits with them.
const FORMER_MAX: usize = 16;

impl Service {
    /// Sets where the owner of a credential is told what happens to it, in place of what was set before. That one is told
    /// of the change, also when it is the same: what is sealed is not compared.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for what is no address, [`ServiceError::Conflict`] while too many former ones wait for
    /// their letters; nothing was changed.
    pub async fn set_contact(
        &self,
        tenant: TenantId,
        id: CredentialId,
        address: impl FnOnce() -> Result<Plaintext, String> + Send,
        origin: &Origin,
    ) -> Result<Contact, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let contact = self.sealed_contact(contact_binding(tenant, id, known.row.venue), address).await?;
        self.put_contact(tenant, id, Some(contact.clone()), origin).await?;
        Ok(contact)
    }

    /// Has the owner of a credential no longer told what happens to it, and tells him so.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where nothing is known, [`ServiceError::Conflict`] while too many former addresses wait
    /// for their letters; nothing was changed.
    pub async fn remove_contact(
        &self,
        tenant: TenantId,
        id: CredentialId,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        self.put_contact(tenant, id, None, origin).await
    }

    /// Has another address count, or none. Nobody says in place of which one, so whatever else is written meanwhile, such as
    /// that a former one was told, only has it tried anew.
    async fn put_contact(
        &self,
        tenant: TenantId,
        id: CredentialId,
        now: Option<Contact>,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let mut tries = 1..TRIES;
        loop {
            let known = self.fresh_credential(tenant, id).await?;
            let action = if now.is_some() {
                "contact.set"
            } else {
                self.contact(tenant, id).await?;
                "contact.remove"
            };
            let mut changes = vec![Change::still(Key::Credential(tenant, id), known.version)];
            changes.extend(self.changed_contact(&known.row, now.clone(), origin).await?);
            let entry = origin.stamp(credential_draft(action, &known.row));
            match self.store.put_cas(changes, vec![entry]).await {
                Err(StoreError::Conflict(key))
                    if matches!(*key, Key::Contact(_) | Key::Credential(..)) && tries.next().is_some() => {}
                done => return Ok(done.map(drop)?),
            }
        }
    }

    /// That an address is known, and since when. What it is, nobody is told.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where none is known.
    pub async fn contact(&self, tenant: TenantId, id: CredentialId) -> Result<Contact, ServiceError> {
        self.fresh_credential(tenant, id).await?;
        self.contacts(id).await?.1.now.ok_or(ServiceError::NotFound("contact address"))
    }

    /// The changes by which another address counts, or none. The one that counted is told so, and stays sealed until then.
    async fn changed_contact(
        &self,
        row: &Credential,
        now: Option<Contact>,
        origin: &Origin,
    ) -> Result<Vec<Change>, ServiceError> {
        let (version, Contacts { now: before, mut former }) = self.contacts(row.id).await?;
        let mut changes = Vec::new();
        if let Some(before) = before {
            if former.len() >= FORMER_MAX {
                let text =
                    format!("{FORMER_MAX} former addresses are still to be told of their change: try again later");
                return Err(ServiceError::conflict("contact_letters_wait", format!("{text}; nothing was changed")));
            }
            let details = vec![
                ("changed_at", timestamp(self.clock.unix_ms())),
                ("told", if now.is_some() { "another address" } else { "nobody" }.to_owned()),
                ("by", asker(origin)),
            ];
            let (notice, rows) = self.noticed(Topic::ContactChanged, About::Credential(row.tenant, row.id), details);
            former.push(Former { notice, sealed: before.sealed });
            changes = rows;
        }
        changes.push(written(row.id, version, Contacts { now, former }));
        Ok(changes)
    }

    /// The address that a notice tells of a credential, sealed; a change is told to the one that counted before it.
    pub(super) async fn addressed(&self, notice: &Notice, id: CredentialId) -> Result<Option<Vec<u8>>, StoreError> {
        let (_, Contacts { now, former }) = self.contacts(id).await?;
        Ok(if notice.topic == Topic::ContactChanged {
            former.into_iter().find(|former| former.notice == notice.id).map(|former| former.sealed)
        } else {
            now.map(|now| now.sealed)
        })
    }

    /// The change by which the address goes that a notice has told of its change, or could not tell.
    pub(super) async fn former_contact_gone(&self, notice: &Notice) -> Result<Option<Change>, StoreError> {
        let About::Credential(_, id) = notice.about else { return Ok(None) };
        let (version, mut contacts) = self.contacts(id).await?;
        let before = contacts.former.len();
        contacts.former.retain(|former| former.notice != notice.id);
        Ok((contacts.former.len() < before).then(|| written(id, version, contacts)))
    }

    /// The addresses of a credential's owner, and the version of their row, 0 where there is none.
    async fn contacts(&self, id: CredentialId) -> Result<(u64, Contacts), StoreError> {
        Ok(match self.store.get(Key::Contact(id)).await? {
            Some(Versioned { version, row: Row::Contact(now) }) => {
                (version, Contacts { now: Some(now), former: Vec::new() })
            }
            Some(Versioned { version, row: Row::Contacts(contacts) }) => (version, contacts),
            _ => (0, Contacts::default()),
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
        sealed: Vec<u8>,
    ) -> Result<Address, ServiceError> {
        let envelope = Envelope::from_bytes(&sealed).map_err(|_| ServiceError::Tampered)?;
        let kek = self.directory.kek(self.store(), tenant, envelope.kek_version).await?;
        let kek = kek.ok_or(ServiceError::Tampered)?.as_ref().clone();
        // Whoever moved the row here from another credential is told nothing.
        if (envelope.binding.tenant, envelope.binding.credential) != (tenant, id) {
            return Err(ServiceError::Tampered);
        }
        Ok(self.keeper.open_contact(OpenContact { sealed, kek }).await?)
    }
}

/// The change that writes an owner's addresses in place of those of a version.
fn written(id: CredentialId, version: u64, contacts: Contacts) -> Change {
    let row = match contacts {
        Contacts { now, former } if former.is_empty() => now.map(Row::Contact),
        contacts => Some(Row::Contacts(contacts)),
    };
    let expect = if version == 0 { Expect::Absent } else { Expect::Version(version) };
    Change { key: Key::Contact(id), expect, row }
}

/// Who asks, in a letter, which has nobody's name: the audit log has it.
fn asker(origin: &Origin) -> String {
    match origin.kind {
        UserKind::App => format!("the app {}", origin.id),
        UserKind::Operator => "an operator".to_owned(),
        UserKind::System | UserKind::Nobody => "the service".to_owned(),
    }
}
