//! Enrollment and rotation: seal first, probe with the sealed bytes, then store credential, sealed bytes, blind index
//! and audit entry in one commit. A refusal stores its audit entries only.

use claviger_venues::{Ceiling, IpRestriction, KeyFacts, SecretKind, VenueId, accepts, key_id_ok, objections};

use super::probe::{self, Probed};
use super::{Service, ServiceError, birth};
use crate::audit::{EntryOutcome, Personal};
use crate::credential::{Credential, Health, Powers, State, Upkeep, hint};
use crate::envelope::{Binding, Mode, Purpose};
use crate::execution::{Material, Origin};
use crate::id::{CredentialId, TenantId};
use crate::keeper::KekRow;
use crate::keeper::message::Seal;
use crate::policy::{Denied, Stored};
use crate::secret::Plaintext;
use crate::store::{Change, Key, Row, Scope, StoreError, Versioned};

/// The longest label and owner id, in characters.
const TEXT_MAX: usize = 128;

/// Everything about a new credential but its secret.
#[derive(Clone, Debug)]
pub struct Enrollment {
    /// The tenant.
    pub tenant: TenantId,
    /// The person it belongs to.
    pub owner: String,
    /// A name for people.
    pub label: String,
    /// The venue.
    pub venue: VenueId,
    /// What kind of secret it is.
    pub kind: SecretKind,
    /// How it is used.
    pub mode: Mode,
    /// What it may be used for at most.
    pub ceiling: Ceiling,
    /// The venue's key id; empty for a key that is yet to be born.
    pub key_id: String,
    /// When the key is not to be used any more, milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
}

/// Another key for a credential that is there.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The venue's key id.
    pub key_id: String,
    /// The most that it may be used for; the present one's if none. A wider one has to be allowed before.
    pub ceiling: Option<Ceiling>,
    /// When it is not to be used any more, milliseconds since the Unix epoch.
    pub expires_ms: Option<u64>,
}

/// A credential with another key.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The credential.
    pub credential: Credential,
    /// Whether it is another one at the venue, too, where the old one is left.
    pub exchanged: bool,
}

impl Enrollment {
    /// Another key for the same credential.
    pub(super) fn again(row: &Credential, key_id: String) -> Self {
        Self {
            tenant: row.tenant,
            owner: row.owner.clone(),
            label: row.label.clone(),
            venue: row.venue,
            kind: row.kind,
            mode: row.mode,
            ceiling: row.ceiling,
            key_id,
            expires_ms: None,
        }
    }
}

impl Service {
    /// Enrolls a credential. `secret` is called when everything else is known to be right, and `contact` before it: the
    /// owner's e-mail address, if one was given.
    ///
    /// # Errors
    /// [`ServiceError`]: nothing is stored but audit entries.
    pub async fn enroll(
        &self,
        enrollment: Enrollment,
        secret: impl FnOnce() -> Result<Plaintext, String> + Send,
        contact: Option<impl FnOnce() -> Result<Plaintext, String> + Send>,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        self.spare()?;
        let id = CredentialId::new(self.clock());
        let enrolled = self.try_enroll(id, &enrollment, secret, contact, origin).await;
        if let Err(error) = &enrolled {
            self.tokens.forget(id, None);
            self.note_refusal("credential.enroll", &enrollment, id, error, origin).await?;
        }
        enrolled
    }

