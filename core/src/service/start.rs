//! What is checked before anything is served: that the store is not older than the token's checkpoint, and that no
//! intent of an earlier run is left without an outcome.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{Service, ServiceError};
use crate::audit::SignedCheckpoint;
use crate::execution::{INTENT_DEADLINE, Origin, left_open};
use crate::keeper::message::{Greeting, Hello};
use crate::keeper::{KeeperError, Relief};
use crate::store::{Change, Key, Row, Scope, StoreError, Versioned};
use crate::token::PublicKeys;

/// When nothing is left to be signed of what was recorded before a keeper was met.
pub const RELIEF_AFTER: Duration = INTENT_DEADLINE;

/// A keeper that belongs to the store and is not in use yet.
#[derive(Debug)]
#[must_use]
pub struct MetKeeper {
    /// What it said.
    pub greeting: Greeting,
    /// The checkpoint that it was shown.
    shown: Option<String>,
}

/// Why the service does not start with this keeper.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store is behind the token: an older copy was put back.
    #[error(
        "the store is older than the token's checkpoint: it has {store} audit entries, and the token has seen {token}. \
         An older copy was put back; nothing is served. Put the newest store back"
    )]
    RolledBack {
        /// Entries in the store.
        store: u64,
        /// Entries that the token's checkpoint covers.
        token: u64,
    },
    /// The store's log is not the one that the token signed.
    #[error(
        "the store's audit log is not the one that the token's checkpoint covers: it was changed, or it belongs to \
         another token. Nothing is served"
    )]
    Forked,
    /// The token has no checkpoint, and the store does.
    #[error(
        "the token holds no checkpoint although the store has some: this is not the token that the store was written \
         with. Nothing is served"
    )]
    ForeignToken,
    /// The keeper.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Service {
    /// Takes the only keeper into use, if store and token belong together.
    ///
    /// # Errors
    /// As [`Self::meet_keeper`] and [`Self::use_keeper`].
    pub async fn take_keeper(&self, stream: UnixStream) -> Result<Greeting, StartError> {
        let met = self.meet_keeper(stream).await?;
        let greeting = met.greeting.clone();
        self.use_keeper(met).await?.done().await;
        Ok(greeting)
    }

    /// Greets a keeper, if store and token belong together. It hears every stop from then on, and signs nothing that was
    /// recorded before; one that is in use stays so.
    ///
    /// # Errors
    /// [`StartError`]; the keeper is let go.
    pub async fn meet_keeper(&self, stream: UnixStream) -> Result<MetKeeper, StartError> {
        let highest_intent = self.store.highest_intent().await?;
        let shown = self.store.newest_checkpoint().await?;
        let hello = Hello { highest_intent, checkpoint: shown.clone(), recovery: self.recovery_key().await? };
        let greeting = self.keeper.attach(stream, hello).await?;
        if let Err(error) = self.admit(&greeting, shown.as_deref()).await {
            self.keeper.detach_next();
            return Err(error);
        }
        Ok(MetKeeper { greeting, shown })
    }

    /// Takes the keeper that was met into use. One that was in use before is to be waited for: it still answers.
    ///
    /// No request is lost by that when [`RELIEF_AFTER`] has passed since the meeting.
    ///
    /// # Errors
    /// [`StartError::Keeper`] if it is gone; one that was in use before stays so.
    pub async fn use_keeper(&self, met: MetKeeper) -> Result<Relief, StartError> {
        let MetKeeper { greeting, shown } = met;
        let notes = [greeting.checkpoint.as_deref(), shown.as_deref()];
        // Held over the change, so that every head is proven against what the keeper has seen that is asked to sign it.
        let mut signed = self.signed_size.lock().await;
        let relief = self.keeper.use_it()?;
        *signed = self.signed_up_to(notes, &greeting.keys.audit);
        Ok(relief)
    }

    async fn admit(&self, greeting: &Greeting, shown: Option<&str>) -> Result<(), StartError> {
        self.belongs(greeting, shown).await?;
        // While there was no keeper, stops answered without one, and intents were recorded that nobody could sign. This
        // keeper hears every stop from its attaching on; what was recorded until here it must never sign.
        let recorded = self.store.highest_intent().await?;
        Ok(self.keeper.bar_next(Scope::All, recorded).await?)
    }

    async fn belongs(&self, greeting: &Greeting, newest: Option<&str>) -> Result<(), StartError> {
        let key = &greeting.keys.audit;
        let Some(held) = &greeting.checkpoint else {
            return if newest.is_some() { Err(StartError::ForeignToken) } else { Ok(()) };
        };
        for note in [Some(held.as_str()), newest].into_iter().flatten() {
            let checkpoint =
                SignedCheckpoint::parse_and_verify(note, &self.origin, key).map_err(|_| StartError::Forked)?;
            let tree = self.store.tree_head().await?;
            if checkpoint.size > tree.size {
                return Err(StartError::RolledBack { store: tree.size, token: checkpoint.size });
            }
            let (root, _) = self.store.consistency(checkpoint.size, tree.size).await?;
            if root != checkpoint.root {
                return Err(StartError::Forked);
            }
        }
        let stored = self.store.get(Key::KeeperKeys).await?;
        match stored {
            Some(Versioned { row: Row::KeeperKeys(keys), .. }) if keys == greeting.keys => {}
            _ => {
                let change = Change::set(Key::KeeperKeys, Row::KeeperKeys(greeting.keys.clone()));
                self.store.put_cas(vec![change], vec![]).await?;
            }
        }
        Ok(())
    }

    /// The keeper's public keys: also while the token is away.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn public_keys(&self) -> Result<Option<PublicKeys>, ServiceError> {
        if let Some(greeting) = self.keeper.greeting() {
            return Ok(Some(greeting.keys));
        }
        Ok(match self.store.get(Key::KeeperKeys).await? {
            Some(Versioned { row: Row::KeeperKeys(keys), .. }) => Some(keys),
            _ => None,
        })
    }

    /// Gives every intent that an earlier run left open the outcome that is true of it: unknown.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn settle_left_open(&self) -> Result<usize, ServiceError> {
        let origin = Origin::system(self.clock());
        let open = self.store.resolve().await?;
        let outcomes: Vec<_> = open.iter().map(|open| left_open(open, &origin)).collect();
        let count = outcomes.len();
        if count > 0 {
            self.store.commit_outcomes(outcomes).await?;
        }
        Ok(count)
    }
}
