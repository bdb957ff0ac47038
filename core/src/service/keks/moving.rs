//! The rows of a rotation: a batch at a time, each batch one commit, and a count of all rows at the end.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use super::super::incidents::Sighting;
use super::super::{Service, ServiceError};
use super::entry;
use crate::audit::EntryOutcome;
use crate::envelope::Envelope;
use crate::execution::Origin;
use crate::id::TenantId;
use crate::incident::Detector;
use crate::keeper::message::{Refused, Rewrap};
use crate::keeper::{KeeperError, KekRow};
use crate::rotation::{Rotation, RotationState};
use crate::store::{Change, Key, Page, Range, Row, Scope, StoreError, Versioned};

/// Rows of one commit.
const BATCH: usize = 64;

/// After so many rows that do not open, something else is wrong than a row: the rotation waits for an operator.
const UNOPENED_MAX: usize = 1_000;

/// When nothing is on the list, and something was found all the same.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Rows that are read at once when all are counted.
const PAGE: usize = 500;

/// What comes after a step of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next one, after so long: the pace that was asked for.
    After(Duration),
    /// None: it waits for an operator, or has ended.
    Ended,
}

/// Rows that do not open. They are passed over until somebody resumes the rotation.
#[derive(Debug, Default)]
pub struct Unopened(HashSet<Key>);