    async fn try_enroll(
        &self,
        id: CredentialId,
        enrollment: &Enrollment,
        secret: impl FnOnce() -> Result<Plaintext, String> + Send,
        contact: Option<impl FnOnce() -> Result<Plaintext, String> + Send>,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        self.well_formed(enrollment)?;
        let contact = self.first_contact(id, enrollment, contact).await?;
        let (credential, material) = self.sealed(id, 1, enrollment, secret).await?;
        let credential = self.proven(credential, Stored::NotYet, &material, origin).await?;
        let entry = enrolled_entry("credential.enroll", &credential, origin);
        let token = self.token_row(&credential);
        let changes = vec![
            Change::create(Key::Index(credential.index), Row::CredentialRef(id)),
            Change::create(Key::Credential(credential.tenant, id), Row::Credential(credential.clone())),
            Change::create(Key::Sealed(id), Row::Sealed(material.sealed)),
        ];
        let changes = changes.into_iter().chain(token).chain(contact).chain(self.planned(&credential)).collect();
        match self.store.put_cas(changes, vec![entry]).await {
            Ok(_) => Ok(credential),
            Err(StoreError::Conflict(key)) if matches!(*key, Key::Index(_)) => Err(already_enrolled()),
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the key of a credential: the new one is proven, then the old ciphertext is gone in the same commit.
    ///
    /// One that was frozen only for having expired goes on as before.
    ///
    /// # Errors
    /// [`ServiceError`]: the old version stays in use.
    pub async fn rotate(
        &self,
        tenant: TenantId,
        id: CredentialId,
        if_match: u64,
        key: NewKey,
        secret: impl FnOnce() -> Result<Plaintext, String> + Send,
        origin: &Origin,
    ) -> Result<Rotated, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let old = &known.row;
        let NewKey { key_id, ceiling, expires_ms } = key;
        let mut enrollment = Enrollment { expires_ms, ..Enrollment::again(old, key_id) };
        let rotated = async {
            if known.version != if_match {
                return Err(ServiceError::Changed);
            }
            if old.state == State::Revoked {
                return Err(ServiceError::conflict("revoked", "a revoked credential is not rotated: enroll a new one"));
            }
            if old.mode == Mode::HsmBorn {
                return Err(birth::not_rotated());
            }
            self.well_formed(&enrollment)?;
            let (ceiling, allowance) = self.next_ceiling(old, ceiling).await?;
            enrollment.ceiling = ceiling;
            let (mut new, material) = self.sealed(id, old.version.saturating_add(1), &enrollment, secret).await?;
            new.state = old.state;
            // The probe is an intent on the row that is there, so it names that row's epoch.
            new.epoch = old.epoch;
            new.created_ms = old.created_ms;
            let mut new = self.proven(new, Stored::Yes, &material, origin).await?;
            new.epoch = old.epoch.saturating_add(1);
            new.state = old.state_renewed();
            let entry = enrolled_entry("credential.rotate", &new, origin);
            let mut changes = vec![
                Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(new.clone())),
                Change::set(Key::Sealed(id), Row::Sealed(material.sealed)),
                self.token_row(&new).unwrap_or_else(|| Change::remove(Key::Token(id))),
                allowance,
            ];
            if new.index != old.index {
                changes.push(Change::create(Key::Index(new.index), Row::CredentialRef(id)));
                changes.push(Change::remove(Key::Index(old.index)));
            }
            let done = self.put_planned(id, changes, entry, |old| Ok(self.planned_anew(&new, old))).await;
            self.directory.forget_credential(tenant, id);
            let done = done?;
            self.bar(Scope::Credential(id), done.up_to).await?;
            Ok(Rotated { exchanged: new.index != old.index, credential: new })
        };
        let rotated = rotated.await;
        self.tokens.forget(id, Some(rotated.as_ref().map_or(old.version, |new| new.credential.version)));
        if let Err(error) = &rotated {
            self.note_refusal("credential.rotate", &enrollment, id, error, origin).await?;
        }
        rotated
    }

    pub(super) fn well_formed(&self, enrollment: &Enrollment) -> Result<(), ServiceError> {
        let Enrollment { owner, label, venue, kind, mode, key_id, expires_ms, .. } = enrollment;
        if !self.venues.enabled.contains(venue) {
            return Err(Denied::venue_disabled().into());
        }
        for (name, text) in [("owner", owner), ("label", label)] {
            if !is_text(text) {
                let text = format!("{name} has at most {TEXT_MAX} characters and no control characters");
                return Err(ServiceError::invalid("text_invalid", text));
            }
        }
        if let Some(expires_ms) = expires_ms {
            self.lies_ahead(*expires_ms)?;
        }
        if owner.is_empty() {
            return Err(ServiceError::invalid("owner_missing", "say whose key it is: owner"));
        }
        if !accepts(*venue, *kind) {
            let text = format!("{venue} takes no keys of kind {}", kind.as_str());
            return Err(ServiceError::invalid("kind_unsupported", text));
        }
        if *mode == Mode::Resident {
            birth::may_be_resident(*kind)?;
        }
        if *mode != Mode::HsmBorn && !key_id_ok(*venue, key_id) {
            return Err(ServiceError::invalid("key_id_invalid", format!("this is no key id of {venue}")));
        }
        Ok(())
    }

