//! Who sends a request: a client proves it over the raw bytes, as it would to the venue.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use claviger_venues::{Class, Freshness, Inbound, KeyType, Operation, Refuse, Scheme, Signed, VenueId};
use data_encoding::HEXLOWER;

use super::No;
use crate::audit::UserKind;
use crate::execution::Origin;
use crate::hash::hash_of;
use crate::identity::{AppPrincipal, Grant};
use crate::keeper::KeeperError;
use crate::keeper::message::{Refused, Verify};
use crate::policy::Denied;
use crate::secret::Plaintext;
use crate::service::directory::{KnownApp, KnownVirtual};
use crate::service::virtual_keys::{bearer_name, key_name};
use crate::service::{Part, Service, ServiceError};
use crate::store::Idempotency;
use crate::virtual_key::Proof;

/// A client that has proven what it claims.
pub(super) struct Client {
    pub(super) key: Arc<KnownVirtual>,
    pub(super) app: Arc<KnownApp>,
    pub(super) principal: AppPrincipal,
    pub(super) origin: Origin,
    /// What makes the same signed bytes the same request; none where nothing is signed.
    pub(super) replay: Option<Replay>,
}

impl Client {
    fn of(
        key: Arc<KnownVirtual>,
        app: Arc<KnownApp>,
        address: IpAddr,
        origin: &Origin,
        replay: Option<Replay>,
    ) -> Self {
        let row = &key.row;
        let principal = AppPrincipal { app: row.app, tenant: row.tenant, address, virtual_key: Some(row.id) };
        let origin = Origin { kind: UserKind::App, id: row.app.to_string(), ..origin.clone() };
        Self { key, app, principal, origin, replay }
    }
}

/// What tells a signed request from another.
#[derive(Clone, Copy)]
pub(super) struct Replay {
    /// The hash of virtual key, signed bytes and signature.
    hash: [u8; 32],
    /// The same with method and path, which most venues' signatures do not cover.
    call: [u8; 32],
    /// Whether the venue's requests have no time and no nonce to tell them apart by.
    unbounded: bool,
}

impl Replay {
    /// Whether the same bytes may come again: only where they could not differ, and do no harm.
    pub(super) fn may_repeat(self, operation: &Operation) -> bool {
        self.unbounded && (operation.class != Class::Trade || operation.is_cancel())
    }

    /// What the request claims: a trade all that is signed with the same bytes, a read its own call alone. Clients ask
    /// for several things within one millisecond, and nothing in the bytes tells these requests apart.
    pub(super) fn claims(self, operation: &Operation) -> (Idempotency, Option<Idempotency>) {
        let begins = if self.unbounded { Idempotency::FOR_GOOD } else { "gateway:" };
        let claim = |hash: &[u8], request| Idempotency { key: format!("{begins}{}", HEXLOWER.encode(hash)), request };
        if operation.class == Class::Trade {
            return (claim(&self.hash, self.hash), None);
        }
        (claim(&self.hash, self.call), Some(claim(&self.call, self.call)))
    }
}

