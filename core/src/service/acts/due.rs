//! What time does to acts that were asked for.

use super::super::{Service, ServiceError};
use super::approve::Unfit;
use super::{approval_entry, approval_of, moved, unnamed};
use crate::act::{Act, Approval, ApprovalState};
use crate::execution::Origin;
use crate::id::TenantId;
use crate::store::{Change, Expect, Key, Range};

/// How long a closed approval is kept, milliseconds. The audit log has it for longer.
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// Approvals looked at in one go.
const PAGE: usize = 1_000;

impl Service {
    /// Does what is due, writes down what has expired, and forgets what was closed a month ago. One that cannot be done
    /// at the moment waits for the next call, and keeps nothing else waiting.
    ///
    /// # Errors
    /// [`ServiceError`] when they cannot be read.
    pub async fn execute_due(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Approvals, after, PAGE).await?;
            for (version, approval) in page.rows.into_iter().filter_map(approval_of) {
                let id = approval.id;
                if let Err(error) = self.look_at(version, approval).await {
                    tracing::warn!(%error, approval.id = %id, "an act that is due waits");
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn look_at(&self, version: u64, approval: Approval) -> Result<(), ServiceError> {
        let now = self.clock.unix_ms();
        let state = approval.state_at(now);
        if *state == ApprovalState::Expired && approval.state == ApprovalState::Waiting {
            return self.write_down(version, &approval, ApprovalState::Expired, "expire").await;
        }
        if !state.is_open() && approval.changed_ms.saturating_add(KEPT_MS) <= now {
            let key = Key::Approval(approval.id);
            let forgotten = Change { key, expect: Expect::Version(version), row: None };
            self.store.put_cas(vec![forgotten], Vec::new()).await?;
            return Ok(());
        }
        if !matches!(state, ApprovalState::Approved { due_ms } if *due_ms <= now) {
            return Ok(());
        }
        match self.fitting(&approval).await? {
            Ok(prepared) => {
                let origin = Origin::system(self.clock());
                let version = if let Act::EraseOwner { tenant, owner } = &approval.act {
                    let begun = self.begun(version, &approval).await?;
                    // Until it is complete the act stays approved, and the next call goes on.
                    self.erase_owner(*tenant, owner, &approval.reason, &origin).await?;
                    begun
                } else {
                    version
                };
                self.finish(version, approval, prepared, Vec::new(), &origin).await.map(|_| ())
            }
            Err(_) if self.is_erased(&approval.act).await? => {
                self.write_down(version, &approval, ApprovalState::Executed, "execute").await
            }
            Err(Unfit(state)) => {
                let verb = state.as_str();
                tracing::warn!(approval.id = %approval.id, "an act that was approved is not done: it is {verb}");
                self.write_down(version, &approval, state, verb).await
            }
        }
    }

    /// Writes an act's row as it is before what is many commits begins: whoever calls it off has done so by then, or
    /// conflicts with this. Gives the row's new version.
    async fn begun(&self, version: u64, approval: &Approval) -> Result<u64, ServiceError> {
        self.move_approval(version, approval.clone(), Vec::new(), Vec::new()).await?;
        let found = self.store.get(Key::Approval(approval.id)).await?.and_then(approval_of);
        found.filter(|(_, row)| row == approval).map(|(version, _)| version).ok_or(ServiceError::Changed)
    }

    /// Calls off every act that waits, for an operator or for its time: in a restored store nobody knows what became of
    /// it since.
    ///
    /// # Errors
    /// [`ServiceError`]; repeating it goes on.
    pub async fn call_off_all_acts(&self) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Approvals, after, PAGE).await?;
            for (version, approval) in page.rows.into_iter().filter_map(approval_of) {
                if matches!(approval.state, ApprovalState::Waiting | ApprovalState::Approved { .. }) {
                    self.write_down(version, &approval, ApprovalState::Cancelled, "cancel").await?;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether it is the erasure of an owner of whom nothing is left: it was not written down in time, or the owner came
    /// first.
    async fn is_erased(&self, act: &Act) -> Result<bool, ServiceError> {
        let Act::EraseOwner { tenant, owner } = act else { return Ok(false) };
        Ok(self.store.is_erased(*tenant, owner.clone()).await?)
    }

    /// Has no act that was asked for name an owner who is being erased: what waits cannot be done any more, and what
    /// another operator has to look at was done. What is approved is the erasure itself, which is closed by its end.
    pub(in crate::service) async fn unname(&self, tenant: TenantId, owner: &str) -> Result<(), ServiceError> {
        let mut after = None;
        loop {
            let page = self.store.scan(Range::Approvals, after, PAGE).await?;
            for (version, approval) in page.rows.into_iter().filter_map(approval_of) {
                if approval.act.owner() != Some((tenant, owner)) {
                    continue;
                }
                if approval.state == ApprovalState::Waiting {
                    self.write_down(version, &approval, ApprovalState::Stale, "stale").await?;
                } else if approval.state == ApprovalState::ToReview {
                    self.move_approval(version, unnamed(approval), Vec::new(), Vec::new()).await?;
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn write_down(
        &self,
        version: u64,
        approval: &Approval,
        state: ApprovalState,
        verb: &'static str,
    ) -> Result<(), ServiceError> {
        let moved = moved(approval, state, self.clock.unix_ms());
        let entry = approval_entry(verb, &moved, &Origin::system(self.clock()));
        self.move_approval(version, moved, Vec::new(), vec![entry]).await?;
        Ok(())
    }
}
