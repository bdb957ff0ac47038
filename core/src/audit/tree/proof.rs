//! Inclusion and consistency proofs: made from stored nodes, checked from nothing but hashes.
//!
//! The makers follow the recursive definitions of RFC 6962 sections 2.1.1 and 2.1.2, unrolled from the root downwards.
//! The checkers are the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2, which walk from the leaf upwards and share
//! no code with the makers.

use super::{Hash, fold_peaks, node_hash};

/// Where completed nodes are kept.
pub trait Nodes {
    /// Why a node could not be read.
    type Error;

    /// The node at `level` (0 for a leaf hash) and `index`, or `None` if the tree never completed it.
    ///
    /// # Errors
    /// Whatever the storage underneath reports.
    fn node(&self, level: u8, index: u64) -> Result<Option<Hash>, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError<E> {
    /// The leaf or the smaller tree is not inside the larger one.
    #[error("{part} is not within a tree of {size} leaves")]
    OutOfRange {
        /// The index of the leaf, or the size of the smaller tree.
        part: u64,
        /// The size of the larger tree.
        size: u64,
    },
    /// The storage does not have a node that a tree of this size has completed.
    #[error("node {index} of level {level} is missing")]
    Missing {
        /// Height above the leaves.
        level: u8,
        /// Position within the level.
        index: u64,
    },
    /// The storage failed.
    #[error("a node could not be read")]
    Nodes(#[source] E),
}

/// The proof does not lead to the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not lead to the root")]
pub struct ProofRefused;

/// Proves that the leaf at `index` is in the tree of `size` leaves (RFC 6962 section 2.1.1).
///
/// # Errors
/// [`ProofError::OutOfRange`] unless `index < size`; otherwise what reading the nodes gave.
pub fn inclusion_proof<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    if index >= size {
        return Err(ProofError::OutOfRange { part: index, size });
    }
    let (mut lo, mut hi) = (0, size);
    let mut path = Vec::new();
    while let Some(mid) = split(lo, hi) {
        if index < mid {
            path.push(range_root(nodes, mid, hi)?);
            hi = mid;
        } else {
            path.push(range_root(nodes, lo, mid)?);
            lo = mid;
        }
    }
    path.reverse();
    Ok(path)
}

/// Proves that the tree of `new` leaves begins with the tree of `old` leaves (RFC 6962 section 2.1.2).
///
/// The proof is empty for equal sizes and for the empty tree, which every tree begins with.
///
/// # Errors
/// [`ProofError::OutOfRange`] unless `old <= new`; otherwise what reading the nodes gave.
pub fn consistency_proof<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    if old > new {
        return Err(ProofError::OutOfRange { part: old, size: new });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let (mut lo, mut hi) = (0, new);
    let mut path = Vec::new();
    while hi != old
        && let Some(mid) = split(lo, hi)
    {
        if old <= mid {
            path.push(range_root(nodes, mid, hi)?);
            hi = mid;
        } else {
            path.push(range_root(nodes, lo, mid)?);
            lo = mid;
        }
    }
    // The verifier knows the old root, so it is left out where the path ends in it.
    if lo != 0 {
        path.push(range_root(nodes, lo, hi)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that the leaf with hash `leaf` is number `index` of the tree with `size` leaves and root `root`.
///
/// # Errors
/// [`ProofRefused`] if it is not, or the proof shows nothing.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> Result<(), ProofRefused> {
    let last = size.checked_sub(1).filter(|last| index <= *last).ok_or(ProofRefused)?;
    let mut walk = Walk { node: index, last };
    let mut hash = *leaf;
    for sibling in proof {
        hash = match walk.up()? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    accept(walk.at_root() && hash == *root)
}

/// Checks that the tree of `new` leaves with root `new_root` begins with the tree of `old` leaves with root `old_root`.
///
/// # Errors
/// [`ProofRefused`] if it does not, or the proof shows nothing.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Hash],
    old_root: &Hash,
    new_root: &Hash,
) -> Result<(), ProofRefused> {
    let (Some(node), Some(last)) = (old.checked_sub(1), new.checked_sub(1)) else {
        let same_if_empty = new != 0 || *new_root == Hash::of_empty_tree();
        return accept(old == 0 && proof.is_empty() && *old_root == Hash::of_empty_tree() && same_if_empty);
    };
    if old >= new {
        return accept(old == new && proof.is_empty() && old_root == new_root);
    }
    let mut walk = Walk { node, last };
    walk.skip_right_children();
    // If the old tree is perfect, it is itself the node that the path starts from, and its hash is not in the proof.
    let (start, path) =
        if old.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(ProofRefused)? };
    let (mut hash_old, mut hash_new) = (*start, *start);
    for sibling in path {
        match walk.up()? {
            Side::Left => {
                hash_old = node_hash(sibling, &hash_old);
                hash_new = node_hash(sibling, &hash_new);
            }
            Side::Right => hash_new = node_hash(&hash_new, sibling),
        }
    }
    accept(walk.at_root() && hash_old == *old_root && hash_new == *new_root)
}

/// The roots of the perfect subtrees that leaves `lo..hi` consist of, from left to right.
///
/// INVARIANT: `lo` is a multiple of the largest power of two within `hi - lo`, as it is for every range that RFC 6962
/// splits a tree into; so every subtree named here is a node of the tree.
pub(super) fn perfect_subtrees<N: Nodes>(nodes: &N, lo: u64, hi: u64) -> Result<Vec<Hash>, ProofError<N::Error>> {
    let mut roots = Vec::new();
    let mut rest = hi.saturating_sub(lo);
    while let Some(log2) = rest.checked_ilog2() {
        let level = u8::try_from(log2).unwrap_or(u8::MAX);
        let index = hi.saturating_sub(rest) >> log2;
        let hash = nodes.node(level, index).map_err(ProofError::Nodes)?;
        roots.push(hash.ok_or(ProofError::Missing { level, index })?);
        rest ^= 1 << log2;
    }
    Ok(roots)
}

fn range_root<N: Nodes>(nodes: &N, lo: u64, hi: u64) -> Result<Hash, ProofError<N::Error>> {
    Ok(fold_peaks(&perfect_subtrees(nodes, lo, hi)?).unwrap_or_else(Hash::of_empty_tree))
}

/// Where RFC 6962 splits the leaves `lo..hi`: after the largest power of two smaller than their number. `None` for less
/// than two leaves.
fn split(lo: u64, hi: u64) -> Option<u64> {
    let log2 = hi.checked_sub(lo)?.checked_sub(1)?.checked_ilog2()?;
    lo.checked_add(1 << log2)
}

fn accept(holds: bool) -> Result<(), ProofRefused> {
    if holds { Ok(()) } else { Err(ProofRefused) }
}

/// On which side of the node the walk is at its sibling stands.
enum Side {
    Left,
    Right,
}

/// The way from a node to the root: its index, and the index of the last node, on the level the walk has reached.
/// RFC 9162 calls them `fn` and `sn`.
struct Walk {
    node: u64,
    last: u64,
}

impl Walk {
    /// Steps over one sibling and says where it stands.
    fn up(&mut self) -> Result<Side, ProofRefused> {
        if self.last == 0 {
            return Err(ProofRefused);
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node of a level without a right sibling moves up unchanged until it is a right child.
            while self.node & 1 == 0 && self.node != 0 {
                self.shift();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.shift();
        Ok(side)
    }

    fn skip_right_children(&mut self) {
        while self.node & 1 == 1 {
            self.shift();
        }
    }

    fn at_root(&self) -> bool {
        self.last == 0
    }

    fn shift(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, clippy::as_conversions, reason = "the numbers of tests are small")]
mod tests;
