//! A backup, and what there should be once it has taken the store's place.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use claviger_core::backup::Sink;
use claviger_core::envelope::Envelope;
use claviger_core::id::CredentialId;
use claviger_core::store::redb::restore;
use claviger_core::store::{Key, Row, Versioned};

use super::model::{End, Model, Tenant};
use super::world::World;

/// A moment, as a backup has it.
pub(crate) struct Picture {
    bytes: Vec<u8>,
    model: Model,
    /// The version of the KEK that each credential was under.
    under: BTreeMap<CredentialId, u32>,
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Memory {
    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

impl Picture {
    pub(crate) async fn taken(world: &World, model: &Model) -> Self {
        let (sink, store) = (Memory::default(), world.service().store());
        store.backup(Box::new(sink.clone())).await.unwrap();
        let mut under = BTreeMap::new();
        for id in model.tenants.iter().flat_map(|tenant| tenant.credentials.keys()) {
            if let Some(Versioned { row: Row::Sealed(sealed), .. }) = store.get(Key::Sealed(*id)).await.unwrap() {
                under.insert(*id, Envelope::from_bytes(&sealed).unwrap().kek_version);
            }
        }
        let bytes = sink.0.lock().unwrap().clone();
        Self { bytes, model: model.clone(), under }
    }

    /// The bytes of a store's file that holds what the backup does.
    pub(crate) fn file(&self) -> Vec<u8> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("life-{}-{}.redb", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        restore(&path, &mut self.bytes.as_slice()).unwrap();
        let file = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        file
    }

    /// What there should be after a restore: all as it was, but for what was deleted since.
    pub(crate) fn restored(&self, now: &Model) -> Model {
        let mut tenants = self.model.tenants.clone();
        for (then, now) in tenants.iter_mut().zip(&now.tenants) {
            self.without_what_was_deleted(then, now);
        }
        Model { tenants }
    }

    fn without_what_was_deleted(&self, then: &mut Tenant, now: &Tenant) {
        then.past.extend(&now.past);
        then.past.extend(now.credentials.values().map(|held| held.key));
        for held in then.credentials.values() {
            then.past.remove(&held.key);
        }
        then.deleted.extend(&now.deleted);
        then.destroyed.extend(&now.destroyed);
        let lost = |id: &&CredentialId| {
            then.deleted.contains(id) || self.under.get(id).is_some_and(|version| then.destroyed.contains(version))
        };
        for id in then.credentials.keys().filter(lost).copied().collect::<Vec<_>>() {
            then.delete(id);
        }
        if now.end != End::Lives {
            then.end = End::Gone;
            then.delete_all();
        }
    }
}