impl Service {
    /// A client that signed with the secret of a virtual key.
    pub(super) async fn signed_client(
        &self,
        venue: VenueId,
        signed: Signed<'_>,
        inbound: &Inbound<'_>,
        address: IpAddr,
        origin: &Origin,
    ) -> Result<Client, No> {
        if !signed.freshness.in_time(self.clock.unix_ms()) {
            let text = "the time or the nonce is more than a minute, or more than the window asked for, away from now";
            return Err(No::new(Refuse::Stale, "client_clock", text));
        }
        let name = key_name(venue, signed.key_id);
        let Some(key) = self.directory.virtual_key(self.store(), name).await? else {
            // As much is asked of the keeper as for a key that is there.
            let _spent = self.keeper.pepper(&name).await;
            return Err(unknown_key());
        };
        if !self.failures.may_try(key.row.name, address, self.clock.unix_ms()) {
            return Err(No::new(
                Refuse::BadSignature,
                "signature_throttled",
                "too many wrong signatures; wait a minute",
            ));
        }
        let app = self.live_app(key.row.app).await.map_err(|_| unknown_key())?;
        if !reaches(&app.grants, address) {
            return Err(ServiceError::from(Denied::network()).into());
        }
        // The same key pair behind two virtual keys signs the same bytes for both: what was used with one is used.
        let whose = match &key.row.proof {
            Proof::PublicKey { key, .. } => key.as_slice(),
            Proof::Hmac(_) | Proof::Bearer => signed.key_id.as_bytes(),
        };
        let first = signed.signed.first().map_or(&[][..], Vec::as_slice);
        let hash = hash_of([whose, first, &signed.signature]);
        let call = hash_of([hash.as_slice(), inbound.method.as_bytes(), inbound.path.as_bytes()]);
        let replay = Replay { hash, call, unbounded: signed.freshness == Freshness::Unbounded };
        if !self.proves(&key, signed).await? {
            self.failures.failed(key.row.name, address, self.clock.unix_ms());
            return Err(No::new(Refuse::BadSignature, "signature_wrong", "the signature is not this virtual key's"));
        }
        self.note_use(app.app.id, None);
        Ok(Client::of(key, app, address, origin, Some(replay)))
    }

    /// Whether the signature is the virtual key's, over the bytes as they came.
    async fn proves(&self, key: &KnownVirtual, signed: Signed<'_>) -> Result<bool, No> {
        let Signed { scheme, signed: texts, signature, passphrase, .. } = signed;
        match (&key.row.proof, &key.kek) {
            (Proof::Hmac(sealed), Some(kek)) if matches!(scheme, Scheme::HmacSha256 | Scheme::HmacSha512) => {
                let shown = passphrase.map(|text| Plaintext::copy_of(text.as_bytes())).transpose();
                let shown = shown.map_err(|error| ServiceError::unavailable(Part::Load, error.to_string()))?;
                let (sealed, kek, passphrase) = (sealed.clone(), kek.clone(), shown.is_some());
                let verify = Verify { sealed, kek, scheme, texts, mac: signature, passphrase };
                let verified = self.keeper.verify(verify, shown);
                match verified.await {
                    Ok(()) => Ok(true),
                    Err(KeeperError::Refused(Refused::Signature)) => Ok(false),
                    Err(error) => Err(ServiceError::from(error).into()),
                }
            }
            (Proof::PublicKey { key_type, key }, _) => {
                let bears = |text: &Vec<u8>| match key_type {
                    KeyType::Ed25519 => UnparsedPublicKey::new(&ED25519, key).verify(text, &signature).is_ok(),
                    KeyType::Rsa => {
                        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(text, &signature).is_ok()
                    }
                };
                Ok(texts.iter().any(bears))
            }
            (Proof::Hmac(_) | Proof::Bearer, _) => Ok(false),
        }
    }

    /// A client that shows its token.
    pub(super) async fn client_with_token(
        &self,
        venue: VenueId,
        token: &str,
        address: IpAddr,
        origin: &Origin,
    ) -> Result<Client, No> {
        let key = self.directory.virtual_key(self.store(), bearer_name(token)).await?;
        let key = key.filter(|key| key.row.venue == venue && key.row.proof == Proof::Bearer).ok_or_else(unknown_key)?;
        let app = self.live_app(key.row.app).await.map_err(|_| unknown_key())?;
        self.note_use(app.app.id, None);
        Ok(Client::of(key, app, address, origin, None))
    }
}

/// Whether any grant is for requests from there; an app without grants learns from policy that it has none.
fn reaches(grants: &[Grant], address: IpAddr) -> bool {
    let covers =
        |grant: &Grant| grant.networks.is_empty() || grant.networks.iter().any(|network| network.contains(address));
    grants.is_empty() || grants.iter().any(covers)
}

fn unknown_key() -> No {
    No::new(Refuse::UnknownKey, "virtual_key_unknown", "there is no such virtual key, or it was revoked")
}
