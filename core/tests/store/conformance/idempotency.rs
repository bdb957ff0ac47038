//! One request, one execution.

use claviger_core::store::{Admit, Execution, ExecutionState, Idempotency, Intent, Refusal, Stop, StoredAnswer};

use super::super::bench::{Bench, granted, outcome, release};
use super::super::fixtures::{START_MS, app, draft, every_scope, execution, ordered, released, tenant};
use super::intents::assert_refused;

pub(super) async fn a_key_belongs_to_one_execution(mut bench: Bench) {
    bench = bench.with_credentials().await;
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    for _ in 0..2 {
        assert!(matches!(bench.admit(ordered(0, 2, "key", 1)).await, Admit::InFlight(id) if id == execution(1)));
        assert_refused(&bench.admit(ordered(0, 3, "key", 2)).await, &Refusal::KeyReused);
        bench.reopen();
    }
    bench.settle(granted.intent(), ExecutionState::Acked, "filled").await;
    for _ in 0..2 {
        let replay = replayed(bench.admit(ordered(0, 4, "key", 1)).await);
        assert_eq!((replay.id, replay.state), (execution(1), ExecutionState::Acked));
        assert_eq!(replay.answer, Some(StoredAnswer { status: 200, body: b"filled".to_vec(), question: None }));
        assert_eq!(Some(replay), bench.store().execution(execution(1)).await.unwrap());
        assert_refused(&bench.admit(ordered(0, 5, "key", 2)).await, &Refusal::KeyReused);
        bench.reopen();
    }
    for n in 2..=5 {
        assert_eq!(bench.store().execution(execution(n)).await, Ok(None));
    }
}

