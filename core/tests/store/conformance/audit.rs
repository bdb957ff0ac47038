//! Every change and its entry, in one log that cannot be told otherwise.

use std::collections::BTreeMap;

use claviger_core::audit::{Draft, Entry, EntryOutcome, PersonalError, personal};
use claviger_core::credential::State;
use claviger_core::store::{
    Admit, AuditRange, Change, ExecutionState, Key, Outcome, Refusal, Row, Scope, Stop, StoreError,
};

use super::super::bench::{Bench, outcome};
use super::super::fixtures::{
    credential_key, credential_row, draft, intent, ordered, owner, personal_draft, probe, tenant, tenant_row,
};
use super::super::log;
use super::super::seed::Seed;

pub(super) async fn every_change_has_its_entry(bench: Bench) {
    let bench = bench.with_credentials().await;
    let store = bench.store();
    let granted = bench.grant(ordered(0, 1, "key", 1)).await;
    store.commit_outcomes(vec![outcome(granted.intent(), ExecutionState::Acked, "")]).await.unwrap();
    store.revoke(Scope::All, Stop::ReduceOnly, draft(1, "stop")).await.unwrap();
    let change = Change::create(Key::Tenant(tenant(0)), tenant_row(0, "a"));
    store.put_cas(vec![change], vec![draft(0, "put 1"), draft(1, "put 2")]).await.unwrap();
    store.append(vec![Draft::new("test.read", EntryOutcome::Denied).request("read")]).await.unwrap();

    let labels: Vec<String> = log::verified(store).await.into_iter().map(|entry| entry.request_id).collect();
    assert_eq!(labels, ["credential", "credential", "key/1", "outcome of 1", "stop", "put 1", "put 2", "read"]);
}

pub(super) async fn tenants_are_counted_apart(mut bench: Bench) {
    for round in 0..3 {
        let nobodys = Draft::new("test.start", EntryOutcome::Allowed);
        let entries = vec![draft(0, "a"), nobodys, draft(1, "b"), draft(0, "c")];
        bench.store().append(entries).await.unwrap();
        bench.reopen();
        for (n, each) in [(0, 2), (1, 1), (2, 0)] {
            let entries = of_tenant(&bench, n, 0, 100).await;
            let counters: Vec<u64> = entries.iter().map(|entry| entry.tenant_seq).collect();
            assert_eq!(counters, (1..=each * (round + 1)).collect::<Vec<_>>());
            assert!(entries.iter().all(|entry| entry.tenant == tenant(n).to_string()));
        }
    }
    log::verified(bench.store()).await;
}

pub(super) async fn every_tree_begins_with_every_smaller_one(bench: Bench) {
    log::check_every_proof(bench.store()).await;
    for size in 1..=33 {
        bench.store().append(vec![draft(0, &size.to_string())]).await.unwrap();
    }
    log::check_every_proof(bench.store()).await;
    for (size, to) in [(0, 34), (34, 34), (5, 4)] {
        let refused = bench.store().consistency(size, to).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "from {size} to {to}: {refused:?}");
    }
    for (seq, size) in [(33, 34), (33, 33), (5, 5), (40, 3)] {
        let refused = bench.store().inclusion(seq, size).await;
        assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{seq} of {size}: {refused:?}");
    }
}

pub(super) async fn proofs_of_a_large_log_are_those_of_another_implementation(bench: Bench) {
    let mut seed = Seed::new(0x6962);
    for _ in 0..5 {
        let more = seed.below(700);
        bench.store().append((0..more).map(|n| draft(0, &n.to_string())).collect()).await.unwrap();
        let hashes = log::hashes(bench.store()).await;
        for _ in 0..40 {
            let to = seed.below(hashes.len() as u64 + 1) as usize;
            let from = seed.below(to as u64 + 1) as usize;
            log::check_growth(bench.store(), &hashes, from, to).await;
            if from < to {
                log::check_inclusion(bench.store(), &hashes, from, to).await;
            }
        }
    }
}

pub(super) async fn outcomes_are_found_by_their_intents_entry(mut bench: Bench) {
    bench = bench.with_credentials().await;
    let lost = bench.grant(ordered(0, 1, "lost", 1)).await;
    let other = bench.grant(ordered(0, 2, "other", 2)).await;
    let (intent, seq) = (lost.intent(), lost.receipt().seq);
    let outcome = |state| Outcome { entry: draft(0, "outcome"), ..outcome(intent, state, "") };
    assert_eq!(bench.store().outcomes_of(seq, 10).await.unwrap(), [0; 0]);
    // Neither draft names the entry: whoever finds a lost order does not know it.
    let unknown = bench.store().commit_outcomes(vec![outcome(ExecutionState::Unknown)]).await.unwrap();
    let acked = bench.store().commit_outcomes(vec![outcome(ExecutionState::Acked)]).await.unwrap();
    bench.reopen();

    let seqs = [unknown[0].seq, acked[0].seq];
    assert_eq!(bench.store().outcomes_of(seq, 10).await.unwrap(), seqs);
    assert_eq!(bench.store().outcomes_of(seq, 1).await.unwrap(), seqs[1..]);
    assert_eq!(bench.store().outcomes_of(other.receipt().seq, 10).await.unwrap(), [0; 0]);
    let entries = log::verified(bench.store()).await;
    assert!(seqs.iter().all(|at| entries[*at as usize].intent == Some(seq)));
}

