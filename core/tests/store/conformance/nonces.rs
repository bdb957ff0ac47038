//! Nonces and intent numbers: never twice, never backwards.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use claviger_core::clock::Clock;
use claviger_core::store::Admit;

use super::super::bench::{Bench, granted};
use super::super::fixtures::intent;

pub(super) async fn nonces_rise_within_and_across_batches(bench: Bench) {
    let bench = bench.with_credentials().await;
    let mut last = [0, 0];
    for _ in 0..5 {
        let batch = [0, 1, 0, 0, 1].map(|n| intent(n, "x"));
        let admits = bench.store().commit_intents(batch.to_vec()).await.unwrap();
        for (admit, n) in admits.into_iter().zip([0_usize, 1, 0, 0, 1]) {
            let nonce = granted(admit).nonce();
            assert!(nonce > last[n]);
            last[n] = nonce;
        }
    }
    let mut none = intent(0, "without");
    none.nonce = false;
    assert_eq!(bench.grant(none).await.nonce(), 0);
}

pub(super) async fn nonces_rise_when_the_clock_steps_back(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    let mut last = 0;
    for step in [0, -3_600_000, 5, -1, 0, 7_200_000, -7_200_000, 0] {
        bench.clock.step(step);
        for _ in 0..3 {
            let nonce = bench.grant(intent(0, "x")).await.nonce();
            assert!(nonce > last, "after {step} ms");
            last = nonce;
        }
        bench.reopen();
    }
}

/// Who asks after another one was answered gets a higher nonce.
pub(super) async fn nonces_are_ordered_in_real_time(bench: Bench) {
    let bench = bench.with_credentials().await;
    let answered = Arc::new(AtomicU64::new(0));
    let callers: Vec<_> = (0..64)
        .map(|_| {
            let (store, answered) = (bench.shared(), answered.clone());
            tokio::spawn(async move {
                let mut nonces = Vec::new();
                for _ in 0..8 {
                    let before = answered.load(Ordering::SeqCst);
                    let admit = store.commit_intents(vec![intent(0, "x")]).await.unwrap().remove(0);
                    let nonce = granted(admit).nonce();
                    assert!(nonce > before, "{nonce} after {before} was answered");
                    answered.fetch_max(nonce, Ordering::SeqCst);
                    nonces.push(nonce);
                }
                nonces
            })
        })
        .collect();
    let mut all = BTreeSet::new();
    for caller in callers {
        for nonce in caller.await.unwrap() {
            assert!(all.insert(nonce), "{nonce} twice");
        }
    }
    assert_eq!(all.len(), 64 * 8);
}

/// A store that was put back or lost its newest writes still gives nonces that the venue has not seen.
pub(super) async fn nonces_follow_the_clock(bench: Bench) {
    let bench = bench.with_credentials().await;
    bench.clock.step(1_000);
    assert!(bench.grant(intent(0, "x")).await.nonce() >= bench.clock.unix_ns());
}

pub(super) async fn numbers_go_on_after_reopening(bench: Bench) {
    let mut bench = bench.with_credentials().await;
    for expected in 1..=6 {
        let [first, second] = [bench.admit(intent(0, "x")).await, bench.admit(intent(1, "x")).await];
        let (Admit::Granted(first), Admit::Granted(second)) = (first, second) else { panic!("not granted") };
        assert_eq!((first.intent(), second.intent()), (2 * expected - 1, 2 * expected));
        assert_eq!(bench.store().highest_intent().await, Ok(2 * expected));
        bench.reopen();
        assert_eq!(bench.store().highest_intent().await, Ok(2 * expected));
    }
}
