//! Signing one operation: every check that the front cannot be trusted with, and one signature.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA512};
use claviger_venues::{Call, Identity, Params, Proof, Scheme, SecretKind, SigningTime};
use zeroize::Zeroizing;

use super::VALID_MS;
use super::kek::KekRow;
use super::login::{self, Begun};
use super::message::{Refused, Reply, Sign, SignStream, Signed, SignedLogin};
use super::service::{Failure, Shared};
use super::token_key::{self, Signer};
use super::worker::Worker;
use crate::clock::BootTime;
use crate::envelope::{self, Binding, Envelope, EnvelopeError, Payload, Purpose};
use crate::secret::{Plaintext, wipe_stack};
use crate::store::Scopes;
use crate::token::{KEY_BYTES, Token, TokenError, WrappedDek};

/// What was signed, and the digest of it for the keeper's running hash.
pub(super) struct Signature {
    pub(super) reply: Reply,
    pub(super) digest: [u8; 32],
}

/// Signs what `request` names, or says why not.
///
/// The DEK and the secret live from the unwrap to the end of this function; the stack is wiped before it returns.
pub(super) fn sign<T: Token>(shared: &Shared, worker: &mut Worker<T>, request: &Sign) -> Result<Signature, Failure> {
    let envelope = admitted(shared, &request.scopes, request.intent, request.deadline, &request.sealed)?;
    let operation =
        claviger_venues::operation(envelope.binding.venue, &request.operation).ok_or(Refused::Uncatalogued)?;
    if !request.kind.may(operation) {
        return Err(Refused::System.into());
    }
    let mut params = Params::from(request.params.clone());
    let call = claviger_venues::check(operation, &params).map_err(|e| Refused::Parameters(e.to_string()))?;
    let reading = claviger_venues::read(&call).map_err(|e| Refused::Parameters(e.to_string()))?;
    // A probe asks about the key itself and needs no more than being catalogued.
    if !operation.is_probe() && !envelope.binding.ceiling.allows(operation, reading.products()) {
        return Err(Refused::Ceiling.into());
    }
    // Where the venue wants no rising nonce, what is unique will do.
    let nonce = if operation.uses_nonce() { request.nonce } else { request.intent };
    let signature = open(worker, &envelope, &request.kek).and_then(|payload| {
        let begun = login::begin(worker, &envelope.binding, operation.name, &payload, &request.kek)?;
        if let Some((name, challenge)) = begun.as_ref().map(|begun| &begun.challenge) {
            params.push(*name, challenge);
        }
        let call = claviger_venues::check(operation, &params).map_err(|e| Refused::Parameters(e.to_string()))?;
        finish(shared, worker, &envelope.binding, &call, &payload, nonce, begun)
    });
    wipe_stack();
    signature
}

/// Signs the login to a stream, or says why not.
///
/// A stream shows the account and takes no orders, so it is within every ceiling.
pub(super) fn sign_stream<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &SignStream,
) -> Result<Signature, Failure> {
    let envelope = admitted(shared, &request.scopes, request.intent, request.deadline, &request.sealed)?;
    let payload = open(worker, &envelope, &request.kek);
    let signature = payload.and_then(|payload| log_in(shared, worker, &envelope.binding, request, &payload));
    wipe_stack();
    signature
}

/// What holds of everything that is signed with a venue's secret.
fn admitted(
    shared: &Shared,
    scopes: &Scopes,
    intent: u64,
    deadline: BootTime,
    sealed: &[u8],
) -> Result<Envelope, Refused> {
    shared.may_sign(scopes, intent)?;
    shared.in_time(deadline)?;
    let envelope = Envelope::from_bytes(sealed).map_err(|_| Refused::Tampered)?;
    belongs(&envelope.binding, scopes)?;
    Ok(envelope)
}

fn belongs(binding: &Binding, scopes: &Scopes) -> Result<(), Refused> {
    let signs = match binding.purpose {
        Purpose::VenueSecret => binding.kind != SecretKind::Token,
        Purpose::VenueToken => binding.kind == SecretKind::Token,
        Purpose::VirtualKey | Purpose::Totp | Purpose::Contact | Purpose::Webhook => false,
    };
    let same = signs
        && binding.venue == scopes.venue
        && binding.tenant == scopes.tenant
        && scopes.credential == Some(binding.credential);
    if same { Ok(()) } else { Err(Refused::Relabelled) }
}

/// Opens an envelope with the tenant's KEK.
pub(super) fn open<T: Token>(worker: &mut Worker<T>, envelope: &Envelope, kek: &KekRow) -> Result<Payload, Failure> {
    let dek = unwrapped(worker, envelope, kek)?;
    Ok(opened(envelope, &dek)?)
}

/// The DEK of an envelope.
pub(super) fn unwrapped<T: Token>(
    worker: &mut Worker<T>,
    envelope: &Envelope,
    kek: &KekRow,
) -> Result<Zeroizing<[u8; KEY_BYTES]>, Failure> {
    if kek.tenant != envelope.binding.tenant || kek.version != envelope.kek_version {
        return Err(Refused::Tampered.into());
    }
    worker.believe(kek)?;
    let wrapped = WrappedDek(envelope.wrapped_dek.clone());
    worker.token.unwrap_dek(&kek.blob, &wrapped, &envelope.binding.hash()).map_err(tampered)
}

/// Opens an envelope with its DEK.
pub(super) fn opened(envelope: &Envelope, dek: &[u8; KEY_BYTES]) -> Result<Payload, Refused> {
    envelope::open(envelope, dek).map_err(|e| match e {
        EnvelopeError::Secret(_) => Refused::Busy,
        EnvelopeError::DoesNotOpen => Refused::Tampered,
    })
}

