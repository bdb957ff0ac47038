//! Moving sealed bytes under a newer KEK of their tenant. What they hold stays in the keeper.

use super::enroll::sealed_payload;
use super::message::{Refused, Rewrap};
use super::service::Failure;
use super::sign::{open, opened, unwrapped};
use super::worker::Worker;
use crate::envelope::Envelope;
use crate::secret::wipe_stack;
use crate::token::Token;

/// The bytes under the newer KEK: with the same DEK, or all anew.
pub(super) fn rewrap<T: Token>(worker: &mut Worker<T>, request: &Rewrap) -> Result<Vec<u8>, Failure> {
    let moved = moved(worker, request);
    wipe_stack();
    moved
}

fn moved<T: Token>(worker: &mut Worker<T>, request: &Rewrap) -> Result<Vec<u8>, Failure> {
    let Rewrap { sealed, from, to, rekey } = request;
    let envelope = Envelope::from_bytes(sealed).map_err(|_| Refused::Tampered)?;
    // Only forward: a KEK that is to go must not come back into use.
    if to.tenant != envelope.binding.tenant || to.version <= from.version {
        return Err(Refused::Relabelled.into());
    }
    let dek = unwrapped(worker, &envelope, from)?;
    let payload = opened(&envelope, &dek)?;
    if *rekey {
        return sealed_payload(worker, envelope.binding, to, &payload);
    }
    drop(payload);
    worker.believe(to)?;
    let wrapped_dek = worker.token.wrap_dek(&to.blob, &dek, &envelope.binding.hash())?.0;
    drop(dek);
    let moved = Envelope { kek_version: to.version, wrapped_dek, ..envelope };
    // As after sealing: a token that answers with rubbish must not cost the owner his key.
    open(worker, &moved, to)?;
    Ok(moved.to_bytes())
}
