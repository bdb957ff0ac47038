//! RFC 6962 section 2.1, written down once more from its text: recursive where the code under test walks, and sharing
//! nothing with it but SHA-256.

use aws_lc_rs::digest::{SHA256, digest};

pub(crate) type Hash = [u8; 32];

fn sha256(bytes: &[u8]) -> Hash {
    digest(&SHA256, bytes).as_ref().try_into().unwrap()
}

/// The hash of a leaf.
pub(crate) fn leaf(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry].concat())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left.as_slice(), right].concat())
}

/// The largest power of two smaller than `n`.
fn split(n: usize) -> usize {
    let mut k = 1;
    while 2 * k < n {
        k *= 2;
    }
    k
}

/// The root of a tree: `MTH(D[n])`.
pub(crate) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The inclusion proof of a leaf: `PATH(m, D[n])`.
pub(crate) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) =
        if m < left.len() { (path(m, left), root(right)) } else { (path(m - left.len(), right), root(left)) };
    proof.push(sibling);
    proof
}

/// The consistency proof of the tree of the first `m` leaves: `PROOF(m, D[n])`; empty for the empty tree.
pub(crate) fn proof(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if m == 0 { Vec::new() } else { subproof(m, leaves, true) }
}

fn subproof(m: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut proof, sibling) = if m <= left.len() {
        (subproof(m, left, whole), root(right))
    } else {
        (subproof(m - left.len(), right, false), root(left))
    };
    proof.push(sibling);
    proof
}

/// The root that an inclusion proof of leaf `m` in a tree of `n` leads to; `None` if it has another length.
pub(crate) fn root_by_path(leaf: &Hash, m: usize, n: usize, proof: &[Hash]) -> Option<Hash> {
    if n == 1 {
        return proof.is_empty().then_some(*leaf);
    }
    let (sibling, rest) = proof.split_last()?;
    let k = split(n);
    Some(if m < k {
        node(&root_by_path(leaf, m, k, rest)?, sibling)
    } else {
        node(sibling, &root_by_path(leaf, m - k, n - k, rest)?)
    })
}

/// Whether a consistency proof shows that the tree of `n` leaves begins with that of `m`.
pub(crate) fn begins_with(m: usize, n: usize, proof: &[Hash], old: &Hash, new: &Hash) -> bool {
    if m == 0 {
        return proof.is_empty() && *old == sha256(&[]);
    }
    roots_by_proof(m, n, true, proof, old) == Some((*old, *new))
}

fn roots_by_proof(m: usize, n: usize, whole: bool, proof: &[Hash], old: &Hash) -> Option<(Hash, Hash)> {
    if m == n {
        return match (whole, proof) {
            (true, []) => Some((*old, *old)),
            (false, [hash]) => Some((*hash, *hash)),
            _ => None,
        };
    }
    let (sibling, rest) = proof.split_last()?;
    let k = split(n);
    Some(if m <= k {
        let (before, after) = roots_by_proof(m, k, whole, rest, old)?;
        (before, node(&after, sibling))
    } else {
        let (before, after) = roots_by_proof(m - k, n - k, false, rest, old)?;
        (node(sibling, &before), node(sibling, &after))
    })
}
