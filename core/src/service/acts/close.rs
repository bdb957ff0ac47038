//! Saying no to an act, and calling it off.

use super::super::{Service, ServiceError};
use super::{approval_entry, closed, moved, who};
use crate::act::{Act, Approval, ApprovalState, Decision, Person};
use crate::execution::Origin;
use crate::id::ApprovalId;
use crate::identity::OperatorPrincipal;
use crate::identity::role::{Action, Permission, Resource};

impl Service {
    /// Says no to an act that somebody else asked for.
    ///
    /// # Errors
    /// [`ServiceError`]; it stands as before.
    pub async fn deny(
        &self,
        id: ApprovalId,
        reason: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Approval, ServiceError> {
        let reason = who::reason(reason)?;
        let (version, approval) = self.approval_row(id, principal).await?;
        self.may_judge(&approval, principal)?;
        if approval.state_at(self.clock.unix_ms()) != &ApprovalState::Waiting {
            return Err(closed(&approval, self.clock.unix_ms()));
        }
        self.close(version, approval, ("deny", ApprovalState::Denied), reason, principal, origin).await
    }

    /// Calls an act off that was not done yet. Whoever may see it may do so, whoever asked for it or approved it. An
    /// erasure whose time has come may be half done, and is not called off any more.
    ///
    /// # Errors
    /// [`ServiceError`]; it stands as before.
    pub async fn cancel(
        &self,
        id: ApprovalId,
        reason: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Approval, ServiceError> {
        let reason = who::reason(reason)?;
        who::allowed(principal.permissions, Permission(Resource::Approval, Action::Read))?;
        let (version, approval) = self.approval_row(id, principal).await?;
        let now = self.clock.unix_ms();
        if !matches!(approval.state_at(now), ApprovalState::Waiting | ApprovalState::Approved { .. }) {
            return Err(closed(&approval, now));
        }
        if let (Act::EraseOwner { .. }, ApprovalState::Approved { due_ms }) = (&approval.act, &approval.state)
            && *due_ms <= now
        {
            let text =
                "its time has come, and some of it may be done: it is not called off any more; nothing was changed";
            return Err(ServiceError::conflict("approval_closed", text));
        }
        self.close(version, approval, ("cancel", ApprovalState::Cancelled), reason, principal, origin).await
    }

    async fn close(
        &self,
        version: u64,
        approval: Approval,
        (verb, state): (&str, ApprovalState),
        reason: String,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Approval, ServiceError> {
        let now = self.clock.unix_ms();
        let by = Person { id: principal.operator, name: principal.name.clone() };
        let entry = approval_entry(verb, &approval, origin).detail("reason", &reason);
        let closed = Approval { closed: Some(Decision { by, reason, at_ms: now }), ..moved(&approval, state, now) };
        self.move_approval(version, closed.clone(), Vec::new(), vec![entry]).await?;
        Ok(closed)
    }
}