pub(super) async fn one_of_many_callers_wins(bench: Bench) {
    let bench = bench.with_credentials().await;
    for round in 0..8 {
        let key = format!("round {round}");
        let callers: Vec<_> = (0..64)
            .map(|n| {
                let (store, intent) = (bench.shared(), ordered(0, round * 64 + n, &key, 1));
                tokio::spawn(async move { store.commit_intents(vec![intent]).await.unwrap().remove(0) })
            })
            .collect();
        let mut winners = Vec::new();
        let mut told = Vec::new();
        for (n, caller) in callers.into_iter().enumerate() {
            match caller.await.unwrap() {
                Admit::Granted(_) => winners.push(execution(round * 64 + n as u64)),
                Admit::InFlight(id) => told.push(id),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((winners.len(), told.len()), (1, 63));
        assert!(told.iter().all(|id| *id == winners[0]));
    }
}

pub(super) async fn callers_do_not_share_keys(bench: Bench) {
    let bench = bench.with_credentials().await;
    bench.passes(ordered(0, 1, "key", 1)).await;
    // Another tenant, another app of the same tenant, and no app at all.
    bench.passes(ordered(1, 2, "key", 2)).await;
    let of_app = |n: Option<u8>, id| {
        let mut intent = ordered(0, id, "key", 3);
        intent.scopes.app = n.map(app);
        intent
    };
    bench.passes(of_app(Some(9), 3)).await;
    bench.passes(of_app(None, 4)).await;
    // Keys are compared as a whole.
    bench.passes(ordered(0, 5, "ke", 1)).await;
    bench.passes(ordered(0, 6, "key ", 1)).await;
}

pub(super) async fn a_replay_is_given_whatever_is_stopped(bench: Bench) {
    let bench = bench.with_credentials().await;
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    bench.settle(granted.intent(), ExecutionState::Rejected, "no").await;
    let [all, ..] = every_scope(0);
    bench.store().revoke(all, Stop::Revoked, draft(0, "stop")).await.unwrap();
    assert_eq!(replayed(bench.admit(ordered(0, 2, "key", 1)).await).id, execution(1));
}

/// Where nothing was sent, the same request may try again; the key is then the newer execution's.
pub(super) async fn a_failed_request_may_try_again(bench: Bench) {
    let bench = bench.with_credentials().await;
    let first = bench.grant(ordered(0, 1, "key", 1)).await;
    bench.settle(first.intent(), ExecutionState::Failed, "").await;
    assert_refused(&bench.admit(ordered(0, 2, "key", 2)).await, &Refusal::KeyReused);

    bench.clock.step(10);
    let second = bench.grant(ordered(0, 3, "key", 1)).await;
    assert!(matches!(bench.admit(ordered(0, 4, "key", 1)).await, Admit::InFlight(id) if id == execution(3)));
    assert_eq!(bench.store().expire(START_MS + 1).await, Ok(1), "the first is forgotten");
    assert!(matches!(bench.admit(ordered(0, 5, "key", 1)).await, Admit::InFlight(id) if id == execution(3)));

    bench.settle(second.intent(), ExecutionState::Acked, "filled").await;
    assert_eq!(replayed(bench.admit(ordered(0, 6, "key", 1)).await).id, execution(3));
    let failed = bench.store().execution(execution(1)).await.unwrap().unwrap();
    assert_eq!(failed.state, ExecutionState::Failed);
}

pub(super) async fn a_released_signature_is_replayed(bench: Bench) {
    let bench = bench.with_credentials().await;
    let intent = bench.grant(released(0, 1, "key")).await.intent();
    bench.store().commit_outcomes(vec![release(intent, START_MS + 5)]).await.unwrap();
    bench.clock.step(100);
    let replayed = replayed(bench.admit(released(0, 2, "key")).await);
    assert_eq!((replayed.id, replayed.state), (execution(1), ExecutionState::Released));
    assert_eq!(replayed.valid_until_ms, Some(START_MS + 5));
}

pub(super) async fn keys_and_answers_are_forgotten_in_time(bench: Bench) {
    let bench = bench.with_credentials().await;
    for n in 1..=3 {
        let granted = bench.grant(ordered(0, n, &format!("key {n}"), 1)).await;
        bench.settle(granted.intent(), ExecutionState::Acked, "body").await;
        bench.clock.step(10);
    }
    // Two are older than this.
    assert_eq!(bench.store().expire(START_MS + 20).await, Ok(2));
    assert_eq!(bench.store().expire(START_MS + 20).await, Ok(0));

    for n in 1..=2 {
        let stored = bench.store().execution(execution(n)).await.unwrap().unwrap();
        assert_eq!((stored.state, stored.answer), (ExecutionState::Acked, None), "what became of it stays known");
        bench.passes(ordered(0, 10 + n, &format!("key {n}"), 2)).await;
    }
    assert!(replayed(bench.admit(ordered(0, 9, "key 3", 1)).await).answer.is_some());
    let page = bench.store().executions(tenant(0), None, 10).await.unwrap();
    assert_eq!(page.rows.len(), 5, "they stay in the list");
}

pub(super) async fn a_key_for_good_is_never_forgotten(bench: Bench) {
    let bench = bench.with_credentials().await;
    let key = format!("{}key", Idempotency::FOR_GOOD);
    let granted = bench.grant(ordered(0, 1, &key, 1)).await;
    bench.settle(granted.intent(), ExecutionState::Acked, "body").await;
    assert_eq!(bench.store().expire(u64::MAX).await, Ok(1));
    let replayed = replayed(bench.admit(ordered(0, 2, &key, 1)).await);
    assert_eq!((replayed.id, replayed.answer), (execution(1), None), "its answer is");
}

pub(super) async fn what_is_open_is_not_forgotten(bench: Bench) {
    let bench = bench.with_credentials().await;
    let first = bench.grant(ordered(0, 1, "key", 1)).await;
    assert_eq!(bench.store().expire(u64::MAX).await, Ok(0));
    assert!(matches!(bench.admit(ordered(0, 2, "key", 1)).await, Admit::InFlight(_)));
    bench.settle(first.intent(), ExecutionState::Unknown, "").await;
    assert_eq!(bench.store().expire(u64::MAX).await, Ok(1));
    bench.passes(ordered(0, 3, "key", 1)).await;
}

/// More executions in one millisecond than are forgotten at once, ids behind the clock, and a clock that goes back.
pub(super) async fn a_forgotten_key_is_not_forgotten_twice(bench: Bench) {
    let bench = bench.with_credentials().await;
    let many: Vec<Intent> = (0..2_100).map(|n| ordered(0, n, &format!("key {n}"), 1)).collect();
    let outcomes = bench
        .store()
        .commit_intents(many)
        .await
        .unwrap()
        .into_iter()
        .map(|admit| outcome(granted(admit).intent(), ExecutionState::Acked, "body"));
    bench.store().commit_outcomes(outcomes.collect()).await.unwrap();

    let mut forgotten = 0;
    loop {
        let now = bench.store().expire(START_MS + 1).await.unwrap();
        // A key that was forgotten and is used again stays claimed while others of that time are forgotten.
        if forgotten == 0 {
            bench.clock.step(5);
            bench.passes(ordered(0, 5_000, "key 0", 2)).await;
        }
        forgotten += now;
        if now == 0 {
            break;
        }
    }
    assert_eq!(forgotten, 2_100);
    assert!(matches!(bench.admit(ordered(0, 5_001, "key 0", 2)).await, Admit::InFlight(_)));

    bench.clock.step(-3_600_000);
    let late = bench.grant(ordered(0, 6_000, "late", 1)).await;
    bench.settle(late.intent(), ExecutionState::Acked, "body").await;
    assert_eq!(bench.store().expire(START_MS).await, Ok(1), "what a clock that was set back recorded is forgotten too");
}

fn replayed(admit: Admit) -> Execution {
    match admit {
        Admit::Replay(execution) => *execution,
        other => panic!("not a replay: {other:?}"),
    }
}
