//! The audit log as it must always be: complete, counted, hashed to its root, and opened by its owners' keys.

use std::collections::BTreeMap;

use claviger_core::audit::{Entry, Frontier, Hash, Receipt, leaf_hash, personal};
use claviger_core::store::{AuditRange, Leaf, Store};

use super::fixtures::{ORIGIN, WRITER};
use crate::rfc6962;

/// Reads the whole log, page by page, and checks all that it says of itself.
pub(crate) async fn verified(store: &dyn Store) -> Vec<Entry> {
    let leaves = all(store).await;
    let mut tree = Frontier::new();
    let mut counts = BTreeMap::<String, u64>::new();
    let mut entries = Vec::new();
    for (place, leaf) in leaves.iter().enumerate() {
        let entry = Entry::from_leaf(&leaf.bytes).unwrap();
        assert_eq!((leaf.seq, entry.seq), (place as u64, place as u64));
        assert_eq!(entry.writer, WRITER);
        if !entry.tenant.is_empty() {
            let count = counts.entry(entry.tenant.clone()).or_default();
            *count += 1;
            assert_eq!(entry.tenant_seq, *count, "the counter of {} at {place}", entry.tenant);
        }
        tree.push(leaf_hash(&leaf.bytes));
        check_personal(store, &entry).await;
        entries.push(entry);
    }
    let head = store.tree_head().await.unwrap();
    assert_eq!((head.size, head.root), (tree.size(), tree.root()), "the leaves hash to the stored root");
    entries
}

/// Checks that the tree of each size is the beginning of the tree of each larger size, and that each of them has its
/// leaves where they are.
pub(crate) async fn check_every_proof(store: &dyn Store) {
    let hashes = hashes(store).await;
    for size in 0..=hashes.len() {
        for smaller in 0..=size {
            check_growth(store, &hashes, smaller, size).await;
        }
        for seq in 0..size {
            check_inclusion(store, &hashes, seq, size).await;
        }
    }
}

/// Checks one consistency proof of the log whose leaves hash to these.
pub(crate) async fn check_growth(store: &dyn Store, hashes: &[rfc6962::Hash], from: usize, to: usize) {
    let (root, proof) = store.consistency(from as u64, to as u64).await.unwrap();
    let proof = bare(&proof);
    assert_eq!(proof, rfc6962::proof(from, &hashes[..to]), "from {from} to {to}");
    assert_eq!(*root.as_bytes(), rfc6962::root(&hashes[..from]));
    let new = rfc6962::root(&hashes[..to]);
    assert!(rfc6962::begins_with(from, to, &proof, root.as_bytes(), &new), "from {from} to {to}");
}

/// Checks one inclusion proof of the log whose leaves hash to these.
pub(crate) async fn check_inclusion(store: &dyn Store, hashes: &[rfc6962::Hash], seq: usize, size: usize) {
    let (leaf, proof) = store.inclusion(seq as u64, size as u64).await.unwrap();
    let proof = bare(&proof);
    assert_eq!((leaf.seq, rfc6962::leaf(&leaf.bytes)), (seq as u64, hashes[seq]));
    assert_eq!(proof, rfc6962::path(seq, &hashes[..size]), "{seq} of {size}");
    let root = rfc6962::root_by_path(&hashes[seq], seq, size, &proof);
    assert_eq!(root, Some(rfc6962::root(&hashes[..size])), "{seq} of {size}");
}

/// The hashes of all leaves.
pub(crate) async fn hashes(store: &dyn Store) -> Vec<rfc6962::Hash> {
    all(store).await.iter().map(|leaf| rfc6962::leaf(&leaf.bytes)).collect()
}

fn bare(proof: &[Hash]) -> Vec<rfc6962::Hash> {
    proof.iter().map(|hash| *hash.as_bytes()).collect()
}

/// Checks that a receipt names the leaf that carries this label.
pub(crate) async fn check_receipt(store: &dyn Store, receipt: &Receipt, label: &str) {
    let range = AuditRange { tenant: None, from: receipt.seq, limit: 1 };
    let leaf = store.audit_scan(range).await.unwrap().remove(0);
    assert_eq!((receipt.origin.as_str(), receipt.leaf_hash), (ORIGIN, leaf_hash(&leaf.bytes)));
    assert_eq!(Entry::from_leaf(&leaf.bytes).unwrap().request_id, label);
}

async fn check_personal(store: &dyn Store, entry: &Entry) {
    let named = entry.detail.get("owner");
    assert_eq!(entry.personal.is_some(), named.is_some());
    if let Some(owner) = named {
        let key =
            store.audit_key(entry.tenant.parse().unwrap(), owner.clone()).await.unwrap().expect("the owner's key");
        assert_eq!(personal::open(entry, &key).unwrap().owner, *owner);
    }
}

async fn all(store: &dyn Store) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = Vec::new();
    loop {
        let range = AuditRange { tenant: None, from: leaves.len() as u64, limit: 37 };
        let page = store.audit_scan(range).await.unwrap();
        if page.is_empty() {
            return leaves;
        }
        leaves.extend(page);
    }
}
