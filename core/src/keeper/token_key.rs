//! Keys that sign inside the token: brought in, born there, given their key id, used.

use claviger_venues::{Identity, KeyType, Params, Scheme, SecretKind, SigningTime, VenueId};

use super::enroll::sealed_payload;
use super::message::{Birth, Born, Name, Refused};
use super::private_key;
use super::service::{Failure, Shared};
use super::sign::{open, tampered};
use super::worker::Worker;
use crate::envelope::{Binding, Envelope, Mode, Payload, Purpose};
use crate::secret::Plaintext;
use crate::token::{BornKey, Holder, KeyForm, KeyKind, NewPair, Token, TokenError, TokenKey};

/// The length of an RSA key that is born here. Every venue that takes RSA takes it, and no token makes it wait long.
const RSA_BITS: u16 = 2048;

/// What signs with a payload.
pub(super) enum Signer<'a> {
    /// The secret itself.
    Secret(&'a Plaintext),
    /// A key of the token, and whose it is.
    Token(TokenKey, Holder),
}

impl<'a> Signer<'a> {
    /// What the first part of the payload is, as its authenticated binding says.
    pub(super) fn of(binding: &Binding, payload: &'a Payload) -> Result<Self, Refused> {
        let first = payload.parts().first().ok_or(Refused::Tampered)?;
        if binding.mode == Mode::Sealed {
            return Ok(Self::Secret(first));
        }
        // A newborn that the venue does not know signs nothing.
        if payload.key_id().is_empty() {
            return Err(Refused::Mode("it has no key id yet".to_owned()));
        }
        Ok(Self::Token(token_key(first)?, holder(binding)))
    }

    /// The type of a private key; of other kinds it means nothing.
    pub(super) fn key_type(&self, kind: SecretKind) -> Result<KeyType, Refused> {
        match self {
            _ if kind != SecretKind::PrivateKey => Ok(KeyType::Ed25519),
            Self::Secret(secret) => private_key::key_type(secret).ok_or(Refused::Tampered),
            Self::Token(key, _) => match key.kind {
                KeyKind::Ed25519 => Ok(KeyType::Ed25519),
                KeyKind::RsaSha256 => Ok(KeyType::Rsa),
                KeyKind::HmacSha256 | KeyKind::HmacSha512 => Err(Refused::Tampered),
            },
        }
    }

    /// Those parts of the payload that the request may hold, each in its place: of a token's key none.
    pub(super) fn showable<'p>(&self, parts: &'p [Plaintext]) -> (Vec<&'p [u8]>, &'p [Plaintext]) {
        match self {
            Self::Secret(_) => (Vec::new(), parts),
            Self::Token(..) => (vec![&[]], parts.get(1..).unwrap_or_default()),
        }
    }
}

/// Signs inside the token.
pub(super) fn sign<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    key: &TokenKey,
    holder: Holder,
    scheme: Scheme,
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    if kind_of(scheme) != key.kind {
        return Err(Refused::Tampered.into());
    }
    worker.token.sign_with(key, holder, message, shared.clock.boot()).map_err(|error| match error {
        // Only this credential's kind of key needs it, so the process goes on without.
        TokenError::KeyMissing(name) => TokenError::Refused(format!("the token has no key {name}")).into(),
        error @ (TokenError::Tampered
        | TokenError::Lost(_)
        | TokenError::PinRefused(_)
        | TokenError::Refused(_)
        | TokenError::Capacity(_)) => tampered(error),
    })
}

/// Brings the first part of an owner's secret into the token, and puts what names it there in its place.
pub(super) fn import<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    binding: &Binding,
    key_id: &str,
    parts: Vec<Plaintext>,
) -> Result<Vec<Plaintext>, Failure> {
    let mut parts = parts.into_iter();
    let secret = parts.next().ok_or_else(|| Refused::Secret("there is none".to_owned()))?;
    let kind = match binding.kind {
        SecretKind::Hmac => mac_kind(shared, binding.venue, key_id)?,
        SecretKind::PrivateKey if parts.len() == 0 => match private_key::key_type(&secret) {
            Some(KeyType::Rsa) => KeyKind::RsaSha256,
            Some(KeyType::Ed25519) | None => {
                return Err(mode("only an RSA key can be brought into a token; have an Ed25519 key made there").into());
            }
        },
        SecretKind::PrivateKey | SecretKind::Bearer | SecretKind::Login | SecretKind::Token => {
            return Err(mode("the venue wants to see the secret").into());
        }
    };
    let key = worker.token.import_key(kind, &secret).map_err(unable)?;
    drop(secret);
    let named = Plaintext::copy_of(&key.to_bytes()).map_err(|_| Refused::Busy)?;
    Ok(std::iter::once(named).chain(parts).collect())
}

