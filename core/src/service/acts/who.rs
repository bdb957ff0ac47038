//! Who may ask for an act, and who may approve it.

use super::super::{Service, ServiceError};
use crate::act::{Act, Approval};
use crate::id::{OperatorId, TenantId};
use crate::identity::role::{Action, Permission, Permissions, Resource};
use crate::identity::{LoginKind, Operator, OperatorPrincipal};
use crate::store::{Key, Row, Versioned};

/// How much older than a request whoever approves it must be, account and factors alike, milliseconds.
const AGE_MS: u64 = 24 * 60 * 60 * 1_000;

/// Shortest and longest reason for an act, in characters.
const REASON: std::ops::RangeInclusive<usize> = 10..=200;

/// What an operator may do, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    tenant: Option<TenantId>,
    permissions: Permissions,
}

impl From<&OperatorPrincipal> for Reach {
    fn from(principal: &OperatorPrincipal) -> Self {
        Self { tenant: principal.tenant, permissions: principal.permissions }
    }
}

impl Service {
    /// Whether the role and the reach of an operator allow asking for an act. Nobody gives away what they do not have.
    pub(super) async fn may_ask(&self, act: &Act, who: Reach) -> Result<(), ServiceError> {
        allowed(who.permissions, act.rule().permission)?;
        if !within(who.tenant, act) {
            return Err(if act.tenant().is_some() { ServiceError::NotFound("tenant") } else { everywhere() });
        }
        let given = match act {
            Act::CreateOperator { role, .. } | Act::ChangeRole { role, .. } => self.allows(role).await?,
            // Whoever sees the invitation could be that person.
            Act::ResetFactors { operator, .. } => match self.person(*operator).await? {
                Some((_, person)) => self.allows(&person.role).await?,
                None => Permissions::NONE,
            },
            Act::SetRole { role } => role.permissions,
            Act::UnfreezeCredential { .. }
            | Act::ResumeScope { .. }
            | Act::DeleteCredential { .. }
            | Act::EraseOwner { .. }
            | Act::DeleteTenant { .. }
            | Act::WidenCeiling { .. }
            | Act::MakeGrant { .. }
            | Act::ChangeGrant { .. }
            | Act::DestroyKek { .. }
            | Act::DestroyRoot { .. }
            | Act::ActivatePolicy { .. } => Permissions::NONE,
        };
        if given.within(who.permissions) {
            return Ok(());
        }
        let text = "the role allows what your own does not; nothing was done";
        Err(ServiceError::forbidden("role_denied", text))
    }

    async fn allows(&self, role: &str) -> Result<Permissions, ServiceError> {
        Ok(self.role(role).await?.ok_or(ServiceError::NotFound("role"))?.permissions)
    }

    /// An operator's row.
    pub(super) async fn person(&self, id: OperatorId) -> Result<Option<(u64, Operator)>, ServiceError> {
        Ok(match self.store.get(Key::Operator(id)).await? {
            Some(Versioned { version, row: Row::Operator(operator) }) => Some((version, operator)),
            _ => None,
        })
    }

    /// Whether an operator may approve, deny or review what somebody else asked for.
    pub(super) fn may_judge(&self, approval: &Approval, principal: &OperatorPrincipal) -> Result<(), ServiceError> {
        allowed(principal.permissions, Permission(Resource::Approval, Action::Approve))?;
        self.proven_lately(principal)?;
        if approval.requester.id == principal.operator {
            let text = "you asked for it yourself: somebody else decides; nothing was done";
            return Err(ServiceError::forbidden("second_operator_required", text));
        }
        if principal.kind == LoginKind::BreakGlass {
            let text = "a break-glass login decides nothing that others asked for: log in with your own factors";
            return Err(ServiceError::forbidden("second_operator_required", text));
        }
        Ok(())
    }

    /// Whether an operator counts as a second person: an account and factors that were not made for this request.
    /// Whoever was made, raised or given new factors since has to wait, whoever did that.
    pub(super) async fn is_second(
        &self,
        approval: &Approval,
        principal: &OperatorPrincipal,
    ) -> Result<(), ServiceError> {
        let (_, operator) = self.person(principal.operator).await?.ok_or(ServiceError::NotFound("operator"))?;
        let settled = |at_ms: u64| at_ms == 0 || at_ms.saturating_add(AGE_MS) <= approval.created_ms;
        if settled(operator.created_ms) && settled(operator.factors_ms) {
            return Ok(());
        }
        let text = "your account or its factors are not 24 hours older than the request; nothing was done";
        Err(ServiceError::forbidden("second_operator_too_new", text))
    }

    /// Whether whoever asked could still ask. Gives the version of their row, on which an approval rests.
    pub(super) async fn still_asked(&self, approval: &Approval) -> Result<u64, ServiceError> {
        let gone = || {
            let text = "whoever asked for it may not do so any more; nothing was done";
            ServiceError::conflict("requester_gone", text)
        };
        let (version, operator) = self.person(approval.requester.id).await?.ok_or_else(gone)?;
        let role = self.role(&operator.role).await?.ok_or_else(gone)?;
        let who = Reach { tenant: operator.tenant, permissions: role.permissions };
        match self.may_ask(&approval.act, who).await {
            Err(ServiceError::Forbidden { .. } | ServiceError::NotFound("tenant")) => Err(gone()),
            other => other.map(|()| version),
        }
    }

    /// Whether an operator proved a moment ago who they are.
    pub(super) fn proven_lately(&self, principal: &OperatorPrincipal) -> Result<(), ServiceError> {
        if principal.proven(self.clock.unix_ms()) {
            return Ok(());
        }
        let text = "prove who you are once more: your last proof is older than 5 minutes; nothing was done";
        Err(ServiceError::forbidden("step_up_required", text))
    }
}

/// Whether an operator may know of an act.
pub(super) fn reaches(principal: &OperatorPrincipal, act: &Act) -> bool {
    within(principal.tenant, act)
}

fn within(tenant: Option<TenantId>, act: &Act) -> bool {
    tenant.is_none() || tenant == act.tenant()
}

/// Refuses what a role does not allow.
pub(super) fn allowed(permissions: Permissions, permission: Permission) -> Result<(), ServiceError> {
    if permissions.has(permission) {
        return Ok(());
    }
    let text = format!("your role does not allow {permission}; nothing was done");
    Err(ServiceError::forbidden("role_denied", text))
}

/// A reason that somebody can read later.
pub(in super::super) fn reason(text: &str) -> Result<String, ServiceError> {
    let text = text.trim();
    if REASON.contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    let (least, most) = REASON.into_inner();
    let text = format!("say why, in {least} to {most} characters: {{\"reason\": \"...\"}}; nothing was done");
    Err(ServiceError::invalid("reason_missing", text))
}

fn everywhere() -> ServiceError {
    let text = "it reaches beyond your tenant: an operator of all tenants asks for it; nothing was done";
    ServiceError::forbidden("tenant_bound", text)
}
