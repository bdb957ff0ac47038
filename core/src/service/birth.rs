//! Keys that are made inside the token: born, shown to the venue by their owner, activated, and destroyed for good.

use claviger_venues::{KeyType, SecretKind, key_id_ok, key_types};

use super::directory::KnownCredential;
use super::enroll::{Enrollment, already_enrolled, enrolled_entry};
use super::{Service, ServiceError};
use crate::credential::{BornKey, Credential, Health, NO_INDEX, State, Upkeep, hint};
use crate::envelope::{Binding, Mode, Purpose};
use crate::execution::{Material, Origin};
use crate::id::{CredentialId, TenantId};
use crate::keeper::message::{Birth, Born, Name};
use crate::policy::Stored;
use crate::secret::Plaintext;
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};

/// How many born keys of one tenant may wait for their key id.
const PENDING_MAX: usize = 64;

/// More than any token holds.
const OBJECTS: usize = 10_000;

impl Service {
    /// Makes a key inside the token. The credential waits for the key id that the venue gives for the public half.
    ///
    /// # Errors
    /// [`ServiceError`]: nothing is stored but audit entries. `token_full` and `pending_full` say what to make room in.
    pub async fn bear(
        &self,
        enrollment: Enrollment,
        key_type: KeyType,
        contact: Option<impl FnOnce() -> Result<Plaintext, String> + Send>,
        origin: &Origin,
    ) -> Result<(Credential, BornKey), ServiceError> {
        self.spare()?;
        let id = CredentialId::new(self.clock());
        let born = self.try_bear(id, &enrollment, key_type, contact, origin).await;
        if let Err(error) = &born {
            self.note_refusal("credential.birth", &enrollment, id, error, origin).await?;
        }
        born
    }

    async fn try_bear(
        &self,
        id: CredentialId,
        enrollment: &Enrollment,
        key_type: KeyType,
        contact: Option<impl FnOnce() -> Result<Plaintext, String> + Send>,
        origin: &Origin,
    ) -> Result<(Credential, BornKey), ServiceError> {
        self.well_formed(enrollment)?;
        let contact = self.first_contact(id, enrollment, contact).await?;
        let Enrollment { tenant, venue, ceiling, .. } = enrollment.clone();
        if !key_types(venue).contains(&key_type) {
            let text = format!("{venue} takes no public keys of this type: see `claviger venue {venue}`");
            return Err(ServiceError::invalid("key_type_unsupported", text));
        }
        // One at a time: each may be the last that there is room for, and making one keeps a session busy.
        let _turn = self.births.lock().await;
        self.has_room(tenant).await?;
        let kek = self.newest_kek(tenant).await?;
        let (kind, mode, purpose) = (SecretKind::PrivateKey, Mode::HsmBorn, Purpose::VenueSecret);
        let binding = Binding { tenant, credential: id, version: 1, purpose, venue, kind, mode, ceiling };
        let Born { sealed, public_pem, object } = self.keeper.birth(Birth { binding, key_type, kek }).await?;
        let now = self.clock.unix_ms();
        let credential = Credential {
            id,
            tenant,
            owner: enrollment.owner.clone(),
            label: enrollment.label.clone(),
            venue,
            kind,
            mode,
            ceiling,
            hint: String::new(),
            index: NO_INDEX,
            state: State::Pending,
            health: Health::Unproven,
            ip_restricted: false,
            version: 1,
            epoch: 1,
            created_ms: now,
            changed_ms: now,
            probed_ms: now,
            upkeep: Upkeep { expires_ms: enrollment.expires_ms, ..Upkeep::default() },
        };
        let born = BornKey { public_pem, object: object.clone(), pending: true };
        let mut changes = vec![
            Change::create(Key::Credential(tenant, id), Row::Credential(credential.clone())),
            Change::create(Key::Sealed(id), Row::Sealed(sealed)),
            Change::create(Key::Born(tenant, id), Row::Born(born.clone())),
        ];
        changes.extend(contact);
        if let Some(label) = object.clone() {
            changes.push(owned_by(label, Some(id)));
        }
        let entry = enrolled_entry("credential.birth", &credential, origin);
        match self.store.put_cas(changes, vec![entry]).await {
            Ok(_) => Ok((credential, born)),
            Err(error) => {
                // What may be stored all the same must not lose its key.
                let unknown = matches!(error, StoreError::Unknown(_));
                if let Some(label) = object.filter(|_| !unknown)
                    && let Err(error) = self.keeper.destroy_key(label).await
                {
                    tracing::warn!(%error, "a key that no credential names stays in the token");
                }
                Err(error.into())
            }
        }
    }

