//! A run: random verbs on a store whose disk may fail, and what the store may hold after.
//!
//! It goes in rounds of one verb that has a commit to itself and a few that share the next one; the disk holds the first
//! commit's sync back until the others wait. So a store that is found after a power cut is one of three: as before the
//! round, after the first commit, or after both. Each is a model, compared down to the last row, and with whatever a
//! caller can ask after.

use std::sync::Arc;

use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Store, StoreError};
use tokio::task::yield_now;

use super::disk::Disk;
use super::fixtures::{ManualClock, ORIGIN};
use super::model::Model;
use super::seed::Seed;
use super::steps::{tick, world, write_step};
use super::verbs::{Verb, run};
use super::worlds::Worlds;

const ROUNDS: u64 = 10;

/// How much the engine keeps in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cache {
    /// Everything.
    Roomy,
    /// Next to nothing: reads go to the disk, and so do writes before their commit.
    Tight,
}

/// A store on a disk that fails, and what it may hold.
pub(crate) struct Play {
    pub(crate) disk: Disk,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) worlds: Worlds,
    pub(crate) runtime: tokio::runtime::Runtime,
    cache: Cache,
}

impl Play {
    /// Begins with a store that was closed in good order.
    pub(crate) fn new(cache: Cache) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (disk, clock, mut model) = (Disk::new(), ManualClock::new(), Model::default());
        let store = open(&disk, &clock, cache).unwrap();
        let answer = runtime.block_on(run(&store, world()));
        assert_eq!(answer, model.apply(world(), clock.as_ref()));
        store.close();
        Self { disk: disk.copy(), clock, worlds: Worlds::new(model), runtime, cache }
    }

    pub(crate) fn open(&self) -> Result<RedbStore, StoreError> {
        open(&self.disk, &self.clock, self.cache)
    }

    pub(crate) fn open_and_play(&mut self, seed: &mut Seed) {
        let Ok(store) = self.open() else { return };
        let store: Arc<dyn Store> = Arc::new(store);
        for round in 0..ROUNDS {
            if self.disk.power_is_cut() {
                break;
            }
            self.clock.step(seed.pick(&tick()));
            self.round(&store, seed, round);
        }
    }

    /// One commit for the first verb, and one for the others.
    fn round(&mut self, store: &Arc<dyn Store>, seed: &mut Seed, round: u64) {
        let mut after = self.worlds.any().clone();
        let verbs: Vec<Verb> = (0..=seed.below(4))
            .map(|place| {
                let verb = seed.pick(&write_step()).verb(&after, round * 4 + place);
                after.apply(verb.clone(), self.clock.as_ref());
                verb
            })
            .collect();
        let answers = self.runtime.block_on(async {
            let mut asked = Vec::new();
            self.disk.hold_syncs();
            for verb in verbs.clone() {
                let store = store.clone();
                asked.push(tokio::spawn(async move { run(store.as_ref(), verb).await }));
                // It asks now. Once the first one's commit waits for the disk, the others can only wait for the next.
                yield_now().await;
                self.disk.wait_for_sync();
            }
            self.disk.let_through();
            let mut answers = Vec::new();
            for answer in asked {
                answers.push(answer.await.unwrap());
            }
            answers
        });
        let told: Vec<_> = verbs.into_iter().zip(answers).collect();
        let (first, others) = told.split_at(1);
        self.worlds.learn(first, self.clock.as_ref());
        self.worlds.learn(others, self.clock.as_ref());
    }

    pub(crate) fn check_after_power_cut(mut self, seed: &mut Seed) {
        self.disk = self.disk.after_power_cut(seed);
        let store = self.open().unwrap();
        self.runtime.block_on(self.worlds.check(&store, self.clock.as_ref()));
    }
}

pub(crate) fn open(disk: &Disk, clock: &Arc<ManualClock>, cache: Cache) -> Result<RedbStore, StoreError> {
    let disk = disk.clone();
    let cache_bytes = match cache {
        Cache::Roomy => 64 * 1024 * 1024,
        Cache::Tight => 16 * 1024,
    };
    RedbStore::over(move || disk.clone(), cache_bytes, ORIGIN, clock.clone())
}
