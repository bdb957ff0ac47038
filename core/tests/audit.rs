//! The audit log from the outside: a log is written, exported, tampered with in every way, and verified.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "helpers of tests, with numbers they chose themselves"
)]

#[path = "audit/log.rs"]
mod log;
#[path = "audit/proofs.rs"]
mod proofs;
#[path = "audit/receipt.rs"]
mod receipt;
#[path = "audit/rfc6962.rs"]
mod rfc6962;
#[path = "audit/tamper.rs"]
mod tamper;

use claviger_core::audit::{
    Break, Checkpoint, Draft, Entry, EntryOutcome, Evidence, Header, Receipt, checkpoint_line, hash_line, header_line,
    leaf_hash, leaf_line, personal, timestamp, verify,
};
use proptest::prelude::*;

use log::{EPOCH_MS, Log, NAME, WRITER, owner_key, pair};

const ENTRIES: u64 = 2_000;
const SEED: u64 = 0x5eed_0a0d;

#[test]
fn an_untouched_log_verifies() {
    let log = Log::of(ENTRIES);
    let report = log.verify(&log.export(None)).unwrap();

    assert_eq!((report.entries, report.shown, report.hidden), (ENTRIES, ENTRIES, 0));
    assert_eq!((report.proven, report.unproven, report.checkpoints), (ENTRIES, 0, 1));
    assert_eq!(report.from.as_deref(), Some(timestamp(EPOCH_MS).as_str()));
    assert_eq!(report.to, Some(timestamp(EPOCH_MS + ENTRIES - 1)));
    assert_eq!((report.unmatched_outcomes, report.backward_entries, report.backward_checkpoints), (0, 0, 0));
    let horizon = format!("nothing proves what came after {}", timestamp(EPOCH_MS + ENTRIES));
    assert!(report.verdict().contains(&horizon), "{report}");
}

#[test]
fn the_empty_log_verifies() {
    let log = Log::of(0);
    let report = log.verify(&log.export(None)).unwrap();
    assert_eq!((report.entries, report.proven, report.from), (0, 0, None));
}

#[test]
fn intents_without_an_outcome_are_unknown() {
    let log = Log::of(ENTRIES);
    let report = log.verify(&log.export(None)).unwrap();
    assert_eq!(report.unknown, log.unknown);
    assert_eq!(report.unknown_count, u64::try_from(log.unknown.len()).unwrap());
    assert!(log.unknown.len() > 10);
    assert!(report.to_string().contains(&format!("{} intents have no outcome", log.unknown.len())));
}

#[test]
fn a_tenants_export_verifies_without_the_rows_of_others() {
    let log = Log::of(ENTRIES);
    let export = log.export(Some("alpha"));
    let report = log.verify(&export).unwrap();

    assert!(report.shown > 100 && report.hidden > 100);
    assert_eq!(report.shown + report.hidden, ENTRIES);
    assert_eq!(report.tenant.as_deref(), Some("alpha"));
    assert!(!export.concat().contains("beta"));
}

#[test]
fn erasing_a_person_leaves_the_log_verifiable() {
    let log = Log::of(20);
    let entry = (0..20).map(|seq| log.entry(seq)).find(|entry| entry.personal.is_some()).unwrap();
    assert_eq!(personal::open(&entry, &owner_key()).unwrap().owner, "own_1");
    // The key is all that erasure destroys, and verifying never had it.
    assert!(!log.export(None).concat().contains("own_1"));
    log.verify(&log.export(None)).unwrap();
}

#[test]
fn every_flipped_bit_in_a_leaf_line_is_found() {
    let log = Log::of(300);
    let export = log.export(None);
    let mut random = Random(SEED);
    for round in 0..500 {
        let mut tampered: Vec<Vec<u8>> = export.iter().map(|line| line.clone().into_bytes()).collect();
        let line = 1 + random.below(tampered.len() - 2);
        let place = random.below(tampered[line].len());
        tampered[line][place] ^= 1 << random.below(8);
        let verdict = verify(tampered.concat().as_slice(), &log.key(), &Evidence::default());
        assert!(verdict.is_err(), "seed {SEED}, round {round}: line {line}, byte {place}");
    }
}