pub(super) async fn personal_fields_open_with_their_owners_key(mut bench: Bench) {
    let entries = vec![
        personal_draft(0, "a", &owner(0)),
        personal_draft(0, "b", &owner(1)),
        personal_draft(1, "c", &owner(0)),
        personal_draft(0, "d", &owner(0)),
    ];
    bench.store().append(entries).await.unwrap();
    bench.reopen();
    bench.store().append(vec![personal_draft(0, "e", &owner(0))]).await.unwrap();

    let entries = log::verified(bench.store()).await;
    let other = bench.store().audit_key(tenant(0), owner(1)).await.unwrap().unwrap();
    assert_eq!(personal::open(&entries[0], &other), Err(PersonalError::Refused));
    let same_name = bench.store().audit_key(tenant(1), owner(0)).await.unwrap().unwrap();
    assert_eq!(personal::open(&entries[0], &same_name), Err(PersonalError::Refused), "another tenant's owner");
    assert!(bench.store().audit_key(tenant(1), owner(1)).await.unwrap().is_none());
}

pub(super) async fn an_erased_owner_is_neither_read_nor_written_again(mut bench: Bench) {
    let about = |n: u8, label: &str| Draft { detail: BTreeMap::new(), ..personal_draft(0, label, &owner(n)) };
    bench.store().append(vec![about(0, "a"), about(1, "b")]).await.unwrap();
    bench.store().revoke(Scope::Owner(tenant(0), owner(0)), Stop::Revoked, draft(0, "stop")).await.unwrap();
    let own = bench.store().audit_key(tenant(0), owner(0)).await.unwrap().unwrap();
    let before = bench.store().tree_head().await.unwrap();
    bench.store().put_checkpoint(before.size, "three".to_owned()).await.unwrap();

    let erased = bench.store().erase_owner(tenant(0), owner(0), draft(0, "erase")).await.unwrap();
    assert!(erased.is_new);
    bench.reopen();
    let store = bench.store();
    assert!(store.audit_key(tenant(0), owner(0)).await.unwrap().is_none());
    assert_eq!(store.is_erased(tenant(0), owner(0)).await, Ok(true));
    for (n, of) in [(0, owner(1)), (1, owner(0))] {
        assert_eq!(store.is_erased(tenant(n), of).await, Ok(false));
    }
    store.append(vec![about(0, "c"), about(1, "d")]).await.unwrap();
    store.revoke(Scope::Owner(tenant(0), owner(0)), Stop::Frozen, about(0, "e")).await.unwrap();
    let again = store.erase_owner(tenant(0), owner(0), about(0, "f")).await.unwrap();
    assert!(!again.is_new);

    let leaves = store.audit_scan(AuditRange { tenant: None, from: 0, limit: 100 }).await.unwrap();
    let entries: Vec<Entry> = leaves.iter().map(|leaf| Entry::from_leaf(&leaf.bytes).unwrap()).collect();
    log::check_growth(store, &log::hashes(store).await, 3, entries.len()).await;
    let written: Vec<(&str, bool)> =
        entries.iter().map(|entry| (entry.request_id.as_str(), entry.personal.is_some())).collect();
    let expected = [
        ("a", true),
        ("b", true),
        ("stop", false),
        ("erase", false),
        ("c", false),
        ("d", true),
        ("e", false),
        ("f", false),
    ];
    assert_eq!(written, expected);
    let other = store.audit_key(tenant(0), owner(1)).await.unwrap().unwrap();
    assert_eq!(personal::open(&entries[5], &other).unwrap().owner, owner(1));
    assert_eq!(personal::open(&entries[0], &own).unwrap().owner, owner(0), "what was sealed is as it was");
    let (root, _) = store.consistency(before.size, store.tree_head().await.unwrap().size).await.unwrap();
    assert_eq!((root, store.checkpoints(0, 9).await.unwrap()), (before.root, vec!["three".to_owned()]));
    assert!(entries.iter().all(|entry| !String::from_utf8(entry.to_leaf()).unwrap().contains(&owner(0))));

    let stop = Key::Stopped(Scope::Owner(tenant(0), owner(0)));
    assert_eq!(store.get(stop.clone()).await.unwrap(), None, "the stop does not name the owner");
    let row = Row::Credential(credential_row(0, 0, State::Active, 1));
    let change = Change::create(credential_key(0, 0), row);
    assert_eq!(store.put_cas(vec![change], vec![]).await, Err(StoreError::Conflict(Box::new(stop))));
    let refused = store.commit_intents(vec![probe(0, "g")]).await.unwrap();
    let scope = Scope::Owner(tenant(0), owner(0));
    assert!(matches!(&refused[0], Admit::Refused(Refusal::Stopped(stopped, Stop::Revoked)) if *stopped == scope));
}

