//! Handles of callers' keys that a session has unwrapped or found: bounded, and forgotten when idle.

use std::collections::HashMap;

use claviger_core::clock::BootTime;
use claviger_core::token::{Forget, Holder, IDLE, KeyForm, TokenKey};
use cryptoki::object::ObjectHandle;

/// The least recently used key makes room for a new one.
#[derive(Debug)]
pub(crate) struct LiveKeys {
    entries: HashMap<TokenKey, Entry>,
    /// Nothing is idle before this.
    due: BootTime,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    handle: ObjectHandle,
    holder: Holder,
    used: BootTime,
}

impl LiveKeys {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), due: BootTime(0), capacity }
    }

    /// The whole stored form is the key, so that a handle never stands for another one's.
    pub(crate) fn get(&mut self, key: &TokenKey, now: BootTime) -> Option<ObjectHandle> {
        let entry = self.entries.get_mut(key)?;
        entry.used = entry.used.max(now);
        Some(entry.handle)
    }

    /// Remembers a handle, and gives back the session object that had to go; the caller destroys it.
    #[must_use]
    pub(crate) fn insert(
        &mut self,
        key: TokenKey,
        handle: ObjectHandle,
        holder: Holder,
        now: BootTime,
    ) -> Option<ObjectHandle> {
        let evicted = if self.entries.len() >= self.capacity {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| self.entries.remove_entry(&oldest)).and_then(session_object)
        } else {
            None
        };
        self.entries.insert(key, Entry { handle, holder, used: now });
        evicted
    }

    /// Forgets, and gives back the session objects that go with it; the caller destroys them.
    #[must_use]
    pub(crate) fn forget(&mut self, what: Forget) -> Vec<ObjectHandle> {
        match what {
            Forget::Holder(holder) => self.take(|entry| entry.holder == holder),
            Forget::All => self.take(|_| true),
            Forget::Keks => Vec::new(),
            // Most calls end here: uses only move the moment when something becomes idle away.
            Forget::Idle(now) if now < self.due => Vec::new(),
            Forget::Idle(now) => {
                let idle = self.take(|entry| entry.used.after(IDLE) <= now);
                self.due = self.entries.values().map(|entry| entry.used).min().unwrap_or(now).after(IDLE);
                idle
            }
        }
    }

    /// Forgets the handle of an object in the token, whoever holds it.
    pub(crate) fn forget_object(&mut self, label: &str) {
        let named = |key: &TokenKey| matches!(&key.form, KeyForm::Object { label: of } if of == label);
        self.entries.retain(|key, _| !named(key));
    }

    /// Forgets all handles, when the session that owned them is gone.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn take(&mut self, which: impl Fn(&Entry) -> bool) -> Vec<ObjectHandle> {
        self.entries.extract_if(|_, entry| which(entry)).filter_map(session_object).collect()
    }
}

/// An object in the token outlives its handle here.
fn session_object((key, entry): (TokenKey, Entry)) -> Option<ObjectHandle> {
    match key.form {
        KeyForm::Wrapped { .. } => Some(entry.handle),
        KeyForm::Object { .. } => None,
    }
}
