//! What is stopped stays stopped, from the moment of the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use claviger_core::audit::Draft;
use claviger_core::credential::State;
use claviger_core::store::{
    Admit, Change, ExecutionState, Expect, Key, Refusal, Row, Scope, Stop, Store, StoreError, VenueToken,
};
use claviger_venues::VenueId;
use tokio::sync::mpsc;

use super::super::bench::{Bench, release};
use super::super::fixtures::{
    START_MS, STOPS, app, credential, credential_key, draft, every_scope, grant, intent, numbers, owner, probe,
    released, tenant,
};
use super::super::log;
use super::intents::assert_refused;

pub(super) async fn a_stopped_scope_grants_nothing(bench: Bench) {
    let bench = bench.with_credentials().await;
    for scope in every_scope(0) {
        bench.put_credential(0, State::Active, 1).await;
        let granted = bench.grant(intent(0, "before")).await;

        let revoked = bench.store().revoke(scope.clone(), Stop::Frozen, draft(0, "stop")).await.unwrap();

        assert_eq!(revoked.up_to, granted.intent(), "{scope:?}");
        let refusal = match &scope {
            Scope::Credential(_) => Refusal::State(State::Frozen),
            _ => Refusal::Stopped(scope.clone(), Stop::Frozen),
        };
        assert_refused(&bench.admit(intent(0, "after")).await, &refusal);
        if scope != Scope::All && scope != Scope::Venue(VenueId::Kraken) {
            bench.passes(intent(1, "elsewhere")).await;
        }
        bench.store().put_cas(vec![Change::remove(Key::Stopped(scope))], vec![]).await.unwrap();
    }
}

/// A frozen credential's token waits for it; a revoked one's is gone in the same commit.
pub(super) async fn a_revoked_credential_takes_its_token_along(bench: Bench) {
    let bench = bench.with_credentials().await;
    let token = VenueToken { sealed: vec![1, 2, 3], issued_ms: 1, expires_ms: 2 };
    let keys = [Key::Token(credential(0)), Key::Token(credential(1))];
    let changes = keys.iter().map(|key| Change::set(key.clone(), Row::Token(token.clone())));
    bench.store().put_cas(changes.collect(), vec![]).await.unwrap();
    let stop =
        async |stop| bench.store().revoke(Scope::Credential(credential(0)), stop, draft(0, "stop")).await.unwrap();

    stop(Stop::Frozen).await;
    assert!(bench.store().get(keys[0].clone()).await.unwrap().is_some());
    stop(Stop::Revoked).await;

    assert_eq!(bench.store().get(keys[0].clone()).await, Ok(None));
    assert_eq!(bench.store().get(keys[1].clone()).await.unwrap().map(|found| found.row), Some(Row::Token(token)));
}

/// 64 tasks ask without pause; whatever is granted after the answer is one too many.
pub(super) async fn nothing_is_granted_after_the_answer_under_load(bench: Bench) {
    let bench = bench.with_credentials().await;
    for scope in every_scope(0) {
        bench.put_credential(0, State::Active, 1).await;
        let answered = Arc::new(AtomicBool::new(false));
        let (started, mut starts) = mpsc::channel(64);
        let spinning: Vec<_> =
            (0..64).map(|_| tokio::spawn(spin(bench.shared(), answered.clone(), started.clone()))).collect();
        for _ in 0..64 {
            starts.recv().await.unwrap();
        }

        let revoked = bench.store().revoke(scope.clone(), Stop::Frozen, draft(0, "stop")).await.unwrap();
        answered.store(true, Ordering::SeqCst);

        let mut granted = Vec::new();
        for task in spinning {
            granted.extend(task.await.unwrap());
        }
        granted.sort_unstable();
        assert!(granted.iter().all(|intent| *intent <= revoked.up_to), "{scope:?}");
        assert_eq!(granted.last(), Some(&revoked.up_to), "{scope:?}: the last one granted is the last before the stop");
        assert_eq!(bench.store().highest_intent().await, Ok(revoked.up_to));
        assert!(granted.iter().all(|intent| numbers(&revoked.open).contains(intent)), "{scope:?}: all are listed");
        bench.store().put_cas(vec![Change::remove(Key::Stopped(scope))], vec![]).await.unwrap();
    }
}

