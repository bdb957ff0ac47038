//! What became of intents.

use claviger_core::store::{ANSWER_BYTES_MAX, Execution, ExecutionState, Scopes, StoreError};

use super::super::bench::{Bench, outcome};
use super::super::fixtures::{START_MS, execution, intent, numbers, ordered, probe, scopes};
use super::super::log;

pub(super) async fn the_first_outcome_stands(bench: Bench) {
    let bench = bench.with_credentials().await;
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    let opened = stored(&bench).await;
    assert_eq!((opened.state, opened.at_ms, &opened.receipt), (ExecutionState::Open, START_MS, granted.receipt()));
    let ownerless = Scopes { owner: None, ..scopes(0) };
    assert_eq!((opened.intent, &opened.scopes, opened.key.as_str()), (granted.intent(), &ownerless, "key"));

    bench.settle(granted.intent(), ExecutionState::Acked, "first").await;
    let first = stored(&bench).await;
    let before = log::verified(bench.store()).await.len();
    for state in [ExecutionState::Acked, ExecutionState::Failed, ExecutionState::Unknown, ExecutionState::Rejected] {
        bench.settle(granted.intent(), state, "later").await;
        assert_eq!(stored(&bench).await, first, "{state:?}");
    }
    assert_eq!(bench.store().resolve().await, Ok(vec![]));
    assert_eq!(log::verified(bench.store()).await.len(), before + 4, "each report is an entry");
}

pub(super) async fn an_unknown_outcome_is_replaced(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    bench.settle(granted.intent(), ExecutionState::Unknown, "?").await;
    assert_eq!(bench.store().resolve().await, Ok(vec![]), "it has an outcome");
    assert_eq!(stored(&bench).await.state, ExecutionState::Unknown);
    bench.reopen();
    bench.settle(granted.intent(), ExecutionState::Unknown, "??").await;
    bench.settle(granted.intent(), ExecutionState::Rejected, "found").await;
    bench.settle(granted.intent(), ExecutionState::Acked, "late").await;
    let stored = stored(&bench).await;
    assert_eq!((stored.state, stored.answer.unwrap().body), (ExecutionState::Rejected, b"found".to_vec()));
}

pub(super) async fn that_it_is_open_is_no_outcome(bench: Bench) {
    let bench = bench.with_credentials().await;
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    let batch =
        vec![outcome(granted.intent(), ExecutionState::Acked, ""), outcome(granted.intent(), ExecutionState::Open, "")];
    let refused = bench.store().commit_outcomes(batch).await;
    assert!(matches!(refused, Err(StoreError::NotApplied(_))), "{refused:?}");
    assert_eq!(stored(&bench).await.state, ExecutionState::Open);
}

pub(super) async fn open_intents_survive_reopening(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    let first = bench.grant(ordered(0, 1, "key", 1)).await.intent();
    let second = bench.grant(probe(1, "probe")).await.intent();
    let settled = bench.grant(intent(0, "settled")).await.intent();
    bench.settle(settled, ExecutionState::Failed, "").await;
    for _ in 0..2 {
        let open = bench.store().resolve().await.unwrap();
        assert_eq!(numbers(&open), [first, second]);
        assert_eq!((open[0].execution, &open[0].scopes, open[0].at_ms), (Some(execution(1)), &scopes(0), START_MS));
        assert_eq!((open[1].execution, &open[1].scopes), (None, &probe(1, "probe").scopes));
        bench.reopen();
    }
}

pub(super) async fn a_long_answer_is_cut(bench: Bench) {
    let bench = bench.with_credentials().await;
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    bench.settle(granted.intent(), ExecutionState::Acked, &"x".repeat(ANSWER_BYTES_MAX + 1)).await;
    assert_eq!(stored(&bench).await.answer.unwrap().body.len(), ANSWER_BYTES_MAX);
}

pub(super) async fn what_is_lost_is_listed_until_it_is_found_or_forgotten(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    let mut intents = Vec::new();
    for n in 1..=4 {
        let ordered = ordered(0, n, &format!("key-{n}"), 1);
        let questions = ordered.execution.as_ref().unwrap().questions.clone();
        let intent = bench.grant(ordered).await.intent();
        bench.settle(intent, ExecutionState::Unknown, "").await;
        intents.push((intent, questions));
    }
    bench.reopen();
    let lost = bench.store().lost(0, 10).await.unwrap();
    let listed: Vec<_> = lost.iter().map(|lost| (lost.intent, lost.questions.clone())).collect();
    assert_eq!(listed, intents);
    assert_eq!(numbers(&bench.store().lost(intents[0].0, 2).await.unwrap()), [intents[1].0, intents[2].0]);

    bench.settle(intents[0].0, ExecutionState::Acked, "found").await;
    bench.settle(intents[1].0, ExecutionState::Unknown, "still").await;
    assert_eq!(bench.store().lost(0, 10).await.unwrap(), lost[1..]);
    bench.store().expire(START_MS + 1).await.unwrap();
    assert_eq!(bench.store().lost(0, 10).await, Ok(vec![]));
}

async fn stored(bench: &Bench) -> Execution {
    bench.store().execution(execution(1)).await.unwrap().unwrap()
}