/// Makes a pair in the token, and seals what names it; a key id it has not yet.
pub(super) fn birth<T: Token>(shared: &Shared, worker: &mut Worker<T>, request: Birth) -> Result<Born, Failure> {
    let Birth { binding, key_type, kek } = request;
    let fits = binding.mode == Mode::HsmBorn
        && binding.purpose == Purpose::VenueSecret
        && binding.kind == SecretKind::PrivateKey
        && claviger_venues::key_types(binding.venue).contains(&key_type);
    if !fits {
        return Err(mode("the venue takes no public key of this type").into());
    }
    let pair = match key_type {
        KeyType::Ed25519 => NewPair::Ed25519,
        KeyType::Rsa => NewPair::Rsa { bits: RSA_BITS },
    };
    let BornKey { key, public_pem } = worker.token.generate_pair(pair, shared.config.objects_max).map_err(unable)?;
    let object = match &key.form {
        KeyForm::Object { label } => Some(label.clone()),
        KeyForm::Wrapped { .. } => None,
    };
    let named = Plaintext::copy_of(&key.to_bytes()).map_err(|_| Failure::from(Refused::Busy));
    let sealed =
        named.and_then(|named| sealed_payload(worker, binding, &kek, &Payload::new(String::new(), vec![named])));
    match (sealed, object) {
        (Ok(sealed), object) => Ok(Born { sealed, public_pem, object }),
        (Err(failure), Some(label)) => {
            // Nobody would ever find it again.
            let _ = worker.token.destroy_key(&label);
            Err(failure)
        }
        (Err(failure), None) => Err(failure),
    }
}

/// Seals a newborn anew, with its key id.
pub(super) fn name<T: Token>(worker: &mut Worker<T>, request: &Name) -> Result<Vec<u8>, Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    let newborn = open(worker, &envelope, &request.kek)?;
    let binding = envelope.binding;
    if binding.mode != Mode::HsmBorn || !newborn.key_id().is_empty() || request.key_id.is_empty() {
        return Err(Refused::Named.into());
    }
    let parts = newborn.into_parts();
    sealed_payload(worker, binding, &request.kek, &Payload::new(request.key_id.clone(), parts))
}

/// Whose handles a stop ends: the number is the credential's.
pub(super) fn holder_of(credential: crate::id::CredentialId) -> Holder {
    Holder(u128::from_be_bytes(*credential.as_bytes()))
}

fn holder(binding: &Binding) -> Holder {
    holder_of(binding.credential)
}

#[expect(clippy::disallowed_methods, reason = "EXPOSE: what names a key of the token is no secret")]
fn token_key(part: &Plaintext) -> Result<TokenKey, Refused> {
    part.expose(TokenKey::from_bytes).map_err(|_| Refused::Tampered)
}

fn kind_of(scheme: Scheme) -> KeyKind {
    match scheme {
        Scheme::HmacSha256 => KeyKind::HmacSha256,
        Scheme::HmacSha512 => KeyKind::HmacSha512,
        Scheme::Ed25519 => KeyKind::Ed25519,
        Scheme::RsaSha256 => KeyKind::RsaSha256,
    }
}

/// What shared secrets sign with at the venue, as its permission probe shows.
fn mac_kind(shared: &Shared, venue: VenueId, key_id: &str) -> Result<KeyKind, Refused> {
    let none = || mode("the venue signs nothing with it");
    let operation = claviger_venues::catalogue(venue).iter().find(|operation| operation.is_probe()).ok_or_else(none)?;
    let host = shared.config.hosts.host(venue, operation.host).ok_or(Refused::Uncatalogued)?;
    let params = Params::new();
    let call = claviger_venues::check(operation, &params).map_err(|e| Refused::Parameters(e.to_string()))?;
    let key = Identity::new(key_id, SecretKind::Hmac);
    let at = SigningTime { now_ms: shared.clock.unix_ms(), valid_ms: super::VALID_MS };
    let signable = claviger_venues::prepare(&call, host, key, at, 1).map_err(|e| Refused::Parameters(e.to_string()))?;
    signable
        .scheme()
        .map(kind_of)
        .filter(|kind| matches!(kind, KeyKind::HmacSha256 | KeyKind::HmacSha512))
        .ok_or_else(none)
}

/// What the token cannot do with a caller's key is for the caller to know, and no fault of the token's.
fn unable(error: TokenError) -> Failure {
    match error {
        TokenError::Refused(why) => Refused::Mode(why).into(),
        TokenError::Capacity(why) => Refused::Full(why).into(),
        other
        @ (TokenError::Tampered | TokenError::Lost(_) | TokenError::PinRefused(_) | TokenError::KeyMissing(_)) => {
            other.into()
        }
    }
}

fn mode(why: &str) -> Refused {
    Refused::Mode(why.to_owned())
}
