//! Power cuts: at a random operation the disk stops, and forgets, keeps or tears what was not synced. The store that is
//! found then must be exactly what the answers so far allow.
//!
//! Nothing in a run depends on the scheduler, and the seed that is printed replays it.

use std::panic::{catch_unwind, resume_unwind};

use claviger_core::store::redb::RedbStore;
use claviger_core::store::{Store as _, StoreError};

use super::conformance::wraps::{left, many_wraps, take_away};
use super::disk::{Disk, Fault};
use super::fixtures::{ManualClock, draft, tenant};
use super::play::{Cache, Play, open};
use super::seed::Seed;

/// Set to a seed that was printed, it replays that run alone.
const REPLAY: &str = "CLAVIGER_CRASH_SEED";
const FIRST_SEED: u64 = 0x5eed_0000;
const RUNS: u64 = 400;
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
    for seed in seeds().step_by(2) {
        told(seed, || lose_a_sync(Seed::new(seed)));
    }
}

/// Wraps of a KEK that was taken away: wherever the power goes, the next start goes on, and the end is told once.
#[test]
fn a_power_cut_between_two_pages_leaves_no_wrap() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (disk, clock) = (Disk::new(), ManualClock::new());
    let open = |disk: &Disk| open(disk, &clock, Cache::Roomy);
    let store = open(&disk).unwrap();
    let ids = runtime.block_on(async {
        let ids = many_wraps(&store).await;
        take_away(&store).await;
        ids
    });
    store.close();
    let clear = |store: &RedbStore| {
        runtime.block_on(async {
            while store.clear_wraps(tenant(0), draft(0, "end")).await? {}
            Ok::<_, StoreError>(())
        })
    };
    let (mut cuts, mut between) = (0, 0);
    for operation in (0..90).step_by(3) {
        let mut disk = disk.copy();
        disk.fail(Fault::PowerCut(operation));
        if let Ok(store) = open(&disk) {
            // Whatever it answers.
            let _ = clear(&store);
        }
        cuts += u32::from(disk.power_is_cut());
        disk = disk.after_power_cut(&mut Seed::new(operation));
        let store = open(&disk).unwrap();
        let found = runtime.block_on(left(&store, &ids));
        between += u32::from(found > 0 && found < ids.len());
        clear(&store).unwrap();
        runtime.block_on(async {
            assert_eq!(left(&store, &ids).await, 0, "{operation}");
            assert_eq!(store.tree_head().await.unwrap().size, 1, "{operation}");
        });
    }
    assert!(cuts > 5 && between > 2, "{cuts} cuts, {between} between two pages");
}

/// Plays until the power goes, and checks what is left. Says whether it went.
fn cut(mut seed: Seed, lies: bool) -> bool {
    let mut play = Play::new(cache(&mut seed));
    if lies {
        play.disk.lie();
    }
    play.disk.fail(Fault::PowerCut(seed.below(OPERATIONS)));
    play.open_and_play(&mut seed);
    let cut = play.disk.power_is_cut();
    play.check_after_power_cut(&mut seed);
    cut
}

fn lose_a_sync(mut seed: Seed) {
    let mut play = Play::new(cache(&mut seed));
    play.disk.fail(Fault::LostSync(seed.below(OPERATIONS)));
    play.open_and_play(&mut seed);
    play.check_after_power_cut(&mut seed);
}

fn cache(seed: &mut Seed) -> Cache {
    if seed.below(2) == 0 { Cache::Roomy } else { Cache::Tight }
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
