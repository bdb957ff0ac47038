//! Wraps for the day when the token is gone, and that day: see [`crate::recovery`].

use super::enroll::{refused, sealed_secret};
use super::message::{IndexSealed, Recover, Recovered, Refused, WrapDek};
use super::service::{Failure, Shared, index};
use super::sign::{open, opened, unwrapped};
use super::worker::Worker;
use crate::envelope::{Binding, Envelope, Mode, Payload, Purpose, with_wrap};
use crate::recovery::{self, PrivateKey, WrapError, payload_id, wrap_id};
use crate::secret::{Plaintext, wipe_stack};
use crate::token::{KEY_BYTES, Token};

impl From<WrapError> for Refused {
    fn from(error: WrapError) -> Self {
        match error {
            WrapError::DoesNotOpen => Self::Wrap,
            WrapError::Key => Self::Recovery,
            WrapError::Secret(error) => refused(error),
        }
    }
}

/// Sealed bytes with their wrap before them, if there is one.
pub(super) fn with(sealed: Vec<u8>, wrap: Option<Vec<u8>>) -> Vec<u8> {
    if let Some(wrap) = wrap { with_wrap(&sealed, &wrap) } else { sealed }
}

/// The DEK of sealed bytes, wrapped. Not of what stands for a key in the token, nor of what lives for one login.
pub(super) fn dek_wrap<T: Token>(
    worker: &mut Worker<T>,
    envelope: &Envelope,
    dek: &[u8; KEY_BYTES],
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(id) = wrap_id(envelope).filter(|_| envelope.binding.mode == Mode::Sealed) else { return Ok(None) };
    let Some(key) = worker.recovery_key()? else { return Ok(None) };
    let dek = Plaintext::copy_of(dek).map_err(refused)?;
    let wrap = recovery::wrap(&key, &id, dek).map_err(Refused::from);
    wipe_stack();
    Ok(Some(wrap?))
}

/// A payload that goes into the token, wrapped.
pub(super) fn payload_wrap<T: Token>(
    worker: &mut Worker<T>,
    binding: &Binding,
    payload: &Payload,
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(key) = worker.recovery_key()? else { return Ok(None) };
    let wrap = recovery::wrap(&key, &payload_id(binding), payload.padded().map_err(refused)?).map_err(Refused::from);
    wipe_stack();
    Ok(Some(wrap?))
}

/// What was sealed before there was a recovery key, with its wrap.
pub(super) fn wrapped<T: Token>(worker: &mut Worker<T>, request: &WrapDek) -> Result<Vec<u8>, Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    if envelope.binding.mode != Mode::Sealed {
        return Err(Refused::Mode("it is in the token, which does not give it back".to_owned()).into());
    }
    let dek = unwrapped(worker, &envelope, &request.kek)?;
    drop(opened(&envelope, &dek)?);
    let wrap = dek_wrap(worker, &envelope, &dek)?;
    drop(dek);
    wipe_stack();
    Ok(with(envelope.to_bytes(), wrap))
}

/// Opens sealed bytes by their wrap, and seals what they hold anew: bound as before, under the KEK of this token.
///
/// Whoever asks must bring the private key, so nothing is gained by asking.
pub(super) fn recover<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &Recover,
    private: Plaintext,
) -> Result<Recovered, Failure> {
    let recovered = PrivateKey::of(private)
        .map_err(|error| Failure::from(Refused::from(error)))
        .and_then(|private| recovered(shared, worker, request, &private));
    wipe_stack();
    recovered
}

fn recovered<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &Recover,
    private: &PrivateKey,
) -> Result<Recovered, Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    let id = wrap_id(&envelope).ok_or_else(|| Refused::Mode("it is gone with the token that it was of".to_owned()))?;
    let content = recovery::open(private, &id, &request.wrap).map_err(Refused::from)?;
    let payload = match envelope.binding.mode {
        Mode::Sealed => opened_by(&envelope, &content)?,
        Mode::Resident | Mode::HsmBorn => Payload::from_padded(&content).map_err(|_| Refused::Wrap)?,
    };
    drop(content);
    let Binding { tenant, venue, purpose, .. } = envelope.binding;
    let index = match purpose {
        Purpose::VenueSecret => Some(index(&mut worker.token, tenant, venue, payload.key_id())?),
        Purpose::VenueToken | Purpose::VirtualKey | Purpose::Totp | Purpose::Contact | Purpose::Webhook => None,
    };
    let sealed = sealed_secret(shared, worker, envelope.binding, &request.kek, payload)?;
    Ok(Recovered { sealed, index })
}

/// The blind index of the key id that is sealed in an owner's secret.
pub(super) fn index_sealed<T: Token>(worker: &mut Worker<T>, request: &IndexSealed) -> Result<[u8; 32], Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    let Binding { tenant, venue, purpose, mode, .. } = envelope.binding;
    if purpose != Purpose::VenueSecret || mode != Mode::Sealed {
        return Err(Refused::Relabelled.into());
    }
    let payload = open(worker, &envelope, &request.kek)?;
    let index = index(&mut worker.token, tenant, venue, payload.key_id());
    drop(payload);
    wipe_stack();
    Ok(index?)
}

#[expect(clippy::disallowed_methods, reason = "EXPOSE: the DEK is read from the arena by the opening itself")]
fn opened_by(envelope: &Envelope, dek: &Plaintext) -> Result<Payload, Refused> {
    dek.expose(|dek| opened(envelope, dek.try_into().map_err(|_| Refused::Wrap)?))
}
