//! Root keys: a new one, and the end of one that nothing was used under.
//!
//! The keeper has no store, so it cannot know what is still wrapped by a root key. It knows what it used itself: a root
//! key goes only when no KEK under it was used for a while, in this process, which has run as long. Whoever takes over
//! the front cannot destroy a root key that is in use without first keeping everything under it from being used.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::message::Refused;
use super::service::{Failure, Shared, lock};
use super::worker::Worker;
use crate::clock::BootTime;
use crate::token::{Token, TokenError};

/// When each root key was used last.
pub(super) struct Uses {
    started: BootTime,
    last: Mutex<BTreeMap<u32, BootTime>>,
}

impl Uses {
    pub(super) fn since(started: BootTime) -> Self {
        Self { started, last: Mutex::default() }
    }

    /// A KEK under this root key is used.
    pub(super) fn used(&self, root: u32, now: BootTime) {
        let mut last = lock(&self.last);
        let at = last.entry(root).or_insert(now);
        *at = now.max(*at);
    }

    /// Since when none was used, as far as this process knows.
    fn unused_since(&self, root: u32) -> BootTime {
        lock(&self.last).get(&root).copied().unwrap_or(self.started)
    }
}

pub(super) fn list<T: Token>(worker: &mut Worker<T>) -> Result<Vec<u32>, Failure> {
    Ok(worker.token.roots()?)
}

pub(super) fn make<T: Token>(worker: &mut Worker<T>, number: u32) -> Result<(), Failure> {
    worker.token.make_root(number).map_err(refused)
}

pub(super) fn destroy<T: Token>(shared: &Shared, worker: &mut Worker<T>, number: u32) -> Result<(), Failure> {
    let unused = shared.roots.unused_since(number).until(worker.now);
    if let Some(wait) = shared.config.root_unused.checked_sub(unused).filter(|wait| !wait.is_zero()) {
        let text = format!("a KEK under root/{number} may have been used lately: {} s more", wait.as_secs());
        return Err(Refused::Root(text).into());
    }
    worker.token.destroy_root(number).map_err(refused)
}

/// What the token does not want to do is no reason to give it up.
fn refused(error: TokenError) -> Failure {
    if let TokenError::Refused(why) | TokenError::Capacity(why) = error {
        Refused::Root(why).into()
    } else {
        error.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_key_is_unused_since_its_last_use_or_the_start() {
        let uses = Uses::since(BootTime(5));
        assert_eq!(uses.unused_since(1), BootTime(5));
        uses.used(1, BootTime(9));
        uses.used(1, BootTime(7));
        assert_eq!((uses.unused_since(1), uses.unused_since(2)), (BootTime(9), BootTime(5)));
    }
}
