//! What is asked of the token alone: keys, MACs, access tokens, checkpoints.

use std::sync::atomic::Ordering;

use aws_lc_rs::digest::SHA256;
use claviger_venues::VenueId;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use super::{Failure, Shared, lock};
use crate::audit::tombstone::{self, TombstoneError};
use crate::audit::{Hash, KeeperCount, Subject, VerifierKey, note};
use crate::id::TenantId;
use crate::keeper::kek::KekRow;
use crate::keeper::message::{Claims, ImportKek, Refused, Reply, Request};
use crate::recovery::file::RecoveryFile;
use crate::token::{MacKey, SigningKey, Token, TokenError};

impl Shared {
    pub(super) fn token_call<T: Token>(&self, token: &mut T, request: Request) -> Result<Reply, Failure> {
        Ok(match request {
            Request::NewKek { tenant, version } => {
                let row = KekRow::generate(token, tenant, version)?;
                self.roots.used(row.blob.root, self.clock.boot());
                Reply::Kek(row)
            }
            Request::KekDoor { tenant } => {
                self.may_import(tenant)?;
                Reply::KekDoor(token.kek_door().map_err(not_taken)?)
            }
            Request::ImportKek(import) => Reply::Kek(self.import(token, &import)?),
            Request::Index { tenant, venue, key_id } => Reply::Mac(index(token, tenant, venue, &key_id)?),
            Request::Pepper { argon2 } => Reply::Mac(token.mac(MacKey::Pepper, &argon2)?),
            Request::SignJwt(claims) => Reply::Jwt(self.jwt(token, &claims)?),
            Request::SignCheckpoint(head) => {
                let keeper = {
                    let gate = lock(&self.gate);
                    KeeperCount { start: self.start.clone(), count: gate.signed, running: Hash::from_bytes(gate.chain) }
                };
                let now = (self.clock.unix_ms(), self.clock.boot());
                Reply::Checkpoint(lock(&self.checkpoints).sign(token, &head, &keeper, now)?)
            }
            Request::SignTombstone(subject) => Reply::Tombstone(self.tombstone(token, &subject)?),
            Request::SignRecoveryFile(file) => Reply::Tombstone(self.recovery_file(token, &file)?),
            Request::Health => {
                token.probe()?;
                Reply::Alive { worn: self.worn.load(Ordering::SeqCst) }
            }
            Request::KeyObjects => Reply::KeyObjects(token.key_objects()?),
            Request::DestroyKey { label } => {
                token.destroy_key(&label)?;
                Reply::Done
            }
            Request::Hello(_)
            | Request::Bar { .. }
            | Request::Relieved
            | Request::ForgetKeks
            | Request::Sign(_)
            | Request::SignStream(_)
            | Request::Seal(_)
            | Request::TakeToken(_)
            | Request::Birth(_)
            | Request::Name(_)
            | Request::Rewrap(_)
            | Request::Roots
            | Request::NewRoot { .. }
            | Request::DestroyRoot { .. }
            | Request::OpenContact(_)
            | Request::Verify(_)
            | Request::VerifyCode(_)
            | Request::SignWebhook(_)
            | Request::WrapDek(_)
            | Request::IndexSealed(_)
            | Request::Recover(_) => Reply::Refused(Refused::Hello),
        })
    }

    /// A tenant's own KEK, if that tenant may bring one.
    fn import(&self, token: &mut impl Token, import: &ImportKek) -> Result<KekRow, Failure> {
        let ImportKek { tenant, version, wrapped, known } = import;
        self.may_import(*tenant)?;
        KekRow::import(token, (*tenant, *version), wrapped, known.as_deref())
            .map_err(|error| if error == TokenError::Tampered { Refused::OtherKek.into() } else { not_taken(error) })
    }

    fn may_import(&self, tenant: TenantId) -> Result<(), Refused> {
        if self.config.import_tenants.contains(&tenant) {
            return Ok(());
        }
        Err(Refused::Import("`hsm.import_tenants` does not name the tenant".to_owned()))
    }

    /// A tombstone of this log, of now.
    fn tombstone(&self, token: &mut impl Token, subject: &Subject) -> Result<String, Failure> {
        let body = tombstone::body(&self.config.origin, subject, self.clock.unix_ms());
        let signature = token.sign(SigningKey::Audit, body.as_bytes())?;
        let key = VerifierKey::new(&self.config.origin, &self.keys.audit);
        let note = key.map_err(TombstoneError::from).and_then(|key| tombstone::assemble(&body, &key, &signature));
        Ok(note.map_err(|e| TokenError::Refused(format!("the tombstone that it signed is not one: {e}")))?)
    }

    /// That a recovery file is this log's, as it is now.
    fn recovery_file(&self, token: &mut impl Token, file: &RecoveryFile) -> Result<String, Failure> {
        let body = file.body(&self.config.origin, self.clock.unix_ms());
        let signature = token.sign(SigningKey::Audit, body.as_bytes())?;
        let key = VerifierKey::new(&self.config.origin, &self.keys.audit);
        let note = key.and_then(|key| note::assemble(&body, &key, &signature));
        Ok(note.map_err(|e| TokenError::Refused(format!("the note that it signed is not one: {e}")))?)
    }

    /// An access token: ES256 over typed claims (RFC 7515, RFC 9068).
    fn jwt(&self, token: &mut impl Token, claims: &Claims) -> Result<String, Failure> {
        let life = claims.expires.checked_sub(claims.issued).ok_or(Refused::Claims)?;
        let now = self.clock.unix_ms() / 1_000;
        if life > self.config.token_seconds_max || claims.issued > now.saturating_add(60) {
            return Err(Refused::Claims.into());
        }
        let header = serde_json::json!({ "alg": "ES256", "typ": "at+jwt", "kid": key_id(&self.keys.api) });
        let mut body = serde_json::json!({
            "iss": claims.issuer, "aud": claims.issuer, "sub": claims.app, "tenant": claims.tenant,
            "iat": claims.issued, "nbf": claims.issued, "exp": claims.expires, "authenticator": claims.authenticator,
        });
        if let (Some(thumbprint), Some(members)) = (&claims.certificate, body.as_object_mut()) {
            members.insert("cnf".to_owned(), serde_json::json!({ "x5t#S256": BASE64URL_NOPAD.encode(thumbprint) }));
        }
        let encode = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let input = format!("{}.{}", encode(header), encode(body));
        let signature = token.sign(SigningKey::Api, input.as_bytes())?;
        Ok(format!("{input}.{}", BASE64URL_NOPAD.encode(&signature)))
    }
}

/// What the token does not want to take is no reason to give it up.
fn not_taken(error: TokenError) -> Failure {
    if let TokenError::Refused(why) = error { Refused::Import(why).into() } else { error.into() }
}

/// The blind index of a key id.
pub(in super::super) fn index(
    token: &mut impl Token,
    tenant: TenantId,
    venue: VenueId,
    key_id: &str,
) -> Result<[u8; 32], TokenError> {
    let mut data = b"claviger-index/v1\n".to_vec();
    data.extend_from_slice(tenant.as_bytes());
    data.extend_from_slice(venue.as_str().as_bytes());
    data.push(0);
    data.extend_from_slice(key_id.as_bytes());
    token.mac(MacKey::Index, &data)
}

/// The `kid` of an access token: the first 16 hexadecimal digits of SHA-256 over the public key.
#[must_use]
pub fn key_id(public_key: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&SHA256, public_key);
    HEXLOWER.encode(digest.as_ref().get(..8).unwrap_or_default())
}