impl Service {
    /// Tenants whose rotation is to go on.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn rotations_under_way(&self) -> Result<Vec<TenantId>, ServiceError> {
        let running = |row: Versioned| {
            let Row::Rotation(rotation) = row.row else { return None };
            (rotation.state == RotationState::Running).then_some(rotation.tenant)
        };
        Ok(self.store.all(Range::Rotations, running).await?)
    }

    /// Moves the next rows of a tenant's rotation, if it is to go on.
    ///
    /// # Errors
    /// [`ServiceError`]: what was moved stays moved, and the next call goes on.
    pub async fn move_rows(
        &self,
        tenant: TenantId,
        unopened: &mut Unopened,
        origin: &Origin,
    ) -> Result<Step, ServiceError> {
        let began = self.clock.boot();
        let found = self.store.get(Key::Rotation(tenant)).await?;
        let Some(Versioned { version, row: Row::Rotation(rotation) }) = found else { return Ok(Step::Ended) };
        if rotation.state != RotationState::Running {
            return Ok(Step::Ended);
        }
        if let Some(wait) = self.waits_for_tenant(tenant).await? {
            return Ok(Step::After(wait));
        }
        let most = rotation.per_second.map_or(BATCH, |rows| usize::try_from(rows).unwrap_or(BATCH).clamp(1, BATCH));
        let wanted = unopened.0.len().saturating_add(most);
        let mut rows = self.store.sealed_before(tenant, rotation.to, wanted).await?;
        rows.retain(|(key, _)| !unopened.0.contains(key));
        rows.truncate(most);
        if rows.is_empty() || unopened.0.len() >= UNOPENED_MAX {
            return self.end_rotation(version, rotation, unopened, origin).await;
        }
        let moved = self.moved(&rotation, rows, unopened).await?;
        let count = u64::try_from(moved.len()).unwrap_or(u64::MAX);
        let took = began.until(self.clock.boot());
        let share =
            rotation.per_second.and_then(|rows| Duration::from_secs(count).checked_div(rows)).unwrap_or_default();
        let active = u64::try_from(took.max(share).as_millis()).unwrap_or(u64::MAX);
        let next = Rotation {
            done: rotation.done.saturating_add(count),
            active_ms: rotation.active_ms.saturating_add(active),
            ..rotation
        };
        let rows: Vec<Row> = moved.iter().filter_map(|change| change.row.clone()).collect();
        let progress = Change::replace(Key::Rotation(tenant), version, Row::Rotation(next));
        let stored = self.store.put_cas(moved.into_iter().chain([progress]).collect(), Vec::new()).await;
        // Also after an error: it may be stored all the same.
        for row in &rows {
            self.forget_sealed(row);
        }
        match stored {
            // Somebody changed one of the rows meanwhile, or steered: the next call looks again.
            Ok(_) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Step::After(share.saturating_sub(took)))
    }

    /// How long nothing can move, because the tenant has taken its own KEK away.
    async fn waits_for_tenant(&self, tenant: TenantId) -> Result<Option<Duration>, ServiceError> {
        Ok(self.store.get(Key::Withdrawn(tenant)).await?.map(|_| LOOK_AGAIN))
    }

    /// The rows under the newer KEK, as changes. Those that do not open are noted.
    async fn moved(
        &self,
        rotation: &Rotation,
        rows: Vec<(Key, Versioned)>,
        unopened: &mut Unopened,
    ) -> Result<Vec<Change>, ServiceError> {
        let to = self.directory.kek(self.store(), rotation.tenant, rotation.to).await?;
        let to = to.ok_or_else(|| StoreError::Corrupt(format!("{} has no KEK {}", rotation.tenant, rotation.to)))?;
        let mut changes = Vec::with_capacity(rows.len());
        // One after the other: executions find the keeper's other threads free.
        for (key, Versioned { version, row }) in rows {
            match self.moved_row(row, &to, rotation.rekey).await {
                Ok(row) => changes.push(Change::replace(key, version, row)),
                Err(ServiceError::Tampered) => {
                    self.tell_unopened(rotation.tenant, &key).await;
                    unopened.0.insert(key);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(changes)
    }

    async fn moved_row(&self, mut row: Row, to: &KekRow, rekey: bool) -> Result<Row, ServiceError> {
        for sealed in row.sealed_mut() {
            let version = Envelope::from_bytes(sealed).map_err(|_| ServiceError::Tampered)?.kek_version;
            if version >= to.version {
                continue;
            }
            let from = self.directory.kek(self.store(), to.tenant, version).await?;
            let from = from.ok_or(ServiceError::Tampered)?.as_ref().clone();
            let rewrap = Rewrap { sealed: sealed.clone(), from, to: to.clone(), rekey };
            *sealed = self.keeper.rewrap(rewrap).await.map_err(|error| match error {
                KeeperError::Refused(Refused::Tampered | Refused::Relabelled) => ServiceError::Tampered,
                // The tenant took one of them away a moment ago.
                KeeperError::Refused(Refused::Withdrawn) => ServiceError::kek_withdrawn(),
                error @ (KeeperError::Gone | KeeperError::Token(_) | KeeperError::Refused(_)) => error.into(),
            })?;
        }
        Ok(row)
    }

    pub(in crate::service) async fn tell_unopened(&self, tenant: TenantId, key: &Key) {
        let (kind, id) = key.resource();
        tracing::error!(alarm = "tamper", resource = kind, %id, "stored bytes do not open");
        let text = format!("the stored bytes of {kind} {id} do not open: they stay under the old KEK");
        let sighting = if let Key::Sealed(id) | Key::Token(id) | Key::Contact(id) = key {
            Sighting { detector: Detector::Tamper, tenant: Some(tenant), scope: Scope::Credential(*id), text }
        } else {
            Sighting::within(Detector::Tamper, Some(tenant), text)
        };
        let entry = Origin::system(self.clock()).draft("alarm.tamper", EntryOutcome::Failed);
        self.detected(sighting, vec![entry.tenant(tenant.to_string()).on(kind, id)]).await;
    }

    /// Ends a rotation with the count of all rows, none left out.
    async fn end_rotation(
        &self,
        version: u64,
        rotation: Rotation,
        unopened: &Unopened,
        origin: &Origin,
    ) -> Result<Step, ServiceError> {
        let Count { rows, older, unreadable, .. } = self.count_sealed(rotation.tenant, rotation.to).await?;
        let noted = unopened.0.len();
        // One that came late moves with the next call.
        if noted < UNOPENED_MAX && usize::try_from(older).is_ok_and(|older| older > noted) {
            return Ok(Step::After(LOOK_AGAIN));
        }
        let left = older.saturating_add(unreadable);
        let state = if left == 0 { RotationState::Done } else { RotationState::Blocked };
        let ended = Rotation { state, unopened: left, ended_ms: Some(self.clock.unix_ms()), ..rotation };
        let entry = entry("kek.rotate.end", &ended, origin)
            .detail("state", state.as_str())
            .detail("moved", ended.done.to_string())
            .detail("rows", rows.to_string())
            .detail("left", left.to_string());
        let change = Change::replace(Key::Rotation(ended.tenant), version, Row::Rotation(ended));
        match self.store.put_cas(vec![change], vec![entry]).await {
            Ok(_) => Ok(Step::Ended),
            Err(StoreError::Conflict(_)) => Ok(Step::After(LOOK_AGAIN)),
            Err(error) => Err(error.into()),
        }
    }

    /// Counts a tenant's sealed rows one by one, whatever any index says.
    pub(in crate::service) async fn count_sealed(&self, tenant: TenantId, to: u32) -> Result<Count, ServiceError> {
        let mut count = Count::default();
        let own = (tenant == TenantId::OWN).then_some(Range::Operators);
        let ranges = [Range::Credentials(tenant), Range::VirtualKeys(tenant), Range::Webhooks(tenant)];
        for range in ranges.into_iter().chain(own) {
            let mut after = None;
            loop {
                let Page { rows, next } = self.store.scan(range.clone(), after, PAGE).await?;
                for Versioned { row, .. } in rows {
                    let Row::Credential(credential) = row else {
                        count.add(&row, to);
                        continue;
                    };
                    for key in Key::sealed_of(credential.id) {
                        if let Some(Versioned { row, .. }) = self.store.get(key).await? {
                            count.add(&row, to);
                        }
                    }
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(count)
    }

    /// Has what was moved be looked up anew.
    fn forget_sealed(&self, row: &Row) {
        if let Row::VirtualKey(key) = row {
            self.directory.forget_virtual_key(key.name);
            return;
        }
        if let Row::Webhook(_) = row {
            return;
        }
        if let Row::Token(token) = row
            && let Ok(envelope) = Envelope::from_bytes(&token.sealed)
        {
            self.tokens.forget(envelope.binding.credential, None);
        }
        for envelope in row.sealed().into_iter().filter_map(|sealed| Envelope::from_bytes(sealed).ok()) {
            self.directory.forget_credential(envelope.binding.tenant, envelope.binding.credential);
        }
    }
}

/// How many rows are sealed, how many of them under older KEKs, which these are, and how many are no envelope at all.
#[derive(Clone, Debug, Default)]
pub(in crate::service) struct Count {
    pub(in crate::service) rows: u64,
    pub(in crate::service) older: u64,
    pub(in crate::service) unreadable: u64,
    pub(in crate::service) keks: BTreeSet<u32>,
}

impl Count {
    fn add(&mut self, row: &Row, to: u32) {
        let (sealed, keks) = (row.sealed().len(), row.keks());
        let older: Vec<u32> = keks.iter().map(|(_, version)| *version).filter(|version| *version < to).collect();
        self.rows = self.rows.saturating_add(u64::from(sealed > 0));
        self.older = self.older.saturating_add(u64::from(!older.is_empty()));
        self.unreadable = self.unreadable.saturating_add(u64::from(keks.len() < sealed));
        self.keks.extend(older);
    }
}
