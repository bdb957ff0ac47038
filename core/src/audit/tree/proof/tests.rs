use std::collections::HashMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::super::{Frontier, leaf_hash};
use super::*;

const SIZE_MAX: u64 = 300;

#[derive(Default)]
struct Stored(HashMap<(u8, u64), Hash>);

impl Nodes for Stored {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Option<Hash>, Infallible> {
        Ok(self.0.get(&(level, index)).copied())
    }
}

fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn stored(leaves: &[Hash]) -> (Stored, Frontier) {
    let (mut nodes, mut frontier) = (Stored::default(), Frontier::new());
    for leaf in leaves {
        nodes.0.extend(frontier.push(*leaf).iter().map(|node| ((node.level, node.index), node.hash)));
    }
    (nodes, frontier)
}

/// MTH, PATH and SUBPROOF as RFC 6962 writes them down.
fn mth(d: &[Hash]) -> Hash {
    match d {
        [] => Hash::of_empty_tree(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = d.split_at(d.len().div_ceil(2).next_power_of_two());
            node_hash(&mth(left), &mth(right))
        }
    }
}

fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = d.len().div_ceil(2).next_power_of_two();
    let (left, right) = d.split_at(k);
    let (mut below, beside) = if m < k { (path(m, left), mth(right)) } else { (path(m - k, right), mth(left)) };
    below.push(beside);
    below
}

fn subproof(m: usize, d: &[Hash], known: bool) -> Vec<Hash> {
    if m == d.len() {
        return if known { Vec::new() } else { vec![mth(d)] };
    }
    let k = d.len().div_ceil(2).next_power_of_two();
    let (left, right) = d.split_at(k);
    let (mut below, beside) =
        if m <= k { (subproof(m, left, known), mth(right)) } else { (subproof(m - k, right, false), mth(left)) };
    below.push(beside);
    below
}

fn flipped(proof: &[Hash], bit: usize) -> Vec<Hash> {
    let mut proof = proof.to_vec();
    let mut bytes = *proof[bit / 256].as_bytes();
    bytes[bit % 256 / 8] ^= 1 << (bit % 8);
    proof[bit / 256] = Hash::from_bytes(bytes);
    proof
}

#[test]
fn every_root_up_to_300_is_the_naive_one() {
    let all = leaves(SIZE_MAX);
    let (nodes, _) = stored(&all);
    let mut frontier = Frontier::new();
    for size in 0..=all.len() {
        assert_eq!(frontier.root(), mth(&all[..size]));
        assert_eq!(Frontier::from_nodes(&nodes, frontier.size()).unwrap(), frontier);
        all.get(size).map(|leaf| frontier.push(*leaf));
    }
}

#[test]
fn every_inclusion_proof_up_to_64_is_the_naive_one() {
    let all = leaves(64);
    let (nodes, _) = stored(&all);
    for size in 1..=64 {
        let root = mth(&all[..size]);
        for index in 0..size {
            let proof = inclusion_proof(&nodes, index as u64, size as u64).unwrap();
            assert_eq!(proof, path(index, &all[..size]));
            assert_eq!(verify_inclusion(&all[index], index as u64, size as u64, &proof, &root), Ok(()));
        }
    }
}

#[test]
fn every_consistency_proof_up_to_64_is_the_naive_one() {
    let all = leaves(64);
    let (nodes, _) = stored(&all);
    for new in 1..=64 {
        for old in 1..=new {
            let proof = consistency_proof(&nodes, old as u64, new as u64).unwrap();
            assert_eq!(proof, subproof(old, &all[..new], true));
            let (old_root, new_root) = (mth(&all[..old]), mth(&all[..new]));
            assert_eq!(verify_consistency(old as u64, new as u64, &proof, &old_root, &new_root), Ok(()));
        }
    }
}