    /// Seals the secret as a new version. The blind index is asked before, so that a known key costs the venue nothing.
    async fn sealed(
        &self,
        id: CredentialId,
        version: u32,
        enrollment: &Enrollment,
        secret: impl FnOnce() -> Result<Plaintext, String> + Send,
    ) -> Result<(Credential, Material), ServiceError> {
        let Enrollment { tenant, venue, kind, mode, ceiling, key_id, .. } = enrollment.clone();
        let kek = self.newest_kek(tenant).await?;
        let index = self.keeper.index(tenant, venue, &key_id).await?;
        if let Some(Versioned { row: Row::CredentialRef(other), .. }) = self.store.get(Key::Index(index)).await?
            && other != id
        {
            return Err(already_enrolled());
        }
        let purpose = Purpose::VenueSecret;
        let binding = Binding { tenant, credential: id, version, purpose, venue, kind, mode, ceiling };
        let as_what = Seal { binding, key_id, kek: kek.clone() };
        let sealing = secret()
            .map_err(|text| ServiceError::invalid("secret_unusable", text))
            .map(|secret| self.keeper.seal(as_what, secret))?;
        let sealed = sealing.await?;
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
            hint: hint(&enrollment.key_id),
            index,
            state: State::Pending,
            health: Health::Unproven,
            ip_restricted: false,
            version,
            epoch: 1,
            created_ms: now,
            changed_ms: now,
            probed_ms: now,
            upkeep: Upkeep { expires_ms: enrollment.expires_ms, ..Upkeep::default() },
        };
        Ok((credential, Material { sealed, kek }))
    }

    /// Has the venue say that the key works, can do what the ceiling needs, and nothing that it must not.
    pub(super) async fn proven(
        &self,
        credential: Credential,
        stored: Stored,
        material: &Material,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        match self.probe(&credential, stored, material, origin).await? {
            Probed::Refused(meaning) => Err(probe::refusal(&credential, &meaning)),
            Probed::Facts(facts) if facts.unproven && !self.venues.accept_unproven.contains(&credential.venue) => {
                let venue = credential.venue;
                let text = format!(
                    "{venue} does not show what a key may do, so only Claviger's catalogue would limit it: an operator \
                     accepts such keys with venues.{venue}.accept_unproven = true"
                );
                Err(ServiceError::invalid("key_unproven", text))
            }
            Probed::Facts(facts) => {
                let against = objections(credential.venue, &facts, credential.ceiling);
                if against.is_empty() {
                    Ok(Credential { state: State::Active, ..with_facts(credential, &facts, self.clock.unix_ms()) })
                } else {
                    Err(ServiceError::Objections(against))
                }
            }
        }
    }

    /// The tenant's newest KEK.
    pub(super) async fn newest_kek(&self, tenant: TenantId) -> Result<KekRow, ServiceError> {
        let Some(Versioned { row: Row::Tenant(row), .. }) = self.store.get(Key::Tenant(tenant)).await? else {
            return Err(ServiceError::NotFound("tenant"));
        };
        let kek = self.directory.kek(self.store(), tenant, row.kek_version).await?;
        if kek.as_ref().is_some_and(|kek| kek.is_withdrawn()) {
            return Err(ServiceError::kek_withdrawn());
        }
        kek.map(|kek| kek.as_ref().clone())
            .ok_or_else(|| StoreError::Corrupt(format!("{tenant} has no KEK of version {}", row.kek_version)).into())
    }

    pub(super) async fn note_refusal(
        &self,
        action: &str,
        enrollment: &Enrollment,
        id: CredentialId,
        error: &ServiceError,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let entry = origin
            .draft(action, error.outcome())
            .rule(error.tag())
            .tenant(enrollment.tenant.to_string())
            .on("credential", id.to_string())
            .detail("venue", enrollment.venue.as_str());
        // What can be nobody's name gets no key in the log.
        let entry = if is_text(&enrollment.owner) && !enrollment.owner.is_empty() {
            entry.personal(Personal { owner: enrollment.owner.clone() })
        } else {
            entry
        };
        self.store.append(vec![entry]).await?;
        Ok(())
    }
}

/// Whether an owner or a label may be written so.
fn is_text(text: &str) -> bool {
    text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control)
}

/// The credential with what a probe found.
pub(super) fn with_facts(credential: Credential, facts: &KeyFacts, now_ms: u64) -> Credential {
    let ip_restricted = match &facts.ip {
        IpRestriction::None => false,
        IpRestriction::Flag | IpRestriction::List(_) => true,
    };
    let health = if facts.unproven { Health::Unproven } else { Health::Ok };
    let powers = Some(Powers::of(facts));
    let upkeep = Upkeep { powers, venue_expires_ms: facts.expires_ms, ..credential.upkeep };
    Credential { health, ip_restricted, probed_ms: now_ms, upkeep, ..credential }
}

pub(super) fn enrolled_entry(action: &str, credential: &Credential, origin: &Origin) -> crate::audit::Draft {
    origin
        .draft(action, EntryOutcome::Allowed)
        .tenant(credential.tenant.to_string())
        .on("credential", credential.id.to_string())
        .detail("venue", credential.venue.as_str())
        .detail("version", credential.version.to_string())
        .detail("mode", credential.mode.as_str())
        .personal(Personal { owner: credential.owner.clone() })
}

pub(super) fn already_enrolled() -> ServiceError {
    ServiceError::conflict("already_enrolled", "this key is enrolled already: rotate or delete that credential instead")
}
