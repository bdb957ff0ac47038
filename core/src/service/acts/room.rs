//! How many acts may wait, and which do. No operator and no tenant fills what all share.

use super::super::{Service, ServiceError};
use super::approval_of;
use crate::act::{Act, Approval, ApprovalState};
use crate::store::{Range, StoreError};

/// Acts that are open at once, and those that are kept with the ones closed lately, at most.
struct Room {
    open: usize,
    kept: usize,
}

const OF_REQUESTER: Room = Room { open: 100, kept: 1_000 };
const OF_TENANT: Room = Room { open: 400, kept: 4_000 };
const OF_ALL: Room = Room { open: 1_000, kept: 10_000 };

impl Service {
    /// Whether one more act can wait; or the same that the same operator asked for already.
    pub(super) async fn room_for(&self, asked: &Approval) -> Result<Option<Approval>, ServiceError> {
        let now = self.clock.unix_ms();
        let all: Vec<Approval> = self.all_approvals().await?.into_iter().map(|(_, approval)| approval).collect();
        let (requester, tenant) = (asked.requester.id, asked.act.tenant());
        let same = |other: &&Approval| {
            let waits = matches!(other.state_at(now), ApprovalState::Waiting | ApprovalState::Approved { .. });
            waits && other.act == asked.act && other.requester.id == requester && other.digest == asked.digest
        };
        if let Some(same) = all.iter().find(same) {
            return Ok(Some(same.clone()));
        }
        let fits = |room: &Room, counts: &dyn Fn(&Approval) -> bool| {
            let kept = all.iter().filter(|other| counts(other));
            let open = kept.clone().filter(|other| other.state_at(now).is_open());
            open.count() < room.open && kept.count() < room.kept
        };
        let own = fits(&OF_REQUESTER, &|other| other.requester.id == requester);
        let within = tenant.is_none() || fits(&OF_TENANT, &|other| other.act.tenant() == tenant);
        if own && within && fits(&OF_ALL, &|_| true) {
            return Ok(None);
        }
        let whose = match (own, within) {
            (false, _) => "you asked for too many acts",
            (true, false) => "too many acts were asked for in this tenant",
            (true, true) => "too many acts were asked for",
        };
        let text = format!(
            "{whose}: approve, deny or cancel some; closed ones are forgotten after 30 days, and a break-glass login \
             always finds room; nothing was done"
        );
        Err(ServiceError::conflict("approvals_full", text))
    }

    /// The requests for this very act that nobody has answered, whoever asked.
    pub(super) async fn waits_for(&self, act: &Act) -> Result<Vec<(u64, Approval)>, StoreError> {
        let now = self.clock.unix_ms();
        let mut all = self.all_approvals().await?;
        all.retain(|(_, other)| other.act == *act && *other.state_at(now) == ApprovalState::Waiting);
        Ok(all)
    }

    /// Every approval that is kept: about as many as there is room for.
    async fn all_approvals(&self) -> Result<Vec<(u64, Approval)>, StoreError> {
        self.store.all(Range::Approvals, approval_of).await
    }
}
