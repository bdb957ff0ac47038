//! Whether a one-time code is an operator's.

use super::message::{Refused, VerifyCode};
use super::service::{Failure, Shared};
use super::sign::open;
use super::worker::Worker;
use crate::envelope::{Envelope, Payload};
use crate::identity::totp;
use crate::secret::{Plaintext, wipe_stack};
use crate::token::Token;

/// Says which step the code is of, by the keeper's own clock, or [`Refused::Code`]; it says nothing else about the seed.
pub(super) fn verify<T: Token>(
    shared: &Shared,
    worker: &mut Worker<T>,
    request: &VerifyCode,
    code: Option<&Plaintext>,
) -> Result<u64, Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    if envelope.binding != totp::binding(request.operator) {
        return Err(Refused::Relabelled.into());
    }
    let payload = open(worker, &envelope, &request.kek)?;
    let step = code.and_then(|code| step(&payload, code, shared.clock.unix_ms() / 1_000));
    wipe_stack();
    step.ok_or_else(|| Refused::Code.into())
}

#[expect(clippy::disallowed_methods, reason = "EXPOSE: the code of each step is made from the seed and compared")]
fn step(payload: &Payload, code: &Plaintext, now: u64) -> Option<u64> {
    let codes = payload.parts().first()?.expose(|seed| totp::codes(seed, ""))?;
    code.expose(|code| codes.check(std::str::from_utf8(code).ok()?.trim(), now))
}
