//! One tenant after the other, and a count of all rows at the end.

use std::time::Duration;

use super::super::keks::{Made, Pace, Steer, Step};
use super::super::{Service, ServiceError};
use super::{add, entry};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::keeper::KekOrigin;
use crate::rotation::{RootRotation, Rotation, RotationState};
use crate::store::{Change, Key, Range, Row, StoreError, Versioned};

/// How long a tenant's rows are left to move before they are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a tenant's KEK is rotated.
const WITH_ALL: &str = "the root key is rotated";

/// How a tenant stands to a new root key.
#[derive(Debug)]
enum Standing {
    /// Its newest KEK is under an older one, and nothing moves, at most because it does not open.
    Behind,
    /// A rotation of its KEK goes on, or waits for an operator; at most so many rows a second.
    Moves(RotationState, Option<u32>),
    /// Nothing goes on: all that could move has, by this rotation, if there was one.
    Over(Option<Rotation>),
    /// It has taken its own KEK away, and nothing of it moves before that is back.
    Waits,
}

impl Service {
    /// Goes on with the rotation of the root key, if there is one: when a tenant's rows have moved, the next one's turn
    /// comes.
    ///
    /// # Errors
    /// [`ServiceError`]; the next call goes on.
    pub async fn advance_root(&self, origin: &Origin) -> Result<Step, ServiceError> {
        let Some((version, mut root)) = self.root_row().await? else { return Ok(Step::Ended) };
        if root.sum.state != RotationState::Running {
            return Ok(Step::Ended);
        }
        if let Some(at) = root.at {
            match self.standing(at, root.sum.to).await? {
                Standing::Moves(..) => return Ok(Step::After(LOOK_AGAIN)),
                // A rotation of its own was under way when its turn came.
                Standing::Behind => {
                    return self.begin(at, &root, Change::still(Key::RootRotation, version), origin).await;
                }
                Standing::Over(_) | Standing::Waits => {
                    if let Some(moved) = self.moved_under(at, root.sum.to).await? {
                        add(&mut root.sum, &moved);
                    }
                    root.tenants = root.tenants.saturating_add(1);
                }
            }
        }
        let next = self.store.scan(Range::KeksAfter(root.at), None, 1).await?.rows.pop();
        let Some(Versioned { row: Row::Kek(next), .. }) = next else {
            return self.end_root_rotation(version, root, origin).await;
        };
        root.at = Some(next.tenant);
        // One commit: its rotation is at no moment one that the tenant could have wait.
        let turn = Change::replace(Key::RootRotation, version, Row::RootRotation(root.clone()));
        self.begin(next.tenant, &root, turn, origin).await
    }

    /// What a tenant's newest rotation moved, if that was under this root key or a newer one.
    pub(super) async fn moved_under(&self, tenant: TenantId, root: u32) -> Result<Option<Rotation>, ServiceError> {
        let found = self.store.get(Key::Rotation(tenant)).await?;
        let Some(Versioned { row: Row::Rotation(rotation), .. }) = found else { return Ok(None) };
        let kek = self.directory.kek(self.store(), tenant, rotation.to).await?;
        Ok(kek.is_some_and(|kek| kek.blob.root >= root).then_some(rotation))
    }

    async fn standing(&self, tenant: TenantId, root: u32) -> Result<Standing, ServiceError> {
        let newest = self.store.last(Range::Keks(tenant)).await?;
        // A tenant that is gone is behind nothing.
        let Some(Versioned { row: Row::Kek(newest), .. }) = newest else { return Ok(Standing::Over(None)) };
        if newest.is_withdrawn() {
            return Ok(Standing::Waits);
        }
        let rotation = match self.store.get(Key::Rotation(tenant)).await? {
            Some(Versioned { row: Row::Rotation(rotation), .. }) => Some(rotation),
            _ => None,
        };
        Ok(match rotation.as_ref().map(|rotation| rotation.state) {
            Some(state @ (RotationState::Running | RotationState::Paused)) => {
                Standing::Moves(state, rotation.and_then(|rotation| rotation.per_second))
            }
            // A KEK that the tenant brought moves when it brings another.
            Some(RotationState::Done | RotationState::Blocked) | None if newest.is_behind(root) => Standing::Behind,
            Some(RotationState::Done | RotationState::Blocked) | None => Standing::Over(rotation),
        })
    }

