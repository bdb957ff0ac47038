//! A log of 100,000 entries, and what can be done to it.
//!
//! The verifier reads an export once from its beginning, so running it for each of 100,000 changed entries would take
//! days. What it says of a change to one line is computed instead by [`Sentry`], from the line alone and the entry's way
//! to the root; `a_sentry_says_what_the_verifier_says` ties the two together, bit by bit.

use std::borrow::Cow;

use claviger_core::audit::{
    Break, Evidence, Receipt, Report, SignedCheckpoint, checkpoint_line, hash_line, leaf_hash, leaf_line, verify,
};
use serde::{Deserialize, Serialize};

use super::log::{Log, NAME};
use super::{Random, SEED, flipped, rfc6962};

const ENTRIES: u64 = 100_000;

/// Entries of the large log of which every bit is tried.
const WHOLE: usize = 4;

/// Changes to the large log that the verifier itself reads to the end.
const READ: usize = 1;

#[test]
fn in_100_000_entries_every_entry_with_a_flipped_bit_is_found_and_every_other_change() {
    let log = Log::of(ENTRIES);
    let lines = log.export(None);
    let entries = lines.len() - 2;
    assert_eq!(entries as u64, ENTRIES);
    let export = Export::of(&lines);
    let report = export.verify(&log, &Evidence::default()).unwrap();
    assert_eq!((report.entries, report.proven, report.shown), (ENTRIES, ENTRIES, ENTRIES));

    let sentries = Sentries::of(&log, ENTRIES);
    let mut random = Random(SEED);
    let mut bits = 0;
    for seq in 0..entries {
        let (sentry, line) = (sentries.at(seq), &lines[seq + 1]);
        let bit = random.below(line.len() * 8);
        assert!(sentry.finds(&flipped(line, bit)), "seed {SEED}: entry {seq}, bit {bit}");
        assert!(seq % 100 > 0 || !sentry.finds(line.as_bytes()), "entry {seq} is as it was signed");
    }
    for _ in 0..WHOLE {
        let seq = random.below(entries);
        let (sentry, line) = (sentries.at(seq), &lines[seq + 1]);
        for bit in 0..line.len() * 8 {
            assert!(sentry.finds(&flipped(line, bit)), "entry {seq}, bit {bit}");
        }
        bits += line.len() * 8;
    }
    // The verifier itself, with a bit flipped that leaves a well-formed entry: it has to read to the end.
    for _ in 0..READ {
        let seq = random.below(entries);
        let place = lines[seq + 1].find("192.0.2.7").unwrap_or_else(|| lines[seq + 1].rfind("system").unwrap());
        let verdict = export.with(seq + 1, &flipped(&lines[seq + 1], place * 8)).verify(&log, &Evidence::default());
        assert!(matches!(verdict, Err(Break::Edited { from: 0, to: 99_999 })), "entry {seq}: {verdict:?}");
    }
    changes_of_whole_entries(&log, &lines, &export);
    eprintln!(
        "seed {SEED}: one bit flipped in each of {entries} entries, all {bits} bits of {WHOLE} of them, {READ} of them read \
         to the end by the verifier; removed, swapped, doubled, forked, cut: all found"
    );
}

/// A removed, a swapped, a doubled entry; a second history; a cut tail. Each is what the verifier itself says.
fn changes_of_whole_entries(log: &Log, lines: &[String], export: &Export<'_>) {
    let nothing = Evidence::default();
    let verdict = |export: &Export<'_>, evidence: &Evidence| export.verify(log, evidence).unwrap_err();
    let removed = verdict(&export.with(70_001, b""), &nothing);
    assert!(matches!(removed, Break::Deleted { expected: 70_000, found: 70_001 }), "{removed}");
    let swapped = export.with(2_001, lines[2_002].as_bytes()).with(2_002, lines[2_001].as_bytes());
    let swapped = verdict(&swapped, &nothing);
    assert!(matches!(swapped, Break::Reordered { expected: 2_000, found: 2_001 }), "{swapped}");
    let doubled = verdict(&export.with(2_001, lines[2_001].repeat(2).as_bytes()), &nothing);
    assert!(matches!(doubled, Break::Duplicated { seq: 2_000 }), "{doubled}");

    let other = log.with_another_history_from(99_990);
    let newer = |checkpoint: SignedCheckpoint| Evidence { checkpoints: vec![checkpoint], ..Evidence::default() };
    let fork = verdict(export, &newer(other.checkpoint(99_995)));
    assert!(matches!(fork, Break::Fork { size: 99_995 }), "{fork}");
    let cut = log.export_of(3_000, None);
    let cut = Export::of(&cut);
    assert_eq!(cut.verify(log, &nothing).unwrap().entries, 3_000);
    let truncated = verdict(&cut, &newer(log.checkpoint(ENTRIES)));
    assert!(matches!(truncated, Break::CutTail { export: 3_000, known: ENTRIES }), "{truncated}");
    let receipt = Receipt { origin: NAME.to_owned(), seq: 3_000, leaf_hash: leaf_hash(&log.leaves[3_000]) };
    let truncated = verdict(&cut, &Evidence { receipts: vec![receipt], ..Evidence::default() });
    assert!(matches!(truncated, Break::CutTail { export: 3_000, known: 3_001 }), "{truncated}");
}