#[test]
fn every_flipped_bit_elsewhere_is_found_too() {
    let log = Log::of(20);
    let export = log.export(None);
    let (head, leaves, foot) = (&export[0], export[1..21].concat(), &export[21]);
    for bit in 0..head.len() * 8 {
        let tampered = [flipped(head, bit), leaves.clone().into_bytes(), foot.clone().into_bytes()].concat();
        assert!(verify(tampered.as_slice(), &log.key(), &Evidence::default()).is_err(), "header, bit {bit}");
    }
    for bit in 0..foot.len() * 8 {
        let tampered = [head.clone().into_bytes(), leaves.clone().into_bytes(), flipped(foot, bit)].concat();
        assert!(verify(tampered.as_slice(), &log.key(), &Evidence::default()).is_err(), "checkpoint, bit {bit}");
    }
}

#[test]
fn an_edited_entry_is_not_what_was_signed() {
    let log = Log::of(ENTRIES);
    let mut export = log.export(None);
    let edited = Entry { user_id: "app_other".to_owned(), ..log.entry(700) };
    export[701] = leaf_line(700, &edited.to_leaf()).unwrap();
    assert_eq!(log.refused(&export), "entries 0 to 1999 are not those that were signed");

    // A checkpoint further up narrows it down.
    export.insert(601, checkpoint_line(&log.checkpoint(600)));
    assert_eq!(log.refused(&export), "entries 600 to 1999 are not those that were signed");
}

#[test]
fn a_deleted_entry_is_missing() {
    let log = Log::of(ENTRIES);
    let mut export = log.export(None);
    export.remove(701);
    assert!(matches!(log.verify(&export), Err(Break::Deleted { expected: 700, found: 701 })));

    // Renumbered, the rest no longer says where it stands.
    for line in 701..export.len() - 1 {
        let seq = u64::try_from(line).unwrap() - 1;
        export[line] = leaf_line(seq, &log.leaves[line]).unwrap();
    }
    assert!(matches!(log.verify(&export), Err(Break::Misplaced { seq: 700, field: "seq" })));
}

#[test]
fn swapped_entries_are_out_of_order() {
    let log = Log::of(ENTRIES);
    let mut export = log.export(None);
    export.swap(701, 702);
    assert!(matches!(log.verify(&export), Err(Break::Reordered { expected: 700, found: 701 })));
    export.swap(701, 702);
    export.swap(3, 1_900);
    assert!(matches!(log.verify(&export), Err(Break::Reordered { expected: 2, found: 1_899 })));
}

#[test]
fn a_repeated_or_inserted_entry_is_found() {
    let log = Log::of(ENTRIES);
    let mut export = log.export(None);
    export.insert(702, export[701].clone());
    assert!(matches!(log.verify(&export), Err(Break::Duplicated { seq: 700 })));

    let inserted = Entry { seq: 701, tenant: String::new(), tenant_seq: 0, ..log.entry(700) };
    export[702] = leaf_line(701, &inserted.to_leaf()).unwrap();
    assert!(matches!(log.verify(&export), Err(Break::Duplicated { seq: 701 })));
}

#[test]
fn an_entry_of_another_writer_or_tenant_is_out_of_place() {
    let log = Log::of(20);
    let mut export = log.export(None);
    export[0] = header_line(&Header::new(NAME, &log.key(), None, "node-b"));
    assert!(matches!(log.verify(&export), Err(Break::Misplaced { seq: 0, field: "writer" })));
    export[0] = header_line(&Header::new(NAME, &log.key(), Some("alpha".to_owned()), WRITER));
    assert!(matches!(log.verify(&export), Err(Break::Misplaced { field: "tenant", .. })));
}

#[test]
fn a_cut_tail_shows_with_a_newer_checkpoint_or_receipt_only() {
    let log = Log::of(ENTRIES);
    let mut cut = log.export_of(1_500, None);

    // A shorter export with the checkpoint of its day is a true one, so nothing can be said against it by itself.
    let report = log.verify(&cut).unwrap();
    assert!(report.to_string().contains(&format!("nothing proves what came after {}", timestamp(EPOCH_MS + 1_500))));

    let newer = Evidence { checkpoints: vec![log.checkpoint(ENTRIES)], ..Evidence::default() };
    assert!(matches!(log.verify_with(&cut, &newer), Err(Break::CutTail { export: 1_500, known: ENTRIES })));
    let receipt = Evidence { receipts: vec![log.receipt(1_600)], ..Evidence::default() };
    assert!(matches!(log.verify_with(&cut, &receipt), Err(Break::CutTail { export: 1_500, known: 1_601 })));

    // Cutting leaves only, and keeping the checkpoint, shows by itself.
    cut.remove(1_500);
    assert!(matches!(log.verify(&cut), Err(Break::CutTail { export: 1_499, known: 1_500 })));
}