/// A tag that does not fit is the stored bytes' fault, everything else the token's.
pub(super) fn tampered(error: TokenError) -> Failure {
    if error == TokenError::Tampered { Refused::Tampered.into() } else { error.into() }
}

fn finish<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    binding: &Binding,
    call: &Call<'_>,
    payload: &Payload,
    nonce: u64,
    begun: Option<Begun>,
) -> Result<Signature, Failure> {
    let host = shared.config.hosts.host(binding.venue, call.operation().host).ok_or(Refused::Uncatalogued)?;
    let at = SigningTime { now_ms: shared.clock.unix_ms(), valid_ms: VALID_MS };
    let signer = Signer::of(binding, payload)?;
    let key_type = signer.key_type(binding.kind)?;
    let access_token = login::access_token(binding.venue, payload);
    let key = Identity { key_type, access_token: &access_token, ..Identity::new(payload.key_id(), binding.kind) };
    let signable =
        claviger_venues::prepare(call, host, key, at, nonce).map_err(|e| Refused::Parameters(e.to_string()))?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, signable.to_sign()).as_ref());
    let signature = match signable.scheme() {
        Some(scheme) => {
            let message = prefixed(begun.as_ref().map(|begun| &begun.prefix), signable.to_sign());
            raw_signature(shared, worker, &signer, scheme, &message)?
        }
        None => Vec::new(),
    };
    let (mut so_far, showable) = signer.showable(payload.parts());
    let parts =
        shown(showable, &mut so_far, |parts| claviger_venues::attach(signable, Proof { signature: &signature, parts }));
    let hidden = matches!(binding.kind, SecretKind::Hmac | SecretKind::PrivateKey);
    let key_id = if hidden { payload.key_id().to_owned() } else { String::new() };
    let valid_until_ms = valid_until_ms(binding, at);
    let exchange = begun.map(|begun| begun.exchange).unwrap_or_default();
    Ok(Signature { reply: Reply::Signed(Signed { parts, key_id, valid_until_ms, exchange }), digest: hash })
}

fn log_in<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    binding: &Binding,
    request: &SignStream,
    payload: &Payload,
) -> Result<Signature, Failure> {
    let at = SigningTime { now_ms: shared.clock.unix_ms(), valid_ms: VALID_MS };
    let signer = Signer::of(binding, payload)?;
    let key_type = signer.key_type(binding.kind)?;
    let key = Identity { key_type, ..Identity::new(payload.key_id(), binding.kind) };
    let login = claviger_venues::stream_login(binding.venue, &request.stream, key, at, request.challenge.as_deref());
    let login = login.ok_or(Refused::Stream)?;
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &login.to_sign).as_ref());
    let signature = raw_signature(shared, worker, &signer, login.scheme, &login.to_sign)?;
    let signature = login.encoding.encode(&signature);
    let named = |(name, value): (&str, String)| (name.to_owned(), value);
    let fields = login.fields.into_iter().chain([(login.signature, signature)]).map(named).collect();
    let valid_until_ms = valid_until_ms(binding, at);
    Ok(Signature { reply: Reply::Login(SignedLogin { fields, valid_until_ms }), digest: hash })
}

/// The bytes to sign after what stands before them; the copy is wiped.
fn prefixed(prefix: Option<&Plaintext>, to_sign: &[u8]) -> Zeroizing<Vec<u8>> {
    let Some(prefix) = prefix else { return Zeroizing::new(to_sign.to_vec()) };
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: it is signed along")]
    prefix.expose(|prefix| Zeroizing::new([prefix, to_sign].concat()))
}

/// When a venue certainly stops taking it; where time does not end it, the end of what was asked for.
fn valid_until_ms(binding: &Binding, at: SigningTime) -> u64 {
    let valid_ms = claviger_venues::lapse(binding.venue).after_ms(at.valid_ms).unwrap_or(at.valid_ms);
    at.now_ms.saturating_add(valid_ms.into())
}

/// Shows all parts at once to `see`, each from where it lies.
fn shown<R>(parts: &[Plaintext], so_far: &mut Vec<&[u8]>, see: impl FnOnce(&[&[u8]]) -> R) -> R {
    let Some((first, rest)) = parts.split_first() else { return see(so_far) };
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: what the venue wants inside the request is copied into it")]
    first.expose(|part| {
        let mut so_far: Vec<&[u8]> = so_far.clone();
        so_far.push(part);
        shown(rest, &mut so_far, see)
    })
}

/// The one place where a venue secret meets an algorithm, here or inside the token.
fn raw_signature<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    signer: &Signer<'_>,
    scheme: Scheme,
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    let secret = match signer {
        Signer::Secret(secret) => secret,
        Signer::Token(key, holder) => return token_key::sign(shared, worker, key, *holder, scheme, message),
    };
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the key is read from the arena by the signature itself")]
    secret.expose(|key| match scheme {
        Scheme::HmacSha256 => Ok(hmac::sign(&hmac::Key::new(HMAC_SHA256, key), message).as_ref().to_vec()),
        Scheme::HmacSha512 => Ok(hmac::sign(&hmac::Key::new(HMAC_SHA512, key), message).as_ref().to_vec()),
        Scheme::Ed25519 | Scheme::RsaSha256 => Ok(super::private_key::sign(key, message).ok_or(Refused::Tampered)?),
    })
}

impl Shared {
    fn in_time(&self, deadline: BootTime) -> Result<(), Refused> {
        let now = self.clock.boot();
        if now > deadline || now.until(deadline) > super::service::DEADLINE_MAX {
            Err(Refused::Deadline)
        } else {
            Ok(())
        }
    }
}
