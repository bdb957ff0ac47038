//! What the deciding commit grants and refuses.

use claviger_core::credential::State;
use claviger_core::store::{Admit, Change, Effect, Intent, IntentKind, Refusal, Scopes, Stop, StoreError};

use super::super::bench::Bench;
use super::super::fixtures::{credential, credential_key, draft, every_scope, intent, ordered, probe, tenant};
use super::super::log;

pub(super) async fn effects_under_reduce_only(bench: Bench) {
    let bench = bench.with_credentials().await;
    bench.put_credential(0, State::ReduceOnly, 1).await;
    let check = async |n: u8, refusal: Refusal| {
        let with = |effect| Intent { effect, ..intent(n, "x") };
        assert!(matches!(bench.admit(with(Effect::Reduces)).await, Admit::Granted(_)));
        assert!(matches!(bench.admit(with(Effect::Reads)).await, Admit::Granted(_)));
        assert_refused(&bench.admit(with(Effect::Opens)).await, &refusal);
    };
    check(0, Refusal::State(State::ReduceOnly)).await;
    let [_, scope, ..] = every_scope(1);
    let stop = Stop::ReduceOnly;
    bench.store().revoke(scope.clone(), stop, draft(1, "stop")).await.unwrap();
    check(1, Refusal::Stopped(scope, stop)).await;
}

pub(super) async fn states_of_a_credential(bench: Bench) {
    for (state, for_apps, for_probes) in [
        (State::Active, true, true),
        (State::Pending, false, true),
        (State::Frozen, false, true),
        (State::Revoked, false, false),
    ] {
        bench.put_credential(0, state, 1).await;
        for effect in [Effect::Opens, Effect::Reduces, Effect::Reads] {
            for (intent, allowed) in [(intent(0, "app"), for_apps), (probe(0, "probe"), for_probes)] {
                let admit = bench.admit(Intent { effect, ..intent }).await;
                if allowed {
                    assert!(matches!(admit, Admit::Granted(_)), "{state:?} {effect:?}: {admit:?}");
                } else {
                    assert_refused(&admit, &Refusal::State(state));
                }
            }
        }
    }
}

pub(super) async fn a_lost_order_is_looked_for_as_its_app_would_read(bench: Bench) {
    let look = || Intent { kind: IntentKind::Resolve, ..probe(0, "look") };
    for (state, allowed) in [
        (State::Active, true),
        (State::ReduceOnly, true),
        (State::Pending, false),
        (State::Frozen, false),
        (State::Revoked, false),
    ] {
        bench.put_credential(0, state, 1).await;
        let admit = bench.admit(look()).await;
        if allowed {
            assert!(matches!(admit, Admit::Granted(_)), "{state:?}: {admit:?}");
        } else {
            assert_refused(&admit, &Refusal::State(state));
        }
    }
    bench.put_credential(0, State::Active, 1).await;
    let [_, tenant, ..] = every_scope(0);
    bench.store().revoke(tenant.clone(), Stop::Frozen, draft(0, "stop")).await.unwrap();
    assert_refused(&bench.admit(look()).await, &Refusal::Stopped(tenant, Stop::Frozen));
}

pub(super) async fn a_changed_credential_is_stale_and_a_missing_one_gone(bench: Bench) {
    let bench = bench.with_credentials().await;
    for epoch in [None, Some(0), Some(2)] {
        assert_refused(&bench.admit(Intent { epoch, ..intent(0, "x") }).await, &Refusal::Stale);
        assert_refused(&bench.admit(Intent { epoch, ..probe(0, "x") }).await, &Refusal::Stale);
    }
    // Another tenant's credential is as if it were not there.
    let mut foreign = intent(0, "x");
    foreign.scopes.credential = Some(credential(1));
    assert_refused(&bench.admit(foreign).await, &Refusal::Gone);

    bench.store().put_cas(vec![Change::remove(credential_key(0, 0))], vec![draft(0, "delete")]).await.unwrap();
    assert_refused(&bench.admit(intent(0, "x")).await, &Refusal::Gone);
    assert_refused(&bench.admit(probe(0, "x")).await, &Refusal::Gone);
}

pub(super) async fn what_is_being_enrolled_is_for_claviger_alone(bench: Bench) {
    assert_refused(&bench.admit(Intent { epoch: None, ..intent(0, "x") }).await, &Refusal::Gone);
    let granted = bench.grant(Intent { epoch: None, ..probe(0, "x") }).await;
    assert_eq!(granted.intent(), 1);
    // Market data needs no credential at all.
    let scopes = Scopes { credential: None, owner: None, ..intent(0, "x").scopes };
    bench.passes(Intent { scopes, epoch: None, nonce: false, ..intent(0, "market") }).await;
}

pub(super) async fn items_of_a_batch_are_decided_one_by_one(bench: Bench) {
    let bench = bench.with_credentials().await;
    let before = log::verified(bench.store()).await.len();
    let batch = vec![
        ordered(0, 1, "a", 1),
        Intent { epoch: Some(7), ..intent(0, "stale") },
        ordered(0, 2, "a", 1),
        ordered(0, 3, "a", 2),
        ordered(1, 4, "b", 1),
    ];
    let admits = bench.store().commit_intents(batch).await.unwrap();

    let [Admit::Granted(first), stale, Admit::InFlight(same), reused, Admit::Granted(last)] = &admits[..] else {
        panic!("{admits:?}");
    };
    assert_refused(stale, &Refusal::Stale);
    assert_refused(reused, &Refusal::KeyReused);
    assert_eq!(*same, ordered(0, 1, "a", 1).execution.unwrap().id);
    assert_eq!((first.intent(), last.intent()), (1, 2));
    assert_eq!(log::verified(bench.store()).await.len(), before + 2, "only what is granted is recorded");
}

pub(super) async fn a_taken_execution_id_is_refused_without_harm_to_others(bench: Bench) {
    let bench = bench.with_credentials().await;
    bench.passes(ordered(0, 1, "a", 1)).await;
    let before = log::verified(bench.store()).await.len();

    // Jobs that wait together share a commit; the one that cannot be done must not take the others with it.
    let callers: Vec<_> = (0..32)
        .map(|n| {
            let store = bench.shared();
            let items = vec![
                ordered(1, 100 + n, &format!("k{n}"), 1),
                ordered(1, if n == 7 { 1 } else { 200 + n }, &format!("l{n}"), 1),
            ];
            tokio::spawn(async move { store.commit_intents(items).await })
        })
        .collect();
    for (n, caller) in callers.into_iter().enumerate() {
        let answer = caller.await.unwrap();
        if n == 7 {
            assert!(matches!(answer, Err(StoreError::NotApplied(_))), "{answer:?}");
        } else {
            assert!(answer.unwrap().iter().all(|admit| matches!(admit, Admit::Granted(_))));
        }
    }
    let entries = log::verified(bench.store()).await;
    assert_eq!(entries.len(), before + 62, "nothing of the refused batch is recorded");
    let key = ordered(1, 107, "k7", 1);
    assert!(matches!(bench.admit(key).await, Admit::Granted(_)), "nor is its other key claimed");
    let kept = bench.store().execution(ordered(0, 1, "a", 1).execution.unwrap().id).await.unwrap().unwrap();
    assert_eq!(kept.scopes.tenant, tenant(0));
}

pub(super) fn assert_refused(admit: &Admit, expected: &Refusal) {
    assert!(matches!(admit, Admit::Refused(refusal) if refusal == expected), "{admit:?} is not {expected:?}");
}
