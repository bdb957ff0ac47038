//! Policies, as they leave.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::audit::timestamp;
use crate::policy::Verdict;
use crate::service::Difference;
use crate::store::StoredPolicy;

/// A version of a tenant's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// Counts from 1.
    pub version: u32,
    /// Whether it decides.
    pub in_force: bool,
    /// How many rules it has.
    pub rules: usize,
    /// Who gave it.
    pub by: String,
    /// RFC 3339.
    pub created_at: String,
    /// The document, TOML; left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl PolicyView {
    /// A version, with its text or without, beside the version in force.
    pub fn of(policy: &StoredPolicy, in_force: u32, with_text: bool) -> Self {
        let rules = crate::policy::Document::parse(&policy.text).map_or(0, |document| document.rules.len());
        Self {
            version: policy.version,
            in_force: policy.version == in_force,
            rules,
            by: policy.by.clone(),
            created_at: timestamp(policy.created_ms),
            text: with_text.then(|| policy.text.clone()),
        }
    }
}

/// What a policy would have decided otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialView {
    /// How many requests were decided by both.
    pub requests: usize,
    /// Those whose decisions differ, oldest first.
    pub differences: Vec<DifferenceView>,
}

/// One decision that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DifferenceView {
    /// RFC 3339.
    pub at: String,
    /// `app_…`
    pub app: String,
    /// `cred_…`, or nothing for market data.
    pub credential: Option<String>,
    /// The venue.
    pub venue: String,
    /// The operation.
    pub operation: String,
    /// Its parameters.
    pub params: Vec<(String, String)>,
    /// `allowed`, or the rule that refuses and what says so.
    pub now: String,
    /// The same by the other policy.
    pub then: String,
}

impl From<&Difference> for DifferenceView {
    fn from(found: &Difference) -> Self {
        let Difference { request, now, then } = found;
        Self {
            at: timestamp(request.at_ms),
            app: request.app.to_string(),
            credential: request.credential.map(|id| id.to_string()),
            venue: request.venue.to_string(),
            operation: request.operation.clone(),
            params: request.params.clone(),
            now: words(now),
            then: words(then),
        }
    }
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allowed => "allowed".to_owned(),
        Verdict::Elsewhere => "not the policy's to decide".to_owned(),
        Verdict::Denied(denied) => match &denied.by {
            Some(by) => format!("{} ({by})", denied.rule),
            None => denied.rule.to_owned(),
        },
    }
}
