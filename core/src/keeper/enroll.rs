//! Sealing a secret that an owner enrolled: decoded into key bytes, checked to be one, sealed under a fresh DEK.

use aws_lc_rs::signature::Ed25519KeyPair;
use claviger_venues::{SecretForm, SecretKind};
use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::message::{Refused, Seal};
use super::service::{Failure, Worker};
use crate::envelope::{self, Binding, Dek, EnvelopeError, Mode, Payload, Purpose};
use crate::secret::{Plaintext, SecretError, wipe_stack};
use crate::token::Token;

impl From<EnvelopeError> for Failure {
    fn from(error: EnvelopeError) -> Self {
        match error {
            EnvelopeError::DoesNotOpen => Refused::Tampered.into(),
            EnvelopeError::Secret(e) => refused(e).into(),
        }
    }
}

/// Seals `text`, the secret as the owner typed it.
pub(super) fn seal<T: Token>(worker: &mut Worker<T>, request: Seal, text: &Plaintext) -> Result<Vec<u8>, Failure> {
    let sealed = sealed(worker, request, text);
    wipe_stack();
    sealed
}

fn sealed<T: Token>(worker: &mut Worker<T>, request: Seal, text: &Plaintext) -> Result<Vec<u8>, Failure> {
    if request.kek.tenant != request.tenant {
        return Err(Refused::Relabelled.into());
    }
    worker.believe(&request.kek)?;
    let form = claviger_venues::secret_form(request.venue, request.kind)
        .ok_or_else(|| unusable("the venue takes no secrets of this kind"))?;
    let payload = Payload::new(request.key_id, key_bytes(form, request.kind, text)?);
    let binding = Binding {
        tenant: request.tenant,
        credential: request.credential,
        version: request.version,
        purpose: Purpose::VenueSecret,
        venue: request.venue,
        kind: request.kind,
        mode: Mode::Sealed,
        ceiling: request.ceiling,
    };
    let mut dek = Zeroizing::new([0; 32]);
    worker.token.random(dek.as_mut())?;
    let kek = &request.kek;
    let envelope = envelope::seal(binding, kek.version, Dek::from_random(dek), &payload, |dek, aad| {
        Ok::<_, Failure>(worker.token.wrap_dek(&kek.blob, dek, aad)?.0)
    })?;
    // A token that answers with rubbish must not cost the owner his key: what was sealed is opened before it counts.
    super::sign::open(worker, &envelope, kek)?;
    Ok(envelope.to_bytes())
}

/// What the owner typed, as key bytes.
fn key_bytes(form: SecretForm, kind: SecretKind, text: &Plaintext) -> Result<Plaintext, Refused> {
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: decoded from one arena slot into another")]
    let key = text.expose(|text| match form {
        SecretForm::Text => Plaintext::copy_of(text.trim_ascii()).map_err(refused),
        SecretForm::Base64 => decoded(text.trim_ascii()),
        SecretForm::Ed25519Pem => pem_body(text).ok_or_else(not_pem).and_then(decoded_lines),
    })?;
    let long_enough = match kind {
        SecretKind::Hmac => key.len() >= 8,
        SecretKind::PrivateKey => is_ed25519(&key),
    };
    if long_enough {
        Ok(key)
    } else {
        Err(unusable(match kind {
            SecretKind::Hmac => "it is shorter than 8 bytes",
            SecretKind::PrivateKey => "it is not an Ed25519 private key in PKCS#8 form",
        }))
    }
}

fn is_ed25519(key: &Plaintext) -> bool {
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: parsed once, to refuse what could never sign")]
    key.expose(|der| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).is_ok())
}

fn decoded(text: &[u8]) -> Result<Plaintext, Refused> {
    let not_base64 = || unusable("it is not base64");
    let len = BASE64.decode_len(text.len()).map_err(|_| not_base64())?;
    let mut key = Plaintext::zeroed(len).map_err(refused)?;
    let len = key.fill(|out| BASE64.decode_mut(text, out)).map_err(|_| not_base64())?;
    key.truncate(len);
    Ok(key)
}

/// The base64 between the lines that begin and end a PEM block.
fn pem_body(text: &[u8]) -> Option<&[u8]> {
    const BEGIN: &[u8] = b"-----BEGIN PRIVATE KEY-----";
    const END: &[u8] = b"-----END PRIVATE KEY-----";
    text.trim_ascii().strip_prefix(BEGIN)?.strip_suffix(END)
}

fn decoded_lines(body: &[u8]) -> Result<Plaintext, Refused> {
    let mut joined = Plaintext::zeroed(body.len()).map_err(refused)?;
    let len = joined.fill(|out| {
        let kept = body.iter().filter(|b| !b.is_ascii_whitespace());
        out.iter_mut().zip(kept).map(|(to, from)| *to = *from).count()
    });
    joined.truncate(len);
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: decoded from one arena slot into another")]
    joined.expose(decoded)
}

fn not_pem() -> Refused {
    unusable("it is not a PEM block that begins with -----BEGIN PRIVATE KEY-----")
}

fn unusable(why: &str) -> Refused {
    Refused::Secret(why.to_owned())
}

fn refused(error: SecretError) -> Refused {
    match error {
        SecretError::TooLong => unusable("it is too long"),
        SecretError::NoRoom => Refused::Busy,
    }
}
