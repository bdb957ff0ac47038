//! Signing the head of the audit log.

use super::{Service, ServiceError};
use crate::audit::SignedCheckpoint;
use crate::keeper::message::Head;

impl Service {
    /// Signs the head over all durable leaves, if there are new ones, and stores the checkpoint. Says what it signed.
    ///
    /// It must run to its end: a call that is dropped may leave the keeper with a head that this side does not know of,
    /// and then no later one is proven to extend it.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call tries again.
    pub async fn sign_head(&self) -> Result<Option<String>, ServiceError> {
        let mut signed = self.signed_size.lock().await;
        let head = self.store.tree_head().await?;
        if head.size <= *signed {
            return Ok(None);
        }
        let (_, proof) = self.store.consistency(*signed, head.size).await?;
        let head = Head { origin: self.origin.clone(), size: head.size, root: head.root, proof };
        let size = head.size;
        let note = self.keeper.sign_checkpoint(head).await?;
        *signed = size;
        self.store.put_checkpoint(size, note.clone()).await?;
        Ok(Some(note))
    }

    /// What the next head is proven against: the newest that keeper, token and store know.
    pub(super) fn signed_up_to(&self, notes: [Option<&str>; 2], key: &[u8]) -> u64 {
        let sizes = notes.into_iter().flatten().filter_map(|note| {
            SignedCheckpoint::parse_and_verify(note, &self.origin, key).ok().map(|checkpoint| checkpoint.size)
        });
        sizes.max().unwrap_or(0)
    }
}
