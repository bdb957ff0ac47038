//! Random sequences of verbs, with restarts, on an engine and on the model: every answer and the final state agree.

use std::sync::Arc;

use claviger_core::store::Store;
use proptest::prelude::*;

use super::bench::{Bench, Engine};
use super::disk::Disk;
use super::fixtures::ManualClock;
use super::model::Model;
use super::play::{Cache, open};
use super::steps::{Step, keys, step, tick, world};
use super::verbs::{read_all, run};

/// Disks in memory, so that a thousand commits take no time.
impl Engine for Disk {
    fn open(&self, clock: Arc<ManualClock>) -> Arc<dyn Store> {
        Arc::new(open(self, &clock, Cache::Roomy).unwrap())
    }
}

#[derive(Clone, Debug)]
enum Act {
    Restart,
    Do(i64, Step),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![1 => Just(Act::Restart), 15 => (tick(), step()).prop_map(|(tick, step)| Act::Do(tick, step))]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn an_engine_does_as_the_model(acts in prop::collection::vec(act(), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(compare(Bench::new(Disk::new()), acts))?;
    }
}

async fn compare(mut bench: Bench, acts: Vec<Act>) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    let made = model.apply(world(), bench.clock.as_ref());
    prop_assert_eq!(run(bench.store(), world()).await, made);
    for (place, act) in acts.into_iter().enumerate() {
        let Act::Do(tick, step) = act else {
            bench.reopen();
            continue;
        };
        bench.clock.step(tick);
        let verb = step.verb(&model, place as u64);
        let expected = model.apply(verb.clone(), bench.clock.as_ref());
        let answer = run(bench.store(), verb.clone()).await;
        prop_assert_eq!(answer, expected, "act {}: {:?}", place, verb);
    }
    bench.reopen();
    prop_assert_eq!(read_all(bench.store(), &keys()).await, model.state(&keys()));
    Ok(())
}
