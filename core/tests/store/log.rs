//! The audit log as it must always be: complete, counted, hashed to its root, and opened by its owners' keys.

use std::collections::BTreeMap;

use claviger_core::audit::tree::verify_consistency;
use claviger_core::audit::{Entry, Frontier, Receipt, leaf_hash, personal};
use claviger_core::store::{AuditRange, Leaf, Store};

use super::fixtures::{ORIGIN, WRITER};

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

/// Checks that the tree of each size is the beginning of the tree of each larger size.
pub(crate) async fn check_every_consistency(store: &dyn Store) {
    let leaves = all(store).await;
    let mut tree = Frontier::new();
    let mut roots = vec![tree.root()];
    for leaf in &leaves {
        tree.push(leaf_hash(&leaf.bytes));
        roots.push(tree.root());
    }
    for old in 0..roots.len() {
        for new in old..roots.len() {
            let (root, proof) = store.consistency(old as u64, new as u64).await.unwrap();
            assert_eq!(root, roots[old]);
            verify_consistency(old as u64, new as u64, &proof, &root, &roots[new])
                .unwrap_or_else(|e| panic!("from {old} to {new}: {e}"));
        }
    }
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
