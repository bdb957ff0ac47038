//! What is checked before anything is served: that the store is not older than the token's checkpoint, and that no
//! intent of an earlier run is left without an outcome.

use std::os::unix::net::UnixStream;

use super::{Service, ServiceError};
use crate::audit::SignedCheckpoint;
use crate::execution::{Origin, left_open};
use crate::keeper::KeeperError;
use crate::keeper::message::{Greeting, Hello};
use crate::store::{Change, Key, Row, Scope, StoreError, Versioned};
use crate::token::PublicKeys;

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
    /// Takes a keeper into use, if store and token belong together.
    ///
    /// # Errors
    /// [`StartError`]; a keeper that was there before stays in use.
    pub async fn take_keeper(&self, stream: UnixStream) -> Result<Greeting, StartError> {
        let highest_intent = self.store.highest_intent().await?;
        let newest = self.store.newest_checkpoint().await?;
        let hello = Hello { highest_intent, checkpoint: newest.clone() };
        let greeting = self.keeper.attach(stream, hello).await?;
        if let Err(error) = self.admit(&greeting, newest.as_deref()).await {
            self.keeper.detach();
            return Err(error);
        }
        self.keeper.use_it();
        Ok(greeting)
    }

    async fn admit(&self, greeting: &Greeting, newest: Option<&str>) -> Result<(), StartError> {
        self.belongs(greeting, newest).await?;
        self.signed_up_to([greeting.checkpoint.as_deref(), newest], &greeting.keys.audit).await;
        // While there was no keeper, stops answered without one, and intents were recorded that nobody could sign. This
        // keeper hears every stop from its attaching on; what was recorded until here it must never sign.
        let recorded = self.store.highest_intent().await?;
        Ok(self.keeper.bar(Scope::All, recorded).await?)
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