pub(super) async fn entries_are_read_in_pages(bench: Bench) {
    for n in 0..10 {
        bench.store().append(vec![draft(n % 2, &n.to_string())]).await.unwrap();
    }
    let seqs = async |from, limit| {
        let leaves = bench.store().audit_scan(AuditRange { tenant: None, from, limit }).await.unwrap();
        leaves.iter().map(|leaf| leaf.seq).collect::<Vec<_>>()
    };
    assert_eq!(seqs(0, 3).await, [0, 1, 2]);
    assert_eq!(seqs(8, 3).await, [8, 9]);
    assert_eq!(seqs(10, 3).await, [0; 0]);
    assert_eq!(seqs(0, 0).await, [0; 0]);
    let back = async |n: Option<u8>, before, limit| {
        let leaves = bench.store().audit_scan_back(n.map(tenant), before, limit).await.unwrap();
        leaves.iter().map(|leaf| leaf.seq).collect::<Vec<_>>()
    };
    assert_eq!(back(None, u64::MAX, 3).await, [9, 8, 7]);
    assert_eq!(back(None, 2, 3).await, [1, 0]);
    assert_eq!(back(None, 0, 3).await, [0; 0]);
    assert_eq!(back(None, 9, 0).await, [0; 0]);
    assert_eq!(back(Some(1), u64::MAX, 2).await, [9, 7]);
    assert_eq!(back(Some(1), 4, 2).await, [5, 3]);
    assert_eq!(back(Some(1), 2, 9).await, [1]);
    assert_eq!(back(Some(1), 1, 9).await, [0; 0]);
    assert_eq!(back(Some(7), u64::MAX, 9).await, [0; 0]);
    let labels = async |from, limit| {
        of_tenant(&bench, 1, from, limit).await.into_iter().map(|entry| entry.request_id).collect::<Vec<_>>()
    };
    assert_eq!(labels(0, 2).await, ["1", "3"]);
    assert_eq!(labels(1, 2).await, ["1", "3"]);
    assert_eq!(labels(3, 2).await, ["5", "7"]);
    assert_eq!(labels(5, 2).await, ["9"]);
    assert_eq!(labels(6, 2).await, [""; 0]);
}

pub(super) async fn receipts_name_their_entries(bench: Bench) {
    let bench = bench.with_credentials().await;
    let store = bench.store();
    let granted = bench.grant(intent(0, "intent")).await;
    log::check_receipt(store, granted.receipt(), "intent").await;
    let batch = vec![outcome(1, ExecutionState::Acked, ""), outcome(99, ExecutionState::Acked, "")];
    let receipts = store.commit_outcomes(batch).await.unwrap();
    log::check_receipt(store, &receipts[0], "outcome of 1").await;
    log::check_receipt(store, &receipts[1], "outcome of 99").await;
    let receipts = store.append(vec![draft(0, "x"), draft(1, "y")]).await.unwrap();
    log::check_receipt(store, &receipts[1], "y").await;
    let changed = store.put_cas(vec![], vec![draft(0, "z")]).await.unwrap();
    log::check_receipt(store, &changed.receipts[0], "z").await;
    assert_eq!((changed.up_to, changed.receipts.len()), (granted.intent(), 1));
}

pub(super) async fn checkpoints_are_kept_in_order(mut bench: Bench) {
    assert_eq!(bench.store().newest_checkpoint().await, Ok(None));
    for (size, note) in [(0, "empty"), (7, "seven"), (3, "three"), (7, "seven again")] {
        bench.store().put_checkpoint(size, note.to_owned()).await.unwrap();
    }
    bench.reopen();
    let from = async |from, limit| bench.store().checkpoints(from, limit).await.unwrap();
    assert_eq!(from(0, 10).await, ["empty", "three", "seven again"]);
    assert_eq!(from(0, 2).await, ["empty", "three"]);
    assert_eq!(from(4, 10).await, ["seven again"]);
    assert_eq!(from(8, 10).await, [""; 0]);
    assert_eq!(bench.store().newest_checkpoint().await, Ok(Some("seven again".to_owned())));
}

pub(super) async fn the_log_goes_on_after_reopening(mut bench: Bench) {
    for n in 0..9 {
        bench.store().append(vec![draft(0, &n.to_string())]).await.unwrap();
        bench.reopen();
        assert_eq!(log::verified(bench.store()).await.len(), n + 1);
    }
    log::check_every_proof(bench.store()).await;
}

async fn of_tenant(bench: &Bench, n: u8, from: u64, limit: usize) -> Vec<Entry> {
    let range = AuditRange { tenant: Some(tenant(n)), from, limit };
    let leaves = bench.store().audit_scan(range).await.unwrap();
    leaves.iter().map(|leaf| Entry::from_leaf(&leaf.bytes).unwrap()).collect()
}
