//! Virtual keys: made, listed, revoked.

use claviger_venues::{Alphabet, KeyType, Shape, VenueId, VirtualForm, VirtualSecret, key_types, virtual_form};
use zeroize::Zeroizing;

use super::accounts::{named, no_random};
use super::directory::KnownApp;
use super::{Service, ServiceError, TRIES};
use crate::audit::EntryOutcome;
use crate::execution::Origin;
use crate::hash::hash_of;
use crate::id::{AppId, CredentialId, TenantId, VirtualKeyId};
use crate::identity::{CallerSecret, NoRandom, random_text};
use crate::keeper::message::Seal;
use crate::secret::Plaintext;
use crate::store::{Change, Key, Page, Range, Row, Scope, Stop, StoreError, Versioned};
use crate::virtual_key::{Proof, VirtualKey, binding};

/// Reads of the store for one page of one credential's keys, at most.
const READS_MAX: usize = 50;

/// A virtual key to be made.
#[derive(Clone, Debug)]
pub struct NewVirtualKey {
    /// The tenant.
    pub tenant: TenantId,
    /// The app whose grants it uses.
    pub app: AppId,
    /// The credential that really signs.
    pub credential: CredentialId,
    /// A name for people.
    pub label: String,
    /// The client's own public key, where the venue's clients sign with one: its type and the bytes of
    /// [`Proof::PublicKey`].
    pub public_key: Option<(KeyType, Vec<u8>)>,
}

/// A virtual key as it is shown once.
pub struct ShownKey {
    /// The row.
    pub row: VirtualKey,
    /// The secret, in the venue's form; none where the client has its own.
    pub secret: Option<Zeroizing<String>>,
    /// The passphrase, where the venue has one.
    pub passphrase: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for ShownKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownKey").field("row", &self.row.id).finish_non_exhaustive()
    }
}

/// How long a passphrase is, in letters and digits.
const PASSPHRASE_CHARS: usize = 24;

impl Service {
    /// Whether an app may make itself a virtual key for a credential: one of its grants is for it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]: what an app has no grant for it does not get to know of.
    pub fn may_have_key(&self, app: &KnownApp, credential: CredentialId) -> Result<(), ServiceError> {
        let granted = app.grants.iter().any(|grant| !grant.operations.is_empty() && grant.credentials.has(credential));
        if granted { Ok(()) } else { Err(ServiceError::NotFound("credential")) }
    }

