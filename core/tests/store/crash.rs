//! Power cuts: at a random operation the disk stops, and forgets, keeps or tears what was not synced. The store that is
//! found then must be exactly what the answers so far allow.
//!
//! A run is rounds of one verb that has a commit to itself and a few that share the next one; the disk holds the first
//! commit's sync back until the others wait. So the store that is found is one of three: before the round, after the
//! first commit, after both. Each is a model, compared down to the last row, and with whatever a caller can ask after.
//! Nothing depends on the scheduler, and the seed that is printed replays a run.

use std::panic::{catch_unwind, resume_unwind};
use std::sync::Arc;

use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Store, StoreError};
use tokio::task::yield_now;

use super::disk::{Disk, Fault};
use super::fixtures::{ManualClock, ORIGIN};
use super::model::Model;
use super::seed::Seed;
use super::steps::{tick, world, write_step};
use super::verbs::{Verb, run};
use super::worlds::Worlds;

/// Set to a seed that was printed, it replays that run alone.
const REPLAY: &str = "CLAVIGER_CRASH_SEED";
const FIRST_SEED: u64 = 0x5eed_0000;
const RUNS: u64 = 400;
const ROUNDS: u64 = 10;
/// About as many writes and syncs as a run has, opening and closing included.
const OPERATIONS: u64 = 320;

#[test]
fn a_power_cut_loses_nothing_that_was_answered() {
    let cuts: u64 = seeds().map(|seed| u64::from(told(seed, || cut(Seed::new(seed), false)))).sum();
    eprintln!("{cuts} power cuts, seeds from {FIRST_SEED}");
}

/// The check above is worth something only if it fails when the disk lies.
#[test]
fn a_disk_that_does_not_sync_is_noticed() {
    let runs = 40;
    let noticed = (FIRST_SEED..FIRST_SEED + runs).filter(|seed| catch_unwind(|| cut(Seed::new(*seed), true)).is_err());
    let noticed = noticed.count();
    assert!(noticed > 20, "only {noticed} of {runs} losses were noticed");
}

/// After a sync that failed, the pages it was for may be gone although they still show; nothing may be built on them.
#[test]
fn a_failed_sync_loses_nothing_that_was_answered() {
    for seed in seeds() {
        told(seed, || lose_a_sync(Seed::new(seed)));
    }
}

/// Plays until the power goes, and checks what is left. Says whether it went.
fn cut(mut seed: Seed, lies: bool) -> bool {
    let mut play = Play::new();
    if lies {
        play.disk.lie();
    }
    play.disk.fail(Fault::PowerCut(seed.below(OPERATIONS)));
    play.rounds(&mut seed);
    let cut = play.disk.power_is_cut();
    play.check_after_power_cut(&mut seed);
    cut
}

fn lose_a_sync(mut seed: Seed) {
    let mut play = Play::new();
    play.disk.fail(Fault::LostSync(seed.below(OPERATIONS)));
    play.rounds(&mut seed);
    play.check_after_power_cut(&mut seed);
}

/// A store on a disk that fails, and what it may hold.
struct Play {
    disk: Disk,
    clock: Arc<ManualClock>,
    worlds: Worlds,
    runtime: tokio::runtime::Runtime,
}

impl Play {
    /// Begins with a store that was closed in good order.
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (disk, clock, mut model) = (Disk::new(), ManualClock::new(), Model::default());
        let store = open(&disk, &clock).unwrap();
        let answer = runtime.block_on(run(&store, world()));
        assert_eq!(answer, model.apply(world(), clock.as_ref()));
        store.close();
        Self { disk: disk.copy(), clock, worlds: Worlds::new(model), runtime }
    }

    fn rounds(&mut self, seed: &mut Seed) {
        let Ok(store) = open(&self.disk, &self.clock) else { return };
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

    fn check_after_power_cut(mut self, seed: &mut Seed) {
        let found = self.disk.after_power_cut(seed);
        let store = open(&found, &self.clock).unwrap();
        self.runtime.block_on(self.worlds.check(&store, self.clock.as_ref()));
    }
}

fn open(disk: &Disk, clock: &Arc<ManualClock>) -> Result<RedbStore, StoreError> {
    let disk = disk.clone();
    RedbStore::over(move || disk.clone(), ORIGIN, clock.clone())
}

fn seeds() -> Box<dyn Iterator<Item = u64>> {
    #[expect(clippy::disallowed_methods, reason = "a run is replayed by hand")]
    let replay = std::env::var(REPLAY);
    match replay {
        Ok(seed) => Box::new(std::iter::once(seed.parse().unwrap())),
        Err(_) => Box::new(FIRST_SEED..FIRST_SEED + RUNS),
    }
}

/// Tells how to replay a run that fails.
fn told<T>(seed: u64, run: impl FnOnce() -> T + std::panic::UnwindSafe) -> T {
    catch_unwind(run).unwrap_or_else(|panic| {
        eprintln!("replay it with {REPLAY}={seed}");
        resume_unwind(panic)
    })
}