#[test]
fn the_empty_tree_comes_before_every_tree() {
    let (nodes, frontier) = stored(&leaves(5));
    let empty = Hash::of_empty_tree();
    assert_eq!(consistency_proof(&nodes, 0, 5), Ok(Vec::new()));
    assert_eq!(verify_consistency(0, 5, &[], &empty, &frontier.root()), Ok(()));
    assert_eq!(verify_consistency(0, 0, &[], &empty, &empty), Ok(()));
    assert_eq!(verify_consistency(0, 5, &[], &frontier.root(), &frontier.root()), Err(ProofRefused));
    assert_eq!(verify_consistency(0, 0, &[], &empty, &frontier.root()), Err(ProofRefused));
    assert_eq!(verify_consistency(5, 0, &[], &frontier.root(), &empty), Err(ProofRefused));
}

#[test]
fn what_cannot_be_proven_is_an_error() {
    let (nodes, _) = stored(&leaves(5));
    assert_eq!(inclusion_proof(&nodes, 5, 5), Err(ProofError::OutOfRange { part: 5, size: 5 }));
    assert_eq!(consistency_proof(&nodes, 6, 5), Err(ProofError::OutOfRange { part: 6, size: 5 }));
    assert_eq!(inclusion_proof(&nodes, 0, 8), Err(ProofError::Missing { level: 2, index: 1 }));
    assert_eq!(verify_inclusion(&Hash::of_empty_tree(), 0, 0, &[], &Hash::of_empty_tree()), Err(ProofRefused));
}

proptest! {
    #[test]
    fn inclusion_holds_and_one_flipped_bit_refutes_it(
        (size, index) in (1..=SIZE_MAX).prop_flat_map(|size| (Just(size), 0..size)),
        bit in any::<prop::sample::Index>(),
    ) {
        let all = leaves(size);
        let (nodes, frontier) = stored(&all);
        let (root, leaf) = (frontier.root(), leaf_hash(&index.to_be_bytes()));
        let proof = inclusion_proof(&nodes, index, size).unwrap();
        prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
        prop_assert!(verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &root).is_err());
        if !proof.is_empty() {
            let changed = flipped(&proof, bit.index(proof.len() * 256));
            prop_assert!(verify_inclusion(&leaf, index, size, &changed, &root).is_err());
            prop_assert!(verify_inclusion(&leaf, index, size, &proof[1..], &root).is_err());
            prop_assert!(verify_inclusion(&leaf, (index + 1) % size, size, &proof, &root).is_err());
        }
        let longer = [proof, vec![root]].concat();
        prop_assert!(verify_inclusion(&leaf, index, size, &longer, &root).is_err());
    }

    #[test]
    fn consistency_holds_and_one_flipped_bit_refutes_it(
        (new, old) in (1..=SIZE_MAX).prop_flat_map(|new| (Just(new), 0..=new)),
        bit in any::<prop::sample::Index>(),
    ) {
        let all = leaves(new);
        let (nodes, frontier) = stored(&all);
        let (old_root, new_root) = (Frontier::from_nodes(&nodes, old).unwrap().root(), frontier.root());
        let proof = consistency_proof(&nodes, old, new).unwrap();
        prop_assert_eq!(verify_consistency(old, new, &proof, &old_root, &new_root), Ok(()));
        prop_assert!(verify_consistency(old, new, &proof, &leaf_hash(b"other"), &new_root).is_err());
        if !proof.is_empty() {
            let changed = flipped(&proof, bit.index(proof.len() * 256));
            prop_assert!(verify_consistency(old, new, &changed, &old_root, &new_root).is_err());
            prop_assert!(verify_consistency(old, new, &proof[1..], &old_root, &new_root).is_err());
        }
        let longer = [proof, vec![new_root]].concat();
        prop_assert!(verify_consistency(old, new, &longer, &old_root, &new_root).is_err());
    }

    #[test]
    fn hostile_numbers_are_answered(
        numbers in any::<(u64, u64)>(),
        proof in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash::from_bytes), 0..70),
    ) {
        let (nodes, frontier) = stored(&leaves(3));
        let (part, size) = numbers;
        let _ = inclusion_proof(&nodes, part, size);
        let _ = consistency_proof(&nodes, part, size);
        let _ = Frontier::from_nodes(&nodes, size);
        let root = frontier.root();
        prop_assert!(verify_inclusion(&root, part, size, &proof, &leaf_hash(b"x")).is_err());
        prop_assert!(verify_consistency(part, size, &proof, &root, &leaf_hash(b"x")).is_err());
    }
}
