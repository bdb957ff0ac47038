//! Tenants' own KEKs: brought, taken away, and brought again.
//!
//! Bringing one is a rotation of the tenant's KEK to it. Taking it away removes the key from everywhere here: its row
//! keeps the canary alone, which tells whether a key that is brought later is the same. What is sealed under it stays,
//! and opens again when it is back; its recovery wraps go, page by page. No backup holds such a key, so there is nothing to be taken away from those.

use std::time::Duration;

use super::acts::reason;
use super::keks::{Made, Step};
use super::{Part, Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::message::{ImportKek, Refused};
use crate::keeper::{KeeperError, KekOrigin, KekRow, Withdrawal};
use crate::rotation::{Pace, Rotation};
use crate::store::{Change, Expect, Key, OpenIntent, Range, Row, Scope, Versioned};
use crate::token::KekDoor;

/// Tenants whose recovery wraps are removed in one step.
const CLEARED: usize = 1_000;

/// RSA of 4096 bits at most.
const WRAPPED_BYTES_MAX: usize = 512;

/// What came of a KEK that a tenant brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Brought {
    /// It is a new one: everything that is sealed moves under it.
    New(Rotation),
    /// It was taken away before, and what is under it opens again.
    Back {
        /// Its version.
        version: u32,
        /// Versions that have to come back, too, before anything is signed.
        missing: Vec<u32>,
    },
}

impl Service {
    /// What tenants wrap their own KEKs to.
    ///
    /// # Errors
    /// [`ServiceError`], also when the token takes none in.
    pub async fn kek_door(&self, tenant: TenantId) -> Result<KekDoor, ServiceError> {
        Ok(self.keeper.kek_door(tenant).await?)
    }

