//! Tenants' KEKs: a new version, the move of everything sealed under it, and the end of the old one.
//!
//! A rotation is a row of its own, and each batch that moves is one commit with that row: whatever crashes, what was
//! moved is counted once, and the next run goes on with what is left. Executions use whichever version their credential
//! is under when they look it up, so they notice nothing.

mod moving;

use std::collections::BTreeMap;

use super::acts::{Prepared, reason};
use super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::message::ImportKek;
use crate::keeper::{KeeperError, KekOrigin, KekRow};
use crate::rotation::{Rotation, RotationState};
use crate::store::{Change, Expect, Key, Range, Row, Versioned};
use crate::view::RotationPlanView;

pub use crate::rotation::Pace;
pub use moving::{Step, Unopened};

/// How often steering is tried while rows move.
pub(super) const STEERED_MOST: usize = 10;

/// A version of a tenant's KEK, and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KekUse {
    /// The version.
    pub version: u32,
    /// The number of the root key that wraps it.
    pub root: u32,
    /// Rows that are sealed under it.
    pub rows: u64,
    /// Whether new rows are sealed under it.
    pub is_newest: bool,
    /// Whether it was made in the token, or the tenant brought it.
    pub origin: KekOrigin,
    /// Whether the tenant has taken it away: what is under it waits for it.
    pub is_withdrawn: bool,
    /// Whether recovery wraps of what is under it are still being removed. No recovery file holds them.
    pub has_wraps_left: bool,
}

/// How the next KEK is made.
#[derive(Debug)]
pub(super) enum Made {
    /// Inside the token.
    Generated,
    /// The same for a rotation of all tenants: what does not open here holds up nobody else, and stays where it is.
    WithAll,
    /// By the tenant, who wrapped it for the token.
    Imported(Vec<u8>),
}

