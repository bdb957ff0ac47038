//! Approving an act that somebody else asked for.

use super::super::{Service, ServiceError};
use super::{Prepared, act_entries, approval_entry, closed, moved, seal, who};
use crate::act::{Act, Approval, ApprovalState, Decision, Person};
use crate::execution::Origin;
use crate::id::ApprovalId;
use crate::identity::{CallerSecret, OperatorPrincipal};
use crate::store::{Change, Key, StoreError};

/// How often it is tried anew when somebody else wrote something that it rests on.
const TRIES: usize = 4;

/// An act that was approved.
#[derive(Debug)]
pub struct Approved {
    /// How it stands.
    pub approval: Approval,
    /// The half of an invitation that the approver hands to the person whom it is about; shown once.
    pub secret: Option<CallerSecret>,
}

/// Why an act cannot be done as it was planned.
pub(super) struct Unfit(pub(super) ApprovalState);

impl Service {
    /// Approves an act: it is done, or done when its time has come. Closes one that was done in an emergency.
    ///
    /// Whoever approves once more what they approved has what follows from it repeated, which is harmless.
    ///
    /// # Errors
    /// [`ServiceError`]; the act was not done by this call.
    pub async fn approve(
        &self,
        id: ApprovalId,
        reason: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Approved, ServiceError> {
        let reason = who::reason(reason)?;
        let mut tries = 0..TRIES;
        loop {
            match self.try_approve(id, &reason, principal, origin).await {
                // Somebody wrote in between: how things stand is decided anew.
                Err(ServiceError::Changed) if tries.next().is_some() => {}
                other => return other,
            }
        }
    }

    async fn try_approve(
        &self,
        id: ApprovalId,
        reason: &str,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Approved, ServiceError> {
        let (version, approval) = self.approval_row(id, principal).await?;
        self.may_judge(&approval, principal)?;
        let now = self.clock.unix_ms();
        let decision = Decision {
            by: Person { id: principal.operator, name: principal.name.clone() },
            reason: reason.to_owned(),
            at_ms: now,
        };
        let state = approval.state_at(now);
        if *state == ApprovalState::ToReview {
            self.is_second(&approval, principal).await?;
            let reviewed = Approval { closed: Some(decision), ..moved(&approval, ApprovalState::Reviewed, now) };
            return self.review(version, reviewed, reason, origin).await;
        }
        let again = approval.approved.as_ref().is_some_and(|earlier| earlier.by == decision.by);
        if *state == ApprovalState::Executed && again {
            self.follow(&approval.act, self.store.highest_intent().await?).await?;
            return Ok(Approved { approval, secret: None });
        }
        if *state != ApprovalState::Waiting {
            return Err(closed(&approval, now));
        }
        self.is_second(&approval, principal).await?;
        let requester = (Key::Operator(approval.requester.id), self.still_asked(&approval).await?);
        let mut prepared = match self.fitting(&approval).await? {
            Ok(prepared) => prepared,
            Err(Unfit(state)) => {
                let unfit = moved(&approval, state, now);
                let entry = approval_entry(unfit.state.as_str(), &unfit, origin);
                self.move_approval(version, unfit, Vec::new(), vec![entry]).await?;
                let text = "things are not any more as they were when it was asked for: it has to be asked for anew; \
                            nothing was done";
                return Err(ServiceError::conflict("approval_stale", text));
            }
        };
        let delay_ms = u64::try_from(self.waits.delay.as_millis()).unwrap_or(u64::MAX);
        let approval = Approval { approved: Some(decision), ..approval };
        let entry = |approval: &Approval| approval_entry("approve", approval, origin).detail("reason", reason);
        // An erasure is many commits, which the one who looks at what is due repeats until all are done.
        let repeats = matches!(approval.act, Act::EraseOwner { .. });
        if approval.act.rule().scheduled && (delay_ms > 0 || repeats) {
            let due_ms = now.saturating_add(delay_ms);
            let approval = moved(&approval, ApprovalState::Approved { due_ms }, now);
            let asked = Change::still(requester.0, requester.1);
            self.move_approval(version, approval.clone(), vec![asked], vec![entry(&approval)]).await?;
            return Ok(Approved { approval, secret: None });
        }
        prepared.rest_on(requester.0, requester.1)?;
        let first = entry(&approval);
        self.finish(version, approval, prepared, vec![first], origin).await
    }

    /// Does an act that is approved: its changes and the approval's new state are one commit.
    pub(super) async fn finish(
        &self,
        version: u64,
        approval: Approval,
        prepared: Prepared,
        mut entries: Vec<crate::audit::Draft>,
        origin: &Origin,
    ) -> Result<Approved, ServiceError> {
        let act = approval.act.clone();
        let approval = moved(&approval, ApprovalState::Executed, self.clock.unix_ms());
        entries.push(approval_entry("execute", &approval, origin));
        entries.extend(act_entries(prepared.entries, &approval.reason, Some(&approval), origin));
        let done = self.move_approval(version, approval.clone(), prepared.changes, entries).await;
        // Also after an error: it may have been stored.
        self.forget_act(&act);
        self.follow(&act, done?).await?;
        Ok(Approved { approval, secret: prepared.secret })
    }

    /// The act as it would be done, if things are as they were when it was asked for.
    pub(super) async fn fitting(&self, approval: &Approval) -> Result<Result<Prepared, Unfit>, ServiceError> {
        let prepared = match self.prepare(&approval.act, approval.invited).await {
            Ok(prepared) => prepared,
            Err(error @ ServiceError::Unavailable { .. }) => return Err(error),
            Err(error) => return Ok(Err(Unfit(ApprovalState::Failed { why: error.to_string() }))),
        };
        let same = seal(&approval.act, &prepared.seen, approval.window)? == approval.digest;
        Ok(if same { Ok(prepared) } else { Err(Unfit(ApprovalState::Stale)) })
    }

    async fn review(
        &self,
        version: u64,
        reviewed: Approval,
        reason: &str,
        origin: &Origin,
    ) -> Result<Approved, ServiceError> {
        let entry = approval_entry("review", &reviewed, origin).detail("reason", reason);
        self.move_approval(version, reviewed.clone(), Vec::new(), vec![entry])
            .await
            .map_err(StoreError::into)
            .map(|_| Approved { approval: reviewed, secret: None })
    }
}
