//! Plans of acts, and acts that were asked for, as they leave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::act::{Approval, ApprovalState, Decision, Plan};
use crate::audit::timestamp;
use crate::service::Foresight;

/// What an act will do. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanView {
    /// The own name of what it is done to; an irreversible act is confirmed with it.
    pub name: String,
    /// What will happen, a sentence each.
    pub plan: Vec<String>,
    /// What hangs on it, by name; 1000 means at least that many.
    pub blast_radius: BTreeMap<String, u64>,
    /// Whether a second operator has to approve it.
    pub second_operator: bool,
    /// Send it back as `Plan-Digest`.
    pub digest: String,
    /// Until when it is taken at least, RFC 3339.
    pub expires_at: String,
}

impl From<&Plan> for PlanView {
    fn from(plan: &Plan) -> Self {
        Self {
            name: plan.name.clone(),
            plan: plan.lines.clone(),
            blast_radius: plan.blast_radius.clone(),
            second_operator: plan.second,
            digest: plan.digest.clone(),
            expires_at: timestamp(plan.expires_ms),
        }
    }
}

/// What a revocation will do. Nothing was changed; the same request without `dry_run` does it at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ForesightView {
    /// The own name of what is revoked.
    pub name: String,
    /// What will happen, a sentence each.
    pub plan: Vec<String>,
    /// What hangs on it, by name; 1000 means at least that many.
    pub blast_radius: BTreeMap<String, u64>,
}

impl From<Foresight> for ForesightView {
    fn from(seen: Foresight) -> Self {
        let Foresight { name, lines, blast_radius } = seen;
        Self { name, plan: lines, blast_radius }
    }
}

/// An act that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalView {
    /// `appr_…`
    pub id: String,
    /// What kind of act it is: `docs/approvals.md` has them all.
    pub act: String,
    /// `D2` or `D3`.
    pub danger: String,
    /// `ten_…`; absent for what reaches beyond one tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The own name of what it is done to.
    pub name: String,
    /// What the plan said.
    pub plan: Vec<String>,
    /// What hung on it when it was asked for.
    pub blast_radius: BTreeMap<String, u64>,
    /// The plan's digest.
    pub digest: String,
    /// `waiting`, `approved`, `executed`, `denied`, `cancelled`, `expired`, `stale`, `failed`, `to-review`, `reviewed`.
    pub state: String,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who asked.
    pub requester: String,
    /// Their id.
    pub requester_id: String,
    /// Why they asked.
    pub reason: String,
    /// RFC 3339.
    pub created_at: String,
    /// Until when it can be approved, RFC 3339.
    pub expires_at: String,
    /// When it is done, RFC 3339; while it is approved and can still be cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<String>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<DecisionView>,
    /// Who denied, cancelled or reviewed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<DecisionView>,
}

/// What somebody decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DecisionView {
    /// Who.
    pub by: String,
    /// Their id.
    pub by_id: String,
    /// Why.
    pub reason: String,
    /// RFC 3339.
    pub at: String,
}

/// An act as it was asked for or approved, by whoever did so.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApprovedView {
    /// How it stands.
    #[serde(flatten)]
    pub approval: ApprovalView,
    /// The half of an invitation that the caller hands to the person whom it is about: `clv_invite_…`. It cannot be shown
    /// again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
}

impl ApprovalView {
    /// How it stands at `now_ms`, milliseconds since the Unix epoch.
    #[must_use]
    pub fn of(row: &Approval, now_ms: u64) -> Self {
        let state = row.state_at(now_ms);
        let rule = row.act.rule();
        Self {
            id: row.id.to_string(),
            act: rule.tag.to_owned(),
            danger: rule.danger.as_str().to_owned(),
            tenant: row.act.tenant().map(|tenant| tenant.to_string()),
            name: row.name.clone(),
            plan: row.lines.clone(),
            blast_radius: row.blast_radius.clone(),
            digest: row.digest.clone(),
            state: state.as_str().to_owned(),
            why: if let ApprovalState::Failed { why } = state { Some(why.clone()) } else { None },
            requester: row.requester.name.clone(),
            requester_id: row.requester.id.to_string(),
            reason: row.reason.clone(),
            created_at: timestamp(row.created_ms),
            expires_at: timestamp(row.expires_ms),
            due_at: if let ApprovalState::Approved { due_ms } = state { Some(timestamp(*due_ms)) } else { None },
            approved: row.approved.as_ref().map(DecisionView::from),
            closed: row.closed.as_ref().map(DecisionView::from),
        }
    }
}

impl From<&Decision> for DecisionView {
    fn from(decision: &Decision) -> Self {
        Self {
            by: decision.by.name.clone(),
            by_id: decision.by.id.to_string(),
            reason: decision.reason.clone(),
            at: timestamp(decision.at_ms),
        }
    }
}
