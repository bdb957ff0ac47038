//! Stopping and resuming. Stopping is cheap: one commit, then every keeper bars the scope, then the answer.

use data_encoding::HEXLOWER;

use super::acts::Prepared;
use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome, Personal};
use crate::credential::{Credential, Health, State, Upkeep};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::keeper::KeeperError;
use crate::store::{Change, Expect, Key, Revoked, Row, Scope, Stop, Versioned, rows_of_credential, tightened};
use crate::view::{at_venue, scope_words};

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

    /// Letting a scope that is not revoked go on.
    pub(super) async fn prepare_resume(
        &self,
        tenant: Option<TenantId>,
        scope: &Scope,
    ) -> Result<Prepared, ServiceError> {
        self.lies_in_tenant(tenant, scope).await?;
        let key = Key::Stopped(scope.clone());
        let (version, stop) = match self.store.get(key.clone()).await? {
            Some(Versioned { row: Row::Stopped(Stop::Revoked), .. }) => return Err(revoked()),
            Some(Versioned { version, row: Row::Stopped(stop) }) => (version, stop),
            _ => return Err(ServiceError::conflict("not_stopped", "it is not stopped")),
        };
        let (kind, id) = scope_words(scope);
        let name = if id.is_empty() { kind.to_owned() } else { id };
        let entry = scope_draft("scope.resume", scope);
        // A version is never given again, so a scope that was stopped anew is another one.
        let mut seen = vec![("stop", format!("{stop:?}")), ("version", version.to_string())];
        if let Scope::Owner(tenant, owner) = scope {
            // The digest stays in the log; once this key is gone nobody finds out by guessing whose it was.
            let key = self.store.audit_key(*tenant, owner.clone()).await?;
            seen.extend(key.map(|key| ("key", HEXLOWER.encode(key.as_bytes()))));
        }
        Ok(Prepared {
            lines: vec![format!("{kind} {name} goes on: what its credentials and grants allow is signed again")],
            name,
            blast_radius: self.hangs_on_scope(tenant, scope).await?,
            seen,
            etag: Some(version),
            changes: vec![Change { key, expect: Expect::Version(version), row: None }],
            entries: vec![match tenant {
                Some(tenant) => entry.tenant(tenant.to_string()),
                None => entry,
            }],
            ..Prepared::default()
        })
    }

    /// Whether a scope lies in the tenant that an act names, and in none where it names none.
    async fn lies_in_tenant(&self, tenant: Option<TenantId>, scope: &Scope) -> Result<(), ServiceError> {
        let own = match scope {
            Scope::All | Scope::Venue(_) => None,
            Scope::Tenant(tenant) | Scope::Owner(tenant, _) => Some(*tenant),
            Scope::App(id) => Some(self.app(*id).await?.app.tenant),
            Scope::Grant(_) | Scope::Credential(_) | Scope::VirtualKey(_) => {
                let text = "a grant or virtual key is revoked for good; a credential is unfrozen";
                return Err(ServiceError::invalid("scope_invalid", text));
            }
        };
        if own == tenant { Ok(()) } else { Err(ServiceError::NotFound("scope")) }
    }

    /// Making a frozen or reduce-only credential active again.
    pub(super) async fn prepare_unfreeze(&self, tenant: TenantId, id: CredentialId) -> Result<Prepared, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        match known.row.state {
            State::Frozen | State::ReduceOnly => {}
            State::Revoked => return Err(revoked()),
            State::Active | State::Pending => {
                return Err(ServiceError::conflict("not_stopped", "the credential is not stopped"));
            }
        }
        self.wants_no_new_key(&known.row)?;
        let row = Credential {
            // A key that the venue has not shown anything of yet is where it was before.
            state: if known.row.is_unnamed() { State::Pending } else { State::Active },
            epoch: known.row.epoch.saturating_add(1),
            changed_ms: self.clock.unix_ms(),
            ..known.row.clone()
        };
        let (name, was, will) = (own_name(&row), known.row.state.as_str(), row.state.as_str());
        Ok(Prepared {
            lines: [Some(format!("credential {name} at {} is {will} instead of {was}", row.venue)), doubted(&row)]
                .into_iter()
                .flatten()
                .collect(),
            name,
            blast_radius: self.hangs_on(&row).await?,
            seen: vec![
                ("label", row.label.clone()),
                ("owner", row.owner.clone()),
                ("version", row.version.to_string()),
                // It grows whenever state or version change.
                ("epoch", known.row.epoch.to_string()),
            ],
            etag: Some(known.version),
            entries: vec![credential_draft("credential.unfreeze", &row)],
            changes: vec![Change::replace(Key::Credential(tenant, id), known.version, Row::Credential(row))],
            ..Prepared::default()
        })
    }

    /// Deleting a credential: row, ciphertext, wrapped DEK and index go in one commit. It is frozen from the moment that
    /// it is asked for.
    pub(super) async fn prepare_delete(&self, tenant: TenantId, id: CredentialId) -> Result<Prepared, ServiceError> {
        let known = self.fresh_credential(tenant, id).await?;
        let row = &known.row;
        let key = Key::Credential(tenant, id);
        let expect = |gone: &Key| if *gone == key { Expect::Version(known.version) } else { Expect::Any };
        let gone = rows_of_credential(row).into_iter();
        let mut changes: Vec<Change> =
            gone.map(|gone| Change { expect: expect(&gone), key: gone, row: None }).collect();
        changes.extend(self.disowned(row).await?);
        changes.extend(self.unplanned(row).await?);
        let frozen = Credential {
            state: tightened(row.state, Stop::Frozen),
            epoch: row.epoch.saturating_add(1),
            changed_ms: self.clock.unix_ms(),
            // It was frozen for more than having expired, then: another key does not start it again.
            upkeep: Upkeep { lapsed: None, ..row.upkeep.clone() },
            ..row.clone()
        };
        let freezes = frozen.state != row.state || frozen.upkeep != row.upkeep;
        let freeze = Change::replace(key, known.version, Row::Credential(frozen));
        let name = own_name(row);
        let at_venue = at_venue(row.venue);
        Ok(Prepared {
            lines: vec![
                format!("credential {name} at {} is frozen at once, and stays so if this is called off", row.venue),
                "when it is done, its row, its ciphertext and its data key are gone for good".to_owned(),
                self.backups_open(),
                at_venue,
            ],
            name,
            blast_radius: self.hangs_on(row).await?,
            seen: vec![
                ("label", row.label.clone()),
                ("owner", row.owner.clone()),
                ("version", row.version.to_string()),
            ],
            etag: Some(known.version),
            at_once: freezes.then(|| (freeze, credential_draft("credential.freeze", row))),
            entries: vec![self.dated(credential_draft("credential.delete", row)).await?],
            changes,
            ..Prepared::default()
        })
    }

    /// What freezes a scope, if it is not frozen or revoked already.
    pub(super) async fn frozen(&self, scope: &Scope) -> Result<Option<Change>, ServiceError> {
        let (key, frozen) = (Key::Stopped(scope.clone()), Row::Stopped(Stop::Frozen));
        Ok(match self.store.get(key.clone()).await? {
            None => Some(Change::create(key, frozen)),
            Some(Versioned { version, row: Row::Stopped(Stop::ReduceOnly) }) => {
                Some(Change::replace(key, version, frozen))
            }
            Some(_) => None,
        })
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

    pub(super) fn forget(&self, tenant: Option<TenantId>, scope: &Scope) {
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
    let entry = origin.stamp(scope_draft(action, scope));
    if reason.is_empty() { entry } else { entry.detail("reason", reason) }
}

pub(super) fn scope_draft(action: &str, scope: &Scope) -> Draft {
    let draft = Draft::new(action, EntryOutcome::Allowed);
    if let Scope::Owner(_, owner) = scope {
        // Sealed, like every owner in the log, so that erasing the owner reaches it.
        return draft.on("owner", "").personal(Personal { owner: owner.clone() });
    }
    let (kind, id) = scope_words(scope);
    draft.on(kind, id)
}

/// An entry about a credential, which is its owner's too.
pub(super) fn credential_draft(action: &str, row: &Credential) -> Draft {
    scope_draft(action, &Scope::Credential(row.id))
        .tenant(row.tenant.to_string())
        .personal(Personal { owner: row.owner.clone() })
}

/// What people call a credential: its label, or its id where it has none.
pub(super) fn own_name(row: &Credential) -> String {
    if row.label.is_empty() { row.id.to_string() } else { row.label.clone() }
}

/// What speaks against letting a key sign again, as far as its last probe tells.
fn doubted(row: &Credential) -> Option<String> {
    let powers = row.upkeep.powers.as_ref().filter(|_| row.health != Health::Ok)?;
    let (health, words) = (row.health.as_str(), powers.words().join(", "));
    Some(format!("its key is {health}: at the last probe the venue said that it may {words}; probe it again first"))
}

pub(super) fn revoked() -> ServiceError {
    ServiceError::conflict("revoked", "it is revoked, and stays so: make a new one")
}

#[cfg(test)]
mod tests {
    use claviger_venues::VenueId;

    use super::*;
    use crate::id::{AppId, GrantId, VirtualKeyId};
    use crate::webhook::Event;

    #[test]
    fn webhooks_hear_of_a_stop_where_it_holds_credentials() {
        let tenant = TenantId::MIN;
        let actions = ["scope.freeze", "scope.resume", "scope.reduce-only", "scope.revoke"];
        let told = |scope: Scope| actions.map(|action| Event::of(&scope_draft(action, &scope), 1, 0).is_some());
        let owner = Scope::Owner(tenant, "ada".to_owned());
        let wide = [Scope::All, Scope::Tenant(tenant), owner, Scope::Venue(VenueId::Kraken)];
        assert_eq!(wide.map(told), [[true; 4]; 4]);
        let narrow = [Scope::App(AppId::MIN), Scope::Grant(GrantId::MIN), Scope::VirtualKey(VirtualKeyId::MIN)];
        assert_eq!(narrow.map(told), [[false; 4]; 3]);
    }
}
