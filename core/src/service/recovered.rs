//! A store that is brought to a new token: everything that has a recovery wrap is sealed anew, the rest goes and is listed.
//!
//! Nothing serves meanwhile. It works on a draft, and by a plan: each commit moves rows to the KEK that the plan names, so
//! whoever begins again with the same plan goes on.

mod plan;
mod waiting;

use std::collections::BTreeSet;
use std::io;

use super::operators::invitation_row;
use super::recovery::resource;
use super::{Service, ServiceError};
use crate::audit::{EntryOutcome, Subject};
use crate::credential::{Credential, LOST_INDEX};
use crate::envelope::{Envelope, Mode};
use crate::execution::Origin;
use crate::id::{CredentialId, TenantId};
use crate::identity::{CallerSecret, Operator};
use crate::keeper::message::Recover;
use crate::keeper::{KeeperError, KekRow};
use crate::recovery::{PrivateKey, lives_for_a_login, open, wrap_id};
use crate::secret::Plaintext;
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};
use crate::token::PublicKeys;

pub use plan::{Event, Plan};

/// Rows of one commit.
const BATCH: usize = 64;

/// Rows that are read at once.
const PAGE: usize = 1_000;

const REASON: &str = "its token was lost";

/// What a recovery brought back, and what it did not.
#[derive(Debug, Default)]
pub struct Recovery {
    /// Rows that were sealed anew, or would be.
    pub opened: u64,
    /// Credentials whose keys were made in the lost token: their owners enroll new ones.
    pub reenroll: Vec<String>,
    /// What else does not come back, and why.
    pub lost: Vec<String>,
    /// Tenants that took their own KEK away: what is theirs stays as it is, and opens when they bring it again.
    pub waiting: Vec<TenantId>,
}

/// A one-time code by which an operator sets a new password.
#[derive(Debug)]
pub struct Reinvited {
    /// The operator's name.
    pub name: String,
    /// `clv_invite_…`
    pub invitation: CallerSecret,
    /// When it is good no more, milliseconds since the Unix epoch.
    pub expires_ms: u64,
}

