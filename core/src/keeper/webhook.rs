//! Signing what a tenant's webhook is told.

use aws_lc_rs::hmac::{self, HMAC_SHA256};

use super::message::{Refused, SealedSecret, SignWebhook, SignedWebhook};
use super::service::{Failure, Shared};
use super::sign::open;
use super::worker::Worker;
use crate::envelope::Envelope;
use crate::secret::wipe_stack;
use crate::token::Token;
use crate::webhook::{BODY_BYTES_MAX, binding};

/// A secret and the one before.
const SECRETS_MAX: usize = 2;

/// Signs with each of the secrets, for the keeper's own time: nothing is signed for a later one.
///
/// Source: Standard Webhooks 1.0.0, "Signature scheme".
pub(super) fn sign<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &SignWebhook,
) -> Result<SignedWebhook, Failure> {
    if request.body.len() > BODY_BYTES_MAX || request.secrets.len() > SECRETS_MAX {
        return Err(Refused::Parameters("the message is too long".to_owned()).into());
    }
    let timestamp = shared.clock.unix_ms() / 1_000;
    let head = format!("{}.{timestamp}.", request.delivery);
    let message = [head.as_bytes(), &request.body].concat();
    let macs: Result<Vec<_>, Failure> =
        request.secrets.iter().map(|secret| mac(worker, request, secret, &message)).collect();
    wipe_stack();
    Ok(SignedWebhook { timestamp, macs: macs? })
}

fn mac<T: Token>(
    worker: &mut Worker<T>,
    request: &SignWebhook,
    SealedSecret { sealed, kek }: &SealedSecret,
    message: &[u8],
) -> Result<Vec<u8>, Failure> {
    let envelope = Envelope::from_bytes(sealed).map_err(|_| Refused::Tampered)?;
    if envelope.binding != binding(request.tenant, request.webhook, envelope.binding.version) {
        return Err(Refused::Relabelled.into());
    }
    let payload = open(worker, &envelope, kek)?;
    let secret = payload.parts().first().ok_or(Refused::Tampered)?;
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the key is read from the arena by the MAC itself")]
    Ok(secret.expose(|key| hmac::sign(&hmac::Key::new(HMAC_SHA256, key), message).as_ref().to_vec()))
}
