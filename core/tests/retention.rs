//! Retention from the outside: entries leave the store for segments, whatever is interrupted, and what was done to a
//! segment afterwards is found.

#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests, with numbers they chose themselves"
)]

#[path = "retention/world.rs"]
mod world;

use claviger_core::audit::{Archive, Entry, Evidence, leaf_hash, tree};
use claviger_core::service::RetentionError;
use claviger_core::store::Store;

use world::{Failing, World};

/// What the steps of a run come to, each of which may be the last one before a crash.
const STEPS_LEAST: usize = 10;

#[tokio::test]
async fn old_entries_move_to_segments_and_proofs_go_on() {
    let world = World::aged(2_500, 700).await;
    world.run(&world.folder).await.unwrap();

    assert_eq!(
        world.names(),
        [
            "000000000000-000000000699.ndjson",
            "000000000700-000000001399.ndjson",
            "000000001400-000000002099.ndjson",
            "000000002100-000000002499.ndjson"
        ]
    );
    let head = world.store.tree_head().await.unwrap();
    assert_eq!(head.oldest, 2_500);
    assert_eq!(world.leaves(None, 0).await[0].seq, 2_500);
    let first_of_tenant = Entry::from_leaf(&world.leaves(Some(world.tenant), 1).await[0].bytes).unwrap();
    assert!(first_of_tenant.seq >= 2_500 && first_of_tenant.tenant_seq > 1);
    assert!(world.store.outcomes_of(3, 10).await.unwrap().is_empty());

    let (leaf, proof) = world.store.inclusion(2_501, head.size).await.unwrap();
    tree::verify_inclusion(&leaf_hash(&leaf.bytes), 2_501, head.size, &proof, &head.root).unwrap();
    let (old_root, proof) = world.store.consistency(700, head.size).await.unwrap();
    tree::verify_consistency(700, head.size, &proof, &old_root, &head.root).unwrap();

    let entries = world.archived().await;
    assert_eq!(entries.len(), 4, "one entry for each segment");
    assert_eq!(entries[1].resource_id, "000000000700-000000001399.ndjson");
    assert_eq!(entries[1].detail["sha256"], world.sha256("000000000700-000000001399.ndjson"));
    assert_eq!(world.run(&world.folder).await.unwrap(), 0, "there is nothing left to do");
}

#[tokio::test]
async fn young_entries_and_those_without_a_signature_stay() {
    let world = World::aged(1_000, 700).await;
    world.run(&world.folder).await.unwrap();
    assert_eq!(world.names().len(), 2);
    let oldest = world.store.tree_head().await.unwrap().oldest;
    assert_eq!(oldest, 1_000, "the young ones are there");

    let world = World::new();
    world.grow(500).await;
    world.age();
    assert_eq!(world.run(&world.folder).await.unwrap(), 0, "nothing was signed");
    assert!(world.names().is_empty());
}

#[tokio::test]
async fn a_crash_at_any_step_is_repeated_harmlessly() {
    let mut step = 0;
    loop {
        let world = World::aged(2_500, 1_250).await;
        let failing = Failing::at(&world.folder, step);
        let was_cut = world.run(&failing).await.is_err();
        world.nothing_is_lost().await;
        let left = world.run(&world.folder).await.unwrap();
        world.nothing_is_lost().await;
        assert_eq!(world.names(), ["000000000000-000000001249.ndjson", "000000001250-000000002499.ndjson"]);
        assert_eq!(world.archived().await.len(), 2, "after a crash in step {step}");
        if !was_cut {
            assert_eq!(left, 0);
            break;
        }
        step += 1;
    }
    assert!(step >= STEPS_LEAST, "only {step} steps");
}

#[tokio::test]
async fn a_removal_that_was_cut_goes_on_only_with_the_same_file() {
    let world = World::aged(2_500, 2_500).await;
    let segment = world.begin_removal().await;
    assert_eq!(world.store.tree_head().await.unwrap().oldest, 1_000, "one commit removes so many");
    let name = world.names().remove(0);
    let whole = world.text(&name);

    world.write(&name, &whole.replacen("order.place", "order.Place", 1));
    assert!(matches!(world.run(&world.folder).await, Err(RetentionError::Broken { .. })));
    std::fs::remove_file(world.path(&name)).unwrap();
    assert!(matches!(world.run(&world.folder).await, Err(RetentionError::Io(_))));
    assert_eq!(world.store.tree_head().await.unwrap().oldest, 1_000, "nothing has left");

    world.write(&name, &whole);
    assert_eq!(world.run(&world.folder).await.unwrap(), 1_500);
    assert_eq!(world.store.segment_of(0).await.unwrap(), Some(segment));
    assert_eq!(world.archived().await.len(), 1);
}

