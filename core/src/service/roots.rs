//! The token's root key: a new one, KEKs of all tenants under it, and the end of the old one.
//!
//! A KEK is never rewrapped: it is not extractable once it was unwrapped. So a new root key means a new KEK for every
//! tenant and the move of all that is sealed, which is the rotation of each tenant's KEK, one tenant after the other.

mod advance;
mod destroy;

use std::collections::BTreeMap;

use super::acts::reason;
use super::keks::{Pace, STEERED_MOST, Steer, kek_of, steered};
use super::{Service, ServiceError};
use crate::audit::{Draft, EntryOutcome};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::{KekOrigin, KekRow};
use crate::rotation::{RootRotation, Rotation, RotationState};
use crate::store::{Change, Expect, Key, Range, Row, Versioned};
use crate::view::RootPlanView;

/// A root key, and what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootUse {
    /// Its number.
    pub number: u32,
    /// KEKs that it wraps.
    pub keks: u64,
    /// Rows that are sealed under these.
    pub rows: u64,
    /// Whether it wraps new KEKs.
    pub is_newest: bool,
    /// Whether it is being destroyed: nothing hangs on it, and the keeper waits until nothing was used for long.
    pub is_going: bool,
}

/// How far the rotation of the root key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootProgress {
    /// The rotation, with the rows of the tenant that it is at.
    pub rotation: RootRotation,
    /// Rows under older root keys.
    pub left: u64,
    /// Tenants that it is not behind.
    pub tenants_left: u64,
}

/// What hangs on a root key.
#[derive(Clone, Debug, Default)]
struct Under {
    /// The KEKs, each with the version of its row.
    keks: Vec<(u64, KekRow)>,
    rows: u64,
    /// Tenants whose newest KEK is among them.
    tenants: u64,
}

impl Service {
    /// The root keys in the token, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`], also when the token is away.
    pub async fn roots(&self) -> Result<Vec<RootUse>, ServiceError> {
        let numbers = self.keeper.roots().await?;
        let under = self.under_roots().await?;
        let mut roots = Vec::with_capacity(numbers.len());
        for number in &numbers {
            let hangs = under.get(number).cloned().unwrap_or_default();
            roots.push(RootUse {
                number: *number,
                keks: u64::try_from(hangs.keks.len()).unwrap_or(u64::MAX),
                rows: hangs.rows,
                is_newest: numbers.last() == Some(number),
                is_going: self.store.get(Key::RetiredRoot(*number)).await?.is_some(),
            });
        }
        Ok(roots)
    }

    /// How far the newest rotation of the root key is.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] if there was none.
    pub async fn root_rotation(&self) -> Result<RootProgress, ServiceError> {
        let (_, mut rotation) = self.root_row().await?.ok_or(ServiceError::NotFound("rotation"))?;
        let (mut left, mut tenants) = (0_u64, 0_u64);
        for (number, under) in self.under_roots().await? {
            tenants = tenants.saturating_add(under.tenants);
            if number < rotation.sum.to {
                left = left.saturating_add(under.rows);
            }
        }
        let tenants_left = tenants.saturating_sub(rotation.tenants);
        if let Some(at) = rotation.at
            && let Some(moved) = self.moved_under(at, rotation.sum.to).await?
        {
            add(&mut rotation.sum, &moved);
        }
        Ok(RootProgress { rotation, left, tenants_left })
    }

    /// What a rotation of the root key would do. Nothing is changed.
    ///
    /// # Errors
    /// [`ServiceError`], also when the token is away.
    pub async fn plan_root_rotation(&self) -> Result<RootPlanView, ServiceError> {
        let under = self.under_roots().await?;
        let to = self.next_root(&under).await?;
        let sum = |of: fn(&Under) -> u64| under.values().fold(0_u64, |sum, under| sum.saturating_add(of(under)));
        let (tenants, rows) = (sum(|under| under.tenants), sum(|under| under.rows));
        let before = self.root_row().await?;
        let eta_seconds = before.and_then(|(_, before)| before.sum.seconds_for(rows));
        Ok(RootPlanView { to, tenants, rows, eta_seconds })
    }

