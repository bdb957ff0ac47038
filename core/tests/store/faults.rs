//! A disk that fails and recovers under a store that stays open: nothing that was answered is lost, nobody is told more
//! than is certain, health says so, and the same store goes on by itself when it can.

use claviger_core::store::{Store, StoreError};

use super::disk::Fault;
use super::fixtures::credential_key;
use super::play::{Cache, Play};
use super::seed::Seed;
use super::steps::{step, tick};
use super::verbs::{Answer, Failure, run};

/// More operations than the verbs of a run take.
const OPERATIONS: u64 = 130;
const VERBS: u64 = 12;

#[test]
fn a_disk_that_breaks() {
    check(Fault::Broken, 50);
}

#[test]
fn a_disk_that_becomes_read_only() {
    check(Fault::ReadOnly, 50);
}

#[test]
fn a_disk_that_is_full() {
    check(Fault::Full, 5);
}

/// One read that fails makes redb refuse every later one; without a single write, health finds out and has it opened anew.
#[test]
fn a_read_that_fails() {
    let play = Play::new(Cache::Tight);
    let store = play.open().unwrap();
    play.disk.fail(Fault::Broken(0));
    play.runtime.block_on(async {
        assert!(matches!(store.get(credential_key(0, 0)).await, Err(StoreError::NotApplied(_))));
        assert!(matches!(store.health().await, Err(StoreError::NotApplied(_))));
        play.disk.fail(Fault::None);
        store.health().await.unwrap();
        assert!(store.get(credential_key(0, 0)).await.unwrap().is_some());
    });
}

/// A file that could not be read is not a new one.
#[test]
fn a_store_that_cannot_be_read_is_not_made_anew() {
    for fault in (0..40).flat_map(|after| [Fault::LostRead(after), Fault::Broken(after)]) {
        let mut play = Play::new(Cache::Tight);
        play.disk.fail(fault);
        if let Err(error) = play.open() {
            assert!(matches!(error, StoreError::NotApplied(_)), "{error:?}");
        }
        play.disk.fail(Fault::None);
        let store = play.open().unwrap();
        play.runtime.block_on(play.worlds.check(&store, play.clock.as_ref()));
    }
}

/// Reads of the writer and of the reader, wherever they fail.
#[test]
fn a_read_that_fails_once() {
    for after in 0..120 {
        let (mut seed, mut play) = (Seed::new(after), Play::new(Cache::Tight));
        let store = play.open().unwrap();
        play.disk.fail(Fault::LostRead(after));
        for label in 0..VERBS {
            let verb = seed.pick(&step()).verb(play.worlds.any(), label);
            let answer = play.runtime.block_on(run(&store, verb.clone()));
            play.worlds.learn(&[(verb, answer)], play.clock.as_ref());
        }
        play.runtime.block_on(async {
            store.health().await.unwrap();
            play.worlds.check(&store, play.clock.as_ref()).await;
        });
    }
}

/// Lets the disk fail after ever more operations; at least so many runs must meet the fault.
fn check(fault: fn(u64) -> Fault, at_least: usize) {
    let met = (0..OPERATIONS).step_by(2).filter(|after| fail_and_heal(*after, fault)).count();
    assert!(met >= at_least, "only {met} runs met the fault");
}

/// Runs verbs until the disk fails and some more, heals it, and checks that all is well. Says whether a verb failed.
fn fail_and_heal(after: u64, fault: fn(u64) -> Fault) -> bool {
    let mut seed = Seed::new(after);
    let mut play = Play::new(if after.is_multiple_of(4) { Cache::Roomy } else { Cache::Tight });
    let store = play.open().unwrap();
    play.disk.fail(fault(play.disk.operations() + after));
    let mut failed = false;
    for label in 0..VERBS {
        play.clock.step(seed.pick(&tick()));
        let verb = seed.pick(&step()).verb(play.worlds.any(), label);
        let answer = play.runtime.block_on(run(&store, verb.clone()));
        if let Answer::Failed(Failure::NotApplied | Failure::Unknown) = &answer
            && play.worlds.any().clone().apply(verb.clone(), play.clock.as_ref()) != answer
        {
            failed = true;
            let health = play.runtime.block_on(store.health());
            assert!(matches!(health, Err(StoreError::NotApplied(_))), "{verb:?} failed, and health says {health:?}");
        }
        play.worlds.learn(&[(verb, answer)], play.clock.as_ref());
    }

    play.disk.fail(Fault::None);
    play.runtime.block_on(async {
        store.health().await.unwrap();
        play.worlds.check(&store, play.clock.as_ref()).await;
    });
    drop(store);
    play.check_after_power_cut(&mut seed);
    failed
}
