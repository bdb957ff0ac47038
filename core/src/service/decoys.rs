//! Decoys: made, listed, removed, and the alarm when one is tried.
//!
//! The gateway answers a decoy as it answers a key that was revoked, by the same code: it only notes the use, in memory,
//! and [`Service::tell_decoys`] writes it down. So nobody can tell a decoy by its answer, or by how long that takes.

mod seen;

use aws_lc_rs::signature::Ed25519KeyPair;
use claviger_venues::{Inbound, KeyType, VenueId, VirtualSecret, key_types, named, virtual_form};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::accounts::{no_random, picked};
use super::virtual_keys::{made, secrets};
use super::{Service, ServiceError, Sighting};
use crate::audit::EntryOutcome;
use crate::decoy::{Decoy, decoy_name};
use crate::execution::Origin;
use crate::id::{DecoyId, TenantId};
use crate::identity::{CallerSecret, NoRandom};
use crate::incident::Detector;
use crate::store::{Change, Expect, Key, Page, Range, Row, StoreError, Versioned};

pub(super) use seen::Decoys;
use seen::Seen;

/// Decoys of one tenant at most.
const DECOYS_MAX: usize = 200;

/// Where a decoy is planted, in characters at most.
const LABEL_MAX: usize = 120;

/// What a decoy's uses are written down at most once in, milliseconds.
const QUIET_MS: u64 = 60_000;

/// A decoy to be made.
#[derive(Clone, Debug)]
pub struct NewDecoy {
    /// The tenant.
    pub tenant: TenantId,
    /// The venue whose form it has.
    pub venue: VenueId,
    /// Where it will be planted.
    pub label: String,
    /// The type of private key to show in the place of the venue's usual secret, if one is wanted.
    pub key_type: Option<KeyType>,
}

/// A decoy as it is shown once.
pub struct ShownDecoy {
    /// The row.
    pub row: Decoy,
    /// What looks like its secret: it is stored nowhere.
    pub secret: Zeroizing<String>,
    /// What looks like its passphrase, where the venue has one.
    pub passphrase: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for ShownDecoy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShownDecoy").field("row", &self.row.id).finish_non_exhaustive()
    }
}

impl Service {
    /// Makes a decoy. Nothing is ever signed with it, and what looks like its secret is kept nowhere.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made.
    pub async fn make_decoy(&self, new: NewDecoy, origin: &Origin) -> Result<ShownDecoy, ServiceError> {
        let NewDecoy { tenant, venue, label, key_type } = new;
        let fits = (1..=LABEL_MAX).contains(&label.chars().count()) && !label.chars().any(char::is_control);
        if !fits {
            let text = format!("say where it is planted: `label`, 1 to {LABEL_MAX} characters in one line");
            return Err(ServiceError::invalid("label_invalid", text));
        }
        if self.store.scan(Range::Decoys(tenant), None, DECOYS_MAX).await?.rows.len() == DECOYS_MAX {
            let text = format!("the tenant has {DECOYS_MAX} decoys: remove some; nothing was made");
            return Err(ServiceError::conflict("decoys_full", text));
        }
        let (key_id, secret, passphrase) = shaped(venue, key_type)?;
        let name = decoy_name(if key_id.is_empty() { &secret } else { &key_id });
        let (id, created_ms) = (DecoyId::new(self.clock()), self.clock.unix_ms());
        let row = Decoy { id, tenant, venue, label, key_id, name, created_ms, uses: 0, used_ms: None };
        let entry = about("decoy.create", &row, origin);
        let changes = vec![
            Change::create(Key::Decoy(tenant, id), Row::Decoy(row.clone())),
            Change::create(Key::DecoyName(name), Row::DecoyRef(tenant, id)),
        ];
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(ShownDecoy { row, secret, passphrase })
    }

    /// A page of a tenant's decoys, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn decoys(
        &self,
        tenant: TenantId,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Page<Decoy>, ServiceError> {
        let page = self.store.scan(Range::Decoys(tenant), after, limit).await?;
        Ok(picked(page, |row| if let Row::Decoy(row) = row { Some(row) } else { None }))
    }

    /// Removes a decoy: from then on it is as unknown as any other text.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's.
    pub async fn remove_decoy(&self, tenant: TenantId, id: DecoyId, origin: &Origin) -> Result<(), ServiceError> {
        let (version, row) = self.decoy(tenant, id).await?.ok_or(ServiceError::NotFound("decoy"))?;
        let changes = vec![
            Change { key: Key::Decoy(tenant, id), expect: Expect::Version(version), row: None },
            Change::remove(Key::DecoyName(row.name)),
        ];
        self.store.put_cas(changes, vec![about("decoy.delete", &row, origin)]).await?;
        Ok(())
    }

    async fn decoy(&self, tenant: TenantId, id: DecoyId) -> Result<Option<(u64, Decoy)>, StoreError> {
        Ok(match self.store.get(Key::Decoy(tenant, id)).await? {
            Some(Versioned { version, row: Row::Decoy(row) }) => Some((version, row)),
            _ => None,
        })
    }

