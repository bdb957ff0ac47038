//! Proofs from the audit log: that an entry is in it, and that it only ever grew.

use super::{Service, ServiceError};
use crate::audit::proven::{OUTCOMES_MAX, ProvenReceipt, RECEIPT_FORMAT};
use crate::audit::segment::file_name;
use crate::audit::{Checkpoint, ProvenEntry, SignedCheckpoint, VerifierKey};
use crate::id::{ExecutionId, TenantId};
use crate::store::{Segment, StoreError};
use crate::view::ConsistencyView;

/// The code of the refusal to prove what no checkpoint covers yet.
pub const NOT_SIGNED: &str = "not_signed_yet";

/// The code of the refusal to show what has left the store.
pub const ARCHIVED: &str = "archived";

impl Service {
    /// The key that verifies the log's checkpoints.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] while no keeper was ever met.
    pub async fn log_key(&self) -> Result<VerifierKey, ServiceError> {
        let keys = self.public_keys().await?;
        let key = keys.and_then(|keys| VerifierKey::new(&self.origin, &keys.audit).ok());
        key.ok_or(ServiceError::NotFound("audit key"))
    }

    /// The newest checkpoint, if one was signed.
    ///
    /// # Errors
    /// [`ServiceError::Unavailable`], also when what is stored is not signed by the log's key.
    pub async fn newest_checkpoint(&self) -> Result<Option<(Checkpoint, SignedCheckpoint)>, ServiceError> {
        match self.store.newest_checkpoint().await? {
            Some(note) => self.opened(note).await.map(Some),
            None => Ok(None),
        }
    }

    /// Proves the entry at `seq` by the checkpoint over `size` entries, or by the newest.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there is no such entry or checkpoint; [`ServiceError::Conflict`] with
    /// [`NOT_SIGNED`] if the newest checkpoint does not cover the entry yet, with [`ARCHIVED`] if the entry has left the
    /// store; [`ServiceError::Invalid`] if the checkpoint asked for never covers it.
    pub async fn proof_of_entry(
        &self,
        seq: u64,
        size: Option<u64>,
    ) -> Result<(ProvenEntry, SignedCheckpoint), ServiceError> {
        let (checkpoint, note) = match size {
            Some(size) => self.checkpoint_of(size).await?,
            None => self.checkpoint_over(seq).await?,
        };
        if seq >= checkpoint.size {
            let text = format!("entry {seq} is not among the first {}: leave `size` out", checkpoint.size);
            return Err(ServiceError::invalid("proof_invalid", text));
        }
        Ok((self.entry_in(seq, &checkpoint).await?, note))
    }

    /// Proves that the log's first `to` entries begin with its first `from`.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] unless `from <= to`, and the log has that many.
    pub async fn proof_of_growth(&self, from: u64, to: u64) -> Result<ConsistencyView, ServiceError> {
        let head = self.store.tree_head().await?;
        if from > to || to > head.size {
            let text = format!("`from` is at most `to`, and that at most {}, the log's size", head.size);
            return Err(ServiceError::invalid("proof_invalid", text));
        }
        let (from_root, proof) = self.store.consistency(from, to).await?;
        let (to_root, _) = self.store.consistency(to, to).await?;
        let proof = proof.iter().map(ToString::to_string).collect();
        Ok(ConsistencyView { from, from_root: from_root.to_string(), to, to_root: to_root.to_string(), proof })
    }

    /// The receipt of a tenant's execution, proven by the newest checkpoint.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is another tenant's; [`ServiceError::Conflict`] as
    /// for [`Self::proof_of_entry`].
    pub async fn receipt(&self, tenant: TenantId, id: ExecutionId) -> Result<ProvenReceipt, ServiceError> {
        let intent = self.execution(tenant, id).await?.receipt.seq;
        let outcomes = self.store.outcomes_of(intent, OUTCOMES_MAX).await?;
        let last = outcomes.last().copied().unwrap_or(intent);
        let (checkpoint, note) = self.checkpoint_over(last).await?;
        let mut proven = Vec::with_capacity(outcomes.len());
        for seq in outcomes {
            proven.push(self.entry_in(seq, &checkpoint).await?);
        }
        Ok(ProvenReceipt {
            format: RECEIPT_FORMAT.to_owned(),
            origin: checkpoint.origin.clone(),
            execution: id.to_string(),
            intent: self.entry_in(intent, &checkpoint).await?,
            outcomes: proven,
            checkpoint: note,
        })
    }

    /// The newest checkpoint, if it covers an entry.
    async fn checkpoint_over(&self, seq: u64) -> Result<(Checkpoint, SignedCheckpoint), ServiceError> {
        if self.store.tree_head().await?.size <= seq {
            return Err(ServiceError::NotFound("entry"));
        }
        let newest = self.newest_checkpoint().await?;
        newest.filter(|(checkpoint, _)| checkpoint.size > seq).ok_or_else(|| {
            let text = format!("entry {seq} is recorded, and no checkpoint covers it yet: ask again in a second");
            ServiceError::conflict(NOT_SIGNED, text)
        })
    }

    async fn checkpoint_of(&self, size: u64) -> Result<(Checkpoint, SignedCheckpoint), ServiceError> {
        let note = self.store.checkpoints(size, 1).await?.pop().ok_or(ServiceError::NotFound("checkpoint"))?;
        let found = self.opened(note).await?;
        if found.0.size == size { Ok(found) } else { Err(ServiceError::NotFound("checkpoint")) }
    }

    async fn opened(&self, note: String) -> Result<(Checkpoint, SignedCheckpoint), ServiceError> {
        let note = SignedCheckpoint::unverified(note);
        let checkpoint = note.verify(&self.log_key().await?);
        let checkpoint = checkpoint.map_err(|e| StoreError::Corrupt(format!("a stored checkpoint: {e}")))?;
        Ok((checkpoint, note))
    }

    async fn entry_in(&self, seq: u64, checkpoint: &Checkpoint) -> Result<ProvenEntry, ServiceError> {
        if let Some(Segment { first, last, .. }) = self.store.segment_of(seq).await? {
            let text = format!("entry {seq} has left the store: the segment {} has it", file_name(first, last));
            return Err(ServiceError::conflict(ARCHIVED, text));
        }
        let (leaf, proof) = self.store.inclusion(seq, checkpoint.size).await?;
        let leaf_hash = crate::audit::leaf_hash(&leaf.bytes);
        let leaf = String::from_utf8(leaf.bytes);
        let leaf = leaf.map_err(|_| StoreError::Corrupt(format!("audit entry {seq} is not text")))?;
        Ok(ProvenEntry { seq, leaf, leaf_hash, proof })
    }
}
