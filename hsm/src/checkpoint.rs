//! The newest checkpoint, kept in the token as a data object where no rollback of the store reaches it.

use claviger_core::token::TokenError;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;

use crate::error::Fault;
use crate::hsm::Shared;
use crate::key::Keys;
use crate::{create, template};

/// All checkpoints in the token.
///
/// None at all is only believed of a token that still shows its keys: one that went away lists nothing either.
pub(crate) fn all(shared: &Shared) -> Result<Vec<Vec<u8>>, TokenError> {
    shared.with_admin(|session| {
        let held = list(session)?;
        if held.is_empty() && !Keys::any_secret(session)? {
            return Err(TokenError::Lost(String::from("it no longer shows any object")).into());
        }
        Ok(held.into_iter().map(|(_, value)| value).collect())
    })
}

/// Whether there is one, in a token that is not in use yet.
pub(crate) fn is_held(session: &Session) -> Result<bool, Fault> {
    Ok(!list(session)?.is_empty())
}

/// Stores `checkpoint`: the new object first, the others but `previous` destroyed after, so that a crash leaves too many
/// and never none. `SoftHSM` on a full disk says that it wrote what it did not; then the previous one is what is found.
///
/// A data object cannot be changed in place everywhere (`SoftHSM`: `CKR_ATTRIBUTE_READ_ONLY`).
pub(crate) fn put(shared: &Shared, checkpoint: &[u8], previous: Option<&[u8]>) -> Result<(), TokenError> {
    shared.with_admin(|session| {
        let held = list(session)?;
        // Repeated on a fresh session, this finds what its first run made.
        let keep = held.iter().find(|(_, value)| value == checkpoint).map(|(handle, _)| *handle);
        if keep.is_none() {
            create::once(
                || Ok(session.create_object(&template::checkpoint(checkpoint))?),
                || Ok(list(session)?.into_iter().find(|(_, value)| value == checkpoint).map(|(handle, _)| handle)),
            )?;
        }
        let stays = |value: &[u8]| value == checkpoint || previous.is_some_and(|previous| value == previous);
        for (handle, _) in held.iter().filter(|(_, value)| !stays(value)) {
            session.destroy_object(*handle)?;
        }
        Ok(())
    })
}

fn list(session: &Session) -> Result<Vec<(ObjectHandle, Vec<u8>)>, Fault> {
    let mut held = Vec::new();
    for handle in session.find_objects(&template::checkpoint_lookup())? {
        for attribute in session.get_attributes(handle, &[AttributeType::Value])? {
            if let Attribute::Value(value) = attribute {
                held.push((handle, value));
            }
        }
    }
    Ok(held)
}