    /// Makes a new root key and has every tenant get a KEK under it; [`Self::advance_root`] does that.
    ///
    /// # Errors
    /// [`ServiceError`]. One rotation goes on at a time. A root key that was made is used by the next call.
    pub async fn rotate_root(&self, pace: Pace, why: &str, origin: &Origin) -> Result<RootRotation, ServiceError> {
        let why = reason(why)?;
        let before = self.root_row().await?;
        if before.as_ref().is_some_and(|(_, before)| before.sum.state != RotationState::Done) {
            let text = "a rotation of the root key has not ended: resume it, or wait; nothing was changed";
            return Err(ServiceError::conflict("root_rotation_under_way", text));
        }
        let to = self.next_root(&self.under_roots().await?).await?;
        self.rotate_root_to((to, before), pace, &why, origin).await
    }

    /// The same to the root key of a number, which is the newest or follows it, after a rotation that is over.
    pub(super) async fn rotate_root_to(
        &self,
        (to, before): (u32, Option<(u64, RootRotation)>),
        pace: Pace,
        reason: &str,
        origin: &Origin,
    ) -> Result<RootRotation, ServiceError> {
        self.keeper.new_root(to).await?;
        let sum = Rotation::begun(TenantId::OWN, to, pace, &origin.id, self.clock.unix_ms());
        let rotation = RootRotation { sum, at: None, tenants: 0 };
        let expect = before.map_or(Expect::Absent, |(version, _)| Expect::Version(version));
        let change = Change { key: Key::RootRotation, expect, row: Some(Row::RootRotation(rotation.clone())) };
        let entry = entry("root.rotate", &rotation.sum, origin).detail("reason", reason);
        self.store.put_cas(vec![change], vec![entry]).await?;
        Ok(rotation)
    }

    /// Has the rotation of the root key wait, go on, or go on at another pace, and with it that of the tenant that it is
    /// at.
    ///
    /// # Errors
    /// [`ServiceError`]; nothing was changed.
    pub async fn steer_root_rotation(&self, steer: Steer, origin: &Origin) -> Result<(), ServiceError> {
        for _ in 1..STEERED_MOST {
            match self.steer_root_once(steer, origin).await {
                // Rows moved, or a tenant's turn came meanwhile.
                Err(ServiceError::Changed) => {}
                other => return other,
            }
        }
        self.steer_root_once(steer, origin).await
    }

    async fn steer_root_once(&self, steer: Steer, origin: &Origin) -> Result<(), ServiceError> {
        let (version, root) = self.root_row().await?.ok_or(ServiceError::NotFound("rotation"))?;
        let (action, sum) = steered(&root.sum, steer, root.sum.state == RotationState::Done)?;
        let entry = entry(&format!("root.{action}"), &sum, origin);
        let next = if root.sum.state == RotationState::Blocked && sum.state == RotationState::Running {
            // All tenants are looked at once more.
            RootRotation { sum: Rotation { done: 0, active_ms: 0, ..sum }, at: None, tenants: 0 }
        } else {
            RootRotation { sum, ..root }
        };
        let at = next.at;
        let change = Change::replace(Key::RootRotation, version, Row::RootRotation(next));
        let Some(at) = at else {
            self.store.put_cas(vec![change], vec![entry]).await?;
            return Ok(());
        };
        let seen = Change::still(Key::Rotation(at), self.rotation_version(at).await?);
        match self.steer_with(at, steer, vec![change.clone()], vec![entry.clone()], origin).await {
            // It has ended, or waits already.
            Err(ServiceError::Conflict { .. } | ServiceError::NotFound(_)) => {
                self.store.put_cas(vec![change, seen], vec![entry]).await?;
                Ok(())
            }
            steered => steered.map(drop),
        }
    }

    /// The version of the row of a tenant's newest rotation; 0 for none.
    pub(super) async fn rotation_version(&self, tenant: TenantId) -> Result<u64, ServiceError> {
        Ok(self.store.get(Key::Rotation(tenant)).await?.map_or(0, |found| found.version))
    }

    /// Whether a rotation of the root key goes on, or was paused by an operator.
    pub(super) async fn root_rotates(&self) -> Result<bool, ServiceError> {
        Ok(self.root_row().await?.is_some_and(|(_, row)| !row.sum.state.is_over()))
    }