    /// Takes in a KEK that a tenant brings, wrapped to the token's key for that: a new one, to which the tenant's is
    /// rotated, or the one that it took away.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn import_kek(
        &self,
        tenant: TenantId,
        wrapped: Vec<u8>,
        pace: Pace,
        why: &str,
        origin: &Origin,
    ) -> Result<Brought, ServiceError> {
        if wrapped.is_empty() || wrapped.len() > WRAPPED_BYTES_MAX {
            let text = "the wrapped KEK is what RSA-OAEP makes of 32 bytes: 256 to 512 bytes; nothing was changed";
            return Err(ServiceError::invalid("kek_refused", text));
        }
        let why = reason(why)?;
        if let Some(Versioned { version, .. }) = self.store.get(Key::Withdrawn(tenant)).await? {
            return self.bring_back(tenant, version, wrapped, &why, origin).await;
        }
        for (_, kek) in self.imported_keks(tenant).await?.into_iter().filter(|(_, kek)| !kek.is_withdrawn()) {
            let same = self.taken_in(&kek, wrapped.clone()).await?;
            if same.is_some() {
                let text = "it is a KEK that the tenant has brought already: what was deleted would open under it for \
                            ever; make a new one. Nothing was changed";
                return Err(ServiceError::conflict("kek_same", text));
            }
        }
        self.begin_rotation(tenant, Made::Imported(wrapped), pace, &why, Vec::new(), origin).await.map(Brought::New)
    }

    /// Takes a tenant's own KEK away. When this answers, nothing of the tenant is signed, and the key is nowhere here.
    /// Says which requests were granted before and have no outcome yet.
    ///
    /// # Errors
    /// [`ServiceError`]. `Unavailable` of the keeper means: stored, and not yet confirmed by the keeper.
    pub async fn withdraw_kek(
        &self,
        tenant: TenantId,
        reason: &str,
        origin: &Origin,
    ) -> Result<Vec<OpenIntent>, ServiceError> {
        let mark = self.store.get(Key::Withdrawn(tenant)).await?.map(|mark| mark.version);
        let keks = self.imported_keks(tenant).await?;
        let up_to = if mark.is_some() && keks.iter().all(|(_, kek)| kek.is_withdrawn()) {
            // It is stored, and whoever asks again wants it confirmed.
            self.store.highest_intent().await?
        } else {
            self.store_withdrawal(tenant, mark, keks, reason, origin).await?
        };
        // Also where the answer does not come: it may be stored all the same.
        self.forget_tenant(tenant);
        self.bar(Scope::Tenant(tenant), up_to).await?;
        self.forget_keks().await.map_err(|error| {
            let text = format!(
                "it is stored and nothing new is signed, but the keeper did not confirm that it gave the key up: \
                 {error}; do it again"
            );
            ServiceError::unavailable(Part::Keeper, text)
        })?;
        let open = self.store.resolve().await?;
        Ok(open.into_iter().filter(|intent| intent.scopes.tenant == tenant).collect())
    }

    /// Goes on removing the recovery wraps of what is under KEKs that tenants took away: some of each tenant's.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn clear_wraps(&self, origin: &Origin) -> Result<Step, ServiceError> {
        let marks = self.store.scan(Range::WrapsLeft, None, CLEARED).await?;
        let mut step = Step::Ended;
        for mark in marks.rows {
            let Row::WrapsLeft { tenant, .. } = mark.row else { continue };
            let entry = about("kek.withdraw.end", tenant, String::new(), origin);
            if self.store.clear_wraps(tenant, entry).await? {
                step = Step::After(Duration::ZERO);
            }
        }
        Ok(step)
    }

    /// Takes away those of a tenant's own KEKs that are here. `mark` is the version of the mark that it took some away
    /// before, of which not all are back.
    async fn store_withdrawal(
        &self,
        tenant: TenantId,
        mark: Option<u64>,
        own: Vec<(u64, KekRow)>,
        reason: &str,
        origin: &Origin,
    ) -> Result<u64, ServiceError> {
        let newest = self.store.last(Range::Keks(tenant)).await?;
        let Some(Versioned { row: Row::Kek(newest), .. }) = newest else {
            return Err(ServiceError::NotFound("tenant"));
        };
        if newest.origin != KekOrigin::Imported && mark.is_none() {
            let text =
                "the tenant's KEK was made in the token, and is not the tenant's to take away; nothing was changed";
            return Err(ServiceError::conflict("kek_generated", text));
        }
        let counts = self.store.sealed_under(tenant).await?;
        let is_own = |version: &u32| own.iter().any(|(_, kek)| kek.version == *version);
        if counts.iter().any(|(version, rows)| *rows > 0 && !is_own(version)) {
            let text = "rows of the tenant are still under a KEK that the token made, and would open without the tenant's: \
                stop the tenant, and take its KEK away when the rotation has ended; nothing was changed";
            return Err(ServiceError::conflict("kek_rotation_under_way", text));
        }
        let here = own.iter().filter(|(_, kek)| !kek.is_withdrawn()).map(|(_, kek)| kek.version.to_string());
        let versions = here.collect::<Vec<_>>().join(" ");
        // None is brought meanwhile, and none comes back.
        let none_newer = Change::still(Key::Kek(tenant, newest.version.saturating_add(1)), 0);
        let gone = own.into_iter().map(|(version, kek)| {
            let key = Key::Kek(tenant, kek.version);
            if kek.is_withdrawn() {
                Change::still(key, version)
            } else {
                Change::replace(key, version, Row::Kek(kek.withdrawn()))
            }
        });
        // Written anew, so that none that is on its way back takes it away.
        let withdrawal = Row::Withdrawn(Withdrawal { tenant, by: origin.id.clone(), at_ms: self.clock.unix_ms() });
        let expect = mark.map_or(Expect::Absent, Expect::Version);
        let mark = Change { key: Key::Withdrawn(tenant), expect, row: Some(withdrawal) };
        let entry = about("kek.withdraw", tenant, versions, origin).detail("reason", reason);
        let done = self.store.put_cas(gone.chain([mark, none_newer]).collect(), vec![entry]).await;
        self.forget_tenant(tenant);
        Ok(done?.up_to)
    }

    async fn bring_back(
        &self,
        tenant: TenantId,
        mark: u64,
        wrapped: Vec<u8>,
        reason: &str,
        origin: &Origin,
    ) -> Result<Brought, ServiceError> {
        let keks = self.imported_keks(tenant).await?;
        let newest = keks.last().map(|(_, kek)| kek.version);
        let counts = self.store.sealed_under(tenant).await?;
        let is_needed = |version: u32| Some(version) == newest || counts.get(&version).is_some_and(|rows| *rows > 0);
        for (row, kek) in keks.iter().rev().filter(|(_, kek)| kek.is_withdrawn()) {
            let Some(back) = self.taken_in(kek, wrapped.clone()).await? else { continue };
            let missing: Vec<u32> = keks
                .iter()
                .map(|(_, other)| other)
                .filter(|other| other.is_withdrawn() && other.version != kek.version && is_needed(other.version))
                .map(|other| other.version)
                .collect();
            self.index_anew(&back).await?;
            let version = kek.version;
            let mut changes = vec![Change::replace(Key::Kek(tenant, version), *row, Row::Kek(back))];
            // What is missing is so still, and what is here too.
            let others = keks.iter().filter(|(_, other)| other.version != version);
            changes.extend(others.map(|(row, other)| Change::still(Key::Kek(tenant, other.version), *row)));
            if missing.is_empty() {
                changes.push(Change { key: Key::Withdrawn(tenant), expect: Expect::Version(mark), row: None });
            }
            let entry = about("kek.return", tenant, version.to_string(), origin).detail("reason", reason);
            self.store.put_cas(changes, vec![entry]).await?;
            self.forget_tenant(tenant);
            return Ok(Brought::Back { version, missing });
        }
        let text = "it is no KEK that the tenant took away: bring that one first. Nothing was changed";
        Err(ServiceError::conflict("kek_other", text))
    }

    /// Marks the tenants whose own KEKs are not here, because a backup holds none: nothing of theirs is signed until they
    /// bring them. Says whose that are.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it goes on.
    pub async fn miss_own_keks(&self, origin: &Origin) -> Result<Vec<TenantId>, ServiceError> {
        let mut missed = Vec::new();
        for (tenant, keks) in self.all_keks().await? {
            let is_missed = keks.last().is_some_and(|(_, newest)| newest.is_withdrawn());
            if !is_missed || self.store.get(Key::Withdrawn(tenant)).await?.is_some() {
                continue;
            }
            let withdrawal = Withdrawal { tenant, by: origin.id.clone(), at_ms: self.clock.unix_ms() };
            let mark = Change::create(Key::Withdrawn(tenant), Row::Withdrawn(withdrawal));
            let entry = about("kek.miss", tenant, String::new(), origin);
            self.store.put_cas(vec![mark], vec![entry]).await?;
            missed.push(tenant);
        }
        Ok(missed)
    }

    /// The key as a row, if it is the one that this row's canary was sealed under.
    async fn taken_in(&self, kek: &KekRow, wrapped: Vec<u8>) -> Result<Option<KekRow>, ServiceError> {
        let known = Some(kek.blob.canary.clone());
        let import = ImportKek { tenant: kek.tenant, version: kek.version, wrapped, known };
        match self.keeper.import_kek(import).await {
            Ok(row) => Ok(Some(row)),
            Err(KeeperError::Refused(Refused::OtherKek)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The KEKs that a tenant has brought, oldest first, those that it has taken away too.
    async fn imported_keks(&self, tenant: TenantId) -> Result<Vec<(u64, KekRow)>, ServiceError> {
        let mut keks = self.kek_rows(tenant).await?;
        keks.retain(|(_, kek)| kek.origin == KekOrigin::Imported);
        Ok(keks)
    }
}

fn about(action: &str, tenant: TenantId, versions: String, origin: &Origin) -> Draft {
    origin.draft(action, EntryOutcome::Allowed).tenant(tenant.to_string()).on("kek", versions)
}
