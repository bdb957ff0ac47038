//! Where owners are told what happens to their keys: an address is sealed when it is given, and opened for one letter.

use super::enroll::sealed_payload;
use super::kek::KekRow;
use super::message::{OpenContact, Refused};
use super::service::Failure;
use super::sign::open;
use super::worker::Worker;
use crate::credential::contact_binding;
use crate::envelope::{Binding, Envelope, Payload, Purpose};
use crate::notice::{Address, is_address};
use crate::secret::{Plaintext, SecretError, wipe_stack};
use crate::token::Token;

/// Seals an address as it was given.
pub(super) fn seal<T: Token>(
    worker: &mut Worker<T>,
    binding: Binding,
    kek: &KekRow,
    address: &Plaintext,
) -> Result<Vec<u8>, Failure> {
    if binding != contact_binding(binding.tenant, binding.credential, binding.venue) {
        return Err(Refused::Relabelled.into());
    }
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the address goes from one arena slot into another")]
    let address = address.expose(|bytes| {
        if is_address(bytes) {
            return Plaintext::copy_of(bytes).map_err(|error| match error {
                SecretError::NoRoom => Refused::Busy,
                SecretError::TooLong => Refused::Secret(error.to_string()),
            });
        }
        Err(Refused::Secret("it is no e-mail address in ASCII".to_owned()))
    })?;
    sealed_payload(worker, binding, kek, &Payload::new(String::new(), vec![address]))
}

/// Opens an address, for the letter that is sent to it next. Nothing that is sealed for anything else opens here.
pub(super) fn opened<T: Token>(worker: &mut Worker<T>, request: &OpenContact) -> Result<Address, Failure> {
    let envelope = Envelope::from_bytes(&request.sealed).map_err(|_| Refused::Tampered)?;
    if envelope.binding.purpose != Purpose::Contact {
        return Err(Refused::Relabelled.into());
    }
    let payload = open(worker, &envelope, &request.kek);
    #[expect(clippy::disallowed_methods, reason = "EXPOSE: the letter is sent by the front, to this address")]
    let address = payload.map(|payload| payload.parts().first().and_then(|part| part.expose(Address::of)));
    wipe_stack();
    Ok(address?.ok_or(Refused::Tampered)?)
}
