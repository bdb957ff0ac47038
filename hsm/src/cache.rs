//! Handles of unwrapped KEKs, bounded: each is an object in the token's memory.

use std::collections::HashMap;

use claviger_core::token::KekBlob;
use cryptoki::object::ObjectHandle;

/// The least recently used KEK makes room for a new one.
#[derive(Debug)]
pub(crate) struct KekCache {
    entries: HashMap<KekBlob, Entry>,
    /// Counts uses; a `u64` does not wrap in the life of a process.
    clock: u64,
    capacity: usize,
}

#[derive(Debug)]
struct Entry {
    handle: ObjectHandle,
    used: u64,
}

impl KekCache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), clock: 0, capacity }
    }

    /// The whole blob is the key: the same wrapped bytes with another canary are another KEK until proven.
    pub(crate) fn get(&mut self, blob: &KekBlob) -> Option<ObjectHandle> {
        self.clock = self.clock.saturating_add(1);
        let entry = self.entries.get_mut(blob)?;
        entry.used = self.clock;
        Some(entry.handle)
    }

    /// Remembers a handle, and gives back the one that had to go; the caller destroys it.
    ///
    /// Finding the oldest reads the whole map: microseconds, and only when a full cache meets an unknown tenant.
    #[must_use]
    pub(crate) fn insert(&mut self, blob: KekBlob, handle: ObjectHandle) -> Option<ObjectHandle> {
        let evicted = if self.entries.len() >= self.capacity {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(blob, _)| blob.clone());
            oldest.and_then(|oldest| self.entries.remove(&oldest)).map(|entry| entry.handle)
        } else {
            None
        };
        self.clock = self.clock.saturating_add(1);
        self.entries.insert(blob, Entry { handle, used: self.clock });
        evicted
    }

    /// Forgets all handles. Where the session that owned them is still there, the caller destroys them.
    pub(crate) fn clear(&mut self) -> impl Iterator<Item = ObjectHandle> {
        self.entries.drain().map(|(_, entry)| entry.handle)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}