#[tokio::test]
async fn a_segment_of_another_log_is_not_taken_for_this_one() {
    let (world, other) = (World::aged(600, 600).await, World::aged(600, 600).await);
    other.run(&other.folder).await.unwrap();
    world.write(&other.names()[0], &other.text(&other.names()[0]));
    assert!(matches!(world.run(&world.folder).await, Err(RetentionError::Other(_))));
    assert_eq!(world.store.tree_head().await.unwrap().oldest, 0);
}

#[tokio::test]
async fn what_was_done_to_segments_is_found() {
    let world = World::aged(2_100, 700).await;
    world.run(&world.folder).await.unwrap();
    let all: Vec<String> = world.names().iter().map(|name| world.text(name)).collect();
    let [a, b, c] = [all[0].as_str(), &all[1], &all[2]];
    let export = world.export(2_100).await;

    let report = world.judge(&[a, b, c], None).unwrap();
    assert_eq!((report.entries, report.shown, report.archived, report.proven), (2_100, 2_100, 0, 2_100));
    let report = world.judge(&[a, b, c], Some(&export)).unwrap();
    assert_eq!((report.hidden, report.archived), (0, 0));
    assert_eq!(report.shown, report.entries);
    let alone = world.judge(&[], Some(&export)).unwrap();
    assert_eq!((alone.archived, alone.hidden, alone.unmatched_outcomes), (2_100, 2_100, 0));
    assert!(alone.to_string().contains("the first 2100 entries are in segments that were not given"));
    let later = world.judge(&[b, c], Some(&export)).unwrap();
    assert_eq!((later.archived, later.entries), (700, report.entries));

    let lines: Vec<&str> = b.lines().collect();
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.join("\n") + "\n"
    };
    let other = World::aged(700, 700).await;
    other.run(&other.folder).await.unwrap();
    let edited = b.replacen("order.place", "order.Place", 1);
    let (gap, cut) = (without(5), without(lines.len() - 2));
    let (no_border, no_end) = (without(1), without(lines.len() - 1));
    let foreign = other.text(&other.names()[0]);
    let cases = [
        ("missing", [a, c], "missing-segment"),
        ("swapped", [b, a], "missing-segment"),
        ("twice", [a, a], "missing-segment"),
        ("edited", [a, &edited], "edited"),
        ("a leaf less", [a, &gap], "deleted"),
        ("the last leaf less", [a, &cut], "deleted"),
        ("no border", [a, &no_border], "malformed"),
        ("no end", [a, &no_end], "malformed"),
        ("another log of the same key", [&foreign, b], "other-history"),
    ];
    for (case, segments, code) in cases {
        assert_eq!(world.judge(&segments, None).unwrap_err().code(), code, "{case}");
    }
    assert_eq!(world.judge(&[a, b], Some(&export)).unwrap_err().code(), "missing-segment");
    assert!(world.judge(&[&foreign], Some(&export)).is_err());
}

#[tokio::test]
async fn hashes_stand_only_for_what_has_left() {
    let world = World::aged(600, 600).await;
    let hidden = world.export(10).await;
    let hidden = hidden.replacen(",\"archived\":10", ",\"archived\":9", 1);
    assert_eq!(world.judge(&[], Some(&hidden)).unwrap_err().code(), "withheld");
}

#[tokio::test]
async fn each_changed_bit_of_a_segment_is_found() {
    let world = World::aged(6, 3).await;
    world.run(&world.folder).await.unwrap();
    let first = world.text(&world.names()[0]);
    let second = world.text(&world.names()[1]);
    let evidence = Evidence::default();
    for at in 0..second.len() {
        for bit in 0..8 {
            let mut changed = second.clone().into_bytes();
            changed[at] ^= 1 << bit;
            let mut archive = Archive::new(&world.key, &evidence);
            archive.add(first.as_bytes()).unwrap();
            assert!(archive.add(changed.as_slice()).is_err(), "bit {bit} of byte {at}");
        }
    }
}