    /// Notes which decoys a request names that carried nothing out with a key. As much is looked up for a key that never
    /// was.
    pub(super) async fn heed_decoys(&self, venue: VenueId, inbound: &Inbound<'_>, origin: &Origin) {
        for shown in named(venue, inbound) {
            match self.store.get(Key::DecoyName(decoy_name(shown))).await {
                Ok(Some(Versioned { row: Row::DecoyRef(tenant, id), .. })) => {
                    let seen = Seen::new(venue, inbound.path, origin.clone(), self.clock.unix_ms());
                    self.decoys.note((tenant, id), seen);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "whether a key is a decoy could not be read"),
            }
        }
    }

    /// Raises the alarm for decoys that were tried, and says for how many. Each is told of once a minute at most as far as
    /// `now_ms` goes, milliseconds since the Unix epoch: at the end of all time nothing waits.
    ///
    /// What cannot be written down is an error in the log, keeps no other waiting, and is tried again by the next call.
    pub async fn tell_decoys(&self, now_ms: u64) -> u64 {
        let mut told = 0_u64;
        for (of, seen) in self.decoys.due(now_ms) {
            match self.tell_decoy(of, &seen).await {
                Ok(is_there) => {
                    told = told.saturating_add(u64::from(is_there));
                    self.decoys.told(of, &seen, now_ms);
                }
                Err(error) => {
                    tracing::error!(%error, decoy.id = %of.1, "a decoy was used, and the alarm is not recorded yet");
                }
            }
        }
        told
    }

    /// Raises the alarm for a decoy, if it is still there.
    async fn tell_decoy(&self, (tenant, id): (TenantId, DecoyId), seen: &Seen) -> Result<bool, ServiceError> {
        let Some((version, row)) = self.decoy(tenant, id).await? else { return Ok(false) };
        let first = row.used_ms.map_or(seen.first_ms, |(first, _)| first);
        let uses = row.uses.saturating_add(seen.uses);
        let row = Decoy { uses, used_ms: Some((first, seen.last_ms)), ..row };
        tracing::error!(decoy.id = %row.id, tenant.id = %row.tenant, label = %row.label, uses,
            address = %seen.origin.address, "a decoy was used: it leaked from where it was planted");
        let entry = seen.origin.draft("alarm.decoy", EntryOutcome::Denied).tenant(row.tenant.to_string());
        let entry = entry
            .on("decoy", row.id.to_string())
            .detail("label", &row.label)
            .detail("venue", row.venue.as_str())
            .detail("at", seen.venue.as_str())
            .detail("path", &seen.path)
            .detail("used_at", crate::audit::timestamp(seen.first_ms))
            .detail("uses", uses.to_string());
        let text = format!("the decoy planted at “{}” was used from {}", row.label, seen.origin.address);
        let sighting = Sighting::within(Detector::Decoy, Some(row.tenant), text);
        let change = Change::replace(Key::Decoy(row.tenant, row.id), version, Row::Decoy(row));
        self.detected_with(sighting, &[entry], &[change]).await?;
        Ok(true)
    }
}

/// Key id, secret and passphrase.
type Shape = (String, Zeroizing<String>, Option<Zeroizing<String>>);

/// These as a virtual key of the venue has them.
fn shaped(venue: VenueId, key_type: Option<KeyType>) -> Result<Shape, ServiceError> {
    let form = virtual_form(venue);
    match (key_type, form.secret) {
        (Some(KeyType::Ed25519), _) if key_types(venue).contains(&KeyType::Ed25519) => {
            Ok((made(form.key_id).map_err(no_random)?, private_key().map_err(no_random)?, None))
        }
        (Some(_), _) => {
            let text = format!("a decoy of {venue} is not made of this kind: leave `kind` out; nothing was made");
            Err(ServiceError::invalid("kind_unsupported", text))
        }
        (None, VirtualSecret::Bearer) => {
            let bearer = CallerSecret::generate("vkey").map_err(no_random)?;
            Ok((String::new(), Zeroizing::new(bearer.reveal().to_owned()), None))
        }
        (None, VirtualSecret::Text(_) | VirtualSecret::Hex(_) | VirtualSecret::Base64(_)) => {
            let (secret, passphrase) = secrets(form).map_err(no_random)?;
            Ok((made(form.key_id).map_err(no_random)?, secret, passphrase))
        }
    }
}

/// A private key as a client's own would look: PKCS#8 in PEM (RFC 7468 section 10).
fn private_key() -> Result<Zeroizing<String>, NoRandom> {
    let pair = Ed25519KeyPair::generate().map_err(|_| NoRandom)?;
    let der = pair.to_pkcs8v1().map_err(|_| NoRandom)?;
    let body = BASE64.encode(der.as_ref());
    Ok(Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")))
}

fn about(action: &str, row: &Decoy, origin: &Origin) -> crate::audit::Draft {
    let entry = origin.draft(action, EntryOutcome::Allowed).tenant(row.tenant.to_string());
    entry.on("decoy", row.id.to_string()).detail("label", &row.label).detail("venue", row.venue.as_str())
}