    /// Whether the newest rotation of the root key was to this number or a later one, and all that opens has moved.
    pub(super) async fn has_moved_to(&self, root: u32) -> Result<bool, ServiceError> {
        Ok(self.root_row().await?.is_some_and(|(_, row)| row.sum.state.is_over() && row.sum.to >= root))
    }

    /// The number of the token's newest root key.
    pub(super) async fn newest_root(&self) -> Result<u32, ServiceError> {
        Ok(self.keeper.roots().await?.last().copied().unwrap_or_default())
    }

    /// The number of the next root key: one that nothing hangs on was made for a rotation that did not begin.
    async fn next_root(&self, under: &BTreeMap<u32, Under>) -> Result<u32, ServiceError> {
        let newest = self.newest_root().await?;
        Ok(if under.contains_key(&newest) { newest.saturating_add(1) } else { newest })
    }

    /// That a tenant's rotation is not the step at which that of the root key is, which is nobody's alone to hold up:
    /// what steering it rests on.
    pub(super) async fn not_its_turn(&self, tenant: TenantId) -> Result<Change, ServiceError> {
        let root = self.root_row().await?;
        let version = root.as_ref().map_or(0, |(version, _)| *version);
        if root.is_some_and(|(_, root)| root.sum.state == RotationState::Running && root.at == Some(tenant)) {
            let text = "this rotation is part of one of all tenants, and you are bound to one: ask an operator who is \
                        not; nothing was changed";
            return Err(ServiceError::conflict("root_rotation", text));
        }
        Ok(Change::still(Key::RootRotation, version))
    }

    /// The newest rotation of the root key, with the version of its row.
    pub(super) async fn root_row(&self) -> Result<Option<(u64, RootRotation)>, ServiceError> {
        Ok(match self.store.get(Key::RootRotation).await? {
            Some(Versioned { version, row: Row::RootRotation(rotation) }) => Some((version, rotation)),
            _ => None,
        })
    }

    /// All tenants' KEKs, Claviger's own tenant's too, each with the version of its row; the newest last.
    pub(super) async fn all_keks(&self) -> Result<BTreeMap<TenantId, Vec<(u64, KekRow)>>, ServiceError> {
        let mut keks = BTreeMap::<_, Vec<_>>::new();
        for (version, kek) in self.store.all(Range::KeksAfter(None), kek_of).await? {
            keks.entry(kek.tenant).or_default().push((version, kek));
        }
        Ok(keks)
    }

    /// What hangs on each root key that wraps a KEK.
    async fn under_roots(&self) -> Result<BTreeMap<u32, Under>, ServiceError> {
        let mut roots: BTreeMap<u32, Under> = BTreeMap::new();
        for (tenant, keks) in self.all_keks().await? {
            let counts = self.store.sealed_under(tenant).await?;
            if let Some((_, newest)) = keks.last().filter(|(_, newest)| newest.origin == KekOrigin::Generated) {
                let under = roots.entry(newest.blob.root).or_default();
                under.tenants = under.tenants.saturating_add(1);
            }
            // Tenants' own are under one that stays: they move when the tenant brings another.
            for (version, kek) in keks.into_iter().filter(|(_, kek)| kek.origin == KekOrigin::Generated) {
                let under = roots.entry(kek.blob.root).or_default();
                under.rows = under.rows.saturating_add(counts.get(&kek.version).copied().unwrap_or(0));
                under.keks.push((version, kek));
            }
        }
        Ok(roots)
    }
}

/// Adds what a tenant's rotation has moved.
fn add(sum: &mut Rotation, moved: &Rotation) {
    sum.done = sum.done.saturating_add(moved.done);
    sum.active_ms = sum.active_ms.saturating_add(moved.active_ms);
}

fn entry(action: &str, sum: &Rotation, origin: &Origin) -> Draft {
    let pace = sum.per_second.map_or_else(|| "token".to_owned(), |rows| rows.to_string());
    origin
        .draft(action, EntryOutcome::Allowed)
        .on("root", sum.to.to_string())
        .detail("rekey", sum.rekey.to_string())
        .detail("rows_per_second", pace)
}
