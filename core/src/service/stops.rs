//! Stopping and resuming. Stopping is cheap: one commit, then every keeper bars the scope, then the answer.

use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome, Personal};
use crate::credential::{Credential, State};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::keeper::KeeperError;
use crate::store::{Change, Changed, Key, Revoked, Row, Scope, Spender, Stop, Versioned};
use crate::view::scope_words;

impl Service {
    /// Stops a scope. When this answers, nothing in it is signed any more.
    ///
    /// # Errors
    /// [`ServiceError`]. `Unavailable` of the keeper means: stored, and not yet confirmed by the keeper.
    pub async fn stop(
        &self,
        tenant: Option<TenantId>,
        scope: Scope,
        stop: Stop,
        reason: &str,
        origin: &Origin,
    ) -> Result<Revoked, ServiceError> {
        let mut entry = scope_entry(stop_action(&scope, stop), &scope, reason, origin);
        if let Some(tenant) = tenant {
            entry = entry.tenant(tenant.to_string());
        }
        if let Scope::Credential(id) = &scope {
            let tenant = tenant.ok_or(ServiceError::NotFound("credential"))?;
            let known = self.fresh_credential(tenant, *id).await?;
            entry = entry.personal(Personal { owner: known.row.owner.clone() });
        }
        let revoked = self.store.revoke(scope.clone(), stop, entry).await;
        // Also after an error: it may be stored all the same.
        self.forget(tenant, &scope);
        let revoked = revoked?;
        self.bar(scope, revoked.up_to).await?;
        Ok(revoked)
    }

    /// Lets a scope that is not revoked go on.
    ///
    /// # Errors
    /// [`ServiceError`]; it stays stopped then.
    pub async fn resume(
        &self,
        tenant: Option<TenantId>,
        scope: Scope,
        reason: &str,
        origin: &Origin,
    ) -> Result<(), ServiceError> {
        let key = Key::Stopped(scope.clone());
        match self.store.get(key.clone()).await? {
            None => return Err(ServiceError::conflict("not_stopped", "it is not stopped")),
            Some(Versioned { row: Row::Stopped(Stop::Revoked), .. }) => return Err(revoked()),
            Some(Versioned { version, .. }) => {
                let mut entry = scope_entry("scope.resume", &scope, reason, origin);
                if let Some(tenant) = tenant {
                    entry = entry.tenant(tenant.to_string());
                }
                let change = Change { key, expect: crate::store::Expect::Version(version), row: None };
                self.store.put_cas(vec![change], vec![entry]).await?;
            }
        }
        self.forget(tenant, &scope);
        Ok(())
    }

    /// Makes a frozen or reduce-only credential active again.
    ///
    /// # Errors
    /// [`ServiceError`]; it stays stopped then.
    pub async fn unfreeze(
        &self,
        tenant: TenantId,
        id: CredentialId,
        if_match: u64,
        reason: &str,
        origin: &Origin,
    ) -> Result<Credential, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        match known.row.state {
            State::Frozen | State::ReduceOnly => {}
            State::Revoked => return Err(revoked()),
            State::Active | State::Pending => {
                return Err(ServiceError::conflict("not_stopped", "the credential is not stopped"));
            }
        }
        let row = Credential {
            // A key that the venue has not shown anything of yet is where it was before.
            state: if known.row.is_unnamed() { State::Pending } else { State::Active },
            epoch: known.row.epoch.saturating_add(1),
            changed_ms: self.clock.unix_ms(),
            ..known.row.clone()
        };
        let entry = scope_entry("credential.unfreeze", &Scope::Credential(id), reason, origin)
            .tenant(tenant.to_string())
            .personal(Personal { owner: row.owner.clone() });
        let change = Change::replace(Key::Credential(tenant, id), if_match, Row::Credential(row.clone()));
        let done = self.store.put_cas(vec![change], vec![entry]).await;
        // Also after an error: it may have been stored.
        self.directory.forget_credential(tenant, id);
        done?;
        Ok(row)
    }

    /// Deletes a credential: row, ciphertext, wrapped DEK and index go in one commit.
    ///
    /// # Errors
    /// [`ServiceError`]; all of it stays then.
    pub async fn delete(
        &self,
        tenant: TenantId,
        id: CredentialId,
        if_match: u64,
        reason: &str,
        origin: &Origin,
    ) -> Result<(Credential, Changed), ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let scope = Scope::Credential(id);
        let entry = scope_entry("credential.delete", &scope, reason, origin)
            .tenant(tenant.to_string())
            .personal(Personal { owner: known.row.owner.clone() });
        let mut changes = vec![
            Change { key: Key::Credential(tenant, id), expect: crate::store::Expect::Version(if_match), row: None },
            Change::remove(Key::Sealed(id)),
            Change::remove(Key::Token(id)),
            Change::remove(Key::Spent(Spender::Credential(id))),
            Change::remove(Key::Index(known.row.index)),
        ];
        changes.extend(self.born_rows(&known.row).await?);
        let done = self.store.put_cas(changes, vec![entry]).await;
        self.directory.forget_credential(tenant, id);
        self.tokens.forget(id, None);
        let done = done?;
        self.bar(scope, done.up_to).await?;
        if let Err(error) = self.bury().await {
            tracing::warn!(%error, "a deleted credential's key is still in the token, and is destroyed later");
        }
        Ok((known.row.clone(), done))
    }

    /// Has the keeper sign nothing more in a scope. A keeper that is gone signs nothing more either: the next one only
    /// signs intents recorded after its start.
    pub(super) async fn bar(&self, scope: Scope, up_to: u64) -> Result<(), ServiceError> {
        match self.keeper.bar(scope, up_to).await {
            Ok(()) | Err(KeeperError::Gone) => Ok(()),
            Err(error) => Err(ServiceError::unavailable(
                Part::Keeper,
                format!(
                    "it is stored and nothing new is signed, but the keeper did not confirm it: {error}; do it again"
                ),
            )),
        }
    }

    fn forget(&self, tenant: Option<TenantId>, scope: &Scope) {
        match (scope, tenant) {
            (Scope::App(id), _) => self.directory.forget_app(*id),
            (Scope::Credential(id), Some(tenant)) => {
                self.directory.forget_credential(tenant, *id);
                self.tokens.forget(*id, None);
            }
            _ => {}
        }
    }
}

fn stop_action(scope: &Scope, stop: Stop) -> &'static str {
    let credential = matches!(scope, Scope::Credential(_));
    match (credential, stop) {
        (true, Stop::ReduceOnly) => "credential.reduce-only",
        (true, Stop::Frozen) => "credential.freeze",
        (true, Stop::Revoked) => "credential.revoke",
        (false, Stop::ReduceOnly) => "scope.reduce-only",
        (false, Stop::Frozen) => "scope.freeze",
        (false, Stop::Revoked) => "scope.revoke",
    }
}

/// An entry about a scope, with the reason that was given.
pub(super) fn scope_entry(action: &str, scope: &Scope, reason: &str, origin: &Origin) -> Draft {
    let (kind, id) = scope_words(scope);
    let entry = origin.draft(action, EntryOutcome::Allowed).on(kind, id);
    if reason.is_empty() { entry } else { entry.detail("reason", reason) }
}

fn revoked() -> ServiceError {
    ServiceError::conflict("revoked", "it is revoked, and stays so: make a new one")
}
