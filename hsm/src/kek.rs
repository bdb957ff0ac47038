//! KEKs: made inside the token, wrapped by a root key, and used only in the form that comes out of its template.

use claviger_core::token::{KEY_BYTES, KekBlob, TokenError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::ObjectHandle;
use cryptoki::session::Session;

use crate::aead::NONCE_BYTES;
use crate::error::Fault;
use crate::mechanism::Kwp;
use crate::object::{self, destroy};
use crate::{canary, template};

/// A wrapped KEK: RFC 5649 adds 8 bytes to 32.
const WRAPPED_BYTES: usize = KEY_BYTES + 8;

/// A key of the token that wraps, with the id under which it does RFC 5649.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wrapping {
    pub(crate) handle: ObjectHandle,
    pub(crate) kwp: Kwp,
}

/// A new KEK, and its handle as a session object that cannot be extracted.
#[derive(Debug)]
pub(crate) struct Generated {
    pub(crate) wrapped: Vec<u8>,
    pub(crate) canary: Vec<u8>,
    pub(crate) handle: ObjectHandle,
}

/// Makes a KEK as a session object good for nothing, wraps it, destroys it, unwraps it through the root key's
/// template, and seals and opens its canary.
///
/// Source: PKCS #11 v3.1, `C_GenerateKey`, `C_WrapKey`, `C_UnwrapKey`; RFC 5649.
pub(crate) fn generate(session: &Session, root: Wrapping, nonce: [u8; NONCE_BYTES]) -> Result<Generated, Fault> {
    let newborn = object::generate(session, &Mechanism::AesKeyGen, &template::newborn_kek())?;
    settle(session, root, newborn, nonce)
}

/// Wraps a newborn KEK, destroys it, and takes the wrapped one into use.
pub(crate) fn settle(
    session: &Session,
    root: Wrapping,
    newborn: ObjectHandle,
    nonce: [u8; NONCE_BYTES],
) -> Result<Generated, Fault> {
    let wrapped = session.wrap_key(&root.kwp.mechanism(), root.handle, newborn);
    destroy(session, newborn);
    let wrapped = wrapped?;
    if wrapped.len() != WRAPPED_BYTES {
        return Err(TokenError::Refused(format!("it wrapped a KEK to {} bytes", wrapped.len())).into());
    }
    let handle = object::unwrap(session, &root.kwp.mechanism(), root.handle, &wrapped, &template::kek())?;
    let sealed = canary::seal(session, handle, nonce).and_then(|canary| {
        canary::open(session, handle, &canary)?;
        Ok(canary)
    });
    match sealed {
        Ok(canary) => Ok(Generated { wrapped, canary, handle }),
        Err(fault) => {
            destroy(session, handle);
            Err(fault)
        }
    }
}

/// Unwraps a stored KEK. It is not handed out before it has opened its canary.
pub(crate) fn unwrap(session: &Session, root: Wrapping, blob: &KekBlob) -> Result<ObjectHandle, Fault> {
    if blob.wrapped.len() != WRAPPED_BYTES || blob.canary.len() != canary::BYTES {
        return Err(TokenError::Tampered.into());
    }
    let kek = object::unwrap(session, &root.kwp.mechanism(), root.handle, &blob.wrapped, &template::kek())?;
    canary::open(session, kek, &blob.canary).inspect_err(|_| destroy(session, kek))?;
    Ok(kek)
}