    /// Makes a virtual key. Its secret is shown once and is nowhere in the clear after that.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_virtual_key(&self, new: NewVirtualKey, origin: &Origin) -> Result<ShownKey, ServiceError> {
        let NewVirtualKey { tenant, app, credential, label, public_key } = new;
        if !label.is_empty() {
            named("a virtual key", &label)?;
        }
        let mut known = self.fresh_credential(tenant, credential).await?;
        let venue = known.row.venue;
        if self.app(app).await?.app.tenant != tenant {
            return Err(ServiceError::NotFound("app"));
        }
        let id = VirtualKeyId::new(self.clock());
        let form = virtual_form(venue);
        let (key_id, proof, secret, passphrase) = match (public_key, form.secret) {
            (Some((key_type, key)), _) => {
                if !key_types(venue).contains(&key_type) {
                    let text = format!("clients of {venue} do not sign with a key of this type: leave public_key out");
                    return Err(ServiceError::invalid("public_key_unsupported", text));
                }
                (made(form.key_id).map_err(no_random)?, Proof::PublicKey { key_type, key }, None, None)
            }
            (None, VirtualSecret::Bearer) => {
                let bearer = CallerSecret::generate("vkey").map_err(no_random)?;
                (String::new(), Proof::Bearer, Some(Zeroizing::new(bearer.reveal().to_owned())), None)
            }
            (None, VirtualSecret::Text(_) | VirtualSecret::Hex(_) | VirtualSecret::Base64(_)) => {
                let key_id = made(form.key_id).map_err(no_random)?;
                let (secret, passphrase) = secrets(form).map_err(no_random)?;
                let sealed = self.sealed_for_client(tenant, id, venue, &key_id, &secret, passphrase.as_ref()).await?;
                (key_id, Proof::Hmac(sealed), Some(secret), passphrase)
            }
        };
        let name = match &secret {
            Some(bearer) if proof == Proof::Bearer => bearer_name(bearer),
            _ => key_name(venue, &key_id),
        };
        let created_ms = self.clock.unix_ms();
        let row = VirtualKey { id, tenant, app, credential, venue, label, key_id, name, proof, created_ms };
        let entry = origin
            .draft("virtual-key.create", EntryOutcome::Allowed)
            .tenant(tenant.to_string())
            .on("virtual-key", id.to_string())
            .detail("app", app.to_string())
            .detail("credential", credential.to_string());
        let mut tries = 1..TRIES;
        loop {
            let changes = vec![
                // Whoever deletes it takes its keys along, and this one may not be among them.
                Change::still(Key::Credential(tenant, credential), known.version),
                Change::create(Key::VirtualKey(tenant, id), Row::VirtualKey(row.clone())),
                Change::create(Key::VirtualName(name), Row::VirtualRef(tenant, id)),
            ];
            match self.store.put_cas(changes, vec![entry.clone()]).await {
                Ok(_) => return Ok(ShownKey { row, secret, passphrase }),
                Err(StoreError::Conflict(key)) if matches!(*key, Key::Credential(..)) && tries.next().is_some() => {
                    known = self.fresh_credential(tenant, credential).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Has the keeper seal a client's secret: the text that the client gets is what it signs with.
    async fn sealed_for_client(
        &self,
        tenant: TenantId,
        id: VirtualKeyId,
        venue: VenueId,
        key_id: &str,
        secret: &str,
        passphrase: Option<&Zeroizing<String>>,
    ) -> Result<Vec<u8>, ServiceError> {
        let kek = self.newest_kek(tenant).await?;
        let sealing = {
            let text = match passphrase {
                None => Zeroizing::new(secret.to_owned()),
                Some(passphrase) => {
                    let parts = serde_json::json!({ "secret": secret, "passphrase": passphrase.as_str() });
                    Zeroizing::new(parts.to_string())
                }
            };
            let secret = Plaintext::copy_of(text.as_bytes())
                .map_err(|error| ServiceError::unavailable(super::Part::Load, error.to_string()))?;
            let seal = Seal { binding: binding(tenant, id, venue), key_id: key_id.to_owned(), kek };
            self.keeper.seal(seal, secret)
        };
        Ok(sealing.await?)
    }

    /// A page of a tenant's virtual keys, or of those that one credential signs for, oldest first. Of one credential's a
    /// page may be short, or empty, and yet have a next one.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn virtual_keys(
        &self,
        tenant: TenantId,
        credential: Option<CredentialId>,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<VirtualKey>, ServiceError> {
        let wanted = |row: Versioned| {
            let Row::VirtualKey(row) = row.row else { return None };
            Some(row).filter(|row| credential.is_none_or(|id| row.credential == id))
        };
        let mut found = Page { rows: Vec::new(), next: after };
        for _ in 0..READS_MAX {
            // Never more than there is room for, so that the next page begins behind the last row that was looked at.
            let room = limit.saturating_sub(found.rows.len());
            let page = self.store.scan(Range::VirtualKeys(tenant), found.next, room).await?;
            found.next = page.next;
            found.rows.extend(page.rows.into_iter().filter_map(wanted));
            if found.next.is_none() || found.rows.len() >= limit.div_ceil(2) {
                break;
            }
        }
        Ok(found)
    }

    /// One of a tenant's virtual keys.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn virtual_key(&self, tenant: TenantId, id: VirtualKeyId) -> Result<VirtualKey, ServiceError> {
        match self.store.get(Key::VirtualKey(tenant, id)).await? {
            Some(Versioned { row: Row::VirtualKey(row), .. }) => Ok(row),
            _ => Err(ServiceError::NotFound("virtual key")),
        }
    }

    /// Revokes a virtual key for good. When this answers, nothing that was signed with it is carried out any more.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn revoke_virtual_key(
        &self,
        tenant: TenantId,
        id: VirtualKeyId,
        reason: &str,
        origin: &Origin,
    ) -> Result<VirtualKey, ServiceError> {
        let row = self.virtual_key(tenant, id).await?;
        let scope = Scope::VirtualKey(id);
        let entry = super::stops::scope_entry("virtual-key.revoke", &scope, reason, origin).tenant(tenant.to_string());
        let changes = vec![
            Change::remove(Key::VirtualKey(tenant, id)),
            Change::remove(Key::VirtualName(row.name)),
            // What was verified with it a moment ago is refused by the commit.
            Change::set(Key::Stopped(scope.clone()), Row::Stopped(Stop::Revoked)),
        ];
        let done = self.store.put_cas(changes, vec![entry]).await;
        self.directory.forget_virtual_key(row.name);
        let done = done?;
        self.bar(scope, done.up_to).await?;
        Ok(row)
    }
}

/// What a row is found by when a client sends its key id.
pub(super) fn key_name(venue: VenueId, key_id: &str) -> [u8; 32] {
    hash_of([b"key".as_slice(), venue.as_str().as_bytes(), key_id.as_bytes()])
}

/// What a row is found by when a client shows its token.
pub(super) fn bearer_name(bearer: &str) -> [u8; 32] {
    hash_of([b"bearer".as_slice(), bearer.as_bytes()])
}

pub(super) fn made(shape: Shape) -> Result<String, NoRandom> {
    let rest = shape.chars.saturating_sub(shape.prefix.len());
    let random = match shape.alphabet {
        Alphabet::Alphanumeric => random_text(rest)?.to_string(),
        Alphabet::Hex => random_bytes(rest.div_ceil(2)).map(|bytes| data_encoding::HEXLOWER.encode(&bytes))?,
        Alphabet::Uuid => {
            let bytes = random_bytes(16)?.as_slice().try_into().map_err(|_| NoRandom)?;
            return Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string());
        }
    };
    Ok([shape.prefix, random.get(..rest).unwrap_or(&random)].concat())
}

/// A secret in the venue's form, and a passphrase where the venue has one.
pub(super) fn secrets(form: VirtualForm) -> Result<(Zeroizing<String>, Option<Zeroizing<String>>), NoRandom> {
    let secret = match form.secret {
        VirtualSecret::Text(chars) => random_text(chars)?,
        VirtualSecret::Hex(chars) => Zeroizing::new(data_encoding::HEXUPPER.encode(&random_bytes(chars / 2)?)),
        VirtualSecret::Base64(bytes) => Zeroizing::new(data_encoding::BASE64.encode(&random_bytes(bytes)?)),
        VirtualSecret::Bearer => return Err(NoRandom),
    };
    let passphrase = form.passphrase.then(|| random_text(PASSPHRASE_CHARS)).transpose()?;
    Ok((secret, passphrase))
}

fn random_bytes(len: usize) -> Result<Zeroizing<Vec<u8>>, NoRandom> {
    let mut bytes = Zeroizing::new(vec![0; len]);
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}
