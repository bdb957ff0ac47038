//! Proofs made from stored nodes are those of another implementation, and each side takes and refuses what the other does.

use std::collections::HashMap;
use std::convert::Infallible;

use claviger_core::audit::tree::{consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
use claviger_core::audit::{Frontier, Hash, Nodes, leaf_hash};
use proptest::prelude::*;

use super::rfc6962;

struct Stored(HashMap<(u8, u64), Hash>);

impl Nodes for Stored {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Option<Hash>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}

/// The nodes of a tree as the writer of a log hands them out, and the hashes of its leaves.
fn tree(size: usize) -> (Stored, Vec<rfc6962::Hash>) {
    let mut frontier = Frontier::new();
    let mut nodes = HashMap::new();
    let mut hashes = Vec::new();
    for seq in 0..size {
        let leaf = seq.to_be_bytes();
        nodes.extend(frontier.push(leaf_hash(&leaf)).iter().map(|node| ((node.level, node.index), node.hash)));
        hashes.push(rfc6962::leaf(&leaf));
    }
    assert_eq!(*frontier.root().as_bytes(), rfc6962::root(&hashes));
    (Stored(nodes), hashes)
}

fn bare(proof: &[Hash]) -> Vec<rfc6962::Hash> {
    proof.iter().map(|hash| *hash.as_bytes()).collect()
}

fn dressed(hash: rfc6962::Hash) -> Hash {
    Hash::from_bytes(hash)
}

/// A proof with one bit changed, one hash more, or one less.
fn spoiled(proof: &[Hash], at: prop::sample::Index, how: u8) -> Vec<Hash> {
    let mut spoiled = proof.to_vec();
    if spoiled.is_empty() || how == 0 {
        spoiled.push(leaf_hash(b"more"));
    } else if how == 1 {
        spoiled.remove(at.index(proof.len()));
    } else {
        let hash = &mut spoiled[at.index(proof.len())];
        let mut bytes = *hash.as_bytes();
        bytes[usize::from(how) % 32] ^= 1 << (how % 8);
        *hash = dressed(bytes);
    }
    spoiled
}

proptest! {
    #[test]
    fn inclusion(size in 1..2_000_usize, seq: prop::sample::Index, at: prop::sample::Index, how: u8) {
        let seq = seq.index(size);
        let (nodes, hashes) = tree(size);
        let (leaf, root) = (hashes[seq], rfc6962::root(&hashes));
        let (index, count) = (seq as u64, size as u64);

        let proof = inclusion_proof(&nodes, index, count).unwrap();

        prop_assert_eq!(bare(&proof), rfc6962::path(seq, &hashes));
        prop_assert_eq!(rfc6962::root_by_path(&leaf, seq, size, &bare(&proof)), Some(root));
        prop_assert!(verify_inclusion(&dressed(leaf), index, count, &proof, &dressed(root)).is_ok());
        let proof = spoiled(&proof, at, how);
        prop_assert!(rfc6962::root_by_path(&leaf, seq, size, &bare(&proof)) != Some(root));
        prop_assert!(verify_inclusion(&dressed(leaf), index, count, &proof, &dressed(root)).is_err());
    }

    #[test]
    fn consistency(size in 0..2_000_usize, smaller: prop::sample::Index, at: prop::sample::Index, how: u8) {
        let smaller = smaller.index(size + 1);
        let (nodes, hashes) = tree(size);
        let (old, new) = (rfc6962::root(&hashes[..smaller]), rfc6962::root(&hashes));
        let (from, to) = (smaller as u64, size as u64);

        let proof = consistency_proof(&nodes, from, to).unwrap();

        prop_assert_eq!(bare(&proof), rfc6962::proof(smaller, &hashes));
        prop_assert!(rfc6962::begins_with(smaller, size, &bare(&proof), &old, &new));
        prop_assert!(verify_consistency(from, to, &proof, &dressed(old), &dressed(new)).is_ok());
        let proof = spoiled(&proof, at, how);
        prop_assert!(!rfc6962::begins_with(smaller, size, &bare(&proof), &old, &new));
        prop_assert!(verify_consistency(from, to, &proof, &dressed(old), &dressed(new)).is_err());
    }
}