impl Service {
    /// What a recovery would bring back. Every wrap is opened, nothing is changed, and no token is needed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn recoverable(&self, private: &PrivateKey) -> Result<Recovery, ServiceError> {
        let waiting = self.waiting().await?;
        let (mut found, mut after) = (Recovery { waiting, ..Recovery::default() }, None);
        loop {
            let page = self.store.sealed(after, PAGE).await?;
            for (key, Versioned { row, .. }) in page.rows {
                let tenant = row.keks().first().map_or(TenantId::OWN, |(tenant, _)| *tenant);
                let waits = found.waiting.contains(&tenant);
                let why = if waits { self.gone(&row).await? } else { self.unopened(&row, private).await? };
                if let Some(why) = why {
                    self.not_back(tenant, (&key, &row), &why).await?.into_iter().for_each(|event| found.add(event));
                } else if !waits {
                    found.opened = found.opened.saturating_add(1);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Seals everything that a plan names anew, under a new KEK for each tenant, and drops what does not open. `heard` is
    /// told what happens.
    ///
    /// # Errors
    /// [`ServiceError`], that of `heard` among them; repeating it goes on.
    pub async fn recover(
        &self,
        private: &PrivateKey,
        plan: &Plan,
        origin: &Origin,
        heard: &mut impl FnMut(Event) -> io::Result<()>,
    ) -> Result<(), ServiceError> {
        self.keep_waiting(&plan.waiting, origin, heard).await?;
        for (tenant, keks) in self.all_keks().await? {
            let Some(to) = plan.keks.get(&tenant).copied() else { continue };
            if keks.iter().all(|(_, kek)| kek.version != to) {
                self.put_kek(tenant, to).await?;
            }
            let kek = self.directory.kek(self.store(), tenant, to).await?;
            let kek = kek.ok_or_else(|| StoreError::Corrupt(format!("{tenant} has no KEK {to}")))?;
            self.recover_rows(&kek, private, origin, heard).await?;
            self.revoke_orphans(tenant, REASON, origin).await?;
            for version in keks.into_iter().map(|(_, kek)| kek.version).filter(|version| *version != to) {
                self.lose_kek(tenant, version, origin).await?;
            }
        }
        Ok(())
    }

    async fn lose_kek(&self, tenant: TenantId, version: u32, origin: &Origin) -> Result<(), ServiceError> {
        let entry = origin.draft("kek.destroy", EntryOutcome::Allowed).tenant(tenant.to_string());
        let entry = entry.on("kek", version.to_string()).detail("reason", REASON);
        self.store.put_cas(vec![Change::remove(Key::Kek(tenant, version))], vec![entry]).await?;
        self.directory.forget_kek(tenant, version);
        Ok(())
    }

    async fn recover_rows(
        &self,
        kek: &KekRow,
        private: &PrivateKey,
        origin: &Origin,
        heard: &mut impl FnMut(Event) -> io::Result<()>,
    ) -> Result<(), ServiceError> {
        loop {
            let rows = self.store.sealed_before(kek.tenant, kek.version, BATCH).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let (mut changes, mut opened, mut is_any_lost) = (Vec::with_capacity(rows.len()), 0_u64, false);
            for (key, Versioned { version, row }) in rows {
                // What hangs on a credential that was lost went with it.
                if is_any_lost && self.store.get(key.clone()).await?.is_none() {
                    continue;
                }
                if let Row::VirtualKey(virtual_key) = &row
                    && self.revoke_orphan(virtual_key, REASON, origin).await?
                {
                    continue;
                }
                match self.recovered(row.clone(), kek, private).await? {
                    Ok((row, index)) => {
                        if let (Key::Sealed(id), Some(index)) = (&key, index) {
                            changes.extend(self.indexed_anew(kek.tenant, *id, index).await?);
                        }
                        changes.push(Change::replace(key, version, row));
                        opened = opened.saturating_add(1);
                    }
                    Err(why) => {
                        is_any_lost = true;
                        if let Some(event) = self.not_back(kek.tenant, (&key, &row), &why).await? {
                            heard(event).map_err(|e| unheard(&e))?;
                        }
                        self.drop_sealed(kek.tenant, (key, Versioned { version, row }), origin).await?;
                    }
                }
            }
            // Also a row from before the lost one may have gone with it: what is left is looked at once more.
            if !is_any_lost {
                self.store.put_cas(changes, Vec::new()).await?;
                heard(Event::Sealed(opened)).map_err(|e| unheard(&e))?;
            }
        }
    }

    /// A row sealed anew, with the blind index of its key id if it is a credential's; or why it cannot be.
    async fn recovered(
        &self,
        mut row: Row,
        kek: &KekRow,
        private: &PrivateKey,
    ) -> Result<Result<(Row, Option<[u8; 32]>), String>, ServiceError> {
        let mut index = None;
        for sealed in row.sealed_mut() {
            let (wrap, _) = match self.wrap_of(sealed).await? {
                Ok(found) => found,
                Err(why) => return Ok(Err(why)),
            };
            let asked = {
                let private = copy(private)?;
                let recover = Recover { sealed: sealed.clone(), wrap, kek: kek.clone() };
                self.keeper.recover(recover, private)
            };
            match asked.await {
                Ok(recovered) => (*sealed, index) = (recovered.sealed, recovered.index),
                Err(KeeperError::Refused(why)) => return Ok(Err(why.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Ok((row, index)))
    }

    /// What opens sealed bytes, and its id; or why nothing does.
    async fn wrap_of(&self, sealed: &[u8]) -> Result<Result<(Vec<u8>, [u8; 32]), String>, ServiceError> {
        let Ok(envelope) = Envelope::from_bytes(sealed) else { return Ok(Err("it is damaged".to_owned())) };
        let Some(id) = wrap_id(&envelope) else { return Ok(Err("it was made in the token".to_owned())) };
        let wrap = self.store.wrap(id).await?;
        Ok(wrap.map(|wrap| (wrap, id)).ok_or_else(|| "there is no wrap for it".to_owned()))
    }

    /// Why a row does not open, if it does not.
    async fn unopened(&self, row: &Row, private: &PrivateKey) -> Result<Option<String>, ServiceError> {
        for sealed in row.sealed() {
            match self.wrap_of(sealed).await? {
                Err(why) => return Ok(Some(why)),
                Ok((wrap, id)) => {
                    if let Err(why) = open(private, &id, &wrap) {
                        return Ok(Some(why.to_string()));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The changes by which a credential is found under its new blind index.
    async fn indexed_anew(
        &self,
        tenant: TenantId,
        id: CredentialId,
        index: [u8; 32],
    ) -> Result<Vec<Change>, ServiceError> {
        let key = Key::Credential(tenant, id);
        let Some(Versioned { version, row: Row::Credential(row) }) = self.store.get(key.clone()).await? else {
            return Err(StoreError::Corrupt(format!("sealed bytes of {id}, which is not there")).into());
        };
        let mut changes = Vec::new();
        let old = Key::Index(row.index);
        let is_found = self.store.get(old.clone()).await?.is_some_and(|found| found.row == Row::CredentialRef(id));
        if is_found {
            changes.push(Change::remove(old));
        }
        if is_found || row.index == LOST_INDEX {
            changes.push(Change::create(Key::Index(index), Row::CredentialRef(id)));
        }
        changes.push(Change::replace(key, version, Row::Credential(Credential { index, ..row })));
        Ok(changes)
    }

    /// What a row that does not open is called, unless the next login makes another of it.
    async fn not_back(
        &self,
        tenant: TenantId,
        (key, row): (&Key, &Row),
        why: &str,
    ) -> Result<Option<Event>, ServiceError> {
        let mut sealed = row.sealed().into_iter().filter_map(|sealed| Envelope::from_bytes(sealed).ok());
        if sealed.any(|envelope| lives_for_a_login(&envelope.binding)) {
            return Ok(None);
        }
        if let Key::Sealed(id) = key
            && let Some(Versioned { row: Row::Credential(row), .. }) =
                self.store.get(Key::Credential(tenant, *id)).await?
        {
            let Credential { owner, venue, hint, mode, .. } = row;
            let text = format!("credential {id} of {owner} at {venue} ({hint})");
            let is_born = mode == Mode::HsmBorn;
            return Ok(Some(if is_born { Event::Reenroll(text) } else { Event::Lost(format!("{text}: {why}")) }));
        }
        Ok(Some(Event::Lost(format!("{}: {why}", resource(key)))))
    }

    /// What is left to do beside the sealed rows: the new token's public keys count, operators' passwords do not, and
    /// nothing waits for keys of the lost token. Says by which codes operators set new passwords.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it makes other invitations, and those from before are good no more.
    pub async fn settle_on_new_token(&self, keys: PublicKeys, origin: &Origin) -> Result<Vec<Reinvited>, ServiceError> {
        let mut changes = vec![Change::set(Key::KeeperKeys, Row::KeeperKeys(keys)), Change::remove(Key::RootRotation)];
        // Their root keys are the lost token's: what they were to make unrecoverable is, but for shareholders.
        changes.push(Change::remove(Key::Epochs));
        for row in self.store.scan(Range::RetiredRoots, None, PAGE).await?.rows {
            if let Row::RetiredRoot(number) | Row::RetiringRoot(number) = row.row {
                changes.push(Change::remove(Key::RetiredRoot(number)));
            }
        }
        self.store.put_cas(changes, Vec::new()).await?;
        let (mut invited, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.scan(Range::Operators, after, PAGE).await?;
            for row in page.rows {
                if let Versioned { version, row: Row::Operator(operator) } = row {
                    invited.push(self.reinvited(version, operator, origin).await?);
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(invited);
            }
        }
    }

    async fn reinvited(&self, version: u64, was: Operator, origin: &Origin) -> Result<Reinvited, ServiceError> {
        let (id, name) = (was.id, was.name.clone());
        let (invitation, stored) = self.invitation()?;
        let expires_ms = stored.expires_ms;
        let mut changes = self.all_logins_end(id).await?;
        changes.extend(was.factors.invitation.iter().map(|old| Change::remove(Key::Invitation(old.hash))));
        changes.push(invitation_row(&stored, id));
        let mut operator = Operator { factors_ms: self.clock.unix_ms(), ..was };
        (operator.factors.password, operator.factors.invitation) = (None, Some(stored));
        changes.push(Change::replace(Key::Operator(id), version, Row::Operator(operator)));
        let entry = origin.draft("operator.reset", EntryOutcome::Allowed).on("operator", id.to_string());
        let entry = entry.detail("name", &name).detail("reason", REASON);
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(Reinvited { name, invitation, expires_ms })
    }

    /// Has tombstones of a lost token be signed by the new one: what they name stays deleted in restores to come.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn engrave_again(&self, subjects: &BTreeSet<Subject>) -> Result<(), ServiceError> {
        let all: Vec<Subject> = subjects.iter().copied().collect();
        for some in all.chunks(PAGE) {
            let later = some.iter().map(|subject| Change::set(Key::Unengraved(*subject), Row::Tombstone(*subject)));
            self.store.put_cas(later.collect(), Vec::new()).await?;
        }
        Ok(())
    }
}

fn unheard(error: &io::Error) -> ServiceError {
    ServiceError::unavailable(super::Part::Disk, error.to_string())
}

#[expect(clippy::disallowed_methods, reason = "EXPOSE: copied from one arena slot into the one that is sent")]
fn copy(private: &PrivateKey) -> Result<Plaintext, ServiceError> {
    let copied = private.bytes().expose(Plaintext::copy_of);
    copied.map_err(|error| ServiceError::unavailable(super::Part::Load, error.to_string()))
}
