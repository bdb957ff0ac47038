//! Root keys of a token that is in use: the next one is made and put to the test, and one that nothing needs is
//! destroyed.

use claviger_core::token::{ROOTS_MAX, TokenError};

use crate::error::{Fault, LOG};
use crate::hsm::Shared;
use crate::key::{IMPORTED, KeyName, Purpose};
use crate::provision;

/// The numbers of all root keys, the newest last.
pub(crate) fn numbers(shared: &Shared) -> Result<Vec<u32>, TokenError> {
    shared.with_admin(|session| Ok(shared.keys(session)?.roots().collect()))
}

/// Makes the root key that follows the newest one, unless it is there already.
///
/// One that does not pass the admission test is destroyed again, or no keeper would start with this token any more.
pub(crate) fn make(shared: &Shared, number: u32) -> Result<(), TokenError> {
    shared.with_admin(|session| {
        let keys = shared.keys(session)?;
        let newest = keys.newest_root();
        if newest == number {
            return Ok(());
        }
        if newest.checked_add(1) != Some(number) {
            return Err(refused(format!("root/{number} does not follow its newest root key, root/{newest}")));
        }
        if keys.roots().count() >= ROOTS_MAX {
            return Err(TokenError::Capacity(format!("it holds {ROOTS_MAX} root keys")).into());
        }
        let (name, before) = (named(number), shared.wrapping(&keys, named(newest))?);
        provision::root(session, &name.to_string(), before.kwp)?;
        let tested = shared.keys(session).map(drop);
        if tested.is_err() {
            provision::remove(session, name);
        } else {
            tracing::info!(target: LOG, key = %name, "a key was made");
        }
        tested
    })
}

/// Destroys a root key, never the newest. One that is not there is destroyed already.
pub(crate) fn destroy(shared: &Shared, number: u32) -> Result<(), TokenError> {
    shared.with_admin(|session| {
        let keys = shared.keys(session)?;
        if number >= keys.newest_root() || number == IMPORTED {
            return Err(refused(format!("root/{number} is not older than its newest root key")));
        }
        if let Ok(root) = keys.wrapping_key(named(number)) {
            session.destroy_object(root)?;
            tracing::warn!(target: LOG, key = %named(number), "a key was destroyed");
        }
        Ok(())
    })
}

fn named(version: u32) -> KeyName {
    KeyName { purpose: Purpose::Root, version }
}

fn refused(why: String) -> Fault {
    TokenError::Refused(why).into()
}
