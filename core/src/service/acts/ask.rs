//! Asking for an act.

use super::super::{Service, ServiceError};
use super::{Prepared, act_entries, approval_entry, moved, seal, who};
use crate::act::{Act, Approval, ApprovalState, Danger, Decision, Person, window};
use crate::execution::Origin;
use crate::id::ApprovalId;
use crate::identity::{CallerSecret, LoginKind, OperatorPrincipal};
use crate::store::{Change, Key, Row};

/// An act, as it is asked for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The act.
    pub act: Act,
    /// The digest of its plan.
    pub digest: &'a str,
    /// The version of the row that the caller read, where there is one.
    pub if_match: Option<u64>,
    /// The own name of what it is done to; for what is irreversible.
    pub confirm: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// What became of it.
#[derive(Debug)]
pub enum Reply {
    /// It is done.
    Done,
    /// It is done, and another operator looks at it afterwards.
    ToReview(Box<Approval>),
    /// It waits for a second operator. What the plan says that happens at once has happened. With it the half of an
    /// invitation that who asked hands to the person whom it is about; shown once.
    Waiting(Box<Approval>, Option<CallerSecret>),
}

impl Service {
    /// Asks for an act: does it, or has it wait for a second operator.
    ///
    /// Asking again for what waits already gives the same approval.
    ///
    /// # Errors
    /// [`ServiceError::PlanChanged`] when things are not as the plan said; otherwise what is missing. Nothing was done.
    pub async fn ask(
        &self,
        ask: Ask<'_>,
        principal: &OperatorPrincipal,
        origin: &Origin,
    ) -> Result<Reply, ServiceError> {
        let reason = who::reason(ask.reason)?;
        self.may_ask(&ask.act, principal.into()).await?;
        let prepared = self.prepare(&ask.act, None).await?;
        let second = prepared.takes_second(&ask.act);
        if second || ask.act.danger() == Danger::Irreversible {
            self.proven_lately(principal)?;
        }
        if ask.act.danger() == Danger::Irreversible && ask.confirm != prepared.name {
            let text =
                format!("confirm it with its own name: {{\"confirm\": \"{}\"}}; nothing was done", prepared.name);
            return Err(ServiceError::invalid("confirm_missing", text));
        }
        if ask.if_match.is_some_and(|read| prepared.etag != Some(read)) {
            return Err(ServiceError::Changed);
        }
        let now = self.clock.unix_ms();
        let window = agreed(&ask, &prepared, now)?;
        if !second {
            return self.do_now(&ask.act, prepared, &reason, origin).await;
        }
        let approval = Approval {
            id: ApprovalId::new(self.clock()),
            name: prepared.name.clone(),
            lines: prepared.lines.clone(),
            blast_radius: prepared.blast_radius.clone(),
            digest: ask.digest.to_owned(),
            window,
            requester: Person { id: principal.operator, name: principal.name.clone() },
            reason,
            created_ms: now,
            expires_ms: now.saturating_add(u64::try_from(self.waits.expire.as_millis()).unwrap_or(u64::MAX)),
            approved: None,
            closed: None,
            state: ApprovalState::Waiting,
            changed_ms: now,
            invited: prepared.secret.as_ref().map(CallerSecret::hash),
            act: ask.act,
        };
        if principal.kind == LoginKind::BreakGlass && approval.act.rule().break_glass {
            return self.break_glass(approval, prepared, origin).await;
        }
        self.put_up(approval, prepared, origin).await
    }

    async fn do_now(
        &self,
        act: &Act,
        prepared: Prepared,
        reason: &str,
        origin: &Origin,
    ) -> Result<Reply, ServiceError> {
        let entries = act_entries(prepared.entries, reason, None, origin);
        let done = self.store.put_cas(prepared.changes, entries).await;
        // Also after an error: it may have been stored.
        self.forget_act(act);
        self.follow(act, done?.up_to).await?;
        Ok(Reply::Done)
    }

    /// In an emergency one operator is enough, and everybody hears of it. Whatever waits already, there is room for it,
    /// and who else asked for the same need not be answered any more.
    async fn break_glass(
        &self,
        approval: Approval,
        prepared: Prepared,
        origin: &Origin,
    ) -> Result<Reply, ServiceError> {
        let approval = Approval { state: ApprovalState::ToReview, ..approval };
        let tag = approval.act.rule().tag;
        tracing::error!(alarm = "break-glass", act = tag, operator = %approval.requester.name, approval.id = %approval.id,
            "an act was done without a second operator");
        let mut entries = vec![approval_entry("execute", &approval, origin)];
        entries.extend(act_entries(prepared.entries, &approval.reason, Some(&approval), origin));
        let alarm = approval_entry("execute", &approval, origin);
        entries.push(crate::audit::Draft { action: "alarm.break-glass".to_owned(), ..alarm });
        let mut changes = prepared.changes;
        for (version, other) in self.waits_for(&approval.act).await? {
            let reason = format!("done by break-glass: {}", approval.id);
            entries.push(approval_entry("cancel", &other, origin).detail("reason", &reason));
            let by = Decision { by: approval.requester.clone(), reason, at_ms: approval.created_ms };
            let other = moved(&other, ApprovalState::Cancelled, approval.created_ms);
            let other = Approval { closed: Some(by), ..other };
            changes.push(Change::replace(Key::Approval(other.id), version, Row::Approval(Box::new(other))));
        }
        changes.push(Change::create(Key::Approval(approval.id), Row::Approval(Box::new(approval.clone()))));
        let done = self.store.put_cas(changes, entries).await;
        self.forget_act(&approval.act);
        let followed = self.follow(&approval.act, done?.up_to).await;
        let text = format!("{tag} was done without a second operator: {}", approval.id);
        self.broke_glass(approval.act.tenant(), text).await;
        followed?;
        Ok(Reply::ToReview(Box::new(approval)))
    }

    async fn put_up(&self, approval: Approval, prepared: Prepared, origin: &Origin) -> Result<Reply, ServiceError> {
        if let Some(same) = self.room_for(&approval).await? {
            self.follow_asked(&same.act, self.store.highest_intent().await?).await?;
            return Ok(Reply::Waiting(Box::new(same), None));
        }
        let mut entries = vec![approval_entry("request", &approval, origin).detail("reason", &approval.reason)];
        let mut changes = vec![Change::create(Key::Approval(approval.id), Row::Approval(Box::new(approval.clone())))];
        let at_once = prepared.at_once.is_some();
        if let Some((change, entry)) = prepared.at_once {
            changes.push(change);
            entries.extend(act_entries(vec![entry], &approval.reason, Some(&approval), origin));
        }
        let done = self.store.put_cas(changes, entries).await;
        if at_once {
            self.forget_act(&approval.act);
            self.follow_asked(&approval.act, done?.up_to).await?;
        } else {
            done?;
        }
        Ok(Reply::Waiting(Box::new(approval), prepared.secret))
    }
}

/// The span of time that the caller's plan was made in, if things are as it said.
fn agreed(ask: &Ask<'_>, prepared: &Prepared, now_ms: u64) -> Result<u64, ServiceError> {
    let newest = window(now_ms);
    for window in [newest, newest.saturating_sub(1)] {
        if seal(&ask.act, &prepared.seen, window)? == ask.digest {
            return Ok(window);
        }
    }
    Err(ServiceError::PlanChanged)
}