/// Asks until it is refused, and once more when the stop has answered; the intents that were granted.
async fn spin(store: Arc<dyn Store>, answered: Arc<AtomicBool>, started: mpsc::Sender<()>) -> Vec<u64> {
    let mut granted = Vec::new();
    loop {
        let last = answered.load(Ordering::SeqCst);
        match store.commit_intents(vec![intent(0, "spin")]).await.unwrap().remove(0) {
            Admit::Granted(grant) => granted.push(grant.intent()),
            Admit::Refused(_) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
        if last {
            return granted;
        }
        let _ = started.try_send(());
    }
}

pub(super) async fn a_stop_is_never_loosened(bench: Bench) {
    for scope in every_scope(0).into_iter().filter(|scope| !matches!(scope, Scope::Credential(_))) {
        for (first, second) in STOPS.into_iter().flat_map(|first| STOPS.map(|second| (first, second))) {
            let key = Key::Stopped(scope.clone());
            for stop in [first, second] {
                bench.store().revoke(scope.clone(), stop, draft(0, "stop")).await.unwrap();
            }
            let stored = bench.store().get(key.clone()).await.unwrap().unwrap();
            assert_eq!(stored.row, Row::Stopped(first.max(second)), "{scope:?}");
            bench.store().put_cas(vec![Change::remove(key)], vec![]).await.unwrap();
        }
    }
}

pub(super) async fn a_credential_is_never_loosened(bench: Bench) {
    let states = [State::Pending, State::Active, State::ReduceOnly, State::Frozen, State::Revoked];
    let passes = |state: State| match state {
        State::Active => 3,
        State::ReduceOnly => 2,
        State::Pending | State::Frozen => 1,
        State::Revoked => 0,
    };
    for (state, stop) in states.into_iter().flat_map(|state| STOPS.map(|stop| (state, stop))) {
        bench.put_credential(0, state, 1).await;
        bench.clock.step(1);
        bench.store().revoke(Scope::Credential(credential(0)), stop, draft(0, "stop")).await.unwrap();
        let Row::Credential(row) = bench.store().get(credential_key(0, 0)).await.unwrap().unwrap().row else {
            panic!("not a credential");
        };
        let at_most = match stop {
            Stop::ReduceOnly => 2,
            Stop::Frozen => 1,
            Stop::Revoked => 0,
        };
        assert_eq!(passes(row.state), passes(state).min(at_most), "{state:?} after {stop:?} is {:?}", row.state);
        assert_ne!(row.state, State::Pending, "what was stopped does not become active by being proven");
        assert_eq!(row.epoch, 2, "who saw the epoch before must look again");
        assert!(row.changed_ms > row.created_ms);
    }
}

pub(super) async fn a_stop_lists_the_open_intents_of_its_scope(bench: Bench) {
    let bench = bench.with_credentials().await;
    let (own, probe, other) = (
        bench.grant(intent(0, "own")).await,
        bench.grant(probe(0, "probe")).await,
        bench.grant(intent(1, "other")).await,
    );
    let settled = bench.grant(intent(0, "settled")).await;
    bench.settle(settled.intent(), ExecutionState::Acked, "").await;
    let (own, probe, other) = (own.intent(), probe.intent(), other.intent());

    for (scope, expected) in [
        (Scope::All, vec![own, probe, other]),
        (Scope::Tenant(tenant(0)), vec![own, probe]),
        (Scope::Owner(tenant(0), owner(0)), vec![own, probe]),
        (Scope::Owner(tenant(1), owner(0)), vec![]),
        (Scope::Venue(VenueId::Kraken), vec![own, probe, other]),
        (Scope::Venue(VenueId::Binance), vec![]),
        (Scope::App(app(0)), vec![own]),
        (Scope::Grant(grant(0)), vec![own]),
        (Scope::Credential(credential(0)), vec![own, probe]),
    ] {
        let revoked = bench.store().revoke(scope.clone(), Stop::ReduceOnly, draft(0, "stop")).await.unwrap();
        assert_eq!(numbers(&revoked.open), expected, "{scope:?}");
        assert_eq!(revoked.up_to, settled.intent());
        log::check_receipt(bench.store(), &revoked.receipt, "stop").await;
    }
}

pub(super) async fn a_stop_lists_released_signatures_until_they_expire(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    let mut intents = Vec::new();
    for (n, until_ms) in [(1, 100), (2, 50), (3, 200)] {
        let intent = bench.grant(released(0, n, &format!("key-{n}"))).await.intent();
        bench.store().commit_outcomes(vec![release(intent, START_MS + until_ms)]).await.unwrap();
        intents.push(intent);
    }
    let granted = bench.grant(released(0, 4, "not yet")).await.intent();
    bench.reopen();
    let listed = async |bench: &Bench, scope| {
        let revoked = bench.store().revoke(scope, Stop::ReduceOnly, draft(0, "stop")).await.unwrap();
        revoked.open.iter().map(|open| (open.intent, open.valid_until_ms)).collect::<Vec<_>>()
    };
    let own = Scope::Credential(credential(0));
    bench.clock.step(100);
    let valid = [(intents[0], Some(START_MS + 100)), (intents[2], Some(START_MS + 200))];
    assert_eq!(listed(&bench, own.clone()).await, [&[(granted, None)], &valid[..]].concat());
    assert_eq!(listed(&bench, Scope::App(app(1))).await, []);
    bench.clock.step(101);
    assert_eq!(listed(&bench, own).await, [(granted, None)]);
}

pub(super) async fn probes_pass_until_revoked(bench: Bench) {
    let bench = bench.with_credentials().await;
    for scope in [Scope::All, Scope::Tenant(tenant(0)), Scope::Venue(VenueId::Kraken)] {
        for stop in STOPS {
            bench.store().revoke(scope.clone(), stop, draft(0, "stop")).await.unwrap();
            let admit = bench.admit(probe(0, "probe")).await;
            match stop {
                Stop::ReduceOnly | Stop::Frozen => assert!(matches!(admit, Admit::Granted(_)), "{scope:?} {stop:?}"),
                Stop::Revoked => assert_refused(&admit, &Refusal::Stopped(scope.clone(), stop)),
            }
        }
        bench.store().put_cas(vec![Change::remove(Key::Stopped(scope))], vec![]).await.unwrap();
    }
}

pub(super) async fn a_stop_of_no_credential_is_a_conflict(bench: Bench) {
    let bench = bench.with_credentials().await;
    let before = log::verified(bench.store()).await.len();
    // Credential 1 is another tenant's.
    let refused = bench.store().revoke(Scope::Credential(credential(1)), Stop::Revoked, draft(0, "stop")).await;
    assert_eq!(refused, Err(StoreError::Conflict(Box::new(credential_key(0, 1)))));
    let nobodys = Draft { tenant: String::new(), ..draft(0, "stop") };
    let refused = bench.store().revoke(Scope::Credential(credential(0)), Stop::Revoked, nobodys).await;
    assert!(matches!(refused, Err(StoreError::NotApplied(_))), "{refused:?}");
    assert_eq!(log::verified(bench.store()).await.len(), before);
    bench.passes(intent(0, "still")).await;
    bench.passes(intent(1, "still")).await;
}

/// Somebody saw a stop, somebody else ended it, and then it was stopped again: the first one's click must not end that.
pub(super) async fn resuming_ends_the_stop_that_was_seen(bench: Bench) {
    let key = Key::Stopped(Scope::All);
    let stop = async || {
        bench.store().revoke(Scope::All, Stop::Frozen, draft(0, "stop")).await.unwrap();
        bench.store().get(key.clone()).await.unwrap().unwrap().version
    };
    let resume = async |version| {
        let change = Change { key: key.clone(), expect: Expect::Version(version), row: None };
        bench.store().put_cas(vec![change], vec![draft(0, "resume")]).await
    };
    let seen = stop().await;
    resume(seen).await.unwrap();
    stop().await;
    assert_eq!(resume(seen).await, Err(StoreError::Conflict(Box::new(key.clone()))));
}
