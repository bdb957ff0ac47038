//! Reads of the audit tree: roots, proofs, checkpoints, and what has left for segments.

use redb::{ReadTransaction, ReadableTable, TableError};

use super::super::super::{Leaf, Segment, StoreError, TreeHead};
use super::super::tables;
use super::{LIMIT_MAX, failed, meta};
use crate::audit::tree::{ProofError, consistency_proof, inclusion_proof};
use crate::audit::{Frontier, Hash, Nodes};

/// The stored nodes of the audit tree.
struct StoredNodes<'tx>(&'tx ReadTransaction);

impl Nodes for StoredNodes<'_> {
    type Error = StoreError;

    fn node(&self, level: u8, index: u64) -> Result<Option<Hash>, StoreError> {
        let table = self.0.open_table(tables::NODES).map_err(failed)?;
        Ok(table.get((level, index)).map_err(failed)?.map(|hash| Hash::from_bytes(hash.value())))
    }
}

fn proof_failed(error: ProofError<StoreError>) -> StoreError {
    if let ProofError::Nodes(error) = error { error } else { StoreError::Corrupt(error.to_string()) }
}

pub(in super::super) fn frontier(tx: &ReadTransaction) -> Result<Frontier, StoreError> {
    Frontier::from_nodes(&StoredNodes(tx), meta(tx, tables::LEAF_COUNT)?).map_err(proof_failed)
}

pub(in super::super) fn frontier_of(tx: &ReadTransaction, size: u64) -> Result<Frontier, StoreError> {
    has_leaves(tx, size)?;
    Frontier::from_nodes(&StoredNodes(tx), size).map_err(proof_failed)
}

pub(in super::super) fn leaf_hashes(tx: &ReadTransaction, from: u64, to: u64) -> Result<Vec<Hash>, StoreError> {
    let table = tx.open_table(tables::NODES).map_err(failed)?;
    let rows = table.range((0, from)..(0, to.max(from))).map_err(failed)?.take(LIMIT_MAX);
    rows.map(|row| row.map(|(_, hash)| Hash::from_bytes(hash.value())).map_err(failed)).collect()
}

pub(in super::super) fn tree_head(tx: &ReadTransaction) -> Result<TreeHead, StoreError> {
    let frontier = frontier(tx)?;
    let leaves = tx.open_table(tables::LEAVES).map_err(failed)?;
    let oldest = leaves.first().map_err(failed)?.map_or(frontier.size(), |(seq, _)| seq.value());
    Ok(TreeHead { size: frontier.size(), root: frontier.root(), oldest })
}

pub(in super::super) fn consistency(tx: &ReadTransaction, size: u64, to: u64) -> Result<(Hash, Vec<Hash>), StoreError> {
    has_leaves(tx, size.max(to))?;
    let root = frontier_of(tx, size)?.root();
    let proof = consistency_proof(&StoredNodes(tx), size, to).map_err(proof_failed)?;
    Ok((root, proof))
}

pub(in super::super) fn inclusion(tx: &ReadTransaction, seq: u64, size: u64) -> Result<(Leaf, Vec<Hash>), StoreError> {
    has_leaves(tx, size.max(seq))?;
    let table = tx.open_table(tables::LEAVES).map_err(failed)?;
    let leaf = table.get(seq).map_err(failed)?;
    let leaf = leaf.ok_or_else(|| StoreError::Corrupt(format!("the audit log lacks entry {seq}")))?;
    let proof = inclusion_proof(&StoredNodes(tx), seq, size).map_err(proof_failed)?;
    Ok((Leaf { seq, bytes: leaf.value().to_vec() }, proof))
}

fn has_leaves(tx: &ReadTransaction, size: u64) -> Result<(), StoreError> {
    let leaves = meta(tx, tables::LEAF_COUNT)?;
    if size <= leaves {
        Ok(())
    } else {
        Err(StoreError::Corrupt(format!("the audit log has {leaves} entries, not {size}")))
    }
}

pub(in super::super) fn outcomes_of(tx: &ReadTransaction, intent: u64, limit: usize) -> Result<Vec<u64>, StoreError> {
    let table = tx.open_table(tables::OUTCOMES).map_err(failed)?;
    let rows = table.range((intent, 0)..=(intent, u64::MAX)).map_err(failed)?.rev().take(limit.min(LIMIT_MAX));
    let mut seqs: Vec<u64> =
        rows.map(|row| row.map(|(key, _)| key.value().1).map_err(failed)).collect::<Result<_, _>>()?;
    seqs.reverse();
    Ok(seqs)
}

pub(in super::super) fn checkpoints(tx: &ReadTransaction, from: u64, limit: usize) -> Result<Vec<String>, StoreError> {
    let table = tx.open_table(tables::CHECKPOINTS).map_err(failed)?;
    let rows = table.range(from..).map_err(failed)?.take(limit.min(LIMIT_MAX));
    rows.map(|row| row.map(|(_, note)| note.value().to_owned()).map_err(failed)).collect()
}

pub(in super::super) fn newest_checkpoint(tx: &ReadTransaction) -> Result<Option<String>, StoreError> {
    let table = tx.open_table(tables::CHECKPOINTS).map_err(failed)?;
    Ok(table.last().map_err(failed)?.map(|(_, note)| note.value().to_owned()))
}

pub(in super::super) fn checkpoint_up_to(tx: &ReadTransaction, size: u64) -> Result<Option<String>, StoreError> {
    let table = tx.open_table(tables::CHECKPOINTS).map_err(failed)?;
    let newest = table.range(..=size).map_err(failed)?.next_back().transpose().map_err(failed)?;
    Ok(newest.map(|(_, note)| note.value().to_owned()))
}

pub(in super::super) fn segment_of(tx: &ReadTransaction, seq: u64) -> Result<Option<Segment>, StoreError> {
    let table = match tx.open_table(tables::SEGMENTS) {
        // A file that is older than segments, and was not written since.
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let row = table.range(..=seq).map_err(failed)?.next_back().transpose().map_err(failed)?;
    let found = row.map(|(first, rest)| {
        let (last, sha256) = rest.value();
        Segment { first: first.value(), last, sha256 }
    });
    Ok(found.filter(|segment| seq <= segment.last))
}
