//! Session objects: each is counted when it is made, and a temporary one is destroyed whatever happens.

use std::sync::atomic::{AtomicU64, Ordering};

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::Session;

use crate::error::{Fault, LOG};

/// Session objects that this process has made. The library's memory is the process's, so one counter serves all tokens.
static MADE: AtomicU64 = AtomicU64::new(0);

/// Session objects made by this process so far, also those that are gone.
pub(crate) fn made() -> u64 {
    MADE.load(Ordering::Relaxed)
}

/// `C_GenerateKey` of a session object.
pub(crate) fn generate(session: &Session, by: &Mechanism<'_>, template: &[Attribute]) -> Result<ObjectHandle, Fault> {
    let handle = session.generate_key(by, template)?;
    MADE.fetch_add(1, Ordering::Relaxed);
    Ok(handle)
}

/// `C_GenerateKeyPair`: the public half, a session object, and the private one, which may be either.
pub(crate) fn generate_pair(
    session: &Session,
    by: &Mechanism<'_>,
    public: &[Attribute],
    private: &[Attribute],
) -> Result<(ObjectHandle, ObjectHandle), Fault> {
    let halves = session.generate_key_pair(by, public, private)?;
    MADE.fetch_add(2, Ordering::Relaxed);
    Ok(halves)
}

/// `C_UnwrapKey` to a session object.
pub(crate) fn unwrap(
    session: &Session,
    by: &Mechanism<'_>,
    with: ObjectHandle,
    wrapped: &[u8],
    template: &[Attribute],
) -> Result<ObjectHandle, Fault> {
    let handle = session.unwrap_key(by, with, wrapped, template)?;
    MADE.fetch_add(1, Ordering::Relaxed);
    Ok(handle)
}

/// `C_CreateObject` of a session object.
pub(crate) fn create(session: &Session, template: &[Attribute]) -> Result<ObjectHandle, Fault> {
    let handle = session.create_object(template)?;
    MADE.fetch_add(1, Ordering::Relaxed);
    Ok(handle)
}

/// Best effort: a session object that cannot be destroyed dies with its session.
pub(crate) fn destroy(session: &Session, object: ObjectHandle) {
    if let Err(error) = session.destroy_object(object) {
        tracing::debug!(target: LOG, "an object was not destroyed: {error}");
    }
}

/// An object that is destroyed at the end of its scope, unless it is kept.
#[derive(Debug)]
pub(crate) struct Temporary<'s> {
    session: &'s Session,
    pub(crate) handle: ObjectHandle,
    kept: bool,
}

impl<'s> Temporary<'s> {
    pub(crate) fn new(session: &'s Session, handle: ObjectHandle) -> Self {
        Self { session, handle, kept: false }
    }

    pub(crate) fn keep(mut self) -> ObjectHandle {
        self.kept = true;
        self.handle
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.kept {
            destroy(self.session, self.handle);
        }
    }
}