#[test]
fn a_newer_checkpoint_extends_what_is_known_complete() {
    let log = Log::of(200);
    let later = log.sign(&log.head(200).with_time(EPOCH_MS + 86_400_000));
    let evidence = Evidence { checkpoints: vec![log.checkpoint(150), later], receipts: vec![log.receipt(3)] };
    let report = log.verify_with(&log.export(None), &evidence).unwrap();
    assert!(report.newer_evidence);
    assert_eq!((report.checkpoints, report.backward_checkpoints), (3, 0));
    let text = report.to_string();
    assert!(text.contains(&format!("complete up to {}", timestamp(EPOCH_MS + 86_400_000))), "{text}");
    assert!(!text.contains("nothing proves"), "{text}");

    // The export's own checkpoint, or an older one, adds nothing.
    for size in [200, 150] {
        let evidence = Evidence { checkpoints: vec![log.checkpoint(size)], ..Evidence::default() };
        let report = log.verify_with(&log.export(None), &evidence).unwrap();
        assert!(report.to_string().contains("nothing proves what came after"));
    }
}

#[test]
fn a_second_history_under_the_same_key_is_a_fork() {
    let log = Log::of(300);
    let other = log.with_another_history_from(250);
    for size in [251, 280, 300] {
        let evidence = Evidence { checkpoints: vec![other.checkpoint(size)], ..Evidence::default() };
        let verdict = log.verify_with(&log.export(None), &evidence);
        assert!(matches!(verdict, Err(Break::Fork { size: at }) if at == size), "{verdict:?}");
    }
    // Both say the same about what they share.
    let evidence = Evidence { checkpoints: vec![other.checkpoint(250)], ..Evidence::default() };
    log.verify_with(&log.export(None), &evidence).unwrap();

    // Also inside one export, and between two checkpoints that are both newer than it.
    let mut export = log.export(None);
    export.push(checkpoint_line(&other.checkpoint(300)));
    assert!(matches!(log.verify(&export), Err(Break::Fork { size: 300 })));
    let evidence = Evidence { checkpoints: vec![log.checkpoint(300), other.checkpoint(300)], ..Evidence::default() };
    assert!(matches!(log.verify_with(&log.export_of(260, None), &evidence), Err(Break::Fork { size: 300 })));
}

#[test]
fn a_row_left_out_of_a_tenants_export_leaves_a_gap() {
    let log = Log::of(ENTRIES);
    let mut export = log.export(Some("alpha"));
    let own: Vec<usize> = (1..=2_000).filter(|line| export[*line].contains("\"leaf\"")).collect();
    let hide = |export: &mut Vec<String>, line: usize| {
        export[line] = hash_line(u64::try_from(line).unwrap() - 1, &leaf_hash(&log.leaves[line - 1]));
    };
    hide(&mut export, own[10]);
    let verdict = log.verify(&export).unwrap_err();
    assert!(matches!(&verdict, Break::TenantGap { tenant, expected: 11, found: 12, .. } if tenant == "alpha"));

    // The tenant's last row has none after it to show the gap, but a receipt does.
    let mut export = log.export(Some("alpha"));
    let last = *own.last().unwrap();
    hide(&mut export, last);
    let report = log.verify(&export).unwrap();
    assert!(report.to_string().contains("only a receipt or a later entry would show"));
    let seq = u64::try_from(last).unwrap() - 1;
    let evidence = Evidence { receipts: vec![log.receipt(seq)], ..Evidence::default() };
    assert!(matches!(log.verify_with(&export, &evidence), Err(Break::Withheld { seq: at }) if at == seq));
}

#[test]
fn a_full_export_shows_every_row() {
    let log = Log::of(20);
    let mut export = log.export(None);
    export[8] = hash_line(7, &leaf_hash(&log.leaves[7]));
    assert!(matches!(log.verify(&export), Err(Break::Withheld { seq: 7 })));
}

