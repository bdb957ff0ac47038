//! When apps, what they authenticate with, and credentials were last used: counted in memory, stored now and then. What is
//! known of a credential is stored when its venue is asked about it, with what is written then anyway.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Service, ServiceError};
use crate::id::{AppId, AuthenticatorId, CredentialId, TenantId};
use crate::identity::{App, AppUse};
use crate::store::{Change, Key, Row, Versioned};

/// What is not stored yet.
#[derive(Debug, Default)]
pub(super) struct Uses {
    apps: Mutex<HashMap<AppId, AppUse>>,
    credentials: Mutex<HashMap<CredentialId, u64>>,
}

impl Uses {
    /// Notes a use at a time, milliseconds since the Unix epoch.
    pub(super) fn note(&self, app: AppId, authenticator: Option<AuthenticatorId>, at_ms: u64) {
        let mut held = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        held.entry(app).or_default().note(authenticator, at_ms);
    }

    fn of(&self, app: AppId) -> Option<AppUse> {
        self.apps.lock().unwrap_or_else(PoisonError::into_inner).get(&app).cloned()
    }

    fn all(&self) -> Vec<(AppId, AppUse)> {
        let held = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter().map(|(app, used)| (*app, used.clone())).collect()
    }

    /// Drops what was stored, unless there was another use meanwhile.
    fn stored(&self, app: AppId, used: &AppUse) {
        let mut held = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(&app) == Some(used) {
            held.remove(&app);
        }
    }

    /// When a credential was last used, as far as that is not stored.
    pub(super) fn of_credential(&self, id: CredentialId) -> Option<u64> {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    /// Drops what was stored, unless there was another use meanwhile.
    pub(super) fn credential_stored(&self, id: CredentialId, used_ms: Option<u64>) {
        let mut held = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        if held.get(&id).copied() == used_ms {
            held.remove(&id);
        }
    }
}

impl Service {
    /// Notes that an app was let in.
    pub fn note_use(&self, app: AppId, authenticator: Option<AuthenticatorId>) {
        self.uses.note(app, authenticator, self.clock.unix_ms());
    }

    /// Notes that an intent was recorded, with the credential that it is signed with.
    pub(super) fn note_execution(&self, tenant: TenantId, credential: Option<CredentialId>) {
        let now = self.clock.unix_ms();
        self.tallies.executed(tenant, now);
        if let Some(credential) = credential {
            self.uses.credentials.lock().unwrap_or_else(PoisonError::into_inner).insert(credential, now);
        }
    }

    /// When an app was last used, as far as it is known.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn app_use(&self, app: &App) -> Result<AppUse, ServiceError> {
        // In this order: what is dropped from memory meanwhile is stored.
        let held = self.uses.of(app.id).unwrap_or_default();
        let mut used = match self.store.get(Key::AppUse(app.id)).await? {
            Some(Versioned { row: Row::AppUse(used), .. }) => used,
            _ => AppUse::default(),
        };
        used.merge(&held);
        used.authenticators.retain(|(id, _)| app.authenticator(*id).is_some());
        Ok(used)
    }

    /// Stores what was noted since the last time. It is no act of anybody's, so there is no audit entry.
    ///
    /// # Errors
    /// [`ServiceError`]; it is still noted then.
    pub async fn store_uses(&self) -> Result<(), ServiceError> {
        let noted = self.uses.all();
        for some in noted.chunks(AT_ONCE) {
            let mut changes = Vec::with_capacity(some.len());
            for (id, _) in some {
                if let Some(known) = self.directory.app(self.store(), *id).await? {
                    let used = self.app_use(&known.app).await?;
                    changes.push(Change::set(Key::AppUse(*id), Row::AppUse(used)));
                }
            }
            self.store.put_cas(changes, Vec::new()).await?;
            for (id, held) in some {
                self.uses.stored(*id, held);
            }
        }
        Ok(())
    }
}

/// Rows written in one commit, so that no other commit waits long for it.
const AT_ONCE: usize = 1_000;