#[test]
fn a_sentry_says_what_the_verifier_says() {
    // Of this size, every bit of every line is read by the verifier itself.
    let log = Log::of(5);
    let lines = log.export(None);
    let export = Export::of(&lines);
    let sentries = Sentries::of(&log, 5);
    let (mut bits, mut by_the_root) = (0, 0);
    for (line, text) in lines.iter().enumerate() {
        for bit in 0..text.len() * 8 {
            let changed = flipped(text, bit);
            let verdict = export.with(line, &changed).verify(&log, &Evidence::default());
            assert!(verdict.is_err(), "line {line}, bit {bit}");
            if (1..=5).contains(&line) {
                assert!(sentries.at(line - 1).finds(&changed), "line {line}, bit {bit}");
                by_the_root += usize::from(matches!(verdict, Err(Break::Edited { .. })));
            }
            bits += 1;
        }
    }
    // Both ways of being found occur: at the line, and at the root.
    assert!(bits / 10 < by_the_root && by_the_root < bits, "{by_the_root} of {bits}");
    eprintln!("all {bits} bits of an export of 5 entries, {by_the_root} of them found by the root alone");

    // Whole lines of other logs and other places, which are as well-formed as its own.
    let edited = log.with_another_history_from(3);
    let foreign = Log::of(12);
    let mut others: Vec<Vec<u8>> =
        (0..5).map(|seq| leaf_line(seq, &edited.leaves[seq as usize]).unwrap().into()).collect();
    others.extend((0..12).map(|seq| leaf_line(seq, &foreign.leaves[seq as usize]).unwrap().into()));
    others.extend((0..5).map(|seq| hash_line(seq, &leaf_hash(&log.leaves[seq as usize])).into()));
    others.extend([
        checkpoint_line(&log.checkpoint(5)).into(),
        lines[0].clone().into(),
        b"\n".to_vec(),
        b"{}\n".to_vec(),
    ]);
    for seq in 0..5 {
        for other in &others {
            let found = export.with(seq + 1, other).verify(&log, &Evidence::default()).is_err();
            assert_eq!(sentries.at(seq).finds(other), found, "{seq}: {}", String::from_utf8_lossy(other));
        }
    }
}

/// What the verifier says of a change to one line of an export that is otherwise as it was signed: it is found unless the
/// line is still the line of an entry of this number, whose leaf leads to the signed root.
struct Sentry<'log> {
    seq: usize,
    size: usize,
    path: Vec<rfc6962::Hash>,
    root: &'log rfc6962::Hash,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafLine {
    seq: u64,
    leaf: String,
}

impl Sentry<'_> {
    fn finds(&self, line: &[u8]) -> bool {
        let Some(text) = line.strip_suffix(b"\n") else { return true };
        let Ok(read) = serde_json::from_slice::<LeafLine>(text) else { return true };
        let leaf = rfc6962::leaf(read.leaf.as_bytes());
        read.seq != self.seq as u64
            || rfc6962::root_by_path(&leaf, self.seq, self.size, &self.path).as_ref() != Some(self.root)
            || serde_json::to_vec(&read).is_ok_and(|again| again != text)
    }
}

/// All entries of a log, with every node of its tree.
struct Sentries {
    /// The hashes of each level, from the leaves upwards; the last of an odd number moves up as it is.
    levels: Vec<Vec<rfc6962::Hash>>,
}

impl Sentries {
    /// Of the first `size` entries, whose root is the one that the log signs.
    fn of(log: &Log, size: u64) -> Self {
        let mut levels = vec![log.leaves.iter().map(|leaf| rfc6962::leaf(leaf)).collect::<Vec<_>>()];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            levels.push(level.chunks(2).map(rfc6962::root).collect());
        }
        let sentries = Self { levels };
        assert_eq!(sentries.root(), log.head(size).root.as_bytes());
        sentries
    }

    fn root(&self) -> &rfc6962::Hash {
        &self.levels[self.levels.len() - 1][0]
    }

    fn at(&self, seq: usize) -> Sentry<'_> {
        let mut path = Vec::new();
        for (height, level) in self.levels.iter().enumerate() {
            path.extend(level.get((seq >> height) ^ 1));
        }
        Sentry { seq, size: self.levels[0].len(), path, root: self.root() }
    }
}

/// An export whose lines can be replaced.
#[derive(Clone)]
struct Export<'log>(Vec<Cow<'log, [u8]>>);

impl<'log> Export<'log> {
    fn of(lines: &'log [String]) -> Self {
        Self(lines.iter().map(|line| Cow::Borrowed(line.as_bytes())).collect())
    }

    /// The same with another line in place of one.
    fn with(&self, line: usize, instead: &[u8]) -> Self {
        let mut changed = self.clone();
        changed.0[line] = Cow::Owned(instead.to_vec());
        changed
    }

    fn verify(&self, log: &Log, evidence: &Evidence) -> Result<Report, Break> {
        verify(self.0.concat().as_slice(), &log.key(), evidence)
    }
}