#[test]
fn another_key_is_not_taken_from_the_file() {
    let log = Log::of(20);
    let mut forger = Log::of(20);
    forger.pair = pair(99);
    assert!(matches!(log.verify(&forger.export(None)), Err(Break::OtherKey { .. })));
    // A forger who names the right key still cannot sign with it.
    let mut export = forger.export(None);
    export[0] = log.export(None)[0].clone();
    assert!(matches!(log.verify(&export), Err(Break::BadCheckpoint { line: 22, .. })));
    let evidence = Evidence { checkpoints: vec![forger.checkpoint(5)], ..Evidence::default() };
    assert!(matches!(log.verify_with(&log.export(None), &evidence), Err(Break::BadEvidence { number: 1, .. })));
}

#[test]
fn evidence_of_another_log_or_leaf_is_named() {
    let log = Log::of(20);
    let foreign = log.sign(&Checkpoint { origin: "claviger/log_2".to_owned(), ..log.head(20) });
    let with = |evidence| log.verify_with(&log.export(None), &evidence);
    let verdict = with(Evidence { checkpoints: vec![foreign.clone()], ..Evidence::default() });
    assert!(matches!(verdict, Err(Break::OtherLog { .. })));
    let verdict = with(Evidence {
        receipts: vec![Receipt { origin: "claviger/log_2".to_owned(), ..log.receipt(3) }],
        ..Evidence::default()
    });
    assert!(matches!(verdict, Err(Break::OtherLog { .. })));
    let mut export = log.export(None);
    export[21] = checkpoint_line(&foreign);
    assert!(matches!(log.verify(&export), Err(Break::OtherLog { .. })));

    let wrong = Receipt { leaf_hash: leaf_hash(b"another"), ..log.receipt(3) };
    let verdict = with(Evidence { receipts: vec![wrong.clone()], ..Evidence::default() });
    assert!(matches!(verdict, Err(Break::ReceiptMismatch { seq: 3 })));
    let verdict = with(Evidence { receipts: vec![log.receipt(3), wrong], ..Evidence::default() });
    assert!(matches!(verdict, Err(Break::ReceiptMismatch { seq: 3 })));
}

#[test]
fn what_no_checkpoint_covers_is_not_proven() {
    let log = Log::of(20);
    let mut export = log.export(None);
    let checkpoint = export.pop().unwrap();
    assert!(matches!(log.verify(&export), Err(Break::NoCheckpoint)));
    export.insert(16, checkpoint_line(&log.checkpoint(15)));
    let report = log.verify(&export).unwrap();
    assert_eq!((report.proven, report.unproven), (15, 5));
    assert!(report.verdict().contains(&"5 entries after the last checkpoint are not proven".to_owned()));

    // Early is fine, it waits for its leaves; late would need a second pass.
    let early = [&export[..1], &[checkpoint], &export[1..]].concat();
    assert_eq!(log.verify(&early).unwrap().proven, 20);
    export.push(checkpoint_line(&log.checkpoint(19)));
    assert!(matches!(log.verify(&export), Err(Break::LateCheckpoint { size: 19, position: 20, .. })));
}

#[test]
fn clocks_that_went_back_are_a_note_and_no_accusation() {
    let mut log = Log::default();
    for minute in [0, 5, 3, 4, 6] {
        log.append_at(EPOCH_MS + minute * 60_000, Draft::new("keeper.start", EntryOutcome::Allowed));
    }
    let mut export = log.export(None);
    export.insert(2, checkpoint_line(&log.sign(&log.head(1).with_time(EPOCH_MS * 2))));
    let report = log.verify(&export).unwrap();
    assert_eq!((report.backward_entries, report.backward_checkpoints), (2, 1));
    assert!(report.to_string().contains("note: 2 entries are dated before an earlier entry"));
}

proptest! {
    #[test]
    fn hostile_exports_are_answered(
        pieces in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4_u8), 1..6),
        noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let log = Log::of(8);
        let pristine = log.export(Some("alpha")).concat().into_bytes();
        let mut export = pristine.clone();
        for (from, to, what) in pieces {
            let (from, to) = (from.index(export.len()), to.index(export.len()));
            let range = from.min(to)..from.max(to);
            match what {
                0 => drop(export.drain(range)),
                1 => export.extend_from_within(range),
                2 => drop(export.splice(range, noise.iter().copied())),
                _ => export[range].reverse(),
            }
            export.push(b'\n');
        }
        if verify(export.as_slice(), &log.key(), &Evidence::default()).is_ok() {
            // Nothing but an unproven tail may differ.
            prop_assert!(export.starts_with(pristine.trim_ascii_end()));
        }
    }
}

fn flipped(line: &str, bit: usize) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// `SplitMix64`: a stream that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) >> 1).unwrap() % bound
    }
}