    async fn has_room(&self, tenant: TenantId) -> Result<(), ServiceError> {
        let (mut pending, mut after) = (0_usize, None);
        loop {
            let page = self.store.scan(Range::Born(tenant), after, 1_000).await?;
            let waits = |row: &&Versioned| matches!(&row.row, Row::Born(born) if born.pending);
            pending = pending.saturating_add(page.rows.iter().filter(waits).count());
            if pending >= PENDING_MAX {
                let text = format!("{pending} keys wait for their key id: activate or delete some");
                return Err(ServiceError::conflict("pending_full", text));
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Gives a born key the key id that the venue gave for it, and proves and activates the credential.
    ///
    /// # Errors
    /// [`ServiceError`]: it stays pending.
    pub async fn activate(
        &self,
        tenant: TenantId,
        id: CredentialId,
        key_id: String,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let activated = self.try_activate(&known, &key_id, origin).await;
        if let Err(error) = &activated {
            let enrollment = Enrollment::again(&known.row, key_id);
            self.note_refusal("credential.activate", &enrollment, id, error, origin).await?;
        }
        activated
    }

    async fn try_activate(
        &self,
        known: &KnownCredential,
        key_id: &str,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        let row = &known.row;
        let (tenant, id) = (row.tenant, row.id);
        if !row.is_unnamed() {
            return Err(ServiceError::conflict("activated", "the credential has its key id already"));
        }
        if row.state != State::Pending {
            return Err(ServiceError::conflict("stopped", "the credential is stopped: unfreeze it first"));
        }
        if !key_id_ok(row.venue, key_id) {
            return Err(ServiceError::invalid("key_id_invalid", format!("this is no key id of {}", row.venue)));
        }
        let Some(Versioned { row: Row::Born(born), version: born_version }) =
            self.store.get(Key::Born(tenant, id)).await?
        else {
            return Err(StoreError::Corrupt(format!("{id} has no public key")).into());
        };
        let index = self.keeper.index(tenant, row.venue, key_id).await?;
        if self.store.get(Key::Index(index)).await?.is_some() {
            return Err(already_enrolled());
        }
        let Material { sealed, kek } = known.material.clone();
        let name = Name { sealed, kek: kek.clone(), key_id: key_id.to_owned() };
        let material = Material { sealed: self.keeper.name(name).await?, kek };
        let named = Credential { hint: hint(key_id), index, ..row.clone() };
        let proven = self.proven(named, Stored::Yes, &material, origin).await?;
        let now = self.clock.unix_ms();
        let active = Credential { epoch: row.epoch.saturating_add(1), changed_ms: now, ..proven };
        let changes = vec![
            Change::create(Key::Index(index), Row::CredentialRef(id)),
            Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(active.clone())),
            Change::set(Key::Sealed(id), Row::Sealed(material.sealed)),
            Change::replace(Key::Born(tenant, id), born_version, Row::Born(BornKey { pending: false, ..born })),
        ];
        let changes = changes.into_iter().chain(self.planned(&active)).collect();
        let entry = enrolled_entry("credential.activate", &active, origin);
        let done = self.store.put_cas(changes, vec![entry]).await;
        self.directory.forget_credential(tenant, id);
        done?;
        Ok(active)
    }

    /// What the token told of a credential's key when it made it; `None` for a key that was brought in.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn born_key(&self, tenant: TenantId, id: CredentialId) -> Result<Option<BornKey>, ServiceError> {
        Ok(match self.store.get(Key::Born(tenant, id)).await? {
            Some(Versioned { row: Row::Born(born), .. }) => Some(born),
            _ => None,
        })
    }

    /// What makes the object in the token nobody's that is the key of a credential; [`Self::bury`] destroys it.
    pub(super) async fn disowned(&self, credential: &Credential) -> Result<Option<Change>, ServiceError> {
        let born = self.born_key(credential.tenant, credential.id).await?;
        let object = born.and_then(|born| born.object);
        Ok(object.map(|label| Change { expect: crate::store::Expect::Any, ..owned_by(label, None) }))
    }

    /// Destroys the keys in the token that belong to no credential any more, and says how many these were.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn bury(&self) -> Result<usize, ServiceError> {
        let mut buried = 0_usize;
        for row in self.store.scan(Range::TokenObjects, None, OBJECTS).await?.rows {
            let Row::TokenObject { label, credential: None } = row.row else { continue };
            self.keeper.destroy_key(label.clone()).await?;
            self.store.put_cas(vec![Change::remove(Key::TokenObject(label))], Vec::new()).await?;
            buried = buried.saturating_add(1);
        }
        Ok(buried)
    }

    /// The labels of callers' keys in the token that the store does not know: a crash fell between their birth and the
    /// commit. Nothing destroys them, because a store that does not know a key may be the wrong store.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn stray_keys(&self) -> Result<Vec<String>, ServiceError> {
        let _turn = self.births.lock().await;
        let mut strays = Vec::new();
        for label in self.keeper.key_objects().await? {
            if self.store.get(Key::TokenObject(label.clone())).await?.is_none() {
                strays.push(label);
            }
        }
        Ok(strays)
    }
}

fn owned_by(label: String, credential: Option<CredentialId>) -> Change {
    Change::create(Key::TokenObject(label.clone()), Row::TokenObject { label, credential })
}

/// Why a key that the token made is not rotated.
pub(super) fn not_rotated() -> ServiceError {
    ServiceError::conflict(
        "key_born",
        "a key that was made in the token is not exchanged: make another one (mode hsm_born), register and activate it, \
         then delete this one",
    )
}

/// Why a key without a key id is not asked about.
pub(super) fn not_activated() -> ServiceError {
    ServiceError::conflict("not_activated", "the credential has no key id yet: register its public key and activate it")
}

/// Which secrets can be brought into the token at all.
pub(super) fn may_be_resident(kind: SecretKind) -> Result<(), ServiceError> {
    match kind {
        SecretKind::Hmac | SecretKind::PrivateKey => Ok(()),
        SecretKind::Bearer | SecretKind::Login | SecretKind::Token => {
            let text = "the venue wants to see this secret, so it cannot stay in the token: enroll it sealed";
            Err(ServiceError::invalid("mode_unsupported", text))
        }
    }
}