    /// Has a tenant's rows move under the new root key, as far as they do not already, in one commit with what is done
    /// to the row of the root key's rotation.
    async fn begin(
        &self,
        tenant: TenantId,
        root: &RootRotation,
        with: Change,
        origin: &Origin,
    ) -> Result<Step, ServiceError> {
        let seen = Change::still(Key::Rotation(tenant), self.rotation_version(tenant).await?);
        let pace = Pace { rekey: root.sum.rekey, per_second: root.sum.per_second };
        let join = Steer::Join(pace.per_second);
        let done = match self.standing(tenant, root.sum.to).await? {
            Standing::Behind => {
                self.begin_rotation(tenant, Made::WithAll, pace, WITH_ALL, vec![with], origin).await.map(drop)
            }
            // Rows did not open, or came late.
            Standing::Over(Some(_)) if self.rotation(tenant).await?.2 > 0 => {
                self.steer_with(tenant, join, vec![with], Vec::new(), origin).await.map(drop)
            }
            // Who has it wait, or go slowly, holds up their own tenant, not all others.
            Standing::Moves(state, per_second) if state == RotationState::Paused || per_second != pace.per_second => {
                self.steer_with(tenant, join, vec![with], Vec::new(), origin).await.map(drop)
            }
            Standing::Over(_) | Standing::Moves(..) | Standing::Waits => {
                // And it stands so still.
                self.store.put_cas(vec![with, seen], Vec::new()).await.map(drop).map_err(ServiceError::from)
            }
        };
        match done {
            // Somebody steered meanwhile: the next call looks again.
            Ok(()) | Err(ServiceError::Changed) => Ok(Step::After(Duration::ZERO)),
            Err(error) => Err(error),
        }
    }

    /// Ends the rotation with the count of all tenants' rows, whatever any index says.
    async fn end_root_rotation(
        &self,
        version: u64,
        mut root: RootRotation,
        origin: &Origin,
    ) -> Result<Step, ServiceError> {
        let (mut rows, mut left, mut is_done, mut is_late) = (0_u64, 0_u64, true, false);
        for (tenant, keks) in self.all_keks().await? {
            let own = keks.last().filter(|(_, newest)| newest.origin == KekOrigin::Imported);
            let first = own.or_else(|| keks.iter().find(|(_, kek)| kek.blob.root >= root.sum.to));
            let first = first.map(|(_, kek)| kek.version);
            let count = self.count_sealed(tenant, first.unwrap_or(u32::MAX)).await?;
            rows = rows.saturating_add(count.rows);
            left = left.saturating_add(count.older).saturating_add(count.unreadable);
            let (is_behind, is_older) = (first.is_none(), count.older > 0);
            is_done &= !is_behind && !is_older && count.unreadable == 0;
            // What is no envelope at all moves nowhere.
            if is_behind || is_older {
                is_late |= match self.standing(tenant, root.sum.to).await? {
                    Standing::Over(Some(rotation)) => rotation.state != RotationState::Blocked,
                    Standing::Over(None) | Standing::Behind | Standing::Moves(..) => true,
                    Standing::Waits => false,
                };
            }
        }
        if is_late {
            // Something came late: all tenants are looked at once more.
            let sum = Rotation { done: 0, active_ms: 0, ..root.sum };
            let again = RootRotation { sum, at: None, tenants: 0 };
            self.put_root(version, again, Vec::new()).await?;
            return Ok(Step::After(LOOK_AGAIN));
        }
        root.sum.state = if is_done { RotationState::Done } else { RotationState::Blocked };
        root.sum.unopened = left;
        root.sum.ended_ms = Some(self.clock.unix_ms());
        root.at = None;
        let entry = entry("root.rotate.end", &root.sum, origin)
            .detail("state", root.sum.state.as_str())
            .detail("tenants", root.tenants.to_string())
            .detail("moved", root.sum.done.to_string())
            .detail("rows", rows.to_string())
            .detail("left", left.to_string());
        self.put_root(version, root, vec![entry]).await?;
        Ok(Step::Ended)
    }

    async fn put_root(
        &self,
        version: u64,
        root: RootRotation,
        entries: Vec<crate::audit::Draft>,
    ) -> Result<Step, ServiceError> {
        let change = Change::replace(Key::RootRotation, version, Row::RootRotation(root));
        match self.store.put_cas(vec![change], entries).await {
            // Somebody steered meanwhile: the next call looks again.
            Ok(_) | Err(StoreError::Conflict(_)) => Ok(Step::After(Duration::ZERO)),
            Err(error) => Err(error.into()),
        }
    }
}
