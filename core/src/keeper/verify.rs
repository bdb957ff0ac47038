//! Whether a client at the gateway has the secret of its virtual key.

use aws_lc_rs::hmac::{self, HMAC_SHA256, HMAC_SHA512};
use claviger_venues::Scheme;
use subtle::ConstantTimeEq;

use super::message::{Refused, Verify};
use super::service::Failure;
use super::sign::open;
use super::worker::Worker;
use crate::envelope::{Envelope, Payload, Purpose};
use crate::secret::{Plaintext, wipe_stack};
use crate::token::Token;

/// Says yes by returning, and no by [`Refused::Signature`]; it says nothing else about the secret.
pub(super) fn verify<T: Token>(
    worker: &mut Worker<T>,
    request: &Verify,
    passphrase: Option<&Plaintext>,
) -> Result<(), Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    if envelope.binding.purpose != Purpose::VirtualKey {
        return Err(Refused::Relabelled.into());
    }
    let payload = open(worker, &envelope, &request.kek)?;
    let right = bears(&payload, request) && passes(&payload, request.passphrase, passphrase);
    wipe_stack();
    if right { Ok(()) } else { Err(Refused::Signature.into()) }
}

/// Whether the MAC is the secret's over one of the texts; all are tried, in constant time each.
fn bears(payload: &Payload, request: &Verify) -> bool {
    let algorithm = match request.scheme {
        Scheme::HmacSha256 => HMAC_SHA256,
        Scheme::HmacSha512 => HMAC_SHA512,
        Scheme::Ed25519 | Scheme::RsaSha256 => return false,
    };
    let Some(secret) = payload.parts().first() else { return false };
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the key is read from the arena by the MAC itself")]
    let key = secret.expose(|key| hmac::Key::new(algorithm, key));
    let fits = |text: &Vec<u8>| hmac::verify(&key, text, &request.mac).is_ok();
    request.texts.iter().filter(|text| fits(text)).count() > 0
}

/// Whether the passphrase is the one of the key, where the key has one; a key without one takes none.
fn passes(payload: &Payload, shown: bool, passphrase: Option<&Plaintext>) -> bool {
    match (payload.parts().get(1), passphrase) {
        (Some(own), Some(given)) => same(own, given),
        (None, None) => !shown,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[expect(clippy::disallowed_methods, reason = "EXPOSE: compared in constant time, both in the arena")]
fn same(own: &Plaintext, given: &Plaintext) -> bool {
    own.expose(|own| given.expose(|given| own.ct_eq(given).into()))
}