impl Service {
    /// A tenant's KEKs, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn keks(&self, tenant: TenantId) -> Result<Vec<KekUse>, ServiceError> {
        let rows = self.kek_rows(tenant).await?;
        let counts = self.store.sealed_under(tenant).await?;
        let newest = rows.last().map(|(_, row)| row.version);
        let wraps_left = self.store.get(Key::WrapsLeft(tenant)).await?.is_some();
        let shown = rows.into_iter().map(|(_, row)| KekUse {
            version: row.version,
            root: row.blob.root,
            rows: counts.get(&row.version).copied().unwrap_or(0),
            is_newest: Some(row.version) == newest,
            origin: row.origin,
            is_withdrawn: row.is_withdrawn(),
            has_wraps_left: row.is_withdrawn() && wraps_left,
        });
        Ok(shown.collect())
    }

    /// The newest rotation of a tenant's KEK, with the version of its row and how many rows are left.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there was none.
    pub async fn rotation(&self, tenant: TenantId) -> Result<(u64, Rotation, u64), ServiceError> {
        let found = self.store.get(Key::Rotation(tenant)).await?;
        let Some(Versioned { version, row: Row::Rotation(rotation) }) = found else {
            return Err(ServiceError::NotFound("rotation"));
        };
        let counts = self.store.sealed_under(tenant).await?;
        let left = counts.range(..rotation.to).fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
        Ok((version, rotation, left))
    }

    /// What a rotation would do. Nothing is changed.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn plan_rotation(&self, tenant: TenantId) -> Result<RotationPlanView, ServiceError> {
        let keks = self.keks(tenant).await?;
        let newest = keks.last().ok_or(ServiceError::NotFound("tenant"))?;
        let rows = keks.iter().fold(0_u64, |sum, kek| sum.saturating_add(kek.rows));
        let before = match self.rotation(tenant).await {
            Ok((_, rotation, _)) => Some(rotation),
            Err(ServiceError::NotFound(_)) => None,
            Err(error) => return Err(error),
        };
        let eta_seconds = before.and_then(|rotation| rotation.seconds_for(rows));
        Ok(RotationPlanView { to: newest.version.saturating_add(1), rows, eta_seconds })
    }

    /// Makes a tenant a new KEK and has everything that is sealed move under it; [`Self::move_rows`] does that.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was made. One rotation of a tenant goes on at a time.
    pub async fn rotate_kek(
        &self,
        tenant: TenantId,
        pace: Pace,
        why: &str,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        self.begin_rotation(tenant, Made::Generated, pace, &reason(why)?, Vec::new(), origin).await
    }

    /// The same for whoever is bound to the tenant: not while its turn in a rotation of all tenants lasts.
    ///
    /// # Errors
    /// As [`Self::rotate_kek`].
    pub async fn rotate_own_kek(
        &self,
        tenant: TenantId,
        pace: Pace,
        why: &str,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        let with = vec![self.not_its_turn(tenant).await?];
        self.begin_rotation(tenant, Made::Generated, pace, &reason(why)?, with, origin).await
    }

    /// The same to a KEK that is made so, in one commit with other changes.
    pub(super) async fn begin_rotation(
        &self,
        tenant: TenantId,
        made: Made,
        pace: Pace,
        reason: &str,
        with: Vec<Change>,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        let before = self.store.get(Key::Rotation(tenant)).await?;
        if let Some(Versioned { row: Row::Rotation(Rotation { state, .. }), .. }) = &before
            && !(*state == RotationState::Done || *state == RotationState::Blocked && matches!(made, Made::WithAll))
        {
            let text = "a rotation of this tenant's KEK has not ended: resume it, or wait; nothing was changed";
            return Err(ServiceError::conflict("rotation_under_way", text));
        }
        let newest = self.store.last(Range::Keks(tenant)).await?;
        let Some(Versioned { version: row_version, row: Row::Kek(newest) }) = newest else {
            return Err(ServiceError::NotFound("tenant"));
        };
        if newest.is_withdrawn() {
            return Err(ServiceError::kek_withdrawn());
        }
        let to = newest.version.saturating_add(1);
        let kek = match made {
            Made::Generated | Made::WithAll => self.keeper.new_kek(tenant, to).await?,
            Made::Imported(wrapped) => {
                self.keeper.import_kek(ImportKek { tenant, version: to, wrapped, known: None }).await?
            }
        };
        let made = if kek.origin == KekOrigin::Imported { "kek.import" } else { "kek.rotate" };
        let rotation = Rotation::begun(tenant, to, pace, &origin.id, self.clock.unix_ms());
        let expect = before.map_or(Expect::Absent, |row| Expect::Version(row.version));
        let mut changes = vec![
            Change::create(Key::Kek(tenant, to), Row::Kek(kek)),
            // Nobody has taken it away meanwhile.
            Change::still(Key::Kek(tenant, newest.version), row_version),
            Change { key: Key::Rotation(tenant), expect, row: Some(Row::Rotation(rotation.clone())) },
        ];
        changes.extend(with);
        // Claviger's own tenant has no row.
        if let Some(Versioned { version, row: Row::Tenant(mut row) }) = self.store.get(Key::Tenant(tenant)).await? {
            row.kek_version = to;
            changes.push(Change::replace(Key::Tenant(tenant), version, Row::Tenant(row)));
        }
        let entry = entry(made, &rotation, origin).detail("reason", reason);
        self.store.put_cas(changes, vec![entry]).await?;
        Ok(rotation)
    }

    /// Has a rotation wait, go on, or go on at another pace, also one that is part of a rotation of all tenants.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn steer_rotation(
        &self,
        tenant: TenantId,
        steer: Steer,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        self.steer(tenant, steer, Whose::All, origin).await
    }

    /// The same for whoever is bound to the tenant: not while it is part of a rotation of all tenants.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn steer_own_rotation(
        &self,
        tenant: TenantId,
        steer: Steer,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        self.steer(tenant, steer, Whose::Own, origin).await
    }

    async fn steer(
        &self,
        tenant: TenantId,
        steer: Steer,
        whose: Whose,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        for _ in 1..STEERED_MOST {
            match self.steer_once(tenant, steer, whose, origin).await {
                // Rows moved meanwhile.
                Err(ServiceError::Changed) => {}
                other => return other,
            }
        }
        self.steer_once(tenant, steer, whose, origin).await
    }

    async fn steer_once(
        &self,
        tenant: TenantId,
        steer: Steer,
        whose: Whose,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        let with = match whose {
            Whose::All => Vec::new(),
            Whose::Own => vec![self.not_its_turn(tenant).await?],
        };
        self.steer_with(tenant, steer, with, Vec::new(), origin).await
    }

    /// Steers a rotation in one commit with other changes and their entries.
    pub(super) async fn steer_with(
        &self,
        tenant: TenantId,
        steer: Steer,
        with: Vec<Change>,
        mut entries: Vec<Draft>,
        origin: &Origin,
    ) -> Result<Rotation, ServiceError> {
        let (version, rotation, left) = self.rotation(tenant).await?;
        let (action, next) = steered(&rotation, steer, rotation.state == RotationState::Done && left == 0)?;
        entries.push(entry(&format!("kek.{action}"), &next, origin));
        let mut changes = vec![Change::replace(Key::Rotation(tenant), version, Row::Rotation(next.clone()))];
        changes.extend(with);
        self.store.put_cas(changes, entries).await?;
        Ok(next)
    }

    /// Destroying a version of a tenant's KEK when others agreed to it: nothing is under it any more.
    pub(super) async fn prepare_destroy_kek(&self, tenant: TenantId, version: u32) -> Result<Prepared, ServiceError> {
        let keks = self.keks(tenant).await?;
        let kek = keks.iter().find(|kek| kek.version == version).ok_or(ServiceError::NotFound("KEK"))?;
        if kek.is_newest {
            let text = "new rows are sealed under this version: rotate first; nothing was changed";
            return Err(ServiceError::conflict("kek_newest", text));
        }
        if kek.rows > 0 {
            let text =
                format!("{} rows are sealed under it: rotate, or resume the rotation; nothing was changed", kek.rows);
            return Err(ServiceError::conflict("kek_in_use", text));
        }
        // What cannot be undone rests on a count of the rows, not on the list alone.
        let counted = match self.rotation(tenant).await {
            Ok((_, rotation, _)) => rotation.state == RotationState::Done && rotation.to > version,
            Err(ServiceError::NotFound(_)) => false,
            Err(error) => return Err(error),
        };
        if !counted {
            let text = "no rotation has ended since that counted what is left under it: resume it; nothing was changed";
            return Err(ServiceError::conflict("kek_uncounted", text));
        }
        let key = Key::Kek(tenant, version);
        let stored = self.store.get(key.clone()).await?.ok_or(ServiceError::NotFound("KEK"))?;
        let entry = Draft::new("kek.destroy", EntryOutcome::Allowed)
            .tenant(tenant.to_string())
            .on("kek", version.to_string())
            .detail("root", kek.root.to_string());
        Ok(Prepared {
            name: version.to_string(),
            lines: vec![
                "the KEK is gone for good, and the keeper gives up what it unwrapped of it".to_owned(),
                "a restore leaves out what backups hold under it; until the root key is destroyed it can be opened there"
                    .to_owned(),
            ],
            blast_radius: BTreeMap::from([("rows".to_owned(), 0)]),
            seen: vec![("kek", stored.version.to_string())],
            etag: Some(stored.version),
            changes: vec![Change { key, expect: Expect::Version(stored.version), row: None }],
            entries: vec![entry],
            ..Prepared::default()
        })
    }

    /// A tenant's KEKs, oldest first, each with the version of its row.
    pub(super) async fn kek_rows(&self, tenant: TenantId) -> Result<Vec<(u64, KekRow)>, ServiceError> {
        Ok(self.store.all(Range::Keks(tenant), kek_of).await?)
    }

    /// Has the keeper give up what it unwrapped of KEKs.
    pub(super) async fn forget_keks(&self) -> Result<(), ServiceError> {
        match self.keeper.forget_keks().await {
            // One that is not there has nothing unwrapped.
            Ok(()) | Err(KeeperError::Gone) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whose rotations are steered.
#[derive(Clone, Copy, Debug)]
enum Whose {
    /// All tenants'.
    All,
    /// The tenant's own.
    Own,
}

/// What an operator does to a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steer {
    /// It waits.
    Pause,
    /// It goes on, also with rows that did not open, or came late.
    Resume,
    /// So many rows a second at most; none for as fast as the token is.
    Pace(Option<u32>),
    /// It goes on at this pace, as part of a rotation of all tenants.
    Join(Option<u32>),
}

/// A rotation that is steered, and what the audit log calls that. `is_over` if there is nothing left to steer.
pub(super) fn steered(
    rotation: &Rotation,
    steer: Steer,
    is_over: bool,
) -> Result<(&'static str, Rotation), ServiceError> {
    if is_over {
        let text = "the rotation has ended, and nothing is left on older versions; nothing was changed";
        return Err(ServiceError::conflict("rotation_ended", text));
    }
    let before = rotation.clone();
    Ok(match steer {
        Steer::Pause if rotation.state == RotationState::Running => {
            ("rotate.pause", Rotation { state: RotationState::Paused, ..before })
        }
        Steer::Pause => {
            let text = "the rotation waits already; nothing was changed";
            return Err(ServiceError::conflict("rotation_waits", text));
        }
        Steer::Resume => {
            let running = Rotation { state: RotationState::Running, unopened: 0, ended_ms: None, ..before };
            ("rotate.resume", running)
        }
        Steer::Pace(per_second) => ("rotate.pace", Rotation { per_second, ..before }),
        Steer::Join(per_second) => {
            let running = Rotation { state: RotationState::Running, unopened: 0, ended_ms: None, per_second, ..before };
            ("rotate.resume", running)
        }
    })
}

/// A KEK, with the version of its row.
pub(super) fn kek_of(found: Versioned) -> Option<(u64, KekRow)> {
    if let Row::Kek(kek) = found.row { Some((found.version, kek)) } else { None }
}

fn entry(action: &str, rotation: &Rotation, origin: &Origin) -> Draft {
    let pace = rotation.per_second.map_or_else(|| "token".to_owned(), |rows| rows.to_string());
    origin
        .draft(action, EntryOutcome::Allowed)
        .tenant(rotation.tenant.to_string())
        .on("kek", rotation.to.to_string())
        .detail("rekey", rotation.rekey.to_string())
        .detail("rows_per_second", pace)
}
