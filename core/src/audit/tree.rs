//! The Merkle tree over the leaves of one writer (RFC 6962 section 2.1, SHA-256).
//!
//! A leaf is hashed under the prefix 0x00 and an inner node under 0x01, so that neither can pass for the other. A
//! [`Frontier`] is all that a writer keeps in memory: the roots of the perfect subtrees on the right edge, one for each
//! bit of the size. The nodes it completes on the way are handed out once, for the store to keep; [`Nodes`] reads them
//! back when a proof is asked for. A completed node never changes again, so proofs against old sizes stay possible.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

mod proof;

pub use proof::{
    Nodes, ProofError, ProofRefused, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};

/// Length of a hash in bytes.
pub const HASH_BYTES: usize = 32;

/// A leaf hash, the hash of an inner node, or the root of a tree.
///
/// Its text, also in JSON, is 64 lower-case hex digits; binary formats get the 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; HASH_BYTES]);

/// A node that will never change again: the root of the perfect subtree over the leaves
/// `index << level .. (index + 1) << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Height above the leaves; a leaf is at level 0.
    pub level: u8,
    /// Position from the left among the nodes of its level.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The right edge of a growing tree: enough to append leaves and to know the root, whatever the size.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "StoredFrontier")]
pub struct Frontier {
    size: u64,
    /// Roots of the perfect subtrees, the largest and leftmost first. INVARIANT: one for each set bit of `size`.
    peaks: Vec<Hash>,
}

/// The text is not 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lower-case hex digits")]
pub struct HashTextError;

/// Hashes the bytes of a leaf: `SHA-256(0x00 || leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0], leaf])
}

/// Hashes two children: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], &left.0, &right.0])
}

impl Hash {
    /// The root of the tree without leaves: SHA-256 of nothing.
    pub fn of_empty_tree() -> Self {
        sha256(&[])
    }

    /// Takes 32 bytes for a hash.
    pub const fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

impl Frontier {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the frontier of the tree of `size` leaves back from its stored nodes.
    ///
    /// # Errors
    /// [`ProofError::Missing`] if a node of the right edge is not there, [`ProofError::Nodes`] if reading one failed.
    pub fn from_nodes<N: Nodes>(nodes: &N, size: u64) -> Result<Self, ProofError<N::Error>> {
        Ok(Self { size, peaks: proof::perfect_subtrees(nodes, 0, size)? })
    }

    /// A frontier from its size and the roots of its perfect subtrees, the leftmost first; `None` unless there is one
    /// for each bit of the size.
    pub fn from_peaks(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        Self::try_from(StoredFrontier { size, peaks }).ok()
    }

    /// The roots of the perfect subtrees, the leftmost first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over all leaves so far.
    pub fn root(&self) -> Hash {
        fold_peaks(&self.peaks).unwrap_or_else(Hash::of_empty_tree)
    }

    /// Appends a leaf and gives back the nodes that this completes, the leaf itself first, then upwards.
    pub fn push(&mut self, leaf: Hash) -> Vec<Node> {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        let mut completed = vec![node];
        // A node with an odd index is a right child; its left sibling is the last peak.
        while node.index & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            let level = node.level.saturating_add(1);
            node = Node { level, index: node.index >> 1, hash: node_hash(&left, &node.hash) };
            completed.push(node);
        }
        self.peaks.push(node.hash);
        // 2^64 leaves are out of any writer's reach; a hostile frontier that claims them stays where it is.
        self.size = self.size.saturating_add(1);
        completed
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashTextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| HashTextError)?;
        bytes.try_into().map(Self).map_err(|_| HashTextError)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
        } else {
            Deserialize::deserialize(deserializer).map(Self)
        }
    }
}

/// A frontier as it was stored, before its invariant was checked.
#[derive(Deserialize)]
struct StoredFrontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl TryFrom<StoredFrontier> for Frontier {
    type Error = &'static str;

    fn try_from(stored: StoredFrontier) -> Result<Self, Self::Error> {
        if usize::try_from(stored.size.count_ones()) == Ok(stored.peaks.len()) {
            Ok(Self { size: stored.size, peaks: stored.peaks })
        } else {
            Err("a frontier has one peak for each bit of its size")
        }
    }
}

/// Joins perfect subtrees, given from left to right, into the root above them; `None` if there are none.
fn fold_peaks(peaks: &[Hash]) -> Option<Hash> {
    peaks.iter().copied().rev().reduce(|right, left| node_hash(&left, &right))
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; HASH_BYTES];
    bytes.copy_from_slice(context.finish().as_ref());
    Hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Leaves and roots of the trees of 0 to 8 leaves that the Certificate Transparency implementations test with.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    #[test]
    fn known_roots() {
        let mut frontier = Frontier::new();
        assert_eq!(frontier.root().to_string(), ROOTS[0]);
        for (leaf, root) in LEAVES.iter().zip(&ROOTS[1..]) {
            frontier.push(leaf_hash(&HEXLOWER.decode(leaf.as_bytes()).unwrap()));
            assert_eq!(frontier.root().to_string(), *root);
        }
    }

    #[test]
    fn a_push_hands_out_each_completed_node_once() {
        let mut frontier = Frontier::new();
        let places: Vec<Vec<(u8, u64)>> = (0..4_u8)
            .map(|n| frontier.push(leaf_hash(&[n])).iter().map(|node| (node.level, node.index)).collect())
            .collect();
        assert_eq!(places, [vec![(0, 0)], vec![(0, 1), (1, 0)], vec![(0, 2)], vec![(0, 3), (1, 1), (2, 0)]]);
    }

    #[test]
    fn a_frontier_survives_storage_and_keeps_its_invariant() {
        let mut frontier = Frontier::new();
        (0..13_u8).for_each(|n| drop(frontier.push(leaf_hash(&[n]))));
        let json = serde_json::to_string(&frontier).unwrap();
        assert_eq!(serde_json::from_str::<Frontier>(&json).unwrap(), frontier);
        let binary = postcard::to_stdvec(&frontier).unwrap();
        assert_eq!(postcard::from_bytes::<Frontier>(&binary).unwrap(), frontier);
        assert!(serde_json::from_str::<Frontier>(r#"{"size":3,"peaks":[]}"#).is_err());
        let mut last: Frontier = serde_json::from_value(serde_json::json!({
            "size": u64::MAX, "peaks": vec![Hash::of_empty_tree(); 64],
        }))
        .unwrap();
        assert_eq!(last.push(leaf_hash(b"")).len(), 65);
    }

    #[test]
    fn a_hash_has_one_text() {
        let hash = leaf_hash(b"x");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!(hash.to_string().to_uppercase().parse::<Hash>(), Err(HashTextError));
        assert_eq!("00".parse::<Hash>(), Err(HashTextError));
    }
}
