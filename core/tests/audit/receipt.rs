//! Receipts of executions, checked with nothing but the key. Their proofs are made by another implementation than the one
//! that checks them.

use claviger_core::audit::{Entry, ProvenEntry, ProvenReceipt, ReceiptReport, SignedCheckpoint, Unproven, leaf_hash};
use proptest::prelude::*;

use super::log::{Log, NAME, pair};
use super::rfc6962;

const SIZE: u64 = 50;

#[test]
fn a_receipt_says_what_it_proves_and_what_not() {
    let log = log();
    let words = verified(&log, &receipt(&log)).unwrap().verdict();

    assert!(words[0].starts_with(&format!("{NAME}: exec_3 is in its first 50 entries, signed at 2026-")), "{words:?}");
    assert!(words[1].contains("before anything was signed: app app_1 of alpha, from 192.0.2.7"), "{words:?}");
    assert!(words[2].contains("the outcome was recorded as acked"), "{words:?}");
    assert!(words[3].starts_with("not proven: the order's figures"), "{words:?}");
    assert_eq!(words.len(), 4);

    let silent = ProvenReceipt { outcomes: Vec::new(), ..receipt(&log) };
    let words = verified(&log, &silent).unwrap().verdict();
    assert!(words[2].starts_with("not proven: what became of it"), "{words:?}");
}

#[test]
fn every_flipped_bit_in_a_receipt_is_found_or_means_the_same() {
    let log = log();
    let whole = receipt(&log);
    let pristine = verified(&log, &whole).unwrap();
    let text = serde_json::to_vec(&whole).unwrap();
    let mut meant_the_same = 0;
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(report) = ProvenReceipt::parse(&bytes).and_then(|receipt| receipt.verify(&log.key())) {
            assert_eq!(report, pristine, "bit {bit}");
            meant_the_same += 1;
        }
    }
    // JSON has other ways to write the same: a capital in an escape.
    assert!(meant_the_same < 20, "{meant_the_same}");
}

#[test]
fn what_belongs_elsewhere_is_named() {
    let log = log();
    let check = |change: &dyn Fn(&mut ProvenReceipt), code: &str| {
        let mut changed = receipt(&log);
        change(&mut changed);
        assert_eq!(verified(&log, &changed).unwrap_err().code(), code);
    };
    let [intent, outcome] = entries(&log);
    check(&|receipt| receipt.execution = "exec_other".to_owned(), "misplaced");
    check(&|receipt| receipt.origin = "claviger/log_2".to_owned(), "other-log");
    check(&|receipt| receipt.intent = receipt.outcomes[0].clone(), "misplaced");
    check(&|receipt| receipt.outcomes = vec![receipt.intent.clone()], "misplaced");
    check(&|receipt| receipt.outcomes.push(receipt.outcomes[0].clone()), "misplaced");
    // Another execution's outcome, itself proven.
    check(&|receipt| receipt.outcomes = vec![proven(&log, outcome + 3)], "misplaced");
    check(&|receipt| receipt.intent.seq += 1, "not-included");
    check(&|receipt| receipt.intent.leaf_hash = leaf_hash(b"another"), "not-included");
    check(&|receipt| receipt.outcomes[0].proof.truncate(2), "not-included");
    // An edited leaf with its own right hash.
    let edited = Entry { user_id: "app_other".to_owned(), ..log.entry(intent) }.to_leaf();
    check(
        &|receipt| {
            receipt.intent.leaf_hash = leaf_hash(&edited);
            receipt.intent.leaf = String::from_utf8(edited.clone()).unwrap();
        },
        "not-included",
    );
    // The history that the edit would belong to is signed by somebody else.
    let mut forger = log.with_another_history_from(intent);
    forger.pair = pair(9);
    check(&|receipt| *receipt = self::receipt(&forger), "bad-checkpoint");
    check(&|receipt| receipt.checkpoint = SignedCheckpoint::unverified("nothing"), "bad-checkpoint");
    check(&|receipt| receipt.checkpoint = log.checkpoint(outcome), "not-included");

    for text in ["", "{}", "[]", r#"{"format":"claviger-receipt/v2"}"#] {
        assert_eq!(ProvenReceipt::parse(text.as_bytes()).unwrap_err().code(), "malformed");
    }
    let other = serde_json::to_string(&receipt(&log)).unwrap().replace("receipt/v1", "receipt/v2");
    assert!(matches!(ProvenReceipt::parse(other.as_bytes()), Err(Unproven::Format(_))));
    let mut many = receipt(&log);
    many.outcomes = vec![many.outcomes[0].clone(); 17];
    assert!(matches!(ProvenReceipt::parse(&serde_json::to_vec(&many).unwrap()), Err(Unproven::TooMany)));
}

proptest! {
    #[test]
    fn proofs_are_taken_from_another_implementation(size in 1..400_u64, at in any::<prop::sample::Index>()) {
        let log = Log::of(size);
        let seq = u64::try_from(at.index(usize::try_from(size).unwrap())).unwrap();
        let head = log.head(size);
        let entry = proven_in(&log, seq, size).entry(&head).unwrap();
        prop_assert_eq!(entry, log.entry(seq));
        if size > 1 {
            let other = proven_in(&log, (seq + 1) % size, size);
            let moved = ProvenEntry { seq, ..other };
            prop_assert!(moved.entry(&head).is_err());
        }
    }
}

fn log() -> Log {
    Log::of(SIZE)
}

/// The numbers of an execution's intent and outcome.
fn entries(log: &Log) -> [u64; 2] {
    let of = |action: &str| {
        (0..SIZE).find(|seq| {
            let entry = log.entry(*seq);
            entry.resource_id == "exec_3" && entry.action == action
        })
    };
    [of("execution.intent").unwrap(), of("execution.outcome").unwrap()]
}

fn receipt(log: &Log) -> ProvenReceipt {
    let [intent, outcome] = entries(log);
    ProvenReceipt {
        format: "claviger-receipt/v1".to_owned(),
        origin: NAME.to_owned(),
        execution: "exec_3".to_owned(),
        intent: proven(log, intent),
        outcomes: vec![proven(log, outcome)],
        checkpoint: log.checkpoint(SIZE),
    }
}

fn proven(log: &Log, seq: u64) -> ProvenEntry {
    proven_in(log, seq, SIZE)
}

fn proven_in(log: &Log, seq: u64, size: u64) -> ProvenEntry {
    let (at, size) = (usize::try_from(seq).unwrap(), usize::try_from(size).unwrap());
    let hashes: Vec<rfc6962::Hash> = log.leaves[..size].iter().map(|leaf| rfc6962::leaf(leaf)).collect();
    let proof = rfc6962::path(at, &hashes).into_iter().map(claviger_core::audit::Hash::from_bytes).collect();
    let leaf = String::from_utf8(log.leaves[at].clone()).unwrap();
    ProvenEntry { seq, leaf_hash: leaf_hash(leaf.as_bytes()), leaf, proof }
}

fn verified(log: &Log, receipt: &ProvenReceipt) -> Result<ReceiptReport, Unproven> {
    ProvenReceipt::parse(&serde_json::to_vec(receipt).unwrap())?.verify(&log.key())
}
